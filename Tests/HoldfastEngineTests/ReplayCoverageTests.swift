import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

@Suite("What a replay says of its input")
struct ReplayCoverageTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    @Test(
        "Moments are RFC 3339, dates, or before now",
        arguments: [
            ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z"), ("2026-11-22T09:00:00+01:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"), ("-2h", "2026-11-22T10:00:00Z"), ("-90s", "2026-11-22T11:58:30Z"),
            ("-1d", "2026-11-21T12:00:00Z"), ("now", "2026-11-22T12:00:00Z"),
        ])
    func moments(text: String, moment: String) throws {
        let now = try time("2026-11-22T12:00:00Z")
        #expect(ReplayWindow.moment(text, now: now) == (try time(moment)))
    }

    @Test(
        "A moment that could mean another on another machine is none",
        arguments: ["2026-11-22T08:00:00", "08:00", "yesterday", "-2w", "-", "2h", ""])
    func noMoments(text: String) throws {
        #expect(ReplayWindow.moment(text, now: Timestamp(seconds: 0)) == nil)
    }

    /// Files of CloudTrail's names, each with one event of its minute.
    private func coverage(_ minutes: [Int]) throws -> Coverage {
        var intake = ReplayIntake(window: ReplayWindow(), spool: try SQLiteSpool())
        for minute in minutes {
            let name = "111122223333_CloudTrail_eu-west-1_20260528T20\(minute < 10 ? "0" : "")\(minute)Z_x.json.gz"
            // 1,780,000,000 is 20:26:40 of that day.
            let record = Trail.block("b", true, at: minute * 60 - 1600, id: "e-\(minute)")
            let batch = RecordBatch(records: NamedRecords(name: name, records: [record]), positions: [])
            try intake.take(batch, from: "file")
        }
        try intake.finish()
        return intake.coverage
    }

    @Test("A five-minute delivery that is left out shows as a hole, and which")
    func deliveries() throws {
        let whole = try coverage([10, 15, 20, 25]).strips(ReplayWindow()).flatMap(\.stretches)
        #expect(whole.map(\.state) == [.complete])
        let holed = try coverage([10, 15, 25]).strips(ReplayWindow()).flatMap(\.stretches)
        #expect(holed.map(\.state) == [.partial])
        #expect(holed.first?.known.contains("none of 20:20Z") == true)
    }

    @Test("Hours without an event are missing, and hours with events alone prove nothing")
    func events() throws {
        var intake = ReplayIntake(window: ReplayWindow(), spool: try SQLiteSpool())
        let records = [Trail.block("b", true, at: 0, id: "e-1"), Trail.block("b", true, at: 20_000, id: "e-2")]
        try intake.take(RecordBatch(records: Records(records: records), positions: []), from: "file")
        try intake.finish()
        let states = intake.coverage.strips(ReplayWindow()).flatMap(\.stretches).map(\.state)
        #expect(states == [.partial, .missing, .partial])
    }

    @Test("A record that cannot be read is told with its place, and the same few whatever the order")
    func unreadable() throws {
        func examples(_ numbers: [Int]) throws -> JSON? {
            var intake = ReplayIntake(window: ReplayWindow(), spool: try SQLiteSpool())
            for number in numbers {
                let name = "file-\(number)"
                let batch = RecordBatch(records: NamedRecords(name: name, records: [Array("{".utf8)]), positions: [])
                try intake.take(batch, from: "file")
            }
            try intake.finish()
            return intake.coverage.json(ReplayWindow())["unreadable-examples"]
        }
        let forwards = try examples(Array(0..<60))
        #expect(forwards?.array?.count == 20)
        #expect(try examples((0..<60).reversed()) == forwards)
    }

    // MARK: Digests

    private func digest(_ hour: Int, files: [(name: String, text: String)], previous: [UInt8]?) -> [UInt8] {
        let listed = files.map { file -> JSON in
            [
                "s3Object": .string("AWSLogs/1/CloudTrail/eu-west-1/\(file.name).json.gz"), "hashAlgorithm": "SHA-256",
                "hashValue": .string(sha256(file.text.utf8).description), "oldestEventTime": "2026-05-28T20:00:00Z",
                "newestEventTime": "2026-05-28T20:10:00Z",
            ]
        }
        let json: JSON = [
            "awsAccountId": "111122223333", "digestStartTime": .string("2026-05-28T\(hour):00:00Z"),
            "digestEndTime": .string("2026-05-28T\(hour + 1):00:00Z"), "digestS3Bucket": "logs",
            "digestS3Object": .string("d/111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_\(hour).json.gz"),
            "digestPublicKeyFingerprint": "none", "logFiles": .array(listed),
            "previousDigestHashValue": previous.map { .string(sha256($0).description) } ?? .null,
            "previousDigestSignature": .null,
        ]
        return json.canonicalBytes
    }

    private func check(_ logs: [(name: String, text: String)], secondPrevious: [UInt8]? = nil) -> DigestChain {
        var chain = DigestChain()
        let first = digest(20, files: [("a", "one"), ("b", "two")], previous: nil)
        chain.add(digest: first, name: "d/first_CloudTrail-Digest_x.json", signature: nil)
        let second = digest(21, files: [], previous: secondPrevious ?? first)
        chain.add(digest: second, name: "d/second_CloudTrail-Digest_x.json", signature: nil)
        for log in logs { chain.add(log: log.name + ".json.gz", hash: sha256(log.text.utf8)) }
        return chain
    }

    @Test("Log files are verified by their digest; altered, missing and unnamed ones are told apart")
    func digests() {
        var whole = check([("a", "one"), ("b", "two")])
        #expect(whole.check().allSatisfy { $0.state == .complete })
        #expect(whole.verdicts == ["a": .verified, "b": .verified])
        var broken = check([("a", "ONE"), ("c", "three")])
        let claims = broken.check().filter { $0.state == .partial }
        #expect(claims.map(\.known).contains { $0.contains("names b, which is not there") })
        #expect(broken.verdicts == ["a": .altered, "b": .missing])
        #expect(broken.json["without-digest"] == ["c"])
    }

    @Test("A digest that its successor knows by another hash was altered")
    func alteredDigest() {
        var chain = check([("a", "one"), ("b", "two")], secondPrevious: Array("another".utf8))
        #expect(chain.check().first?.state == .partial)
        #expect(chain.json["faults"]?.array?.isEmpty == false)
    }

    // MARK: The spool

    @Test("Entries come back in order, more than a page of them, and of copies the one whose bytes come first")
    func spool() throws {
        let spool = try SQLiteSpool()
        var entries = (0..<2500).map { number in
            SpoolEntry(
                time: Timestamp(seconds: Int64(number % 50)), rank: number % 3, id: "e-\(number)",
                body: [UInt8(number % 7)])
        }
        entries.append(SpoolEntry(time: Timestamp(seconds: 0), rank: 0, id: "e-0", body: []))
        try spool.append(entries.reversed(), to: .input)
        var found: [SpoolEntry] = []
        try spool.forEach(in: .input) { found.append($0) }
        #expect(found.count == 2500)
        #expect(found.first { $0.id == "e-0" }?.body == [])
        let order = found.map { ($0.time, $0.rank, $0.id) }
        #expect(zip(order, order.dropFirst()).allSatisfy { $0 < $1 })
    }
}

/// Records of one file.
struct NamedRecords: RecordStorage {
    var name: String
    var records: [[UInt8]]
    var count: Int { records.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let record = records[index]
        return body(record.span)
    }
    func place(at index: Int) -> String { "\(name)@\(index)" }
}
