import HoldfastJSON
import JSONFuzzing
import Testing

// A span cannot stand in an expectation.
extension FieldSet {
    func scan(_ bytes: [UInt8], into slots: inout [JSONSlice]) -> Outcome { scan(bytes.span, into: &slots) }
    func scan(_ object: JSONSlice, in bytes: [UInt8], into slots: inout [JSONSlice]) -> Outcome {
        scan(object, in: bytes.span, into: &slots)
    }
}
extension JSONSlice {
    func string(in bytes: [UInt8]) -> String? { string(in: bytes.span) }
    func equals(_ text: StaticString, in bytes: [UInt8]) -> Bool { equals(text, in: bytes.span) }
    func equals(_ text: String, in bytes: [UInt8]) -> Bool { equals(text, in: bytes.span) }
    func tree(in bytes: [UInt8]) throws(JSONError) -> JSON? { try tree(in: bytes.span) }
}
extension JSONElements {
    mutating func next(in bytes: [UInt8]) -> JSONSlice? { next(in: bytes.span) }
    mutating func next(
        in bytes: [UInt8], fields: FieldSet, into slots: inout [JSONSlice]
    ) -> (element: JSONSlice, outcome: FieldSet.Outcome)? {
        next(in: bytes.span, fields: fields, into: &slots)
    }
}

@Suite("Field set")
struct FieldSetTests {
    static let event = """
        {"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:role/a",\
        "sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},"eventName":"RunInstances","readOnly":false,\
        "requestParameters":{"instancesSet":{"items":[{"minCount":1,"maxCount":-2.5e+3}]},"note":"a\\"b\\u00e9"},\
        "responseElements":null,"resources":[{"ARN":"arn:1","type":"x"},{"type":"y","ARN":"arn:2"},3],"n":12}
        """
    static let fields = FieldSet(paths: [
        ["eventName"], ["readOnly"], ["userIdentity", "arn"], ["userIdentity", "type"], ["requestParameters"],
        ["requestParameters", "note"], ["responseElements"], ["resources"], ["errorCode"], ["n"],
        ["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"], ["eventName", "nothing"],
    ])

    private func outcome(_ fields: FieldSet, _ text: String) -> FieldSet.Outcome {
        var slots: [JSONSlice] = []
        return fields.scan(Array(text.utf8), into: &slots)
    }

