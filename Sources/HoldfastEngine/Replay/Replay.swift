package import HoldfastCore
internal import HoldfastJSON

/// Runs a window of events through the same steps as the service, on a private journal, with a clock that follows the
/// events. It has no way to read or write a cloud: neither has a place in here.
package struct Replay {
    let policy: Policy
    let journal: any Journal
    let spool: any ReplaySpool
    let window: ReplayWindow
    let filter: ReplayFilter
    private let lease: Lease
    /// Events that came again under another time count once.
    private var known = KnownEvents(limit: 2_000_000)
    private var nextTimer: Timestamp?
    private var neighbours: Neighbours?
    package private(set) var outcome = ReplayOutcome()

    /// - Parameters:
    ///   - journal: private, empty, and thrown away afterwards.
    ///   - spool: holds what ``ReplayIntake`` took in; the rows are added to it.
    package init(
        policy: Policy, journal: any Journal, spool: any ReplaySpool, window: ReplayWindow, filter: ReplayFilter
    ) throws(JournalError) {
        self.policy = policy
        self.journal = journal
        self.spool = spool
        self.window = window
        self.filter = filter
        lease = try journal.acquire(part: "shards")
        if let resource = filter.resource { neighbours = Neighbours(of: resource) }
    }

    // MARK: The state at the start

    /// Resources as they were recorded at the start.
    package mutating func begin(with recorded: [RecordedResource], at start: Timestamp) throws(JournalError) {
        for resource in recorded {
            var step = Step(policy: policy, journal: journal, now: start)
            try step.observe(resource.description, resource: resource.resource, context: resource.context)
            try finishStart(&step, at: start)
        }
    }

    /// What a journal knew of a resource at the start, with its findings of that time.
    package mutating func begin(
        with history: [HistoryEntry], of resource: ResourceID, context: ResourceContext, findings: [StoredFinding],
        at start: Timestamp
    ) throws(JournalError) {
        try commit(resources: [], findings: findings)
        var step = Step(policy: policy, journal: journal, now: start)
        for entry in history { try step.merge(try entry.items(), into: resource, context: context) }
        try finishStart(&step, at: start)
    }

    private mutating func finishStart(_ step: inout Step, at start: Timestamp) throws(JournalError) {
        try step.evaluate(cause: .baseline)
        outcome.resourcesAtStart += step.transaction.resources.count
        for (finding, change) in step.changes { outcome.take(finding, change, at: start, isStart: true) }
        try commit(step)
    }

    // MARK: The window

    /// Applies everything that was taken in, in the order of times, and writes a row for each of it that the filter
    /// admits.
    ///
    /// - Parameter progress: how many were applied so far; told now and then.
    package mutating func run(progress: (Int) -> Void = { _ in }) throws(JournalError) {
        var place: SpoolPlace?
        var held: SpoolEntry?
        repeat {
            var kept: [SpoolEntry] = []
            let page = try spool.page(of: .input, after: place, limit: 1000)
            for entry in page.entries {
                guard let whole = SpoolEntry.follow(&held, entry) else { continue }
                keep(try apply(whole), in: &kept)
            }
            place = page.next
            if place == nil {
                if let held { keep(try apply(held), in: &kept) }
                if let end = window.to { keep(try fireTimers(by: end), in: &kept) }
            }
            try spool.append(kept, to: .rows)
            progress(outcome.applied)
        } while place != nil
    }

    private mutating func keep(_ rows: [TimelineRow], in kept: inout [SpoolEntry]) {
        for row in rows where admits(row) {
            outcome.show(row)
            kept.append(SpoolEntry(row))
        }
    }

    private mutating func apply(_ entry: SpoolEntry) throws(JournalError) -> [TimelineRow] {
        outcome.applied += 1
        switch try ReplayItem(entry) {
        case .session(let link, _):
            var transaction = JournalTransaction()
            transaction.sessions = [link]
            try write(transaction)
            return []
        case .recorded(let entry, let context):
            let timed = try fireTimers(by: entry.happened)
            return timed + (try apply(entry, context))
        case .event(let event):
            guard !known.contains(event.id) else {
                outcome.duplicates += 1
                return []
            }
            known.insert(event.id)
            let timed = try fireTimers(by: event.time)
            return timed + [try apply(event)]
        }
    }

    private mutating func apply(_ event: ChangeEvent) throws(JournalError) -> TimelineRow {
        var event = event
        var row = TimelineRow(event)
        var intake = IntakeStep(step: Step(policy: policy, journal: journal, now: event.time), source: "replay")
        row.chain = try intake.step.chain(from: event.actor.sessionKey)
        row.chain += event.callers.map(\.name).filter { !row.actors.contains($0) }
        let match: CatalogMatch
        do { match = try policy.catalog.changes(reading: &event) } catch {
            row.notes = ["its body could not be read: it \(error.reason)"]
            outcome.rawWrites += 1
            return row
        }
        try intake.take(event, match)
        row.describe(match)
        try finish(&intake.step, changes: match.changes, into: &row, cause: .events)
        outcome.count(row)
        return row
    }

    /// What a journal has kept of an event, or of a read.
    private mutating func apply(
        _ entry: HistoryEntry, _ context: ResourceContext
    ) throws(JournalError) -> [TimelineRow] {
        var step = Step(policy: policy, journal: journal, now: entry.happened)
        let items = try entry.items()
        try step.merge(items, into: entry.resource, context: context)
        var row = TimelineRow(entry, context)
        let session = items.first?.origin.session ?? ""
        row.chain = try step.chain(from: session)
        let isRead = entry.isRead
        let change = ResourceChange(
            resource: entry.resource, context: context, effect: items.effect, changes: items.map(\.change))
        try finish(&step, changes: [change], into: &row, cause: isRead ? .baseline : .events)
        if isRead, row.kind == .read, row.findings.isEmpty { return [] }
        outcome.count(row)
        return [row]
    }

    /// Evaluates what the step changed, commits it, and puts what came of it into the row.
    private mutating func finish(
        _ step: inout Step, changes: [ResourceChange], into row: inout TimelineRow, cause: CauseOfStep
    ) throws(JournalError) {
        try step.evaluate(cause: cause)
        for change in changes {
            guard change.effect != .relates, let subject = step.subjects[change.resource] else {
                row.resources.append(.init(resource: change.resource, effect: change.effect.rawValue))
                continue
            }
            row.resources.append(resourceRow(change, subject, in: step))
            neighbours?.learn(subject, in: step)
        }
        row.take(step)
        for (finding, change) in step.changes { outcome.take(finding, change, at: row.time, by: row) }
        for plan in row.plans { outcome.take(plan) }
        try commit(step)
    }

    private func resourceRow(
        _ change: ResourceChange, _ subject: Step.Subject, in step: Step
    ) -> TimelineRow.ResourceRow {
        let keys = policy.listKeys(for: change.resource.type)
        let before = ResourceView(of: subject.before, keys: keys)
        let after = subject.view
        var row = TimelineRow.ResourceRow(resource: change.resource, effect: change.effect.rawValue)
        if after.isDeleted {
            row.diff = StateDiff(from: before.document, to: .absent)
            return row
        }
        // What was not there before has no earlier state: all that it has came with it.
        let isNew = change.changes.contains(.created) || before.isDeleted
        let earlier: StateValue = isNew ? .map(StateMap([])) : before.document
        row.diff = StateDiff(from: earlier, to: after.document, touched: change.changes.compactMap(\.path))
        let context = FacetContext(id: change.resource.id)
        let exposure = Exposure(of: after.document, type: change.resource.type, context: context)
        let exposed = isNew ? Exposure.none : Exposure(of: earlier, type: change.resource.type, context: context)
        row.opened = exposure.opened(since: exposed)
        row.isPublic = exposure.isPublic
        return row
    }

    // MARK: The clock

    /// Rules whose verdict the clock alone changes, up to a moment.
    private mutating func fireTimers(by moment: Timestamp) throws(JournalError) -> [TimelineRow] {
        var rows: [TimelineRow] = []
        while let due = nextTimer, due <= moment {
            let marks = try journal.timers(dueAt: due, limit: 500)
            for mark in marks {
                guard let stored = try journal.resource(mark.resource) else { continue }
                var step = Step(policy: policy, journal: journal, now: due)
                step.transaction.firedTimers = [mark]
                try step.evaluateAll(mark.resource, context: stored.context, cause: .baseline)
                var row = TimelineRow(
                    kind: .finding, time: due, event: "clock/\(mark.rule)/\(mark.resource)", place: stored.context)
                row.notes = ["the time has come that \(mark.rule) looks at"]
                row.take(step)
                for (finding, change) in step.changes { outcome.take(finding, change, at: due, by: row) }
                try commit(step)
                if !row.findings.isEmpty { rows.append(row) }
            }
            let next = try journal.nextTimer()
            // One that asks for the same moment again would never let go.
            nextTimer = next == due && marks.isEmpty ? nil : next
        }
        return rows
    }

    // MARK: Writing to the private journal

    private mutating func commit(_ step: Step) throws(JournalError) {
        outcome.evaluations += step.evaluations
        var transaction = JournalTransaction()
        transaction.resources = step.transaction.resources
        transaction.findings = step.transaction.findings
        transaction.timers = step.transaction.timers
        transaction.firedTimers = step.transaction.firedTimers
        if let due = transaction.timers.map(\.due).min() { nextTimer = min(nextTimer ?? due, due) }
        try write(transaction)
    }

    private func commit(resources: [StoredResource], findings: [StoredFinding]) throws(JournalError) {
        var transaction = JournalTransaction()
        transaction.resources = resources
        transaction.findings = findings
        try write(transaction)
    }

    /// What nothing in a replay reads (dirty marks, counters, plans, the evidence log) is not written.
    private func write(_ transaction: JournalTransaction) throws(JournalError) {
        guard !transaction.isIdle else { return }
        var transaction = transaction
        transaction.leases = [lease]
        try journal.commit(transaction)
    }

    // MARK: The filter

    private func admits(_ row: TimelineRow) -> Bool {
        guard filter.admits(account: row.place?.account ?? ""), filter.admits(sourceIP: row.sourceIP),
            filter.admits(actors: row.actors), !filter.openedOnly || row.hasOpened,
            filter.admits(findings: row.findings.map { ($0.finding.rule, $0.finding.severity) })
        else { return false }
        guard let neighbours else { return true }
        return row.resources.contains { neighbours.holds($0.resource.id) }
            || row.findings.contains { neighbours.holds($0.finding.resource.id) }
    }
}

extension JournalTransaction {
    fileprivate var isIdle: Bool {
        resources.isEmpty && findings.isEmpty && timers.isEmpty && firedTimers.isEmpty && sessions.isEmpty
    }
}

extension HistoryEntry {
    /// - Throws: `corrupt`.
    func items() throws(JournalError) -> [EvidenceItem] {
        guard let elements = (try? JSON.parse(evidence))?.array else {
            throw JournalError(.corrupt, "the history of \(resource) in the journal is damaged at \(eventID)")
        }
        return elements.compactMap(EvidenceItem.init(json:))
    }

    var isRead: Bool { action == "read" || action.hasPrefix("read:") }
}

extension [EvidenceItem] {
    fileprivate var effect: Effect {
        if contains(where: { $0.change == .deleted }) { return .deletes }
        return contains { $0.change == .created } ? .creates : .changes
    }
}
