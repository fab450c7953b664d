internal import HoldfastCore

/// Takes a service's journal into a replay: what was known of each resource when the window began, and what it heard in
/// it. The journal is only read.
package struct JournalReading {
    private let journal: any Journal
    private let window: ReplayWindow
    private var sessions: Set<String> = []
    /// From the first to the last that the journal heard of.
    private var heard: ClosedRange<Timestamp>?
    package var coverage = Coverage()
    package private(set) var totals = ReplayIntake.Totals()

    /// The name that coverage calls it by.
    package static let source = "journal"

    /// - Parameter journal: the service's.
    package init(journal: any Journal, window: ReplayWindow) {
        self.journal = journal
        self.window = window
    }

    /// Every resource in the order of the journal; the replay begins with what is older than the window.
    ///
    /// - Parameter onlyStart: what lies in the window is left out: the events come from elsewhere.
    package mutating func read(into replay: inout Replay, onlyStart: Bool = false) throws(JournalError) {
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 500)
            guard let end = page.last else { break }
            for stored in page { try take(stored, into: &replay, onlyStart: onlyStart) }
            last = end.resource
        }
        guard !onlyStart else { return }
        coverage.settle()
        try claim()
    }

    private mutating func take(
        _ stored: StoredResource, into replay: inout Replay, onlyStart: Bool
    ) throws(JournalError) {
        let history = try journal.history(of: stored.resource, upTo: window.to ?? .distantFuture)
        let start = window.from ?? .distantPast
        let earlier = history.filter { $0.happened < start }
        if !earlier.isEmpty {
            try replay.begin(
                with: earlier, of: stored.resource, context: stored.context,
                findings: try findings(of: stored.resource, before: start), at: start)
        }
        var entries: [SpoolEntry] = []
        for entry in history {
            let (first, last) = (heard?.lowerBound ?? entry.happened, heard?.upperBound ?? entry.happened)
            heard = min(first, entry.happened)...max(last, entry.happened)
            try follow(try entry.items().first?.origin.session ?? "", into: &entries)
            guard entry.happened >= start, window.contains(entry.happened), !onlyStart else { continue }
            totals.records += 1
            totals.events += 1
            totals.writes += 1
            coverage.count(
                source: Self.source, cloud: stored.context.cloud, account: stored.context.account,
                region: stored.context.region, time: entry.happened, slot: nil)
            entries.append(ReplayItem.recorded(entry, stored.context).entry)
        }
        try replay.spool.append(entries, to: .input)
    }

    /// Who opened a session, and theirs.
    private mutating func follow(_ session: String, into entries: inout [SpoolEntry]) throws(JournalError) {
        var session = session
        while !session.isEmpty, sessions.insert(session).inserted, let link = try journal.session(session) {
            entries.append(ReplayItem.session(link, action: "").entry)
            totals.sessions += 1
            session = link.caller.sessionKey
        }
    }

    /// The findings of a resource as they were when the window began.
    private func findings(of resource: ResourceID, before start: Timestamp) throws(JournalError) -> [StoredFinding] {
        var found: [StoredFinding] = []
        for stored in try journal.findings(of: resource) {
            let rows = try journal.findingChanges(of: stored.id).filter { $0.happened < start }
            guard let body = rows.last?.body, let finding = Finding(json: body) else { continue }
            found.append(
                StoredFinding(
                    id: finding.id, rule: finding.rule, resource: finding.resource, state: finding.state.rawValue,
                    severity: finding.severity, body: body))
        }
        return found
    }

    private mutating func claim() throws(JournalError) {
        guard let heard else { return }
        let gaps = try journal.openNotices().filter {
            [NoticeCode.sourceGap.rawValue, NoticeCode.deadLetters.rawValue].contains($0.code)
        }
        let unknown = try journal.counters(name: "operation.unknown").reduce(0) { $0 + Int($1.amount) }
        if unknown > 0 {
            coverage.note(
                "The journal keeps no event of an operation that the catalog does not know: \(unknown) were only "
                    + "counted. Replay the raw log to see them.")
        }
        let told = gaps.map { "\($0.code) since \($0.raised): \($0.text)." }.sorted().joined(separator: " ")
        coverage.add(
            Coverage.Claim(
                basis: .journal, from: heard.lowerBound, to: heard.upperBound + Span(nanoseconds: 1),
                state: gaps.isEmpty ? .complete : .partial,
                known: gaps.isEmpty
                    ? "The service's journal: every source went on from where it stood, and no gap is noted."
                    : "The service's journal, with open notices: \(told)"), of: Self.source)
    }
}
