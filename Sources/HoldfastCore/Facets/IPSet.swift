package import HoldfastJSON

/// A text that is no address, range of addresses or port.
package struct RangeTextError: Error, Sendable, Hashable, CustomStringConvertible {
    package var text: String
    /// What would do instead, as a phrase.
    package var expected: String
    package init(_ text: String, expected: String) {
        self.text = text
        self.expected = expected
    }
    package var description: String { "“\(text)” is not \(expected)" }
}

/// A set of IPv4 and IPv6 addresses.
package struct IPSet: Sendable, Hashable, CustomStringConvertible {
    package var v4: Intervals<UInt32>
    package var v6: Intervals<UInt128>

    package init(v4: Intervals<UInt32> = Intervals(), v6: Intervals<UInt128> = Intervals()) {
        self.v4 = v4
        self.v6 = v6
    }

    /// `10.0.0.0/8`, `2001:db8::/32`, one address, a range `10.0.0.0-10.0.0.9`; `*` and `any` are every address,
    /// `internet` every public one, in any letter case. Bits behind the prefix are ignored, as the clouds do.
    package init(_ text: some StringProtocol) throws(RangeTextError) {
        let trimmed = IPAddress.trimmed(text)
        switch trimmed.lowercased() {
        case "*", "any": self = .everything
        case "internet": self = .publicInternet
        default:
            guard let set = IPSet.parse(trimmed) else {
                throw RangeTextError(
                    String(text),
                    expected: "an address, a CIDR block (10.0.0.0/8), a range (a-b), “*” or “internet”")
            }
            self = set
        }
    }

    /// The union of a text or a list of texts.
    package init(_ json: JSON) throws(RangeTextError) {
        self.init()
        for element in json.array ?? [json] {
            guard let text = element.string else {
                throw RangeTextError(
                    element.scalarText ?? element.kindName, expected: "a text with a range of addresses")
            }
            formUnion(try IPSet(text))
        }
    }

    private static func parse(_ text: Substring) -> IPSet? {
        if let dash = text.firstIndex(of: "-") {
            let low = IPAddress(IPAddress.trimmed(text[..<dash]))
            let high = IPAddress(IPAddress.trimmed(text[text.index(after: dash)...]))
            switch (low, high) {
            case (.v4(let low)?, .v4(let high)?) where low <= high: return IPSet(v4: Intervals(low...high))
            case (.v6(let low)?, .v6(let high)?) where low <= high: return IPSet(v6: Intervals(low...high))
            default: return nil
            }
        }
        guard let slash = text.firstIndex(of: "/") else { return IPAddress(text).map { IPSet($0, prefix: nil) } ?? nil }
        let digits = text[text.index(after: slash)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let prefix = Int(digits),
            let address = IPAddress(text[..<slash])
        else { return nil }
        return IPSet(address, prefix: prefix)
    }

    /// `nil` where the prefix is longer than the address.
    private init?(_ address: IPAddress, prefix: Int?) {
        switch address {
        case .v4(let bits):
            guard (0...32).contains(prefix ?? 32) else { return nil }
            let rest = UInt32.max >> UInt32(prefix ?? 32)
            self.init(v4: Intervals((bits & ~rest)...(bits | rest)))
        case .v6(let bits):
            guard (0...128).contains(prefix ?? 128) else { return nil }
            let rest = UInt128.max >> UInt128(prefix ?? 128)
            self.init(v6: Intervals((bits & ~rest)...(bits | rest)))
        }
    }

    package static let everything = IPSet(v4: .everything, v6: .everything)

    /// The addresses that hosts on the internet can have: IPv4 without the special-purpose blocks of IANA's
    /// registry, and 2000::/3 without the documentation prefixes.
    package static let publicInternet: IPSet = {
        let special: [(UInt32, UInt32)] = [
            (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
            (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16),
            (0xC612_0000, 15), (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
        ]
        let documentation: [(UInt128, UInt128)] = [(0x2001_0DB8, 32), (0x3FFF_0000, 20)]
        let v4 = Intervals(special.map { $0...($0 | UInt32.max >> $1) })
        let v6 = Intervals(documentation.map { ($0 << 96)...($0 << 96 | UInt128.max >> $1) })
        let unicast = Intervals((UInt128(0x2000) << 112)...(UInt128(0x4000) << 112 - 1))
        return IPSet(v4: v4.complement, v6: unicast.subtracting(v6))
    }()

    package var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

    package func union(_ other: IPSet) -> IPSet { IPSet(v4: v4.union(other.v4), v6: v6.union(other.v6)) }
    package mutating func formUnion(_ other: IPSet) { self = union(other) }
    package func intersection(_ other: IPSet) -> IPSet {
        IPSet(v4: v4.intersection(other.v4), v6: v6.intersection(other.v6))
    }
    package func subtracting(_ other: IPSet) -> IPSet {
        IPSet(v4: v4.subtracting(other.v4), v6: v6.subtracting(other.v6))
    }
    package func isSubset(of other: IPSet) -> Bool { subtracting(other).isEmpty }
    package func overlaps(_ other: IPSet) -> Bool { !intersection(other).isEmpty }
    package func contains(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let bits): v4.contains(bits)
        case .v6(let bits): v6.contains(bits)
        }
    }

    /// The set is the internet but for exceptions: at least three quarters of the public IPv4 addresses, or of the
    /// public IPv6 ones. A strict "all of it" would call a rule closed that is open to all but one denied address,
    /// and 0.0.0.0/0 written as blocks with a gap; half the internet alone is a large network, not the internet.
    package var coversInternet: Bool {
        let all = IPSet.publicInternet
        let open = intersection(all)
        return open.v4.count * 4 >= all.v4.count * 3 || open.v6.count >= all.v6.count / 4 * 3
    }

    /// Some address in the set is in none of the given networks, private or public.
    package func reachesOutside(of networks: IPSet) -> Bool { !isSubset(of: networks) }

    /// The fewest CIDR blocks that make up the set, IPv4 first, in the order of the addresses.
    package var cidrs: [String] {
        v4.blocks.map { "\(IPAddress.v4($0.base))/\($0.prefix)" }
            + v6.blocks.map { "\(IPAddress.v6($0.base))/\($0.prefix)" }
    }
    package var description: String { cidrs.joined(separator: ", ") }
}

extension Intervals {
    /// The fewest aligned blocks whose sizes are powers of two.
    fileprivate var blocks: [(base: Bound, prefix: Int)] {
        var blocks: [(base: Bound, prefix: Int)] = []
        for range in ranges {
            var base = range.lowerBound
            while true {
                // The largest block that begins here and ends within the range.
                var bits = base == 0 ? Bound.bitWidth : base.trailingZeroBitCount
                while bits > 0, Intervals.last(base, bits) > range.upperBound { bits -= 1 }
                blocks.append((base, Bound.bitWidth - bits))
                let last = Intervals.last(base, bits)
                if last >= range.upperBound { break }
                base = last + 1
            }
        }
        return blocks
    }

    /// The last number of the block of 2^bits that begins at an aligned base.
    private static func last(_ base: Bound, _ bits: Int) -> Bound {
        base | (bits == Bound.bitWidth ? Bound.max : (Bound(1) << Bound(bits)) - 1)
    }
}
