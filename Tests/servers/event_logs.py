#!/usr/bin/env python3
"""The three clouds' event logs by their APIs, as far as a reader can tell them from the real ones.

usage: event_logs.py [--account ID] [--sts URL]

CloudTrail's LookupEvents (JSON 1.1: newest first, 50 a page, 2 calls a second for each region), Azure's Activity Log
(20 a page, links) and Google's entries:list (60 calls a minute), all on one port of loopback, which is printed as one
line. Events show some time after they happened. What the providers refuse is refused: a token with other parameters, a
filter of another form. STS says which account the credentials belong to: ID, or what the token service at URL says
of their key. Ends when its input does.

    PUT  /control/events   {"log": "012345670123/eu-west-1", "events": [{"id", "time", "shows", "row"}, ...]}
    PUT  /control/faults   {"every": 10, "seed": 1}     one in so many calls fails: 500, 503, cut off, or too slow to wait for
    GET  /control/stats    {"calls": …, "throttled": …, "faults": …}

A log is named ACCOUNT/REGION, a subscription's id, or a resource of Google's (projects/p). Times are seconds since 1970;
`row` is given out as it is.
"""
import argparse
import datetime
import http.server
import json
import random
import re
import socket
import sys
import threading
import time
import urllib.parse
import urllib.request


