/// Strings: sixteen plain bytes at a time, and one by one through escapes and what is not ASCII.
extension Scanner {
    /// The index of the quote that ends a string, from the index after the one that begins it.
    @inline(__always)
    func string(_ start: Int) -> (end: Int, isEscaped: Bool) { closeString(skipPlain(start)) }

    /// The same from an index that ``skipPlain(_:)`` has given.
    @inline(__always)
    func closeString(_ at: Int) -> (end: Int, isEscaped: Bool) {
        byte(at) == UInt8(ascii: "\"") ? (at, false) : rareString(at)
    }

    /// The index after a string, from an index that ``skipPlain(_:)`` has given.
    @inline(__always)
    func afterString(_ at: Int) -> Int {
        let end = closeString(at).end
        return end < 0 ? -1 : end &+ 1
    }

    /// To the first byte that is a quote, a backslash, a control character or not ASCII, sixteen at a time; or to
    /// within sixteen bytes of the end of the text.
    @inline(__always)
    func skipPlain(_ start: Int) -> Int {
        var at = start
        if at &+ 16 <= count {
            let first = stopsInWord(at)
            if first != 0 { return at &+ first.trailingZeroBitCount &>> 3 }
            let second = stopsInWord(at &+ 8)
            if second != 0 { return at &+ 8 &+ second.trailingZeroBitCount &>> 3 }
            at &+= 16
        }
        while at &+ 16 <= count {
            let stops = stops(at)
            if stops.x != 0 { return at &+ stops.x.trailingZeroBitCount &>> 3 }
            if stops.y != 0 { return at &+ 8 &+ stops.y.trailingZeroBitCount &>> 3 }
            at &+= 16
        }
        return at
    }

    /// Of eight bytes, the high bit of each that is no plain part of a string. Only the lowest is sure: a borrow out of
    /// it may set others above.
    @inline(__always)
    private func stopsInWord(_ at: Int) -> UInt64 {
        let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        // With this bit changed the quote lies right above the control characters, and the space two places up.
        let low = (word ^ 0x0202_0202_0202_0202) &- 0x2121_2121_2121_2121
        let backslashes = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        return (low | backslashes | word) & 0x8080_8080_8080_8080
    }

    /// Of sixteen bytes, those that are no plain part of a string: all bits of each are set.
    @inline(__always)
    private func stops(_ at: Int) -> SIMD2<UInt64> {
        let block = base.loadUnaligned(fromByteOffset: at, as: SIMD2<UInt64>.self)
        let swapped = unsafeBitCast(block ^ SIMD2<UInt64>(repeating: 0x0202_0202_0202_0202), to: SIMD16<Int8>.self)
        let bytes = unsafeBitCast(block, to: SIMD16<Int8>.self)
        // Types are spelt out, for only then the compiler picks the operators that are one instruction each. Seen as
        // signed numbers, what is not ASCII lies below the control characters.
        let low: SIMDMask<SIMD16<Int8>> = swapped .< SIMD16<Int8>(repeating: 0x21)
        let backslashes: SIMDMask<SIMD16<Int8>> = bytes .== SIMD16<Int8>(repeating: 0x5C)
        let stops: SIMDMask<SIMD16<Int8>> = low .| backslashes
        return unsafeBitCast(stops, to: SIMD2<UInt64>.self)
    }

    /// The rest of a string from a byte that is not plain, or near the end of the text.
    @inline(never)
    private func rareString(_ start: Int) -> (end: Int, isEscaped: Bool) {
        var at = start
        var isEscaped = false
        while at < count {
            let byte = byte(at)
            if byte == UInt8(ascii: "\"") { return (at, isEscaped) }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                at = skipEscape(at)
            } else if byte >= 0x80 {
                at = skipScalarValue(at)
            } else if byte >= 0x20 {
                at &+= 1
                continue
            } else {
                return (-1, false)
            }
            guard at >= 0 else { return (-1, false) }
            at = skipPlain(at)
        }
        return (-1, false)
    }

    /// An escape from its backslash on; of a surrogate pair both.
    @inline(__always)
    private func skipEscape(_ start: Int) -> Int {
        switch byte(start &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start &+ 2
        case UInt8(ascii: "u"): return skipHexEscape(start)
        default: return -1
        }
    }

    private func skipHexEscape(_ start: Int) -> Int {
        let code = hexCode(start &+ 2)
        guard code >= 0, !(0xDC00...0xDFFF ~= code) else { return -1 }
        guard 0xD800...0xDBFF ~= code else { return start &+ 6 }
        guard byte(start &+ 6) == UInt8(ascii: "\\"), byte(start &+ 7) == UInt8(ascii: "u"),
            0xDC00...0xDFFF ~= hexCode(start &+ 8)
        else { return -1 }
        return start &+ 12
    }

    /// What four hexadecimal digits stand for.
    private func hexCode(_ start: Int) -> Int {
        var code = 0
        for at in start..<(start &+ 4) {
            let byte = byte(at)
            let letter = byte | 0x20
            if byte &- UInt8(ascii: "0") < 10 {
                code = code &<< 4 | Int(byte &- UInt8(ascii: "0"))
            } else if letter &- UInt8(ascii: "a") < 6 {
                code = code &<< 4 | Int(letter &- UInt8(ascii: "a") &+ 10)
            } else {
                return -1
            }
        }
        return code
    }

    /// One scalar value of two bytes or more, by the table of well-formed sequences of the Unicode Standard.
    private func skipScalarValue(_ start: Int) -> Int {
        let lead = byte(start)
        let second = byte(start &+ 1)
        switch lead {
        case 0xC2...0xDF: return isContinuation(second) ? start &+ 2 : -1
        case 0xE0...0xEF:
            let low: UInt8 = lead == 0xE0 ? 0xA0 : 0x80
            let high: UInt8 = lead == 0xED ? 0x9F : 0xBF
            return low <= second && second <= high && isContinuation(byte(start &+ 2)) ? start &+ 3 : -1
        case 0xF0...0xF4:
            let low: UInt8 = lead == 0xF0 ? 0x90 : 0x80
            let high: UInt8 = lead == 0xF4 ? 0x8F : 0xBF
            return low <= second && second <= high && isContinuation(byte(start &+ 2))
                && isContinuation(byte(start &+ 3)) ? start &+ 4 : -1
        default: return -1
        }
    }

    @inline(__always)
    private func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
