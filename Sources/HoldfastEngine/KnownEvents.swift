internal import HoldfastCrypto

/// The ids of the last events, by 128 bits of their SHA-256: what makes a redelivered event one event. Beyond the
/// window a redelivery is harmless, because re-applied evidence changes nothing and history is unique.
package struct KnownEvents: Sendable {
    private struct Key: Hashable, Sendable {
        var high: UInt64
        var low: UInt64
        init(_ id: String) {
            let bytes = sha256(id.utf8).bytes
            high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
            low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
    private var newer: Set<Key> = []
    private var older: Set<Key> = []
    private let half: Int

    /// - Parameter limit: how many ids are known at least; twice the memory of one generation is the bound.
    package init(limit: Int) { half = max(limit, 1) }

    package func contains(_ id: String) -> Bool {
        let key = Key(id)
        return newer.contains(key) || older.contains(key)
    }

    /// Takes an id in; the oldest generation goes when the newest is full.
    ///
    /// - Returns: whether it was not known.
    @discardableResult
    package mutating func insert(_ id: String) -> Bool {
        if newer.count >= half {
            older = newer
            newer = []
        }
        let key = Key(id)
        return newer.insert(key).inserted && !older.contains(key)
    }
}
