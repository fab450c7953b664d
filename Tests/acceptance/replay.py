"""`holdfast replay` over published attacks: who did what, the same bytes whatever the order, holes in the log, evidence
packs, back-tests, and the page in a real browser. Screenshots go to HOLDFAST_TEST_ARTIFACTS, or to a temporary folder
whose name is printed. HOLDFAST_TEST_BROKER names a Kafka broker; HOLDFAST_TEST_PYTHON's packages speak to it."""
import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

import replay_browser as browser
from holdfast import DATA, PROGRAM, TOP, explain, run

STRATUS = DATA / "aws-cloudtrail-stratus"
INVICTUS = DATA / "aws-cloudtrail-invictus" / "CloudTrail"
checks = 0


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def replay(*arguments, cwd=TOP, prefix=(), env=None):
    done = subprocess.run([*prefix, PROGRAM, "replay", *map(str, arguments)], cwd=cwd, capture_output=True,
                          env={**os.environ, **(env or {})})
    check(done.returncode == 0, f"replay {arguments}: {done.stderr.decode()[-2000:]}")
    return done.stdout


def document(*arguments, **options):
    return json.loads(replay(*arguments, "--format", "json", **options))


# ---- Who did what

def techniques(folder):
    """For each technique whose writes touch types of the catalog: actor, resource, before and after."""
    named = 0
    for path in sorted(STRATUS.rglob("*.json")):
        touched = {line["id"]: [r["id"] for r in line["affected"] if r["effect"] != "relates"]
                   for line in explain(path)[0] if not line["dropped"] and line["affected"]}
        touched = {event: resources for event, resources in touched.items() if resources}
        # From a folder without a configuration file.
        rows = {row["event"]: row for row in document("--source", "file", path, cwd=folder)["timeline"]}
        for event, resources in touched.items():
            named += 1
            row = rows[event]
            check(row["kind"] == "change" and row["origin"], f"{path.stem}: {event} names no actor")
            changed = {r["id"]: r.get("changes") for r in row["resources"]}
            for resource in resources:
                check(resource in changed, f"{path.stem}: {event} does not name {resource}")
                check(changed[resource], f"{path.stem}: {event} tells no difference of {resource}")
                check(all("before" in c and "after" in c for c in changed[resource] if "path" in c),
                      f"{path.stem}: a difference of {resource} lacks a side")
    check(named >= 6, "the techniques touch types of the catalog")
    print(f"stratus: {named} writes name actor, resource, before and after")


def chains():
    found = document("--source", "file", INVICTUS)
    rows = found["timeline"]
    person = "arn:aws:iam::123837392027:user/bert-jan"
    through = [r for r in rows if r.get("origin") == person and r["actor"] != person]
    check(through, "somebody acts through a role, and the person is named")
    check(any("ec2-get-password-data" in r["actor"] for r in through), "the role of the technique leads to the person")
    stolen = [r for r in rows if r.get("origin") == "i-0dbc91f429e48eeed through ec2.amazonaws.com"]
    check(stolen, "an instance's role leads to the instance")
    check(sum(r["kind"] == "raw-write" for r in rows) == found["summary"]["raw-writes"] > 0, "raw writes are rows")
    print(f"invictus: {len(rows)} rows, {len(through)} through roles to the person behind them")


# ---- The same bytes

def same_bytes(folder):
    whole = replay("--source", "file", INVICTUS, "--format", "json")
    rows = replay("--source", "file", INVICTUS, "--format", "jsonl")
    files = sorted(INVICTUS.iterdir())
    random.Random(7).shuffle(files)
    shuffled = folder / "shuffled"
    shuffled.mkdir()
    for number, path in enumerate(files):
        shutil.copy(path, shuffled / f"{number:02}.json")
    check(replay("--source", "file", shuffled, "--format", "jsonl") == rows, "other names, other order: the same rows")
    check(replay("--source", "file", *files, "--format", "json") == whole, "another order: the same document")
    elsewhere = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C"}
    check(replay("--source", "file", INVICTUS, "--format", "json", env=elsewhere) == whole, "the time zone counts not")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0:
        cut = replay("--source", "file", INVICTUS, "--format", "json", prefix=["unshare", "-n"])
        check(cut == whole, "with the network cut off")
    else:
        print("SKIPPED: the network cannot be cut off here")
    print("same bytes: shuffled, renamed, another time zone, no network")
    return rows


