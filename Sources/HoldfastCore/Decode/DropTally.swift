internal import HoldfastJSON

/// How often records of one kind were dropped: what intake counts of them.
package struct DropCount: Sendable, Hashable {
    package var reason: DropReason
    /// As in ``DroppedRecord``.
    package var actor: String
    /// Seconds since 1970 at which the hour begins; 0 where the record says no time.
    package var hour: Int64
    package var count: Int64

    package init(reason: DropReason, actor: String, hour: Int64, count: Int64) {
        self.reason = reason
        self.actor = actor
        self.hour = hour
        self.count = count
    }
}

/// Counts what is dropped by reason, actor and hour. Nine of ten records end here, most of them from actors who come
/// again and again: names are kept as bytes, and made into texts once, when the counts are taken.
struct DropTally: Sendable {
    private struct Entry {
        var hash: UInt64
        var hour: Int64
        var count: Int64
        /// Where the actor's name is in ``names``.
        var start: Int
        var length: Int
        /// Index in ``reasons``.
        var reason: Int
    }
    private var entries: [Entry] = []
    /// Index of an entry, less one, at the place of its hash or after it; a power of two, at most half of it taken.
    private var places = [UInt32](repeating: 0, count: 256)
    private var names: [UInt8] = []
    private var reasons: [DropReason] = [.readOnly]

    /// - Parameter actor: where the actor's name stands in the text, in UTF-8.
    mutating func add(_ reason: DropReason, actor: Range<Int>, in text: Swift.Span<UInt8>, at time: Timestamp) {
        let hour = time.nanoseconds / 3_600_000_000_000 * 3600
        let kind = index(of: reason)
        let hash = DropTally.hash(text, actor, seed: UInt64(bitPattern: hour) &+ UInt64(kind))
        var place = Int(truncatingIfNeeded: hash >> 32) & (places.count - 1)
        while places[place] != 0 {
            let entry = Int(places[place]) - 1
            if entries[entry].hash == hash, entries[entry].hour == hour, entries[entry].reason == kind,
                isName(entries[entry], text, actor)
            {
                entries[entry].count += 1
                return
            }
            place = (place + 1) & (places.count - 1)
        }
        let start = names.count
        unsafe text.extracting(actor).withUnsafeBufferPointer { unsafe names.append(contentsOf: $0) }
        entries.append(
            Entry(hash: hash, hour: hour, count: 1, start: start, length: actor.count, reason: kind))
        places[place] = UInt32(entries.count)
        if entries.count * 2 > places.count { grow() }
    }

    /// Gives the counts in the order in which each was met first; afterwards there are none.
    mutating func take(_ body: (DropCount) -> Void) {
        for entry in entries {
            body(
                DropCount(
                    reason: reasons[entry.reason],
                    actor: TextPool.made(names.span, entry.start..<(entry.start + entry.length)),
                    hour: entry.hour, count: entry.count))
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

    private func isName(_ entry: Entry, _ text: Swift.Span<UInt8>, _ range: Range<Int>) -> Bool {
        entry.length == range.count
            && TextBytes.isSame(names.span, entry.start, text, range)
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
        while at < range.upperBound {
            mixed = (mixed ^ UInt64(text[at])) &* 0x100_0000_01B3
            at &+= 1
        }
        mixed = (mixed ^ mixed >> 32) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 32
    }
}
