"""Guarded remediation against moto, with boto3 as the judge of what was written and people who decide through the server:
what drifts in dev is fixed with no human, what drifts in production waits for one; approvals, refusals, halts, undos and
fights. Run it with the Python of Tests/servers/python.sh. What kills leave behind is remediate_kills.py."""
import json
import os
import subprocess
import sys
import tempfile
import time

import estate
from counting_proxy import CountingProxy
from program import PROGRAM
from remediation_bench import (BROKER, DEV, OPENED, PRODUCTION, Bench, event, is_blocked, make_bucket, open_up)
from scan import moto

BLOCK = "aws/s3/bucket-blocks-public-access"
LIMIT = 5.0


class World:
    """The bench, and boto3 in both accounts."""

    def __init__(self, folder, endpoint):
        self.folder, self.proxy, self.bench = folder, CountingProxy(endpoint), None
        self.dev, self.production = (estate.session(endpoint, account)("s3") for account in (DEV, PRODUCTION))

    def cli(self, *arguments, person="ann.lee", status=0):
        done = subprocess.run([PROGRAM, *arguments, "--server", self.bench.url], capture_output=True, text=True,
                              env={**os.environ, "HOLDFAST_TOKEN": self.bench.tokens[person]})
        assert done.returncode == status, f"holdfast {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if status == 0 else done.stderr

    def asked(self, bucket, besides=None):
        """The plan that waits for people."""
        def find():
            plan = self.bench.waiting(bucket)
            return plan if plan and plan["digest"] != besides else None
        return self.bench.wait(f"a plan for {bucket} that waits", find, 60)

    def stays(self, what, check, seconds=3.0):
        """Nothing is done in a while in which it would have been done several times over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert check(), f"{what} did not stay so"
            time.sleep(0.1)


def dev_is_fixed(w):
    open_up(w.bench, w.dev, DEV, "dev-0")
    began = time.monotonic()
    w.bench.wait("the fix in dev", lambda: is_blocked(w.dev, "dev-0"), 60)
    fixed = time.monotonic() - began
    w.bench.wait("its verification", lambda: w.bench.is_verified("dev-0") and not w.bench.items(
        f"findings?open=true&rule={BLOCK}&resource=arn:aws:s3:::dev-0"), 60)
    verified = time.monotonic() - began
    print(f"dev: fixed {fixed:.1f} s and verified {verified:.1f} s after its event, with no human", flush=True)
    assert verified < LIMIT, f"verified {verified:.1f} s after its event; {LIMIT} s are allowed"
    assert len(w.proxy.about("dev-0")) == 1, w.proxy.about("dev-0")


def accounts_tell_of_writes(w):
    """`holdfast accounts` says where a write-role has written, where it was refused, and where it never tried."""
    def states():
        return {row["id"]: row["writes"]["state"] for row in w.bench.ask("accounts")["accounts"]}
    assert states() == {DEV: "ok", PRODUCTION: "unused"}, states()
    w.proxy.denied.add("spare-19")
    open_up(w.bench, w.dev, DEV, "spare-19")
    w.bench.wait("a write that is denied", lambda: states()[DEV] == "denied", 60)
    assert not is_blocked(w.dev, "spare-19")
    w.proxy.denied.clear()
    print("accounts: where writes went, were denied, and were never tried", flush=True)


def production_waits(w):
    open_up(w.bench, w.production, PRODUCTION, "production-0")
    asked = w.asked("production-0")
    plan = json.loads(w.cli("plan", asked["finding"], "--format", "json"))["plan"]
    calls = [step["call"] for step in plan["steps"]]
    assert asked["calls"] == calls == ["s3.PutPublicAccessBlock"], (asked["calls"], calls)
    shown = w.bench.get(f"plans/{asked['digest']}")
    assert shown["about"]["plan"]["plan"] == plan and plan["digest"] == asked["digest"], shown
    assert "user/alice did s3.amazonaws.com/PutBucketPublicAccessBlock" in asked["sentence"], asked["sentence"]
    w.stays("a plan that waits", lambda: not is_blocked(w.production, "production-0"))
    status, answer = w.bench.say("approve", asked["digest"], "al.ice", "I know what I did")
    assert status == 403 and "made the change" in answer["error"]["message"], (status, answer)
    w.stays("what its own actor approved", lambda: not is_blocked(w.production, "production-0"), 2)
    assert not w.proxy.about("production-0"), w.proxy.about("production-0")
    status, answer = w.bench.say("approve", asked["digest"], "bo.ray")
    assert status == 200, answer
    w.bench.wait("the fix", lambda: is_blocked(w.production, "production-0"), 60)
    w.bench.wait("its verification", lambda: w.bench.is_verified("production-0"), 60)
    assert len(w.proxy.about("production-0")) == 1, w.proxy.about("production-0")
    print("production: waited, showed its plan, was refused to its actor, approved by another, fixed and verified", flush=True)


def statement(bucket, sid, principal="*", action="s3:GetObject"):
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"}


INNER = {"AWS": "arn:aws:iam::%s:root"}


def policy(bucket, account, *more):
    """Written as people write: no form in which Holdfast writes one."""
    inner = statement(bucket, "Inner", {"AWS": INNER["AWS"] % account})
    return json.dumps({"Version": "2012-10-17", "Statement": [inner, *more]}, indent=3) + "\n"


def publish(w, s3, account, bucket, text=None, tell=True, **more):
    """Somebody lets everybody in by the bucket's policy."""
    text = text or policy(bucket, account, statement(bucket, "Everybody"))
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    if tell:
        w.bench.send(event(account, "s3.amazonaws.com", "PutBucketPolicy",
                           {"bucketName": bucket, "bucketPolicy": json.loads(text)}, **more))
    return text


