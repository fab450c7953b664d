"""Times `holdfast replay` on CloudTrail files, nine in ten of whose events only read: events a second of processor
time, and the most memory that was used.

    python3 Benchmarks/replay-speed.py [--mix recorded|hard] [--events 300000] [--folder DIR] [--include timeline]

`recorded` is the log of a real account in which many techniques of attack were tried (aws-cloudtrail-invictus of
HOLDFAST_TEST_DATA), again and again: each round with an account, resources, times and event ids of its own, and with as
many of its reads as make nine in ten. `hard` is made up: three in four of the writes break a rule, each on a resource
of its own, and each event has an actor of its own.

HOLDFAST_PROGRAM names the program: a release build."""
import argparse
import collections
import gzip
import json
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
READS = [("ec2", "DescribeInstances"), ("ec2", "DescribeSecurityGroups"), ("s3", "GetBucketPolicy"),
         ("s3", "ListBuckets"), ("iam", "GetRole"), ("sts", "AssumeRole"), ("kms", "Decrypt"),
         ("rds", "DescribeDBInstances"), ("lambda", "GetFunction20150331v2"), ("sts", "GetCallerIdentity")]
AGENTS = ["aws-sdk-go-v2/1.30.3 ua/2.1 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/s3#1.58.2",
          "APN/1.0 HashiCorp/1.0 Terraform/1.8.5 (+https://www.terraform.io) terraform-provider-aws/5.55.0",
          "Boto3/1.34.131 md/Botocore#1.34.131 ua/2.0 os/linux#5.10.218-208.862.amzn2.x86_64 md/arch#x86_64 lang/python",
          "console.amazonaws.com", "cloudformation.amazonaws.com"]


