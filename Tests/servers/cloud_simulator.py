#!/usr/bin/env python3
"""Azure Resource Manager and Google's APIs, as far as the catalog's calls go, with their token services.

usage: cloud_simulator.py [FOLDER], for certificates. Prints its ports as one line of JSON; ends when its input does.

One port over TLS and one without (which metadata services of machines have). Requests to `/_simulator/…` read and
control it; see cloudsim/control.py. Everything is kept in memory. Where google-api-python-client is installed, bodies
of Google's APIs are held against its discovery documents: a body with a property that they do not have is refused.
"""

import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cloudsim import arm, control, google, server, tokens  # noqa: E402
from cloudsim.discovery import Documents  # noqa: E402


class Simulator:
    def __init__(self, folder):
        self.folder = folder
        self.documents = Documents.installed()
        self.reset()

    def reset(self):
        self.tokens = tokens.Tokens(self.folder)
        self.arm = arm.ResourceManager(self.tokens)
        self.google = google.Google(self.tokens, self.documents)
        self.faults = []
        self.log = []

    def answer(self, request):
        if request.path.startswith("/_simulator/"):
            return control.answer(self, request)
        fault = next((fault for fault in self.faults if fault.takes(request)), None)
        answer = fault.answer(request) if fault else None
        if answer is None:
            answer = self.refusable(request)
        if fault:
            answer.delay, answer.cut = fault.delay, fault.cut
        self.log.append(server.entry(request, answer))
        return answer

    def refusable(self, request):
        try:
            return self.route(request)
        except server.Refused as refused:
            return refused.answer

    def route(self, request):
        for part in (self.tokens, self.arm, self.google):
            answer = part.answer(request)
            if answer is not None:
                return answer
        return server.Answer(404, {"error": {"code": 404, "message": f"no such service: {request.path}"}})


def main():
    with tempfile.TemporaryDirectory() as own:
        serve(sys.argv[1] if len(sys.argv) > 1 else own)


def serve(folder):
    os.makedirs(folder, exist_ok=True)
    simulator = Simulator(folder)
    context, authorities = server.certificate(folder)
    ports = {"tls": server.listen(simulator, context), "plain": server.listen(simulator, None)}
    told = {"ports": ports, "authorities": authorities, "documents": simulator.documents is not None}
    print(json.dumps(told), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
