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
    private let writesRows: Bool
    private let lease: Lease
    /// Events that came again under another time count once.
    private var known = KnownEvents(limit: 2_000_000)
    private var nextTimer: Timestamp?
    private var guards = ReplayGuards()
    private var neighbours: Neighbours?
    private let memory = StepMemory()
    package private(set) var outcome = ReplayOutcome()

    /// - Parameters:
    ///   - journal: private, empty, and thrown away afterwards.
    ///   - spool: holds what ``ReplayIntake`` took in; the rows are added to it.
    ///   - writesRows: false where only the outcome is wanted.
    package init(
        policy: Policy, journal: any Journal, spool: any ReplaySpool, window: ReplayWindow, filter: ReplayFilter,
        writesRows: Bool = true
    ) throws(JournalError) {
        self.writesRows = writesRows
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
        var moment: [SpoolEntry] = []
        repeat {
            var kept: [SpoolEntry] = []
            let page = try spool.page(of: .input, after: place, limit: 1000)
            place = page.next
            for entry in page.entries {
                guard let whole = SpoolEntry.follow(&held, entry, copies: &outcome.duplicates) else { continue }
                try hold(whole, in: &moment, &kept)
            }
            if place == nil {
                if let held { try hold(held, in: &moment, &kept) }
                for row in try apply(moment) { keep(row, in: &kept) }
                if let end = window.to { for row in try fireTimers(by: end) { keep(row, in: &kept) } }
            }
            try spool.append(kept, to: .rows)
            progress(outcome.applied)
        } while place != nil
    }

    /// Entries of one time are applied together.
    private mutating func hold(
        _ entry: SpoolEntry, in moment: inout [SpoolEntry], _ kept: inout [SpoolEntry]
    ) throws(JournalError) {
        if let first = moment.first, first.time != entry.time {
            for row in try apply(moment) { keep(row, in: &kept) }
            moment.removeAll(keepingCapacity: true)
        }
        moment.append(entry)
    }

    private mutating func keep(_ row: TimelineRow, in kept: inout [SpoolEntry]) {
        guard writesRows, admits(row) else { return }
        outcome.show(row)
        kept.append(SpoolEntry(row))
    }

    /// Everything of one time: what creates something goes first and what deletes something last, as evidence has it,
    /// for many clouds' times are whole seconds.
    private mutating func apply(_ moment: [SpoolEntry]) throws(JournalError) -> [TimelineRow] {
        guard let time = moment.first?.time else { return [] }
        outcome.applied += moment.count
        var rows = try fireTimers(by: time)
        var changes: [(order: Int, change: TimedChange)] = []
        var sessions = JournalTransaction()
        for entry in moment {
            switch try ReplayItem(entry) {
            case .session(let link, _): sessions.sessions.append(link)
            case .recorded(let entry, let context):
                let items = try entry.items()
                changes.append((items.effect.order, .recorded(entry, items, context)))
            case .event(let event):
                guard known.insert(event.id) else {
                    outcome.duplicates += 1
                    continue
                }
                do throws(UndecodableRecord) {
                    let match = try policy.catalog.changes(reading: event)
                    changes.append((match.order, .event(event, match)))
                } catch {
                    changes.append((Effect.changes.order, .broken(event, error.reason)))
                }
            }
        }
        try write(sessions)
        for index in changes.indices.sorted(by: { (changes[$0].order, $0) < (changes[$1].order, $1) }) {
            switch changes[index].change {
            case .event(let event, let match): rows.append(try apply(event, match))
            case .recorded(let entry, let items, let context): rows += try apply(entry, items, context)
            case .broken(let event, let fault):
                var row = TimelineRow(event)
                row.chain = try chain(of: event)
                row.notes = ["its body could not be read: it \(fault)"]
                outcome.count(row)
                rows.append(row)
            }
        }
        return rows
    }

    /// What is applied among others of one time.
    private enum TimedChange {
        case event(ChangeEvent, CatalogMatch)
        case recorded(HistoryEntry, [EvidenceItem], ResourceContext)
        case broken(ChangeEvent, String)
    }

    private mutating func apply(
        _ event: ChangeEvent, _ match: CatalogMatch
    ) throws(JournalError) -> TimelineRow {
        var row = TimelineRow(event)
        var intake = IntakeStep(
            step: Step(policy: policy, journal: journal, now: event.time, memory: memory), source: "replay",
            keepsEvidence: false)
        row.chain = try intake.step.chain(from: event.actor.sessionKey)
        row.chain += event.callers.map(\.name).filter { !row.actors.contains($0) }
        try intake.take(event, match)
        row.order = match.order
        row.describe(match)
        try finish(&intake.step, changes: match.changes, into: &row, cause: .events)
        outcome.count(row)
        return row
    }

    /// What a journal has kept of an event, or of a read.
    private mutating func apply(
        _ entry: HistoryEntry, _ items: [EvidenceItem], _ context: ResourceContext
    ) throws(JournalError) -> [TimelineRow] {
        var step = Step(policy: policy, journal: journal, now: entry.happened, memory: memory)
        try step.merge(items, into: entry.resource, context: context)
        var row = TimelineRow(entry, context)
        row.order = items.effect.order
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
        try row.take(&step, asking: &guards)
        for (finding, change) in step.changes { outcome.take(finding, change, at: row.time, by: row) }
        for plan in row.plans { outcome.take(plan) }
        try commit(step)
    }

    private func resourceRow(
        _ change: ResourceChange, _ subject: Step.Subject, in step: Step
    ) -> TimelineRow.ResourceRow {
        let (before, after) = (subject.earlier, subject.view)
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
        if !exposure.ways.isEmpty {
            let exposed = isNew ? Exposure.none : Exposure(of: earlier, type: change.resource.type, context: context)
            row.opened = exposure.opened(since: exposed)
        }
        row.isPublic = exposure.isPublic
        return row
    }

    /// Whether an event was applied.
    func knows(_ event: String) -> Bool { known.contains(event) }

    /// Rows that were written beside the replay's own.
    package mutating func addRows(_ count: Int) { outcome.rows += count }

    // MARK: The clock

    /// Rules whose verdict the clock alone changes, up to a moment.
    private mutating func fireTimers(by moment: Timestamp) throws(JournalError) -> [TimelineRow] {
        var rows: [TimelineRow] = []
        while let due = nextTimer, due <= moment {
            let marks = try journal.timers(dueAt: due, limit: 500)
            for mark in marks {
                guard let stored = try journal.resource(mark.resource) else { continue }
                var step = Step(policy: policy, journal: journal, now: due, memory: memory)
                step.transaction.firedTimers = [mark]
                try step.evaluateAll(mark.resource, context: stored.context, cause: .baseline)
                var row = TimelineRow(
                    kind: .finding, time: due, event: "clock/\(mark.rule)/\(mark.resource)", place: stored.context)
                row.notes = ["the time has come that \(mark.rule) looks at"]
                try row.take(&step, asking: &guards)
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
        memory.keep(step)
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
        memory.forget(transaction.sessions)
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

extension CatalogMatch {
    fileprivate var order: Int {
        let effects = changes.map(\.effect)
        return (effects.first { $0 == .creates } ?? effects.first { $0 == .deletes } ?? .changes).order
    }
}

extension Effect {
    /// Among changes of one time.
    fileprivate var order: Int {
        switch self {
        case .creates: 0
        case .changes, .relates: 1
        case .deletes: 2
        }
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
