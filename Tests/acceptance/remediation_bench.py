"""A service that changes a cloud (moto), events for it, and people who decide through its server: what the acceptance of
remediation stands on. Events go over the broker of HOLDFAST_TEST_BROKER, where there is one, else by a followed file."""
import contextlib
import datetime
import hashlib
import json
import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import estate
from program import PROGRAM, TOP
from scan import environment

DEV, PRODUCTION = "111122223333", "444455556666"
REGION = estate.REGION
WRITE = "arn:aws:iam::%s:role/holdfast-write"
ALICE = "arn:aws:iam::%s:user/alice"
CLOSED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
OPENED = {name: False for name in CLOSED}
BROKER = os.environ.get("HOLDFAST_TEST_BROKER")


def configure(folder, **changes):
    accounts = [{"aws": account, "environment": name, "read-role": estate.ROLE % account, "write-role": WRITE % account,
                 "regions": [REGION]} for account, name in ((DEV, "dev"), (PRODUCTION, "production"))]
    with open(f"{folder}/captures.key", "w") as file:
        file.write(secrets.token_hex(32))
    data = {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")}
    configuration = {
        "store": {"sqlite": "./holdfast.db"}, "data": data, "accounts": accounts, "mode": "remediate",
        "environments": ["dev", "production"], "sources": [{"file": {"paths": ["./events"], "follow": "true"}}],
        "state": {"clouds": ["aws"]}, "keys": {"captures": "file:captures.key"}, "halt-file": "./HALT",
        "rollout": {"runs": 1, "soak": "0s"}, "budgets": {"type": "100 %"},
        "limits": {"calls-per-second": 1000, "settle-time": "0s", "consistency-margin": "0s", "time-resolution": "0s",
                   "permit-expiry": "5s"},
        **changes}
    with open(f"{folder}/holdfast.yaml", "w") as file:
        json.dump(configuration, file)
    os.makedirs(f"{folder}/events", exist_ok=True)


def event(account, source, name, request, response=None, actor=ALICE, agent="aws-cli/2.15"):
    """As CloudTrail tells of a call, but for its times, which are finer: the configuration says that they are exact."""
    now = datetime.datetime.now(datetime.timezone.utc)
    arn = actor % account if "%s" in actor else actor
    return {"eventVersion": "1.08", "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "eventSource": source,
            "eventName": name, "awsRegion": REGION, "sourceIPAddress": "198.51.100.7", "userAgent": agent,
            "requestParameters": request, "responseElements": response, "eventID": str(uuid.uuid4()),
            "requestID": str(uuid.uuid4()), "readOnly": False, "eventType": "AwsApiCall", "recipientAccountId": account,
            "userIdentity": {"type": "IAMUser", "arn": arn, "accountId": account, "userName": arn.split("/")[-1]}}


class Service:
    """`holdfast run` in a folder that is configured."""

    def __init__(self, folder, endpoint):
        self.folder, self.endpoint = folder, endpoint
        self.log = open(f"{folder}/log", "a")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "run", "--config", f"{self.folder}/holdfast.yaml", "--quiet"], env=environment(self.endpoint),
            stdout=self.log, stderr=self.log)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=60)

    def send(self, *records):
        with open(f"{self.folder}/events/log.jsonl", "a") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records))

    def ask(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments, "--config", f"{self.folder}/holdfast.yaml", "--format", "json"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"holdfast {' '.join(arguments)} failed: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def wait(self, what, check, seconds=300):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(SystemExit, json.JSONDecodeError, OSError):
                if value := check():
                    return value
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"{what} did not happen within {seconds} s:\n{open(f'{self.folder}/log').read()[-3000:]}")


PEOPLE = {"ann.lee": ["approver", "operator"], "bo.ray": ["approver", "operator"], "al.ice": ["approver", "operator"]}


IDENTITIES = [{"person": "ann.lee", "oidc": "1"}, {"person": "bo.ray", "oidc": "2"},
              {"person": "al.ice", "oidc": "3",
               "aws": ["arn:aws:iam::*:user/alice", "arn:aws:iam::*:user/svc-build"]}]


