"""Runs on a published log into a journal of their own, and what must be the same in every such journal."""
import json
import sqlite3
import subprocess

from holdfast import DATA, PROGRAM, TOP


def configure(folder):
    events = json.dumps(str(DATA / "aws-cloudtrail-invictus" / "CloudTrail"))
    with open(f"{folder}/holdfast.yaml", "w") as file:
        file.write(f"store: {{sqlite: ./holdfast.db}}\nsources:\n  - file: {{paths: [{events}]}}\n"
                   f"data: {{catalog: [{TOP}/catalog], baseline: [{TOP}/baseline], playbooks: [{TOP}/playbooks]}}\n")


def start(folder):
    return subprocess.Popen([PROGRAM, "run", "--config", f"{folder}/holdfast.yaml", "--quiet"], cwd=folder,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def contents(folder):
    """Everything that must be the same; times of knowing differ from run to run."""
    db = sqlite3.connect(f"{folder}/holdfast.db")
    queries = {
        "history": "SELECT n.type, n.id, h.event, h.happened, h.evidence FROM history h JOIN names n ON n.key = h.resource",
        "resources": "SELECT n.type, n.id, r.deleted, r.incarnation, r.evidence FROM resources r JOIN names n USING (key)",
        "findings": "SELECT id, rule, state, severity FROM findings",
        # Evaluations depend on where batches are cut, and their hour is ours.
        "counters": "SELECT name, label, hour, amount FROM counters WHERE name <> 'evaluation'",
        "events": "SELECT max(through) FROM event_ids",
        "dead_letters": "SELECT place, reason FROM dead_letters",
    }
    found = {name: sorted(db.execute(query).fetchall()) for name, query in queries.items()}
    db.close()
    return found
