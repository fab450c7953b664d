"""The first rollout, stage by stage as its page has it: the configuration that `holdfast init` wrote, then with what the
page says to add."""
import getpass
import hashlib
import secrets
import sys
import time

import yaml

import estate
import remediation_bench as bench
from program import TOP
from remediation_bench import DEV, OPENED, PRODUCTION, REGION
from runbook_estate import LIMITS, SHIPPED, Machine
from runbook_pages import docs
from runbook_scenes import PLAYBOOK, Scene, plain

PAGE = (TOP / "runbooks/first-rollout.md").read_text()
ADDED = next(yaml.safe_load(block) for language, _, block, _ in docs.blocks(PAGE) if language == "yaml")

SOURCES = [{"cloudtrail-lookup": {"regions": [REGION], "every": "1s"}}]


class Beginner(Machine):
    """A machine without a configuration, whose own credentials are those of the account."""

    def __init__(self, top, cloud):
        super().__init__(top, cloud)
        self.is_scanned = False
        (self.etc / "holdfast.yaml").unlink()
        keys = estate.credentials(cloud.endpoint, DEV)
        self.environment |= {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                             "AWS_SESSION_TOKEN": keys["SessionToken"]}

    def is_up(self):
        """Before there is a server in the configuration, the first scan says that it runs; later nothing does."""
        return super().is_up() if "server" in self.read() else self.is_scanned or "the scan is through" in self.told()

    def read(self):
        return yaml.safe_load((self.etc / "holdfast.yaml").read_text())

    def add(self, **more):
        """What a page says to add, and a restart."""
        self.stop()
        self.is_scanned = True
        self.configure({**self.read(), **more})
        self.start()

    def type(self, command):
        if command == "holdfast run --config holdfast.yaml":
            return self.systemctl("start", "holdfast")
        return super().type(command)


class Rollout(Scene):
    def __init__(self, folder, cloud):
        super().__init__()
        self.token = "hf_" + secrets.token_urlsafe(32)
        self.machine = machine = Beginner(folder, cloud)
        machine.buckets(DEV, "public-site", "opened", block=OPENED)
        machine.buckets(DEV, *[f"dev-{number}" for number in range(3)])
        machine.buckets(PRODUCTION, "backlog-0", block=OPENED)
        machine.buckets(PRODUCTION, "waits-0")

    def heading(self, title):
        self.resource = plain("opened")
        if title.startswith("## 2."):
            self.machine.add(mode="dry-run")
            self.machine.until("decisions", lambda: not self.machine.type("holdfast report dry-run")[1].startswith("0 "))
        if title.startswith("## 4."):
            self.production()

    def fill(self, page, command):
        # What the page says to add stands above its first command of the stage that needs it.
        if command.startswith("touch "):
            self.non_production()
        if command == "holdfast runs":
            self.drift()
        if command == "holdfast approvals":
            self.second_person()
        return super().fill(page, command)

    def non_production(self):
        """As the page has it, but for who sits here, a free port, and limits of a test."""
        people = [{**known, "local": getpass.getuser() if known["local"] == "ann" else known["local"]}
                  for known in ADDED["identities"]]
        self.machine.add(**{
            **ADDED, "identities": people, "data": SHIPPED, "limits": LIMITS, "log": {"format": "json"}, "halt-file": "./HALT",
            "server": {"listen": "127.0.0.1:0"}, "rollout": {"runs": 2, "soak": "0s"}, "sources": SOURCES,
            "budgets": {**ADDED["budgets"], "type": "100 %"}})
        # What CloudTrail's log tells to the second must be later than the mode.
        time.sleep(2)

    def drift(self):
        (self.machine.etc / "HALT").unlink()
        for number in range(3):
            self.machine.open_up(DEV, f"dev-{number}")
        self.machine.until("the fixes", lambda: sum(r["phase"] == "verified" for r in self.machine.ask("runs")) == 3)

    def production(self):
        account = {"aws": PRODUCTION, "environment": "production", "read-role": estate.ROLE % PRODUCTION,
                   "write-role": bench.WRITE % PRODUCTION, "regions": [REGION]}
        known = self.machine.read()
        scope = {"match": {"environment": "production"}, "mode": "remediate"}
        token = {"name": "bo", "person": "bo.ray", "roles": ["admin"], "expires": "2099-01-01T00:00:00Z",
                 "sha256": hashlib.sha256(self.token.encode()).hexdigest()}
        self.machine.add(accounts=[*known["accounts"], account], scopes=[*known["scopes"], scope],
                         server={**known["server"], "tokens": [token]})
        self.machine.until("the first scan of it", lambda: {plain("backlog-0"), plain("waits-0")} <= {
            resource["id"] for resource in self.machine.ask("resources", "--type", "AWS::S3::Bucket")})
        time.sleep(2)
        # Of somebody who is under identities:, else nobody can be asked.
        self.machine.open_up(PRODUCTION, "waits-0", actor="arn:aws:iam::%s:user/bo")

    def second_person(self):
        """Each playbook is opened by two people; then what drifts waits for approval."""
        code, text = self.machine.type(f"HOLDFAST_TOKEN={self.token} holdfast rollout open {PLAYBOOK} production "
                                       f"--reason 'seen too' --server {self.machine.address('http')}")
        if code != 0:
            sys.exit(f"bo.ray cannot open it: {text}")
        self.machine.until("a plan that waits", lambda: self.machine.ask("approvals"))
