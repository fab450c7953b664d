/// Turns UTF-16, as it comes in pieces, into UTF-8. A surrogate that stands alone becomes U+FFFD.
package struct UTF16Decoder: Sendable {
    package enum Order: Sendable { case big, little }

    private let order: Order
    private var half: UInt8?
    private var high: UInt16?

    package init(order: Order) { self.order = order }

    /// Appends what `bytes` stand for; an odd byte or half a pair waits for the next call.
    package mutating func decode(_ bytes: some Sequence<UInt8>, into output: inout [UInt8]) {
        for byte in bytes {
            guard let first = half else {
                half = byte
                continue
            }
            half = nil
            let (upper, lower) = order == .big ? (first, byte) : (byte, first)
            append(unit: UInt16(upper) << 8 | UInt16(lower), to: &output)
        }
    }

    /// What is left over at the end of the input is half a character.
    package mutating func finish(into output: inout [UInt8]) {
        if half != nil || high != nil { Self.append("\u{FFFD}", to: &output) }
        half = nil
        high = nil
    }

    private mutating func append(unit: UInt16, to output: inout [UInt8]) {
        if let first = high {
            high = nil
            if UTF16.isTrailSurrogate(unit) {
                let value = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(unit & 0x3FF))
                return Self.append(Unicode.Scalar(value) ?? "\u{FFFD}", to: &output)
            }
            Self.append("\u{FFFD}", to: &output)
        }
        if UTF16.isLeadSurrogate(unit) {
            high = unit
        } else {
            Self.append(Unicode.Scalar(unit) ?? "\u{FFFD}", to: &output)
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        if scalar.isASCII {
            output.append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            output.append(contentsOf: String(scalar).utf8)
        }
    }
}
