"""Resources of Azure, by its management clients."""

import functools
import os

from drift.cases import Planted, at, but, case

GROUP = "Rg"


@functools.cache
def client(kind, url, authorities, subscription):
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"],
        authority=url, disable_instance_discovery=True, connection_verify=authorities)
    return kind(
        credential=credential, subscription_id=subscription, base_url=url, credential_scopes=[f"{url}/.default"],
        connection_verify=authorities, polling_interval=0)


def of(clients, package, kind):
    module = __import__(f"azure.mgmt.{package}", fromlist=[kind])
    told = clients.clouds
    return client(getattr(module, kind), told["url"], told["authorities"], told["subscription"])


def planted(clients, kind, name, show, promised, **more):
    subscription = clients.clouds["subscription"]
    whole = f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/{kind}/{name}"
    return Planted(kind, whole, show, promised, region="", account=subscription, **more)


def with_properties(**changes):
    """The same with these properties changed."""
    return lambda before: but(before, properties=but(before["properties"], **changes))


# Storage


def account(clients, **properties):
    storage, name = of(clients, "storage", "StorageManagementClient").storage_accounts, f"drift{clients.number()}"
    body = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "tags": {"team": "a"},
            "properties": {"minimumTlsVersion": "TLS1_2", **properties}}
    storage.begin_create(GROUP, name, body).result()

    def show():
        found = storage.get_properties(GROUP, name).as_dict()
        return {"tags": found["tags"], "properties": found["properties"]}

    return name, show


def storage_case(clients, promised, **properties):
    name, show = account(clients, **properties)
    return planted(clients, "Microsoft.Storage/storageAccounts", name, show, promised)


@case("azure-storage-https-only")
def plain_http(clients):
    return storage_case(clients, with_properties(supportsHttpsTrafficOnly=True), supportsHttpsTrafficOnly=False)


@case("azure-storage-no-anonymous-blobs")
def anonymous_blobs(clients):
    return storage_case(clients, with_properties(allowBlobPublicAccess=False), allowBlobPublicAccess=True)


@case("azure-storage-tls12")
def old_tls(clients):
    return storage_case(clients, with_properties(minimumTlsVersion="TLS1_2"), minimumTlsVersion="TLS1_1")


@case("azure-storage-close-network")
def open_storage(clients):
    acls = {"bypass": "AzureServices", "defaultAction": "Allow", "virtualNetworkRules": [],
            "ipRules": [{"value": "203.0.113.0/24", "action": "Allow"}]}

    def promised(before):
        return at(before, ["properties", "networkAcls", "defaultAction"], "Deny")

    return storage_case(clients, promised, networkAcls=acls)


@case("azure-storage-no-other-tenants")
def replicated(clients):
    return storage_case(clients, with_properties(allowCrossTenantReplication=False), allowCrossTenantReplication=True)


# Key vaults


