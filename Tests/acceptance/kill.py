"""SIGKILL at random moments of `holdfast run` loses and doubles nothing: the journal ends as without a kill."""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from holdfast import DATA, PROGRAM, TOP

KILLS = int(os.environ.get("HOLDFAST_KILLS", "100"))


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
        "counters": "SELECT name, label, hour, amount FROM counters",
        "events": "SELECT max(through) FROM event_ids",
        "dead_letters": "SELECT place, reason FROM dead_letters",
    }
    found = {name: sorted(db.execute(query).fetchall()) for name, query in queries.items()}
    db.close()
    return found


def main():
    random.seed(7)
    with tempfile.TemporaryDirectory() as top:
        whole = f"{top}/whole"
        os.mkdir(whole)
        configure(whole)
        began = time.monotonic()
        process = start(whole)
        if process.wait() != 0:
            sys.exit(f"the undisturbed run failed: {process.stderr.read()[-2000:]}")
        span = time.monotonic() - began
        expected, kills, rounds = contents(whole), 0, 0
        while kills < KILLS:
            rounds += 1
            folder = f"{top}/killed"
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
            configure(folder)
            for _ in range(8):
                process = start(folder)
                time.sleep(random.uniform(0, span))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                process.wait()
            process = start(folder)
            if process.wait() != 0:
                sys.exit(f"the run after kills failed: {process.stderr.read()[-2000:]}")
            found = contents(folder)
            for name, rows in expected.items():
                if found[name] != rows:
                    sys.exit(f"after kills, {name} differs: {len(rows)} rows expected, {len(found[name])} found; "
                             f"{[r for r in found[name] if r not in rows][:2]}, {[r for r in rows if r not in found[name]][:2]}")
        print(f"{kills} kills in {rounds} rounds: nothing lost, nothing doubled; "
              f"{expected['events'][0][0]} events, {len(expected['history'])} history rows, {len(expected['findings'])} findings")


main()
