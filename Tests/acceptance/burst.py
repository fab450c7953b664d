"""A burst of 500 events on ten security groups makes at most twenty describes: the real service, CloudTrail's
LookupEvents, and moto behind a proxy that counts. Afterwards each group is known as boto3 reads it. Needs the tests'
Python (Tests/servers/python.sh)."""
import json
import os
import sys
import tempfile
import time
import urllib.request

os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

import estate
from accounts import Service, change
from polled import Server, call
from program import TOP
from scan import compare, moto

ACCOUNT = "012345670123"
EVENTS, GROUPS = 500, 10


def configure(folder):
    with open(f"{folder}/holdfast.yaml", "w") as file:
        json.dump({
            "store": {"sqlite": "./holdfast.db"}, "state": {"clouds": ["aws"]}, "limits": {"calls-per-second": 200},
            "data": {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")},
            "accounts": [{"aws": ACCOUNT, "environment": "dev", "read-role": estate.ROLE % ACCOUNT, "regions": [estate.REGION]}],
            "sources": [{"cloudtrail-lookup": {"regions": [estate.REGION], "every": "2s", "overlap": "1m"}}]}, file)


def change_for_real(ec2, ids):
    """Every group gets another open port, as the last of the burst's events say."""
    for number, id in enumerate(ids):
        ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 3000 + number, "ToPort": 3000 + number, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])


def main():
    with moto() as endpoint, Server(f"{TOP}/Tests/servers/event_logs.py", "--sts", endpoint) as logs, \
            Server(f"{TOP}/Tests/servers/fault_proxy.py", endpoint, "0", "1") as proxy, \
            tempfile.TemporaryDirectory() as folder:
        trail, through = (f"http://127.0.0.1:{server.process.stdout.readline().strip()}" for server in (logs, proxy))
        estate.build(endpoint, ACCOUNT, GROUPS, 0, 0)
        ec2 = estate.session(endpoint, ACCOUNT)("ec2")
        ids = sorted(g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"].startswith("group-"))
        assert len(ids) == GROUPS
        configure(folder)
        service = Service(folder, {
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": estate.REGION,
            "AWS_ENDPOINT_URL": through, "AWS_ENDPOINT_URL_CLOUDTRAIL": trail})
        service.start()

        def status():
            return json.loads(service.tell("status", "--format", "json") or "{}")

        def calls():
            return json.load(urllib.request.urlopen(f"{through}/_faults"))["passed"]

        def read():
            return {row["id"]: row for row in map(json.loads, service.tell("resources", "--format", "jsonl").splitlines())
                    if row["type"] == "AWS::EC2::SecurityGroup"}

        service.wait("the groups are read", lambda rows, *_: ACCOUNT in rows and (
            rows[ACCOUNT]["types"]["covered"] >= rows[ACCOUNT]["types"]["of"] - 1))
        quiet_since = time.monotonic()
        before = calls()
        while time.monotonic() - quiet_since < 15:  # nothing is read for a while: what the scan left is done
            time.sleep(1)
            if calls() != before:
                before, quiet_since = calls(), time.monotonic()
        first = status()
        change_for_real(ec2, ids)
        events = []
        for number in range(EVENTS):
            event, _ = change(ACCOUNT, ids[number % GROUPS])
            event["id"] = event["row"]["EventId"] = f"burst-{number}"
            body = json.loads(event["row"]["CloudTrailEvent"])
            body["eventID"] = event["id"]
            event["row"]["CloudTrailEvent"] = json.dumps(body)
            events.append(event)
        for start in range(0, EVENTS, 100):
            call(f"{trail}/control/events", {"log": f"{ACCOUNT}/{estate.REGION}", "events": events[start:start + 100]})
            time.sleep(0.5)
        wanted = estate.groups(ec2, ACCOUNT)
        service.wait("all is read", lambda *_: status()["events"] == EVENTS and not compare(wanted, read()))
        time.sleep(20)  # a read that started too early would come again by now
        last = status()
        describes = last["describes"] - first["describes"]
        wrong = compare(wanted, read())
        if wrong:
            sys.exit("\n".join(wrong[:3]))
        assert last["events"] == EVENTS and last["dirty"] == first["dirty"], last
        # Each describe is two calls; roles are renewed now and then.
        made = calls() - before
        assert GROUPS <= describes <= 2 * GROUPS, f"{describes} describes"
        assert made <= 2 * describes + GROUPS, f"{made} calls"
        service.process.terminate()
        assert service.process.wait(60) == 0
        print(f"{EVENTS} events on {GROUPS} groups: {describes} describes in {made} calls, "
              f"{last['describes-per-1000-events']} for 1,000 events; every group as boto3 reads it")


main()