def read(s3, bucket):
    return s3.get_bucket_policy(Bucket=bucket)["Policy"]


def sids(s3, bucket):
    return [s["Sid"] for s in json.loads(read(s3, bucket))["Statement"]]


def open_rollout(w):
    """The first run in dev opens production to the playbook."""
    publish(w, w.dev, DEV, "dev-policy-0")
    w.bench.wait("the policy's fix in dev", lambda: sids(w.dev, "dev-policy-0") == ["Inner"], 60)
    w.bench.wait("its verification", lambda: w.bench.is_verified("dev-policy-0"), 60)


def approvals_are_for_what_was_shown(w):
    """Approved while production is halted, so that what changes in between is not seen before the approval is used."""
    open_rollout(w)
    buckets = ("production-policy-0", "production-policy-1")
    for bucket in buckets:
        publish(w, w.production, PRODUCTION, bucket)
    asked = {bucket: w.asked(bucket) for bucket in buckets}
    w.cli("halt", "environment:production", "--reason", "to look at it first")
    for bucket in buckets:
        status, answer = w.bench.say("approve", asked[bucket]["digest"], "bo.ray")
        assert status == 200, answer
    # No event tells of either: the read before the call must see it.
    changed = policy(buckets[0], PRODUCTION, statement(buckets[0], "Everybody"),
                     statement(buckets[0], "Lister", action="s3:ListBucket"))
    publish(w, w.production, PRODUCTION, buckets[0], changed, tell=False)
    w.production.put_bucket_tagging(Bucket=buckets[1], Tagging={"TagSet": [{"Key": "team", "Value": "web"}]})
    before = [read(w.production, bucket) for bucket in buckets]
    w.stays("what is halted", lambda: [read(w.production, bucket) for bucket in buckets] == before)
    w.cli("resume", "environment:production", "--reason", "looked")
    w.bench.wait("the fix where a tag changed", lambda: sids(w.production, buckets[1]) == ["Inner"], 60)
    w.bench.wait("its verification", lambda: w.bench.is_verified(buckets[1]), 60)
    tags = w.production.get_bucket_tagging(Bucket=buckets[1])["TagSet"]
    assert tags == [{"Key": "team", "Value": "web"}], tags
    again = w.asked(buckets[0], besides=asked[buckets[0]]["digest"])
    w.stays("what was approved before it changed", lambda: read(w.production, buckets[0]) == changed)
    assert not w.proxy.about(buckets[0]), w.proxy.about(buckets[0])
    status, answer = w.bench.say("approve", asked[buckets[0]]["digest"], "ann.lee")
    assert status == 404, (status, answer)
    status, answer = w.bench.say("approve", again["digest"], "ann.lee")
    assert status == 200, answer
    w.bench.wait("the fix of both statements", lambda: sids(w.production, buckets[0]) == ["Inner"], 60)
    print("approvals: void where the policy changed after it, used where only a tag did", flush=True)


