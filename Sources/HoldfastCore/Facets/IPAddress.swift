/// One address. IPv4 addresses inside IPv6 (`::ffff:10.0.0.1`) stay IPv6.
package enum IPAddress: Sendable, Hashable, CustomStringConvertible {
    case v4(UInt32)
    case v6(UInt128)

    /// `nil` where the text is no address. Octets with leading zeros, which some read as octal, are refused; so are
    /// IPv6 zones.
    package init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let bits = IPAddress.parseV6(Substring(text)) else { return nil }
            self = .v6(bits)
        } else {
            guard let bits = IPAddress.parseV4(Substring(text)) else { return nil }
            self = .v4(bits)
        }
    }

    static func trimmed(_ text: some StringProtocol) -> Substring {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }

    private static func parseV4(_ text: Substring) -> UInt32? {
        let octets = text.split(separator: ".", omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard octet.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = UInt8(octet),
                octet.utf8.count == 1 || octet.utf8.first != 0x30
            else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    private static func parseV6(_ text: Substring) -> UInt128? {
        guard let gap = text.firstRange(of: "::") else {
            guard let groups = groups(text), groups.count == 8 else { return nil }
            return join(groups)
        }
        let before = text[..<gap.lowerBound]
        let after = text[gap.upperBound...]
        guard !after.contains("::"), !after.hasPrefix(":"), let head = groups(before), let tail = groups(after),
            head.count + tail.count <= 7, !before.contains(".")
        else { return nil }
        return join(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    private static func join(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }

    /// Groups of up to four hexadecimal digits; the last may be an IPv4 address, which makes two.
    private static func groups(_ text: Substring) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.contains(".") {
                guard index == parts.count - 1, let bits = parseV4(part) else { return nil }
                groups += [UInt16(bits >> 16), UInt16(bits & 0xFFFF)]
            } else {
                guard (1...4).contains(part.utf8.count), part.first != "+", part.first != "-",
                    let value = UInt16(part, radix: 16)
                else { return nil }
                groups.append(value)
            }
        }
        return groups
    }

    /// IPv6 by RFC 5952: lower case, the first longest run of two or more zero groups as `::`.
    package var description: String {
        switch self {
        case .v4(let bits):
            return "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
        case .v6(let bits):
            let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
            var gap = 0..<0
            var start = 0
            while start < 8 {
                let end = groups[start...].firstIndex { $0 != 0 } ?? 8
                if end - start > max(gap.count, 1) { gap = start..<end }
                start = max(end, start + 1)
            }
            let text = { (part: ArraySlice<UInt16>) in
                part.map { String($0, radix: 16) }.joined(separator: ":")
            }
            if gap.isEmpty { return text(groups[...]) }
            return text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
        }
    }
}
