"""Whether the event logs that tests poll (Tests/servers/event_logs.py) answer the providers' own clients as the real
ones do: boto3, azure-mgmt-monitor and google-api-python-client page through all of them.

Prints one JSON value a log: its name, the ids that the client found, and those that are right."""
import datetime
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

import boto3
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.monitor import MonitorManagementClient
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

SERVER = pathlib.Path(__file__).resolve().parents[1] / "servers" / "event_logs.py"
SUBSCRIPTION = "0b1f2f3a-0000-0000-0000-000000000000"


class NoToken:
    def get_token(self, *_, **__):
        return AccessToken("x", int(time.time()) + 3600)


def text(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def put(base, log, row):
    now = int(time.time()) - 60
    events = [{"id": f"{n:04d}", "time": now - n // 3, "shows": now - n // 3, "row": row(f"{n:04d}", now - n // 3)}
              for n in range(130)]
    body = json.dumps({"log": log, "events": events}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{base}/control/events", data=body, method="PUT")).read()
    return [event["id"] for event in events]


def check(what, found, wanted):
    print(json.dumps({"log": what, "found": found, "wanted": wanted}))



def aws(base):
    ids = put(base, "012345670123/eu-west-1", lambda i, at: {
        "EventId": i, "EventTime": at, "ReadOnly": "false", "CloudTrailEvent": "{}"})
    session = {"endpoint_url": base, "region_name": "eu-west-1", "aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}
    now = datetime.datetime.now(datetime.timezone.utc)
    found, token = [], {}
    client = boto3.client("cloudtrail", **session)
    while True:
        answer = client.lookup_events(StartTime=now.replace(microsecond=0) - datetime.timedelta(hours=1),
                                      EndTime=now.replace(microsecond=0), MaxResults=50, **token)
        assert len(answer["Events"]) <= 50 and all(e["EventTime"].tzinfo for e in answer["Events"])
        found += [event["EventId"] for event in answer["Events"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    check("LookupEvents", sorted(found), sorted(ids))
    if boto3.client("sts", **session).get_caller_identity()["Account"] != "012345670123":
        sys.exit("STS does not say whose credentials these are")
    try:
        client.lookup_events(StartTime=now, EndTime=now - datetime.timedelta(hours=1))
        sys.exit("a window from end to start is taken")
    except client.exceptions.InvalidTimeRangeException:
        pass


def azure(base):
    ids = put(base, SUBSCRIPTION, lambda i, at: {"eventDataId": i, "eventTimestamp": text(at)})
    client = MonitorManagementClient(NoToken(), SUBSCRIPTION, base_url=base, credential_scopes=["x"],
                                     authentication_policy=SansIOHTTPPolicy())
    now = int(time.time())
    events = client.activity_logs.list(f"eventTimestamp ge '{text(now - 3600)}' and eventTimestamp le '{text(now)}'")
    check("the Activity Log", sorted(event.event_data_id for event in events), sorted(ids))


def google(base):
    ids = put(base, "projects/p", lambda i, at: {
        "insertId": i, "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "timestamp": text(at),
        "receiveTimestamp": text(at)})
    service = build("logging", "v2", credentials=AnonymousCredentials(), static_discovery=True,
                    client_options={"api_endpoint": base})
    now = int(time.time())
    body = {"resourceNames": ["projects/p"], "orderBy": "timestamp desc", "pageSize": 50,
            "filter": f'logName:"cloudaudit.googleapis.com" AND receiveTimestamp>="{text(now - 3600)}" AND '
                      f'receiveTimestamp<="{text(now)}" AND timestamp>="{text(now - 90000)}"'}
    found, request = [], service.entries().list(body=body)
    while request is not None:
        answer = request.execute()
        found += [entry["insertId"] for entry in answer.get("entries", [])]
        request = service.entries().list_next(request, answer)
    check("entries:list", sorted(found), sorted(ids))


def main():
    server = subprocess.Popen([sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        aws(base)
        azure(base)
        google(base)
    finally:
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    main()