def refused_changes_nothing(w):
    open_up(w.bench, w.production, PRODUCTION, "production-1")
    asked = w.asked("production-1")
    status, answer = w.bench.say("refuse", asked["digest"], "bo.ray")
    assert status == 400 and "reason" in answer["error"]["message"], (status, answer)
    status, answer = w.bench.say("refuse", asked["digest"], "bo.ray", "it is the press kit")
    assert status == 200, answer
    status, answer = w.bench.say("approve", asked["digest"], "ann.lee")
    assert status in (404, 409) and answer["error"], (status, answer)
    w.stays("what was refused", lambda: not is_blocked(w.production, "production-1"), 4)
    assert not w.proxy.about("production-1"), w.proxy.about("production-1")
    why = w.bench.get(f"findings/{asked['finding']}/why")
    assert "it is the press kit" in json.dumps(why["decision"]), why["decision"]
    print("refused: nothing was written, and why says by whom and for what reason", flush=True)


def nobody_approves_their_own(w):
    """The cloud knows them as svc-build, the server by the token of al.ice: they are one person."""
    open_up(w.bench, w.production, PRODUCTION, "production-2", actor="arn:aws:iam::%s:user/svc-build")
    asked = w.asked("production-2")
    status, answer = w.bench.say("approve", asked["digest"], "al.ice")
    assert status == 403 and "made the change" in answer["error"]["message"], (status, answer)
    text = w.cli("approve", asked["digest"][:12], person="al.ice", status=1)
    assert "made the change" in text, text
    w.stays("what its own author approved", lambda: not is_blocked(w.production, "production-2"))
    # Nobody is mapped to this one, so that it cannot be told whether they are the one who approves.
    open_up(w.bench, w.production, PRODUCTION, "production-3", actor="arn:aws:iam::%s:user/unknown")
    w.bench.wait("the finding of an unknown actor", lambda: [
        f for f in w.bench.items(f"findings?open=true&rule={BLOCK}&resource=arn:aws:s3:::production-3")
        if "nobody is mapped" in json.dumps(w.bench.get(f"findings/{f['id']}/why")["decision"])], 60)
    assert not w.bench.waiting("production-3"), "somebody may approve what perhaps is their own"
    assert not w.proxy.about("production-2") + w.proxy.about("production-3")
    status, answer = w.bench.say("approve", asked["digest"], "ann.lee")
    assert status == 200, answer
    w.bench.wait("the fix that another approved", lambda: is_blocked(w.production, "production-2"), 60)
    print("four eyes: nobody approves their own change under another name, nor where the actor is not known", flush=True)


def blocked(w, names):
    return sum(is_blocked(w.dev, name) for name in names)


def halts_stop(w, count=100, at_once=8):
    names = [f"halt-{number}" for number in range(count)]
    for name in names:
        open_up(w.bench, w.dev, DEV, name)
    written = lambda: len(w.proxy.about("/halt-"))
    told = []
    for how, stop, go in (
            ("halt", lambda: w.cli("halt", "--reason", "incident 7"), lambda: w.cli("resume", "--reason", "over")),
            ("HALT", lambda: open(f"{w.folder}/HALT", "w").close(), lambda: os.remove(f"{w.folder}/HALT"))):
        start = written()
        w.bench.wait("some fixes", lambda: written() >= start + 15, 120)
        stop()
        stopped, before = written(), blocked(w, names)
        # Calls that were permitted before may still be on their way, one for each run at most.
        time.sleep(1)
        after = written()
        assert after - stopped <= at_once, f"{after - stopped} calls were made after {how}"
        w.stays(f"what {how} stopped", lambda: written() == after, 5)
        judged = blocked(w, names)
        assert judged < count, f"{how} came too late: all are fixed"
        assert judged == after, f"boto3 sees {judged} fixed, and {after} calls were made"
        told.append(f"{how}: {before} of {count} fixed as it returned, {judged} six seconds later")
        go()
    w.bench.wait("the rest", lambda: blocked(w, names) == count, 180)
    assert written() == count, f"{written()} calls for {count} fixes"
    w.bench.wait("their verification", lambda: sum(
        run["phase"] == "verified" for run in w.bench.items("runs") if "halt-" in run["resource"]) == count, 120)
    print(f"halts: {'; '.join(told)}; all {count} after both ended, with one call each", flush=True)


