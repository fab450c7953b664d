internal import HoldfastJSON

/// How often records of one kind were dropped: what intake counts of them.
package struct DropCount: Sendable, Hashable {
    package var reason: DropReason
    /// As in ``DroppedRecord``.
    package var cloud: Cloud?
    package var account: String
    package var actor: String
    /// Seconds since 1970 at which the hour begins; 0 where the record says no time.
    package var hour: Int64
    /// The newest time among the records.
    package var newest: Timestamp?
    package var count: Int64

    fileprivate init(
        _ reason: DropReason, cloud: Cloud, account: String, actor: String, hour: Int64, newest: Timestamp,
        count: Int64
    ) {
        self.reason = reason
        self.cloud = cloud
        self.account = account
        self.actor = actor
        self.hour = hour
        self.newest = newest
        self.count = count
    }

    /// One record.
    package init(_ record: DroppedRecord) {
        reason = record.reason
        cloud = record.cloud
        account = record.account
        actor = record.actor
        hour = (record.time?.nanoseconds ?? 0) / 3_600_000_000_000 * 3600
        newest = record.time
        count = 1
    }
}

/// Counts what is dropped of AWS's events by reason, account, actor and hour. Nine of ten end here, from actors who
/// come again and again: names are kept as bytes, and made into texts once, when the counts are taken.
struct DropTally: Sendable {
    private struct Entry {
        var hash: UInt64
        var hour: Int64
        var newest: Timestamp
        var count: Int64
        /// Where the actor's name is in ``names``; the account's id follows it.
        var start: Int
        var length: UInt32
        var accountLength: UInt32
        /// Index in ``reasons``.
        var reason: UInt32
    }
    private var entries: [Entry] = []
    /// Index of an entry, less one, at the place of its hash or after it; a power of two, at most half of it taken.
    private var places = [UInt32](repeating: 0, count: 256)
    private var names: [UInt8] = []
    private var reasons: [DropReason] = [.readOnly]

    mutating func add(_ drop: CloudTrailScan.Drop, in text: Swift.Span<UInt8>) {
        let hour = drop.time.nanoseconds / 3_600_000_000_000 * 3600
        let reason = UInt32(index(of: drop.reason))
        let (actor, account) = (drop.actor.range, drop.account.range)
        let seed = DropTally.hash(text, account, seed: UInt64(bitPattern: hour) &+ UInt64(reason))
        let hash = DropTally.hash(text, actor, seed: seed)
        var place = Int(truncatingIfNeeded: hash >> 32) & (places.count - 1)
        while places[place] != 0 {
            let index = Int(places[place]) - 1
            let entry = entries[index]
            if entry.hash == hash, entry.hour == hour, entry.reason == reason, isSame(entry, text, actor, account) {
                entries[index].count += 1
                entries[index].newest = max(entry.newest, drop.time)
                return
            }
            place = (place + 1) & (places.count - 1)
        }
        let start = names.count
        unsafe text.extracting(actor).withUnsafeBufferPointer { unsafe names.append(contentsOf: $0) }
        unsafe text.extracting(account).withUnsafeBufferPointer { unsafe names.append(contentsOf: $0) }
        entries.append(
            Entry(
                hash: hash, hour: hour, newest: drop.time, count: 1, start: start, length: UInt32(actor.count),
                accountLength: UInt32(account.count), reason: reason))
        places[place] = UInt32(entries.count)
        if entries.count * 2 > places.count { grow() }
    }

    /// Gives the counts in the order in which each was met first; afterwards there are none.
    mutating func take(_ body: (DropCount) -> Void) {
        for entry in entries {
            let end = entry.start + Int(entry.length)
            body(
                DropCount(
                    reasons[Int(entry.reason)], cloud: .aws,
                    account: TextPool.made(names.span, end..<(end + Int(entry.accountLength))),
                    actor: TextPool.made(names.span, entry.start..<end), hour: entry.hour, newest: entry.newest,
                    count: entry.count))
        }
        entries.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        reasons.removeSubrange(1...)
        for index in places.indices { places[index] = 0 }
    }

    private mutating func index(of reason: DropReason) -> Int {
        // Few: reads, and a code for each way to fail.
        if case .readOnly = reason { return 0 }
        if let index = reasons.firstIndex(of: reason) { return index }
        reasons.append(reason)
        return reasons.count - 1
    }

    private mutating func grow() {
        places = [UInt32](repeating: 0, count: places.count * 2)
        for (index, entry) in entries.enumerated() {
            var place = Int(truncatingIfNeeded: entry.hash >> 32) & (places.count - 1)
            while places[place] != 0 { place = (place + 1) & (places.count - 1) }
            places[place] = UInt32(index + 1)
        }
    }

    private func isSame(
        _ entry: Entry, _ text: Swift.Span<UInt8>, _ actor: Range<Int>, _ account: Range<Int>
    ) -> Bool {
        Int(entry.length) == actor.count && Int(entry.accountLength) == account.count
            && TextBytes.isSame(names.span, entry.start, text, actor)
            && TextBytes.isSame(names.span, entry.start + actor.count, text, account)
    }

    /// Of all bytes: names differ anywhere.
    private static func hash(_ text: Swift.Span<UInt8>, _ range: Range<Int>, seed: UInt64) -> UInt64 {
        var mixed = seed &+ UInt64(truncatingIfNeeded: range.count)
        var at = range.lowerBound
        // Two at a time, so that neither product waits for the other.
        var other = ~mixed
        while at &+ 16 <= range.upperBound {
            mixed = (mixed ^ TextBytes.word(text, at)) &* 0x9E37_79B9_7F4A_7C15
            other = (other ^ TextBytes.word(text, at &+ 8)) &* 0xC2B2_AE3D_27D4_EB4F
            mixed ^= mixed >> 29
            other ^= other >> 31
            at &+= 16
        }
        mixed ^= other
        while at &+ 8 <= range.upperBound {
            mixed = (mixed ^ TextBytes.word(text, at)) &* 0x9E37_79B9_7F4A_7C15
            mixed ^= mixed >> 29
            at &+= 8
        }
        if at < range.upperBound, range.count >= 8 {
            // The end once more, in one word, rather than byte after byte.
            mixed = (mixed ^ TextBytes.word(text, range.upperBound &- 8)) &* 0xC2B2_AE3D_27D4_EB4F
        } else {
            while at < range.upperBound {
                mixed = (mixed ^ UInt64(text[at])) &* 0x100_0000_01B3
                at &+= 1
            }
        }
        mixed = (mixed ^ mixed >> 32) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 32
    }
}
