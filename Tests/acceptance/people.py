"""Who made a change, and who answers for what it is on, hear what becomes of it and may say why it should stay: told once,
also where the channel or the service is down for a while; fixed when the grace ends; not written over an objection before
another person approves that or it is taken back. Against moto, with people who object through the command line. Run it with
the Python of Tests/servers/python.sh."""
import json
import os
import re
import shutil
import signal
import tempfile
import time

import estate
from program import TOP
from remediate import World
from remediation_bench import DEV, IDENTITIES, PRODUCTION, REGION, WRITE, Bench, is_blocked, make_bucket, open_up
from scan import moto

GRACE = 8


def configure(folder):
    """The shipped data, with a grace for public buckets; a program that takes messages, unless a file says it is down."""
    shutil.copytree(TOP / "playbooks", f"{folder}/playbooks")
    path = f"{folder}/playbooks/aws-s3-block-public-access.yaml"
    text = open(path).read()
    with open(path, "w") as file:
        file.write(text.replace("tests:\n", f"tell-actor: true\ngrace: {GRACE}s\ntests:\n", 1))
    with open(f"{folder}/take.sh", "w") as file:
        file.write(f"#!/bin/sh\ntest ! -e {folder}/down && cat >>{folder}/taken.jsonl\n")
    os.chmod(f"{folder}/take.sh", 0o755)
    identities = [{**person, "reached-by": "program"} for person in IDENTITIES if person["person"] != "bo.ray"]
    identities[0]["owns"] = ["pay*"]
    accounts = [{"aws": account, "environment": name, "owner": owner, "read-role": estate.ROLE % account,
                 "write-role": WRITE % account, "regions": [REGION]}
                for account, name, owner in ((DEV, "dev", "payments"), (PRODUCTION, "production", "nobody"))]
    return {"accounts": accounts, "identities": identities + [{"person": "bo.ray", "oidc": "2"}],
            "data": {"catalog": [f"{TOP}/catalog"], "baseline": [f"{TOP}/baseline"], "playbooks": ["./playbooks"]},
            "channels": {"program": {"command": [f"{folder}/take.sh"], "gather": "1s"}}}


def told(w, bucket):
    """What was said of a bucket: person and message, in order."""
    if not os.path.exists(f"{w.folder}/taken.jsonl"):
        return []
    messages = [json.loads(line)["message"] for line in open(f"{w.folder}/taken.jsonl")]
    return [(m["to"]["person"], m) for m in messages if f":::{bucket} " in m["title"] + "".join(m["lines"])]


def finding(w, bucket):
    found = w.bench.items(f"findings?open=true&rule=aws/s3/bucket-blocks-public-access&resource=arn:aws:s3:::{bucket}")
    return found[0]["id"] if found else None


def drift(w, bucket):
    open_up(w.bench, w.dev, DEV, bucket)
    id = w.bench.wait(f"the finding on {bucket}", lambda: finding(w, bucket), 60)
    w.bench.wait("the messages", lambda: len(told(w, bucket)) == 2, 60)
    return id


def told_and_fixed(w):
    drift(w, "dev-0")
    began = time.monotonic()
    messages = dict(told(w, "dev-0"))
    assert sorted(messages) == ["al.ice", "ann.lee"], messages
    sentence = messages["al.ice"]["title"]
    assert re.match(r"You did s3.amazonaws.com/PutBucketPublicAccessBlock on arn:aws:s3:::dev-0 \(111122223333, dev\), at "
                    r"\S+, \d+ s ago; at \S+ it is mended \(.*\) unless you say why it should stay\.$", sentence), sentence
    assert "holdfast object f-" in messages["al.ice"]["lines"][0], messages["al.ice"]
    assert "user/alice did" in messages["ann.lee"]["title"] and "which you answer for" in messages["ann.lee"]["title"]
    w.stays("what has a grace", lambda: not is_blocked(w.dev, "dev-0"), GRACE - 2)
    w.bench.wait("the fix", lambda: is_blocked(w.dev, "dev-0"), 60)
    assert time.monotonic() - began > GRACE - 1
    print(f"told: {sentence}", flush=True)


def objected(w):
    id = drift(w, "dev-1")
    assert "give a reason" in w.cli("object", id, status=64)
    w.cli("object", id, "--reason", "the press kit is served from it")
    w.stays("what somebody objected to", lambda: not is_blocked(w.dev, "dev-1"), GRACE + 3)
    why = w.cli("why", id)
    assert "ann.lee objected at" in why and "the press kit is served from it" in why, why
    plan = w.asked("dev-1")
    assert any("ann.lee objected" in line for line in plan["may-break"]), plan
    for person, says in (("ann.lee", "objects"), ("al.ice", "made the change")):
        w.bench.say("approve", plan["digest"], person)
    w.stays("what only its people approved", lambda: not is_blocked(w.dev, "dev-1"), 3)
    assert "only they take that back" in w.cli("object", id, "--withdraw", person="bo.ray", status=1)
    status, answer = w.bench.say("approve", plan["digest"], "bo.ray")
    assert status == 200, answer
    w.bench.wait("the fix that another approved", lambda: is_blocked(w.dev, "dev-1"), 60)
    kinds = [entry["kind"] for entry in w.bench.ask("audit", "list", "--kind", "objected")]
    assert kinds == ["objected"], kinds
    print("objected: not fixed when the grace ended, nor by who objected; fixed when another approved", flush=True)


def taken_back(w):
    id = drift(w, "dev-2")
    w.cli("object", id, "--reason", "it is a demo", person="al.ice")
    w.stays("what somebody objected to", lambda: not is_blocked(w.dev, "dev-2"), GRACE + 2)
    w.cli("object", id, "--withdraw", person="al.ice")
    w.bench.wait("the fix", lambda: is_blocked(w.dev, "dev-2"), 60)
    assert "resolved" in w.bench.wait("its end", lambda: not finding(w, "dev-2") and "resolved", 60)
    assert "nothing is done about it" in w.cli("object", id, "--reason", "too late", status=1)
    print("taken back: fixed then", flush=True)


def channel_is_down(w):
    """A grace of which nobody has heard does not begin; what is told after a kill is told once."""
    open(f"{w.folder}/down", "w").close()
    open_up(w.bench, w.dev, DEV, "dev-3")
    id = w.bench.wait("the finding on dev-3", lambda: finding(w, "dev-3"), 60)
    w.stays("what nobody was told", lambda: not is_blocked(w.dev, "dev-3"), GRACE + 3)
    assert "was not told yet" in w.cli("why", id)
    w.bench.stop(signal.SIGKILL)
    os.remove(f"{w.folder}/down")
    w.bench.start()
    w.bench.wait("the messages", lambda: len(told(w, "dev-3")) == 2, 60)
    w.stays("what was told just now", lambda: not is_blocked(w.dev, "dev-3"), GRACE - 2)
    w.bench.wait("the fix", lambda: is_blocked(w.dev, "dev-3"), 60)
    for number in range(4):
        assert len(told(w, f"dev-{number}")) == 2, told(w, f"dev-{number}")
    print("channel down: the grace began when it took the messages; nobody was told twice over a kill", flush=True)


def main():
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder:
        w = World(folder, endpoint)
        for number in range(6):
            make_bucket(w.dev, f"dev-{number}")
        bench = w.bench = Bench(folder, w.proxy.url, **configure(folder))
        try:
            bench.wait("the first scan", lambda: len(bench.items("resources?type=AWS::S3::Bucket")) >= 6)
            for scene in (told_and_fixed, objected, taken_back, channel_is_down):
                scene(w)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
