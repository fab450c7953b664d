"""The server beside a service that changes a cloud (moto): the same answers as without it, sign-in, approvals from the
command line, a terminal and a browser, prompts, metrics. Run it with the Python of Tests/servers/python.sh.

Pictures of the pages, 390 and 1280 pixels wide, go to HOLDFAST_TEST_ARTIFACTS, or to a temporary folder that is printed."""
import contextlib
import getpass
import hashlib
import hmac
import http.server
import json
import os
import pty
import secrets
import select
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import browser
import estate
import remediation_bench
from program import PROGRAM, TOP
from remediation_bench import PRODUCTION, REGION, Service, is_blocked, make_bucket, open_up
from scan import moto

KEY = secrets.token_hex(16)


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes prompts, and holds their signatures against Python's own HMAC."""
    taken, fail = [], 0

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = hmac.new(KEY.encode(), self.headers["Holdfast-Timestamp"].encode() + b"." + body, hashlib.sha256)
        assert self.headers["Holdfast-Signature"] == "v1=" + wanted.hexdigest(), "the signature is wrong"
        assert abs(time.time() - int(self.headers["Holdfast-Timestamp"])) < 60
        refuse, Hook.fail = Hook.fail > 0, max(0, Hook.fail - 1)
        if not refuse:
            Hook.taken.append(json.loads(body))
        self.send_response(503 if refuse else 204)
        self.end_headers()


