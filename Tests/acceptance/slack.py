"""Approvals in Slack against moto and a stand-in for Slack that checks requests as Slack documents them: asked, approved,
verified and undone in one message; forged, late and replayed presses refused; and nothing approved while the chat is
down. Run it with the Python of Tests/servers/python.sh."""
import getpass
import secrets
import sys
import tempfile
import time

import estate
import remediation_bench as bench
from program import TOP
from remediation_bench import PRODUCTION, REGION, is_blocked, open_up
from scan import moto
from server import Setting, holdfast

sys.path.insert(0, str(TOP / "Tests/servers"))
import slack_server

SECRET, TOKEN, CONVERSATION = secrets.token_hex(16), "xoxb-" + secrets.token_hex(12), "C0123ABCD"
ANN, EVE, VI = "U0ANN", "U0EVE", "U0VI"


class Chat(Setting):
    def __init__(self, folder, endpoint, slack):
        self.folder, self.endpoint, self.slack = folder, endpoint, slack
        for name, secret in (("token", TOKEN), ("signing", SECRET)):
            with open(f"{folder}/{name}.key", "w") as file:
                file.write(secret)
        bench.configure(
            folder, server={"listen": "127.0.0.1:0", "socket": "./s"}, log={"format": "json"},
            identities=[{"person": "ann.lee", "slack": ANN, "local": getpass.getuser()}, {"person": "vi.ewer", "slack": VI},
                        {"person": "al.ice", "aws": "arn:aws:iam::*:user/alice"}],
            channels={"oncall": {"slack": {"token": "file:token.key", "signing-secret": "file:signing.key",
                                           "conversation": CONVERSATION, "url": slack.url}, "gather": "1s"}},
            routes=[{"match": {"notice": "all"}, "to": "oncall"}],
            approvals={"roles": {"approver": ["ann.lee"], "operator": ["ann.lee"], "viewer": ["vi.ewer"]},
                       "prompts": [{"channel": "oncall"}]},
            accounts=[{"aws": PRODUCTION, "environment": "production", "read-role": estate.ROLE % PRODUCTION,
                       "write-role": bench.WRITE % PRODUCTION, "regions": [REGION]}],
            environments=["production"])
        self.service = bench.Service(folder, endpoint)
        self.url = self.service.wait("the server", self.find)

    def press(self, stamp, button, user, reason=None, **sign):
        body = self.slack.press(stamp, button, user, reason)
        return self.slack.request(f"{self.url}/slack/actions", body, self.slack.sign(body, **sign))

    def posted(self, bucket):
        return self.service.wait(f"the prompt of {bucket}", lambda: next(
            (stamp for stamp, message in list(self.slack.messages.items()) if bucket in message["text"]
             and "did s3.amazonaws.com" in message["text"]), None))

    def says(self, stamp, text):
        self.service.wait(f"\"{text}\" in the message", lambda: text in self.slack.shown(stamp))

    def refusals(self):
        return [entry["body"] for entry in self.ask("audit", "list", "--kind", "refused-request")]


def refused(chat, s3, stamp):
    """Who is not Slack, too late, or not the first; who is nobody; who may not."""
    body = chat.slack.press(stamp, "Approve", ANN)
    url = f"{chat.url}/slack/actions"
    good = chat.slack.sign(body)
    cases = [("forged", chat.slack.sign(body, secret="another"), body, "its signature is not Slack's"),
             ("changed", good, body + b"&more=1", "its signature is not Slack's"),
             ("unsigned", {}, body, "not signed"),
             ("late", chat.slack.sign(body, at=time.time() - 301), body, "more than five minutes"),
             ("early", chat.slack.sign(body, at=time.time() + 302), body, "more than five minutes"),
             ("from before", chat.slack.sign(body, at=time.time() - 290), body, "before this service started")]
    for name, headers, sent, why in cases:
        status, text = chat.slack.request(url, sent, headers)
        assert status == 401 and why in text, (name, status, text)
    told = [entry["reason"] for entry in chat.refusals()]
    assert all(any(why in reason for reason in told) for *_, why in cases), told
    assert chat.press(stamp, "Approve", EVE)[0] == 200
    assert chat.press(stamp, "Approve", VI)[0] == 200
    assert chat.press(stamp, "Refuse", ANN)[0] == 200
    wanted = [(EVE, "nobody is mapped"), (VI, "may not approve"), (ANN, "give a reason")]
    for user, why in wanted:
        assert any(who == user and why in text for who, text in chat.slack.whispers), (user, chat.slack.whispers)
        assert any(why in entry["reason"] for entry in chat.refusals()), why
    assert chat.waiting("production-0") and not is_blocked(s3, "production-0")
    print(f"{len(cases)} requests that are not Slack's, late or from before, and {len(wanted)} people: refused, with "
          "reasons and audit entries")


