"""Prints the requests that the azure-mgmt-* packages build for calls of the catalog, one a line.

usage: azure_requests.py SEED COUNT CALLS     (CALLS: JSON, [{"name", "request", "parameters"}]; COUNT for each)
"""
import importlib
import inspect
import json
import random
import re
import sys
import urllib.parse
from pathlib import Path

import azure.mgmt
from azure.core.pipeline.transport import HttpRequest as Prepared

TEXTS = ["group-1", "my.group", "a b", "é", "50%", "rg(1)_x", "x:y", "~._-"]
ROOT = "https://management.azure.com"


def modules():
    for base in azure.mgmt.__path__:
        for path in sorted(Path(base).rglob("*operations.py")):
            if "aio" not in path.parts:
                yield "azure.mgmt." + ".".join(path.relative_to(base).with_suffix("").parts), path.read_text()


def builders():
    """The request builders of all packages, with their method and path."""
    for name, source in modules():
        path = function = None
        for line in source.splitlines():
            if match := re.match(r"def (build_\w+)\(", line):
                function, path = match[1], None
            elif path is None and (match := re.search(r'"(/[^"]*)"', line)):
                path = match[1]
            elif path and (match := re.search(r'HttpRequest\(method="(\w+)"', line)):
                yield name, function, match[1], path


def is_same(request, method, path):
    """Whether a request line of the catalog is this method and path; it may write a variable's value out."""
    own, theirs = (re.sub(r"{[^}]*}", "{}", text).lower().split("/")
                   for text in (request.split("?")[0], f"{method} {path}"))
    return len(own) == len(theirs) and all(a == b or b == "{}" for a, b in zip(own, theirs))


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def main(seed, count, calls):
    known = list(builders())
    for call in calls:
        module, function, _, path = next(b for b in known if is_same(call["request"], b[2], b[3]))
        builder = getattr(importlib.import_module(module), function)
        own = re.findall(r"{([^}]*)}", call["request"])
        theirs = re.findall(r"{([^}]*)}", path)
        # A name that the catalog writes out ("default") is a variable of theirs at the same place.
        places = dict(zip(path.split("/"), call["request"].split("?")[0].split(" ")[1].split("/")))
        version = re.search(r"api-version=([^&]*)", call["request"])[1]
        for number in range(count):
            rng = random.Random(f"{seed} {call['name']} {number}")
            given, asked = {}, {}
            for name in theirs:
                place = places[f"{{{name}}}"]
                text = rng.choice(TEXTS)
                if place.startswith("{"):
                    given[place[1:-1]] = text
                else:
                    text = place
                asked[snake(name)] = text
            assert set(given) == set(own), (call, given)
            for name, value in urllib.parse.parse_qsl(call["request"].partition("?")[2]):
                if name != "api-version":
                    asked[name.lstrip("$")] = value
            if "filter" in inspect.signature(builder).parameters and "$filter" in call["parameters"]:
                given["$filter"] = asked["filter"] = "eventTimestamp ge '2026-01-01T00:00:00Z' and x eq 'é'"
            match = rng.random() < 0.5 and "if_match" in inspect.signature(builder).parameters
            if match:
                given["ifMatch"] = asked["if_match"] = "\"0x8D\""
            request = builder(params={"api-version": version}, **asked)
            prepared = Prepared(request.method, ROOT + request.url, headers=dict(request.headers))
            url = urllib.parse.urlsplit(prepared.url)
            print(json.dumps({
                "call": call["name"], "parameters": given, "method": request.method, "host": ROOT, "path": url.path,
                "query": sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
                "headers": {k.lower(): v for k, v in request.headers.items()},
            }))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