    @Test("Each slot holds the value of its path")
    func slots() throws {
        let bytes = Array(Self.event.utf8)
        var slots: [JSONSlice] = []
        #expect(Self.fields.scan(bytes, into: &slots) == .fields)
        #expect(slots[0].string(in: bytes) == "RunInstances")
        #expect(slots[1].bool == false)
        #expect(slots[2].string(in: bytes) == "arn:aws:sts::123456789012:role/a")
        #expect(slots[3].equals("AssumedRole", in: bytes))
        #expect(!slots[3].equals("AssumedRoles", in: bytes))
        #expect(!slots[3].equals("AssumedRolf", in: bytes))
        let request = try slots[4].tree(in: bytes)
        #expect(
            request == ["instancesSet": ["items": [["minCount": 1, "maxCount": -2500]]], "note": "a\"bé"])
        #expect(slots[5].isEscaped)
        #expect(slots[5].string(in: bytes) == "a\"bé")
        #expect(slots[5].equals("a\"bé", in: bytes))
        #expect(slots[5].equals(String("a\"bé"), in: bytes))
        #expect(slots[6].kind == .null)
        #expect(slots[7].kind == .array)
        #expect(slots[8].isAbsent)
        #expect(try slots[8].tree(in: bytes) == nil)
        #expect(try slots[9].tree(in: bytes) == 12)
        #expect(slots[10].string(in: bytes) == "false")
        #expect(slots[11].isAbsent)
    }

    @Test("An object inside of a text is scanned by itself")
    func inner() {
        let bytes = Array(Self.event.utf8)
        var slots: [JSONSlice] = []
        #expect(Self.fields.scan(bytes, into: &slots) == .fields)
        let request = slots[4]
        let inner = FieldSet(["note", "instancesSet"])
        #expect(inner.scan(request, in: bytes, into: &slots) == .fields)
        #expect(slots.count == 2)
        #expect(slots[0].string(in: bytes) == "a\"bé")
        #expect(slots[1].kind == .object)
        #expect(inner.scan(slots[0], in: bytes, into: &slots) == .unusual)
    }

    @Test("The elements of an array come one by one, with their fields")
    func elements() {
        let bytes = Array(Self.event.utf8)
        var slots: [JSONSlice] = []
        #expect(FieldSet(["resources"]).scan(bytes, into: &slots) == .fields)
        let resources = slots[0]
        let fields = FieldSet(["ARN"])
        var elements = JSONElements(resources)
        var found: [String] = []
        while let (element, outcome) = elements.next(in: bytes, fields: fields, into: &slots) {
            found.append("\(element.kind) \(outcome) \(slots[0].string(in: bytes) ?? "-")")
        }
        #expect(found == ["object fields arn:1", "object fields arn:2", "number unusual -"])
        elements = JSONElements(resources)
        var kinds: [JSONSlice.Kind] = []
        while let element = elements.next(in: bytes) { kinds.append(element.kind) }
        #expect(kinds == [.object, .object, .number])
        for text in [#"{"resources":[]}"#, #"{"resources":[ ] }"#, #"{"resources":{}}"#] {
            let bytes = Array(text.utf8)
            #expect(FieldSet(["resources"]).scan(bytes, into: &slots) == .fields)
            var elements = JSONElements(slots[0])
            #expect(elements.next(in: bytes) == nil)
        }
    }

    @Test("An element that is unusual is passed over, and the next is read")
    func unusualElement() {
        let bytes = Array(#"{"Records":[ {"\u0061":1} , {"a":2},[{"a":3}] ]}"#.utf8)
        var slots: [JSONSlice] = []
        #expect(FieldSet(["Records"]).scan(bytes, into: &slots) == .fields)
        var elements = JSONElements(slots[0])
        let fields = FieldSet(["a"])
        var outcomes: [FieldSet.Outcome] = []
        while let (_, outcome) = elements.next(in: bytes, fields: fields, into: &slots) {
            outcomes.append(outcome)
        }
        #expect(outcomes == [.unusual, .fields, .unusual])
    }

    @Test(
        "What the strict parser would read in its own way is unusual",
        arguments: [
            #"{"\u0061":1}"#, #"{"a":1,"a":2}"#, #"{"b":{"c":1,"c":2}}"#, #"{"b":1,"b":{"c":2}}"#,
            #"{"b":{"\u0063":1}}"#, #"{"a":1} x"#, #"{"a":1"#, #"[{"a":1}]"#, "\u{FEFF}{}", "", " ", "1",
            #"{"z":[1,2,]}"#, #"{"z":[1 2]}"#, #"{"z":{"y":1,}}"#, #"{"z":{"y"}}"#, #"{"z":[}}"#, #"{"z":01}"#,
            #"{"z":"\uD800"}"#, #"{"z":"\uDC00\uD800"}"#, #"{"z":"\x"}"#, "{\"z\":\"\t\"}", #"{"z":tru}"#, #"{z:1}"#,
            #"{"z":truefalse}"#, #"{"z":nul"#, #"{"z":-}"#, #"{"z":1.e3}"#, #"{"z":.5}"#, #"{"z":1e}"#, #"{"a":1,}"#,
        ])
    func unusual(text: String) {
        #expect(outcome(FieldSet(paths: [["a"], ["b", "c"]]), text) == .unusual)
    }

    @Test("What only looks odd is read")
    func odd() {
        let fields = FieldSet(paths: [["a"], ["b", "c"]])
        for text in [
            "{}", " \t\r\n{ \"a\" : 1 , \"b\" : { } } ", #"{"z":{"a":1,"a":2,"\u0061":3}}"#, #"{"":1,"b":[]}"#,
            #"{"z":-0.0E-0,"é€😀":"é€😀 \ud83d\ude00"}"#, #"{"z":[[],{},[{}],[[]]],"y":[null,true,false]}"#,
        ] { #expect(outcome(fields, text) == .fields, "\(text)") }
    }

    @Test("Names of every length are told apart from their neighbours")
    func names() {
        let names = (0..<40).map { String(repeating: "n", count: $0) }
        let all = FieldSet(names + names.map { $0 + "x" } + names.map { "x" + $0 + "n" })
        for (index, name) in names.enumerated() {
            for (slot, found) in [(index, name), (40 + index, name + "x"), (80 + index, "x" + name + "n")] {
                let bytes = Array("{\"\(found)\":1}".utf8)
                var slots: [JSONSlice] = []
                #expect(all.scan(bytes, into: &slots) == .fields)
                #expect(slots.indices.filter { !slots[$0].isAbsent } == [slot], "\(found)")
            }
            let near = name.isEmpty ? "y" : "y" + name.dropFirst()
            for missing in [near, name + "y", String((name + "nnn").dropLast()) + "y"] {
                let bytes = Array("{\"\(missing)\":1}".utf8)
                var slots: [JSONSlice] = []
                #expect(all.scan(bytes, into: &slots) == .fields)
                #expect(slots.allSatisfy { $0.isAbsent }, "\(missing)")
            }
        }
    }

    @Test("The usual order of members changes nothing in what is found")
    func usualOrder() {
        let names = (0..<40).map { String(repeating: "n", count: $0) }
        let wanted = names.indices.filter { $0 % 3 == 0 }.map { names[$0] }
        let plain = FieldSet(wanted)
        var random = SplitMix64(seed: 5)
        for round in 0..<50 {
            let usual = FieldSet(paths: wanted.map { [$0] }, usual: names.map { [$0] })
            let present = round == 0 ? names : names.filter { _ in !random.once(in: 4) }
            let order = round < 25 ? present : present.shuffled(using: &random)
            let bytes = Array("{\(order.map { "\"\($0)\":\(round)" }.joined(separator: ","))}".utf8)
            var expected: [JSONSlice] = []
            var found: [JSONSlice] = []
            #expect(plain.scan(bytes, into: &expected) == .fields)
            #expect(usual.scan(bytes, into: &found) == .fields)
            #expect(found == expected)
            #expect(found.count { !$0.isAbsent } == wanted.count { present.contains($0) })
        }
    }

    @Test("Nesting beyond the limit is unusual, up to it is not")
    func depth() {
        func nested(_ depth: Int) -> String {
            #"{"z":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
        }
        let fields = FieldSet(["a"])
        #expect(outcome(fields, nested(64)) == .fields)
        #expect(outcome(fields, nested(65)) == .unusual)
        #expect(outcome(fields, nested(100_000)) == .unusual)
        #expect(outcome(FieldSet(["a"], depth: 2), nested(2)) == .fields)
        #expect(outcome(FieldSet(["a"], depth: 2), nested(3)) == .unusual)
        let path = FieldSet(paths: [["b", "c", "d"]], depth: 3)
        #expect(outcome(path, #"{"b":{"c":{"d":1}}}"#) == .fields)
        #expect(outcome(path, #"{"b":{"c":{"d":[]}}}"#) == .unusual)
        #expect(outcome(FieldSet(paths: [["b", "c"]], depth: 1), #"{"b":{}}"#) == .unusual)
    }
}