def approved(chat, s3, stamp):
    body = chat.slack.press(stamp, "Approve", ANN)
    headers = chat.slack.sign(body)
    url = f"{chat.url}/slack/actions"
    assert chat.slack.request(url, body, headers)[0] == 200
    status, text = chat.slack.request(url, body, headers)
    assert status == 401 and "came before" in text, (status, text)
    chat.service.wait("the fix", lambda: is_blocked(s3, "production-0"))
    chat.says(stamp, "Done and verified. Approved by ann.lee.")
    assert list(chat.slack.buttons(stamp)) == ["Undo"]
    for user, reason, why in ((ANN, " ", "give a reason"), (VI, "I may not", "may not halt, resume, undo")):
        assert chat.press(stamp, "Undo", user, reason)[0] == 200
        assert any(who == user and why in text for who, text in chat.slack.whispers), (user, chat.slack.whispers)
    assert is_blocked(s3, "production-0")
    assert chat.press(stamp, "Undo", ANN, "it broke the site")[0] == 200
    chat.says(stamp, "Undone: it broke the site")
    assert not is_blocked(s3, "production-0") and not chat.slack.buttons(stamp)
    [approval] = [e["body"] for e in chat.ask("audit", "list", "--kind", "approve")]
    assert (approval["person"], approval["via"]) == ("ann.lee", "slack"), approval
    print("approved in chat, once for two equal presses; the message says done and verified, then undone by its button")


def refused_by_person(chat, s3):
    open_up(chat.service, s3, PRODUCTION, "production-1")
    stamp = chat.posted("production-1")
    assert chat.press(stamp, "Refuse", ANN, reason="it is meant to be open")[0] == 200
    chat.says(stamp, "Refused by ann.lee: it is meant to be open.")
    assert not chat.slack.buttons(stamp) and not is_blocked(s3, "production-1")
    print("refused in chat with a reason; the message says so")


def down(chat, s3):
    chat.slack.is_down = True
    open_up(chat.service, s3, PRODUCTION, "production-2")
    notice = chat.service.wait("the notice", lambda: next(
        (n for n in chat.ask("notices") if n["code"] == "prompt-failed"), None))
    assert "503" in notice["text"], notice
    time.sleep(3)
    assert chat.waiting("production-2") and not is_blocked(s3, "production-2")
    chat.slack.is_down = False
    stamp = chat.posted("production-2")
    chat.service.wait("the notice's end", lambda: not [n for n in chat.ask("notices") if n["code"] == "prompt-failed"])
    # Somebody closes it by hand: the plan is void, and the message says so.
    s3.put_public_access_block(Bucket="production-2", PublicAccessBlockConfiguration=bench.CLOSED)
    chat.service.send(bench.event(
        PRODUCTION, "s3.amazonaws.com", "PutBucketPublicAccessBlock",
        {"bucketName": "production-2", "PublicAccessBlockConfiguration": bench.CLOSED}))
    chat.says(stamp, "Void")
    print("with the chat down nothing is approved and a notice says so; then it is asked, and void when closed by hand")


def main():
    slack = slack_server.Slack(TOKEN, SECRET, CONVERSATION)
    with moto() as endpoint, tempfile.TemporaryDirectory() as folder:
        s3 = estate.session(endpoint, PRODUCTION)("s3")
        for number in range(3):
            name = f"production-{number}"
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=bench.CLOSED)
        chat = Chat(folder, endpoint, slack)
        try:
            chat.service.wait("the first scan", lambda: len(chat.ask("resources", "--type", "AWS::S3::Bucket")) >= 3)
            open_up(chat.service, s3, PRODUCTION, "production-0")
            stamp = chat.posted("production-0")
            refused(chat, s3, stamp)
            approved(chat, s3, stamp)
            refused_by_person(chat, s3)
            down(chat, s3)
            assert not slack.faults, slack.faults
        finally:
            chat.service.stop()


main()