PRODUCE = """
import json, sys
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
broker, topic = sys.argv[1:3]
KafkaAdminClient(bootstrap_servers=broker).create_topics([NewTopic(topic, 12, 1)])
producer = KafkaProducer(bootstrap_servers=broker)
for number, line in enumerate(sys.stdin.buffer):
    producer.send(topic, line.rstrip(b"\\n"), partition=number * 5 % 12)
producer.flush()
"""


def kafka(rows):
    broker, python = os.environ.get("HOLDFAST_TEST_BROKER"), os.environ.get("HOLDFAST_TEST_PYTHON")
    if not broker or not python:
        return print("SKIPPED: Kafka; HOLDFAST_TEST_BROKER and HOLDFAST_TEST_PYTHON are not both set")
    records = [r for path in sorted(INVICTUS.iterdir()) for r in json.loads(path.read_text())["Records"]]
    random.Random(3).shuffle(records)
    topic = f"replay-{os.getpid()}"
    subprocess.run([python, "-c", PRODUCE, broker, topic], check=True,
                   input="\n".join(map(json.dumps, records)).encode())
    window = ["--from", "2023-07-10T11:00:00Z", "--to", "2023-07-10T13:00:00Z"]
    topics = ["--source", "kafka", "--brokers", broker, "--topic", topic, "--late", "all", *window]
    check(replay(*topics, "--format", "jsonl") == rows, "split over 12 partitions: the same rows")
    coverage = document(*topics)["coverage"]
    check(all(s["state"] == "complete" for strip in coverage["strip"] for s in strip["stretches"]),
          "every offset of the window was read")
    print(f"kafka: {len(records)} records over 12 partitions give the same rows")


# ---- Holes

def holes(folder):
    """A trail with digests, signed as CloudTrail signs them, by a key of our own."""
    logs = folder / "logs"
    logs.mkdir()
    key = folder / "digest.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    der = subprocess.run(["openssl", "rsa", "-in", key, "-RSAPublicKey_out", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"PublicKeyList": [{"Value": base64.b64encode(der).decode(), "Fingerprint": "aa"}]}))
    previous = (None, None)
    for hour in (11, 12, 13):
        files = []
        for path in sorted(INVICTUS.iterdir()):
            stamp = path.name.split("_")[3]
            if not stamp.startswith(f"20230710T{hour}"):
                continue
            shutil.copy(path, logs / path.name)
            times = [r["eventTime"] for r in json.loads(path.read_text())["Records"]]
            files.append({"s3Bucket": "logs", "s3Object": f"AWSLogs/1/CloudTrail/us-east-1/{path.name}.gz",
                          "hashValue": hashlib.sha256(path.read_bytes()).hexdigest(), "hashAlgorithm": "SHA-256",
                          "oldestEventTime": min(times), "newestEventTime": max(times)})
        name = f"218007301253_CloudTrail-Digest_us-east-1_trail_us-east-1_20230710T{hour + 1}0000Z"
        text = json.dumps({
            "awsAccountId": "218007301253", "digestStartTime": f"2023-07-10T{hour}:00:00Z",
            "digestEndTime": f"2023-07-10T{hour + 1}:00:00Z", "digestS3Bucket": "logs",
            "digestS3Object": f"d/{name}.json.gz",
            "digestPublicKeyFingerprint": "aa", "digestSignatureAlgorithm": "SHA256withRSA", "logFiles": files,
            "previousDigestHashValue": previous[0], "previousDigestSignature": previous[1]}).encode()
        digest = hashlib.sha256(text).hexdigest()
        said = f"2023-07-10T{hour + 1}:00:00Z\nlogs/d/{name}.json.gz\n{digest}\n{previous[1] or 'null'}"
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=said.encode(), check=True,
                                   capture_output=True).stdout.hex()
        (logs / f"{name}.json").write_bytes(text)
        previous = (digest, signature)
    window = ["--from", "2023-07-10T11:30:00Z", "--to", "2023-07-10T12:30:00Z", "--digest-keys", keys]

    def strip():
        coverage = document("--source", "file", logs, *window)["coverage"]
        return [s["state"] for line in coverage["strip"] for s in line["stretches"]], json.dumps(coverage)

    states, text = strip()
    check(set(states) == {"complete"} and "signed" in text, f"signed digests prove the log whole: {states}")
    victim = next(path for path in sorted(logs.iterdir()) if "_20230710T1205Z_" in path.name)
    kept = victim.read_bytes()
    victim.unlink()
    states, text = strip()
    check("partial" in states and victim.name.split(".")[0] in text, "one file of several of a minute removed is named")
    victim.write_bytes(kept.replace(b"bert-jan", b"bert-jam", 1))
    check("is not what was signed" in strip()[1], "an altered file is told")
    victim.write_bytes(kept)
    middle = next(path for path in logs.iterdir() if path.name.endswith("20230710T130000Z.json"))
    middle.write_text(middle.read_text().replace('"awsAccountId": "2', '"awsAccountId": "3'))
    check("altered" in strip()[1], "an altered digest is told")
    # Without digests: the five-minute deliveries.
    bare = folder / "bare"
    bare.mkdir()
    for path in INVICTUS.iterdir():
        if "_20230710T1150Z_" not in path.name:
            shutil.copy(path, bare / path.name)
    known = json.dumps(document("--source", "file", bare)["coverage"])
    check("11:50Z" in known, "a delivery that is left out shows by the others")
    print("coverage: removed, altered and proven files are told apart, with digests and without")


