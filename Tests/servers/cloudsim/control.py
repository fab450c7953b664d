"""What tests ask of the simulator itself, under `/_simulator/`; no token is needed.

POST reset        everything as at the start
POST faults       a list of faults, in place of those before (see Fault)
GET  log          every request and its answer since the start or the last DELETE
POST azure        {"subscription": id, "groups": [names], "in": management group, "tags": …},
                  {"management-groups": {id: {"name", "in"}}} and {"resources": {id: body}}, as they were made long ago
POST google       {"projects": {id: body}, "folders": {"folders/1": {"displayName", "parent"}}, "buckets": {project: [bodies]}, "firewalls": …, "instances": …,
                  "sinks": …}
POST credentials  who may get tokens (see tokens.Tokens.register)
POST account      {"email", "token-uri"}: a new service account of Google, as the file that its owner downloads
POST expire       no token that was given is good any longer
POST page-size    {"size": n}: how many elements a list gives at once
GET  state        {"azure": …, "google": …}
"""

import re

from cloudsim.server import Answer


class Fault:
    """`match` is looked for in "METHOD path"; `times` and `every` say which of these requests it takes (all).

    status          the cloud's own error of that status: 403, 404, 409, 412, 429 or a 5xx
    retry-after     seconds, in the header
    delay           seconds before the answer; with no status the answer is the true one
    cut             the true answer's body ends in its middle
    """

    def __init__(self, told):
        self.match = re.compile(told["match"], re.IGNORECASE)
        self.times = told.get("times")
        self.every = told.get("every", 1)
        self.status = told.get("status")
        self.code = told.get("code")
        self.retry_after = told.get("retry-after")
        self.delay = told.get("delay", 0)
        self.cut = told.get("cut", False)
        self.seen = 0

    def takes(self, request):
        if self.times == 0 or not self.match.search(f"{request.method} {request.path}"):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self, request):
        """`None`: the request has its true answer, which `Simulator.answer` makes."""
        if self.status is None:
            return None
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        is_azure = request.path.lower().startswith(("/subscriptions", "/providers"))
        body = azure_error(self) if is_azure else google_error(self)
        return Answer(self.status, body, headers)


AZURE = {
    403: "AuthorizationFailed",
    404: "ResourceNotFound",
    409: "Conflict",
    412: "PreconditionFailed",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
GOOGLE = {
    403: ("forbidden", "PERMISSION_DENIED"),
    404: ("notFound", "NOT_FOUND"),
    409: ("conflict", "ABORTED"),
    412: ("conditionNotMet", "FAILED_PRECONDITION"),
    429: ("rateLimitExceeded", "RESOURCE_EXHAUSTED"),
    500: ("backendError", "INTERNAL"),
    503: ("backendError", "UNAVAILABLE"),
}


def azure_error(fault):
    return {"error": {"code": fault.code or AZURE[fault.status], "message": "as the test asked"}}


def google_error(fault):
    reason, status = GOOGLE[fault.status]
    reason = fault.code or reason
    errors = [{"message": "as the test asked", "domain": "global", "reason": reason}]
    return {"error": {"code": fault.status, "message": "as the test asked", "errors": errors, "status": status}}


def answer(simulator, request):
    word = request.path.removeprefix("/_simulator/")
    told = request.json
    match request.method, word:
        case "POST", "reset":
            simulator.reset()
        case "POST", "faults":
            simulator.faults = [Fault(fault) for fault in told]
        case "GET", "log":
            return Answer(200, simulator.log)
        case "DELETE", "log":
            simulator.log = []
        case "POST", "azure":
            simulator.arm.seed(told)
        case "POST", "google":
            simulator.google.seed(told)
        case "POST", "credentials":
            simulator.tokens.register(told)
        case "POST", "account":
            return Answer(200, simulator.tokens.new_account(told["email"], told["token-uri"]))
        case "POST", "expire":
            simulator.tokens.given.clear()
        case "POST", "page-size":
            simulator.arm.page_size = simulator.google.page_size = told["size"]
        case "GET", "state":
            return Answer(200, {"azure": simulator.arm.state(), "google": simulator.google.state()})
        case _:
            return Answer(404, {"error": {"code": 404, "message": f"the simulator has no {request.method} {word}"}})
    return Answer(200, {})
