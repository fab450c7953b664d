internal import HoldfastCore
internal import HoldfastJSON

/// Which reads, failures and sessions come into the timeline beside the writes.
package struct ReplayInclusion: Sendable, Hashable {
    package enum Scope: Sendable, Hashable {
        case none
        /// Of actors, and failures also at resources, that are in the timeline already.
        case timeline
        /// Everything that the filter admits.
        case all
    }
    package var reads: Scope
    package var failures: Scope
    package var sessions: Scope

    package init(reads: Scope = .timeline, failures: Scope = .timeline, sessions: Scope = .timeline) {
        self.reads = reads
        self.failures = failures
        self.sessions = sessions
    }

    package var isNothing: Bool { reads == .none && failures == .none && sessions == .none }
}

/// The second reading of a raw source, after the replay: picks the reads, failures and sessions that belong to the
/// timeline. Those that differ only in their time become one row an hour.
package struct ReplayLooks {
    private let replay: Replay
    private let inclusion: ReplayInclusion
    private var decoder = EventDecoder()
    private var items: [DecodedItem] = []
    private var pending: [SpoolEntry] = []
    /// Names that were looked up.
    private var belonging: [String: Bool] = [:]
    private static let remembered = 100_000

    /// - Parameter replay: one that has run.
    package init(after replay: Replay, inclusion: ReplayInclusion) {
        self.replay = replay
        self.inclusion = inclusion
    }

    private enum Kind: Int {
        case session, read, failure
    }

    package mutating func take(_ batch: RecordBatch) throws(JournalError) {
        for index in 0..<batch.records.count {
            batch.records.withBytes(at: index) { bytes in
                items.removeAll(keepingCapacity: true)
                decoder.decode(bytes, detail: .intake, into: &items)
                var isWanted = false
                for item in items where mayBelong(item) { isWanted = true }
                guard isWanted else { return }
                items.removeAll(keepingCapacity: true)
                decoder.decode(bytes, detail: .full, into: &items)
                for item in items { take(item) }
            }
        }
        if pending.count >= 2000 { try flush() }
    }

    private mutating func flush() throws(JournalError) {
        try replay.spool.append(pending, to: .looks)
        pending.removeAll(keepingCapacity: true)
    }

    // MARK: What belongs

    /// By what is known of an item without reading all of it.
    private mutating func mayBelong(_ item: DecodedItem) -> Bool {
        switch item {
        case .event, .undecodable: return false
        case .session(let opening):
            return admits(inclusion.sessions, [opening.caller.name] + opening.sessions)
                && replay.window.contains(opening.opened)
        case .dropped(let dropped):
            guard let time = dropped.time, replay.window.contains(time) else { return false }
            switch dropped.reason {
            case .readOnly: return admits(inclusion.reads, [dropped.actor])
            // What failed may have been meant for a resource of the timeline, whoever tried.
            case .failed: return inclusion.failures != .none
            default: return false
            }
        }
    }

    private mutating func admits(_ scope: ReplayInclusion.Scope, _ names: [String]) -> Bool {
        switch scope {
        case .none: return false
        case .all: return true
        case .timeline:
            for name in names where belongs(name) { return true }
            return false
        }
    }

    /// Whether somebody is in the timeline, or acts for somebody who is.
    private mutating func belongs(_ name: String) -> Bool {
        if let known = belonging[name] { return known }
        let actors = replay.outcome.actors
        let chain = (try? replay.chain(from: name)) ?? []
        let found = actors.contains(name) || chain.contains(where: actors.contains)
        if belonging.count >= Self.remembered { belonging = [:] }
        belonging[name] = found
        return found
    }

    private mutating func take(_ item: DecodedItem) {
        guard mayBelong(item) else { return }
        switch item {
        case .session(let opening):
            guard let event = opening.event else { return }
            add(.session, event, [])
        case .dropped(let dropped):
            guard let event = dropped.event else { return }
            guard case .failed = dropped.reason else { return add(.read, event, []) }
            let resources = replay.policy.catalog.changes(for: event).changes.map(\.resource)
            guard
                admits(inclusion.failures, [event.actor.name])
                    || resources.contains(where: replay.outcome.resources.contains)
            else { return }
            add(.failure, event, resources)
        case .event, .undecodable: return
        }
    }

    private mutating func add(_ kind: Kind, _ event: ChangeEvent, _ resources: [ResourceID]) {
        var writer = SpoolWriter()
        writer.add(Int64(kind.rawValue))
        writer.add(Int64(resources.count))
        for resource in resources {
            writer.add(resource.type)
            writer.add(resource.id)
        }
        writer.add(event, body: Array("null".utf8))
        pending.append(SpoolEntry(time: event.time, rank: 0, id: event.id, body: writer.bytes))
    }

    // MARK: Rows

    private struct Key: Hashable {
        var kind: Kind
        var actor: String
        var action: String
        var error: String
        var sourceIP: String
        var account: String
        var region: String
        var resources: [ResourceID]
    }

    /// Writes the rows.
    ///
    /// - Returns: how many.
    package mutating func finish() throws(JournalError) -> Int {
        try flush()
        var hour: Int64?
        var rows: [TimelineRow] = []
        var places: [Key: Int] = [:]
        var count = 0
        let replay = replay
        try replay.spool.forEach(in: .looks) { entry throws(JournalError) in
            if hour != ReplayWindow.hour(of: entry.time) {
                count += try ReplayLooks.write(rows, replay)
                (rows, places) = ([], [:])
                hour = ReplayWindow.hour(of: entry.time)
            }
            let (key, row) = try ReplayLooks.row(entry, replay)
            if key.kind != .session, let place = places[key] {
                rows[place].count += 1
                rows[place].last = entry.time
            } else {
                places[key] = rows.count
                rows.append(row)
            }
        }
        return count + (try ReplayLooks.write(rows, replay))
    }

    private static func write(_ rows: [TimelineRow], _ replay: Replay) throws(JournalError) -> Int {
        let admitted = rows.filter(replay.admits(look:))
        try replay.spool.append(admitted.map(SpoolEntry.init), to: .rows)
        return admitted.count
    }

    private static func row(
        _ entry: SpoolEntry, _ replay: Replay
    ) throws(JournalError) -> (key: Key, row: TimelineRow) {
        var reader = SpoolReader(entry.body)
        guard let kind = Kind(rawValue: Int(reader.int())) else {
            throw JournalError(.corrupt, "what was kept of \(entry.id) for the replay is damaged")
        }
        let resources = (0..<min(reader.int(), 1000)).map { _ in ResourceID(type: reader.text(), id: reader.text()) }
        let event = reader.event(id: entry.id, time: entry.time)
        var row = TimelineRow(event)
        row.kind =
            switch kind {
            case .session: .session
            case .read: .read
            case .failure: .failure
            }
        row.evidence = nil
        row.chain = try replay.chain(of: event)
        row.resources = resources.map { .init(resource: $0, effect: "named") }
        var error = ""
        if case .failure(let code) = event.outcome { error = code }
        row.failure = error
        let key = Key(
            kind: kind, actor: event.actor.name, action: event.action, error: error, sourceIP: event.sourceIP,
            account: event.account, region: event.region, resources: resources)
        return (key, row)
    }
}

extension ReplayLooks {
    /// Reads a source again.
    ///
    /// - Throws: ``SourceError`` or ``JournalError``.
    package mutating func read(_ source: any EventSource) async throws {
        try await source.resume(from: [])
        while let batch = try await source.nextBatch() { try take(batch) }
        await source.close()
    }
}

extension Replay {
    /// Who opened a session, by all sessions that were seen.
    func chain(from session: String) throws(JournalError) -> [String] {
        try Step(policy: policy, journal: journal, now: .distantPast).chain(from: session)
    }

    /// Everybody behind an event's actor.
    func chain(of event: ChangeEvent) throws(JournalError) -> [String] {
        let chain = try chain(from: event.actor.sessionKey)
        return chain + event.callers.map(\.name).filter { $0 != event.actor.name && !chain.contains($0) }
    }

    /// What the filter says of a read, a failure or a session.
    func admits(look row: TimelineRow) -> Bool {
        filter.admits(account: row.place?.account ?? "") && filter.admits(sourceIP: row.sourceIP)
            && filter.admits(actors: row.actors)
    }
}
