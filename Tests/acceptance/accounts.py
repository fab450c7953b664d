"""An organisation on moto: its accounts are found, enrolled, classified and read by a running service, a new one too, and
`holdfast accounts` and `holdfast status` say so beside it and after a kill. Needs the tests' Python."""
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import boto3

from polled import Server, call, free_port
from program import PROGRAM, TOP
from scan import moto

REGION = "eu-west-1"
ROLE = "arn:aws:iam::{account}:role/holdfast-read"
# Else each account of moto has a thousand snapshots of public images.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


class Organisation:
    """boto3's view of it."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = self.make("organizations")
        self.client.create_organization(FeatureSet="ALL")
        self.management = self.client.describe_organization()["Organization"]["MasterAccountId"]
        self.root = self.client.list_roots()["Roots"][0]["Id"]

    def make(self, service, **keys):
        keys = keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **keys)

    def unit(self, name, parent):
        return self.client.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]

    def account(self, name, unit, **tags):
        made = self.client.create_account(AccountName=name, Email=f"{name}@example.org",
                                          Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        id = made["CreateAccountStatus"]["AccountId"]
        if unit != self.root:
            self.client.move_account(AccountId=id, SourceParentId=self.root, DestinationParentId=unit)
        self.open_group(id)
        return id

    def inside(self, id, service):
        keys = self.make("sts").assume_role(RoleArn=ROLE.replace("{account}", id), RoleSessionName="test")["Credentials"]
        return self.make(service, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                         aws_session_token=keys["SessionToken"])

    def open_group(self, id):
        ec2 = self.inside(id, "ec2")
        group = ec2.create_security_group(GroupName="open", Description="open")["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])


class Service:
    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.process = None

    def start(self, **more):
        self.process = subprocess.Popen([PROGRAM, "run", "--config", "holdfast.yaml", "--quiet"], cwd=self.folder,
                                        env={**os.environ, **self.environment, **more}, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.folder}/errors", "a"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def tell(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments, "--config", "holdfast.yaml"], cwd=self.folder, capture_output=True,
                              text=True)
        return done.stdout if done.returncode == 0 else ""

    def accounts(self):
        *rows, last = [json.loads(line) for line in self.tell("accounts", "--format", "jsonl").splitlines()] or [None]
        return {row["id"]: row for row in rows}, last, [row["id"] for row in rows]

    def wait(self, what, until, seconds=900):
        end = time.monotonic() + seconds
        while not until(*self.accounts()):
            if self.process.poll() is not None or time.monotonic() > end:
                errors = open(f"{self.folder}/errors").read()[-3000:]
                said = "\n".join(self.tell(command) for command in ("accounts", "status", "notices"))
                sys.exit(f"{what}: not so:\n{said}\n{errors}")
            time.sleep(1)


def change(account, group):
    """A security group's port is opened, as CloudTrail tells of it."""
    at = time.time()
    stamp = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"eventVersion": "1.08", "eventID": f"event-{account}-{at}", "eventTime": stamp, "eventSource": "ec2.amazonaws.com",
             "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": REGION, "sourceIPAddress": "192.0.2.1",
             "userAgent": "aws-cli", "recipientAccountId": account, "readOnly": False, "eventType": "AwsApiCall",
             "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/ann", "accountId": account},
             "requestParameters": {"groupId": group}, "responseElements": {"_return": True}}
    row = {"EventId": event["eventID"], "EventName": event["eventName"], "EventTime": int(at), "ReadOnly": "false",
           "Resources": [], "CloudTrailEvent": json.dumps(event)}
    return {"id": event["eventID"], "time": int(at), "row": row, "shows": at}, stamp


def configure(folder):
    with open(f"{folder}/holdfast.yaml", "w") as file:
        file.write(f"""store: {{sqlite: ./holdfast.db}}
data: {{catalog: [{TOP}/catalog], baseline: [{TOP}/baseline], playbooks: [{TOP}/playbooks]}}
sources: [{{cloudtrail-lookup: {{regions: [{REGION}], every: 2s, overlap: 1m}}}}]
state: {{clouds: [aws]}}
limits: {{calls-per-second: 200}}
discover:
  every: 10s
  aws-organization: {{read-role: "{ROLE}", regions: [{REGION}]}}
classify:
  - {{match: {{"tag:stage": "stag*"}}, environment: staging}}
  - {{match: {{ou: Workloads/Dev/*}}, environment: dev}}
  - {{match: {{name: core, ou: Workloads/Production}}, environment: production}}
""")


