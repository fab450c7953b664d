"""Polled sources survive SIGKILL at random moments with nothing lost and nothing doubled, also not in the counters:
CloudTrail's LookupEvents with late, throttled and failing answers, and CloudTrail's files in S3 by a queue and by
listing (moto). Needs the tests' Python (Tests/servers/python.sh)."""
import collections
import datetime
import gzip
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

from holdfast import PROGRAM, TOP

ACCOUNT = "012345670123"
REGIONS = ["eu-west-1", "us-east-1"]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true"}


class Server:
    """A process that prints its port, or is asked for one, and ends with its input."""

    def __init__(self, *command):
        self.process = subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, method="PUT" if data else "GET")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def record(number, at, region):
    """A change of a bucket, now and then a read, a failure, or a session."""
    kind = number % 5
    names = {3: "GetBucketVersioning", 4: "AssumeRole"}
    event = {
        "eventVersion": "1.08", "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "eventTime": datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "sts.amazonaws.com" if kind == 4 else "s3.amazonaws.com",
        "eventName": names.get(kind, "PutBucketVersioning"), "awsRegion": region, "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli", "recipientAccountId": ACCOUNT, "readOnly": kind in names, "eventType": "AwsApiCall",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/u{number % 3}",
                         "accountId": ACCOUNT, "userName": f"u{number % 3}"},
        "requestParameters": {"bucketName": f"bucket-{number % 40}",
                              "VersioningConfiguration": {"Status": "Enabled"}},
        "responseElements": None,
    }
    if kind == 2:
        event["errorCode"] = "AccessDenied"
    if kind == 4:
        event["responseElements"] = {"credentials": {"accessKeyId": f"ASIA{number:016d}"},
                                     "assumedRoleUser": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s{number}"}}
    return event


def row(event):
    at = datetime.datetime.fromisoformat(event["eventTime"].replace("Z", "+00:00")).timestamp()
    return {"EventId": event["eventID"], "EventName": event["eventName"], "EventTime": at,
            "ReadOnly": str(event["readOnly"]).lower(), "Resources": [], "CloudTrailEvent": json.dumps(event)}


class Service:
    """`holdfast run` in a folder of its own, killed and started again."""

    def __init__(self, folder, sources, environment):
        self.folder, self.environment = folder, {**os.environ, **KEYS, **environment}
        with open(f"{folder}/holdfast.yaml", "w") as file:
            file.write(f"store: {{sqlite: ./holdfast.db}}\nsources: {json.dumps(sources)}\n"
                       f"data: {{catalog: [{TOP}/catalog], baseline: [{TOP}/baseline], playbooks: [{TOP}/playbooks]}}\n")
        self.kills = 0
        self.process = None

    def start(self):
        command = [PROGRAM, "run", "--config", f"{self.folder}/holdfast.yaml", "--quiet"]
        self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.folder}/errors", "a"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=300) != 0:
            sys.exit(f"the service failed: {open(f'{self.folder}/errors').read()[-2000:]}")

    def query(self, text):
        if not os.path.exists(f"{self.folder}/holdfast.db"):
            return []
        db = sqlite3.connect(f"file:{self.folder}/holdfast.db?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(text).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            db.close()

    def wait(self, what, seconds, until):
        end = time.monotonic() + seconds
        while not until():
            if self.process.poll() is not None:
                sys.exit(f"{what}: the service ended: {open(f'{self.folder}/errors').read()[-2000:]}")
            if time.monotonic() > end:
                sys.exit(f"{what}: not within {seconds} s; it has {self.found()}; {self.query('SELECT * FROM notices')}")
            time.sleep(0.2)

    def killed_for(self, seconds, longest):
        """Kills at random moments, then a start that stays."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(random.uniform(0.1, longest))
            self.kill()
            self.start()

    def found(self):
        """What the journal has: changes, dropped events by reason, sessions, dead letters."""
        counts = collections.Counter({"changes": self.query("SELECT count(*) FROM history")[0][0],
                                      "ids": (self.query("SELECT max(through) FROM event_ids")[0][0] or 0),
                                      "sessions": self.query("SELECT count(*) FROM sessions")[0][0],
                                      "dead letters": self.query("SELECT count(*) FROM dead_letters")[0][0]})
        # How often something was throttled, or evaluated, is chance here: by the batches between two kills.
        for name, amount in self.query("SELECT name, sum(amount) FROM counters"
                                       " WHERE name NOT IN ('throttle', 'evaluation') GROUP BY name"):
            counts[name] += amount
        return dict(counts)


def expected(events, beside=None):
    counts = collections.Counter(event_kind for event in events for event_kind in kinds(event))
    counts["dead letters"] += 0
    counts.update(beside or {})
    return dict(counts)


def kinds(event):
    if event.get("errorCode"):
        return ["dropped failed: AccessDenied"]
    if event["eventName"] == "AssumeRole":
        return ["sessions", "sessions"]
    return ["dropped read-only"] if event["readOnly"] else ["changes", "ids", "event"]


def check(service, what, wanted, seconds):
    service.wait(what, seconds, lambda: service.found() == wanted)
    # Whatever would come twice comes within a few looks.
    time.sleep(4)
    service.stop()
    if service.found() != wanted:
        sys.exit(f"{what}: {service.found()} where {wanted} is right")


def lookup_events(top):
    with Server(f"{TOP}/Tests/servers/event_logs.py") as server:
        base = f"http://127.0.0.1:{server.process.stdout.readline().strip()}"
        began, events = int(time.time()), []
        for region in REGIONS:
            batch = []
            for _ in range(300):
                # Some at the same second, half of them late, from before the start to after the last kill.
                at = began + random.choice([-20, -20, random.randint(-40, 25)])
                event = record(len(events), at, region)
                events.append(event)
                batch.append({"id": event["eventID"], "time": at, "row": row(event),
                              "shows": at + random.choice([0, random.uniform(0, 25)])})
            call(f"{base}/control/events", {"log": f"{ACCOUNT}/{region}", "events": batch})
        call(f"{base}/control/faults", {"every": 12, "seed": 3})
        source = {"cloudtrail-lookup": {"accounts": [ACCOUNT], "regions": REGIONS, "overlap": "1m", "every": "1s"}}
        service = Service(top, [source], {"AWS_ENDPOINT_URL": base})
        service.start()
        service.wait("LookupEvents", 600, lambda: len(service.query("SELECT part FROM positions")) == len(REGIONS))
        service.killed_for(30, 2.5)
        check(service, "LookupEvents", expected(events), 600)
        stats = call(f"{base}/control/stats")
        print(f"LookupEvents: {service.kills} kills, {len(events)} events once each; {stats}")


def trail_file(number, at):
    stamp = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    events = [record(number * 10_000 + index, at, "eu-west-1") for index in range(random.choice([0, 3, 40, 1200]))]
    key = (f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/{stamp:%Y/%m/%d}/"
           f"{ACCOUNT}_CloudTrail_eu-west-1_{stamp:%Y%m%dT%H%MZ}_{number:04d}.json.gz")
    return key, events


def files(top, kind):
    port = free_port()
    with Server("-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)):
        base = f"http://127.0.0.1:{port}"
        session = {"endpoint_url": base, "region_name": "eu-west-1", "aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"],
                   "aws_secret_access_key": "secret"}
        s3, sqs, iam = (boto3.client(name, **session) for name in ("s3", "sqs", "sts"))
        for _ in range(100):
            try:
                own = iam.get_caller_identity()["Account"]
                break
            except Exception:
                time.sleep(0.2)
        s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        beside, source = {}, {"bucket": "trail", "region": "eu-west-1", "every": "2s", "overlap": "10m"}
        if kind == "queue":
            queue = sqs.create_queue(QueueName="trail")["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            s3.put_bucket_notification_configuration(Bucket="trail", NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
            sqs.send_message(QueueUrl=queue, MessageBody="no notification")
            source = {"queue": queue, "region": "eu-west-1", "account": own}
            # The test event and a digest are counted, and what is no message is a dead letter.
            beside = {"dropped not-an-audit-event: S3 test event": 1,
                      "dropped not-an-audit-event: S3 notification": 1, "dead letters": 1}
        service = Service(top, [{"cloudtrail-s3": source}], {"AWS_ENDPOINT_URL": base})
        service.start()
        wanted = []

        def put(count, start):
            for number in range(start, start + count):
                key, events = trail_file(number, int(time.time()))
                s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(json.dumps({"Records": events}).encode()))
                wanted.extend(events)

        digest = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/11/22/{ACCOUNT}_CloudTrail-Digest.json.gz"
        put(1, 0)
        s3.put_object(Bucket="trail", Key=digest, Body=b"{}")
        service.wait(kind, 600, lambda: service.query("SELECT part FROM positions"))
        for round_ in range(1, 7):
            put(4, round_ * 10)
            service.killed_for(4, 2)
        check(service, kind, expected(wanted, beside), 900)
        if kind == "queue":
            left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
            if left["ApproximateNumberOfMessages"] != "0" or left["ApproximateNumberOfMessagesNotVisible"] != "0":
                sys.exit(f"the queue keeps messages: {left}")
        print(f"files by {kind}: {service.kills} kills, {len(wanted)} events once each")


def main():
    random.seed(int(os.environ.get("HOLDFAST_SEED", "7")))
    chosen = sys.argv[1:] or ["lookup", "queue", "listing"]
    for kind in chosen:
        with tempfile.TemporaryDirectory() as top:
            lookup_events(top) if kind == "lookup" else files(top, kind)


if __name__ == "__main__":
    main()
