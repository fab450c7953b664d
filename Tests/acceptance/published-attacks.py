"""`holdfast run` over published attacks: what opens findings, and for each other file why not."""
import json
import sys
import tempfile

from holdfast import DATA, TOP, explain, run

MUST_OPEN = ["cloudtrail-stop", "iam-create-backdoor-role"]


def findings(folder, *paths):
    """Runs the service on event files and returns its findings."""
    listed = "".join(f"        - {json.dumps(str(p))}\n" for p in paths)
    config = f"{folder}/holdfast.yaml"
    with open(config, "w") as file:
        file.write("store: {sqlite: ./holdfast.db}\nsources:\n  - file:\n      paths:\n" + listed)
        for kind in ("catalog", "baseline", "playbooks"):
            file.write("" if kind != "catalog" else "data:\n")
            file.write(f"  {kind}: [{TOP}/{kind}]\n")
    run("run", "--config", config, "--quiet", cwd=folder)
    return json.loads(run("findings", "--config", config, "--format", "json", cwd=folder).stdout)


def why_not(path):
    """Why the events of a file opened nothing, each reason with how often."""
    reasons = {}
    for line in explain(path)[0]:
        if line["dropped"]:
            reason = line["dropped"]
        elif not line["affected"]:
            reason = f"no resource of the catalog is changed by {line['action']}"
        else:
            reason = f"no rule that could be judged is broken after {line['action']}"
        reasons[reason] = reasons.get(reason, 0) + 1
    return "; ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))


def main():
    failures = []
    for path in sorted((DATA / "aws-cloudtrail-stratus").rglob("*.json")):
        with tempfile.TemporaryDirectory() as folder:
            found = findings(folder, path)
        rules = sorted(f"{f['rule']} ({f['cause']['event'] if f['cause'] != 'baseline' else 'baseline'})" for f in found)
        print(f"{path.stem}: " + (", ".join(rules) if rules else f"nothing: {why_not(path)}"))
        if not rules and any(name in path.stem for name in MUST_OPEN):
            failures.append(path.stem)
    with tempfile.TemporaryDirectory() as folder:
        found = findings(folder, DATA / "aws-cloudtrail-invictus" / "CloudTrail")
    print(f"invictus: {len(found)} findings, no error")
    for name in failures:
        print("FAILED:", name, "opened nothing")
    sys.exit(1 if failures else 0)


main()