def check_first(service, organisation, dev, stage, core, loose):
    rows, last, order = service.accounts()
    said = {id: (row["name"], row["environment"], row["classified"], row["line"].rsplit(":", 2)[-2] if row["line"] else None)
            for id, row in rows.items()}
    expected = {dev: ("payments", "dev", True, "11"), stage: ("shop", "staging", True, "10"),
                core: ("core", "production", True, "12"), loose: ("loose", "production", False, None),
                organisation.management: (rows[organisation.management]["name"], "production", False, None)}
    assert said == expected, f"{said}\n{expected}"
    assert set(order[:2]) == {loose, organisation.management} and order[2] == core, order
    for id, row in rows.items():
        groups = [g for g in organisation.inside(id, "ec2").describe_security_groups()["SecurityGroups"]]
        assert row["reads"]["state"] == "ok" and row["writes"]["state"] == "no-role", row
        assert row["resources"] > len(groups), (row, len(groups))
        assert row["findings"]["open"] > 0 and row["last-event"] is None, row
        assert row["enrolled"] == "aws-organization", row
    assert last["accounts"] == 5 and last["unclassified"] == 2, last
    assert last["types-covered"] == sum(row["types"]["covered"] for row in rows.values()), last
    text = service.tell("accounts").splitlines()
    assert text[-1].startswith(f"coverage {last['coverage-percent']} %"), text[-1]
    return last["coverage-percent"]


def main():
    with moto() as endpoint, Server(f"{TOP}/Tests/servers/event_logs.py", "--sts", endpoint) as logs, \
            tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        trail = f"http://127.0.0.1:{logs.process.stdout.readline().strip()}"
        organisation = Organisation(endpoint)
        work = organisation.unit("Workloads", organisation.root)
        units = {name: organisation.unit(name, work) for name in ("Dev", "Production")}
        below = organisation.unit("Payments", units["Dev"])
        dev = organisation.account("payments", below)
        stage = organisation.account("shop", units["Dev"], stage="staging")
        core = organisation.account("core", units["Production"])
        loose = organisation.account("loose", organisation.root)
        organisation.open_group(organisation.management)
        configure(folder)
        service = Service(folder, {
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_CLOUDTRAIL": trail})
        service.start()
        stack.callback(lambda: service.process.kill())
        all_read = lambda rows, last, _, count=5: len(rows) == count and all(
            row["types"]["covered"] >= row["types"]["of"] - 1 > 0 for row in rows.values())
        service.wait("the accounts are enrolled and read", all_read)
        coverage = check_first(service, organisation, dev, stage, core, loose)
        print(f"5 accounts found, classified and read: coverage {coverage} %")

        new = organisation.account("reports", below)
        service.wait("a new account is enrolled and read", lambda *now: all_read(*now, count=6))
        group = organisation.inside(new, "ec2").describe_security_groups(GroupNames=["open"])["SecurityGroups"][0]["GroupId"]
        event, stamp = change(new, group)
        call(f"{trail}/control/events", {"log": f"{new}/{REGION}", "events": [event]})
        service.wait("an event of the new account came in",
                     lambda rows, *_: (rows[new]["last-event"] or "")[:19] == stamp[:19])
        rows, _, _ = service.accounts()
        assert (rows[new]["environment"], rows[new]["name"]) == ("dev", "reports"), rows[new]
        service.wait("it was described", lambda *_: json.loads(service.tell("status", "--format", "json"))["describes"] > 0)
        status = json.loads(service.tell("status", "--format", "json"))
        assert status["events"] == 1 and status["unseen-changes"] == 0, status
        print(f"a new account: enrolled, read and polled while the service runs; {service.tell('status').splitlines()[1]}")

        service.kill()
        organisation.client.close_account(AccountId=loose)
        service.start(AWS_ENDPOINT_URL_ORGANIZATIONS=f"http://127.0.0.1:{free_port()}")
        service.wait("the organisation does not answer", lambda *_: "discovery-failing" in service.tell("notices"))
        rows, _, _ = service.accounts()
        assert len(rows) == 6 and rows[new]["environment"] == "dev" and rows[loose]["enrolled"] == "aws-organization", rows
        service.kill()
        service.start()
        service.wait("a closed account leaves", lambda rows, *_: rows.get(loose, {}).get("enrolled", "").startswith("left"))
        service.wait("the notice ends", lambda *_: "discovery-failing" not in service.tell("notices"))
        audit = service.tell("audit", "verify")
        assert audit and service.process.poll() is None
        print("after kills: accounts and environments are known while the organisation is silent; a closed account left")


if __name__ == "__main__":
    main()
