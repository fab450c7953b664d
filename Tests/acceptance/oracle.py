"""Affected resources against what other people's parsers expect, by a committed table of classes."""
import json
import pathlib
import re
import sys

from holdfast import DATA, explain

TABLE = dict(line.split("\t") for line in
             (pathlib.Path(__file__).parent / "oracle-classes.tsv").read_text().splitlines()
             if line and not line.startswith("#"))


def affected(path):
    lines, _ = explain(path)
    return [(a["type"], a["id"]) for line in lines for a in line["affected"]]


def aws():
    folder = DATA / "aws-eventbridge-manageiq"
    base = next(folder.rglob("cloud_watch")).parent
    pairs = []
    for row in map(json.loads, (folder / "ORACLE-targets.dev.jsonl").read_text().splitlines()):
        if not row["file"].startswith("cloud_watch/AWS_API_CALL_"):
            continue
        for kind, ref in row["targets"]:
            if kind in TABLE:
                pairs.append((base / row["file"], TABLE[kind], ref))
    hits, misses, cache = 0, [], {}
    for path, kind, ref in pairs:
        if path not in cache:
            cache[path] = affected(path) if path.exists() else None
        if cache[path] is None:
            misses.append(f"{path.name}: the file is not there")
        elif any(t == kind and (i == ref or i.endswith("/" + ref)) for t, i in cache[path]):
            hits += 1
        else:
            misses.append(f"{path.name}: {kind} {ref} is not among {cache[path]}")
    return hits, len(pairs), misses


def pattern(reference):
    """Their Ruby string: #{…} is anything."""
    parts = re.split(r"#\{[^}]*\}", reference.lower())
    return re.compile(".*".join(re.escape(part) for part in parts) + "$")


def azure():
    folder = DATA / "azure-rest-manageiq"
    hits, total, misses = 0, 0, []
    for row in map(json.loads, (folder / "ORACLE-targets.dev.jsonl").read_text().splitlines()):
        kind = TABLE.get("azure:" + row["file"].removesuffix("_EndRequest.json"))
        if not kind:
            continue
        for path in folder.rglob(row["file"]):
            total += 1
            found = affected(path)
            if any(t.lower() == kind and pattern(row["expected_ref"]).match(i.lower()) for t, i in found):
                hits += 1
            else:
                misses.append(f"{path.name}: {row['expected_ref']} is not among {found}")
    return hits, total, misses


def main():
    bad = False
    for name, (hits, total, misses) in (("aws", aws()), ("azure", azure())):
        print(f"{name}: {hits} of {total} pairs hit")
        for miss in misses:
            print("   missed", miss[:300])
        bad |= total == 0 or hits < 0.95 * total
    sys.exit(1 if bad else 0)


main()
