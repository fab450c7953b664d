"""Every record of the published logs gives a line or a dead letter, and no failed write goes on."""
import json
import sys

from holdfast import DATA, explain

KEYS = ["id", "cloud", "time", "account", "region", "actor", "actorType", "sourceIP", "action", "outcome", "readOnly",
        "affected", "dropped"]
FOLDERS = ["aws-cloudtrail-cribl", "aws-cloudtrail-invictus", "aws-cloudtrail-stratus", "aws-eventbridge-manageiq",
           "c7n-aws-events", "c7n-gcp-events", "gcp-cloudevents-audit", "azure-eventhub-dynatrace",
           "azure-rest-manageiq", "azure-rest-xplat-cli", "plaso-3cloud-jsonl"]


def documents(path):
    """The JSON documents of a file, one after the other; None for a file that is none."""
    text = path.read_text(encoding="utf-8-sig")
    decoder, at, found = json.JSONDecoder(strict=False), 0, []
    while at < len(text):
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return None
        found.append(value)
    return found


def records(value):
    """How many records are in a document: the list of an envelope, or the document alone."""
    if isinstance(value, list):
        return sum(records(element) for element in value)
    if isinstance(value, dict):
        for name in ("Records", "records", "value", "Events", "entries"):
            if isinstance(value.get(name), list):
                return max(sum(records(element) for element in value[name]), 1)
    return 1


def main():
    failures = []
    print(f"{'folder':28} {'records':>8} {'lines':>8} {'dead':>6}")
    for folder in FOLDERS:
        files = [f for f in sorted((DATA / folder).rglob("*")) if f.suffix in (".json", ".jsonl")]
        files = [f for f in files if not f.name.startswith(("ORACLE", "expected"))]
        expected = sum(sum(records(d) for d in documents(f) or []) for f in files)
        lines, dead = explain(*files)
        print(f"{folder:28} {expected:8} {len(lines):8} {len(dead):6}")
        if len(lines) + len(dead) < expected:
            failures.append(f"{folder}: {expected} records and {len(lines)} lines with {len(dead)} dead letters")
        for line in lines:
            if sorted(line) != sorted(KEYS):
                failures.append(f"{folder}: a line has the keys {sorted(line)}")
            if line["outcome"] == "failure" and not line["dropped"]:
                failures.append(f"{folder}: the failed {line['action']} {line['id']} is not dropped")
        for text in dead[:20]:
            print("   ", text[:200])
    for failure in failures[:20]:
        print("FAILED:", failure)
    sys.exit(1 if failures else 0)


main()
