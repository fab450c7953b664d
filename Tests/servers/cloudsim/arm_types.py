"""What the simulator's Resource Manager knows of single types: their names, their defaults, how writes of them travel.

Facts are those of the ARM specifications and of recorded answers of the service.
"""

import datetime
import uuid


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


class Kind:
    """`put`, `patch` and `delete` are `sync`, `created` (201 and Azure-AsyncOperation), `accepted` (202 with both
    links) or `located` (202 and Location only). `models` are the names of the models of azure-mgmt packages that
    bodies are held against: package, of an answer, of a PUT, of a PATCH."""

    def __init__(
        self,
        name,
        models,
        put="sync",
        patch="sync",
        delete="sync",
        defaults=None,
        one=None,
        none=None,
        refuses=None,
        embedded=None,
        if_match=False,
    ):
        self.name = name
        self.models = models
        self.put, self.patch, self.delete = put, patch, delete
        self.defaults = defaults or (lambda body, name: {})
        # A child that every parent has: its properties.
        self.one = one
        # The code that says that a child is not there, where it is its service's own.
        self.none = none
        self.refuses = refuses
        # The list in the parent's properties that holds these children.
        self.embedded = embedded
        self.if_match = if_match


def storage(body, name):
    kind = body.get("kind", "StorageV2")
    services = {"FileStorage": ["file"], "BlobStorage": ["blob"], "BlockBlobStorage": ["blob"]}.get(
        kind, ["blob", "queue", "table", "file"]
    )
    encrypted = {
        service: {"keyType": "Account", "enabled": True, "lastEnabledTime": now()} for service in ("file", "blob")
    }
    return {
        "kind": kind,
        "tags": {},
        "sku": {"tier": body.get("sku", {}).get("name", "Standard").split("_")[0]},
        "properties": {
            "provisioningState": "Succeeded",
            "creationTime": now(),
            "primaryLocation": body.get("location"),
            "statusOfPrimary": "available",
            "supportsHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_0",
            "allowBlobPublicAccess": False,
            "privateEndpointConnections": [],
            "networkAcls": {
                "bypass": "AzureServices",
                "virtualNetworkRules": [],
                "ipRules": [],
                "defaultAction": "Allow",
            },
            "encryption": {"services": encrypted, "keySource": "Microsoft.Storage"},
            "primaryEndpoints": {s: f"https://{name}.{s}.core.windows.net/" for s in services},
        },
    }


# name, priority, direction, access, source, destination
DEFAULT_RULES = [
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
]
RULE_LISTS = {f"{side}{what}": [] for side in ("source", "destination") for what in ("PortRanges", "AddressPrefixes")}


def security_group(body, name):
    rules = [
        {
            "name": rule,
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": "Succeeded",
                "description": rule,
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": to,
                "access": access,
                "priority": priority,
                "direction": direction,
                **RULE_LISTS,
            },
        }
        for rule, priority, direction, access, source, to in DEFAULT_RULES
    ]
    return {
        "tags": {},
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": str(uuid.uuid4()),
            "securityRules": [],
            "defaultSecurityRules": rules,
        },
    }


def security_rule(body, name):
    return {"properties": {"provisioningState": "Succeeded", **RULE_LISTS}}


def vault(body, name):
    return {
        "tags": {},
        "systemData": {"createdBy": "sim", "createdByType": "Application", "createdAt": now()},
        "properties": {
            "accessPolicies": [],
            "enabledForDeployment": False,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enableRbacAuthorization": False,
            "vaultUri": f"https://{name}.vault.azure.net/",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
        },
    }


def purge_protection(body):
    if (body.get("properties") or {}).get("enablePurgeProtection") is False:
        return (
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault '
            "is an irreversible action."
        )
    return None


def sql_server(body, name):
    return {
        "kind": "v12.0",
        "tags": {},
        "properties": {
            "version": "12.0",
            "state": "Ready",
            "fullyQualifiedDomainName": f"{name}.database.windows.net",
            "privateEndpointConnections": [],
            "minimalTlsVersion": "1.2",
            "publicNetworkAccess": "Enabled",
            "restrictOutboundNetworkAccess": "Disabled",
        },
    }


ST, NET, KV, SQL = "azure.mgmt.storage", "azure.mgmt.network", "azure.mgmt.keyvault", "azure.mgmt.sql"
STORE, NSG = "Microsoft.Storage/storageAccounts", "Microsoft.Network/networkSecurityGroups"
SERVER = "Microsoft.Sql/servers"
CORS = {"cors": {"corsRules": []}}


def same(package, model):
    return (package, model, model, model)


def sql_setting(name, model, properties, put="sync"):
    return Kind(f"{SERVER}/{name}", same(SQL, model), put=put, one=properties)


