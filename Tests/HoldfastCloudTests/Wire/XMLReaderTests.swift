import HoldfastCore
import HoldfastJSON
import TestOracles
import Testing

@testable import HoldfastCloud

@Suite("Reading XML")
struct XMLReaderTests {
    @Test(
        "A document is read, and a damaged one refused, as expat does",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set; Tests/servers/python.sh prints it"))
    func againstExpat() throws {
        let lines = try Oracle.lines("xml_texts.py", ["1", "6000"])
        var (read, refused) = (0, 0)
        for line in lines {
            let text = bytes(fromBase64: line["text"]?.string ?? "") ?? []
            let ours = Result { try XMLReader.read(text) }
            if line["tree"]?.isNull == true { refused += 1 } else { read += 1 }
            let tree = (try? ours.get())?.tree ?? .null
            if tree != line["tree"] {
                Issue.record(
                    "\(String(decoding: text, as: UTF8.self)): \(ours), and expat reads \(line["tree"] ?? .null)")
            }
        }
        #expect(read > 1000 && refused > 1000)
    }

    @Test("Names lose their prefix and declarations, other attributes stay as written")
    func names() throws {
        let root = try XMLReader.read(
            Array(#"<a:R xmlns:a="u"><G xsi:type="Group" xmlns:xsi="w">x<b/>y</G></a:R>"#.utf8))
        #expect(root.name == "R")
        #expect(root.attributes.isEmpty)
        let inner = try #require(root.child("G"))
        #expect(inner.attributes == [.init(name: "xsi:type", value: "Group")])
        #expect(inner.text == "x")
        #expect(inner.children.map(\.name) == ["b"])
    }

    @Test(
        "What XML does not allow, or what we do not take, is a fault with its place",
        arguments: [
            ("<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>", "has a document type, which is not taken", 0),
            ("<r>&a;</r>", "has a reference to nothing: &a;", 3),
            ("<r><b></r>", "closes \"r\", which is not what is open", 6),
            ("<r>", "ends within an element", 3), ("", "has no root element", 0),
            ("<r/>x", "goes on after its root element", 4),
            ("<r>\u{1}</r>", "has a control character", 3), ("<r a='1' a='2'/>", "has the attribute \"a\" twice", 14),
            ("<?xml version=\"1.0\" encoding=\"latin1\"?><r/>", "is in latin1, not UTF-8", 39),
            ("<r>&#0;</r>", "has a reference to nothing: &#0;", 3),
            ("<r>&#xD800;</r>", "has a reference to nothing: &#xD800;", 3),
        ])
    func faults(text: String, reason: String, offset: Int) {
        #expect(throws: XMLFault(reason: reason, offset: offset)) { try XMLReader.read(Array(text.utf8)) }
    }

    @Test("Nesting has a limit, and what is below it is read")
    func depth() throws {
        let below = String(repeating: "<a>", count: 200) + String(repeating: "</a>", count: 200)
        #expect(try XMLReader.read(Array(below.utf8)).children.count == 1)
        let above = String(repeating: "<a>", count: 100_000)
        #expect(throws: XMLFault.self) { try XMLReader.read(Array(above.utf8)) }
    }

    @Test("No text of random bytes around tags makes the reader fail but by a fault")
    func noise() {
        var random = WireRandom(seed: 7)
        let parts = [
            "<", ">", "/", "a", "=", "\"", "'", "&", ";", "#", "x", "!--", "-->", "<![CDATA[", "]]>", "?", " ", "\r\n",
            "é",
        ]
        for _ in 0..<20_000 {
            var text: [UInt8] = []
            for _ in 0..<Int(random.next() % 24) { text += parts[Int(random.next() % UInt64(parts.count))].utf8 }
            if random.next() % 4 == 0, !text.isEmpty { text.removeLast() }
            do throws(XMLFault) { _ = try XMLReader.read(text) } catch { #expect(error.offset <= text.count) }
        }
    }
}

extension XMLElement {
    /// As the oracle prints it.
    fileprivate var tree: JSON {
        let pairs = attributes.map { [$0.name, $0.value] }.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        return [
            "name": .string(name), "text": .string(text), "children": .array(children.map(\.tree)),
            "attributes": .array(pairs.map { .array($0.map { .string($0) }) }),
        ]
    }
}

/// SplitMix64: the same numbers for the same seed.
struct WireRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
