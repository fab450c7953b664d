"""Guarded remediation against moto: what drifts in dev is fixed with no human, what drifts in production waits for one.
Run it with the Python of Tests/servers/python.sh. Events reach Holdfast by the broker of HOLDFAST_TEST_BROKER, where
there is one, else by a file that it follows."""
import contextlib
import datetime
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import estate
from program import PROGRAM, TOP
from scan import environment, moto

DEV, PRODUCTION = "111122223333", "444455556666"
REGION = estate.REGION
WRITE = "arn:aws:iam::%s:role/holdfast-write"


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


def event(account, source, name, request, response=None, actor="arn:aws:iam::%s:user/alice"):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"eventVersion": "1.08", "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "eventSource": source,
            "eventName": name, "awsRegion": REGION, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15",
            "requestParameters": request, "responseElements": response, "eventID": str(uuid.uuid4()),
            "requestID": str(uuid.uuid4()), "readOnly": False, "eventType": "AwsApiCall", "recipientAccountId": account,
            "userIdentity": {"type": "IAMUser", "arn": actor % account if "%s" in actor else actor,
                             "accountId": account, "userName": "alice"}}


class Service:
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
            with contextlib.suppress(SystemExit, json.JSONDecodeError):
                if value := check():
                    return value
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"{what} did not happen within {seconds} s:\n{open(f'{self.folder}/log').read()[-3000:]}")


def is_blocked(s3, bucket):
    try:
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError:
        return False
    return all(block.values())


CLOSED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


def open_up(service, s3, account, bucket, actor="arn:aws:iam::%s:user/alice"):
    """Somebody makes a bucket public, and CloudTrail tells of it."""
    opened = {name: False for name in CLOSED}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=opened)
    service.send(event(account, "s3.amazonaws.com", "PutBucketPublicAccessBlock",
                       {"bucketName": bucket, "PublicAccessBlockConfiguration": opened}, actor=actor))


def dev_is_fixed(service, endpoint):
    s3 = estate.session(endpoint, DEV)("s3")
    open_up(service, s3, DEV, "dev-0")
    began = time.monotonic()
    service.wait("the fix in dev", lambda: is_blocked(s3, "dev-0"))
    fixed = time.monotonic() - began
    verified = service.wait("its verification", lambda: not [
        f for f in service.ask("findings", "--open") if f["resource"].endswith("dev-0")
        and f["rule"] == "aws/s3/bucket-blocks-public-access"]) and time.monotonic() - began
    print(f"dev: fixed {fixed:.1f} s and verified {verified:.1f} s after its event, with no human")


def main():
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder:
        for account, name in ((DEV, "dev"), (PRODUCTION, "production")):
            s3 = estate.session(endpoint, account)("s3")
            for number in range(3):
                s3.create_bucket(Bucket=f"{name}-{number}", CreateBucketConfiguration={"LocationConstraint": REGION})
                s3.put_public_access_block(Bucket=f"{name}-{number}", PublicAccessBlockConfiguration=CLOSED)
        configure(folder)
        service = Service(folder, endpoint)
        try:
            service.wait("the first scan", lambda: len(service.ask("resources", "--type", "AWS::S3::Bucket")) >= 6)
            dev_is_fixed(service, endpoint)
        finally:
            service.stop()


if __name__ == "__main__":
    main()
