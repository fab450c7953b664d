internal import HoldfastCore

/// Takes a source's records into the spool: what a replay applies, and who opened which session. Everything else
/// leaves a count by account, region and hour.
package struct ReplayIntake {
    private let window: ReplayWindow
    private let spool: any ReplaySpool
    private let keepsReceived: Bool
    private var decoder = EventDecoder()
    private var items: [DecodedItem] = []
    private var pending: [SpoolEntry] = []
    private var received: [SpoolEntry] = []
    package var coverage = Coverage()
    /// The file that the last record came from, and the delivery that its name tells of.
    private var file: (name: String, slot: Int64?, account: String) = ("", nil, "")
    /// Whose events are in the files that a trail delivered, by the files' paths.
    package private(set) var fileAccounts: [String: Set<String>] = [:]
    package private(set) var totals = Totals()

    /// What was read so far.
    package struct Totals: Sendable, Hashable {
        package var records = 0
        package var events = 0
        package var bytes: Int64 = 0
        /// Writes that are to be replayed.
        package var writes = 0
        package var sessions = 0
        package var outside = 0
        package var unreadable = 0
        package init() {}
    }

    /// - Parameter keepsReceived: records are kept as they came, too, for an evidence pack.
    package init(window: ReplayWindow, spool: any ReplaySpool, keepsReceived: Bool = false) {
        self.window = window
        self.spool = spool
        self.keepsReceived = keepsReceived
    }

    /// One batch. Nothing of it is in the spool for sure before ``finish()``.
    package mutating func take(_ batch: RecordBatch, from source: String) throws(JournalError) {
        for index in 0..<batch.records.count {
            items.removeAll(keepingCapacity: true)
            totals.bytes += Int64(
                batch.records.withBytes(at: index) { bytes in
                    decoder.decode(bytes, detail: .intake, into: &items)
                    return bytes.count
                })
            look(at: batch.records.place(at: index))
            for item in items { take(item, at: batch.records, index, from: source) }
        }
        for unreadable in batch.unreadable {
            totals.unreadable += 1
            coverage.addUnreadable(unreadable.reason, at: unreadable.place, of: source)
        }
        totals.records += batch.records.count + batch.unreadable.count
        if pending.count >= Self.flushed { try finish() }
    }
    private static let flushed = 2000

    /// - Parameter place: `FILE@OFFSET`.
    private mutating func look(at place: String) {
        guard !place.utf8.starts(with: file.name.utf8) || file.name.isEmpty else { return }
        let name = place.lastIndex(of: "@").map { String(place[...$0]) } ?? place
        file = (name, TrailDelivery(name: String(name.dropLast()))?.slot, "")
    }

    private mutating func count(
        _ cloud: Cloud, _ account: String, _ region: String, _ time: Timestamp, from source: String
    ) {
        if file.slot != nil, file.account != account {
            file.account = account
            fileAccounts[String(file.name.dropLast()), default: []].insert(account)
        }
        coverage.count(
            source: source, cloud: cloud, account: account, region: region, time: time, slot: file.slot)
    }

    private mutating func take(
        _ item: DecodedItem, at records: any RecordStorage, _ index: Int, from source: String
    ) {
        switch item {
        case .event(let event):
            totals.events += 1
            guard window.contains(event.time) else { return totals.outside += 1 }
            totals.writes += 1
            count(event.cloud, event.account, event.region, event.time, from: source)
            pending.append(ReplayItem.event(event).entry)
            if keepsReceived { keep(event.id, event.time, records, index) }
        case .session(let opening):
            totals.events += 1
            take(opening, from: source)
        case .dropped(let dropped):
            totals.events += 1
            guard let time = dropped.time, let cloud = dropped.cloud, window.contains(time) else {
                return totals.outside += 1
            }
            count(cloud, dropped.account, dropped.region, time, from: source)
        case .undecodable(let failure):
            totals.unreadable += 1
            let place = records.place(at: index)
            coverage.addUnreadable(
                failure.reason, at: failure.place.isEmpty ? place : "\(place) \(failure.place)", of: source)
        }
    }

    /// A session that was opened before the window still leads back to somebody.
    private mutating func take(_ opening: SessionOpening, from source: String) {
        guard window.to.map({ opening.opened < $0 }) ?? true else { return totals.outside += 1 }
        totals.sessions += 1
        for session in opening.sessions {
            let link = SessionLink(session: session, caller: opening.caller, opened: opening.opened)
            pending.append(ReplayItem.session(link, action: opening.action).entry)
        }
        if window.contains(opening.opened) {
            count(.aws, opening.account, opening.region, opening.opened, from: source)
        }
    }

    /// The record as it came, and where it stood.
    private mutating func keep(_ id: String, _ time: Timestamp, _ records: any RecordStorage, _ index: Int) {
        var writer = SpoolWriter()
        writer.add(records.place(at: index))
        records.withBytes(at: index) { bytes in
            var copy: [UInt8] = []
            copy.reserveCapacity(bytes.count)
            for at in bytes.indices { copy.append(bytes[at]) }
            writer.add(copy)
        }
        received.append(SpoolEntry(time: time, rank: 0, id: id, body: writer.bytes))
    }

    /// Puts what is pending into the spool.
    package mutating func finish() throws(JournalError) {
        coverage.settle()
        try spool.append(pending, to: .input)
        try spool.append(received, to: .received)
        pending.removeAll(keepingCapacity: true)
        received.removeAll(keepingCapacity: true)
    }
}

extension ReplayIntake {
    /// Reads a source to its end.
    ///
    /// - Parameter progress: told after each batch.
    /// - Throws: ``SourceError`` or ``JournalError``.
    package mutating func read(
        _ source: any EventSource, as name: String, progress: (Totals) -> Void = { _ in }
    ) async throws {
        try await source.resume(from: [])
        while let batch = try await source.nextBatch() {
            try take(batch, from: name)
            progress(totals)
        }
        await source.close()
        try finish()
    }
}

/// A record as it was received, as the spool keeps it.
package enum ReceivedRecord {
    /// Where the record stood, and its bytes.
    package static func read(_ entry: SpoolEntry) -> (place: String, bytes: [UInt8]) {
        var reader = SpoolReader(entry.body)
        return (reader.text(), reader.data())
    }
}
