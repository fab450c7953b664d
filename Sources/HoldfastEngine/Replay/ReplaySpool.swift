package import HoldfastCore

/// Something that a replay keeps until it is wanted in order.
package struct SpoolEntry: Sendable, Hashable {
    package var time: Timestamp
    /// Among equal times: what comes first.
    package var rank: Int
    /// Among equal ranks, in the order of UTF-8 bytes.
    package var id: String
    package var body: [UInt8]

    package init(time: Timestamp, rank: Int, id: String, body: [UInt8]) {
        self.time = time
        self.rank = rank
        self.id = id
        self.body = body
    }
}

/// What a replay keeps apart.
package enum SpoolList: Int, Sendable, CaseIterable {
    /// What is replayed.
    case input
    /// Reads and failures that belong to the timeline.
    case looks
    /// The timeline's rows, as canonical JSON.
    case rows
    /// Records as they were received, under the id of the event in them.
    case received
}

/// Where a page of a list begins.
package struct SpoolPlace: Sendable, Hashable {
    /// Of the last entry that was given.
    package var time: Timestamp
    package var rank: Int
    package var id: String
    /// The order of appending.
    package var sequence: Int64

    package init(time: Timestamp, rank: Int, id: String, sequence: Int64) {
        self.time = time
        self.rank = rank
        self.id = id
        self.sequence = sequence
    }
}

/// Takes entries in any order and gives them back sorted, in memory that does not grow with their number.
package protocol ReplaySpool: AnyObject, Sendable {
    func append(_ entries: [SpoolEntry], to list: SpoolList) throws(JournalError)
    /// The entries behind a place, by time, rank, id and then the order of appending, at most `limit`.
    ///
    /// - Returns: with where the next page begins; `nil` after the last.
    func page(
        of list: SpoolList, after: SpoolPlace?, limit: Int
    ) throws(JournalError) -> (entries: [SpoolEntry], next: SpoolPlace?)
}

extension ReplaySpool {
    /// Lends the entries of a list in their order, one at a time; of several with one time, rank and id the one whose
    /// bytes come first, so that it does not matter which was delivered first.
    package func forEach(
        in list: SpoolList, _ body: (SpoolEntry) throws(JournalError) -> Void
    ) throws(JournalError) {
        var place: SpoolPlace?
        var held: SpoolEntry?
        var copies = 0
        repeat {
            let page = try page(of: list, after: place, limit: 1000)
            for entry in page.entries {
                if let whole = SpoolEntry.follow(&held, entry, copies: &copies) { try body(whole) }
            }
            place = page.next
        } while place != nil
        if let held { try body(held) }
    }
}

extension SpoolEntry {
    /// Takes the next entry of a list that is in order.
    ///
    /// - Parameter copies: counts entries that say the same thing again.
    /// - Returns: the one before it, once it is sure that no other copy of it follows.
    static func follow(
        _ held: inout SpoolEntry?, _ entry: SpoolEntry, copies: inout Int
    ) -> SpoolEntry? {
        guard let before = held, before.isSameThing(as: entry) else {
            defer { held = entry }
            return held
        }
        if ReplayItem.isEvent(entry) { copies += 1 }
        if entry.body.lexicographicallyPrecedes(before.body) { held = entry }
        return nil
    }

    private func isSameThing(as other: SpoolEntry) -> Bool {
        time == other.time && rank == other.rank && id.utf8.elementsEqual(other.id.utf8)
    }
}

/// Writes texts and numbers one behind the other.
struct SpoolWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ value: Int64) {
        var rest = UInt64(bitPattern: value)
        for _ in 0..<8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    mutating func add(_ value: [UInt8]) {
        var rest = UInt32(clamping: value.count)
        for _ in 0..<4 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
        bytes.append(contentsOf: value)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ principal: Principal) {
        add(principal.name)
        add(principal.type)
        add(principal.sessionKey)
    }
}

/// Reads what ``SpoolWriter`` wrote. Past the end everything is zero or empty, and ``isWhole`` is false.
struct SpoolReader {
    private let bytes: [UInt8]
    private var index = 0
    private(set) var isWhole = true

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func number(_ count: Int) -> UInt64 {
        guard index + count <= bytes.count else {
            isWhole = false
            return 0
        }
        var value: UInt64 = 0
        for offset in (0..<count).reversed() { value = value << 8 | UInt64(bytes[index + offset]) }
        index += count
        return value
    }

    mutating func int() -> Int64 { Int64(bitPattern: number(8)) }

    mutating func data() -> [UInt8] {
        let count = Int(number(4))
        guard index + count <= bytes.count else {
            isWhole = false
            return []
        }
        defer { index += count }
        return Array(bytes[index..<index + count])
    }

    mutating func text() -> String { String(decoding: data(), as: UTF8.self) }
    mutating func principal() -> Principal { Principal(name: text(), type: text(), sessionKey: text()) }
}
