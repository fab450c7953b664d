"""What happens in the estates before each page: the sound one, in which people decide, and the sick one, which has
something wrong for each notice."""
import datetime
import json
import os
import re
import shutil

import botocore

import estate
import remediation_bench as bench
from program import TOP
from remediation_bench import BROKER, DEV, OPENED, PRODUCTION, REGION
from runbook_estate import Machine
from runbook_expected import NOT_RAISED, SICK

NEW_RULE = """title: A rule of a test
severity: low
maturity: stable
expect: {BucketName: never}
why: It is a test.
fix: {console: Nothing.}
tests:
  - {given: {}, verdict: unknown}
"""
PLAYBOOK, RULE = "aws-s3-block-public-access", "aws/s3/bucket-blocks-public-access"


def moment(seconds):
    """So many seconds from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(bucket):
    return f"arn:aws:s3:::{bucket}"


class Scene:
    """Fills in a page's placeholders from what the machine knows."""

    def __init__(self):
        # What FINDING and ID are, and which plans were decided.
        self.resource, self.decided = plain("waits-0"), set()

    def before(self, page):
        self.resource = plain("waits-0")
        getattr(self, page.replace("-", "_"), lambda: None)()

    def heading(self, title):
        """Some pages go from stage to stage."""

    def notice(self, code):
        self.machine.until(f"the notice {code}", lambda: code in [n["code"] for n in self.machine.ask("notices")])

    def waiting(self):
        plans = self.machine.until("a plan that waits", lambda: [
            plan for plan in self.machine.ask("approvals") if plan["digest"] not in self.decided])
        self.decided.add(plans[0]["digest"])
        return plans[0]["digest"]

    def finding(self):
        """The finding of the page's resource, or another where it is over."""
        found = [f for f in self.machine.ask("findings", "--open") if f["rule"] == RULE]
        return max(found, key=lambda f: f["resource"] == self.resource)["id"]

    def run(self):
        return self.machine.until("a verified run", lambda: [
            run for run in self.machine.ask("runs") if run["phase"] == "verified"])[0]["id"]

    def fill(self, page, command):
        """The command with its placeholders filled in; `…` is what each option takes."""
        for pattern, value in {
                r"--reason …": lambda: "--reason 'a test'", r"--preview …": lambda: f"--preview --rule {RULE} --resource {self.resource}",
                r"--scope …": lambda: "--scope environment:production --reason 'a test'", r" …": lambda: "",
                r"\bDIGEST\b(?!\.)": self.waiting, r"\bFINDING\b": self.finding, r"\bRUN\b": self.run,
                r"\bplaybook:ID\b": lambda: f"playbook:{PLAYBOOK}", r"\bPLAYBOOK\b": lambda: PLAYBOOK,
                r"\bRULE\b": lambda: RULE, r"\bID\b": lambda: self.resource, r"--config FILE\b": lambda: "--config holdfast.yaml",
                r"\bPATH\b": lambda: "events", r"\bDIR\b": lambda: "models",
                r"\bFILE\.jsonl\b": lambda: str(TOP / "deploy/samples/state.jsonl"),
                r"\bT1\b": lambda: moment(-3600), r"\bT2?\b": lambda: moment(0),
                # What the page's own examples are named, in the events that it is typed over.
                r"\bmy-bucket\b": lambda: "payments-exports", r"\b203\.0\.113\.7\b": lambda: "198.51.100.7"}.items():
            if re.search(pattern, command):
                command = re.sub(pattern, lambda _: value(), command)
        return command


