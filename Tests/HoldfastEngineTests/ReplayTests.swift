import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

private let policy = ShippedData.policy

/// A replay of records, with everything that it gave.
struct Replayed {
    var rows: [JSON] = []
    var report: ReplayReport

    init(
        _ records: [[UInt8]], window: ReplayWindow = ReplayWindow(), filter: ReplayFilter = ReplayFilter(),
        inclusion: ReplayInclusion = ReplayInclusion(), batch: Int = 7, states: [RecordedResource] = []
    ) throws {
        let spool = try SQLiteSpool()
        var intake = ReplayIntake(window: window, spool: spool)
        let batches = stride(from: 0, to: records.count, by: batch).map {
            RecordBatch(records: Records(records: Array(records[$0..<min($0 + batch, records.count)])), positions: [])
        }
        for batch in batches { try intake.take(batch, from: "test") }
        try intake.finish()
        var replay = try Replay(
            policy: policy, journal: SQLiteJournal(.temporary), spool: spool, window: window, filter: filter)
        if !states.isEmpty { try replay.begin(with: states, at: window.from ?? Timestamp(seconds: 0)) }
        try replay.run()
        var looks = ReplayLooks(after: replay, inclusion: inclusion)
        for batch in batches { try looks.take(batch) }
        replay.addRows(try looks.finish())
        report = ReplayReport(
            window: window, coverage: intake.coverage, start: .empty, totals: intake.totals, outcome: replay.outcome,
            filter: filter, versions: [])
        var rows: [JSON] = []
        try spool.forEach(in: .rows) { entry in rows.append((try? JSON.parse(entry.body)) ?? .null) }
        self.rows = rows
    }

    /// Everything that is printed.
    var text: String {
        report.members.map { "\($0.name) \($0.value.canonicalText)\n" }.joined()
            + rows.map { $0.canonicalText + "\n" }.joined()
    }

    func rows(_ kind: String) -> [JSON] { rows.filter { $0["kind"]?.string == kind } }
}

/// Records of CloudTrail.
enum Trail {
    static let account = "111122223333"

    static func record(
        _ name: String, at second: Int, id: String, source: String = "s3", request: JSON = .null,
        response: JSON = .null, readOnly: Bool = false, error: String? = nil, identity: JSON? = nil
    ) -> [UInt8] {
        var record = JSONObject([
            ("eventVersion", "1.08"),
            ("eventTime", .string(Timestamp(seconds: 1_780_000_000 + Int64(second)).description)),
            ("eventSource", .string(source + ".amazonaws.com")), ("eventName", .string(name)), ("eventID", .string(id)),
            ("awsRegion", "eu-west-1"), ("sourceIPAddress", "192.0.2.7"), ("userAgent", "aws-cli/2.1"),
            ("recipientAccountId", .string(account)), ("readOnly", .bool(readOnly)), ("requestParameters", request),
            ("responseElements", response), ("userIdentity", identity ?? user("alice")),
        ])
        if let error { record["errorCode"] = .string(error) }
        return JSON.object(record).canonicalBytes
    }

    static func user(_ name: String) -> JSON {
        ["type": "IAMUser", "arn": .string("arn:aws:iam::\(account):user/\(name)"), "accountId": .string(account)]
    }

    static func session(role: String, key: String) -> JSON {
        [
            "type": "AssumedRole", "arn": .string("arn:aws:sts::\(account):assumed-role/\(role)/s"),
            "accountId": .string(account), "accessKeyId": .string(key),
        ]
    }

    static func assume(role: String, key: String, at second: Int, id: String, by identity: JSON? = nil) -> [UInt8] {
        record(
            "AssumeRole", at: second, id: id, source: "sts",
            request: ["roleArn": .string("arn:aws:iam::\(account):role/\(role)")],
            response: [
                "credentials": ["accessKeyId": .string(key)],
                "assumedRoleUser": ["arn": .string("arn:aws:sts::\(account):assumed-role/\(role)/s")],
            ], readOnly: true, identity: identity)
    }

