import HoldfastCore
import HoldfastJSON
import Testing

private let vault =
    "/subscriptions/AAAA0000-1111-2222-3333-444455556666/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"
private let upn = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"

/// A row of a diagnostic setting, as Event Hub delivers it.
func azureRow(_ changes: JSON = [:]) -> String {
    let row: JSON = [
        "time": "2026-01-02T03:04:05.1234567Z", "RoleLocation": "West Europe", "tenantId": "TTTT",
        "resourceId": .string(vault.uppercased()), "operationName": "MICROSOFT.KEYVAULT/VAULTS/WRITE",
        "category": "Administrative", "resultType": "Success", "resultSignature": "Succeeded.", "durationMs": "12",
        "callerIpAddress": "198.51.100.7", "correlationId": "c-1", "Level": "Information", "location": "westeurope",
        "identity": [
            "authorization": [
                "action": "Microsoft.KeyVault/vaults/write", "scope": .string(vault),
                "evidence": ["principalType": "User", "principalId": "p"],
            ],
            "claims": [upn: "ann@example.com", "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"],
        ],
        "properties": ["requestbody": #"{"properties":{"enablePurgeProtection":true}}"#],
    ]
    return edited(row, changes)
}

/// The same event as the REST API gives it.
private func restEvent(_ changes: JSON = [:]) -> String {
    let event: JSON = [
        "authorization": ["action": "Microsoft.KeyVault/vaults/write", "scope": .string(vault)],
        "caller": "ann@example.com", "eventDataId": "d-1", "correlationId": "c-1",
        "eventName": ["value": "EndRequest", "localizedValue": "End request"],
        "category": ["value": "Administrative", "localizedValue": "Administrative"],
        "httpRequest": ["clientIpAddress": "198.51.100.7", "method": "PUT"],
        "id": .string("\(vault)/events/d-1/ticks/637"), "resourceId": .string(vault),
        "operationName": ["value": "Microsoft.KeyVault/vaults/write", "localizedValue": "Update Key Vault"],
        "status": ["value": "Succeeded", "localizedValue": "Succeeded"], "subStatus": ["value": "OK"],
        "eventTimestamp": "2026-01-02T03:04:05.1234567Z", "subscriptionId": "AAAA0000-1111-2222-3333-444455556666",
    ]
    return edited(event, changes)
}

@Suite("Decoding the Azure Activity Log")
struct DecodeAzureTests {
    private let write = "event microsoft.keyvault/vaults/write"

    @Test("A diagnostic setting's row gives every field of the event")
    func row() throws {
        let event = try onlyEvent(#"{"records":[\#(azureRow())]}"#)
        #expect(event.cloud == .azure)
        #expect(event.time == Timestamp("2026-01-02T03:04:05.1234567Z"))
        #expect(event.account == "aaaa0000-1111-2222-3333-444455556666")
        #expect(event.region == "westeurope")
        #expect(event.actor == Principal(name: "ann@example.com", type: "User"))
        #expect(event.sourceIP == "198.51.100.7")
        #expect(event.action == "microsoft.keyvault/vaults/write")
        #expect(event.outcome == .success)
        #expect(event.via == .console)
        #expect(event.correlation == "c-1")
        #expect(!event.isStart && !event.readOnly)
        #expect(
            event.id.hasPrefix(
                "c-1|microsoft.keyvault/vaults/write|success|2026-01-02T03:04:05.1234567Z|/subscriptions"))
    }

    @Test("Older and newer names, snake case and names in other letters lead to one event")
    func dresses() throws {
        let snake: JSON = [
            "authorization": ["action": "Microsoft.KeyVault/vaults/write", "scope": .string(vault)],
            "caller": "ann@example.com", "event_data_id": "d-1", "correlation_id": "c-1",
            "event_name": ["value": "EndRequest", "localized_value": "End request"],
            "http_request": ["client_ip_address": "198.51.100.7", "method": "PUT"], "resource_id": .string(vault),
            "operation_name": ["value": "Microsoft.KeyVault/vaults/write", "localized_value": "Update Key Vault"],
            "status": ["value": "Succeeded", "localized_value": "Succeeded"], "tenant_id": "t",
            "event_timestamp": "2026-01-02 03:04:05.123456+00:00", "subscription_id": "aaaa0000",
        ]
        let older: JSON = [
            "eventSource": ["value": "Administrative"], "category": .null, "resourceId": .null,
            "resourceUri": .string(vault),
        ]
        let dresses = [
            restEvent(), restEvent(["operationName": "Microsoft.KeyVault/vaults/write", "status": "Succeeded"]),
            restEvent(["operationName": ["localizedValue": "Update Key Vault"]]), restEvent(older),
            restEvent(["eventDataId": .null]), restEvent(["properties": .null]), snake.canonicalText,
            restEvent(["authorization": #"{"action":"Microsoft.KeyVault/vaults/write","scope":"/x"}"#]),
        ]
        for dress in dresses {
            let event = try onlyEvent(#"{"value":[\#(dress)]}"#)
            #expect(words(decode(dress)) == [write], "\(dress)")
            #expect(event.id == "d-1", "\(dress)")
            #expect(event.account == "aaaa0000-1111-2222-3333-444455556666", "\(dress)")
            #expect(event.actor.name == "ann@example.com")
            #expect(event.sourceIP == "198.51.100.7")
            #expect(event.correlation == "c-1")
        }
    }

    @Test("Identity, properties and status message are read through a text too")
    func texts() throws {
        let identity = #"{"claims":{"appid":"app-1"},"authorization":{"action":"x/y/write"}}"#
        let row = azureRow([
            "identity": .string(identity), "resultType": "Failure", "resultSignature": .null,
            "properties": .string(#"{"statusMessage":"{\"error\":{\"code\":\"Conflict\"}}"}"#),
        ])
        let event = try onlyEvent(row)
        #expect(event.actor == Principal(name: "app-1", type: "ServicePrincipal"))
        #expect(event.outcome == .failure("Conflict"))
        #expect(try onlyEvent(azureRow(["identity": "plain", "properties": "plain"])).actor == Principal(name: ""))
    }

    @Test(
        "A row's state decides what becomes of it",
        arguments: [
            ("Start", "dropped start-row"), ("Started", "dropped start-row"), ("Accept", "dropped start-row"),
            ("Accepted", "dropped start-row"), ("Success", ""), ("Succeeded", ""), ("Succeeded.", ""),
            ("Failure", "dropped failed: Conflict"), ("Failed", "dropped failed: Conflict"),
            ("403", "dropped failed: 403"),
            ("200", ""), ("Unheard", ""),
        ])
    func states(state: String, word: String) {
        let row = azureRow(["resultType": .string(state), "resultSignature": "Failed.Conflict"])
        #expect(words(decode(row)) == [word.isEmpty ? write : word])
        #expect(words(decode(row, detail: .intake)) == [word.isEmpty ? write : word])
    }

    @Test("Without a state the phase decides")
    func phases() {
        func word(_ phase: String) -> [String] {
            words(decode(restEvent(["status": .null, "subStatus": .null, "eventName": ["value": .string(phase)]])))
        }
        #expect(word("BeginRequest") == ["dropped start-row"])
        #expect(word("EndRequest") == [write])
        #expect(
            words(decode(restEvent(["status": "Failed", "subStatus": ["value": "Forbidden"]]))) == [
                "dropped failed: Forbidden"
            ])
    }

    @Test("Listing keys, exporting and validating are reads; other actions are writes")
    func reads() throws {
        func isRead(_ name: String) throws -> Bool {
            try onlyEvent(azureRow(["operationName": .string(name)])).readOnly
        }
        for name in [
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTACCOUNTSAS/ACTION",
            "Microsoft.Compute/disks/read", "Microsoft.KeyVault/vaults/keys/read/action",
            "Microsoft.Resources/deployments/validate/action",
        ] { #expect(try isRead(name), "\(name)") }
        for name in [
            "Microsoft.Storage/storageAccounts/regenerateKey/action", "Microsoft.Compute/virtualMachines/start/action",
            "Microsoft.Compute/disks/beginGetAccess/action", "Microsoft.Authorization/elevateAccess/action",
            "Microsoft.KeyVault/vaults/delete",
        ] { #expect(try !isRead(name), "\(name)") }
    }

    @Test("What stands above subscriptions is the tenant's")
    func tenant() throws {
        let row = azureRow([
            "resourceId": "/providers/Microsoft.Authorization",
            "operationName": "Microsoft.Authorization/elevateAccess/action",
            "identity": .null,
        ])
        #expect(try onlyEvent(row).account == "tttt")
        let odd = azureRow(["resourceId": "/SuBsCrIpTiOnS/ABC/PrOvIdErS/microsoft.insights/diagnosticSettings/a b"])
        #expect(try onlyEvent(odd).account == "abc")
    }

    @Test(
        "Rows of the log's other categories and of the services' own logs are passed over",
        arguments: [
            "Alert", "Policy", "ServiceHealth", "ResourceHealth", "Recommendation", "Security", "Autoscale",
            "FunctionAppLogs", "StorageRead",
        ])
    func categories(category: String) {
        let word = "dropped not-an-audit-event: Azure \(category) record"
        #expect(words(decode(azureRow(["category": .string(category)]))) == [word])
        #expect(words(decode(azureRow(["category": .string(category), "time": "no time"]))) == [word])
        #expect(words(decode(restEvent(["category": ["value": .string(category)]]))) == [word])
    }

    @Test("Diagnostic settings of before named the kind of operation as category")
    func oldCategories() {
        #expect(words(decode(azureRow(["category": "Write"]))) == [write])
        #expect(
            words(decode(azureRow(["category": .null, "operationName": "GetBlob"]))) == [
                "dropped not-an-audit-event: Azure service record"
            ])
    }

    @Test("Event Grid delivers the same in both of its schemas")
    func eventGrid() throws {
        let data: JSON = [
            "authorization": .string(#"{"scope":"\#(vault)","action":"Microsoft.KeyVault/vaults/write"}"#),
            "claims": .string(#"{"\#(upn)":"ann@example.com"}"#), "correlationId": "c-1", "httpRequest": "",
            "resourceUri": .string(vault), "operationName": "Microsoft.KeyVault/vaults/write", "tenantId": "t",
            "status": "Succeeded", "subscriptionId": "aaaa0000-1111-2222-3333-444455556666",
        ]
        func event(_ kind: String, _ data: JSON) -> [String] {
            let grid: JSON = [
                "id": "g-1", "topic": "/subscriptions/aaaa0000-1111-2222-3333-444455556666", "subject": .string(vault),
                "eventType": .string(kind), "eventTime": "2026-01-02T03:04:05Z", "data": data, "dataVersion": "2",
            ]
            let cloud: JSON = [
                "id": "g-1", "source": "/subscriptions/aaaa0000-1111-2222-3333-444455556666", "subject": .string(vault),
                "type": .string(kind), "time": "2026-01-02T03:04:05Z", "data": data, "specversion": "1.0",
            ]
            return ["[\(grid.canonicalText)]", cloud.canonicalText]
        }
        for text in event("Microsoft.Resources.ResourceWriteSuccess", data) {
            let found = try onlyEvent(text)
            #expect(words(decode(text)) == [write])
            #expect(found.id == "g-1")
            #expect(found.time == Timestamp("2026-01-02T03:04:05Z"))
            #expect(found.account == "aaaa0000-1111-2222-3333-444455556666")
            #expect(found.actor == Principal(name: "ann@example.com", type: "User"))
            #expect(found.body["resourceUri"] == .string(vault))
        }
        var silent = data.object ?? JSONObject()
        silent["status"] = nil
        for text in event("Microsoft.Resources.ResourceDeleteFailure", .object(silent)) {
            #expect(words(decode(text)) == ["dropped failed: Failure"])
        }
        for text in event("Microsoft.Storage.BlobCreated", ["api": "PutBlob"]) {
            #expect(words(decode(text)) == ["dropped not-an-audit-event: Event Grid Microsoft.Storage.BlobCreated"])
        }
    }

    @Test("Rows of one operation that differ have different ids, and a row delivered twice has one")
    func ids() throws {
        let first = try onlyEvent(azureRow()).id
        #expect(try onlyEvent(azureRow(["resultType": "Start"])).id != first)
        #expect(try onlyEvent(azureRow(["resourceId": .string(vault + "2")])).id != first)
        #expect(try onlyEvent(azureRow(["Level": "Warning"])).id == first)
        #expect(try onlyEvent(azureRow(["correlationId": .null])).id.hasPrefix("sha256:"))
    }
}
