"""Prints the requests that the providers' own clients make of given calls, one a line, in the order given.

usage: planned_requests.py FILE     (one {"cloud", "call", "request", "region", "parameters"} a line)

`faults` says what of a body the provider's own model or discovery document does not have.
"""
import importlib
import json
import re
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

import botocore.session  # noqa: E402
from botocore.config import Config  # noqa: E402

import aws_requests  # noqa: E402
import azure_requests  # noqa: E402
import google_requests  # noqa: E402
from cloudsim import models  # noqa: E402
from cloudsim.arm import Place  # noqa: E402
from cloudsim.arm_types import KINDS  # noqa: E402
from cloudsim.discovery import Documents  # noqa: E402


class Aws:
    def __init__(self):
        self.session, self.clients, self.caught = botocore.session.get_session(), {}, []

    def stop(self, request, **_):
        self.caught.append(request)
        raise aws_requests.Sent

    def client(self, service, region):
        if (service, region) not in self.clients:
            made = self.session.create_client(
                service, region_name=region, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}, s3={"us_east_1_regional_endpoint": "regional"}))
            made.meta.events.register("before-send", self.stop)
            self.clients[service, region] = made
        return self.clients[service, region]

    def request(self, told):
        service, operation = told["call"].split(".")
        region, parameters = told["region"] or "us-east-1", dict(told["parameters"])
        model = self.session.get_service_model(service).operation_model(operation)
        if model.http_checksum.get("requestChecksumRequired"):
            parameters.setdefault("ChecksumAlgorithm", "SHA256")
        try:
            self.client(service, region)._make_api_call(operation, parameters)
        except aws_requests.Sent:
            pass
        return {**aws_requests.described(told["call"], region, {}, self.caught.pop()), "faults": []}


class Azure:
    def __init__(self):
        self.known = list(azure_requests.builders())

    def request(self, told):
        line, given = told["request"], dict(told["parameters"])
        body = given.pop("body", None)
        module, function, _, path = next(b for b in self.known if azure_requests.is_same(line, b[2], b[3]))
        builder = getattr(importlib.import_module(module), function)
        places = dict(zip(path.split("/"), line.split("?")[0].split(" ")[1].split("/")))
        asked = {}
        for name in re.findall(r"{([^}]*)}", path):
            place = places[f"{{{name}}}"]
            asked[azure_requests.snake(name)] = given.pop(place[1:-1]) if place.startswith("{") else place
        if match := given.pop("ifMatch", None):
            asked["if_match"] = match
        assert not given, given
        request = builder(params={"api-version": re.search(r"api-version=([^&]*)", line)[1]}, **asked)
        prepared = azure_requests.Prepared(request.method, azure_requests.ROOT + request.url)
        kind = KINDS[Place(urllib.parse.urlsplit(prepared.url).path).type]
        package, _, put, patch = kind.models
        faults = [] if body is None else models.problems(package, put if request.method == "PUT" else patch, body)
        return {**line_of(request.method, prepared.url), "json": body, "faults": list(faults)}


class Google:
    def __init__(self):
        self.documents, self.found = Documents.installed(), {}

    def request(self, told):
        if told["call"] not in self.found:
            document, method = google_requests.find({"name": told["call"], "request": told["request"]})
            service = google_requests.build_from_document(document, http=google_requests.HttpMock())
            for name in method["id"].split(".")[1:-1]:
                service = getattr(service, name)()
            self.found[told["call"]] = document, method, service
        document, method, service = self.found[told["call"]]
        own = re.findall(r"{\+?([^}]*)}", told["request"])
        theirs = re.findall(r"{\+?([^}]*)}", method["path"])
        asked = {dict(zip(own, theirs)).get(name, name): value for name, value in told["parameters"].items()}
        request = getattr(service, method["id"].split(".")[-1])(**asked)
        api, body = f"{document['name']}.{document['version']}", told["parameters"].get("body")
        schema = method.get("request", {}).get("$ref")
        faults = self.documents.problems(api, schema, body) if schema and body is not None else []
        return {**line_of(request.method, request.uri, leaving="alt"), "json": body, "faults": faults}


def line_of(method, target, leaving=""):
    url = urllib.parse.urlsplit(target)
    pairs = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    return {"method": method, "host": f"{url.scheme}://{url.netloc}", "path": url.path,
            "query": sorted(pair for pair in pairs if pair[0] != leaving)}


def main(path):
    clouds = {"aws": Aws(), "azure": Azure(), "gcp": Google()}
    for line in open(path):
        told = json.loads(line)
        try:
            found = clouds[told["cloud"]].request(told)
        except Exception as error:  # what their client does not take
            found = {"faults": [f"{type(error).__name__}: {error}"]}
        print(json.dumps({**found, "call": told["call"]}))


main(sys.argv[1])
