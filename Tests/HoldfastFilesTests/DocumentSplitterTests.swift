import HoldfastFiles
import Testing

/// A piece with its bytes as text.
private enum Split: Hashable {
    case document(Int64, String)
    case oversized(Int64, Int64)
    case unfinishedList(Int64)

    var document: String? { if case .document(_, let text) = self { text } else { nil } }
}

private func split(_ bytes: [UInt8], chunks: [Int] = [], limit: Int = 64 << 20) -> [Split] {
    var splitter = DocumentSplitter(limit: limit)
    var pieces: [Split] = []
    func drain(_ splitter: inout DocumentSplitter) {
        while let piece = splitter.next() {
            switch piece {
            case .document(let offset, let range):
                let text = splitter.withBytes(range) { span in
                    span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
                }
                pieces.append(.document(offset, text))
            case .oversized(let offset, let size, _): pieces.append(.oversized(offset, size))
            case .unfinishedList(let offset): pieces.append(.unfinishedList(offset))
            }
        }
    }
    var index = 0
    for size in chunks where index < bytes.count {
        let end = min(bytes.count, index + size)
        splitter.append(bytes[index..<end])
        drain(&splitter)
        index = end
    }
    splitter.append(bytes[index...])
    drain(&splitter)
    splitter.finish()
    drain(&splitter)
    return pieces
}

private func documents(_ text: String) -> [String] { split(Array(text.utf8)).compactMap(\.document) }

@Suite("Parting a stream into documents")
struct DocumentSplitterTests {
    private static let layouts: [(String, String)] = [
        ("one a line", "{\"a\":1}\n{\"b\":\"x\\\"}{\"}\n"),
        ("no line feed at the end", "{\"a\":1}\n{\"b\":\"x\\\"}{\"}"),
        ("lines as Windows ends them", "{\"a\":1}\r\n\r\n{\"b\":\"x\\\"}{\"}\r\n"),
        ("one behind the other", "{\"a\":1}{\"b\":\"x\\\"}{\"}"),
        ("a bare list", "[{\"a\":1},{\"b\":\"x\\\"}{\"}]"),
        ("a bare list, an element a line", "[\n{\"a\":1},\n{\"b\":\"x\\\"}{\"}\n]\n"),
        ("CloudTrail's file", "{\"Records\":[{\"a\":1},{\"b\":\"x\\\"}{\"}]}"),
        ("Event Hub's batch", "{ \"records\" : [ {\"a\":1} , {\"b\":\"x\\\"}{\"} ], \"next\": {\"c\": []} }"),
        ("batches, one a line", "{\"records\":[{\"a\":1}]}\n{\"records\":[]}\n{\"records\":[{\"b\":\"x\\\"}{\"}]}\n"),
        ("a mark of byte order in front", "\u{FEFF}{\"a\":1}\n\u{FEFF}{\"b\":\"x\\\"}{\"}"),
        ("lists, one a line", "[{\"a\":1}]\n[]\n[{\"b\":\"x\\\"}{\"}]\n"),
    ]

    @Test("Documents come out whole in whatever shape they stand", arguments: layouts)
    func shapes(name: String, text: String) {
        #expect(documents(text) == ["{\"a\":1}", "{\"b\":\"x\\\"}{\"}"], "\(name)")
    }

