import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore
import Testing

private let now = Timestamp(seconds: 1_780_000_000)
private let configuration: Configuration = {
    let text = """
        state: {clouds: [aws]}
        accounts: [{aws: 012345670123, name: pay, environment: dev, write-role: "arn:aws:iam::012345670123:role/w"}]
        discover:
          aws-organization: {read-role: "arn:aws:iam::{account}:role/r", except: ["999999999999"]}
        """
    let node = try? YAMLReader.read(text, file: "holdfast.yaml")
    return node.map { Configuration.load($0, folder: ".").configuration } ?? Configuration(folder: ".")
}()
private let organisation = configuration.discover[0]

private func found(_ id: String, _ facts: [String: String] = ["name": "n", "ou": "A"]) -> DiscoveredAccount {
    DiscoveredAccount(cloud: .aws, id: id, facts: facts)
}

private func stored(_ id: String, _ facts: [String: String] = ["name": "n", "ou": "A"], left: Timestamp? = nil)
    -> StoredAccount
{
    StoredAccount(
        cloud: .aws, id: id,
        listing: .init(discovery: "aws-organization", facts: facts, listed: now - Span(seconds: 60), left: left))
}

@Suite("What an organisation says of its accounts")
struct AccountListingTests {
    private func listing(_ found: [DiscoveredAccount], isWhole: Bool = true, known: [StoredAccount]) -> AccountListing {
        AccountListing(found, isWhole: isWhole, of: organisation, known: known, now: now)
    }

    @Test("New accounts come, known ones stay as they are, and what is left alone is left alone")
    func new() {
        let listing = listing(
            [found("012345670123"), found("000000000001"), found("999999999999")], known: [stored("000000000001")])
        #expect(listing.changed.map(\.id) == ["012345670123"])
        #expect(listing.changed[0].listing?.listed == now)
        #expect(listing.audit.map(\.kind) == ["account-enrolled"])
    }

    @Test("Another place or name is taken over, and is no new enrolment")
    func moved() {
        let listing = listing([found("1", ["name": "n", "ou": "B"])], known: [stored("1")])
        #expect(listing.changed[0].listing?.facts["ou"] == "B")
        #expect(listing.audit.isEmpty)
    }

    @Test("An account that is no longer there leaves, once, and keeps what was known of it")
    func left() {
        let gone = listing([found("1")], known: [stored("1"), stored("2"), stored("3", left: now - Span(seconds: 9))])
        #expect(gone.changed.map(\.id) == ["2"])
        #expect(gone.changed[0].listing?.left == now)
        #expect(gone.changed[0].listing?.facts["ou"] == "A")
        #expect(gone.audit.map(\.kind) == ["account-left"])
        let back = listing([found("1"), found("3")], known: [stored("1"), stored("3", left: now - Span(seconds: 9))])
        #expect(back.changed.map(\.id) == ["3"])
        #expect(back.changed[0].listing?.left == nil)
    }

    @Test("A list that is not whole takes nothing away, and an empty one is not believed")
    func doubtful() {
        #expect(listing([found("1")], isWhole: false, known: [stored("1"), stored("2")]).changed.isEmpty)
        let empty = listing([], known: [stored("1")])
        #expect(empty.isImplausible && empty.changed.isEmpty)
        #expect(!listing([], known: []).isImplausible)
    }

    @Test("Tags that cannot be read now stay what they were; where they were never read that is a fact")
    func unread() {
        let facts = ["name": "n", "ou": "A", "unread": "denied"]
        let tagged = stored("1", ["name": "n", "ou": "A", "tag:stage": "dev"])
        #expect(listing([found("1", facts)], known: [tagged]).changed.isEmpty)
        let moved = listing([found("1", facts.merging(["ou": "B"]) { $1 })], known: [tagged])
        #expect(moved.changed[0].listing?.facts == ["name": "n", "ou": "B", "tag:stage": "dev"])
        #expect(listing([found("1", facts)], known: []).changed[0].listing?.facts == facts)
    }
}

@Suite("All accounts on one screen")
struct AccountsReportTests {
    /// Four accounts: one configured, one found, one that left, one that only events tell of.
    private func bench() async throws -> (journal: any Journal, configuration: Configuration) {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        var stranger = StoredAccount(cloud: .aws, id: "000000000009")
        stranger.lastEvent = now
        var found = stored("000000000002")
        found.lastWriteDenied = now - Span(seconds: 5)
        try await keeper.note(
            notices: [
                Notice(
                    code: "read-denied", subject: "ec2:DescribeVpcs in 000000000002", text: "no", raised: now)
            ], accounts: [found, stored("000000000003", left: now), stranger])
        return (journal, configuration.knowing(try journal.accounts()))
    }

    private func units(_ account: Configuration.Account) -> [ScanUnit] {
        ["AWS::EC2::VPC", "AWS::S3::Bucket"].map {
            ScanUnit(type: $0, place: ResourceContext(cloud: .aws, account: account.id, region: "eu-west-1"))
        }
    }