# ---- Back-test

def backtest(folder):
    rules = folder / "baseline"
    shutil.copytree(TOP / "baseline", rules)
    same = document("--source", "file", INVICTUS, "--baseline", rules)["backtest"]
    check(not same["new"] and not same["vanished"] and not same["changed"], "the same rules find the same")
    gone = rules / "rules/aws/s3/versioning-on.yaml"
    gone.unlink()
    for name in ("frameworks",):
        shutil.rmtree(rules / name)
    changed = rules / "rules/aws/s3/example-named.yaml"
    changed.write_text("""\
title: Buckets are not called so
type: AWS::S3::Bucket
severity: high
maturity: stable
expect: {BucketName: {matches: "never-*"}}
why: A test.
fix: {cli: none}
tests:
  - {given: {BucketName: never-1}, verdict: pass}
  - {given: {BucketName: other}, verdict: drift, offending: [BucketName]}
  - {given: {Tags: []}, verdict: unknown}
""")
    found = document("--source", "file", INVICTUS, "--baseline", rules)["backtest"]
    vanished = {finding["rule"] for finding in found["vanished"]}
    new = {finding["rule"] for finding in found["new"]}
    check(vanished == {"aws/s3/versioning-on"}, f"what vanished is the rule that was taken out: {vanished}")
    check(new == {"aws/s3/example-named"}, f"what is new is the rule that was added: {new}")
    check(not found["changed"], "nothing else changed")
    tune = folder / "tune"
    tune.mkdir()
    (tune / "ours.yaml").write_text("- rule: aws/cloudtrail/trail-is-logging\n  severity: low\n")
    tuned = document("--source", "file", INVICTUS, "--tune", tune)["backtest"]
    check({c["rule"] for c in tuned["changed"]} == {"aws/cloudtrail/trail-is-logging"}, "a tune changes its rule alone")
    print(f"back-test: {len(found['vanished'])} vanished, {len(found['new'])} new, each by the rule that changed")


# ---- Journal, comparison, difference

