#!/usr/bin/env python3
"""The providers' own clients against the simulator: everything that the catalog's calls do, done and read back by them.

usage: cloud_contract.py. Starts a simulator of its own; prints for each check what is wrong, or null.
"""

import json
import logging
import os
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "servers")]

from cloudcontract.azure import Azure  # noqa: E402
from cloudcontract.google import Google  # noqa: E402
from cloudcontract.words import (  # noqa: E402
    CLIENT,
    GROUP,
    PROJECT,
    SUBSCRIPTION,
    TENANT,
    Server,
    code,
    equal,
    make_key,
    refused,
)


class Contract(Azure, Google):
    def __init__(self):
        self.server = Server()
        os.environ["REQUESTS_CA_BUNDLE"] = self.server.authorities
        os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = self.server.plain
        os.environ["GCE_METADATA_HOST"] = self.server.plain.removeprefix("http://")
        os.environ["NO_PROXY"] = "localhost,127.0.0.1"
        key, certificate = make_key(self.server.folder.name, "app")
        self.certificate = (key + certificate).encode()
        self.key, public = make_key(self.server.folder.name, "account")
        public = subprocess.run(
            ["openssl", "x509", "-pubkey", "-noout"], input=public, text=True, check=True, capture_output=True
        ).stdout
        self.server.control(
            "credentials",
            {
                "apps": [
                    {"tenant": TENANT, "client": CLIENT, "secret": "right"},
                    {"tenant": TENANT, "client": "client-2", "certificate": certificate},
                    {"tenant": TENANT, "client": "client-3", "federated": "their token"},
                ],
                "identities": ["", "identity-1"],
                "accounts": [{"email": "reader@my-project.iam.gserviceaccount.com", "key": public, "key-id": "k1"}],
                "machine": {"email": "vm@my-project.iam.gserviceaccount.com", "project": PROJECT},
            },
        )
        self.server.control("azure", {"subscription": SUBSCRIPTION, "groups": [GROUP]})
        self.server.control("google", {"projects": {PROJECT: {"labels": {"team": "a"}}, "other": {}}})

    # Tokens

    def entra(self):
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import CertificateCredential, ClientAssertionCredential, ClientSecretCredential

        options = {
            "authority": self.server.url,
            "disable_instance_discovery": True,
            "connection_verify": self.server.authorities,
        }
        scope = f"{self.server.url}/.default"
        self.azure = ClientSecretCredential(TENANT, CLIENT, "right", **options)
        assert self.azure.get_token(scope).token
        wrong = ClientSecretCredential(TENANT, CLIENT, "wrong", **options)
        assert "7000215" in str(refused(lambda: wrong.get_token(scope), ClientAuthenticationError))
        by_certificate = CertificateCredential(TENANT, "client-2", certificate_data=self.certificate, **options)
        assert by_certificate.get_token(scope).token
        federated = ClientAssertionCredential(TENANT, "client-3", lambda: "their token", **options)
        assert federated.get_token(scope).token
        forged = ClientAssertionCredential(TENANT, "client-2", lambda: "e30.e30.e30", **options)
        refused(lambda: forged.get_token(scope), ClientAuthenticationError)

    def azure_machine(self):
        from azure.identity import ManagedIdentityCredential

        assert ManagedIdentityCredential().get_token("https://management.azure.com/.default").token
        assert (
            ManagedIdentityCredential(client_id="identity-1").get_token("https://management.azure.com/.default").token
        )
        stranger = ManagedIdentityCredential(client_id="identity-2")
        refused(lambda: stranger.get_token("https://management.azure.com/.default"))

    def google_tokens(self):
        from google.auth import compute_engine, exceptions
        from google.auth.transport.requests import Request
        from google.oauth2 import credentials, service_account

        told = {
            "type": "service_account",
            "client_email": "reader@my-project.iam.gserviceaccount.com",
            "private_key": self.key,
            "private_key_id": "k1",
            "token_uri": f"{self.server.url}/token",
            "project_id": PROJECT,
        }
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        account = service_account.Credentials.from_service_account_info(told, scopes=scopes)
        account.refresh(Request())
        self.google = credentials.Credentials(token=account.token)
        forger, _ = make_key(self.server.folder.name, "forger")
        forged = service_account.Credentials.from_service_account_info({**told, "private_key": forger}, scopes=scopes)
        assert "Signature" in str(refused(lambda: forged.refresh(Request()), exceptions.RefreshError))
        machine = compute_engine.Credentials()
        machine.refresh(Request())
        assert machine.token

    # What holds the simulator's own bodies true

    def models(self):
        from cloudsim import models
        from cloudsim.arm_types import KINDS
        from cloudsim.discovery import Documents

        for kind in KINDS.values():
            package, *names = kind.models
            for name in names:
                assert models.problems(package, name, {"properties": {"noSuchThing": 1}}), name
                assert models.problems(package, name, {"properties": 1}), name
        account = {"properties": {"allowBlobPublicAccess": "no", "networkAcls": {"ipRules": [{"valeu": "a"}]}}}
        wrong = models.problems("azure.mgmt.storage", "StorageAccountUpdateParameters", account)
        equal(len(wrong), 2)
        documents = Documents.installed()
        for api, schema, body in (
            ("storage.v1", "Bucket", {"versioning": {"enabled": "yes"}}),
            ("compute.v1", "Firewall", {"sourceRanges": "0.0.0.0/0"}),
            ("compute.v1", "Firewall", {"direction": "IN"}),
            ("sqladmin.v1", "DatabaseInstance", {"settings": {"settingsVersion": 1}}),
            ("cloudresourcemanager.v1", "Policy", {"bindings": [{"member": []}]}),
        ):
            equal(len(documents.problems(api, schema, body)), 1)

    # Faults

    def faults(self):
        from azure.core.exceptions import HttpResponseError
        from azure.mgmt.storage import StorageManagementClient

        accounts = self.client(StorageManagementClient).storage_accounts
        one = {"match": "GET .*/storageAccounts/store0$"}
        self.server.control(
            "faults", [{**one, "status": 429, "retry-after": 3, "times": 1}, {**one, "status": 403, "times": 1}]
        )
        slow = refused(lambda: accounts.get_properties(GROUP, "store0"), HttpResponseError)
        equal((slow.status_code, code(slow), slow.response.headers["Retry-After"]), (429, "TooManyRequests", "3"))
        equal(code(refused(lambda: accounts.get_properties(GROUP, "store0"), HttpResponseError)), "AuthorizationFailed")
        equal(accounts.get_properties(GROUP, "store0").name, "store0")
        self.server.control("faults", [{**one, "cut": True, "times": 1}])
        refused(lambda: accounts.get_properties(GROUP, "store0"))
        self.server.control("faults", [])
        seen = [line for line in self.server.control("log", method="GET") if line["status"] == 429]
        equal([line["principal"] for line in seen], [None])
        self.server.control("expire", {})
        old = refused(lambda: self.build("cloudresourcemanager", "v1").projects().get(projectId=PROJECT).execute())
        assert "refresh" in str(old).lower() or "401" in str(old), old

    CHECKS = [
        "entra",
        "azure_machine",
        "google_tokens",
        "storage_accounts",
        "storage_services",
        "security_groups",
        "key_vaults",
        "sql_servers",
        "sql_settings",
        "buckets",
        "firewalls",
        "databases",
        "projects",
        "folders",
        "management_groups",
        "models",
        "faults",
    ]

    def run(self):
        for name in Contract.CHECKS:
            fault = None
            try:
                getattr(self, name)()
            except Exception:
                fault = traceback.format_exc(limit=-4, chain=False)
            print(json.dumps({"check": name, "fault": fault}), flush=True)
        self.server.process.stdin.close()
        self.server.process.wait(10)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    Contract().run()
