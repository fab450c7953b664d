import Foundation
import HoldfastJSON
import Testing

@Suite("Strict parser")
struct StrictParserTests {
    private func error(_ text: String, _ limits: JSONLimits = .init()) -> JSONError? {
        do {
            _ = try JSON.parse(text, limits: limits)
            return nil
        } catch { return error }
    }

    @Test("Every kind of value is read")
    func values() throws {
        let tree = try JSON.parse(
            #" { "b" : [ 1 , -2.5e3, true, false, null ] , "a" : { "c" : "d" }, "e":{}, "f":[] } "#)
        #expect(
            tree == [
                "a": ["c": "d"],
                "b": [1, .number(JSONNumber(unchecked: "-2500")), true, false, .null],
                "e": [:], "f": [],
            ])
        #expect(tree.canonicalText == #"{"a":{"c":"d"},"b":[1,-2.5e3,true,false,null],"e":{},"f":[]}"#)
    }

    @Test("Escapes become what they stand for")
    func escapes() throws {
        #expect(try JSON.parse(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{C}\n\r\t"))
        #expect(try JSON.parse(#""a\u00e9b\u20ACc\uD83D\uDE00d\u0000""#) == .string("aéb€c😀d\0"))
    }

    @Test("A surrogate without its other half is refused")
    func surrogates() {
        #expect(error(#""\uD83D""#)?.reason == .badEscape)
        #expect(error(#""\uD83D\n""#)?.reason == .badEscape)
        #expect(error(#""\uD83D\u0041""#)?.reason == .badEscape)
        #expect(error(#""\uDE00""#)?.reason == .badEscape)
    }

    @Test(
        "Each refusal names its reason and its place",
        arguments: [
            ("", JSONError(.unexpectedEnd, at: 0)), ("[1", JSONError(.unexpectedEnd, at: 2)),
            ("[1 2]", JSONError(.unexpectedByte, at: 3)), ("[1,]", JSONError(.unexpectedByte, at: 3)),
            ("tru", JSONError(.unexpectedEnd, at: 3)), ("{\"a\" 1}", JSONError(.unexpectedByte, at: 5)),
            (#"["\x"]"#, JSONError(.badEscape, at: 2)), ("[01]", JSONError(.badNumber, at: 1)),
            ("[1.]", JSONError(.badNumber, at: 3)), ("[\"a\nb\"]", JSONError(.controlInString, at: 3)),
            ("1 x", JSONError(.trailing, at: 2)),
        ])
    func refusals(text: String, expected: JSONError) {
        #expect(error(text) == expected)
    }

    @Test("Bytes that are not UTF-8 are refused where they stand")
    func badUTF8() {
        let cases: [[UInt8]] = [
            [0x80], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0xFF],
        ]
        for bad in cases {
            for prefix in ["", #"\n"#] {
                let text = Array(#"["ab\#(prefix)"#.utf8) + bad + Array(#""]"#.utf8)
                #expect(throws: JSONError(.badUTF8, at: 4 + prefix.utf8.count)) { try JSON.parse(text) }
            }
        }
    }

    @Test("Of two members of one name the last stays, or both are refused")
    func duplicates() throws {
        let text = #"{"a":1,"b":2,"\u0061":3}"#
        #expect(try JSON.parse(text) == ["a": 3, "b": 2])
        #expect(error(text, JSONLimits(rejectsDuplicateKeys: true)) == JSONError(.duplicateKey, at: 13))
        #expect(error(#"{"a":1,"b":{"a":2}}"#, JSONLimits(rejectsDuplicateKeys: true)) == nil)
    }

    @Test("Names that Unicode calls equivalent but that differ in bytes are two members")
    func equivalentNames() throws {
        let tree = try JSON.parse("{\"e\u{301}\":1,\"\u{E9}\":2}")
        #expect(tree.object?.count == 2)
        #expect(tree["e\u{301}"] == 1)
        #expect(tree["\u{E9}"] == 2)
        #expect(JSON.string("e\u{301}") != .string("\u{E9}"))
    }

    @Test("Nesting up to the limit is read, one more is refused, and a hundred thousand too")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(error(nested(256)) == nil)
        #expect(error(nested(257)) == JSONError(.tooDeep, at: 256))
        #expect(error(String(repeating: "[", count: 100_000)) == JSONError(.tooDeep, at: 256))
        #expect(error(String(repeating: "{\"\":", count: 100_000))?.reason == .tooDeep)
        #expect(error(nested(3), JSONLimits(depth: 2)) == JSONError(.tooDeep, at: 2))
    }

    @Test("A byte order mark at the start is passed over, and only there")
    func byteOrderMark() throws {
        #expect(try JSON.parse([0xEF, 0xBB, 0xBF] + Array("{}".utf8)) == [:])
        #expect(throws: JSONError(.unexpectedByte, at: 1)) { try JSON.parse([0x5B, 0xEF, 0xBB, 0xBF, 0x5D]) }
    }
}

/// The folder of public JSON texts that parsers must accept (`y_`), refuse (`n_`), or may do either with (`i_`).
struct ParsingCorpus {
    static let folder = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"]
        .map { URL(filePath: $0).appending(path: "json-parsing/test_parsing") }

    static func texts() throws -> [(name: String, bytes: [UInt8])] {
        guard let folder else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
    }
}

@Suite("Public parsing corpus", .enabled(if: ParsingCorpus.folder != nil, "HOLDFAST_TEST_DATA is not set"))
struct ParsingCorpusTests {
    @Test("What every parser must accept is accepted, what every parser must refuse is refused")
    func verdicts() throws {
        var verdicts = 0
        for (name, bytes) in try ParsingCorpus.texts() where !name.hasPrefix("i_") {
            let accepted = (try? JSON.parse(bytes)) != nil
            #expect(accepted == name.hasPrefix("y_"), "\(name)")
            verdicts += 1
        }
        #expect(verdicts > 250)
    }

    @Test("What is accepted comes back the same from its canonical text, and means what Foundation reads in it")
    func roundTrip() throws {
        var compared = 0
        for (name, bytes) in try ParsingCorpus.texts() {
            guard let tree = try? JSON.parse(bytes) else { continue }
            #expect(try JSON.parse(tree.canonicalBytes) == tree, "\(name)")
            // Of two members of one name Foundation keeps the first.
            guard !name.contains("duplicated_key"), let theirs = ParsingCorpusTests.foundation(bytes) else { continue }
            #expect(theirs == ParsingCorpusTests.foundation(tree.canonicalBytes), "\(name)")
            compared += 1
        }
        #expect(compared > 80)
    }

    /// What Foundation reads in a text, written by Foundation.
    private static func foundation(_ text: [UInt8]) -> Data? {
        guard let value = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) else {
            return nil
        }
        return try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
    }
}
