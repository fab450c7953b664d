/// Passes over the values of a text, checking them as the strict parser does. Every function takes the index of the
/// first byte of something and gives the index after it, or `-1` where that is no JSON or nests too deep.
struct Scanner {
    let base: UnsafeRawPointer
    let count: Int

    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        self.base = base
        count = bytes.count
    }

    var bytes: UnsafeRawBufferPointer {
        @inline(__always) get { UnsafeRawBufferPointer(start: base, count: count) }
    }

    /// The byte at an index; zero, which stands nowhere in JSON, past the end.
    @inline(__always)
    func byte(_ at: Int) -> UInt8 { at < count ? base.load(fromByteOffset: at, as: UInt8.self) : 0 }

    /// Whether two bytes are these, the first of them in the low byte.
    @inline(__always)
    private func hasPair(_ at: Int, _ pair: UInt16) -> Bool {
        at &+ 2 <= count && UInt16(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt16.self)) == pair
    }

    /// Whether three bytes are these, the first of them in the lowest place; needs one more byte of text after them.
    @inline(__always)
    func hasTriple(_ at: Int, _ triple: UInt32) -> Bool {
        at &+ 4 <= count
            && UInt32(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt32.self)) & 0xFF_FFFF == triple
    }

    /// Whether the bytes at an index are these. Eight more bytes must be there to read on both sides.
    @inline(__always)
    func hasBytes(_ start: Int, _ bytes: UnsafeRawPointer, _ length: Int) -> Bool {
        var at = 0
        while at < length {
            let word = base.loadUnaligned(fromByteOffset: start &+ at, as: UInt64.self)
            if word != bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) { return false }
            at &+= 8
        }
        return true
    }

    /// `":"`, between a name and a string in compact JSON.
    static let nameThenString: UInt32 = 0x22_3A22
    /// `","`, between a string and a name, or two strings.
    static let stringThenString: UInt32 = 0x22_2C22

    // MARK: Space and punctuation

    @inline(__always)
    func skipSpace(_ at: Int) -> Int {
        if byte(at) > 0x20 { return at }
        return skipSomeSpace(at)
    }

    @inline(never)
    private func skipSomeSpace(_ start: Int) -> Int {
        var at = start
        while true {
            switch byte(at) {
            case 0x20, 0x09, 0x0A, 0x0D: at &+= 1
            default: return at
            }
        }
    }

    /// From the quote that ends a name to the first byte of the value.
    @inline(__always)
    func skipColon(_ quote: Int) -> Int {
        if hasPair(quote, 0x3A22) { return skipSpace(quote &+ 2) }
        return skipSpacedColon(quote)
    }

    @inline(never)
    private func skipSpacedColon(_ quote: Int) -> Int {
        let at = skipSpace(quote &+ 1)
        return byte(at) == UInt8(ascii: ":") ? skipSpace(at &+ 1) : -1
    }

    /// From the end of a member's value to the first byte of the next name; to the end of the object, as its
    /// complement, where there is no other member; `-1`, the complement of the start of the text, for anything else.
    @inline(__always)
    func skipToName(_ end: Int) -> Int {
        if hasPair(end, 0x222C) { return end &+ 2 }
        return skipSpaceToName(end)
    }

    @inline(never)
    private func skipSpaceToName(_ end: Int) -> Int {
        var at = skipSpace(end)
        if byte(at) == UInt8(ascii: "}") { return ~(at &+ 1) }
        guard byte(at) == UInt8(ascii: ",") else { return -1 }
        at = skipSpace(at &+ 1)
        return byte(at) == UInt8(ascii: "\"") ? at &+ 1 : -1
    }

    // MARK: Values

    /// The value at an index and the index after it.
    @inline(__always)
    func slice(at start: Int, depth: Int) -> (slice: JSONSlice, end: Int)? {
        let kind: JSONSlice.Kind
        switch byte(start) {
        case UInt8(ascii: "\""):
            let (end, isEscaped) = string(start &+ 1)
            guard end >= 0 else { return nil }
            return (JSONSlice(start: start &+ 1, end: end, kind: .string, isEscaped: isEscaped), end &+ 1)
        case UInt8(ascii: "{"): kind = .object
        case UInt8(ascii: "["): kind = .array
        case UInt8(ascii: "t"): kind = .true
        case UInt8(ascii: "f"): kind = .false
        case UInt8(ascii: "n"): kind = .null
        default: kind = .number
        }
        let end = skipValue(start, depth: depth)
        guard end >= 0 else { return nil }
        return (JSONSlice(start: start, end: end, kind: kind), end)
    }

    @inline(__always)
    func skipValue(_ start: Int, depth: Int) -> Int {
        switch byte(start) {
        case UInt8(ascii: "\""):
            return afterString(skipPlain(start &+ 1))
        case UInt8(ascii: "{"), UInt8(ascii: "["): return skipContainer(start, depth: depth)
        default: return skipScalar(start)
        }
    }

    /// A number or a literal.
    @inline(__always)
    private func skipScalar(_ start: Int) -> Int {
        switch byte(start) {
        case UInt8(ascii: "t"): return hasWord(start, 0x6575_7274) ? start &+ 4 : -1
        case UInt8(ascii: "n"): return hasWord(start, 0x6C6C_756E) ? start &+ 4 : -1
        case UInt8(ascii: "f"): return hasWord(start &+ 1, 0x6573_6C61) ? start &+ 5 : -1
        default: return skipNumber(start)
        }
    }

    /// Whether the four bytes at an index are these, the first of them in the lowest place.
    @inline(__always)
    private func hasWord(_ at: Int, _ word: UInt32) -> Bool {
        at &+ 4 <= count
            && UInt32(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt32.self)) == word
    }

    /// What is at the index where ``skipContainer(_:depth:)`` stands.
    private enum Place { case name, value, end }

    /// An array or object with all that is in it. What is open is kept in the bits of one word, an object as a one.
    func skipContainer(_ start: Int, depth limit: Int) -> Int {
        var open: UInt64 = 0
        var depth = 0
        var at = start
        var place = Place.value
        while true {
            switch place {
            case .name:
                // The first byte of a name, after its quote.
                let end = skipPlain(at)
                guard hasTriple(end, Scanner.nameThenString) else {
                    let quote = closeString(end).end
                    guard quote >= 0 else { return -1 }
                    at = skipColon(quote)
                    guard at >= 0 else { return -1 }
                    place = .value
                    continue
                }
                let last = skipPlain(end &+ 3)
                if hasTriple(last, Scanner.stringThenString) {
                    at = last &+ 3
                    continue
                }
                at = afterString(last)
                guard at >= 0 else { return -1 }
                place = .end
            case .value:
                let first = byte(at)
                if first == UInt8(ascii: "\"") {
                    at = afterString(skipPlain(at &+ 1))
                    guard at >= 0 else { return -1 }
                    place = .end
                } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                    guard depth < limit else { return -1 }
                    depth &+= 1
                    open = open &<< 1 | (first == UInt8(ascii: "{") ? 1 : 0)
                    at = skipSpace(at &+ 1)
                    // The end of either lies two above its beginning in ASCII.
                    if byte(at) == first &+ 2 {
                        place = .end
                    } else if first == UInt8(ascii: "{") {
                        guard byte(at) == UInt8(ascii: "\"") else { return -1 }
                        at &+= 1
                        place = .name
                    }
                } else {
                    at = skipScalar(at)
                    guard at >= 0 else { return -1 }
                    place = .end
                }
            case .end:
                at = skipSpace(at)
                let next = byte(at)
                if next == UInt8(ascii: ",") {
                    at = skipSpace(at &+ 1)
                    place = .value
                    guard open & 1 == 1 else { continue }
                    guard byte(at) == UInt8(ascii: "\"") else { return -1 }
                    at &+= 1
                    place = .name
                } else {
                    guard next == (open & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return -1 }
                    at &+= 1
                    depth &-= 1
                    open &>>= 1
                    if depth == 0 { return at }
                }
            }
        }
    }

    // MARK: Numbers

    @inline(__always)
    private func skipNumber(_ start: Int) -> Int {
        var at = start
        if byte(at) == UInt8(ascii: "-") { at &+= 1 }
        if byte(at) == UInt8(ascii: "0") { at &+= 1 } else { at = skipDigits(at) }
        guard at >= 0 else { return -1 }
        if byte(at) == UInt8(ascii: ".") {
            at = skipDigits(at &+ 1)
            guard at >= 0 else { return -1 }
        }
        if byte(at) | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at &+= 1 }
            at = skipDigits(at)
        }
        return at
    }

    /// One digit or more.
    @inline(__always)
    private func skipDigits(_ start: Int) -> Int {
        var at = start
        while byte(at) &- UInt8(ascii: "0") < 10 { at &+= 1 }
        return at > start ? at : -1
    }
}