def undo_restores(w):
    plain, shared = "dev-policy-1", "dev-policy-2"
    before = {bucket: publish(w, w.dev, DEV, bucket) for bucket in (plain, shared)}
    runs = {}
    for bucket in before:
        w.bench.wait("the fix", lambda: sids(w.dev, bucket) == ["Inner"], 60)
        w.bench.wait("its verification", lambda: w.bench.is_verified(bucket), 60)
        runs[bucket] = w.bench.runs(bucket)[0]["id"]
    mine = json.loads(read(w.dev, shared))
    mine["Statement"].append(statement(shared, "Added", {"AWS": INNER["AWS"] % PRODUCTION}))
    publish(w, w.dev, DEV, shared, json.dumps(mine))
    w.bench.wait("what was added is known", lambda: "Added" in json.dumps(
        w.bench.get(f"resource?id=arn:aws:s3:::{shared}")["configuration"]), 60)
    for bucket, run in runs.items():
        w.cli("undo", run, "--reason", "the fix broke the site")
        w.bench.wait("the undo", lambda: w.bench.runs(bucket)[0]["phase"] == "undone", 60)
    assert read(w.dev, plain) == before[plain], f"{read(w.dev, plain)!r} is not {before[plain]!r}"
    assert sorted(sids(w.dev, shared)) == ["Added", "Everybody", "Inner"], read(w.dev, shared)
    wanted = json.loads(before[shared])["Statement"] + [mine["Statement"][-1]]
    key = lambda statements: sorted(json.dumps(s, sort_keys=True) for s in statements)
    assert key(json.loads(read(w.dev, shared))["Statement"]) == key(wanted), read(w.dev, shared)
    w.stays("what was undone", lambda: read(w.dev, plain) == before[plain], 4)
    print("undo: the policy is there again byte by byte; where a statement was added meanwhile it is kept", flush=True)


def fights_are_seen(w, count=3):
    """Terraform, with a state of its own, opens the bucket with each run of its pipeline: after each fix."""
    actor = "arn:aws:iam::%s:user/terraform-runner"
    agent = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0"
    for number in range(count + 1):
        open_up(w.bench, w.dev, DEV, "dev-1", actor=actor, agent=agent)
        if number < count:
            w.bench.wait(f"fix {number + 1}", lambda: is_blocked(w.dev, "dev-1"), 60)
            w.bench.wait("its verification", lambda: w.bench.is_verified("dev-1", number + 1), 60)
            assert not [n for n in w.bench.items("notices") if n["code"] == "flapping"], "it was seen too early"
            w.stays("what was fixed", lambda: is_blocked(w.dev, "dev-1"), 2)
    notice = w.bench.wait("the notice", lambda: next(
        (n for n in w.bench.items("notices") if n["code"] == "flapping"), None), 60)
    assert actor % DEV in notice["text"], notice
    w.stays("what is fought over", lambda: not is_blocked(w.dev, "dev-1"), 5)
    assert len(w.proxy.about("/dev-1")) == count, w.proxy.about("/dev-1")
    print(f"fights: after {count} fixes writes stop, and the notice names {actor % DEV}", flush=True)


SCENES = [dev_is_fixed, accounts_tell_of_writes, production_waits, approvals_are_for_what_was_shown, refused_changes_nothing,
          nobody_approves_their_own, halts_stop, fights_are_seen, undo_restores]


def build(w):
    for number in range(2):
        make_bucket(w.dev, f"dev-{number}")
    for number in range(4):
        make_bucket(w.production, f"production-{number}")
    for number in range(100):
        make_bucket(w.dev, f"halt-{number}")
    # No more runs in a day than there are buckets.
    for number in range(20):
        make_bucket(w.dev, f"spare-{number}")
    for s3, account, names in ((w.dev, DEV, ["dev-policy-0", "dev-policy-1", "dev-policy-2"]),
                               (w.production, PRODUCTION, ["production-policy-0", "production-policy-1"])):
        for name in names:
            make_bucket(s3, name, OPENED)
            s3.put_bucket_policy(Bucket=name, Policy=policy(name, account))


def main():
    names = sys.argv[1:]
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder:
        w = World(folder, endpoint)
        build(w)
        budgets = {"type": "100 %", "overall": "1000 per hour", "account": "1000 per hour", "playbook": "1000 per hour"}
        bench = w.bench = Bench(folder, w.proxy.url, budgets=budgets, flapping={"count": 3, "within": "1h"})
        try:
            bench.wait("the first scan", lambda: len(bench.items("resources?type=AWS::S3::Bucket")) >= 131)
            print(f"events: {'a Kafka topic' if BROKER else 'a followed file'}", flush=True)
            for scene in SCENES:
                if not names or scene.__name__ in names:
                    scene(w)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