    private func report(_ journal: any Journal, _ configuration: Configuration) throws -> AccountsReport {
        let classification = Classification(
            accounts: [
                .init(cloud: .aws, id: "012345670123", environment: "dev", place: configuration.accounts[0].place)
            ],
            lines: [.init(match: ["ou": "A"], environment: "staging")],
            facts: ["aws/000000000002": ["ou": "A"], "aws/000000000003": ["ou": "A"]])
        return try AccountsReport(
            journal: journal, classification: classification, configuration: configuration, now: now, units: units)
    }

    @Test("Unclassified accounts come first, then the strictest; each says how it is known, read and written")
    func rows() async throws {
        let (journal, configuration) = try await bench()
        let rows = try report(journal, configuration).rows
        #expect(rows.map(\.id) == ["000000000009", "000000000002", "000000000003", "012345670123"])
        #expect(
            rows.map(\.enrolment) == [
                .stranger, .found("aws-organization"), .left("aws-organization", now), .configured,
            ])
        #expect(rows.map(\.reads) == [.off, .denied(["ec2:DescribeVpcs"]), .off, .never])
        #expect(rows.map(\.writes) == [.noRole, .denied(now - Span(seconds: 5)), .noRole, .unused])
        #expect(rows.map(\.lastEvent) == [now, nil, nil, nil])
        #expect(rows[3].json["line"] == "holdfast.yaml:2:12")
        #expect(rows[3].json["id"] == "012345670123")
    }

    @Test("Coverage is the share of types whose lists are whole and fresh, and never rounded up")
    func coverage() async throws {
        let (journal, configuration) = try await bench()
        let lease = try journal.acquire(part: "source:scan")
        func done(_ account: String, _ type: String, at time: Timestamp) throws {
            var transaction = JournalTransaction()
            transaction.leases = [lease]
            transaction.positions = [
                SourcePosition(
                    source: ScanUnit.source, partition: "aws/\(account)/eu-west-1/\(type)", next: time.nanoseconds)
            ]
            try journal.commit(transaction)
        }
        #expect(try report(journal, configuration).coverage == 0)
        try done("012345670123", "AWS::EC2::VPC", at: now)
        try done("012345670123", "AWS::S3::Bucket", at: now)
        try done("000000000002", "AWS::S3::Bucket", at: now - Span(seconds: 86_400))
        try done("000000000002", "AWS::EC2::VPC", at: now - Span(seconds: 3 * 86_400))
        let report = try report(journal, configuration)
        #expect(report.rows.map(\.typesCovered) == [0, 1, 0, 2])
        #expect(report.coverage == 75)
        #expect(
            report.lastLine == "coverage 75 %: 3 of 4 types in 2 accounts were read in the last 48 h; "
                + "1 account is not classified")
        #expect(report.summary["coverage-percent"]?.canonicalText == "75")
    }
}

@Suite("How the service does")
struct StatusTests {
    @Test("Describes for a thousand events, throttles and the age of what waits are counted and shown")
    func counters() async throws {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        let empty = try StatusReport(journal: journal, now: now)
        #expect(empty.describesPerThousandEvents == nil && empty.ageOfOldestDirty.nanoseconds == 0)
        var estate = RandomEstate(seed: 5)
        _ = try await keeper.positions(of: "test")
        let records = (0..<40).map { _ in
            estate.record(
                "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", ["groupId": "sg-1"], nil, "012345670123")
        }
        try await keeper.intake(
            RecordBatch(records: Records(records: records), positions: []), from: "test", now: now)
        let dirty = try await keeper.claim(now: now + Span(seconds: 10), limit: 10)
        #expect(dirty.count == 1)
        let waiting = try StatusReport(journal: journal, now: now + Span(seconds: 30))
        #expect(waiting.dirty == 1)
        #expect(waiting.ageOfOldestDirty == Span(seconds: 30))
        for resource in dirty {
            try await keeper.settle(
                resource, Description(result: .gone, started: now + Span(seconds: 20), id: "read"),
                now: now + Span(seconds: 20))
        }
        try await keeper.note(counters: [
            CounterDelta(name: CounterDelta.throttles, label: "aws 1 eu-west-1 ec2", amount: 2),
            CounterDelta(name: CounterDelta.throttles, label: "aws 2 eu-west-1 ec2", amount: 5),
        ])
        let report = try StatusReport(journal: journal, now: now + Span(seconds: 30))
        #expect(report.events == 40)
        #expect(report.describes == 1)
        #expect(report.describesPerThousandEvents == 25)
        #expect(report.throttles.map(\.amount) == [5, 2])
        #expect(report.lines.contains("describes: 1, 25.0 for 1,000 events"))
        #expect(report.lines.contains("throttles: 7; most often aws 2 eu-west-1 ec2: 5"))
        let account = try #require(try journal.accounts().first { $0.id == "012345670123" })
        #expect(account.lastRead == now + Span(seconds: 20))
        #expect(account.lastEvent == report.lastEvent)
        #expect(try StatusReport(journal: journal, now: now, since: now + Span(seconds: 7200)).throttles.isEmpty)
    }
}
