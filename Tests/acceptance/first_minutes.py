"""The README as a new user follows it, word for word, in a clean copy of the repository: the sample run, each command
under it, what it says that is printed, and a first configuration with a broker up to a dry run over published events; a
stop in the middle, a start again, and nothing lost. What is not done: `swift build` (a stub says that it is done) and
`Tests/run.sh`. Run it with the Python of Tests/servers/python.sh; HOLDFAST_TEST_BROKER and HOLDFAST_TEST_DATA say where
broker and events are."""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from holdfast import DATA, run
from journal import configure, contents
from program import PROGRAM, TOP

STAND_IN = """#!{python}
import sys
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
broker, topic = sys.argv[3], sys.argv[5]
KafkaAdminClient(bootstrap_servers=broker).create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
producer = KafkaProducer(bootstrap_servers=broker)
for line in sys.stdin.buffer:
    producer.send(topic, line.rstrip(b"\\n"))
producer.flush()
"""


class Reader:
    """Somebody with the README, a shell, and a clean copy of the repository."""
    patience = 300

    def __init__(self, top, broker):
        self.top, self.broker, self.topic, self.count = pathlib.Path(top), broker, f"cloudtrail-{os.getpid()}", 0
        self.prepare()
        self.text = (self.top / "README.md").read_text()

    def prepare(self):
        """The files that git knows, as they are now; and stand-ins for what takes long or is not installed."""
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TOP, capture_output=True,
                                text=True, check=True).stdout.split("\0")
        for name in filter(None, listed):
            if (TOP / name).is_file():
                (self.top / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.top / name)
        (self.top / ".build/debug").mkdir(parents=True)
        (self.top / ".build/debug/holdfast").symlink_to(PROGRAM)
        tools = self.top.with_name("tools")
        tools.mkdir()
        self.tool(tools / "swift", "#!/bin/sh\n[ \"$1\" = build ] || [ \"$1\" = --version ]\n")
        if not shutil.which("kcat"):
            self.tool(tools / "kcat", STAND_IN.format(python=sys.executable))
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "NO_COLOR": "1"}

    def shell(self, command):
        """What runs a line as typed in a shell where the README's alias was typed before."""
        alias = "shopt -s expand_aliases\nalias holdfast=$PWD/.build/debug/holdfast"
        return ["bash", "-o", "pipefail", "-c", f"{alias}\n{self.adapted(command)}\n"]

    @staticmethod
    def tool(path, text):
        path.write_text(text)
        path.chmod(0o755)

    def section(self, title):
        return re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", self.text)[1]

    def commands(self, title):
        """The lines of a section's indented blocks, without their comments."""
        plain = re.sub(r"(?ms)^```.*?^```", "", self.section(title))
        lines = [line[4:] for line in plain.splitlines() if line.startswith("    ")]
        return [re.sub(r"\s+# .*", "", line).strip() for line in lines]

    def adapted(self, command):
        if self.broker:
            command = command.replace("localhost:9092", self.broker)
        return re.sub(r"\bcloudtrail\b(?=$|\s)", self.topic, command)

    def type(self, command, status=0):
        self.count += 1
        done = subprocess.run(self.shell(command), cwd=self.top, env=self.environment, capture_output=True, text=True,
                              timeout=self.patience)
        if done.returncode != status:
            sys.exit(f"a reader of the README stops at `{command}` ({done.returncode}):\n{done.stdout[-2000:]}\n"
                     f"{done.stderr[-2000:]}")
        return done.stdout


def try_it(reader):
    """What is printed is what the README shows."""
    sample, tests, alias = reader.commands("Try it")
    assert tests == "Tests/run.sh" and alias.startswith("alias holdfast="), (tests, alias)
    shown = re.findall(r"(?s)```text\n(.*?)```", reader.section("Try it"))[0]
    said = reader.type(sample)
    if shown not in said:
        sys.exit(f"{sample} does not end on what the README shows:\n{said}")
    plan = re.findall(r"(?s)```text\n(.*?)```", reader.section("Look closer"))[0]
    for command in reader.commands("Look closer") + reader.commands("Replay an incident") \
            + reader.commands("Look at an account"):
        said = reader.type(command)
        if command.startswith("holdfast plan") and said.strip() != plan.strip():
            sys.exit(f"`{command}` prints other than the README shows:\n{said}")


def events(reader):
    db = sqlite3.connect(f"file:{reader.top}/holdfast.db?mode=ro", uri=True, timeout=10)
    try:
        return db.execute("SELECT coalesce(max(through), 0) FROM event_ids").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        db.close()


def serve(reader, command, until):
    """Starts the service as typed, and presses Ctrl-C when enough has come."""
    with open(reader.top / "log", "w") as log:
        process = subprocess.Popen(reader.shell(f"exec {command.replace('holdfast', '.build/debug/holdfast', 1)}"),
                                   cwd=reader.top, env=reader.environment, stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not until():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    if process.wait(timeout=60) != 0:
        sys.exit(f"`{command}` ended with {process.returncode}:\n{(reader.top / 'log').read_text()[-2000:]}")
    return events(reader)


def expected():
    """What a run over the same events, from files, comes to."""
    with tempfile.TemporaryDirectory() as folder:
        configure(folder)
        run("run", "--config", f"{folder}/holdfast.yaml", "--quiet")
        return contents(folder)


def with_a_broker(reader, data=DATA):
    init, check, doctor, produce, again, first, findings, status, second = reader.commands("With your broker")
    (reader.top / "CloudTrail").symlink_to(data / "aws-cloudtrail-invictus/CloudTrail")
    said = reader.type(init)
    assert "wrote holdfast.yaml" in said, said
    assert "Nothing is written to a cloud" in reader.type(check)
    said = reader.type(doctor, status=1)
    failing = [line for line in said.splitlines() if line.startswith("FAILS")]
    if len(failing) != 1 or "no topic" not in failing[0]:
        sys.exit(f"the doctor says other than the README:\n{said}")
    reader.type(produce)
    assert f"the topic {reader.topic} has" in reader.type(again)

    wanted = expected()
    total = wanted["events"][0][0]
    half = serve(reader, first, lambda: (reader.top / "holdfast.db").exists() and events(reader) > 0)
    assert reader.type(findings).strip() and reader.type(status).strip()
    found = serve(reader, second, lambda: events(reader) >= total)
    last = serve(reader, second, lambda clock=time.monotonic(): time.monotonic() > clock + 3)
    live = lambda rows: sorted(row[:3] for row in rows if row[2] not in ("deleted", "resolved"))
    got = contents(reader.top)
    if (found, last) != (total, total) or live(got["findings"]) != live(wanted["findings"]) \
            or [row[:3] for row in got["history"]] != [row[:3] for row in wanted["history"]]:
        sys.exit(f"{total} events of files, {half}, {found} and {last} by the broker; "
                 f"{len(wanted['history'])} and {len(got['history'])} rows of history")
    return half, total


def main():
    broker = os.environ.get("HOLDFAST_TEST_BROKER")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(f"{folder}/holdfast", broker)
        try_it(reader)
        said = "no broker"
        if not broker or not (DATA / "aws-cloudtrail-invictus").exists():
            print("SKIPPED: the README with a broker; HOLDFAST_TEST_BROKER or HOLDFAST_TEST_DATA names none")
        else:
            half, total = with_a_broker(reader)
            said = f"by the broker {half} events before a Ctrl-C, {total} after a start again, none lost or doubled"
        print(f"the README: {reader.count} commands as they stand; {said}; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