def holdfast(folder, *arguments, status=0, **environ):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=folder,
                          env={**os.environ, "XDG_STATE_HOME": f"{folder}/state", **environ})
    if done.returncode != status:
        raise SystemExit(f"holdfast {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout if status == 0 else done.stderr


def get(url, token=None, **headers):
    request = urllib.request.Request(url, headers={**headers, **({"Authorization": f"Bearer {token}"} if token else {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Setting:
    """A service on moto with its server, a provider of identities and a webhook."""

    def __init__(self, folder, endpoint, provider, hook):
        self.folder, self.endpoint, self.provider = folder, endpoint, provider
        token = secrets.token_urlsafe(32)
        self.token = f"hf_{token}"
        remediation_bench.configure(
            folder,
            server={"listen": "127.0.0.1:0", "socket": "./s", "oidc": {
                "issuer": provider, "client-id": "holdfast", "roles-claim": "groups", "roles": {"approver": ["sre"]}},
                "tokens": [{"name": "ci", "person": "ann.lee", "roles": ["viewer"], "expires": "2099-01-01T00:00:00Z",
                            "sha256": hashlib.sha256(self.token.encode()).hexdigest()}]},
            identities=[{"person": "ann.lee", "local": getpass.getuser()},
                        {"person": "bo.ray", "oidc": "subject-1"},
                        {"person": "al.ice", "aws": "arn:aws:iam::*:user/alice"}],
            approvals={"roles": {"approver": ["ann.lee"], "operator": ["ann.lee"], "admin": ["ann.lee"],
                                 "viewer": ["ann.lee", "bo.ray"]},
                       "prompts": [{"webhook": {"url": hook, "secret": "env:HOOK_KEY"}}]},
            accounts=[{"aws": PRODUCTION, "environment": "production", "read-role": estate.ROLE % PRODUCTION,
                       "write-role": remediation_bench.WRITE % PRODUCTION, "regions": [REGION]}],
            environments=["production"], log={"format": "json"})
        os.environ["HOOK_KEY"] = KEY
        self.service = Service(folder, endpoint)
        self.unix = f"unix:{folder}/s"
        self.url = self.service.wait("the server", self.find)

    def find(self):
        with open(f"{self.folder}/log") as file:
            told = [json.loads(line) for line in file if line.startswith("{")]
        places = [line["address"] for line in told if line["message"] == "listening"]
        return next((p for p in places if p.startswith("http")), None) if len(places) == 2 else None

    def ask(self, *arguments):
        return json.loads(holdfast(self.folder, *arguments, "--config", f"{self.folder}/holdfast.yaml", "--format", "json"))

    def waiting(self, bucket):
        return next((p for p in self.ask("approvals") if p["resource"].endswith(bucket)), None)


def same_answers(s):
    config = ["--config", f"{s.folder}/holdfast.yaml"]
    finding = s.ask("findings", "--open")[0]
    commands = [["findings"], ["findings", "--open", "--severity", "high"], ["resources", "--type", "AWS::S3::Bucket"],
                ["resource", finding["resource"]], ["plan", finding["id"]], ["notices"], ["dead-letters"],
                ["audit", "list"], ["why", finding["id"]], ["runs"], ["rollout"], ["campaigns"], ["report", "exemptions"],
                ["report", "dry-run", "--since", "2020-01-01T00:00:00Z"]]
    for command in commands:
        for form in ("json", "text"):
            # The service goes on meanwhile: what it wrote between two of the questions is in the next round's answers.
            for _ in range(5):
                local = holdfast(s.folder, *command, *config, "--format", form)
                by_socket = holdfast(s.folder, *command, "--server", s.unix, "--format", form)
                by_token = holdfast(s.folder, *command, "--server", s.url, "--format", form, HOLDFAST_TOKEN=s.token)
                if local == by_socket == by_token:
                    break
            assert local == by_socket == by_token, f"{command} {form}:\n{local[:500]}\n{by_socket[:500]}"
    print(f"{len(commands)} questions, in two formats: the journal, the socket and TCP with a token answer alike")


def login(s):
    control = lambda **wanted: urllib.request.urlopen(f"{s.provider}/control", json.dumps(wanted).encode()).read()
    assert "sign in first" in holdfast(s.folder, "findings", "--server", s.url, status=1)
    control(user={"sub": "subject-1", "groups": ["sre"]}, interval=1)
    process = subprocess.Popen([PROGRAM, "login", "--server", s.url], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "XDG_STATE_HOME": f"{s.folder}/state"})
    place = process.stdout.readline().split()[-1]
    code = process.stdout.readline().split("code ")[1].split()[0]
    assert place.endswith(code)
    time.sleep(2.5)
    assert process.poll() is None, "it did not wait for the person"
    control(device={"code": code, "say": "allow"})
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "signed in" in out, out
    file = f"{s.folder}/state/holdfast/tokens.json"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert json.loads(holdfast(s.folder, "findings", "--open", "--server", s.url, "--format", "json"))
    os.chmod(file, 0o644)
    assert "may be read by others" in holdfast(s.folder, "findings", "--server", s.url, status=1)
    os.chmod(file, 0o600)
    control(interval=1, lifetime=1)
    denied = subprocess.Popen([PROGRAM, "login", "--server", s.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env={**os.environ, "XDG_STATE_HOME": f"{s.folder}/state2"})
    denied.communicate(timeout=60)
    assert denied.returncode == 1, "nobody confirmed, and it says that somebody did"
    control(lifetime=300)
    print("login: by device flow, waits for the person, keeps the token for its owner, ends when nobody comes")


def approve(s, s3):
    """Waits for people, is told of, refused or approved, fixed and verified, undone."""
    Hook.fail = 1
    open_up(s.service, s3, PRODUCTION, "production-0")
    plan = s.service.wait("a plan that waits", lambda: s.waiting("production-0"))
    assert "user/alice did s3.amazonaws.com/PutBucketPublicAccessBlock" in plan["sentence"], plan["sentence"]
    s.service.wait("the prompt", lambda: any(p["prompt"]["digest"] == plan["digest"] for p in Hook.taken))
    assert not is_blocked(s3, "production-0"), "it was fixed before anybody agreed"
    socket_options = ["--config", f"{s.folder}/holdfast.yaml"]
    refused = holdfast(s.folder, "approve", plan["digest"], "--server", s.url, status=1, HOLDFAST_TOKEN=s.token)
    assert "approver" in refused, refused
    holdfast(s.folder, "approve", plan["digest"][:12], "--reason", "as agreed", *socket_options)
    s.service.wait("the fix", lambda: is_blocked(s3, "production-0"))
    run = s.service.wait("its verification", lambda: next(
        (r for r in s.ask("runs") if r["plan"] == plan["digest"] and r["phase"] == "verified"), None))
    holdfast(s.folder, "undo", run["id"], "--reason", "it was meant so", *socket_options)
    s.service.wait("the undo", lambda: not is_blocked(s3, "production-0"))

    open_up(s.service, s3, PRODUCTION, "production-1")
    plan = s.service.wait("a second plan", lambda: s.waiting("production-1"))
    transcript = terminal(s, [b"r\n", b"the site needs it\n"])
    assert plan["sentence"][:60] in transcript.replace("\r\n", " ").replace("\n", " "), transcript
    s.service.wait("its end", lambda: not s.waiting("production-1"))
    time.sleep(2)
    assert not is_blocked(s3, "production-1"), "it was fixed though somebody refused"
    assert "\u2717 approvals" in holdfast(s.folder, "why", plan["finding"], *socket_options)
    print("approvals: told by a signed webhook, tried again; approved, fixed, verified, undone; refused at a terminal")


def terminal(s, answers):
    """`holdfast approvals` as a person has it."""
    process, screen = pty.fork()
    if process == 0:
        os.execve(PROGRAM, [PROGRAM, "approvals", "--config", f"{s.folder}/holdfast.yaml"], dict(os.environ))
    out, answers = b"", list(answers)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([screen], [], [], 1)
        if ready:
            try:
                part = os.read(screen, 4096)
            except OSError:
                break
            if not part:
                break
            out += part
            if answers and out.rstrip().endswith(b":"):
                os.write(screen, answers.pop(0))
                out += b"\n"
    os.waitpid(process, 0)
    os.close(screen)
    return out.decode()


def pages(s, s3):
    if browser.PROGRAM is None:
        return print("SKIPPED: pages in a browser; chromium-headless-shell is not installed")
    kept = os.environ.get("HOLDFAST_TEST_ARTIFACTS")
    folder = os.path.join(kept, "pages") if kept else tempfile.mkdtemp(prefix="holdfast-pages-")
    os.makedirs(folder, exist_ok=True)
    open_up(s.service, s3, PRODUCTION, "production-2")
    plan = s.service.wait("a third plan", lambda: s.waiting("production-2"))
    link = holdfast(s.folder, "approvals", "open", "--config", f"{s.folder}/holdfast.yaml").strip()
    page = browser.Browser()
    try:
        page.call("Emulation.setScriptExecutionDisabled", value=False)
        page.open(link)
        page.click("form button")
        assert "1 plan waits" in page.text(), page.text()
        shots = [("approvals", "/approvals"), ("plan", f"/plans/{plan['digest']}"), ("findings", "/findings"),
                 ("finding", f"/findings/{plan['finding']}"), ("rollout", "/rollout"), ("runs", "/runs")]
        for name, path in shots:
            page.open(s.url + path)
            for width in (390, 1280):
                for dark in (False, True):
                    page.picture(f"{folder}/{name}-{width}{'-dark' if dark else ''}.png", width, dark)
        page.open(f"{s.url}/plans/{plan['digest']}")
        page.click("button[value=approve]")
        s.service.wait("the fix", lambda: is_blocked(s3, "production-2"))
        s.service.wait("its verification", lambda: any(
            r["plan"] == plan["digest"] and r["phase"] == "verified" for r in s.ask("runs")))
        page.open(f"{s.url}/plans/{plan['digest']}")
        assert "Carried out and verified" in page.text(), page.text()
        for width in (390, 1280):
            page.picture(f"{folder}/verified-{width}.png", width)
        page.fill("textarea[name=reason]", "it was meant so")
        page.click("form[action$=undo] button")
        s.service.wait("the undo", lambda: not is_blocked(s3, "production-2"))
        assert all(url.startswith(s.url) or url.startswith("about:") for url in page.requests()), page.requests()
        assert not page.problems(), page.problems()
    finally:
        page.close()
    print(f"pages: read, approved and undone in a browser; {len(os.listdir(folder))} pictures in {folder}")


def halt(s, s3):
    options = ["--config", f"{s.folder}/holdfast.yaml"]
    holdfast(s.folder, "halt", "account:" + PRODUCTION, "--reason", "incident 7", *options)
    assert "incident 7" in holdfast(s.folder, "resume", *options)
    finding = next(f for f in s.ask("findings", "--open") if f["resource"].endswith("production-1"))
    s.service.wait("the halt", lambda: "\u2717 halt" in holdfast(s.folder, "why", finding["id"], *options))
    holdfast(s.folder, "resume", "account:" + PRODUCTION, "--reason", "over", *options)
    holdfast(s.folder, "findings", "ack", finding["id"], "--note", "looking", *options)
    holdfast(s.folder, "findings", "assign", finding["id"], "bo.ray", *options)
    assert "did you mean" in holdfast(s.folder, "findings", "assign", finding["id"], "bo.rey", *options, status=1)
    kinds = {e["kind"] for e in s.ask("audit", "list")}
    assert {"approve", "refuse", "undo", "halt", "resume", "acknowledged", "assigned", "prompted"} <= kinds, kinds
    print("halted, resumed, acknowledged and assigned; every word is in the audit log")


def probes(s):
    assert get(f"{s.url}/healthz") == (200, "alive\n")
    assert get(f"{s.url}/readyz") == (200, "ready\n")
    status, text = get(f"{s.url}/metrics")
    assert status == 200
    for name in ("holdfast_events_total", "holdfast_findings{", "holdfast_open_notices{", "holdfast_dirty_resources",
                 'holdfast_prompts_total{channel="webhook 1",outcome="delivered"}', "process_resident_memory_bytes"):
        assert name in text, f"{name} is not among the metrics"
    if promtool := shutil.which("promtool"):
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
        print("metrics: promtool has nothing to say against them")
    else:
        print("SKIPPED: metrics by promtool, which is not installed")
    with open(f"{s.folder}/log") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    assert lines and not any(s.token in json.dumps(line) or KEY in json.dumps(line) for line in lines)


def raw(s):
    """What no client sends by itself is answered once, or the connection ends; a second request is never hidden in one."""
    host, port = s.url.removeprefix("http://").split(":")
    cases = [
        b"POST /api/v1/words HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /api/v1/words HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabcGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /approvals HTTP/1.1\r\n\r\n", b"\0\1\2\3\r\n\r\n", b"GET " + b"/a" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /approvals HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"GET /approvals HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: a\r\n" * 500 + b"\r\n",
        b"GET http://evil.example/api/v1/findings HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /plans/%00%0d%0a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /approvals HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999999\r\n\r\n" + b"a" * 70_000,
    ]
    for case in cases:
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(case)
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(OSError):
                while part := connection.recv(65536):
                    answer += part
        assert b"alive" not in answer, f"{case[:80]} hid a request"
        assert b" 200 " not in answer.split(b"\r\n")[0], f"{case[:80]}: {answer[:200]}"
    assert get(f"{s.url}/healthz")[0] == 200
    print(f"{len(cases)} requests that no client sends: refused, and the server goes on")


@contextlib.contextmanager
def provider(folder):
    process = subprocess.Popen([sys.executable, f"{TOP}/Tests/servers/oidc_provider.py", f"{folder}/oidc"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["issuer"]
    finally:
        process.stdin.close()
        process.wait()


def main():
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder, provider(folder) as issuer:
        s3 = estate.session(endpoint, PRODUCTION)("s3")
        for number in range(3):
            make_bucket(s3, f"production-{number}")
        s = Setting(folder, endpoint, issuer, f"http://127.0.0.1:{hook.server_port}/")
        try:
            s.service.wait("the first scan", lambda: len(s.service.ask("resources", "--type", "AWS::S3::Bucket")) >= 3)
            s.service.wait("findings", lambda: s.ask("findings", "--open"))
            approve(s, s3)
            same_answers(s)
            login(s)
            pages(s, s3)
            halt(s, s3)
            probes(s)
            raw(s)
        finally:
            s.service.stop()
        assert not os.path.exists(f"{folder}/s"), "the socket is still there"


if __name__ == "__main__":
    main()
