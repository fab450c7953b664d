import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import TestOracles
import Testing

/// Organisations of Azure and Google, by the simulator that the providers' own clients hold true; AWS's is in
/// Tests/acceptance/accounts.py.
@Suite(
    "Accounts of organisations, simulated", .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"),
    .timeLimit(.minutes(30)))
struct AccountFinderTests {
    private func find(
        _ kind: String, root: String, in clouds: SimulatedClouds, wantsTags: Bool = true
    ) async throws -> AccountFinder<HurriedClock>.Found {
        let plan = try #require(Shipped.catalog.discoveries[kind])
        let caller = CloudCaller(
            catalog: Shipped.catalog, sender: clouds.sender(), budgets: Budgets(clock: clouds.clock),
            clock: clouds.clock)
        return await AccountFinder(caller: caller).find(plan, root: root, as: root, wantsTags: wantsTags)
    }

    private static let second = "00000000-0000-0000-0000-00000000000b"

    private func company(_ clouds: SimulatedClouds) async throws {
        let groups: JSON = ["company": ["name": "Company"], "dev": ["name": "Dev", "in": "company"]]
        try await clouds.control("azure", ["management-groups": groups])
        try await clouds.control(
            "azure",
            ["subscription": .string(Self.second), "name": "payments", "in": "dev", "tags": ["team": "payments"]])
        try await clouds.control(
            "azure", ["subscription": .string(SimulatedClouds.azure.account), "name": "shared", "in": "company"])
    }

    @Test("All subscriptions below a management group are found, with their names, groups and tags")
    func azure() async throws {
        let clouds = try await SimulatedClouds()
        try await company(clouds)
        let found = try await find("azure-management-group", root: "company", in: clouds)
        #expect(found.isWhole && found.failures.isEmpty, "\(found.failures)")
        #expect(
            found.accounts.map(\.facts) == [
                ["name": "shared", "management-group": "", "management-group-id": "company"],
                [
                    "name": "payments", "management-group": "Dev", "management-group-id": "dev",
                    "tag:team": "payments",
                ],
            ])
        #expect(found.accounts.map(\.id) == [SimulatedClouds.azure.account, Self.second])
    }

    @Test("All projects of a Google organisation are found page by page, with their names, folders and labels")
    func google() async throws {
        let clouds = try await SimulatedClouds()
        let folders = (1...3).map { number -> (String, JSON) in
            ("folders/\(number)", ["displayName": .string("F\(number)"), "parent": "organizations/9"])
        }
        let below: JSON = ["displayName": "Below", "parent": "folders/2"]
        let projects = (1...5).map { number -> (String, JSON) in
            ("p-\(number)", ["parent": ["type": "folder", "id": "4"], "labels": ["n": .string("\(number)")]])
        }
        try await clouds.control(
            "google",
            [
                "folders": .object(JSONObject(folders + [("folders/4", below)])),
                "projects": .object(
                    JSONObject(projects + [("top", ["parent": ["type": "organization", "id": "9"]])])),
            ])
        try await clouds.control("log", nil, method: "DELETE")
        let found = try await find("gcp-organization", root: "organizations/9", in: clouds)
        #expect(found.isWhole && found.failures.isEmpty, "\(found.failures)")
        #expect(found.accounts.map(\.id) == ["p-1", "p-2", "p-3", "p-4", "p-5", "top"])
        #expect(
            found.accounts[4].facts
                == ["name": "p-5", "folder": "F2/Below", "folder-id": "folders/4", "tag:n": "5"])
        #expect(found.accounts[5].facts == ["name": "top", "folder": "", "folder-id": "organizations/9"])
        #expect(try await clouds.takeLog().contains { $0["query"]?["pageToken"] != nil })
    }

    @Test("A third of all answers throttled, failed or cut off: all are found all the same")
    func faults() async throws {
        let clouds = try await SimulatedClouds()
        try await company(clouds)
        try await clouds.control(
            "faults",
            [
                ["match": "^GET /(subscriptions|providers)", "every": 3, "status": 429, "retry-after": 1],
                ["match": "^GET /(subscriptions|providers)", "every": 4, "cut": true],
            ])
        let found = try await find("azure-management-group", root: "company", in: clouds)
        #expect(found.isWhole && found.failures.isEmpty && found.accounts.count == 2, "\(found.failures)")
    }

    @Test("A group that may not be seen is told with the permission that lacks, and the rest is found")
    func denied() async throws {
        let clouds = try await SimulatedClouds()
        try await company(clouds)
        try await clouds.control("faults", [["match": "managementGroups/dev$", "status": 403]])
        let found = try await find("azure-management-group", root: "company", in: clouds)
        #expect(!found.isWhole)
        #expect(found.failures.map(\.code) == ["Microsoft.Management/managementGroups/read in company"])
        #expect(found.accounts.map(\.id) == [SimulatedClouds.azure.account])
    }
}