KINDS = {
    kind.name.lower(): kind
    for kind in [
        Kind(
            STORE,
            (ST, "StorageAccount", "StorageAccountCreateParameters", "StorageAccountUpdateParameters"),
            put="located",
            defaults=storage,
        ),
        Kind(
            f"{STORE}/blobServices",
            same(ST, "BlobServiceProperties"),
            refuses="Blob",
            one={**CORS, "deleteRetentionPolicy": {"allowPermanentDelete": False, "enabled": False}},
        ),
        Kind(
            f"{STORE}/blobServices/containers",
            same(ST, "BlobContainer"),
            refuses="Blob",
            defaults=lambda body, name: {
                "properties": {
                    "publicAccess": "None",
                    "leaseStatus": "Unlocked",
                    "leaseState": "Available",
                    "hasImmutabilityPolicy": False,
                    "hasLegalHold": False,
                    "lastModifiedTime": now(),
                }
            },
        ),
        Kind(
            f"{STORE}/fileServices",
            same(ST, "FileServiceProperties"),
            refuses="File",
            one={**CORS, "shareDeleteRetentionPolicy": {"enabled": True, "days": 7}},
        ),
        Kind(f"{STORE}/queueServices", same(ST, "QueueServiceProperties"), refuses="Queue", one=CORS),
        Kind(f"{STORE}/tableServices", same(ST, "TableServiceProperties"), refuses="Table", one=CORS),
        Kind(f"{STORE}/managementPolicies", same(ST, "ManagementPolicy"), none="ManagementPolicyNotFound"),
        Kind(f"{STORE}/localUsers", same(ST, "LocalUser")),
        Kind(f"{STORE}/objectReplicationPolicies", same(ST, "ObjectReplicationPolicy")),
        Kind(
            NSG,
            same(NET, "NetworkSecurityGroup"),
            put="created",
            delete="accepted",
            defaults=security_group,
            if_match=True,
        ),
        Kind(
            f"{NSG}/securityRules",
            same(NET, "SecurityRule"),
            put="created",
            delete="accepted",
            defaults=security_rule,
            embedded="securityRules",
            none="NotFound",
            if_match=True,
        ),
        Kind(
            "Microsoft.KeyVault/vaults",
            (KV, "Vault", "VaultCreateOrUpdateParameters", "VaultPatchParameters"),
            defaults=vault,
        ),
        Kind(
            SERVER,
            (SQL, "Server", "Server", "ServerUpdate"),
            put="accepted",
            patch="accepted",
            delete="accepted",
            defaults=sql_server,
        ),
        Kind(f"{SERVER}/firewallRules", same(SQL, "FirewallRule")),
        Kind(f"{SERVER}/ipv6FirewallRules", same(SQL, "IPv6FirewallRule")),
        Kind(f"{SERVER}/outboundFirewallRules", same(SQL, "OutboundFirewallRule"), put="accepted", delete="accepted"),
        Kind(f"{SERVER}/virtualNetworkRules", same(SQL, "VirtualNetworkRule"), put="accepted", delete="accepted"),
        sql_setting(
            "auditingSettings",
            "ServerBlobAuditingPolicy",
            {
                "state": "Disabled",
                "retentionDays": 0,
                "auditActionsAndGroups": [],
                "isStorageSecondaryKeyInUse": False,
                "isAzureMonitorTargetEnabled": False,
            },
            put="accepted",
        ),
        sql_setting(
            "extendedAuditingSettings",
            "ExtendedServerBlobAuditingPolicy",
            {"state": "Disabled", "retentionDays": 0, "auditActionsAndGroups": []},
            put="accepted",
        ),
        sql_setting("devOpsAuditingSettings", "ServerDevOpsAuditingSettings", {"state": "Disabled"}, put="accepted"),
        sql_setting(
            "securityAlertPolicies",
            "ServerSecurityAlertPolicy",
            {
                "state": "Disabled",
                "disabledAlerts": [""],
                "emailAddresses": [""],
                "emailAccountAdmins": False,
                "retentionDays": 0,
            },
            put="accepted",
        ),
        sql_setting(
            "vulnerabilityAssessments",
            "ServerVulnerabilityAssessment",
            {"recurringScans": {"isEnabled": False, "emailSubscriptionAdmins": True}},
        ),
        sql_setting("sqlVulnerabilityAssessments", "SqlVulnerabilityAssessment", {"state": "Disabled"}),
        sql_setting(
            "advancedThreatProtectionSettings", "ServerAdvancedThreatProtection", {"state": "Disabled"}, put="accepted"
        ),
        sql_setting("connectionPolicies", "ServerConnectionPolicy", {"connectionType": "Default"}, put="accepted"),
        sql_setting(
            "encryptionProtector",
            "EncryptionProtector",
            {"serverKeyName": "ServiceManaged", "serverKeyType": "ServiceManaged", "autoRotationEnabled": False},
            put="accepted",
        ),
    ]
}

# What a service must not say again.
SECRET = {"administratorLoginPassword", "storageAccountAccessKey", "storageContainerSasKey"}
# What a write may hold and does not change.
READ_ONLY = {"id", "name", "type", "etag", "systemData", "kind"}
REFUSALS = {"Vault": purge_protection}
# Accounts of these kinds have no such service.
WITHOUT = {
    "FileStorage": {"Blob", "Queue", "Table"},
    "BlobStorage": {"File", "Queue", "Table"},
    "BlockBlobStorage": {"File", "Queue", "Table"},
}
