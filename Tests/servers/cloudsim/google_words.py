"""What Google's APIs have in common: errors, patches, pages, IAM policies, long operations."""

import base64
import copy
import datetime
import hashlib
import time

from cloudsim.server import Answer, Refused


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def refuse(status, reason, message, word=None):
    """In the old form, with a reason, or in that of newer services, with a word for the status."""
    error = {"code": status, "message": message}
    if word:
        error["status"] = word
    if reason:
        error["errors"] = [{"message": message, "domain": "global", "reason": reason}]
    raise Refused(Answer(status, {"error": error}))


def patched(base, patch):
    """RFC 7396: maps are merged, null takes away, everything else is replaced."""
    if not isinstance(patch, dict) or not isinstance(base, dict):
        return copy.deepcopy(patch)
    out = dict(base)
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = patched(out.get(key, {}), value)
    return out


def etag_of(number):
    """As Cloud Storage writes a generation: `CAE=` is 1."""
    data = b"\x08"
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return base64.b64encode(data + bytes([number])).decode()


def page(items, request, size, name="items", token="pageToken", limit="maxResults"):
    start = int(request.query.get(token) or 0)
    size = min(size, int(request.query.get(limit) or size))
    body = {name: items[start : start + size]} if items[start : start + size] else {}
    if start + size < len(items):
        body["nextPageToken"] = str(start + size)
    return body


class Policy:
    """An IAM policy: its bindings, and an etag that changes with each change."""

    def __init__(self, told=None):
        self.body = {"bindings": [], **(told or {})}
        self.number = 1

    @property
    def etag(self):
        return base64.b64encode(f"BwX{self.number:09d}".encode()).decode()

    def shown(self, version):
        body = copy.deepcopy(self.body)
        has_conditions = any("condition" in binding for binding in body["bindings"])
        if has_conditions and version < 3:
            for binding in body["bindings"]:
                if condition := binding.pop("condition", None):
                    mark = hashlib.sha256(condition["expression"].encode()).hexdigest()[:20]
                    binding["role"] = f"{binding['role']}_withcond_{mark}"
        body["version"] = 3 if has_conditions and version >= 3 else 1
        if not body["bindings"]:
            del body["bindings"]
        return {**body, "etag": self.etag}

    def change(self, told, members):
        for name in members:
            if name in told:
                self.body[name] = copy.deepcopy(told[name])
            else:
                self.body.pop(name, None)
        self.body.setdefault("bindings", [])
        self.number += 1


def check_conditions(told, fail):
    if any("condition" in binding for binding in told.get("bindings", [])) and told.get("version") != 3:
        fail("Conditional role bindings need a policy of version 3.")


class Operation:
    def __init__(self, finish):
        self.finish = finish
        self.polls, self.started, self.is_done = 0, time.monotonic(), False

    def settle(self):
        if not self.is_done:
            self.is_done = True
            self.finish()