def journal(folder):
    config = folder / "holdfast.yaml"
    config.write_text(
        "store: {sqlite: ./holdfast.db}\nsources:\n  - file: {paths: [" + json.dumps(str(INVICTUS)) + "]}\ndata:\n"
        + "".join(f"  {kind}: [{TOP}/{kind}]\n" for kind in ("catalog", "baseline", "playbooks")))
    run("run", "--config", config, "--quiet", cwd=folder)
    before = hashlib.sha256((folder / "holdfast.db").read_bytes()).hexdigest()
    live = {f["id"] for f in json.loads(run("findings", "--open", "--config", config, "--format", "json").stdout)}
    replayed = document("--source", "journal", "--config", config)
    found = {f["id"] for f in replayed["findings"] if f["state"] == "open"}
    check(live == found, f"a replay of the journal ends with what the service has open: {live ^ found}")
    raw = document("--source", "file", INVICTUS, "--config", config, "--compare")
    check({f["id"] for f in raw["findings"] if f["state"] == "open"} == live, "so does a replay of the raw log")
    reasons = {d["why"] for d in raw["comparison"]["differences"]}
    check(reasons <= {"late event"} and raw["comparison"]["same"] > 0, f"what differs came late: {reasons}")
    half = ["--from", "2023-07-10T12:00:00Z", "--config", config]
    check(document("--source", "journal", *half)["start"]["resources"] > 0, "the state when the window began is there")
    diff = json.loads(run("diff", "--config", config, "--from", "2023-07-10T11:59:00Z", "--to", "2023-07-10T12:05:00Z",
                          "--format", "json").stdout)
    check(any(r["change"] == "appeared" for r in diff["resources"]) and diff["findings"], "a difference of two moments")
    check(hashlib.sha256((folder / "holdfast.db").read_bytes()).hexdigest() == before, "the journal was only read")
    print(f"journal: {len(found)} open as in the service; {len(raw['comparison']['differences'])} came late")


# ---- Evidence packs

def packs(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "k.pem", "-out",
                    folder / "c.pem", "-days", "2", "-subj", "/CN=responder"], check=True, capture_output=True)
    signing = ["--sign-key", folder / "k.pem", "--sign-certificate", folder / "c.pem", "--redact"]
    for name in ("pack", "pack.tar"):
        replay("--source", "file", INVICTUS, "--bundle", folder / name, *signing, "--format", "jsonl")
    for name in ("pack", "pack-redacted", "pack.tar", "pack-redacted.tar"):
        run("replay", "verify", folder / name, "--trusted", folder / "c.pem")
    pack = folder / "pack"
    done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-purpose", "any", "-content",
                           pack / "manifest.json", "-in", pack / "manifest.json.cms", "-CAfile", folder / "c.pem",
                           "-out", os.devnull], capture_output=True)
    check(done.returncode == 0, f"openssl verifies the manifest: {done.stderr.decode()}")
    received = [json.loads(line) for line in (pack / "received.jsonl").read_text().splitlines()]
    rows = [json.loads(line) for line in (pack / "results/timeline.jsonl").read_text().splitlines()]
    writes = {row["event"] for row in rows if row["kind"] in ("change", "raw-write")}
    check({r["event"] for r in received} == writes, "every write is there as it was received")
    check(all(hashlib.sha256(r["received"].encode()).hexdigest() == r["sha256"] for r in received), "with its hash")
    statements = (pack / "statements.txt").read_text()
    marked = [line for line in statements.splitlines() if line.startswith("[")]
    check({line[1:line.index("]")] for line in marked} == {"observed", "reported", "inferred", "missing"},
          "each statement says what it rests on")
    for path in (folder / "pack-redacted").rglob("*"):
        if path.is_file():
            check(b"bert-jan" not in path.read_bytes() and b"123837392027" not in path.read_bytes(),
                  f"{path.name} names nobody")
    for path in sorted(pack.rglob("*")):
        if not path.is_file():
            continue
        kept = path.read_bytes()
        at = len(kept) // 2
        path.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1:])
        check(run("replay", "verify", pack, check=False).returncode != 0, f"one byte of {path.name} changed is noticed")
        path.write_bytes(kept)
    (pack / "more.txt").write_text("x")
    check(run("replay", "verify", pack, check=False).returncode != 0, "a file that was added is noticed")
    raw = bytearray((folder / "pack.tar").read_bytes())
    raw[raw.index(b"bert-jan")] ^= 1
    (folder / "pack.tar").write_bytes(raw)
    check(run("replay", "verify", folder / "pack.tar", check=False).returncode != 0, "so is a byte of an archive")
    print(f"packs: {len(received)} records, {len(marked)} marked statements; any changed byte is noticed")


# ---- The page

