/// Texts that look like events of a cloud's log and are spoilt, a little or much, or not at all.
package struct OddEvents: Sendable {
    /// What the texts have members for, now and then.
    package static let paths: [[String]] = [
        ["eventName"], ["eventSource"], ["readOnly"], ["id"], ["userIdentity", "arn"],
        ["userIdentity", "sessionContext", "mfa"], ["requestParameters"], ["requestParameters", "a"],
        ["resources"], ["aVeryLongNameOfAMember"], ["aVeryLongNameOfOtherOne"], ["é€😀"], [""],
    ]
    private static let names: [String] =
        ["eventName", "eventSource", "readOnly", "id", "userIdentity", "requestParameters", "resources"]
        + ["arn", "sessionContext", "mfa", "a", "aVeryLongNameOfAMember", "aVeryLongNameOfOtherOne", "é€😀", "", "b"]
        + ["eventNam", "eventNames", "resource", "aVeryLongNam", "ARN", "x1", "z"]
    /// The order that members have in half of the objects, outermost and inside of `userIdentity`.
    package static let usual: [[String]] =
        names.map { [$0] } + ["type", "arn", "sessionContext", "id"].map { ["userIdentity", $0] }
    private static let strings: [String] = [
        "", "a", "RunInstances", "ec2.amazonaws.com", "arn:aws:iam::123456789012:user/alice", "2026-11-22T20:33:58Z",
        "{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[]}", "a\\nb", "\\u00e9\\u20ac", "\\ud83d\\ude00", "é",
        "déjà vu €5 😀", "[{", "\\\\", "\\\"", "0123456789abcde", "0123456789abcdef", "0123456789abcdef0", "\u{7F}",
        "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}", "true", "\\/\\b\\f\\r\\t",
    ]
    private static let scalars: [String] = [
        "true", "false", "null", "0", "-0", "1", "12", "-7", "3.25", "1e9", "1E+2", "2.5e-3", "123456789012345678901",
    ]
    /// Pieces that are wrong in most places, and right in some.
    private static let pieces: [[UInt8]] =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\t", "\n", "\r", "0", "-", ".", "e", "+", "u", "t", "/",
            "01", "-", "1.", ".5", "1e", "1e+", "0x1", "+1", "NaN", "truE", "nul", "\\u", "\\uD800", "\\uDC00\\uD800",
            "\\uD83D\\uDE00", "\\u12", "\\x", "\\u0061", "\"a\":1,", "\"id\":1,", "{}", "[]", "[[[[", "]]]]", "{\"a\":",
            "//", "\u{FEFF}", "\0", "\u{1F}", "\u{7F}", ",,", "é", "😀",
        ].map { Array($0.utf8) } + [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
            [0xED, 0x9F, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF],
        ]

    private var random: SplitMix64
    private var text: [UInt8] = []
    private var previous: [UInt8] = []

    package init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// The next text; about one in five is not spoilt.
    package mutating func next() -> [UInt8] {
        swap(&text, &previous)
        text.removeAll(keepingCapacity: true)
        space()
        object(depth: 0)
        space()
        guard !random.once(in: 5) else { return text }
        for _ in 0...random.below(3) { spoil() }
        return text
    }

    // MARK: Texts by the grammar

    private mutating func add(_ piece: String) { text.append(contentsOf: piece.utf8) }

    private mutating func space() {
        if random.once(in: 12) { add(random.pick([" ", "\n", "\t", "\r\n", "  "])) }
    }

    private mutating func object(depth: Int) {
        add("{")
        space()
        let first = random.once(in: 2) ? random.below(Self.names.count) : nil
        for index in 0..<random.below(depth == 0 ? 9 : 4) {
            if index > 0 { add(",") }
            space()
            let name = first.map { Self.names[($0 + index) % Self.names.count] } ?? random.pick(Self.names)
            if random.once(in: 150), !name.isEmpty {
                add("\"\\u00\(name.utf8.first == 0x61 ? "61" : "7a")\(name.dropFirst())\"")
            } else {
                add("\"\(name)\"")
            }
            space()
            add(":")
            space()
            value(depth: depth + 1)
            space()
        }
        add("}")
    }

    private mutating func array(depth: Int) {
        add("[")
        space()
        for index in 0..<random.below(4) {
            if index > 0 { add(",") }
            space()
            value(depth: depth + 1)
            space()
        }
        add("]")
    }

    private mutating func value(depth: Int) {
        switch random.below(depth > 5 ? 8 : 12) {
        case 0..<5: add("\"\(random.pick(Self.strings))\"")
        case 5..<8: add(random.pick(Self.scalars))
        case 8..<10: object(depth: depth)
        case 10: array(depth: depth)
        default:
            guard random.once(in: 30) else { return object(depth: depth) }
            let depth = 50 + random.below(250)
            for _ in 0..<depth { add("[") }
            for _ in 0..<depth { add("]") }
        }
    }

    // MARK: Faults

    private mutating func spoil() {
        let at = random.below(text.count)
        let end = min(text.count, at + 1 + random.below(8))
        switch random.below(10) {
        case 0: text[at] ^= 1 << UInt8(random.below(8))
        case 1, 2, 3: text.insert(contentsOf: random.pick(Self.pieces), at: at)
        case 4: text.replaceSubrange(at..<end, with: random.pick(Self.pieces))
        case 5: text.removeSubrange(at..<end)
        case 6: text.remove(at: at)
        case 7: text.insert(contentsOf: text[at..<end], at: random.below(text.count))
        case 8:
            let from = random.below(previous.count)
            text.insert(contentsOf: previous[from..<min(previous.count, from + random.below(60))], at: at)
        default: if random.once(in: 3) { text.removeSubrange(at...) } else { text[at] = UInt8(random.below(256)) }
        }
        if text.isEmpty { text.append(0x20) }
    }
}
