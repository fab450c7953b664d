"""The estate in which the runbooks' commands make sense: two accounts on moto, CloudTrail by file, by LookupEvents, in a
bucket and in Kafka, a service with its server, and a shell whose `systemctl` starts and stops that service."""
import datetime
import getpass
import gzip
import json
import os
import pathlib
import pty
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

import estate
import polled
import remediation_bench as bench
from counting_proxy import CountingProxy
from program import PROGRAM, TOP
from remediation_bench import CLOSED, DEV, OPENED, PRODUCTION, REGION
from scan import environment

SHIPPED = {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")}
# Faster than on a bad day, else as it is shipped.
LIMITS = {"calls-per-second": 1000, "settle-time": "0s", "consistency-margin": "0s", "time-resolution": "0s",
          "permit-expiry": "5s"}
# Where a page has the left one, this machine has the right one.
PLACES = {"/etc/holdfast": "etc", "/var/lib/holdfast": "lib", "/var/backups": "backups",
          "/opt/holdfast/catalog": "etc/catalog"}
# What the pages name and this machine does not have, or not for this service.
STAND_INS = {
    "systemctl": "no systemd runs this service: it is started and stopped by its process",
    "journalctl": "no systemd: the service's own log is shown",
    "timedatectl": "no systemd: it says what that of a machine in step says",
    "aws": "no account of AWS: CloudTrail's public keys are an empty list",
    "install": "this machine has no user holdfast: without -o and -g",
}
TOOLS = {
    "timedatectl": "#!/bin/sh\necho 'System clock synchronized: yes'\n",
    "aws": "#!/bin/sh\necho '{\"PublicKeyList\": []}'\n",
    "install": "#!/bin/sh\n[ \"$1 $3\" = '-o -g' ] && shift 4\nexec /usr/bin/install \"$@\"\n",
}


class Cloud:
    """moto behind a proxy that also has what moto lacks: LookupEvents."""

    def __init__(self, endpoint, logs, hook):
        self.hook = hook
        self.endpoint, self.proxy = endpoint, CountingProxy(endpoint)
        self.proxy.elsewhere["LookupEvents"] = urllib.parse.urlsplit(logs)
        self.logs = logs
        self.dev, self.production = (estate.session(endpoint, account)("s3") for account in (DEV, PRODUCTION))

    def tell(self, event):
        """CloudTrail's LookupEvents has it, and so has a file in the trail's bucket."""
        at = datetime.datetime.fromisoformat(event["eventTime"].replace("Z", "+00:00"))
        row = polled.row({**event, "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
        account = event["recipientAccountId"]
        polled.call(f"{self.logs}/control/events", {"log": f"{account}/{REGION}", "events": [
            {"id": event["eventID"], "time": row["EventTime"], "row": row, "shows": row["EventTime"]}]})
        key = (f"AWSLogs/{account}/CloudTrail/{REGION}/{at:%Y/%m/%d}/"
               f"{account}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{event['eventID'][:8]}.json.gz")
        self.dev.put_object(Bucket="trail", Key=key, Body=gzip.compress(json.dumps({"Records": [event]}).encode()))


class Machine:
    """A machine with the service on it: its folders, its shell, its log."""

    def __init__(self, top, cloud, **changes):
        self.top, self.cloud, self.process, self.kafka = pathlib.Path(top), cloud, None, None
        for folder in ("etc/events", "lib", "backups", "tools"):
            (self.top / folder).mkdir(parents=True)
        self.etc = self.top / "etc"
        (self.etc / "captures.key").write_text(secrets.token_hex(32))
        for words in ("genpkey -algorithm ed25519 -out audit.key", "pkey -in audit.key -pubout -out audit.pub"):
            subprocess.run(["openssl", *words.split()], cwd=self.etc, check=True, capture_output=True)
        for name, text in TOOLS.items():
            self.tool(name, text)
        for name in ("systemctl", "journalctl"):
            self.tool(name, f"#!/bin/sh\necho {name} is done by the test; exit 99\n")
        (self.top / "tools/holdfast").symlink_to(PROGRAM)
        self.environment = {**environment(cloud.proxy.url), "NO_COLOR": "1", "XDG_STATE_HOME": f"{top}/state",
                            "HOOK_KEY": "k" * 32, "PATH": f"{self.top / 'tools'}:{os.environ['PATH']}"}
        self.configure(self.usual(**changes))

    def tool(self, name, text):
        path = self.top / "tools" / name
        path.write_text(text)
        path.chmod(0o755)

    @staticmethod
    def usual(prompts=(), **changes):
        accounts = [{"aws": account, "environment": name, "owner": "web", "read-role": estate.ROLE % account,
                     "write-role": bench.WRITE % account, "regions": [REGION]}
                    for account, name in ((DEV, "dev"), (PRODUCTION, "production"))]
        people = {"ann.lee": {"local": getpass.getuser()}, "bo.ray": {"oidc": "2"},
                  "al.ice": {"oidc": "3", "aws": ["arn:aws:iam::*:user/alice"]}}
        return {
            "store": {"sqlite": "../lib/holdfast.db"}, "data": SHIPPED, "accounts": accounts, "mode": "remediate",
            "environments": ["dev", "production"], "state": {"clouds": ["aws"]}, "halt-file": "./HALT",
            "keys": {"captures": "file:captures.key", "audit": "file:audit.key"}, "rollout": {"runs": 1, "soak": "0s"},
            "budgets": {"type": "100 %"}, "limits": LIMITS, "log": {"format": "json"},
            "sources": [{"file": {"paths": ["./events"], "follow": "true"}}],
            "identities": [{"person": name, **known} for name, known in people.items()],
            "approvals": {"roles": {role: ["ann.lee", "bo.ray"] for role in ("approver", "operator", "admin")},
                          "prompts": list(prompts)},
            "audit": {"anchor": [{"file": "../lib/audit.anchor"}]}, "server": {"listen": "127.0.0.1:0"}, **changes}

    def configure(self, configuration, name="holdfast.yaml"):
        self.configuration = configuration
        (self.etc / name).write_text(json.dumps(configuration))

    # ---- The service

    def start(self):
        self.stop()
        with open(self.top / "log", "w") as log:
            self.process = subprocess.Popen([PROGRAM, "run", "--config", "holdfast.yaml", "--quiet"], cwd=self.etc,
                                            env=self.environment, stdout=log, stderr=log)
        self.until("the server", self.is_up, 180)

    def is_up(self):
        return self.address("http") and self.address("unix")

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            code, self.process = self.process.wait(timeout=60), None
            if code != 0:
                sys.exit(f"the service ended with {code}:\n{self.told()}")

    def told(self):
        return (self.top / "log").read_text()[-3000:]

    def address(self, kind):
        lines = [json.loads(line) for line in open(self.top / "log") if line.startswith("{")]
        return next((line["address"] for line in lines if line.get("address", "").startswith(kind)), None)

    def until(self, what, check, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if value := check():
                return value
            time.sleep(0.3)
        sys.exit(f"{what} did not come within {seconds} s:\n{self.told()}")

    def systemctl(self, verb, unit):
        """What systemd would do; the exit code, and what it prints."""
        if unit != "holdfast" or verb not in ("start", "stop", "restart", "status"):
            return 1, f"the unit {unit} has no {verb}"
        if verb in ("stop", "restart"):
            self.stop()
        if verb in ("start", "restart"):
            self.start()
        return (0, "active (running)") if self.process else (0 if verb == "stop" else 3, "inactive (dead)")

    # ---- What happens in it

    def send(self, *events, tell=True):
        with open(self.etc / "events/log.jsonl", "a") as file:
            file.write("".join(event if isinstance(event, str) else json.dumps(event) + "\n" for event in events))
        for event in events if tell else ():
            self.cloud.tell(event)
            if self.kafka:
                self.kafka.send([event])

    def open_up(self, account, bucket, actor=bench.ALICE):
        """Somebody makes a bucket public, and CloudTrail tells of it."""
        s3 = self.cloud.dev if account == DEV else self.cloud.production
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=OPENED)
        self.send(bench.event(account, "s3.amazonaws.com", "PutBucketPublicAccessBlock", {
            "bucketName": bucket, "PublicAccessBlockConfiguration": OPENED}, actor=actor))

    def buckets(self, account, *names, block=CLOSED):
        for name in names:
            bench.make_bucket(self.cloud.dev if account == DEV else self.cloud.production, name, block)

    # ---- Its shell

    def ask(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments, "--format", "json"], cwd=self.etc, env=self.environment,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"holdfast {' '.join(arguments)} failed: {done.stderr[-2000:]}\n{self.told()}")
        return json.loads(done.stdout)

    def here(self, command):
        """The command with this machine's paths and port."""
        for place, own in PLACES.items():
            command = re.sub(rf"{place}(?=[/\s\"']|$)", str(self.top / own), command)
        if self.process and (address := self.address("http")):
            command = command.replace("http://127.0.0.1:8484", address)
        return command

    def type(self, command):
        """Exit code and everything that was printed, as systemd would answer or as a shell does."""
        if found := re.fullmatch(r"systemctl (\w+) (\w+)", command):
            return self.systemctl(*found.groups())
        if command.startswith("journalctl "):
            return 0, self.told()
        if command == "holdfast approvals":
            return self.on_a_terminal(command.split())
        done = subprocess.run(["bash", "-o", "pipefail", "-c", self.here(command)], cwd=self.etc, env=self.environment,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        # What goes into a file is looked at there.
        into = re.search(r" > (\S+)$", command)
        if into and done.returncode == 0:
            return 0, (self.etc / into[1]).read_text()
        return done.returncode, done.stdout + done.stderr

    def on_a_terminal(self, words):
        """As somebody sees it who looks at the first question and leaves."""
        process, screen = pty.fork()
        if process == 0:
            os.chdir(self.etc)
            os.execvpe(words[0], words, self.environment)
        out, left, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([screen], [], [], 1)[0]:
                continue
            try:
                part = os.read(screen, 4096)
            except OSError:
                break
            out += part
            if not part:
                break
            if not left and out.rstrip().endswith(b":"):
                os.write(screen, b"q\n")
                left = True
        os.close(screen)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), out.decode()

    def copy(self, source, name):
        shutil.copytree(source, self.etc / name, dirs_exist_ok=True)
