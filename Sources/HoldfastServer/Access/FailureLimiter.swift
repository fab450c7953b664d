internal import HoldfastCore

/// Slows down who guesses: after so many failures within a time, an address waits until the first of them is past.
struct FailureLimiter: Sendable {
    private var failures: [String: [Timestamp]] = [:]
    private let allowed: Int
    private let window: Span
    /// Addresses that are remembered at one time. With more, those are forgotten that failed longest ago.
    private let addresses: Int

    init(allowed: Int = 10, window: Span = Span(seconds: 60), addresses: Int = 10_000) {
        self.allowed = allowed
        self.window = window
        self.addresses = addresses
    }

    /// Seconds that an address has to wait; `nil` where it need not.
    func wait(_ address: String, now: Timestamp) -> Int? {
        let recent = failures[address, default: []].filter { $0 + window > now }
        guard recent.count >= allowed else { return nil }
        let end = recent[recent.count - allowed] + window
        return max(1, Int((end.since(now).nanoseconds + 999_999_999) / 1_000_000_000))
    }

    mutating func fail(_ address: String, now: Timestamp) {
        let recent = failures[address, default: []].filter { $0 + window > now }
        failures[address] = recent.suffix(allowed - 1) + [now]
        guard failures.count > addresses else { return }
        failures = failures.filter { ($0.value.last ?? now) + window > now }
        guard failures.count > addresses else { return }
        let oldest = failures.map { (at: $0.value.last ?? now, address: $0.key) }.sorted { $0 < $1 }
        for entry in oldest.prefix(failures.count - addresses * 9 / 10) { failures[entry.address] = nil }
    }

    /// What counts as one address: an IPv4 address, or the network of an IPv6 address that one customer has.
    static func key(_ address: String) -> String {
        guard case .v6(let bits) = IPAddress(address) else { return address }
        // ::ffff:a.b.c.d is an IPv4 address in IPv6's clothes.
        if bits >> 32 == 0xFFFF { return IPAddress.v4(UInt32(truncatingIfNeeded: bits)).description }
        return IPAddress.v6((bits >> 64) << 64).description + "/64"
    }
}