def page(folder, artifacts):
    if not browser.program():
        return print("SKIPPED: the page; no Chromium (apt-get install chromium-headless-shell)")
    for name, path in (("invictus", INVICTUS), ("stratus", STRATUS)):
        (folder / f"{name}.html").write_bytes(replay("--source", "file", path, "--format", "html"))
    with browser.Browser() as chromium:
        for name in ("invictus", "stratus"):
            for width, dark in ((1280, False), (390, False), (1280, True)):
                chromium.open(folder / f"{name}.html", width, 900, dark)
                check(chromium.requests == ["file://" + str(folder / f"{name}.html")], "the page asks for nothing else")
                check(not chromium.faults, f"no error in the page's console: {chromium.faults}")
                check(chromium.ask("document.documentElement.scrollWidth") <= width, f"{name} fits {width} px")
                check(chromium.ask("document.querySelectorAll('.row').length") > 0, "rows are drawn")
                chromium.screenshot(artifacts / f"{name}-{width}{'-dark' if dark else ''}.png")
        look(chromium, folder / "invictus.html", artifacts)
    print(f"page: drawn, without a request, at 1280 and 390 px, light and dark; screenshots in {artifacts}")


def look(chromium, path, artifacts):
    """What a person does: the slider, a row, a node of the graph, all by keyboard."""
    chromium.open(path)
    check(chromium.ask("document.querySelectorAll('#coverage .bar i').length") >= 2, "the strip has stretches")
    end = chromium.ask("document.getElementById('moment-text').textContent")
    check("8 findings open" in end, f"the slider stands at the end: {end}")
    chromium.ask("document.getElementById('moment').focus()")
    for _ in range(5):
        chromium.press("ArrowLeft")
    check(chromium.ask("document.getElementById('moment-text').textContent") != end, "the slider moves by keyboard")
    chromium.ask("document.activeElement.blur()")
    chromium.press("/")
    check(chromium.ask("document.activeElement.id") == "search", "/ goes to the search")
    for letter in "PutBucketPolicy":
        chromium.press(letter)
    found = chromium.ask("[...document.querySelectorAll('.row .action')].map((cell) => cell.textContent)")
    check(0 < len(found) < 10 and "s3.amazonaws.com/PutBucketPolicy" in found, f"the search finds: {found}")
    chromium.ask("document.activeElement.blur()")
    chromium.press("j")
    chromium.press("Enter")
    chromium.ask("new Promise((done) => setTimeout(done, 100))")
    row = chromium.ask("document.querySelector('.row[open] .body').textContent")
    check("who" in row or "by" in row, "a row opens by keyboard")
    check(chromium.ask("document.querySelectorAll('.row[open] td.before, .row[open] td.after').length") >= 2,
          "it shows before and after")
    chromium.screenshot(artifacts / "invictus-row.png", whole=False)
    chromium.ask("document.querySelector('#controls [type=reset]').click()")
    chromium.ask("new Promise((done) => setTimeout(done, 50))")
    node = "[...document.querySelectorAll('#graph .node')].find((one) => one.textContent.includes('CreateTrail'))"
    chromium.ask(f"{node}.focus()")
    chromium.press("Enter")
    actions = set(chromium.ask("[...document.querySelectorAll('.row .action')].map((cell) => cell.textContent)"))
    check(actions == {"cloudtrail.amazonaws.com/CreateTrail"}, f"a node of the graph shows its rows alone: {actions}")
    chromium.ask("document.querySelectorAll('.row').forEach((row) => { row.open = true })")
    guards = chromium.ask("new Promise((done) => setTimeout("
                          "() => done(document.querySelectorAll('.guards li').length), 50))")
    check(guards >= 12, "what each guard would have said is there")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kept = os.environ.get("HOLDFAST_TEST_ARTIFACTS") or tempfile.mkdtemp(prefix="holdfast-replay-")
        artifacts = pathlib.Path(kept)
        artifacts.mkdir(parents=True, exist_ok=True)
        techniques(folder)
        chains()
        rows = same_bytes(folder)
        kafka(rows)
        for part in (holes, backtest, journal, packs):
            (folder / part.__name__).mkdir()
            part(folder / part.__name__)
        page(folder, artifacts)
    print(f"replay: {checks} checks hold")


main()
