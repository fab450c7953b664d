"""What is told where: a storm of 10,000 findings by e-mail, PagerDuty's API, a signed webhook and a program, each at its
pace; a server that is down; and what keeps Holdfast from seeing, which no pace holds up."""
import datetime
import hashlib
import hmac
import http.server
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from program import PROGRAM, TOP

sys.path.insert(0, str(TOP / "Tests/servers"))
import smtp_sink

ACCOUNT, OTHER, REGION = "444455556666", "111122223333", "eu-west-1"
BUCKETS, APPLY, PER_HOUR = 10_000, 312, 5
KEY, ROUTING = secrets.token_hex(16), secrets.token_hex(16)
CLOSED = {name: True for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")}
TERRAFORM = f"arn:aws:sts::{ACCOUNT}:assumed-role/terraform/apply"


class Web(http.server.BaseHTTPRequestHandler):
    """Takes signed webhooks, and events as PagerDuty's Events API v2 documents them."""
    hooks, alerts = [], []

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v2/enqueue":
            event = json.loads(body)
            assert event["routing_key"] == ROUTING and event["event_action"] == "trigger" and event["dedup_key"], event
            payload = event["payload"]
            assert payload["severity"] in ("critical", "error", "warning", "info") and payload["source"], payload
            assert 0 < len(payload["summary"]) <= 1024, payload
            Web.alerts.append(event)
        else:
            stamp = self.headers["Holdfast-Timestamp"]
            wanted = hmac.new(KEY.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            assert self.headers["Holdfast-Signature"] == "v1=" + wanted, "the signature is wrong"
            Web.hooks.append((self.headers["Holdfast-Delivery"], json.loads(body)["message"]))
        self.send_response(202)
        self.end_headers()


def configure(folder, web, mail):
    with open(f"{folder}/state.jsonl", "w") as file:
        for number in range(BUCKETS):
            bucket = {"BucketName": f"bucket-{number}", "PublicAccessBlockConfiguration": CLOSED}
            file.write(json.dumps({
                "type": "AWS::S3::Bucket", "id": f"arn:aws:s3:::bucket-{number}", "account": ACCOUNT, "region": REGION,
                "recorded": "2026-11-20T06:00:00Z", "configuration": bucket}) + "\n")
    with open(f"{folder}/take.sh", "w") as file:
        file.write(f"#!/bin/sh\ncat >>{folder}/taken.jsonl\n")
    os.chmod(f"{folder}/take.sh", 0o755)
    for name, secret in (("hook", KEY), ("duty", ROUTING)):
        with open(f"{folder}/{name}.key", "w") as file:
            file.write(secret)
    pace = {"per-hour": PER_HOUR, "gather": "2s"}
    rule = "aws/s3/bucket-blocks-public-access"
    everywhere = ["mail", "duty", "hook", "program"]
    with open(f"{folder}/holdfast.yaml", "w") as file:
        json.dump({
            "store": {"sqlite": "./holdfast.db"}, "mode": "observe", "state": {"recorded": ["state.jsonl"]},
            "data": {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")},
            "accounts": [{"aws": ACCOUNT, "environment": "production", "owner": "payments"},
                         {"aws": OTHER, "environment": "dev", "owner": "sandbox"}],
            "sources": [{"file": {"paths": ["./events"], "follow": "true"}}], "limits": {"settle-time": "1s"},
            "channels": {
                "mail": {"email": {"server": f"smtp://{mail}", "from": "holdfast@example.com",
                                   "to": ["oncall@example.com", "second@example.com"]}, **pace},
                "duty": {"pagerduty": {"key": "file:duty.key", "url": f"{web}/v2/enqueue"}, **pace},
                "hook": {"webhook": {"url": f"{web}/hook", "secret": "file:hook.key"}, **pace},
                "program": {"command": [f"{folder}/take.sh"], **pace}},
            "routes": [{"match": {"notice": "own-eyes"}, "to": "hook"},
                       {"match": {"owner": "sand*"}, "when": "never"},
                       {"match": {"severity": ["high", "critical"], "environment": "production", "rule": rule},
                        "to": everywhere}]}, file)
    os.makedirs(f"{folder}/events")


def opened(bucket, actor, account=ACCOUNT):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({
        "eventVersion": "1.08", "eventTime": now, "eventSource": "s3.amazonaws.com",
        "eventName": "PutBucketPublicAccessBlock", "awsRegion": REGION, "sourceIPAddress": "198.51.100.7",
        "userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.8", "responseElements": None, "readOnly": False,
        "requestParameters": {"bucketName": bucket, "PublicAccessBlockConfiguration": {k: False for k in CLOSED}},
        "eventID": str(uuid.uuid4()), "requestID": str(uuid.uuid4()), "eventType": "AwsApiCall",
        "recipientAccountId": account,
        "userIdentity": {"type": "AssumedRole", "arn": actor, "accountId": account}}) + "\n"


def send(folder, *lines):
    with open(f"{folder}/events/log.jsonl", "a") as file:
        file.write("".join(lines))


def ask(folder, *arguments):
    done = subprocess.run([PROGRAM, *arguments, "--config", f"{folder}/holdfast.yaml", "--format", "json"],
                          capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else []


def wait(folder, what, check, seconds=480, pause=0.2):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := check():
            return value
        time.sleep(pause)
    raise SystemExit(f"{what} did not happen within {seconds} s:\n{open(f'{folder}/log').read()[-3000:]}")


def failing(folder):
    return [n for n in ask(folder, "notices") if n["code"] == "message-failed" and n["subject"] == "mail"]


def told(folder, sink):
    """One apply of Terraform is one message by each channel; e-mail only once its server takes it."""
    sink.refuse = True
    send(folder, *(opened(f"bucket-{n}", TERRAFORM) for n in range(APPLY)),
         opened("bucket-sandbox", f"arn:aws:iam::{OTHER}:user/dev", OTHER))
    summary = f"{APPLY} of AWS::S3::Bucket no longer meet"
    for name, titles in (("PagerDuty", lambda: [e["payload"]["summary"] for e in Web.alerts]),
                         ("the webhook", lambda: [m["title"] for _, m in Web.hooks])):
        found = wait(folder, f"a message by {name}", titles)
        assert len(found) == 1 and summary in found[0] and TERRAFORM in found[0], found
    wait(folder, "a message to the program", lambda: os.path.exists(f"{folder}/taken.jsonl"))
    taken = [json.loads(line)["message"] for line in open(f"{folder}/taken.jsonl")]
    assert [m["count"] for m in taken] == [APPLY], taken
    notice = wait(folder, "the notice of a server that is down", lambda: failing(folder))[0]
    assert "451" in notice["text"], notice
    sink.refuse = False
    wait(folder, "the e-mail", lambda: sink.letters)
    wait(folder, "the end of its notice", lambda: not failing(folder))
    [(sender, recipients, letter)] = sink.letters
    assert sender == "holdfast@example.com" and recipients == ["oncall@example.com", "second@example.com"]
    assert summary in letter["Subject"] and "arn:aws:s3:::bucket-" in letter.get_content(), letter
    print(f"{APPLY} buckets by one apply: one message by each of 4 channels; e-mail after {sink.refused} refusals")


def storm(folder, sink):
    """The rest, by thousands of hands: no channel takes more than its pace."""
    began = time.monotonic()
    send(folder, *(opened(f"bucket-{n}", f"arn:aws:iam::{ACCOUNT}:user/person-{n % 3000}")
                   for n in range(APPLY, BUCKETS)))
    def drifted():
        return len([f for f in ask(folder, "findings", "--open") if f["rule"].endswith("bucket-blocks-public-access")
                    and f["account"] == ACCOUNT])
    wait(folder, f"{BUCKETS} findings", lambda: drifted() == BUCKETS, pause=2)
    wait(folder, "the last message", lambda: len(sink.letters) == PER_HOUR and len(Web.alerts) == PER_HOUR)
    time.sleep(6)
    taken = [json.loads(line) for line in open(f"{folder}/taken.jsonl")]
    assert [len(sink.letters), len(Web.alerts), len(taken)] == [PER_HOUR] * 3, (sink.letters, Web.alerts, taken)
    assert len({e["dedup_key"] for e in Web.alerts}) == PER_HOUR
    print(f"{BUCKETS} findings: {PER_HOUR} messages an hour by each channel, {time.monotonic() - began:.0f} s")


def own_eyes(folder):
    """The hour is spent; what keeps Holdfast from seeing is told all the same, and told once."""
    assert len(Web.hooks) == PER_HOUR
    send(folder, '{"this is": no event}\n')
    wait(folder, "the notice", lambda: len(Web.hooks) > PER_HOUR)
    time.sleep(3)
    assert len(Web.hooks) == PER_HOUR + 1 and Web.hooks[-1][1]["title"].startswith("dead-letters"), Web.hooks[-1]
    assert len({delivery for delivery, _ in Web.hooks}) == len(Web.hooks)
    print("what keeps it from seeing is told beyond the pace")


def restarted(folder, start, service):
    """Nothing is told twice by a restart."""
    service.send_signal(signal.SIGKILL)
    service.wait()
    before = len(Web.hooks), len(Web.alerts)
    service = start()
    time.sleep(5)
    assert (len(Web.hooks), len(Web.alerts)) == before
    print("killed and started again: nothing is told twice")
    return service


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sink = smtp_sink.Sink()
    with tempfile.TemporaryDirectory() as folder:
        configure(folder, "http://127.0.0.1:%d" % server.server_address[1], sink.address)
        log = open(f"{folder}/log", "a")

        def start():
            return subprocess.Popen([PROGRAM, "run", "--config", f"{folder}/holdfast.yaml", "--quiet"], stdout=log,
                                    stderr=log)
        service = start()
        try:
            wait(folder, "the first scan",
                 lambda: len(ask(folder, "resources", "--type", "AWS::S3::Bucket")) == BUCKETS)
            told(folder, sink)
            storm(folder, sink)
            own_eyes(folder)
            service = restarted(folder, start, service)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(timeout=60)
        audit = [e for e in ask(folder, "audit", "list", "--kind", "told")]
        assert len(audit) == 4 * PER_HOUR + 1, len(audit)


main()
