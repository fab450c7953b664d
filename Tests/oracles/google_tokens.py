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
import google.auth.credentials
from google.auth import _helpers, identity_pool
from google.auth.compute_engine import _metadata

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


def credentials_of(path):
    with open(path, encoding="utf-8") as file:
        info = json.load(file)
    if info["type"] == "external_account":  # loading these the usual way looks the project up over the network
        return identity_pool.Credentials.from_info(info, scopes=SCOPES)
    loaded, _ = google.auth.load_credentials_from_file(path)
    return google.auth.credentials.with_scopes_if_required(loaded, SCOPES)


if case.get("file"):
    credentials = credentials_of(case["file"])
    credentials.refresh(transport)
    token, expires = credentials.token, credentials.expiry
else:
    token, expires = _metadata.get_service_account_token(transport, "default", SCOPES)
print(json.dumps({"token": token, "expires": expires.isoformat() + "Z"}))
