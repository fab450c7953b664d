/// Finds where one JSON value ends, with just enough of the grammar to notice where it broke off.
///
/// Brackets must match, keys and values must be parted, and no string may run over the end of its line. Whether
/// numbers, escapes and characters are right is left to the parser that reads the document. Brackets are kept as bits,
/// so that a million of them open at once cost 125 KB and no recursion.
struct DocumentGrammar: Sendable {
    enum Outcome: Equatable {
        /// The value ends before this index.
        case ended(Int)
        /// The byte at this index cannot stand here.
        case broken(Int)
        /// Everything was read and the value goes on.
        case more
    }

    private enum Expect { case value, valueOrEnd, keyOrEnd, key, colon, commaOrEnd, inScalar, inString, inEscape }

    private var expect = Expect.value
    private var stringIsKey = false
    private var depth = 0
    /// One bit for each open bracket: 1 where it is an object's.
    private var brackets: [UInt64] = []

    init() {}

    /// A grammar that stands behind a member of an object: to read on to the object's end.
    static func behindMember() -> DocumentGrammar {
        var grammar = DocumentGrammar()
        grammar.push(object: true)
        grammar.expect = .commaOrEnd
        return grammar
    }

    /// Reads on through `bytes[range]`.
    mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Outcome {
        var index = range.lowerBound
        while index < range.upperBound {
            switch expect {
            case .inString:
                index = Self.endOfPlainText(bytes, index..<range.upperBound)
                guard index < range.upperBound else { return .more }
                switch bytes[index] {
                case UInt8(ascii: "\\"): expect = .inEscape
                case UInt8(ascii: "\n"): return .broken(index)
                default:
                    if stringIsKey { expect = .colon } else if valueEnds() { return .ended(index + 1) }
                }
                index += 1
            case .inEscape:
                if bytes[index] == UInt8(ascii: "\n") { return .broken(index) }
                expect = .inString
                index += 1
            case .inScalar:
                while index < range.upperBound, !Self.delimits(bytes[index]) { index += 1 }
                guard index < range.upperBound else { return .more }
                if valueEnds() { return .ended(index) }
            default:
                let byte = bytes[index]
                if !Self.isBlank(byte) {
                    guard take(byte) else { return .broken(index) }
                    if depth == 0, expect == .commaOrEnd { return .ended(index + 1) }
                }
                index += 1
            }
        }
        return .more
    }

    /// Whether a value that the input's end cuts off is whole: only a bare scalar can be.
    var endsWithInput: Bool { expect == .inScalar && depth == 0 }

    /// Takes a byte outside of strings and scalars. A comma too many is let pass: the parser will say so, and the
    /// document still ends where it ends.
    private mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard expect == .value || expect == .valueOrEnd else { return false }
            push(object: byte == UInt8(ascii: "{"))
            expect = byte == UInt8(ascii: "{") ? .keyOrEnd : .valueOrEnd
        case UInt8(ascii: "}"):
            guard topIsObject == true, expect != .colon else { return false }
            pop()
        case UInt8(ascii: "]"):
            guard topIsObject == false else { return false }
            pop()
        case UInt8(ascii: ","):
            guard let topIsObject, expect != .colon else { return false }
            expect = topIsObject ? .key : .value
        case UInt8(ascii: ":"):
            guard expect == .colon else { return false }
            expect = .value
        case UInt8(ascii: "\""):
            guard expect != .colon, expect != .commaOrEnd else { return false }
            stringIsKey = expect == .key || expect == .keyOrEnd
            expect = .inString
        default:
            guard expect == .value || expect == .valueOrEnd else { return false }
            expect = .inScalar
        }
        return true
    }

    /// Whether that was the whole document.
    private mutating func valueEnds() -> Bool {
        expect = .commaOrEnd
        return depth == 0
    }

    private var topIsObject: Bool? {
        depth == 0 ? nil : brackets[(depth - 1) >> 6] & (1 << UInt64((depth - 1) & 63)) != 0
    }

    private mutating func push(object: Bool) {
        if depth >> 6 == brackets.count { brackets.append(0) }
        let bit = UInt64(1) << UInt64(depth & 63)
        if object { brackets[depth >> 6] |= bit } else { brackets[depth >> 6] &= ~bit }
        depth += 1
    }

    private mutating func pop() {
        depth -= 1
        expect = .commaOrEnd
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private static func delimits(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "{"),
            UInt8(ascii: ":"), UInt8(ascii: "\""), 0x20, 0x0A, 0x0D, 0x09:
            true
        default: false
        }
    }

    /// The first quote, backslash or line feed, eight bytes at a time: most of a document is inside strings.
    private static func endOfPlainText(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        let low: UInt64 = 0x0101_0101_0101_0101, high: UInt64 = 0x8080_8080_8080_8080
        let raw = UnsafeRawBufferPointer(bytes)
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let quote = word ^ (low &* 0x22), escape = word ^ (low &* 0x5C), line = word ^ (low &* 0x0A)
            let found =
                ((quote &- low) & ~quote | (escape &- low) & ~escape | (line &- low) & ~line) & high
            // The lowest mark is exact; marks above it may be false, by borrowing.
            if found != 0 { return index + UInt64(littleEndian: found).trailingZeroBitCount >> 3 }
            index += 8
        }
        while index < range.upperBound, bytes[index] != 0x22, bytes[index] != 0x5C, bytes[index] != 0x0A { index += 1 }
        return index
    }
}