    static func block(_ bucket: String, _ on: Bool, at second: Int, id: String, identity: JSON? = nil) -> [UInt8] {
        let value = JSON.bool(on)
        return record(
            "PutBucketPublicAccessBlock", at: second, id: id,
            request: [
                "bucketName": .string(bucket),
                "PublicAccessBlockConfiguration": [
                    "BlockPublicAcls": value, "BlockPublicPolicy": value, "IgnorePublicAcls": value,
                    "RestrictPublicBuckets": value,
                ],
            ], identity: identity)
    }
}

@Suite("Replay")
struct ReplayTests {
    @Test("Any order of records, doubled or not, gives the same bytes")
    func anyOrder() throws {
        var random = RandomEstate(seed: 21)
        for _ in 0..<8 {
            let records = random.sequence(account: "111122223333") + random.sequence(account: "444455556666")
            let first = try Replayed(records)
            #expect(!first.rows.isEmpty)
            for batch in [1, 5, 1000] {
                let doubled = (records + records.shuffled(using: &random.random).prefix(records.count / 2))
                let again = try Replayed(doubled.shuffled(using: &random.random), batch: batch)
                #expect(again.rows == first.rows)
                #expect(again.report.outcome.stories.map(\.json) == first.report.outcome.stories.map(\.json))
            }
            #expect(try Replayed(records.reversed(), batch: 3).text == first.text)
        }
    }

    @Test("What is open at the end is what a full evaluation by the service has open")
    func equalsService() async throws {
        var random = RandomEstate(seed: 4)
        for _ in 0..<10 {
            let records = random.sequence(account: "111122223333")
            let journal = try SQLiteJournal(.inMemory)
            let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
            _ = try await keeper.positions(of: "test")
            try await keeper.intake(
                RecordBatch(records: Records(records: records), positions: []), from: "test",
                now: Timestamp(seconds: 1_790_000_000))
            let live = try journal.findings(states: [Finding.State.open.rawValue]).map(\.id)
            let replayed = try Replayed(records).report.outcome.stories.filter { $0.finding.state == .open }
            #expect(replayed.map(\.finding.id).sorted() == live)
        }
    }

