"""What lies in deploy/ holds: the unit is one that systemd accepts and finds hardened, container and compose files keep
their promises, every example configuration passes `holdfast check`, every metric of the alert rules is in what a running
service exposes, every notice has an alert and every alert a runbook. Run it with the Python of Tests/servers/python.sh."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

from program import PROGRAM, TOP

DEPLOY = TOP / "deploy"
skipped = []


def fail(text):
    sys.exit(f"deploy: {text}")


def unit():
    text = (DEPLOY / "systemd/holdfast.service").read_text()
    settings = [line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z]\w+=", line)]
    for name, value in {"User": "holdfast", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes",
                        "CapabilityBoundingSet": "", "KillSignal": "SIGTERM"}.items():
        if [name, value] not in settings:
            fail(f"the unit lacks {name}={value}")
    if ["PrivateUsers", "yes"] in settings:
        fail("with PrivateUsers the socket takes everybody for nobody")
    if not shutil.which("systemd-analyze"):
        return skipped.append("systemd-analyze")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/holdfast.service"
        pathlib.Path(path).write_text(text.replace("/usr/bin/holdfast", PROGRAM))
        for command in (["verify", "--man=no", path], ["security", "--offline=yes", "--threshold=16", path]):
            done = subprocess.run(["systemd-analyze", *command], capture_output=True, text=True)
            if done.returncode or done.stderr:
                fail(f"systemd-analyze {command[0]}: {done.stdout[-400:]}{done.stderr}")
        pathlib.Path(path).write_text(re.sub(r"(?m)^(Protect|Restrict|SystemCall|Capab|NoNew|Private).*\n", "", text)
                                      .replace("/usr/bin/holdfast", PROGRAM))
        if subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=16", path],
                          capture_output=True).returncode == 0:
            fail("a unit without hardening passes too: this checks nothing")


def container():
    text = (DEPLOY / "container/Containerfile").read_text().replace("\\\n", " ")
    steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    last = steps[len(steps) - 1 - [step[0] for step in reversed(steps)].index("FROM"):]
    words = {step[0]: step[1] for step in last}
    if words["USER"].split(":")[0] in ("0", "root") or "HEALTHCHECK" not in words:
        fail("the container runs as root, or has no health check")
    if sum(step[0] == "FROM" for step in steps) < 2 or "swift" in words["FROM"].lower():
        fail("the container's last stage has a toolchain in it")
    for source in (word for step in steps if step[0] == "COPY" and "--from" not in step[1]
                   for word in step[1].split()[:-1]):
        if not (TOP / source).exists():
            fail(f"the container copies {source}, which is not there")
    uid = words["USER"].split(":")[0]
    if f"--uid {uid} " not in (DEPLOY / "container/runtime.sh").read_text():
        fail(f"runtime.sh makes no user {uid}")
    for script in sorted((DEPLOY / "container").glob("*.sh")):
        if not os.access(script, os.X_OK) or subprocess.run(["bash", "-n", script]).returncode:
            fail(f"{script} cannot be run")


def compose():
    folder = DEPLOY / "compose"
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    own = services["holdfast"]
    if not own["read_only"] or own["cap_drop"] != ["ALL"]:
        fail("compose: Holdfast's root can be written, or it has capabilities")
    if not (folder / own["build"]["context"] / own["build"]["dockerfile"]).exists():
        fail("compose: no such Containerfile")
    for service in services.values():
        for volume in service.get("volumes", []):
            if volume.startswith(".") and not (folder / volume.split(":")[0]).exists():
                fail(f"compose: {volume} is not there")
    prometheus = yaml.safe_load((folder / "prometheus.yml").read_text())
    target = prometheus["scrape_configs"][0]["static_configs"][0]["targets"][0]
    if target != yaml.safe_load((folder / "holdfast.yaml").read_text())["server"]["listen"]:
        fail("compose: Prometheus asks another address than Holdfast has")
    broker = yaml.safe_load((folder / "holdfast.yaml").read_text())["sources"][0]["kafka"]["brokers"]
    if services["broker"]["environment"]["KAFKA_ADVERTISED_LISTENERS"] != f"PLAINTEXT://{broker}":
        fail("compose: the broker has another address than Holdfast is told")


def examples():
    files = sorted((DEPLOY / "examples").glob("*.yaml")) + [DEPLOY / "compose/holdfast.yaml"]
    for file in files:
        done = subprocess.run([PROGRAM, "check", "--config", file, "--format", "json"], capture_output=True, text=True)
        found = json.loads(done.stdout)
        if done.returncode or found["problems"] or not found["written"][0].startswith("Nothing is written"):
            fail(f"{file}: {done.stdout}{done.stderr}")
    return len(files)


@contextlib.contextmanager
def service():
    """What /metrics of a running service says."""
    with tempfile.TemporaryDirectory() as folder:
        data = {name: [str(TOP / name)] for name in ("catalog", "baseline", "playbooks")}
        events = str(DEPLOY / "samples/events")
        with open(f"{folder}/holdfast.yaml", "w") as file:
            json.dump({"store": {"sqlite": "./h.db"}, "data": data, "log": {"format": "json"}, "server": {
                "listen": "127.0.0.1:0", "socket": "./s"}, "sources": [{"file": {"paths": [events], "follow": True}}],
                "approvals": {"prompts": [{"webhook": {"url": "http://127.0.0.1:9/", "secret": "env:HOOK_KEY"}}]}}, file)
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen([PROGRAM, "run", "--config", f"{folder}/holdfast.yaml", "--quiet"], cwd=folder,
                                       stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "HOOK_KEY": "k" * 32})
        try:
            for _ in range(300):
                lines = [json.loads(line) for line in open(f"{folder}/log") if line.startswith("{")]
                url = next((line["address"] for line in lines if line.get("address", "").startswith("http")), None)
                if url and "holdfast_events_total 0" not in (text := get(f"{url}/metrics")):
                    break
                time.sleep(0.2)
            else:
                fail(f"no service came up: {open(f'{folder}/log').read()[-1000:]}")
            yield text
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def alerts():
    path = DEPLOY / "prometheus/alerts.yaml"
    rules = yaml.safe_load(path.read_text())["groups"][0]["rules"]
    with service() as text:
        exposed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")} | {"up"}
        labels = set(re.findall(r'(\w+)="', text)) | {"job"}
    codes = re.findall(r'case \w+ = "([a-z-]+)"', (TOP / "Sources/HoldfastEngine/NoticeCode.swift").read_text())
    covered = []
    for rule in rules:
        # Names outside of braces and quotes; what Prometheus itself knows is left out.
        expression = re.sub(r'"[^"]*"', '""', rule["expr"])
        for name in set(re.findall(r"\b(?:holdfast|process)_\w+|\bup\b", re.sub(r"\{[^}]*\}", "", expression))):
            if name not in exposed:
                fail(f"{rule['alert']} asks for {name}, which /metrics does not have")
        for label in re.findall(r"(\w+)\s*[=!]~?\s*\"", rule["expr"]):
            if label not in labels:
                fail(f"{rule['alert']} asks for the label {label}, which no metric has")
        for sign, found in re.findall(r'code(=~|!~)"([^"]+)"', rule["expr"]):
            named = found.split("|")
            if unknown := set(named) - set(codes):
                fail(f"{rule['alert']} names notices that there are not: {unknown}")
            covered += named if sign == "=~" else [code for code in codes if code not in named]
        runbook = rule["annotations"]["runbook"]
        pages = [runbook] if "{{" not in runbook else [f"runbooks/{code}.md" for code in covered]
        for page in pages:
            if not (TOP / page).exists():
                fail(f"{rule['alert']} leads to {page}, which is not there")
    if sorted(covered) != sorted(codes):
        fail(f"notices and alerts differ: {sorted(set(covered) ^ set(codes))}")
    if not shutil.which("promtool"):
        skipped.append("promtool (Debian: prometheus)")
    else:
        for command in (["check", "rules", path], ["test", "rules", path.with_name("alerts_test.yaml")]):
            done = subprocess.run(["promtool", *command], capture_output=True, text=True)
            if done.returncode:
                fail(f"promtool {command[0]}: {done.stdout}{done.stderr}")
    return len(rules)


def main():
    unit()
    container()
    compose()
    count = examples()
    print(f"deploy: unit, container and compose files hold; {count} configurations pass; {alerts()} alerts ask for what "
          f"there is")
    for name in skipped:
        print(f"SKIPPED: what needs {name}")


if __name__ == "__main__":
    main()