def stamp(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Refusal(Exception):
    def __init__(self, status, code, message, headers=None):
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class Logs:
    def __init__(self):
        self.lock = threading.Lock()
        self.events = {}
        self.calls = {}
        self.stats = {"calls": 0, "throttled": 0, "faults": 0}
        self.every, self.random = 0, random.Random(0)

    def put(self, name, events):
        with self.lock:
            self.events.setdefault(name, []).extend(events)

    def fault(self):
        """What goes wrong with this call: 500, 503, "cut", "late", or nothing."""
        with self.lock:
            self.stats["calls"] += 1
            if not self.every or self.random.randrange(self.every):
                return None
            self.stats["faults"] += 1
            return self.random.choice([500, 503, "cut", "late"])

    def throttle(self, name, count, seconds, refusal):
        with self.lock:
            now = time.monotonic()
            recent = [call for call in self.calls.get(name, []) if call > now - seconds]
            self.calls[name] = recent
            if len(recent) >= count:
                self.stats["throttled"] += 1
                raise refusal
            recent.append(now)

    def page(self, name, key, first, last, behind, size):
        """Newest first: the rows, and where the next page begins."""
        with self.lock:
            now = time.time()
            shown = [e for e in self.events.get(name, []) if e["shows"] <= now and first <= e[key] <= last]
        shown.sort(key=lambda e: (e[key], e["id"]), reverse=True)
        if behind:
            shown = [e for e in shown if (e[key], e["id"]) < behind]
        page = shown[:size]
        more = (page[-1][key], page[-1]["id"]) if len(shown) > size else None
        return [e["row"] for e in page], more


logs = Logs()
account = "012345670123"
token_service = None


def account_of(key):
    """The account that an access key belongs to."""
    if not token_service:
        return account
    credential = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(token_service, data=b"Action=GetCallerIdentity&Version=2011-06-15",
                                     headers={"Authorization": credential})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return re.search(rb"<Account>(\d+)</Account>", answer.read())[1].decode()


def lookup_events(key, region, body):
    name = f"{account_of(key)}/{region}"
    logs.throttle(name, 2, 1, Refusal(400, "ThrottlingException", "Rate exceeded"))
    unknown = set(body) - {"StartTime", "EndTime", "MaxResults", "NextToken"}
    first, last = body.get("StartTime"), body.get("EndTime")
    if unknown or not all(isinstance(t, (int, float)) and not isinstance(t, bool) for t in (first, last)):
        raise Refusal(400, "SerializationException", f"not as the service takes it: {sorted(unknown)} {first} {last}")
    if first > last:
        raise Refusal(400, "InvalidTimeRangeException", "the start is after the end")
    if first < time.time() - 90 * 86400:
        raise Refusal(400, "InvalidTimeRangeException", "more than 90 days back")
    behind = None
    if "NextToken" in body:
        token = body["NextToken"].split("|")
        if len(token) != 4 or token[:2] != [str(first), str(last)]:
            raise Refusal(400, "InvalidNextTokenException", "the token is of another request")
        behind = (float(token[2]), token[3])
    if not 1 <= body.get("MaxResults", 50) <= 50:
        raise Refusal(400, "InvalidMaxResultsException", "1 to 50")
    rows, more = logs.page(name, "time", first, last, behind, body.get("MaxResults", 50))
    answer = {"Events": rows}
    if more:
        answer["NextToken"] = f"{first}|{last}|{more[0]}|{more[1]}"
    return answer


def activity_log(base, subscription, query):
    too_many = Refusal(429, "SubscriptionRequestsThrottled", "too many", {"Retry-After": "1"})
    logs.throttle(subscription, 25, 1, too_many)
    one = {name.lower(): values[0] for name, values in query.items()}
    found = re.fullmatch(r"eventTimestamp ge '([^']+)' and eventTimestamp le '([^']+)'", one.get("$filter", ""))
    if not found or one.get("api-version") != "2015-04-01":
        raise Refusal(400, "BadRequest", f"not as the service takes it: {one}")
    first, last = map(stamp, found.groups())
    behind = None
    if "$skiptoken" in one:
        token = json.loads(one["$skiptoken"])
        if token[:2] != [first, last]:
            raise Refusal(400, "InvalidSkipToken", "the token is of another request")
        behind = (token[2], token[3])
    rows, more = logs.page(subscription, "time", first, last, behind, 20)
    answer = {"value": rows}
    if more:
        link = urllib.parse.urlencode({"api-version": "2015-04-01", "$filter": one["$filter"],
                                       "$skipToken": json.dumps([first, last, *more])}, quote_via=urllib.parse.quote)
        answer["nextLink"] = (f"{base}/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/"
                              f"management/values?{link}")
    return answer


def list_entries(body):
    logs.throttle("entries", 60, 60, Refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded"))
    found = re.fullmatch(
        r'logName:"cloudaudit.googleapis.com" AND receiveTimestamp>="([^"]+)" AND receiveTimestamp<="([^"]+)" AND '
        r'timestamp>="[^"]+"', body.get("filter", ""))
    unknown = set(body) - {"resourceNames", "filter", "orderBy", "pageSize", "pageToken"}
    if not found or unknown or body.get("orderBy") not in ("timestamp desc", "timestamp asc"):
        raise Refusal(400, "INVALID_ARGUMENT", f"not as the service takes it: {body}")
    names = body.get("resourceNames") or []
    if len(names) != 1:
        raise Refusal(400, "INVALID_ARGUMENT", "one resource, please")
    first, last = map(stamp, found.groups())
    behind = None
    if "pageToken" in body:
        token = json.loads(body["pageToken"])
        if token[0] != body["filter"]:
            raise Refusal(400, "INVALID_ARGUMENT", "page_token doesn't match arguments from the request")
        behind = (token[1], token[2])
    rows, more = logs.page(names[0], "shows", first, last, behind, min(body.get("pageSize", 50), 1000))
    answer = {"entries": rows} if rows else {}
    if more:
        answer["nextPageToken"] = json.dumps([body["filter"], *more])
    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body, kind="application/json", headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def fails(self):
        """Whether a fault took the place of the answer."""
        fault = logs.fault()
        if fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
            self.close_connection = True
        elif fault == "late":
            time.sleep(0.7)
            return False
        elif fault:
            self.answer(fault, {"message": "a fault"})
        return fault is not None

    def refuse(self, refusal, cloud):
        if cloud == "aws":
            body = {"__type": f"com.amazonaws.cloudtrail#{refusal.code}", "message": refusal.message}
            self.answer(refusal.status, body, "application/x-amz-json-1.1")
        elif cloud == "azure":
            body = {"error": {"code": refusal.code, "message": refusal.message}}
            self.answer(refusal.status, body, headers=refusal.headers)
        else:
            body = {"error": {"code": refusal.status, "status": refusal.code, "message": refusal.message}}
            self.answer(refusal.status, body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/control/stats":
            return self.answer(200, logs.stats)
        found = re.fullmatch(r"/subscriptions/([^/]+)/providers/Microsoft.Insights/eventtypes/management/values", url.path)
        if not found:
            return self.answer(404, {"error": {"code": "NotFound", "message": self.path}})
        if self.fails():
            return None
        try:
            base = f"http://{self.headers['Host']}"
            return self.answer(200, activity_log(base, found[1], urllib.parse.parse_qs(url.query)))
        except Refusal as refusal:
            return self.refuse(refusal, "azure")

    def do_PUT(self):
        body = json.loads(self.body())
        if self.path == "/control/events":
            logs.put(body["log"], body["events"])
        else:
            logs.every, logs.random = body["every"], random.Random(body.get("seed", 0))
        self.answer(200, {})

    def do_POST(self):
        data = self.body()
        if self.path.split("?")[0] == "/v2/entries:list":
            cloud, work = "gcp", lambda: list_entries(json.loads(data))
        elif (self.headers.get("X-Amz-Target") or "").endswith(".LookupEvents"):
            scope = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/cloudtrail/", self.headers.get("Authorization") or "")
            if not scope:
                return self.refuse(Refusal(400, "MissingAuthenticationTokenException", "no signature"), "aws")
            cloud, work = "aws", lambda: lookup_events(scope[1], scope[2], json.loads(data))
        elif b"Action=GetCallerIdentity" in data:
            return self.answer(200, (
                '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
                f"<Arn>arn:aws:iam::{account}:user/holdfast</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>").encode(), "text/xml")
        else:
            return self.answer(404, {"message": self.path})
        if self.fails():
            return None
        try:
            kind = "application/x-amz-json-1.1" if cloud == "aws" else "application/json"
            return self.answer(200, work(), kind)
        except Refusal as refusal:
            return self.refuse(refusal, cloud)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Readers that are killed leave in the middle of an answer."""


def main():
    global account, token_service
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--account", default=account)
    parser.add_argument("--sts", help="the endpoint of a token service that knows the keys")
    account, token_service = parser.parse_args().account, parser.parse_args().sts
    server = Server(("127.0.0.1", 0), Handler)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