def vault(clients, **properties):
    vaults, name = of(clients, "keyvault", "KeyVaultManagementClient").vaults, f"drift-{clients.number()}"
    policy = {"tenantId": "00000000-0000-0000-0000-000000000009", "objectId": "o", "permissions": {"secrets": ["get"]}}
    body = {"location": "westeurope", "properties": {
        "tenantId": "00000000-0000-0000-0000-000000000009", "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [policy], **properties}}
    vaults.begin_create_or_update(GROUP, name, body).result()

    def show():
        return {"properties": vaults.get(GROUP, name).as_dict()["properties"]}

    return name, show


@case("azure-keyvault-purge-protection")
def purgeable(clients):
    name, show = vault(clients)
    return planted(
        clients, "Microsoft.KeyVault/vaults", name, show, with_properties(enablePurgeProtection=True))


@case("azure-keyvault-close-network")
def open_vault(clients):
    name, show = vault(clients, networkAcls={"bypass": "None", "defaultAction": "Allow", "virtualNetworkRules": [],
                                             "ipRules": [{"value": "203.0.113.0/24"}]})

    def promised(before):
        return at(before, ["properties", "networkAcls", "defaultAction"], "Deny")

    return planted(clients, "Microsoft.KeyVault/vaults", name, show, promised)


# Network security groups


@case("azure-nsg-remove-openings")
def open_group(clients):
    groups = of(clients, "network", "NetworkManagementClient").network_security_groups
    name = f"drift-{clients.number()}"

    def rule(name, priority, source, port, protocol="Tcp"):
        return {"name": name, "properties": {
            "protocol": protocol, "sourceAddressPrefix": source, "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": port, "access": "Allow", "priority": priority,
            "direction": "Inbound"}}

    rules = [rule("ssh", 100, "*", "22"), rule("office", 200, "203.0.113.0/24", "22"),
             rule("rdp", 300, "Internet", "3389")]
    body = {"location": "westeurope", "properties": {"securityRules": rules}}
    groups.begin_create_or_update(GROUP, name, body).result()

    def show():
        found = groups.get(GROUP, name).as_dict()["properties"]["securityRules"]
        kept = [{"name": rule["name"], **rule["properties"]} for rule in found]
        return {"rules": sorted(kept, key=lambda rule: rule["priority"])}

    def promised(before):
        return {"rules": [rule for rule in before["rules"] if rule["name"] == "office"]}

    return planted(clients, "Microsoft.Network/networkSecurityGroups", name, show, promised)


# SQL servers


def sql_server(clients, **properties):
    servers, name = of(clients, "sql", "SqlManagementClient").servers, f"drift-{clients.number()}"
    from azure.mgmt.sql.models import Server

    body = Server(location="westeurope", tags={"team": "a"}, administrator_login="boss",
                  administrator_login_password="never", **properties)
    servers.begin_create_or_update(GROUP, name, body).result()

    def show():
        found = servers.get(GROUP, name)
        return {"public": found.public_network_access, "tls": found.minimal_tls_version, "tags": found.tags,
                "outbound": found.restrict_outbound_network_access}

    return name, show


@case("azure-sql-tls12")
def old_sql_tls(clients):
    name, show = sql_server(clients, minimal_tls_version="1.0")
    return planted(
        clients, "Microsoft.Sql/servers", name, show, lambda before: but(before, tls="1.2"))


@case("azure-sql-no-public-network")
def public_sql(clients):
    name, show = sql_server(clients, public_network_access="Enabled")
    return planted(
        clients, "Microsoft.Sql/servers", name, show, lambda before: but(before, public="Disabled"))


@case("azure-sql-close-firewall")
def open_sql_firewall(clients):
    name, _ = sql_server(clients)
    rules = of(clients, "sql", "SqlManagementClient").firewall_rules
    from azure.mgmt.sql.models import FirewallRule

    for rule, start, end in [("all", "0.0.0.0", "255.255.255.255"), ("office", "192.0.2.1", "192.0.2.9")]:
        rules.create_or_update(GROUP, name, rule, FirewallRule(start_ip_address=start, end_ip_address=end))

    def show():
        found = rules.list_by_server(GROUP, name)
        return {"rules": sorted([rule.name, rule.start_ip_address, rule.end_ip_address] for rule in found)}

    def promised(before):
        return {"rules": [rule for rule in before["rules"] if rule[0] == "office"]}

    return planted(clients, "Microsoft.Sql/servers", name, show, promised)


@case("azure-sql-auditing-on")
def unaudited(clients):
    name, _ = sql_server(clients)
    policies = of(clients, "sql", "SqlManagementClient").server_blob_auditing_policies

    def show():
        found = policies.get(GROUP, name)
        return {"state": found.state, "monitor": found.is_azure_monitor_target_enabled}

    return planted(
        clients, "Microsoft.Sql/servers", name, show, lambda before: but(before, state="Enabled", monitor=True))


@case("azure-storage-keep-deleted-blobs")
def gone_at_once(clients):
    name, _ = account(clients)
    blobs = of(clients, "storage", "StorageManagementClient").blob_services
    blobs.set_service_properties(GROUP, name, {"properties": {"isVersioningEnabled": True}})

    def show():
        return {"properties": blobs.get_service_properties(GROUP, name).as_dict()["properties"]}

    def promised(before):
        kept = {**before["properties"]["deleteRetentionPolicy"], "enabled": True, "days": 7}
        return at(before, ["properties", "deleteRetentionPolicy"], kept)

    return planted(clients, "Microsoft.Storage/storageAccounts", name, show, promised)
