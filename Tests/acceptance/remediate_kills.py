"""kill -9 at random moments of runs of 90 fixes on moto: at the end each resource is fixed and verified, or its run is
stuck with a notice, and no call that must not be made twice was made twice. What was done is what boto3 reads
and what a proxy before moto counted. Run it with the Python of Tests/servers/python.sh; `--short` for 30 kills of 200."""
import collections
import json
import random
import signal
import sys
import tempfile
import time

import estate
from counting_proxy import CountingProxy
from remediation_bench import BROKER, DEV, Bench, event, is_blocked, make_bucket, open_up
from scan import moto

KILLS = 30 if "--short" in sys.argv else 200
# Of each kind in one run, and runs at most: each has resources of its own.
EACH, RUNS = (10, 2) if "--short" in sys.argv else (30, 5)
SEED = int(next((a.removeprefix("--seed=") for a in sys.argv if a.startswith("--seed=")), "20261130"))
OPEN = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


class Buckets:
    """Fixed by a call that may be made again."""
    rule, name = "aws/s3/bucket-blocks-public-access", "bucket"

    def __init__(self, client):
        self.s3, self.ids = client("s3"), [f"kill-{number:03}" for number in range(EACH * RUNS)]
        for id in self.ids:
            make_bucket(self.s3, id)

    def plant(self, bench, id):
        open_up(bench, self.s3, DEV, id)

    def is_good(self, id):
        return is_blocked(self.s3, id)

    def made(self, proxy, id):
        return 0


class Groups:
    """Fixed by a call that names the rule by its id: another attempt finds it gone."""
    rule, name = "any/network/admin-ports-not-open", "group"

    def __init__(self, client):
        self.ec2 = client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.ids = [self.ec2.create_security_group(GroupName=f"kill-{number}", Description="made", VpcId=vpc)["GroupId"]
                    for number in range(EACH * RUNS)]

    def plant(self, bench, id):
        made = self.ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=OPEN)["SecurityGroupRules"][0]
        rule = {"securityGroupRuleId": made["SecurityGroupRuleId"], "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                "cidrIpv4": "0.0.0.0/0"}
        bench.send(event(DEV, "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", {"groupId": id}, {
            "securityGroupRuleSet": {"items": [rule]}}))

    def is_good(self, id):
        return not self.ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"][0]["IpPermissions"]

    def made(self, proxy, id):
        return 0


class Keys:
    """Fixed by two calls, of which the first must not be made twice."""
    rule, name = "aws/kms/key-is-usable", "key"

    def __init__(self, client):
        self.kms = client("kms")
        self.ids = [self.kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(EACH * RUNS)]

    def plant(self, bench, id):
        self.kms.schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
        bench.send(event(DEV, "kms.amazonaws.com", "ScheduleKeyDeletion", {"keyId": id, "pendingWindowInDays": 7}))

    def is_good(self, id):
        return self.kms.describe_key(KeyId=id)["KeyMetadata"]["KeyState"] == "Enabled"

    def made(self, proxy, id):
        return len(proxy.about(id, "CancelKeyDeletion"))


class Kills:
    def __init__(self, bench, proxy, kinds):
        self.bench, self.proxy, self.kinds, self.chance = bench, proxy, kinds, random.Random(SEED)
        self.done, self.ends, self.phases = 0, collections.Counter(), collections.Counter()

    def round(self, number):
        """One run of fixes, with a kill at a random moment again and again until it is through."""
        planted = [(kind, id) for kind in self.kinds for id in kind.ids[number * EACH:(number + 1) * EACH]]
        for kind, id in planted:
            kind.plant(self.bench, id)
        while self.done < KILLS and not all(kind.is_good(id) for kind, id in self.chance.sample(planted, len(planted))):
            self.pause()
            self.bench.stop(signal.SIGKILL)
            self.done += 1
            self.bench.start()
        try:
            self.bench.wait("the end of all runs", lambda: not self.missing(planted), 240)
        except SystemExit:
            print(f"not over after {self.done} kills: {json.dumps(self.missing(planted), indent=1)}", flush=True)
            raise
        # What is stuck stays so, until a person has looked.
        time.sleep(4)
        self.judge(planted)

    def pause(self):
        """Until the moment of the next kill: mostly while runs are carried out, now and then while the process starts."""
        if self.chance.random() < 0.2:
            self.phases["starting"] += 1
            return time.sleep(self.chance.uniform(0, 1))
        self.bench.wait("the server", self.bench.listening, 60)
        time.sleep(self.chance.uniform(0, 1.5))
        open_runs = [run["phase"] for run in self.bench.items("runs") if run.get("ended") is None]
        self.phases.update(open_runs or ["between runs"])

    def newest(self):
        """The newest run on each resource, by the end of its id."""
        runs = {}
        for run in self.bench.items("runs"):
            runs.setdefault(run["resource"].replace("/", ":").split(":")[-1], run)
        return runs

    def missing(self, planted):
        """What is neither fixed nor stuck at the end of its run: the run and the findings."""
        runs = self.newest()
        open_ones = [(kind, id) for kind, id in planted if not (
            id in runs and runs[id].get("ended") and (kind.is_good(id) or runs[id]["phase"] == "stuck"))]
        findings = self.bench.items("findings") if open_ones else []
        return {id: {"good": kind.is_good(id), "run": runs.get(id), "findings": [
            finding for finding in findings if finding["resource"].endswith(id)]} for kind, id in open_ones}

    def judge(self, planted):
        runs = self.newest()
        notices = {notice["subject"] for notice in self.bench.items("notices") if notice["code"] == "run-stuck"}
        for kind, id in planted:
            run, good = runs[id], kind.is_good(id)
            if run["phase"] == "stuck":
                assert run["id"] in notices, f"{id} is stuck, and no notice tells of it: {run}"
            else:
                assert good and run["phase"] == "verified", f"{id} is {'good' if good else 'as it was'}: {run}"
            made = kind.made(self.proxy, id)
            assert made <= 1, f"a call that must not be made twice was made {made} times on {id}: {run}"
            self.ends[f"{kind.name} {run['phase']}"] += 1


def main():
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder:
        proxy, client = CountingProxy(endpoint), estate.session(endpoint, DEV)
        kinds = [Buckets(client), Groups(client), Keys(client)]
        budgets = {"type": "100 %", **{name: "10000 per hour" for name in ("overall", "account", "playbook")}}
        often = {"count": 1000, "within": "1h"}
        bench = Bench(folder, proxy.url, budgets=budgets, flapping=often, breaker=often, limits={
            "calls-per-second": 1000, "settle-time": "0s", "consistency-margin": "0s", "time-resolution": "0s",
            "permit-expiry": "1s", "verify-within": "30s"})
        try:
            bench.wait("the first scan", lambda: "the scan is through" in open(f"{folder}/log").read())
            kills = Kills(bench, proxy, kinds)
            began = time.monotonic()
            for number in range(RUNS):
                kills.round(number)
            assert kills.done == KILLS, f"all was fixed after {kills.done} kills"
            again = sum("step-begun" == entry["kind"] and entry["body"]["attempt"] > 1
                        for entry in bench.items("audit?kind=step-begun"))
            print(f"events: {'a Kafka topic' if BROKER else 'a followed file'}; seed {SEED}\n"
                  f"kills: {kills.done} in {time.monotonic() - began:.0f} s, at runs in these phases {dict(kills.phases)}; "
                  f"{again} calls made again; ends: {dict(sorted(kills.ends.items()))}", flush=True)
        finally:
            bench.stop(signal.SIGKILL)


if __name__ == "__main__":
    main()