    @Test("A row says who, from where, before and after, and what it opened")
    func row() throws {
        let replayed = try Replayed([
            Trail.block("b", true, at: 0, id: "e-1"), Trail.block("b", false, at: 60, id: "e-2"),
        ])
        let row = try #require(replayed.rows.last)
        #expect(row["origin"] == .string("arn:aws:iam::\(Trail.account):user/alice"))
        #expect(row["source-ip"] == "192.0.2.7")
        #expect(row["via"] == "cli")
        let resource = try #require(row["resources"]?.array?.first)
        let change = try #require(
            resource["changes"]?.array?.first {
                $0["path"] == "PublicAccessBlockConfiguration.BlockPublicPolicy"
            })
        #expect(change["before"] == true && change["after"] == false)
        let ways = resource["opened"]?.array?.compactMap { $0["way"]?.string } ?? []
        #expect(ways.contains("PublicAccessBlockConfiguration.BlockPublicPolicy is off"))
        #expect(row["findings"]?.array?.contains { $0["change"] == "opened" } == true)
    }

    @Test("What a state before nobody knows is told as unknown, never as absent")
    func unknownBefore() throws {
        let row = try #require(try Replayed([Trail.block("b", false, at: 0, id: "e-1")]).rows.first)
        let before = row["resources"]?.array?.first?["changes"]?.array?.first?["before"]
        #expect(before?["unknown"]?.string != nil)
    }

    @Test("An actor is followed through two roles to a person, also within one second and from before the window")
    func chain() throws {
        let records = [
            Trail.assume(role: "one", key: "ASIA1", at: -600, id: "s-1"),
            Trail.assume(
                role: "two", key: "ASIA2", at: 30, id: "z-2", by: Trail.session(role: "one", key: "ASIA1")),
            Trail.block("b", false, at: 30, id: "a-3", identity: Trail.session(role: "two", key: "ASIA2")),
        ]
        let window = ReplayWindow(from: Timestamp(seconds: 1_780_000_000), to: nil)
        let row = try #require(try Replayed(records, window: window).rows("change").first)
        #expect(row["origin"] == .string("arn:aws:iam::\(Trail.account):user/alice"))
        #expect(row["chain"]?.array?.count == 2)
    }

    @Test("A window holds its first moment and not its last")
    func window() throws {
        let records = (0..<4).map { Trail.block("b", $0 % 2 == 0, at: $0, id: "e-\($0)") }
        let start = Timestamp(seconds: 1_780_000_000)
        let replayed = try Replayed(
            records, window: ReplayWindow(from: start + Span(seconds: 1), to: start + Span(seconds: 3)))
        #expect(replayed.rows.compactMap { $0["event"]?.string } == ["e-1", "e-2"])
    }

    @Test("What creates comes first and what deletes last among events of one second")
    func oneSecond() throws {
        let records = [
            Trail.block("b", false, at: 5, id: "a-change"),
            Trail.record("DeleteBucket", at: 5, id: "b-delete", request: ["bucketName": "b"]),
            Trail.record("CreateBucket", at: 5, id: "c-create", request: ["bucketName": "b"]),
        ]
        #expect(
            try Replayed(records).rows.compactMap { $0["event"]?.string } == ["c-create", "a-change", "b-delete"])
    }

    @Test("A write that the catalog does not know is a row of its own")
    func rawWrite() throws {
        let row = try #require(
            try Replayed([Trail.record("FrobnicateBucket", at: 1, id: "e-1")]).rows.first)
        #expect(row["kind"] == "raw-write")
        #expect(row["notes"]?.array?.first == "the catalog does not know this operation")
    }

    @Test("Reads and failures of those in the timeline are in it, counted by hour; those of others are not")
    func looks() throws {
        var records = [Trail.block("b", false, at: 0, id: "e-1")]
        for number in 0..<5 {
            records.append(Trail.record("GetBucketPolicy", at: number, id: "r-\(number)", readOnly: true))
            records.append(
                Trail.record(
                    "GetBucketPolicy", at: number, id: "o-\(number)", readOnly: true, identity: Trail.user("bob")))
        }
        records.append(
            Trail.record("DeleteBucket", at: 9, id: "f-1", request: ["bucketName": "x"], error: "AccessDenied"))
        records.append(
            Trail.record(
                "DeleteBucket", at: 9, id: "f-2", request: ["bucketName": "b"], error: "AccessDenied",
                identity: Trail.user("mallory")))
        let replayed = try Replayed(records + records)
        let reads = replayed.rows("read")
        #expect(reads.count == 1 && reads.first?["count"] == 5)
        #expect(replayed.rows("failure").compactMap { $0["event"]?.string }.sorted() == ["f-1", "f-2"])
        let none = ReplayInclusion(reads: .none, failures: .none, sessions: .none)
        #expect(try Replayed(records, inclusion: none).rows.count == 1)
        let all = ReplayInclusion(reads: .all, failures: .none, sessions: .none)
        #expect(try Replayed(records, inclusion: all).rows("read").count == 2)
    }

    @Test("A snapshot is the state before the first event")
    func snapshot() throws {
        let bucket = ResourceID(type: "AWS::S3::Bucket", id: "arn:aws:s3:::b")
        let on: JSON = [
            "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true,
            "RestrictPublicBuckets": true,
        ]
        let state = RecordedResource(
            resource: bucket, context: ResourceContext(cloud: .aws, account: Trail.account, region: ""),
            configuration: ["PublicAccessBlockConfiguration": on], recorded: Timestamp(seconds: 1_779_999_000),
            place: "states.jsonl:1")
        let replayed = try Replayed([Trail.block("b", false, at: 60, id: "e-1")], states: [state])
        let finding = try #require(replayed.rows.first?["findings"]?.array?.first)
        #expect(finding["origin"] == "drift")
        #expect(replayed.rows.first?["resources"]?.array?.first?["changes"]?.array?.first?["before"] == true)
    }
}
