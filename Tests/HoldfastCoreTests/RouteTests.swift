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
