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
        let permissions: JSON = [
            "items": [
                ["ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["items": [["cidrIp": "0.0.0.0/0"]]]]
            ]
        ]
        let record = estate.record(
            "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress",
            ["groupId": "sg-1", "ipPermissions": permissions], nil, account)
        let batch = RecordBatch(records: Records(records: [record]), positions: [])
        try await keeper.intake(batch, from: "test", now: time)
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

    @Test("The notice ends when the last of them is configured")
    mutating func configured() async throws {
        try await openSSH(in: theirs, at: now)
        _ = try await keeper.adopt(Self.policy(of: ours), now: now)
        #expect(try strangers().count == 1)
        _ = try await keeper.adopt(Self.policy(of: ours, theirs), now: now)
        #expect(try strangers().isEmpty)
    }
}