    @Test("A document over many lines is one document")
    func prettyPrinted() {
        let first = "{\n  \"a\": {\n    \"b\": [\n      1,\n      {}\n    ]\n  }\n}",
            second = "{\n\"c\":\n{\n\"d\":1\n}\n}"
        #expect(documents(first + "\n" + second + "\n") == [first, second])
        #expect(
            documents("[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": 2\n  }\n]") == [
                "{\n    \"a\": 1\n  }", "{\n    \"b\": 2\n  }",
            ])
    }

    @Test("A list of plain values is one document, and its brackets are kept")
    func plainList() {
        #expect(documents("[1, 2]\n{\"a\":[1]}") == ["[1, 2]", "{\"a\":[1]}"])
        #expect(
            documents("[{\"a\":1}, null, -2.5, \"x,y\", [{}]]") == ["{\"a\":1}", "null", "-2.5", "\"x,y\"", "[{}]"])
    }

    @Test("Every document knows its first byte")
    func offsets() {
        #expect(
            split(Array("  {\"a\":1}\n[ {\"b\":2},\n7 ]{}".utf8)) == [
                .document(2, "{\"a\":1}"), .document(12, "{\"b\":2}"), .document(21, "7"), .document(24, "{}"),
            ])
    }

    @Test(
        "One bad line costs one record",
        arguments: [
            "{\"cut\":\"in a text", "{\"cut\":", "{\"cut\":[1,", "{\"cut\":{\"deep\":{\"deeper\":", "{\"cut\":1",
            "{\"cut\"",
            "{", "[{\"cut\":1},{", "{\"a\":1]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "}", "]", "not JSON at all",
            "[2026-11-22 10:00:00] INFO a line of a log", "{\"cut\":\"\\", "{\"Records\":[{\"cut\":",
            "\"a text\" : {", "{\"a\":{\"b\":2},", "12 {\"a\":1}",
        ])
    func oneBadLine(_ bad: String) {
        let good = (1...4).map { "{\"n\":\($0),\"list\":[{\"x\":\"y\"}]}" }
        let found = documents(([good[0], bad] + good[1...]).joined(separator: "\n"))
        #expect(found.filter { $0.contains("\"n\"") } == good)
        #expect(found.filter { !good.contains($0) }.count <= 2)
        #expect(!found.filter { !good.contains($0) }.isEmpty || bad.hasPrefix("[{"))
    }

    @Test("A broken element of a list over many lines costs that element alone")
    func brokenElement() {
        let text = """
            {
              "Records": [
                {
                  "a": 1
                },
                {
                  "b" 2,
                  "c": {
                  }
                },
                {
                  "d": 4
                }
              ]
            }
            """
        let found = documents(text)
        #expect(found.count == 3)
        #expect(found[0].contains("\"a\": 1"))
        #expect(found[1].contains("\"b\" 2") && found[1].contains("\"c\": {"))
        #expect(found[2].hasPrefix("{") && found[2].contains("\"d\": 4") && found[2].hasSuffix("}"))
    }

    @Test("A file that ends inside a list says so, after all that it has")
    func unfinishedList() {
        #expect(
            split(Array("[{\"a\":1},\n{\"b\":2}".utf8)) == [
                .document(1, "{\"a\":1}"), .document(10, "{\"b\":2}"), .unfinishedList(17),
            ])
        #expect(split(Array("{\"Records\":[{\"a\":1}]".utf8)) == [.document(12, "{\"a\":1}"), .unfinishedList(20)])
        #expect(
            split(Array("[{\"a\":1},{\"b\":".utf8)) == [
                .document(1, "{\"a\":1}"), .document(9, "{\"b\":"), .unfinishedList(14),
            ])
    }

    @Test("Bytes that are not UTF-8 pass through unchanged")
    func invalidUTF8() {
        var splitter = DocumentSplitter()
        let bytes: [UInt8] = Array("{\"a\":\"".utf8) + [0xFF, 0xC0, 0x00, 0xED, 0xA0, 0x80] + Array("\"}".utf8)
        splitter.append(bytes)
        guard case .document(0, let range) = splitter.next() else {
            Issue.record("no document")
            return
        }
        #expect(splitter.withBytes(range) { span in span.withUnsafeBufferPointer { Array($0) } } == bytes)
    }

    @Test("A document greater than the limit is measured, not kept, and the next one comes", arguments: [1, 7, 4096])
    func oversized(chunk: Int) {
        let great = "{\"a\":\"" + String(repeating: "x", count: 5000) + "\"}"
        let bytes = Array((great + "\n{\"b\":2}\n" + String(repeating: "y", count: 2000) + "\n{\"c\":3}").utf8)
        let chunks = Array(repeating: chunk, count: bytes.count / chunk)
        #expect(
            split(bytes, chunks: chunks, limit: 1000) == [
                .oversized(0, 5008), .document(5009, "{\"b\":2}"), .oversized(5017, 2000), .document(7018, "{\"c\":3}"),
            ])
    }

    @Test("A million open brackets are one document")
    func deepNesting() {
        let depth = 1_000_000
        let text = "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        #expect(
            split(Array((text + "\n{}").utf8)) == [
                .document(0, text), .document(Int64(text.utf8.count) + 1, "{}"),
            ])
    }

    @Test("Lines that never close take a bounded time", .timeLimit(.minutes(10)))
    func boundedWork() {
        let line = Array("{\"a\":\n".utf8)
        var bytes: [UInt8] = []
        for _ in 0..<300_000 { bytes += line }
        let pieces = split(bytes, chunks: Array(repeating: 1 << 20, count: 64))
        #expect(pieces.count > 1)
        #expect(pieces.last.map { if case .document = $0 { true } else { false } } == true)
    }
}

@Suite("Parting arbitrary bytes")
struct DocumentSplitterPropertyTests {
    private static let words = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "\n", " ", "  ", "1", "tru", "x", "\"a\"", "{\"a\":1}",
        "[{\"b\":2}]",
        "\"a\":", "{\"records\":[", "{\"Records\" : [", "\r\n", "\u{FEFF}", "\n{", "\n  {", "\n}\n", "\n]\n", "é",
    ]

    private func stream(_ random: inout SplitMix) -> [UInt8] {
        (0..<Int.random(in: 1...60, using: &random)).flatMap { _ in
            Array((Self.words.randomElement(using: &random) ?? "").utf8)
        }
    }

    @Test("What comes out does not depend on how the input was cut", arguments: 0..<40)
    func cuts(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<250 {
            let bytes = stream(&random)
            for limit in [8, 40, 1 << 20] {
                let whole = split(bytes, limit: limit)
                let chunks = (0..<bytes.count).map { _ in Int.random(in: 1...5, using: &random) }
                #expect(
                    split(bytes, chunks: chunks, limit: limit) == whole, "\(String(decoding: bytes, as: UTF8.self))")
                #expect(split(bytes, chunks: Array(repeating: 1, count: bytes.count), limit: limit) == whole)
            }
        }
    }

    @Test("Documents stand in the order of the input and nothing between them is lost", arguments: 0..<40)
    func nothingIsLost(seed: Int) {
        var random = SplitMix(seed: UInt64(1000 + seed))
        for _ in 0..<250 {
            let bytes = stream(&random).filter { $0 < 0x80 }
            guard !String(decoding: bytes, as: UTF8.self).lowercased().contains("records") else { continue }
            var end = 0
            for case .document(let offset, let text) in split(bytes) {
                #expect(Int(offset) >= end)
                #expect(bytes[end..<Int(offset)].allSatisfy { " \t\r\n,[]".utf8.contains($0) })
                #expect(Array(bytes[Int(offset)...].prefix(text.utf8.count)) == Array(text.utf8))
                end = Int(offset) + text.utf8.count
            }
            #expect(bytes[end...].allSatisfy { " \t\r\n,[]".utf8.contains($0) })
        }
    }
}
