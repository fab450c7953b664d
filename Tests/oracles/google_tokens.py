#!/usr/bin/env python3
"""Prints the requests that google-auth makes to get a token, one JSON object a line; the last line has the token.

usage: google_tokens.py CASE

CASE is a JSON file: `file`, the credentials file (absent: the machine's own); `time`, seconds since 1970; `answers`,
a list of {url, headers, body}, the first of which whose `url` is in a request's URL answers it.
"""
import datetime
import json
import sys

import google.auth
from google.auth import _helpers, compute_engine

with open(sys.argv[1], encoding="utf-8") as text:
    case = json.load(text)
now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc).replace(tzinfo=None)
_helpers.utcnow = lambda: now
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class Answer:
    """What google.auth.transport.Response promises."""

    def __init__(self, found):
        self.status = found.get("status", 200)
        self.headers = {"content-type": "application/json", **found.get("headers", {})}
        body = found["body"]
        self.data = (body if isinstance(body, str) else json.dumps(body)).encode()


def transport(url, method="GET", body=None, headers=None, timeout=None, **_):
    if isinstance(body, bytes):
        body = body.decode()
    print(json.dumps({"method": method, "url": url, "headers": dict(headers or {}), "body": body or ""}))
    for found in case["answers"]:
        if found["url"] in url:
            return Answer(found)
    raise AssertionError(f"no answer for {url}")


if case.get("file"):
    credentials, _ = google.auth.load_credentials_from_file(case["file"], scopes=SCOPES)
else:
    credentials = compute_engine.Credentials(scopes=SCOPES)
credentials.refresh(transport)
print(json.dumps({"token": credentials.token, "expires": credentials.expiry.isoformat() + "Z"}))