class Bench(Service):
    """A service with its server, and people whom it knows by tokens. They ask and decide through the server alone."""

    def __init__(self, folder, endpoint, **changes):
        self.tokens, self.url = {name: "hf_" + secrets.token_urlsafe(32) for name in PEOPLE}, None
        tokens = [{"name": name.replace(".", "-"), "person": name, "roles": PEOPLE[name] + ["viewer"],
                   "expires": "2099-01-01T00:00:00Z", "sha256": hashlib.sha256(token.encode()).hexdigest()}
                  for name, token in self.tokens.items()]
        roles = {role: list(PEOPLE) for role in ("viewer", "approver", "operator")}
        self.events = KafkaEvents() if BROKER else None
        if self.events:
            changes["sources"] = [self.events.source]
        configure(folder, server={"listen": "127.0.0.1:0", "socket": "./s", "tokens": tokens},
                  approvals={"roles": roles}, log={"format": "json"}, **{"identities": IDENTITIES, **changes})
        super().__init__(folder, endpoint)

    def start(self):
        self.told = os.path.getsize(f"{self.folder}/log")
        super().start()
        self.url = None

    def send(self, *records):
        self.events.send(records) if self.events else super().send(*records)

    def listening(self):
        """The address of the server, once it is there."""
        if self.url is None:
            with open(f"{self.folder}/log") as file:
                file.seek(self.told)
                told = [json.loads(line) for line in file if line.startswith("{")]
            places = [line["address"] for line in told if line["message"] == "listening"]
            self.url = next((place for place in places if place.startswith("http")), None)
        return self.url

    def http(self, method, path, body=None, person="ann.lee"):
        """Status and answer."""
        place = self.listening() or self.wait("the server", self.listening, 60)
        request = urllib.request.Request(
            f"{place}/api/v1/{path}", method=method, data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.tokens[person]}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def get(self, path):
        status, answer = self.http("GET", path)
        if status != 200:
            raise SystemExit(f"GET {path}: {status} {answer}")
        return answer

    def items(self, path):
        """All parts of a list."""
        found, mark = [], ""
        while mark is not None:
            answer = self.get(f"{path}{'&' if '?' in path else '?'}limit=500{mark and f'&after={mark}'}")
            found += answer["items"]
            mark = answer["next"] or None
        return found

    def say(self, word, digest, person, reason=""):
        return self.http("POST", "words", {"word": word, "digests": [digest], "reason": reason}, person)

    def runs(self, resource):
        """The runs on what ends so, the newest first."""
        return [run for run in self.items("runs") if run["resource"].endswith(resource)]

    def waiting(self, resource):
        return next((plan for plan in self.items("approvals") if plan["resource"].endswith(resource)), None)

    def is_verified(self, resource, count=1):
        return sum(run["phase"] == "verified" for run in self.runs(resource)) >= count


class KafkaEvents:
    """A topic of its own on the tests' broker."""

    def __init__(self):
        from kafka import KafkaProducer
        from kafka.admin import KafkaAdminClient, NewTopic
        topic = f"remediation-{uuid.uuid4().hex[:8]}"
        KafkaAdminClient(bootstrap_servers=BROKER).create_topics([NewTopic(topic, 2, 1)])
        self.topic, self.producer = topic, KafkaProducer(bootstrap_servers=BROKER, linger_ms=0)
        # A member that was killed is back at once under its own name; noida 0.2.3 never notices that another is gone.
        self.source = {"kafka": {
            "brokers": BROKER, "topics": [topic], "group": topic, "options": {"group.instance.id": topic}}}

    def send(self, records):
        for record in records:
            self.producer.send(self.topic, json.dumps(record).encode())
        self.producer.flush()


def is_blocked(s3, bucket):
    try:
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError:
        return False
    return all(block.values())


def open_up(service, s3, account, bucket, **more):
    """Somebody makes a bucket public, and CloudTrail tells of it."""
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=OPENED)
    service.send(event(account, "s3.amazonaws.com", "PutBucketPublicAccessBlock",
                       {"bucketName": bucket, "PublicAccessBlockConfiguration": OPENED}, **more))


def make_bucket(s3, name, block=CLOSED):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
