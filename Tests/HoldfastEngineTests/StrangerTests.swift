import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

private let now = Timestamp(seconds: 1_780_000_000)
private let ours = "111122223333", theirs = "999988887777"

@Suite("Events of accounts that nobody configured")
struct StrangerTests {
    private let journal: any Journal
    private let keeper: Keeper
    private var estate = RandomEstate(seed: 1)

    init() async throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: Self.policy(of: ours), limits: Limits())
        _ = try await keeper.positions(of: "test")
    }

    private static func policy(of accounts: String...) -> Policy {
        let shipped = ShippedData.policy
        return Policy(
            catalog: shipped.catalog, baseline: shipped.baseline, playbooks: shipped.playbooks,
            classification: shipped.classification, lists: shipped.lists, limits: shipped.limits, plansAreMade: true,
            catalogDigest: shipped.catalogDigest, accounts: Set(accounts.map { AccountName(cloud: .aws, id: $0) }))
    }

    /// Somebody opens port 22 to the world.
    private mutating func openSSH(in account: String, at time: Timestamp) async throws {
        let record = JSON.object(try openingSSH(in: account)).canonicalBytes
        try await keeper.intake(
            RecordBatch(records: Records(records: [record]), positions: []), from: "test", now: time)
    }

    private mutating func openingSSH(in account: String) throws -> JSONObject {
        let permissions: JSON = [
            "items": [
                ["ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["items": [["cidrIp": "0.0.0.0/0"]]]]
            ]
        ]
        let record = estate.record(
            "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress",
            ["groupId": "sg-1", "ipPermissions": permissions], nil, account)
        return try #require(try JSON.parse(record).object)
    }

    private func strangers() throws -> [Notice] {
        try journal.openNotices().filter { $0.code == NoticeCode.accountUnknown.rawValue }
    }

    @Test("They are counted, judged and told of, and only our accounts are read")
    mutating func kept() async throws {
        try await openSSH(in: ours, at: now)
        #expect(try strangers().isEmpty)
        try await openSSH(in: theirs, at: now)
        let notice = try #require(try strangers().first)
        #expect(notice.subject == "aws" && notice.text.contains(theirs))
        let judged = try journal.findings(states: ["open"]).compactMap { Finding(json: $0.body)?.context.account }
        #expect(Set(judged) == [ours, theirs])
        let read = try await keeper.claim(now: now + Span(seconds: 60), limit: 10)
        #expect(read.map(\.context.account) == [ours])
    }

    @Test(
        "A region that AWS does not have is told of with its source, and events of others go on",
        arguments: [
            "eu-mars-1", "Frankfurt", "../../evil",
        ])
    mutating func strangeRegion(region: String) async throws {
        var strange = try openingSSH(in: ours)
        strange["awsRegion"] = .string(region)
        var usual = try openingSSH(in: ours)
        usual["awsRegion"] = "eu-west-1"
        let records = [strange, usual].map { JSON.object($0).canonicalBytes }
        try await keeper.intake(RecordBatch(records: Records(records: records), positions: []), from: "test", now: now)
        let told = try journal.openNotices().filter { $0.code == NoticeCode.regionUnknown.rawValue }
        #expect(told.map(\.subject) == ["test \(region)"])
        let judged = try journal.findings(states: ["open"]).compactMap { Finding(json: $0.body)?.context.region }
        #expect(Set(judged) == [region, "eu-west-1"])
    }

    @Test("The notice ends when the last of them is configured")
    mutating func configured() async throws {
        try await openSSH(in: theirs, at: now)
        _ = try await keeper.adopt(Self.policy(of: ours), now: now)
        #expect(try strangers().count == 1)
        _ = try await keeper.adopt(Self.policy(of: ours, theirs), now: now)
        #expect(try strangers().isEmpty)
    }
}
