"""What all checks of the simulator use: the server, and what is expected of its answers."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "servers")
SUBSCRIPTION, TENANT, CLIENT = "00000000-0000-0000-0000-000000000001", "tenant-1", "client-1"
GROUP = "Rg"
PROJECT = "my-project"


class Server:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        command = [sys.executable, os.path.join(SERVERS, "cloud_simulator.py"), self.folder.name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        assert told["documents"], "the discovery documents are not installed"
        self.url, self.plain = f"https://localhost:{told['ports']['tls']}", f"http://127.0.0.1:{told['ports']['plain']}"
        self.authorities = told["authorities"]

    def control(self, word, body=None, method="POST"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.plain}/_simulator/{word}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def make_key(folder, name):
    """A private key and its certificate, as texts."""
    key, certificate = f"{folder}/{name}.key", f"{folder}/{name}.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    with open(key) as private, open(certificate) as public:
        return private.read(), public.read()


def refused(call, *kinds):
    """The error that the call ends in, which must be one."""
    try:
        call()
    except Exception as error:
        if kinds and not isinstance(error, kinds):
            raise
        return error
    raise AssertionError("nothing was refused")


def code(error):
    return error.error.code if getattr(error, "error", None) else ""


def equal(found, expected):
    assert found == expected, f"{found!r}, and not {expected!r}"
