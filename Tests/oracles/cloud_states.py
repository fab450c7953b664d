#!/usr/bin/env python3
"""What the providers' own clients read of the simulator's estate, in the shape of the catalog's types.

usage: cloud_states.py URL AUTHORITIES GOOGLE-CREDENTIALS SUBSCRIPTION PROJECT; AZURE_TENANT_ID, AZURE_CLIENT_ID and
AZURE_CLIENT_SECRET as usual. Prints {"type", "name", "state"} for each resource; null is left out.
"""

import json
import logging
import os
import sys

URL, AUTHORITIES, CREDENTIALS, SUBSCRIPTION, PROJECT = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = AUTHORITIES
os.environ["NO_PROXY"] = "localhost,127.0.0.1"
logging.disable(logging.CRITICAL)

import google_auth_httplib2  # noqa: E402
import httplib2  # noqa: E402
from azure.core.exceptions import HttpResponseError  # noqa: E402
from azure.identity import ClientSecretCredential  # noqa: E402
from azure.mgmt.keyvault import KeyVaultManagementClient  # noqa: E402
from azure.mgmt.network import NetworkManagementClient  # noqa: E402
from azure.mgmt.sql import SqlManagementClient  # noqa: E402
from azure.mgmt.storage import StorageManagementClient  # noqa: E402
from google.oauth2 import service_account  # noqa: E402
from googleapiclient.discovery import build  # noqa: E402


def told(kind, name, state):
    state = {key: value for key, value in state.items() if value is not None}
    print(json.dumps({"type": kind, "name": name, "state": state}), flush=True)


def body(model, *names):
    whole = model.as_dict()
    return {name: whole.get(name) for name in names} if names else whole


def settings(read):
    """A child that every parent has: its properties; `None` where the service has none there."""
    try:
        return {"properties": read().as_dict()["properties"]}
    except HttpResponseError as error:
        assert error.error.code in ("FeatureNotSupportedForAccount", "ManagementPolicyNotFound"), error
        return None


def every(read):
    try:
        return [element.as_dict() for element in read()]
    except HttpResponseError as error:
        assert error.error.code == "FeatureNotSupportedForAccount", error
        return None


def group(resource):
    return resource.id.split("/")[4]


class Azure:
    def __init__(self):
        credential = ClientSecretCredential(
            os.environ["AZURE_TENANT_ID"],
            os.environ["AZURE_CLIENT_ID"],
            os.environ["AZURE_CLIENT_SECRET"],
            authority=URL,
            disable_instance_discovery=True,
            connection_verify=AUTHORITIES,
        )
        self.options = {
            "credential": credential,
            "subscription_id": SUBSCRIPTION,
            "base_url": URL,
            "credential_scopes": [f"{URL}/.default"],
            "connection_verify": AUTHORITIES,
        }

    def storage(self):
        client = StorageManagementClient(**self.options)
        for found in client.storage_accounts.list():
            place = group(found), found.name
            account = client.storage_accounts.get_properties(*place)
            names = (
                "id",
                "name",
                "type",
                "kind",
                "location",
                "extendedLocation",
                "zones",
                "sku",
                "identity",
                "tags",
                "properties",
            )
            told(
                "Microsoft.Storage/storageAccounts",
                found.id,
                {
                    **body(account, *names),
                    "blobServices": settings(lambda: client.blob_services.get_service_properties(*place)),
                    "containers": every(lambda: client.blob_containers.list(*place)),
                    "fileServices": settings(lambda: client.file_services.get_service_properties(*place)),
                    "queueServices": settings(lambda: client.queue_services.get_service_properties(*place)),
                    "tableServices": settings(lambda: client.table_services.get_service_properties(*place)),
                    "managementPolicy": settings(lambda: client.management_policies.get(*place, "default")),
                    "localUsers": every(lambda: client.local_users.list(*place)),
                    "objectReplicationPolicies": every(lambda: client.object_replication_policies.list(*place)),
                },
            )

    def network(self):
        groups = NetworkManagementClient(**self.options).network_security_groups
        for found in groups.list_all():
            told("Microsoft.Network/networkSecurityGroups", found.id, body(groups.get(group(found), found.name)))

    def vaults(self):
        vaults = KeyVaultManagementClient(**self.options).vaults
        for found in vaults.list_by_subscription():
            told("Microsoft.KeyVault/vaults", found.id, body(vaults.get(group(found), found.name)))

    def sql(self):
        client = SqlManagementClient(**self.options)
        for found in client.servers.list():
            place = group(found), found.name
            server = client.servers.get(*place, expand="administrators/activedirectory")
            told(
                "Microsoft.Sql/servers",
                found.id,
                {
                    **body(server, "id", "name", "type", "kind", "location", "identity", "tags", "properties"),
                    "firewallRules": every(lambda: client.firewall_rules.list_by_server(*place)),
                    "ipv6FirewallRules": every(lambda: client.ipv6_firewall_rules.list_by_server(*place)),
                    "outboundFirewallRules": every(lambda: client.outbound_firewall_rules.list_by_server(*place)),
                    "virtualNetworkRules": every(lambda: client.virtual_network_rules.list_by_server(*place)),
                    "auditingSettings": settings(lambda: client.server_blob_auditing_policies.get(*place)),
                    "extendedAuditingSettings": settings(
                        lambda: client.extended_server_blob_auditing_policies.get(*place)
                    ),
                    "devOpsAuditingSettings": settings(
                        lambda: client.server_dev_ops_audit_settings.get(*place, "Default")
                    ),
                    "securityAlertPolicies": settings(
                        lambda: client.server_security_alert_policies.get(*place, "Default")
                    ),
                    "vulnerabilityAssessments": settings(
                        lambda: client.server_vulnerability_assessments.get(*place, "default")
                    ),
                    "sqlVulnerabilityAssessments": settings(
                        lambda: client.sql_vulnerability_assessments_settings.get(*place, "default")
                    ),
                    "advancedThreatProtectionSettings": settings(
                        lambda: client.server_advanced_threat_protection_settings.get(*place, "Default")
                    ),
                    "connectionPolicies": settings(lambda: client.server_connection_policies.get(*place, "default")),
                    "encryptionProtector": settings(lambda: client.encryption_protectors.get(*place, "current")),
                },
            )


