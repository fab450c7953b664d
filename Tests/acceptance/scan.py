"""A scan of 2,000 resources in three accounts on moto gives of each what boto3 reads, also where three answers in ten
are throttled, failed or cut off. Run it with the Python of Tests/servers/python.sh; `--short` for a tenth of them."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import estate
from program import PROGRAM, TOP

SHORT = "--short" in sys.argv
FAULTS = ["30"] if SHORT else ["0", "30"]
GROUPS, BUCKETS, ROLES = (40, 12, 16) if SHORT else (400, 120, 160)
TYPES = ["AWS::EC2::SecurityGroup", "AWS::S3::Bucket", "AWS::IAM::Role"]


@contextlib.contextmanager
def server(*arguments):
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def moto():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with server("-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)):
        endpoint = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=5).close()
                break
            time.sleep(0.1)
        yield endpoint


def configure(folder):
    accounts = [{"aws": account, "environment": "dev", "read-role": estate.ROLE % account, "regions": [estate.REGION]}
                for account in estate.ACCOUNTS]
    data = {name: [f"{TOP}/{name}"] for name in ("catalog", "baseline", "playbooks")}
    with open(f"{folder}/holdfast.yaml", "w") as file:
        json.dump({"store": {"sqlite": "./holdfast.db"}, "data": data, "accounts": accounts,
                   "limits": {"calls-per-second": 1000}}, file)


def environment(endpoint):
    return {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": estate.REGION,
            "AWS_ENDPOINT_URL": endpoint}


def scan(folder, endpoint, interrupt_after=None):
    command = [PROGRAM, "scan", "--config", "holdfast.yaml", "--format", "jsonl", "--type", *TYPES]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment(endpoint), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    if interrupt_after:
        time.sleep(interrupt_after)
        process.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=900)
    if not interrupt_after and process.returncode != 0:
        raise SystemExit(f"the scan ended with {process.returncode}:\n{err[-3000:]}")
    return [json.loads(line) for line in out.splitlines()], time.monotonic() - began


def known(folder):
    done = subprocess.run([PROGRAM, "resources", "--config", "holdfast.yaml", "--format", "jsonl"], cwd=folder,
                          capture_output=True, text=True, check=True)
    return {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}


def compare(wanted, found):
    """Differences between boto3's view and ours, one line each."""
    lines = [f"missing: {id}" for id in sorted(set(wanted) - set(found))]
    for id, state in sorted(wanted.items()):
        own = estate.observed(found[id]) if id in found else state
        if json.dumps(own, sort_keys=True) != json.dumps(state, sort_keys=True):
            lines.append(f"{id}:\n  boto3 {json.dumps(state)}\n  ours  {json.dumps(own)}")
    return lines


def main():
    with moto() as endpoint:
        wanted = {}
        for account in estate.ACCOUNTS:
            estate.build(endpoint, account, GROUPS, BUCKETS, ROLES)
            wanted.update(estate.expected(endpoint, account))
        print(f"estate: {len(wanted)} resources in {len(estate.ACCOUNTS)} accounts", flush=True)
        assert SHORT or len(wanted) >= 2000
        for percent in FAULTS:
            with server(str(TOP / "Tests/servers/fault_proxy.py"), endpoint, percent, "7") as proxy, \
                    tempfile.TemporaryDirectory() as folder:
                through = f"http://127.0.0.1:{proxy.stdout.readline().strip()}"
                configure(folder)
                scan(folder, through, interrupt_after=4)
                findings, seconds = scan(folder, through)
                lines = compare(wanted, known(folder))
                faults = urllib.request.urlopen(f"{through}/_faults").read().decode()
                print(f"{percent} % faults: {len(wanted) - len(lines)} of {len(wanted)} equal boto3's, "
                      f"{len(findings)} findings, {seconds:.0f} s after a kill; answers {faults}", flush=True)
                ports = [f for f in findings if f["rule"] == "any/network/admin-ports-not-open"]
                assert len(ports) == 3 * GROUPS // 10, f"{len(ports)} open groups were found"
                if lines:
                    raise SystemExit("\n".join(lines[:5]))


if __name__ == "__main__":
    main()
