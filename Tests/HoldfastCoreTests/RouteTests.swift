import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// Changes in words that can be compared.
private func changes(_ match: CatalogMatch) -> [String] {
    guard case .known(let changes, let unresolved) = match else { return ["\(match)"] }
    return changes.map { "\($0.resource) \($0.context) \($0.effect) \($0.changes)" } + unresolved.map { "\($0)" }
}

@Suite("Routing events")
struct RouteTests {
    private let catalog = ShippedCatalog.loaded.catalog

    /// The changes of every event in a text, read as intake reads it and as a tree.
    private func compare(_ text: [UInt8]) throws -> (equal: Int, resources: Int) {
        var equal = 0
        var resources = 0
        let lazy = EventDecoder.items(text, .intake)
        let full = EventDecoder.items(text, .full)
        compareIntake(text, full)
        #expect(lazy.count == full.count)
        for case (.event(let event), .event(let tree)) in zip(lazy, full) {
            let expected = catalog.changes(for: tree)
            #expect(changes(try catalog.changes(reading: event)) == changes(expected), "\(tree.action) \(tree.id)")
            if case .known(let route) = try catalog.route(event) {
                #expect(Set(route.resources) == Set(expected.changes.map(\.resource)))
            }
            equal += 1
            resources += expected.changes.count
        }
        return (equal, resources)
    }

    /// What intake by the catalog makes of a text, against its trees: the same changes, sessions and dead letters, and
    /// what is dropped is counted.
    private func compareIntake(_ text: [UInt8], _ full: [DecodedItem]) {
        var decoder = EventDecoder(for: catalog)
        let items = decoder.decode(text.span, detail: .intake)
        var dropped: [[String]: Int64] = [:]
        decoder.takeDropped { dropped[["\($0.reason)", $0.actor, "\($0.hour)"], default: 0] += $0.count }
        for case .dropped(let record) in items { dropped[counted(record), default: 0] += 1 }
        var expected: [[String]: Int64] = [:]
        for case .dropped(let record) in full { expected[counted(record), default: 0] += 1 }
        #expect(dropped == expected)
        #expect(items.compactMap(kept) == full.compactMap(kept))
        decoder.takeDropped { Issue.record("\($0) was counted twice") }
    }

    private func counted(_ record: DroppedRecord) -> [String] {
        ["\(record.reason)", record.actor, "\((record.time?.nanoseconds ?? 0) / 3_600_000_000_000 * 3600)"]
    }

    private func kept(_ item: DecodedItem) -> [String]? {
        switch item {
        case .dropped: nil
        case .event(let event):
            // Everything but the body, of which an excerpt is kept.
            intakeView(item).dropLast() + ((try? catalog.changes(reading: event)).map(changes) ?? ["not readable"])
        case .session, .undecodable: intakeView(item)
        }
    }

    @Test(
        "Intake by the catalog counts what it drops and keeps what the catalog looks into",
        .enabled(if: TestData.isThere, "HOLDFAST_TEST_DATA names no folder"),
        arguments: [
            "aws-cloudtrail-invictus", "aws-cloudtrail-stratus", "aws-cloudtrail-cribl", "aws-eventbridge-manageiq",
            "c7n-aws-events", "plaso-3cloud-jsonl", "azure-eventhub-dynatrace",
        ])
    func intake(folder: String) throws {
        var texts = 0
        for file in try TestData.files(folder, ".json", ".jsonl") where !file.path.contains("ORACLE") {
            for text in file.path.hasSuffix(".jsonl") ? TestData.lines(file.bytes) : [file.bytes] {
                compareIntake(text, EventDecoder.items(text, .full))
                texts += 1
            }
        }
        #expect(texts > 0)
    }

    @Test("Many actors and hours are counted apart, whatever their names' bytes are")
    func tally() {
        var decoder = EventDecoder(for: catalog)
        var expected: [String: Int64] = [:]
        for number in 0..<3_000 {
            // Half of the names differ in one byte in the middle alone.
            let actor = "arn:aws:sts::111122223333:assumed-role/r\(number % 700)/the-same-end-of-all-the-names"
            let hour = number % 3
            let text = trail([
                "readOnly": true, "eventTime": .string("2026-01-02T0\(hour):30:00Z"),
                "userIdentity": ["type": "AssumedRole", "arn": .string(actor)],
            ])
            #expect(decoder.decode(text.utf8.span, detail: .intake).isEmpty)
            expected["\(actor) \(hour)", default: 0] += 1
        }
        var found: [String: Int64] = [:]
        decoder.takeDropped { found["\($0.actor) \(($0.hour - 1_767_312_000) / 3600)", default: 0] += $0.count }
        #expect(found == expected)
    }

    @Test(
        "What is read off an event's text is what its whole tree says",
        arguments: [
            #"{"bucketName":"a","bucketPolicy":{"Statement":[]}}"#, #"{"bucketName":"a\u0062"}"#,
            #"{"bucketName":null}"#, #"{"bucketName":["a","b"]}"#, #"{"bucketName":7}"#, #"{"bucketName":""}"#,
            #"{"bucketName":"arn:aws:s3:::b"}"#, #"{"bucketName":"x/y"}"#, #"null"#, #""a text""#, "[]",
        ])
    func oddNames(parameters: String) throws {
        for resources in ["null", #"[{"accountId":"999988887777"}]"#, #"[{"x":1},{"accountId":"1"}]"#, "[7]", "{}"] {
            for action in ["PutBucketPolicy", "CreateBucket", "DeleteBucketPolicy"] {
                let text = """
                    {"requestParameters":\(parameters),"resources":\(resources),"eventName":"\(action)",\
                    \(trail(["requestParameters": .null, "eventName": .null]).dropFirst())
                    """
                #expect(try compare(Array(text.utf8)).equal == 1, "\(text)")
            }
        }
    }

    @Test(
        "The same holds for recorded events", .enabled(if: TestData.isThere, "HOLDFAST_TEST_DATA names no folder"),
        arguments: ["aws-cloudtrail-invictus", "aws-cloudtrail-stratus", "aws-cloudtrail-cribl"])
    func recorded(folder: String) throws {
        var resources = 0
        for file in try TestData.files(folder, ".json", ".jsonl") where !file.path.contains("ORACLE") {
            let texts = file.path.hasSuffix(".jsonl") ? TestData.lines(file.bytes) : [file.bytes]
            for text in texts { resources += try compare(text).resources }
        }
        #expect(resources > 5)
    }
}

extension EventDecoder {
    fileprivate static func items(_ text: [UInt8], _ detail: DecodeDetail) -> [DecodedItem] {
        var decoder = EventDecoder()
        return decoder.decode(text.span, detail: detail)
    }
}
