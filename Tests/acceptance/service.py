"""What operators do to a running service: SIGTERM in the middle loses and doubles nothing; data files are reloaded
beside the old ones, refused where they are broken, and held where they would change much."""
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

from holdfast import DATA, PROGRAM, TOP, run
from journal import configure, contents, start

STOPS = int(os.environ.get("HOLDFAST_STOPS", "30"))


def written(folder):
    """How many batches with changes the journal has."""
    try:
        db = sqlite3.connect(f"file:{folder}/holdfast.db?mode=ro", uri=True)
        try:
            return db.execute("SELECT count(*) FROM batches").fetchone()[0]
        finally:
            db.close()
    except sqlite3.Error:
        return 0


def live(findings):
    return [row for row in findings if row[2] not in ("deleted", "resolved")]


def stopped():
    """Runs that are told to stop while batches are written, until one comes to its end by itself."""
    with tempfile.TemporaryDirectory() as top:
        whole = f"{top}/whole"
        os.mkdir(whole)
        configure(whole)
        process = start(whole)
        if process.wait() != 0:
            sys.exit(f"the undisturbed run failed: {process.stderr.read()[-2000:]}")
        expected, stops, partial = contents(whole), 0, 0
        batches = written(whole)
        while stops < STOPS:
            folder = f"{top}/stopped"
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
            configure(folder)
            for _ in range(6):
                process = start(folder)
                enough = written(folder) + random.randint(1, max(1, batches // 4))
                while process.poll() is None and written(folder) < enough:
                    time.sleep(0.002)
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    stops += 1
                if process.wait(timeout=300) != 0:
                    sys.exit(f"a run that was told to stop failed ({process.returncode}): {process.stderr.read()[-2000:]}")
                partial += contents(folder)["events"] != expected["events"]
            process = start(folder)
            if process.wait() != 0:
                sys.exit(f"the run after stops failed: {process.stderr.read()[-2000:]}")
            found = contents(folder)
            for name, rows in expected.items():
                if name == "findings":
                    # A stop cuts a batch short, and what opens and ends within one batch is never written.
                    rows, found[name] = live(rows), live(found[name])
                if found[name] != rows:
                    sys.exit(f"after stops, {name} differs: {len(rows)} rows expected, {len(found[name])} found; "
                             f"{[r for r in found[name] if r not in rows][:2]}, {[r for r in rows if r not in found[name]][:2]}")
        if partial == 0:
            sys.exit("no stop came in the middle: nothing was tested")
        print(f"{stops} SIGTERMs, {partial} of them drained in the middle: nothing lost or doubled")


def until(what, condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come in {seconds} s")
        time.sleep(0.2)


RULE = """type: {type}
title: A rule of a test
severity: low
maturity: stable
expect: {expect}
why: It is a test.
fix: {{console: Nothing.}}
tests:
  - {{given: {{}}, verdict: unknown}}
"""


def reloaded():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(TOP / "baseline", f"{folder}/baseline")
        with open(f"{folder}/holdfast.yaml", "w") as file:
            events = json.dumps(str(DATA / "aws-cloudtrail-invictus" / "CloudTrail"))
            file.write(f"store: {{sqlite: ./holdfast.db}}\nsources:\n  - file: {{paths: [{events}], follow: true}}\n"
                       f"data: {{catalog: [{TOP}/catalog], baseline: [./baseline], playbooks: [{TOP}/playbooks]}}\n")
        config = f"{folder}/holdfast.yaml"
        errors = open(f"{folder}/errors", "w")
        process = subprocess.Popen([PROGRAM, "run", "--config", config, "--quiet"], cwd=folder,
                                   stdout=subprocess.DEVNULL, stderr=errors)

        def ask(*arguments):
            done = run("reload", "--config", config, "--format", "json", *arguments, check=False)
            return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

        def said(text):
            with open(f"{folder}/errors") as file:
                return text in file.read()

        def notices():
            return [n["code"] for n in json.loads(run("notices", "--config", config, "--format", "json").stdout)]

        def findings(rule):
            return [f for f in json.loads(run("findings", "--config", config, "--format", "json").stdout)
                    if f["rule"] == rule and f["state"] == "open"]

        try:
            until("the journal", lambda: os.path.exists(f"{folder}/holdfast.db"))
            until("the events", lambda: json.loads(
                run("status", "--config", config, "--format", "json", check=False).stdout or "{}").get("events", 0) > 100)
            code, answer = ask()
            assert (code, answer["outcome"]) == (0, "adopted"), (code, answer)

            # Broken: refused, with a notice, and the old rules stay.
            path = f"{folder}/baseline/rules/aws/s3/of-a-test.yaml"
            with open(path, "w") as file:
                file.write("type: AWS::S3::Bucket\ntitel: broken\n")
            code, answer = ask()
            assert (code, answer["outcome"]) == (1, "refused"), (code, answer)
            assert any("titel" in line for line in answer["lines"]), answer
            assert "reload-refused" in notices()

            # Many resources would change: it waits, and nothing is other than it was.
            known = json.loads(run("resources", "--config", config, "--format", "json").stdout)
            kind = max(sorted({r["type"] for r in known}), key=[r["type"] for r in known].count)
            values = {}
            for resource in known:
                if resource["type"] == kind:
                    for name, value in resource["configuration"].items():
                        if isinstance(value, str):
                            values.setdefault(name, []).append(value)
            name = max(sorted(values), key=lambda n: len(values[n]))
            with open(path, "w") as file:
                file.write(RULE.format(type=kind, expect=f"{{{name}: not-what-it-is}}"))
            code, answer = ask()
            assert (code, answer["outcome"]) == (1, "waits"), (code, answer)
            assert any("of-a-test" in line and "opened" in line for line in answer["lines"]), answer
            assert "reload-waits" in notices() and not findings("aws/s3/of-a-test")
            waiting = answer["digest"]

            # SIGHUP proposes the same.
            os.kill(process.pid, signal.SIGHUP)
            until("what SIGHUP led to", lambda: said("the reload waits") and json.load(
                open(f"{folder}/holdfast.db.reloaded"))["id"] == "SIGHUP")
            assert json.load(open(f"{folder}/holdfast.db.reloaded"))["digest"] == waiting

            # What is confirmed must be what was shown.
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("severity: low", "severity: high"))
            code, answer = ask("--confirm")
            assert (code, answer["outcome"]) == (1, "waits"), (code, answer)
            assert not findings("aws/s3/of-a-test")
            code, answer = ask("--confirm")
            assert (code, answer["outcome"]) == (0, "adopted"), (code, answer)
            opened = findings("aws/s3/of-a-test")
            assert opened and all(f["cause"] == "baseline" and f["severity"] == "high" for f in opened), opened[:1]
            assert not {"reload-waits", "reload-refused"} & set(notices())
            code, answer = ask("--confirm")
            assert code == 1 and "nothing waits" in answer, (code, answer)
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait(timeout=300) != 0:
                sys.exit(f"the service ended with {process.returncode}: {open(f'{folder}/errors').read()[-2000:]}")
        code, answer = ask()
        assert code == 1 and "no holdfast runs" in answer, (code, answer)
        print(f"reloads: one adopted, one refused, one held and confirmed: {len(opened)} findings opened as backlog")


random.seed(11)
reloaded()
stopped()
