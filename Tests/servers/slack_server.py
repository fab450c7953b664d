"""A stand-in for Slack on loopback: the methods of the Web API that Holdfast calls, with what Slack documents of tokens
and of Block Kit's limits, and presses of buttons as Slack sends them, signed.

https://docs.slack.dev/reference/methods/chat.postMessage (chat.update, chat.postEphemeral)
https://docs.slack.dev/reference/block-kit/blocks
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
https://docs.slack.dev/authentication/verifying-requests-from-slack"""
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

TEXTS = ("plain_text", "mrkdwn")


def check_text(text, limit, kinds=TEXTS):
    assert text["type"] in kinds, text
    assert 0 < len(text["text"]) <= limit, f"{len(text['text'])} characters, and {limit} may be: {text}"
    assert set(text) <= {"type", "text", "verbatim" if text["type"] == "mrkdwn" else "emoji"}, text


def check_blocks(blocks):
    assert 0 < len(blocks) <= 50, len(blocks)
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(ids) == len(set(ids)) and all(len(name) <= 255 for name in ids), ids
    for block in blocks:
        if block["type"] == "section":
            check_text(block["text"], 3000)
        elif block["type"] == "input":
            check_text(block["label"], 2000, ("plain_text",))
            assert block["element"]["type"] == "plain_text_input" and block["element"]["max_length"] <= 3000
        elif block["type"] == "actions":
            assert 0 < len(block["elements"]) <= 25
            names = [element["action_id"] for element in block["elements"]]
            assert len(names) == len(set(names)) and all(len(name) <= 255 for name in names)
            for element in block["elements"]:
                assert element["type"] == "button" and element.get("style") in (None, "primary", "danger"), element
                check_text(element["text"], 75, ("plain_text",))
                assert len(element.get("value", "")) <= 2000 and len(element.get("url", "")) <= 3000
        else:
            raise AssertionError(f"no block of ours: {block}")


class Slack:
    def __init__(self, token, secret, conversation):
        self.token, self.secret, self.conversation = token, secret, conversation
        self.messages, self.whispers, self.faults, self.is_down = {}, [], [], False
        slack = self

        class Method(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if slack.is_down:
                    self.send_response(503)
                    return self.end_headers()
                try:
                    answer = slack.answer(self.path.rsplit("/", 1)[1], self.headers, json.loads(body))
                except (AssertionError, KeyError) as fault:
                    slack.faults.append(repr(fault))
                    answer = {"ok": False, "error": "invalid_blocks"}
                self.send_response(200)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Method)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/api" % server.server_address[1]

    def answer(self, method, headers, body):
        if headers["Authorization"] != f"Bearer {self.token}":
            return {"ok": False, "error": "invalid_auth"}
        assert headers["Content-Type"].startswith("application/json"), headers["Content-Type"]
        if body["channel"] != self.conversation:
            return {"ok": False, "error": "channel_not_found"}
        assert 0 < len(body["text"]) <= 40_000
        if method == "chat.postEphemeral":
            self.whispers.append((body["user"], body["text"]))
            return {"ok": True, "message_ts": "1.1"}
        check_blocks(body["blocks"])
        if method == "chat.update":
            if body["ts"] not in self.messages:
                return {"ok": False, "error": "message_not_found"}
            stamp = body["ts"]
        else:
            assert method == "chat.postMessage", method
            stamp = "%d.%06d" % (time.time(), len(self.messages))
        self.messages[stamp] = body
        return {"ok": True, "channel": self.conversation, "ts": stamp}

    def shown(self, stamp):
        """All that the message says."""
        return "\n".join(block["text"]["text"] for block in self.messages[stamp]["blocks"] if block["type"] == "section")

    def buttons(self, stamp):
        return {element["text"]["text"]: element for block in self.messages[stamp]["blocks"]
                if block["type"] == "actions" for element in block["elements"]}

    def press(self, stamp, button, user, reason=None):
        """The body of the request that Slack makes when somebody presses a button."""
        element = self.buttons(stamp)[button]
        values = {block["block_id"]: {block["element"]["action_id"]: {"type": "plain_text_input", "value": reason}}
                  for block in self.messages[stamp]["blocks"] if block["type"] == "input"}
        payload = {
            "type": "block_actions", "team": {"id": "T0001", "domain": "example"}, "user": {"id": user, "name": "x"},
            "api_app_id": "A0001", "token": "unused", "trigger_id": "1.2.3",
            "container": {"type": "message", "message_ts": stamp, "channel_id": self.conversation},
            "channel": {"id": self.conversation, "name": "oncall"}, "message": {"ts": stamp},
            "response_url": "https://hooks.slack.example/actions/1", "state": {"values": values},
            "actions": [{"type": "button", "action_id": element["action_id"], "block_id": "b", "value": element["value"],
                         "text": element["text"], "action_ts": "%.6f" % time.time()}]}
        return urllib.parse.urlencode({"payload": json.dumps(payload)}).encode()

    def sign(self, body, at=None, secret=None):
        stamp = str(int(at or time.time()))
        text = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new((secret or self.secret).encode(), text, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + digest}

    @staticmethod
    def request(url, body, headers):
        """What the request URL answers: status and text."""
        request = urllib.request.Request(url, body, {"Content-Type": "application/x-www-form-urlencoded", **headers})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
