"""Azure's management clients: everything that the catalog's calls do, done and read back."""

from cloudcontract.words import GROUP, SUBSCRIPTION, code, equal, refused


class Azure:
    def client(self, kind):
        return kind(
            credential=self.azure,
            subscription_id=SUBSCRIPTION,
            base_url=self.server.url,
            retry_total=0,
            credential_scopes=[f"{self.server.url}/.default"],
            connection_verify=self.server.authorities,
            polling_interval=0,
        )

    def storage_accounts(self):
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
        from azure.mgmt.storage import StorageManagementClient

        client = self.client(StorageManagementClient)
        accounts = client.storage_accounts
        for number in range(5):
            made = accounts.begin_create(
                GROUP,
                f"store{number}",
                {
                    "location": "westeurope",
                    "sku": {"name": "Standard_LRS"},
                    "kind": "StorageV2",
                    "tags": {"n": str(number)},
                    "properties": {"allowBlobPublicAccess": True},
                },
            ).result()
            equal(made.name, f"store{number}")
        found = accounts.get_properties(GROUP, "store0")
        equal((found.sku.tier, found.kind, found.location), ("Standard", "StorageV2", "westeurope"))
        equal(found.properties.allow_blob_public_access, True)
        equal(found.properties.network_rule_set.default_action, "Allow")
        changed = accounts.update(
            GROUP,
            "STORE0",
            {
                "properties": {
                    "allowBlobPublicAccess": False,
                    "networkAcls": {"bypass": "None", "defaultAction": "Deny"},
                },
                "tags": {"a": "b"},
            },
        )
        equal(changed.properties.allow_blob_public_access, False)
        found = accounts.get_properties(GROUP, "store0")
        equal((found.properties.network_rule_set.bypass, found.tags), ("None", {"a": "b"}))
        equal(found.properties.enable_https_traffic_only, True)
        self.server.control("page-size", {"size": 2})
        equal([account.name for account in accounts.list()], [f"store{number}" for number in range(5)])
        equal(len(list(accounts.list_by_resource_group(GROUP))), 5)
        equal(code(refused(lambda: accounts.get_properties(GROUP, "none"), ResourceNotFoundError)), "ResourceNotFound")
        missing = refused(lambda: accounts.get_properties("none", "store0"), ResourceNotFoundError)
        equal(code(missing), "ResourceGroupNotFound")
        unknown = refused(
            lambda: accounts.update(GROUP, "store0", {"properties": {"allowBlobs": 1}}), HttpResponseError
        )
        equal((unknown.status_code, code(unknown)), (400, "InvalidRequestContent"))
        accounts.delete(GROUP, "store4")
        equal(
            code(refused(lambda: accounts.get_properties(GROUP, "store4"), ResourceNotFoundError)), "ResourceNotFound"
        )

    def storage_services(self):
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
        from azure.mgmt.storage import StorageManagementClient

        client = self.client(StorageManagementClient)
        blob = client.blob_services.set_service_properties(
            GROUP,
            "store0",
            {"properties": {"isVersioningEnabled": True, "deleteRetentionPolicy": {"enabled": True, "days": 7}}},
        )
        equal(blob.delete_retention_policy.days, 7)
        equal(client.blob_services.get_service_properties(GROUP, "store0").is_versioning_enabled, True)
        containers = client.blob_containers
        for name in ("one", "two", "three"):
            containers.create(GROUP, "store0", name, {"properties": {"publicAccess": "Blob"}})
        containers.update(GROUP, "store0", "one", {"properties": {"publicAccess": "None"}})
        equal(
            {c.name: c.properties.public_access for c in containers.list(GROUP, "store0")},
            {"one": "None", "two": "Blob", "three": "Blob"},
        )
        containers.delete(GROUP, "store0", "two")
        equal(len(list(containers.list(GROUP, "store0"))), 2)
        for services in (client.file_services, client.queue_services, client.table_services):
            equal(services.get_service_properties(GROUP, "store0").cors.cors_rules, [])
        none = refused(lambda: client.management_policies.get(GROUP, "store0", "default"), ResourceNotFoundError)
        equal(code(none), "ManagementPolicyNotFound")
        equal(
            [
                list(client.local_users.list(GROUP, "store0")),
                list(client.object_replication_policies.list(GROUP, "store0")),
            ],
            [[], []],
        )
        client.storage_accounts.begin_create(
            GROUP, "files", {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "kind": "FileStorage"}
        ).result()
        no_blobs = refused(lambda: list(containers.list(GROUP, "files")), HttpResponseError)
        equal((no_blobs.status_code, code(no_blobs)), (400, "FeatureNotSupportedForAccount"))

    def security_groups(self):
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
        from azure.mgmt.network import NetworkManagementClient

        client = self.client(NetworkManagementClient)
        rule = {
            "protocol": "Tcp",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "22",
            "access": "Allow",
            "priority": 100,
            "direction": "Inbound",
        }
        made = client.network_security_groups.begin_create_or_update(
            GROUP,
            "nsg",
            {"location": "westeurope", "properties": {"securityRules": [{"name": "ssh", "properties": rule}]}},
        ).result()
        equal(made.properties.provisioning_state, "Succeeded")
        equal(len(made.properties.default_security_rules), 6)
        rules = client.security_rules
        rules.begin_create_or_update(GROUP, "nsg", "web", {"properties": {**rule, "priority": 200}}).result()
        found = client.network_security_groups.get(GROUP, "nsg")
        equal([(r.name, r.properties.priority) for r in found.properties.security_rules], [("ssh", 100), ("web", 200)])
        stale = refused(
            lambda: rules.begin_create_or_update(
                GROUP, "nsg", "web", {"properties": rule}, headers={"If-Match": made.etag}
            ),
            HttpResponseError,
        )
        equal((stale.status_code, code(stale)), (412, "PreconditionFailed"))
        fresh = rules.get(GROUP, "nsg", "web").etag
        rules.begin_create_or_update(
            GROUP, "nsg", "web", {"properties": {**rule, "priority": 300}}, headers={"If-Match": fresh}
        ).result()
        equal(rules.get(GROUP, "nsg", "web").properties.priority, 300)
        rules.begin_delete(GROUP, "nsg", "ssh").result()
        equal(code(refused(lambda: rules.get(GROUP, "nsg", "ssh"), ResourceNotFoundError)), "NotFound")
        equal([group.name for group in client.network_security_groups.list_all()], ["nsg"])
        client.network_security_groups.begin_create_or_update(GROUP, "old", {"location": "westeurope"}).result()
        client.network_security_groups.begin_delete(GROUP, "old").result()
        equal([group.name for group in client.network_security_groups.list_all()], ["nsg"])

    def key_vaults(self):
        from azure.core.exceptions import HttpResponseError
        from azure.mgmt.keyvault import KeyVaultManagementClient

        vaults = self.client(KeyVaultManagementClient).vaults
        vaults.begin_create_or_update(
            GROUP,
            "vault",
            {
                "location": "westeurope",
                "properties": {
                    "tenantId": "00000000-0000-0000-0000-000000000009",
                    "sku": {"family": "A", "name": "standard"},
                    "accessPolicies": [],
                },
            },
        ).result()
        equal(vaults.get(GROUP, "vault").properties.enable_purge_protection, None)
        vaults.update(
            GROUP,
            "vault",
            {
                "properties": {
                    "enablePurgeProtection": True,
                    "networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny"},
                }
            },
        )
        found = vaults.get(GROUP, "vault").properties
        equal((found.enable_purge_protection, found.network_acls.default_action), (True, "Deny"))
        for_good = refused(
            lambda: vaults.update(GROUP, "vault", {"properties": {"enablePurgeProtection": False}}), HttpResponseError
        )
        equal((for_good.status_code, code(for_good)), (400, "BadRequest"))
        equal([vault.name for vault in vaults.list_by_subscription()], ["vault"])

    def sql_servers(self):
        from azure.core.exceptions import ResourceNotFoundError
        from azure.mgmt.sql import SqlManagementClient

        client = self.client(SqlManagementClient)
        client.servers.begin_create_or_update(
            GROUP,
            "sql",
            {
                "location": "westeurope",
                "properties": {
                    "administratorLogin": "boss",
                    "administratorLoginPassword": "Secret-1",
                    "administrators": {
                        "administratorType": "ActiveDirectory",
                        "login": "dba",
                        "azureADOnlyAuthentication": True,
                        "sid": "00000000-0000-0000-0000-000000000007",
                        "principalType": "Group",
                    },
                },
            },
        ).result()
        found = client.servers.get(GROUP, "sql")
        equal((found.properties.administrator_login_password, found.properties.administrators), (None, None))
        found = client.servers.get(GROUP, "sql", expand="administrators/activedirectory")
        equal(found.properties.administrators.azure_ad_only_authentication, True)
        client.servers.begin_update(
            GROUP, "sql", {"properties": {"publicNetworkAccess": "Disabled", "minimalTlsVersion": "1.2"}}
        ).result()
        equal(client.servers.get(GROUP, "sql").properties.public_network_access, "Disabled")
        equal([server.name for server in client.servers.list()], ["sql"])
        rules = client.firewall_rules
        for number in range(3):
            rules.create_or_update(
                GROUP,
                "sql",
                f"r{number}",
                {"properties": {"startIpAddress": "0.0.0.0", "endIpAddress": f"0.0.0.{number}"}},
            )
        equal(
            [(r.name, r.properties.end_ip_address) for r in rules.list_by_server(GROUP, "sql")],
            [("r0", "0.0.0.0"), ("r1", "0.0.0.1"), ("r2", "0.0.0.2")],
        )
        rules.delete(GROUP, "sql", "r1")
        equal([rule.name for rule in rules.list_by_server(GROUP, "sql")], ["r0", "r2"])
        equal(
            code(refused(lambda: list(rules.list_by_server(GROUP, "none")), ResourceNotFoundError)), "ResourceNotFound"
        )
        gone = refused(lambda: rules.create_or_update(GROUP, "none", "r", {"properties": {}}), ResourceNotFoundError)
        equal(code(gone), "ParentResourceNotFound")

    def sql_settings(self):
        from azure.mgmt.sql import SqlManagementClient

        client = self.client(SqlManagementClient)
        auditing = client.server_blob_auditing_policies
        equal(auditing.get(GROUP, "sql").properties.state, "Disabled")
        auditing.begin_create_or_update(
            GROUP,
            "sql",
            {
                "properties": {
                    "state": "Enabled",
                    "isAzureMonitorTargetEnabled": True,
                    "storageAccountAccessKey": "secret",
                }
            },
        ).result()
        found = auditing.get(GROUP, "sql").properties
        equal((found.state, found.storage_account_access_key), ("Enabled", None))
        equal(client.extended_server_blob_auditing_policies.get(GROUP, "sql").properties.state, "Disabled")
        equal(client.server_dev_ops_audit_settings.get(GROUP, "sql", "Default").properties.state, "Disabled")
        equal(client.server_security_alert_policies.get(GROUP, "sql", "Default").properties.state, "Disabled")
        equal(
            client.server_vulnerability_assessments.get(GROUP, "sql", "default").properties.recurring_scans.is_enabled,
            False,
        )
        equal(client.sql_vulnerability_assessments_settings.get(GROUP, "sql", "default").properties.state, "Disabled")
        equal(
            client.server_advanced_threat_protection_settings.get(GROUP, "sql", "Default").properties.state, "Disabled"
        )
        equal(client.server_connection_policies.get(GROUP, "sql", "default").properties.connection_type, "Default")
        equal(client.encryption_protectors.get(GROUP, "sql", "current").properties.server_key_type, "ServiceManaged")
        for rules in (client.ipv6_firewall_rules, client.outbound_firewall_rules, client.virtual_network_rules):
            equal(list(rules.list_by_server(GROUP, "sql")), [])

    def management_groups(self):
        from azure.core.exceptions import HttpResponseError
        from azure.mgmt.managementgroups import ManagementGroupsMgmtClient
        from azure.mgmt.resource.subscriptions import SubscriptionClient

        options = {
            "credential": self.azure,
            "base_url": self.server.url,
            "retry_total": 0,
            "credential_scopes": [f"{self.server.url}/.default"],
            "connection_verify": self.server.authorities,
        }
        self.server.control(
            "azure", {"management-groups": {"company": {"name": "Company"}, "dev": {"name": "Dev", "in": "company"}}}
        )
        second = "00000000-0000-0000-0000-000000000002"
        self.server.control(
            "azure", {"subscription": second, "name": "payments", "in": "dev", "tags": {"team": "payments"}}
        )
        groups = ManagementGroupsMgmtClient(**options).management_groups
        found = groups.get("company", expand="children")
        equal((found.name, found.properties.display_name), ("company", "Company"))
        equal(
            [(child.type, child.name, child.display_name) for child in found.properties.children],
            [("Microsoft.Management/managementGroups", "dev", "Dev")],
        )
        below = groups.get("dev", expand="children").properties.children
        equal([(c.type, c.id, c.display_name) for c in below], [("/subscriptions", f"/subscriptions/{second}", "payments")])
        equal(groups.get("dev").properties.children, None)
        equal(code(refused(lambda: groups.get("none"), HttpResponseError)), "AuthorizationFailed")
        subscriptions = SubscriptionClient(**options).subscriptions
        one = subscriptions.get(second)
        equal((one.subscription_id, one.display_name, one.state, one.tags), (second, "payments", "Enabled", {"team": "payments"}))
        equal(subscriptions.get(SUBSCRIPTION).tags, None)
        equal(len(list(subscriptions.list())), 2)
