"""Prints the requests that google-api-python-client builds for calls of the catalog, one a line.

usage: google_requests.py SEED COUNT CALLS     (CALLS: JSON, [{"name", "request", "parameters"}]; COUNT for each)
"""
import json
import random
import re
import sys
import urllib.parse
from pathlib import Path

import googleapiclient
from googleapiclient.discovery import build_from_document
from googleapiclient.http import HttpMock

TEXTS = ["a", "my-project", "a b", "é", "50%", "a&b=c", "x:y", "~._-", "labels.env = \"prod\""]
folder = Path(googleapiclient.__file__).parent / "discovery_cache/documents"


def methods(node):
    for method in node.get("methods", {}).values():
        yield method
    for inner in node.get("resources", {}).values():
        yield from methods(inner)


def shape(line):
    """The request without the names of its variables."""
    return re.sub(r"{[^}]*}", "{}", line).lower()


def find(call):
    """The document with the call's method, and the method in it."""
    wanted = shape(call["request"])
    for path in sorted(folder.glob(f"{call['request'].split('://')[1].split('.')[0]}.*.json")):
        document = json.loads(path.read_text())
        for method in methods(document):
            base = document["rootUrl"] + document["servicePath"]
            if method["id"] == call["name"] and shape(f"{method['httpMethod']} {base}{method['path']}") == wanted:
                return document, method
    raise SystemExit(f"no discovery document has {call}")


def value(rng, parameter):
    kind = parameter.get("type")
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "integer":
        return rng.choice([1, 7, 100])
    if "enum" in parameter:
        return rng.choice(parameter["enum"])
    pattern = parameter.get("pattern", "")
    while True:
        text = rng.choice(TEXTS)
        if parameter.get("format") in ("int64", "uint64"):
            text = str(rng.randrange(10**15))
        if pattern.startswith("^projects/"):
            # "^projects/[^/]+/sinks/[^/]+$"
            text = pattern.strip("^$").replace("[^/]+", text)
        elif pattern and not re.match(pattern, text):
            text = "abc-1"
        return text


def main(seed, count, calls):
    for call in calls:
        document, method = find(call)
        service = build_from_document(document, http=HttpMock())
        for name in method["id"].split(".")[1:-1]:
            service = getattr(service, name)()
        names = re.findall(r"{\+?([^}]*)}", call["request"])
        theirs = re.findall(r"{\+?([^}]*)}", method["path"])
        for number in range(count):
            rng = random.Random(f"{seed} {call['name']} {number}")
            given, asked = {}, {}
            for own, their in zip(names, theirs):
                given[own] = asked[their] = value(rng, method["parameters"][their])
            for name in call["parameters"]:
                known = method.get("parameters", {}).get(name)
                if name == "body" and "request" in method:
                    given[name] = asked[name] = {"a": [1, True, None, "é"], "b": {"c": rng.choice(TEXTS)}}
                elif known and name not in names and (known.get("required") or rng.random() < 0.6):
                    given[name] = asked[name] = value(rng, known)
            request = getattr(service, method["id"].split(".")[-1])(**asked)
            url = urllib.parse.urlsplit(request.uri)
            query = [pair for pair in urllib.parse.parse_qsl(url.query, keep_blank_values=True) if pair[0] != "alt"]
            print(json.dumps({
                "call": call["name"], "parameters": given, "method": request.method,
                "host": f"{url.scheme}://{url.netloc}", "path": url.path, "query": sorted(query),
                "body": json.loads(request.body) if request.body else None,
            }))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
