#!/usr/bin/env python3
"""Plants drift by the providers' own clients, and says what they read of it: for end-to-end tests of playbooks.

Runs moto's server of AWS in itself. Prints {"port", "aws"} in one line; ends when its input does. Each request is a
POST with JSON, each answer JSON:

/connect  {"url", "authorities", "credentials", "subscription", "project"}: where Azure and Google are simulated
/cases    {}: {playbook: [variants]}
/plant    {"playbook", "variant"}: {"token", "type", "name", "region", "account", "rule", "lists", "days", "meddles",
          "before"};
          with "gone" [type, name] where a resource must be read before /vanish deletes it
/vanish   {"token"}: {"before"}
/show     {"token"}: {"state"}
/promised {"token", "before"}: {"state"} that the fix promises
/meddle   {"token", "before"}: {"state"} that an undo must then leave, after somebody else's change; null where the case
          has no such change
/loses    {"token", "state"}: {"state"} without what the playbook's undo says that it loses
"""

import http.server
import itertools
import json
import logging
import os
import sys
import threading
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["NO_PROXY"] = "localhost,127.0.0.1"
logging.disable(logging.CRITICAL)

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

from drift import aws_ec2, aws_iam, aws_lambda, aws_s3, aws_services, azure, google  # noqa: E402, F401
from drift.cases import CASES  # noqa: E402


def mend_moto():
    """AWS takes a trail's ARN where moto 5.2.1 wants its name."""
    from moto.cloudtrail.models import CloudTrailBackend

    for name in ("start_logging", "stop_logging"):
        whole = getattr(CloudTrailBackend, name)
        setattr(CloudTrailBackend, name, lambda self, name, whole=whole: whole(self, name.split("/")[-1]))


class Clients:
    account = "123456789012"

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.made = {}
        self.numbers = itertools.count(1)
        self.clouds = None

    def number(self):
        return next(self.numbers)

    def aws(self, service):
        if service not in self.made:
            self.made[service] = boto3.client(
                service, endpoint_url=self.endpoint, region_name="eu-west-1", aws_access_key_id="test",
                aws_secret_access_key="test")
            # An address has no hosts below it: S3 Control's account before the host is left out.
            self.made[service].meta.events.register("before-send.s3-control", self.without_account)
        return self.made[service]

    def without_account(self, request, **_):
        request.url = request.url.replace(f"//{self.account}.", "//")


class Estate:
    def __init__(self, endpoint):
        self.clients = Clients(endpoint)
        self.planted = {}

    def connect(self, told):
        self.clients.clouds = told
        return {}

    def cases(self, told):
        return {playbook: sorted(variants) for playbook, variants in CASES.items()}

    def plant(self, told):
        planted = CASES[told["playbook"]][told["variant"]](self.clients)
        token = str(self.clients.number())
        self.planted[token] = planted
        told = {"token": token, "type": planted.kind, "name": planted.name, "region": planted.region,
                "account": planted.account or self.clients.account, "rule": planted.rule, "lists": planted.lists,
                "days": planted.days, "meddles": planted.meddle is not None, "before": planted.show()}
        return {**told, "gone": list(planted.gone[:2])} if planted.gone else told

    def vanish(self, told):
        planted = self.planted[told["token"]]
        planted.gone[2]()
        return {"before": planted.show()}

    def show(self, told):
        return {"state": self.planted[told["token"]].show()}

    def promised(self, told):
        return {"state": self.planted[told["token"]].promised(told["before"])}

    def meddle(self, told):
        planted = self.planted[told["token"]]
        if not planted.meddle:
            return {"state": None}
        planted.meddle()
        return {"state": planted.kept(told["before"])}

    def loses(self, told):
        return {"state": self.planted[told["token"]].loses(told["state"])}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    estate = None

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, getattr(self.estate, self.path.strip("/"))(told)
        except Exception:  # a fault of a case, which the test shows
            status, answer = 500, {"error": traceback.format_exc()}
        body = json.dumps(answer, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    mend_moto()
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    aws = moto.get_host_and_port()[1]
    Handler.estate = Estate(f"http://127.0.0.1:{aws}")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1], "aws": aws}), flush=True)
    sys.stdin.read()
    moto.stop()


if __name__ == "__main__":
    main()
