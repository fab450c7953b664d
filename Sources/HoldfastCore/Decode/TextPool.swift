/// Texts that come again and again, each made once: principals, operations, days. A cache with one place for each
/// hash, so that texts that come but once cost little more than making them.
///
/// Texts are given as ranges of bytes that a scanner has found to be UTF-8.
struct TextPool {
    private var texts = [String](repeating: "", count: TextPool.size)
    private static let size = 1 << 8

    private var agents = [(text: String, agent: UserAgent)](
        repeating: ("", UserAgent("")), count: TextPool.agentSize)
    private static let agentSize = 1 << 6

    private var day: (head: UInt64, tail: UInt16) = (0, 0)
    private var midnight = Timestamp(seconds: 0)

    mutating func text(_ bytes: Swift.Span<UInt8>, _ range: Range<Int>) -> String {
        // So short a text has no storage of its own.
        if range.count <= 15 { return TextPool.made(bytes, range) }
        let place = TextPool.place(TextPool.mix(bytes, range), TextPool.size)
        if !TextPool.isSame(texts[place], bytes, range) { texts[place] = TextPool.made(bytes, range) }
        return texts[place]
    }

    /// What a sender says of itself.
    mutating func agent(
        _ bytes: Swift.Span<UInt8>, _ range: Range<Int>
    ) -> (text: String, agent: UserAgent) {
        let place = TextPool.place(TextPool.mix(bytes, range), TextPool.agentSize)
        if !TextPool.isSame(agents[place].text, bytes, range) {
            let text = TextPool.made(bytes, range)
            agents[place] = (text, UserAgent(text))
        }
        return agents[place]
    }

    /// The two texts with a slash between them.
    mutating func path(_ bytes: Swift.Span<UInt8>, _ first: Range<Int>, _ second: Range<Int>) -> String {
        let mixed = TextPool.mix(bytes, first) &* 31 &+ TextPool.mix(bytes, second)
        let place = TextPool.place(mixed, TextPool.size)
        if !TextPool.isPath(texts[place], bytes, first, second) {
            texts[place] = "\(TextPool.made(bytes, first))/\(TextPool.made(bytes, second))"
        }
        return texts[place]
    }

    /// A time as CloudTrail writes it, `2026-01-02T03:04:05Z`; `nil` for every other form.
    mutating func time(_ bytes: Swift.Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
        let start = range.lowerBound
        guard range.count == 20, bytes[start + 10] == UInt8(ascii: "T"), bytes[start + 19] == UInt8(ascii: "Z"),
            bytes[start + 13] == UInt8(ascii: ":"), bytes[start + 16] == UInt8(ascii: ":")
        else { return nil }
        let date = (head: TextBytes.word(bytes, start), tail: UInt16(bytes[start + 8]) << 8 | UInt16(bytes[start + 9]))
        if date != day {
            guard let first = Timestamp("\(TextPool.made(bytes, start..<(start + 10)))T00:00:00Z") else { return nil }
            day = date
            midnight = first
        }
        guard let hour = TextPool.number(bytes, start + 11), let minute = TextPool.number(bytes, start + 14),
            let second = TextPool.number(bytes, start + 17), hour < 24, minute < 60, second < 60
        else { return nil }
        return midnight + Span(seconds: hour * 3600 + minute * 60 + second)
    }

    /// Two digits.
    private static func number(_ bytes: Swift.Span<UInt8>, _ start: Int) -> Int? {
        let tens = bytes[start] &- UInt8(ascii: "0")
        let ones = bytes[start + 1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }

    // MARK: Bytes

    static func made(_ bytes: Swift.Span<UInt8>, _ range: Range<Int>) -> String {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    static func copied(_ bytes: Swift.Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// The length and the last 16 bytes, mixed: the ends of names differ most.
    @inline(__always)
    private static func mix(_ bytes: Swift.Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var mixed = UInt64(truncatingIfNeeded: range.count)
        let end = range.upperBound
        if range.count >= 16 {
            mixed = (mixed ^ TextBytes.word(bytes, end - 16)) &* 0x9E37_79B9_7F4A_7C15
            return (mixed ^ mixed >> 32 ^ TextBytes.word(bytes, end - 8)) &* 0x9E37_79B9_7F4A_7C15
        }
        if range.count >= 8 {
            mixed = (mixed ^ TextBytes.word(bytes, range.lowerBound)) &* 0x9E37_79B9_7F4A_7C15
            return (mixed ^ mixed >> 32 ^ TextBytes.word(bytes, end - 8)) &* 0x9E37_79B9_7F4A_7C15
        }
        for index in range { mixed = (mixed ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return mixed &* 0x9E37_79B9_7F4A_7C15
    }

    @inline(__always)
    private static func place(_ mixed: UInt64, _ size: Int) -> Int {
        Int(truncatingIfNeeded: mixed >> 40) & (size - 1)
    }

    private static func isSame(_ text: String, _ bytes: Swift.Span<UInt8>, _ range: Range<Int>) -> Bool {
        let known = text.utf8.span
        return known.count == range.count && TextBytes.isSame(known, 0, bytes, range)
    }

    private static func isPath(
        _ text: String, _ bytes: Swift.Span<UInt8>, _ first: Range<Int>, _ second: Range<Int>
    ) -> Bool {
        let known = text.utf8.span
        return known.count == first.count + second.count + 1 && known[first.count] == UInt8(ascii: "/")
            && TextBytes.isSame(known, 0, bytes, first)
            && TextBytes.isSame(known, first.count + 1, bytes, second)
    }
}

/// Bytes eight at a time.
enum TextBytes {
    /// Eight bytes from an index on.
    @inline(__always)
    static func word(_ bytes: Swift.Span<UInt8>, _ start: Int) -> UInt64 {
        precondition(start >= 0 && start &+ 8 <= bytes.count, "eight bytes lie within the text")
        return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: start, as: UInt64.self) }
    }

    /// Whether a range of bytes stands in a text at an index, where there is room for it.
    @inline(__always)
    static func isSame(
        _ text: Swift.Span<UInt8>, _ start: Int, _ bytes: Swift.Span<UInt8>, _ range: Range<Int>
    ) -> Bool {
        var index = 0
        if range.count >= 8 {
            while index &+ 8 <= range.count {
                if word(text, start &+ index) != word(bytes, range.lowerBound &+ index) { return false }
                index &+= 8
            }
            // The last eight once more cover what is left.
            return word(text, start &+ range.count &- 8) == word(bytes, range.upperBound &- 8)
        }
        while index < range.count {
            if text[start &+ index] != bytes[range.lowerBound &+ index] { return false }
            index &+= 1
        }
        return true
    }
}
