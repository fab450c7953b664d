import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import TestOracles
import Testing

@Suite(
    "Azure and Google, simulated", .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"),
    .timeLimit(.minutes(30)))
struct SimulatedReadTests {
    @Test("The providers' own clients find in the simulator what they wrote")
    func contract() throws {
        let checks = try Oracle.lines("cloud_contract.py")
        #expect(checks.count == 17)
        for check in checks {
            #expect(check["fault"] == .null, "\(check["check"]?.string ?? ""): \(check["fault"]?.string ?? "")")
        }
    }

    /// All resources of all types, read one by one after the lists.
    ///
    /// - Parameter reads: how often one is read where a part of it stays unread, as the service reads it again.
    private func readAll(_ clouds: SimulatedClouds, reads: Int = 1) async throws -> [ResourceID: JSON] {
        let reader = clouds.reader
        var states: [ResourceID: JSON] = [:]
        for type in SimulatedClouds.types {
            for listed in try await reader.list(type, at: SimulatedClouds.place(of: type)) {
                var description = try await reader.describe(listed.resource, context: listed.context)
                for _ in 1..<reads where !description.unread.isEmpty {
                    description = try await reader.describe(listed.resource, context: listed.context)
                }
                #expect(description.unread.isEmpty, "\(description.unread.map(\.error.message))")
                states[listed.resource] = description.tree.withoutNulls
            }
        }
        return states
    }

    private func expectEqual(_ ours: [ResourceID: JSON], _ theirs: [ResourceID: JSON]) {
        #expect(Set(ours.keys) == Set(theirs.keys))
        for (resource, state) in theirs {
            for name in Set(state.object?.names ?? []).union(ours[resource]?.object?.names ?? []).sorted() {
                let (own, other) = (ours[resource]?[name], state[name])
                #expect(
                    own == other,
                    "\(name) of \(resource): \(own?.canonicalText ?? "-") and \(other?.canonicalText ?? "-")")
            }
        }
    }

    @Test("Every type is listed page by page and read as the providers' own clients read it")
    func readsAsClients() async throws {
        let clouds = try await SimulatedClouds()
        let ours = try await readAll(clouds)
        let log = try await clouds.takeLog()
        expectEqual(ours, try clouds.statesByClients())
        #expect(Set(ours.keys.map(\.type)) == Set(SimulatedClouds.types))
        #expect(ours.count == 24)
        let callers = log.filter { $0["answer"] != .null }.compactMap { $0["principal"]?.string }
        #expect(Set(callers) == ["reader", SimulatedClouds.reader])
        #expect(log.contains { $0["query"]?["$skiptoken"] != nil })
        #expect(log.contains { $0["query"]?["pageToken"] != nil })
        #expect(log.allSatisfy { ["GET", "POST"].contains($0["method"]?.string) })
    }

    @Test("A third of all answers throttled, failed or cut off: the estate is read whole all the same")
    func readsThroughFaults() async throws {
        let clouds = try await SimulatedClouds()
        let theirs = try clouds.statesByClients()
        try await clouds.control(
            "faults",
            [
                [
                    "match": "^(GET|POST) /(subscriptions|storage|compute|v1)", "every": 5, "status": 429,
                    "retry-after": 1,
                ],
                ["match": "^(GET|POST) /(subscriptions|storage|compute|v1)", "every": 6, "status": 503],
                ["match": "^GET /(subscriptions|storage|compute|v1)", "every": 7, "cut": true],
            ])
        let ours = try await readAll(clouds, reads: 4)
        expectEqual(ours, theirs)
        let log = try await clouds.takeLog()
        #expect(log.filter { [429, 503].contains($0["status"]?.int) }.count * 6 > log.count)
    }

    @Test("What may not be read is unknown, with the permission that lacks; the rest is read")
    func denied() async throws {
        let clouds = try await SimulatedClouds()
        let reader = clouds.reader
        try await clouds.control("faults", [["match": "GET .*/containers$", "status": 403]])
        let account = try #require(
            try await reader.list("Microsoft.Storage/storageAccounts", at: SimulatedClouds.azure).first)
        let partly = try await reader.describe(account.resource, context: account.context)
        #expect(partly.unread.map(\.paths) == [[PropertyPath(names: "containers")]])
        #expect(partly.unread.first?.error.code == "denied")
        let permission = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
        #expect(partly.unread.first?.error.lacks == "\(permission) in \(SimulatedClouds.azure.account)")
        #expect(partly.tree["containers"] == nil)
        #expect(partly.tree["blobServices"] != nil)
        try await clouds.control("faults", [["match": "GET .*/storageAccounts/[^/]+(/.*)?$", "status": 403]])
        let refused = await #expect(throws: ReadError.self) {
            _ = try await reader.describe(account.resource, context: account.context)
        }
        #expect(refused?.code == "denied")
    }

    @Test("What is gone is gone, a project that is being deleted too; where a service is off there is nothing of it")
    func gone() async throws {
        let clouds = try await SimulatedClouds()
        let reader = clouds.reader
        let group = "/subscriptions/\(SimulatedClouds.azure.account)/resourcegroups"
        let missing = [
            ("Microsoft.Storage/storageAccounts", "\(group)/rg/providers/microsoft.storage/storageaccounts/none"),
            ("Microsoft.Sql/servers", "\(group)/rg/providers/microsoft.sql/servers/none"),
            ("Microsoft.KeyVault/vaults", "\(group)/none/providers/microsoft.keyvault/vaults/open"),
            (
                "Microsoft.Network/networkSecurityGroups",
                "\(group)/rg/providers/microsoft.network/networksecuritygroups/none"
            ), ("storage.googleapis.com/Bucket", "//storage.googleapis.com/none"),
            ("compute.googleapis.com/Firewall", "//compute.googleapis.com/projects/my-project/global/firewalls/none"),
            ("sqladmin.googleapis.com/Instance", "//cloudsql.googleapis.com/projects/my-project/instances/none"),
            ("cloudresourcemanager.googleapis.com/Project", "//cloudresourcemanager.googleapis.com/projects/leaving"),
        ]
        for (type, id) in missing {
            let description = try await reader.describe(
                ResourceID(type: type, id: id), context: SimulatedClouds.place(of: type))
            #expect(description.isGone, "\(id)")
        }
        let off = ResourceContext(cloud: .gcp, account: "other-project", region: "")
        #expect(try await reader.list("sqladmin.googleapis.com/Instance", at: off).isEmpty)
        #expect(try await reader.list("compute.googleapis.com/Firewall", at: off).isEmpty)
    }
}