class Google:
    def __init__(self):
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        self.credentials = service_account.Credentials.from_service_account_file(CREDENTIALS, scopes=scopes)

    def client(self, api, version):
        http = google_auth_httplib2.AuthorizedHttp(self.credentials, httplib2.Http(ca_certs=AUTHORITIES))
        # The endpoint takes the place of host and path, where a service has a path of its own.
        path = {"storage": "/storage/v1/", "compute": "/compute/v1/"}.get(api, "")
        return build(api, version, http=http, static_discovery=True, client_options={"api_endpoint": URL + path})

    def pages(self, collection, items="items", **arguments):
        request = collection.list(**arguments)
        while request is not None:
            page = request.execute()
            yield from page.get(items, [])
            request = collection.list_next(request, page)

    def all(self):
        buckets = self.client("storage", "v1").buckets()
        for found in self.pages(buckets, project=PROJECT):
            name = found["name"]
            policy = buckets.getIamPolicy(bucket=name, optionsRequestedPolicyVersion=3).execute()
            state = buckets.get(bucket=name, projection="full").execute()
            told("storage.googleapis.com/Bucket", name, {**state, "iamPolicy": {"bindings": [], **policy}})
        firewalls = self.client("compute", "v1").firewalls()
        for found in self.pages(firewalls, project=PROJECT):
            told(
                "compute.googleapis.com/Firewall",
                f"projects/{PROJECT}/global/firewalls/{found['name']}",
                firewalls.get(project=PROJECT, firewall=found["name"]).execute(),
            )
        instances = self.client("sqladmin", "v1").instances()
        for found in self.pages(instances, project=PROJECT):
            told(
                "sqladmin.googleapis.com/Instance",
                f"projects/{PROJECT}/instances/{found['name']}",
                instances.get(project=PROJECT, instance=found["name"]).execute(),
            )
        sinks = self.client("logging", "v2").projects().sinks()
        for found in self.pages(sinks, "sinks", parent=f"projects/{PROJECT}"):
            name = f"projects/{PROJECT}/sinks/{found['name']}"
            told("logging.googleapis.com/LogSink", name, sinks.get(sinkName=name).execute())
        projects = self.client("cloudresourcemanager", "v1").projects()
        asked = {"options": {"requestedPolicyVersion": 3}}
        policy = projects.getIamPolicy(resource=PROJECT, body=asked).execute()
        told(
            "cloudresourcemanager.googleapis.com/Project",
            f"projects/{PROJECT}",
            {**projects.get(projectId=PROJECT).execute(), "iamPolicy": {"bindings": [], **policy}},
        )


azure = Azure()
azure.storage()
azure.network()
azure.vaults()
azure.sql()
Google().all()
