#!/usr/bin/env python3
"""Prints the requests that azure-identity makes to get a token, one JSON object a line; the last line has the token.

usage: azure_tokens.py KIND     KIND: environment, workload or managed; the rest is in the environment
"""
import json
import os
import sys

from azure.core.pipeline.transport import HttpTransport
from azure.identity import EnvironmentCredential, ManagedIdentityCredential, WorkloadIdentityCredential

AUTHORITY = os.environ.get("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com").rstrip("/")


class Answer:
    """As much of azure.core's HttpResponse as azure-identity looks at."""

    status_code = 200
    reason = "OK"
    content_type = "application/json"
    headers = {"content-type": "application/json"}
    block_size = 1

    def __init__(self, request, value):
        self.request = request
        self.value = value

    def body(self):
        return json.dumps(self.value).encode()

    def text(self, *_, **__):
        return json.dumps(self.value)


class Transport(HttpTransport):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def open(self):
        pass

    def close(self):
        pass

    def send(self, request, **_):
        if "/.well-known/" in request.url:
            base = request.url.split("/v2.0/")[0]
            return Answer(request, {"token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0",
                                    "authorization_endpoint": base + "/oauth2/v2.0/authorize"})
        if "/common/discovery/" in request.url:
            return Answer(request, {"tenant_discovery_endpoint": AUTHORITY, "metadata": []})
        body = request.body
        if isinstance(body, dict):
            body = {key: value.decode() if isinstance(value, bytes) else value for key, value in body.items()}
        print(json.dumps({"method": request.method, "url": request.url, "headers": dict(request.headers),
                          "form": body}))
        return Answer(request, {"access_token": "the-token", "token_type": "Bearer", "expires_in": 3600,
                                "expires_on": "4000000000", "resource": "r"})


kinds = {"environment": EnvironmentCredential, "workload": WorkloadIdentityCredential}
if sys.argv[1] == "managed":
    credential = ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"), transport=Transport())
else:
    credential = kinds[sys.argv[1]](transport=Transport())
token = credential.get_token("https://management.azure.com/.default")
print(json.dumps({"token": token.token}))