class Sound(Scene):
    """Drift in dev is fixed, drift in production waits for people."""

    def __init__(self, folder, cloud):
        super().__init__()
        sources = [{"file": {"paths": ["./events"], "follow": "true"}},
                   {"cloudtrail-lookup": {"accounts": [DEV, PRODUCTION], "regions": [REGION]}},
                   {"cloudtrail-s3": {"bucket": "trail", "region": REGION, "account": DEV}}]
        kafka = bench.KafkaEvents() if BROKER else None
        sources += [kafka.source] if kafka else []
        many = "1000 per hour"
        self.machine = machine = Machine(
            folder, cloud, sources=sources, flapping={"count": 2, "within": "1h"},
            prompts=[{"webhook": {"url": cloud.hook, "secret": "env:HOOK_KEY"}}],
            budgets={"type": "100 %", "overall": many, "account": many, "playbook": many})
        machine.kafka = kafka
        machine.buckets(DEV, *[f"fixed-{n}" for n in range(6)], "flaps", *[f"fails-{n}" for n in range(3)])
        machine.buckets(PRODUCTION, *[f"waits-{n}" for n in range(6)])
        machine.buckets(PRODUCTION, "backlog-0", "backlog-1", block=OPENED)
        machine.start()
        machine.until("the first scan", lambda: len(machine.ask("resources", "--type", "AWS::S3::Bucket")) >= 19)
        for number in range(6):
            machine.open_up(DEV, f"fixed-{number}")
        machine.until("the fixes", lambda: sum(r["phase"] == "verified" for r in machine.ask("runs")) >= 6)
        for number in range(6):
            machine.open_up(PRODUCTION, f"waits-{number}")
        machine.until("plans that wait", lambda: len(machine.ask("approvals")) >= 6)


    def flapping(self):
        """Somebody opens it again after each fix. The page before this one ends with a halt."""
        self.machine.type("holdfast resume --reason 'a test'")
        self.resource = plain("flaps")
        for number in range(3):
            self.machine.open_up(DEV, "flaps")
            if number < 2:
                self.machine.until("the fix", lambda: sum(
                    run["phase"] == "verified" for run in self.machine.ask("runs")
                    if run["resource"].endswith("flaps")) > number)
        self.notice("flapping")

    def run_failed(self):
        """The cloud refuses the call."""
        self.machine.cloud.proxy.denied.add("fails-")
        self.resource = plain("fails-0")
        self.machine.open_up(DEV, "fails-0")
        self.notice("run-failed")

    def breaker_open(self):
        for number in (1, 2):
            self.machine.open_up(DEV, f"fails-{number}")
        self.notice("breaker-open")

    def halt_and_resume(self):
        """The page before this one ends with a playbook halted."""
        self.machine.type(f"holdfast resume playbook:{PLAYBOOK} --reason 'a test'")

    def incident_replay(self):
        """The events of deploy/samples are the incident's."""
        for name in ("logs", "bucket"):
            self.machine.copy(TOP / "deploy/samples/events", name)
        tune = self.machine.etc / "tune"
        tune.mkdir()
        (tune / "ours.yaml").write_text("- rule: aws/cloudtrail/trail-is-logging\n  severity: low\n")

    def restore_from_backup(self):
        text = json.dumps({**self.machine.configuration, "store": {"sqlite": "../backups/holdfast.db"}})
        (self.machine.etc / "restored.yaml").write_text(text)


class Sick(Scene):
    """Something is wrong for each notice."""

    def __init__(self, folder, cloud):
        super().__init__()
        cloud.proxy.refused |= {"LookupEvents", "ListAccounts", "Get policy"}
        self.machine = machine = Machine(
            folder, cloud, discover={"aws-organization": {"account": DEV, "read-role": "arn:aws:iam::{account}:role/holdfast-read"}},
            audit={"anchor": [{"file": "../lib/audit.anchor"}, {"syslog": "unix:/nonexistent/log"}]},
            data={"catalog": ["./catalog"], "baseline": ["./baseline"], "playbooks": [f"{TOP}/playbooks"]},
            channels={"tickets": {"webhook": {"url": "http://127.0.0.1:9/", "secret": "env:HOOK_KEY"}}},
            routes=[{"match": {"notice": "own-eyes"}, "to": ["tickets"]}], prompts=[{"channel": "tickets"}],
            sources=[{"file": {"paths": ["./events"], "follow": "true"}},
                     {"cloudtrail-lookup": {"accounts": [DEV], "regions": [REGION]}}])
        for name in ("catalog", "baseline"):
            machine.copy(TOP / name, name)
        machine.copy(os.path.dirname(botocore.__file__), "models/botocore")
        self.spoilt = machine.etc / "baseline/rules/aws/s3/broken.yaml"
        self.spoil()
        machine.buckets(DEV, "fixed-0")
        machine.buckets(PRODUCTION, "waits-0")
        machine.start()
        machine.until("the first scan", lambda: len(machine.ask("resources", "--type", "AWS::S3::Bucket")) >= 3)
        machine.open_up(DEV, "fixed-0")
        machine.until("the fix", lambda: [r for r in machine.ask("runs") if r["phase"] == "verified"])
        machine.open_up(PRODUCTION, "waits-0")
        machine.send(*self.odd(), tell=False)

    @staticmethod
    def odd():
        """An account that nobody configured, a region that is not there, a time to come, and no event at all."""
        def event(bucket, account=DEV, **more):
            change = {"bucketName": bucket, "PublicAccessBlockConfiguration": OPENED}
            return {**bench.event(account, "s3.amazonaws.com", "PutBucketPublicAccessBlock", change), **more}
        return [event("not-ours", "999900001111"), event("moon", awsRegion="eu-moon-1"),
                event("tomorrow", eventTime=moment(7200)), '{"eventName": "A", "eventName": "B"}\n']

    def spoil(self, text="titel: broken\n"):
        self.spoilt.write_text("type: AWS::S3::Bucket\n" + text)

    def before(self, page):
        super().before(page)
        if page in SICK and page not in NOT_RAISED and not page.startswith("reload") and page != "README":
            self.notice(page)

    def fill(self, page, command):
        # "Mend the files, and check until it says ok."
        if page in ("data-broken", "reload-refused") and command == "holdfast check":
            self.spoilt.unlink()
        return super().fill(page, command)

    def reload_refused(self):
        self.spoil()

    def reload_waits(self):
        """A rule that every bucket drifts from."""
        self.spoil(NEW_RULE)
