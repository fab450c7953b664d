"""`holdfast init`, `check` and `doctor` as somebody uses them who sets it up: on a terminal and by options; then with a
broker that is there and one that is stopped, a cloud (moto) that denies some calls and whose clock differs, a prompt
channel, a halt file, a store of another version. Run it with the Python of Tests/servers/python.sh."""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import pty
import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from email.utils import formatdate

import boto3

from program import PROGRAM
from scan import moto

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/holdfast-read"


class Proxy(http.server.BaseHTTPRequestHandler):
    """In front of moto: denies what is named, and shifts the dates of answers."""
    protocol_version = "HTTP/1.1"
    target, denied, ahead = "", (), 0

    def log_message(self, *_):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if any(word in body.decode("latin-1") or word in self.path for word in Proxy.denied):
            status, headers, content = 403, [("Content-Type", "text/xml")], (
                b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")
        else:
            upstream = http.client.HTTPConnection(Proxy.target, timeout=60)
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            status, headers, content = answer.status, answer.getheaders(), answer.read()
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date"):
                self.send_header(name, value)
        self.send_header("Date", formatdate(time.time() + Proxy.ahead, usegmt=True))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any


class Hook(http.server.BaseHTTPRequestHandler):
    taken, status = [], 204

    def log_message(self, *_):
        pass

    def do_POST(self):
        Hook.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(Hook.status)
        self.end_headers()


@contextlib.contextmanager
def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def holdfast(*arguments, folder, status=0, **environ):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=folder, timeout=300,
                          env={**os.environ, **environ})
    if done.returncode != status:
        sys.exit(f"holdfast {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def doctor(folder, *arguments, status=0, config="holdfast.yaml", **environ):
    """(part, state) -> the diagnoses."""
    out = json.loads(holdfast("doctor", "--config", config, "--format", "json", *arguments, folder=folder, status=status,
                              **environ))
    assert out["healthy"] == (status == 0), out
    found = {}
    for diagnosis in out["diagnoses"]:
        assert diagnosis["state"] != "fails" or diagnosis["remedy"], f"nothing is said to do: {diagnosis}"
        found.setdefault((diagnosis["part"], diagnosis["state"]), []).append(
            f"{diagnosis['subject']}: {diagnosis['text']}")
    return found


def only_failing(found, *parts):
    failing = sorted({part for part, state in found if state == "fails"})
    assert failing == sorted(parts), f"{failing} fail where {sorted(parts)} must: {found}"


def on_a_terminal(folder):
    """Questions and their usual answers, by a real terminal."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execv(PROGRAM, [PROGRAM, "init", "--output", "asked.yaml"])
    said, answers = "", ["kafka", "127.0.0.1:9092", "cloudtrail gcp", "scram", "aws:111122223333=dev", "", "ann.lee=ann"]
    while True:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"it waits for something:\n{said}"
        try:
            read = os.read(terminal, 4096).decode()
        except OSError:
            break
        if not read:
            break
        said += read
        if said.rstrip(" ").endswith("]") and answers:
            os.write(terminal, (answers.pop(0) + "\n").encode())
            said += "\n"
    assert os.waitpid(process, 0)[1] == 0, said
    assert not answers, f"{answers} were not asked for:\n{said}"
    written = json.loads(holdfast("check", "--config", "asked.yaml", "--format", "json", folder=folder))
    assert "cloudtrail and gcp at 127.0.0.1:9092" in written["ingested"][0] and "SASL_SSL" in written["ingested"][0]
    assert any("The role approver has ann.lee." == line for line in written["approved"]), written
    assert not any(part == "problems" and lines for part, lines in written.items())


def by_options(folder):
    arguments = ["init", "--files", "./events", "--account", f"aws:{ACCOUNT}=dev", "--region", REGION,
                 "--read-role", "arn:aws:iam::{account}:role/holdfast-read"]
    holdfast(*arguments, folder=folder)
    before = pathlib.Path(folder, "holdfast.yaml").read_text()
    holdfast(*arguments, folder=folder, status=1)
    assert pathlib.Path(folder, "holdfast.yaml").read_text() == before, "it wrote over a file that was there"
    text = holdfast("check", folder=folder)
    for heading in ("Ingested", "Read", "Written", "Approved", "Kept"):
        assert f"\n{heading}\n  " in text, text
    pathlib.Path(folder, "broken.yaml").write_text("mode: dryrun\n")
    broken = json.loads(holdfast("check", "--config", "broken.yaml", "--format", "json", folder=folder, status=1))
    assert broken["problems"][0]["place"].endswith("broken.yaml:1:7"), broken
    assert "written" not in broken, "what a broken file comes to is not known"
    only_failing(doctor(folder, status=1, config="broken.yaml"), "configuration")
    holdfast("init", "--output", "none.yaml", folder=folder, status=1)                      # no terminal, no source
    holdfast("init", "--output", "n.yaml", "--poll", "--account", "aws:12=dev", "--region", REGION, folder=folder, status=1)
    assert not pathlib.Path(folder, "n.yaml").exists()


def clouds(folder, endpoint, proxy):
    keys = {"endpoint_url": endpoint, "region_name": REGION, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    role = boto3.client("sts", **keys).assume_role(RoleArn=ROLE, RoleSessionName="doctor")["Credentials"]
    own = {**keys, "aws_access_key_id": role["AccessKeyId"], "aws_secret_access_key": role["SecretAccessKey"],
           "aws_session_token": role["SessionToken"]}
    boto3.client("s3", **own).create_bucket(Bucket="a-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    environ = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": proxy,
               "AWS_REGION": REGION}
    os.mkdir(f"{folder}/events")
    found = doctor(folder, **environ)
    assert ("permission", "ok") in found and "within 1 s of aws" in found["clock", "ok"][0], found
    assert f"aws {ACCOUNT} to read" in found["credential", "ok"][0], found

    Proxy.denied = ("Action=DescribeSecurityGroups", "?policy")
    found = doctor(folder, status=1, **environ)
    only_failing(found, "permission")
    lacks = "\n".join(found["permission", "fails"])
    assert f"denied: ec2:DescribeSecurityGroups in {ACCOUNT}" in lacks and "s3:GetBucketPolicy" in lacks, lacks
    assert "s3:GetBucketAcl" not in lacks, lacks
    Proxy.denied, Proxy.ahead = (), 120
    found = doctor(folder, status=1, **environ)
    only_failing(found, "clock")
    assert "behind aws" in found["clock", "fails"][0], found
    Proxy.ahead, Proxy.denied = 0, ("Action=AssumeRole",)
    only_failing(doctor(folder, status=1, **environ), "credential")
    Proxy.denied = ()


def contents(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return list(db.iterdump())


def machine(folder, hook):
    with open(f"{folder}/m.yaml", "w") as file:
        json.dump({"store": {"sqlite": "./m.db"}, "sources": [{"file": {"paths": ["./events"]}}], "halt-file": "./HALT",
                   "approvals": {"prompts": [{"webhook": {"url": hook, "secret": "env:HOOK_KEY"}}]}, "server": {}}, file)
    only_failing(doctor(folder, status=1, config="m.yaml"), "prompt")                        # the key is not there
    environ = {"HOOK_KEY": "k" * 32}
    found = doctor(folder, config="m.yaml", **environ)
    assert ("prompt", "note") in found and ("halt file", "ok") in found and not Hook.taken, found
    found = doctor(folder, "--send", config="m.yaml", **environ)
    assert [body["kind"] for body in Hook.taken] == ["test"], Hook.taken
    Hook.status = 500
    only_failing(doctor(folder, "--send", status=1, config="m.yaml", **environ), "prompt")
    pathlib.Path(folder, "HALT").touch()
    assert ("halt file", "note") in doctor(folder, config="m.yaml", **environ)

    holdfast("run", "--config", "m.yaml", "--quiet", folder=folder, **environ)               # makes the journal
    before = contents(f"{folder}/m.db")
    assert "the newest; it can be written" in doctor(folder, config="m.yaml", **environ)["store", "ok"][0]
    assert contents(f"{folder}/m.db") == before, "it changed the journal"
    db = sqlite3.connect(f"{folder}/m.db")
    db.execute("PRAGMA user_version = 999")
    db.commit()
    db.close()
    only_failing(doctor(folder, status=1, config="m.yaml", **environ), "store")


def brokers(folder):
    """A broker that is there, without and with the topic, and one that is stopped."""
    broker = os.environ.get("HOLDFAST_TEST_BROKER")
    if not broker:
        print("SKIPPED: the doctor and a real broker; HOLDFAST_TEST_BROKER names none")
    else:
        from kafka.admin import KafkaAdminClient, NewTopic
        topic = f"doctor-{os.getpid()}"
        holdfast("init", "--output", "k.yaml", "--kafka", broker, "--topic", topic, folder=folder)
        only_failing(doctor(folder, status=1, config="k.yaml"), "source")
        admin = KafkaAdminClient(bootstrap_servers=broker)
        admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
        assert f"the topic {topic} has 3 partitions" in doctor(folder, config="k.yaml")["source", "ok"][0]
        admin.delete_topics([topic])
        admin.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        stopped = f"127.0.0.1:{free.getsockname()[1]}"
    holdfast("init", "--output", "s.yaml", "--kafka", stopped, "--topic", "t", "--kafka-kind", "scram", folder=folder)
    found = doctor(folder, status=1, config="s.yaml")
    assert "the environment has no KAFKA_PASSWORD" in "\n".join(found["source", "fails"]), found
    holdfast("init", "--output", "s2.yaml", "--kafka", stopped, "--topic", "t", folder=folder)
    found = doctor(folder, status=1, config="s2.yaml")
    only_failing(found, "source")
    assert "no broker at" in found["source", "fails"][0] and ("librdkafka", "note") in found, found


def main():
    with tempfile.TemporaryDirectory() as folder:
        on_a_terminal(folder)
        by_options(folder)
        with moto() as endpoint, serving(Proxy) as proxy:
            Proxy.target = urllib.parse.urlsplit(endpoint).netloc
            clouds(folder, endpoint, proxy)
        with serving(Hook) as hook:
            machine(folder, hook)
        brokers(folder)
    print("init asked and wrote, check said what it comes to, the doctor found each fault, and nothing where there is none")


if __name__ == "__main__":
    main()