def hard(seed):
    dice = random.Random(seed)
    accounts = [f"{dice.randrange(10**11, 10**12)}" for _ in range(40)]
    hexes = lambda count: f"{dice.getrandbits(4 * count):0{count}x}"  # noqa: E731
    capitals = lambda count: "".join(dice.choices(ALPHABET, k=count))  # noqa: E731
    uuid = lambda: "-".join(map(hexes, (8, 4, 4, 4, 12)))  # noqa: E731

    def write():
        kind = dice.randrange(4)
        if kind == 0:
            items = {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {
                "items": [{"cidrIp": "0.0.0.0/0", "description": "office \"HQ\" range"}]}}]}
            return "ec2", "AuthorizeSecurityGroupIngress", {"groupId": "sg-0" + hexes(16), "ipPermissions": items}, None
        if kind == 1:
            bucket = "data-" + hexes(8)
            policy = {"Version": "2012-10-17", "Statement": [
                {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
                 "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}
            return "s3", "PutBucketPolicy", {"bucketName": bucket, "bucketPolicy": policy}, None
        if kind == 2:
            document = json.dumps({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"}]}, indent=1)
            return "iam", "PutRolePolicy", {"roleName": "svc-" + hexes(8), "policyName": "inline",
                                            "policyDocument": document}, None
        return "ec2", "CreateTags", {"resourcesSet": {"items": [{"resourceId": "i-0" + hexes(16)}]},
                                     "tagSet": {"items": [{"key": "Env", "value": "prod"}]}}, None

    def event(number):
        account, read_only = dice.choice(accounts), dice.randrange(10) > 0
        if read_only:
            source, name = dice.choice(READS)
            request, response = {"name": "n-" + hexes(10), "maxResults": 100}, None
            if name == "AssumeRole":
                arn = f"arn:aws:sts::{account}:assumed-role/r-{hexes(8)}/s-{hexes(12)}"
                response = {"credentials": {"accessKeyId": "ASIA" + capitals(16), "sessionToken": hexes(80)},
                            "assumedRoleUser": {"assumedRoleId": f"AROA{capitals(17)}:s", "arn": arn}}
        else:
            source, name, request, response = write()
        role, session = "role-" + hexes(5), "i-0" + hexes(16)
        made = {
            "eventVersion": "1.10",
            "userIdentity": {"type": "AssumedRole", "principalId": f"AROA{capitals(17)}:{session}",
                             "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}", "accountId": account,
                             "accessKeyId": "ASIA" + capitals(16), "sessionContext": {"sessionIssuer": {
                                 "type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "userName": role}}},
            "eventTime": time_of(number),
            "eventSource": source + ".amazonaws.com", "eventName": name, "awsRegion": "eu-west-1",
            "sourceIPAddress": f"203.0.113.{dice.randrange(255)}", "userAgent": dice.choice(AGENTS),
            "requestParameters": request, "responseElements": response, "requestID": uuid(), "eventID": uuid(),
            "readOnly": read_only, "eventType": "AwsApiCall", "managementEvent": True,
            "recipientAccountId": account, "eventCategory": "Management",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
        }
        return made
    return event


def recorded(seed):
    """Events of a real log, in its order; the reads are spread evenly among the writes."""
    log = pathlib.Path(os.environ["HOLDFAST_TEST_DATA"]) / "aws-cloudtrail-invictus" / "CloudTrail"
    known = {event["eventID"]: event for path in log.iterdir() for event in json.loads(path.read_bytes())["Records"]}
    events = sorted(known.values(), key=lambda event: (event["eventTime"], event["eventID"]))
    writes = [event for event in events if not event["readOnly"] and "errorCode" not in event]
    others = [event for event in events if event["readOnly"]]
    texts = [json.dumps(event, separators=(",", ":")) for event in events_of_round(writes, others)]
    dice = random.Random(seed)
    number_of = re.compile(r"-0[0-9a-f]{8}([0-9a-f]{8})\b")

    def event(number):
        turn, place = divmod(number, len(texts))
        account, mark = f"{(turn * 7919 + 123837392027) % 10**12:012}", f"{turn:08x}"
        text = texts[place].replace("123837392027", account).replace("stratus-red-team", f"stratus-{turn}")
        text = number_of.sub(lambda found: f"-0{mark}{found[1]}", text)
        text = re.sub(r'"(A[KS]IA)[A-Z0-9]{6}', lambda found: f'"{found[1]}{turn:06}', text)
        made = json.loads(text)
        made["eventID"] = f"{dice.getrandbits(128):032x}"
        made["eventTime"] = time_of(number)
        return made
    return event


def events_of_round(writes, others):
    for place, write in enumerate(writes):
        yield write
        for step in range(9):
            yield others[(place * 9 + step) % len(others)]


def time_of(number):
    return f"2026-11-{1 + number // 864000:02}T{number // 36000 % 24:02}:{number // 600 % 60:02}:{number // 10 % 60:02}Z"


def say_mix(output):
    """What the writes came to: so that a mix can be compared with another."""
    rows = [json.loads(line) for line in output]
    rows = [row for row in rows if row["kind"] in ("change", "raw-write")]
    counts = collections.Counter()
    for row in rows:
        counts["touch a type of the catalog"] += row["kind"] == "change"
        counts["open, change or end a finding"] += bool(row.get("findings"))
        counts["have a plan"] += any(plan["guards"] for plan in row.get("plans", []))
    said = ", ".join(f"{count / max(1, len(rows)):.1%} {name}" for name, count in counts.items())
    print(f"{len(rows)} writes: {said}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mix", choices=["recorded", "hard"], default="recorded")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--folder")
    parser.add_argument("--include", default="timeline")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder or tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    if not any(folder.iterdir()):
        event = (recorded if options.mix == "recorded" else hard)(20261122)
        for start in range(0, options.events, 5000):
            records = [event(number) for number in range(start, min(start + 5000, options.events))]
            text = json.dumps({"Records": records}, separators=(",", ":")).encode()
            (folder / f"{start:09}.json.gz").write_bytes(gzip.compress(text, 1))
    size = sum(path.stat().st_size for path in folder.iterdir())
    program = os.environ["HOLDFAST_PROGRAM"]
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([program, "replay", str(folder), "--format", "jsonl", "--include", options.include],
                              stdout=output, stderr=sys.stderr)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        output.seek(0)
        say_mix(output)
    seconds = used.ru_utime + used.ru_stime
    print(f"{options.mix}: {options.events} events, {size // 2**20} MiB packed: {seconds:.1f} s of processor time, "
          f"{options.events / seconds:,.0f} events a second, {used.ru_maxrss // 1024} MiB at most")
    sys.exit(done.returncode)


main()
