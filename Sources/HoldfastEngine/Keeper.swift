package import HoldfastCore
internal import HoldfastJSON

/// Owns the state: every decision about resources and findings is made here, one step at a time, and each step is
/// one transaction of the journal. Both lanes go through it; neither waits in it for anything but the journal.
package actor Keeper {
    let journal: any Journal
    private var decoder: EventDecoder
    /// What the data files say, with the exemptions that people agreed to.
    package private(set) var policy: Policy
    private var files: Policy
    private var known: KnownEvents
    private(set) var leases: [String: Lease] = [:]
    /// Claimed and not yet settled: a mark meanwhile is a new generation, and makes one rerun.
    private var claimed: Set<ResourceID> = []
    private var dirtyIsOld = false
    private var denials = Denials()
    let tools: RemediationTools
    var memory = RemediationMemory()
    package private(set) var totals = Totals()

    /// What the service has done since it started.
    package struct Totals: Sendable, Equatable {
        package var records = 0
        package var events = 0
        package var duplicates = 0
        package var dropped = 0
        package var sessions = 0
        package var deadLetters = 0
        package var unknownOperations = 0
        package var resourcesChanged = 0
        package var evaluations = 0
        package var described = 0
        package var findingChanges: [FindingChange: Int] = [:]
        package init() {}
    }

    /// - Throws: where the journal cannot be read.
    package init(
        journal: any Journal, policy: Policy, limits: Limits, tools: RemediationTools = RemediationTools()
    ) throws(JournalError) {
        self.tools = tools
        self.journal = journal
        files = policy
        self.policy = policy.exempting(try journal.granted())
        decoder = EventDecoder(for: policy.catalog)
        known = KnownEvents(limit: limits.knownEvents)
        for id in try journal.recentEventIDs(limit: limits.knownEvents) { known.insert(id) }
        leases["shards"] = try journal.acquire(part: "shards")
        for run in try journal.runs(limit: RemediationMemory.ownLimit).reversed() { memory.remember(run) }
    }

    /// Where a source must begin: what the journal has. Takes the source's part, so that an older owner is refused.
    package func positions(of source: String) throws(JournalError) -> [SourcePosition] {
        leases[source] = try journal.acquire(part: "source:\(source)")
        return try journal.positions(source: source)
    }

    /// Of these sources, those whose positions nobody has asked for yet: they take no events.
    package func sourcesNotAcquired(of sources: [String]) -> [String] { sources.filter { leases[$0] == nil } }

    // MARK: Intake

    /// One batch, one transaction: events, evidence, findings, dirty resources, dead letters and the source's
    /// positions, all or nothing.
    package func intake(_ batch: RecordBatch, from source: String, now: Timestamp) throws(JournalError) {
        var intake = IntakeStep(step: Step(policy: policy, journal: journal, now: now), source: source)
        // Of a batch that failed, which comes again.
        decoder.takeDropped { _ in }
        for index in 0..<batch.records.count {
            let items = batch.records.withBytes(at: index) { decoder.decode($0, detail: .intake) }
            for item in items {
                try take(item, into: &intake, from: batch.records, at: index)
            }
        }
        decoder.takeDropped { intake.drop($0) }
        for unreadable in batch.unreadable {
            intake.deadLetter(unreadable.reason, at: unreadable.place, bytes: unreadable.bytes)
        }
        intake.step.transaction.positions = batch.positions
        try intake.step.evaluate(cause: .events)
        intake.finish()
        try commit(intake.step, lease: leases[source], lane: .events)
        for id in intake.step.transaction.eventIDs { known.insert(id) }
        totals.records += batch.records.count + batch.unreadable.count
        totals.add(intake.counts)
    }

    private func take(
        _ item: DecodedItem, into intake: inout IntakeStep, from records: any RecordStorage, at index: Int
    ) throws(JournalError) {
        let place = records.place(at: index)
        switch item {
        case .event(let event):
            if known.contains(event.id) || intake.seen.contains(event.id) {
                intake.counts.duplicates += 1
                return
            }
            let match: CatalogMatch
            do { match = try policy.catalog.changes(reading: event) } catch {
                // Of the event itself only an excerpt was kept, and there may be others in its record.
                let whole = records.withBytes(at: index) { UndecodableRecord(error.reason, place: "", copying: $0) }
                return intake.deadLetter(error.reason, at: "\(place) event \(event.id)", bytes: whole.bytes)
            }
            try intake.take(event, match)
            recognise(event, match, in: &intake)
        case .dropped(let dropped): intake.drop(dropped)
        case .session(let opening): intake.take(opening)
        case .undecodable(let failure):
            intake.deadLetter(
                failure.reason, at: failure.place.isEmpty ? place : "\(place) \(failure.place)", bytes: failure.bytes)
        }
    }

    /// An event of a write of ours is known by its request. The body is looked at only where a run may be behind it.
    private func recognise(_ event: ChangeEvent, _ match: CatalogMatch, in intake: inout IntakeStep) {
        for change in match.changes {
            guard let requests = memory.own[change.resource] else { continue }
            let names = [event.correlation, event.body["requestID"]?.string ?? ""]
            guard let run = names.lazy.compactMap({ requests[$0] }).first else { continue }
            intake.step.transaction.remediation.ownEvents.append((event: event.id, run: run))
            return
        }
    }

    // MARK: Reconcile

    /// Dirty resources that are due, at most `limit`, now in the caller's hands. The last few places are for what
    /// matters most, so that a crowd of others never keeps it waiting.
    package func claim(now: Timestamp, limit: Int) throws(JournalError) -> [DirtyResource] {
        let due = try journal.dirty(dueAt: now, except: claimed, limit: limit)
        let open = limit - Limits.reservedDescribes
        let taken = due.enumerated().filter { $0.offset < open || $0.element.priority == 0 }.map(\.element)
        for dirty in taken { claimed.insert(dirty.resource) }
        return taken
    }

    /// What a read of a claimed resource gave: merged as observed evidence, every rule evaluated.
    package func settle(_ dirty: DirtyResource, _ description: Description, now: Timestamp) throws(JournalError) {
        defer { claimed.remove(dirty.resource) }
        var step = Step(policy: policy, journal: journal, now: now)
        try step.observe(
            description, resource: dirty.resource, context: dirty.context, attempts: dirty.attempts)
        try step.evaluate(cause: .baseline)
        try step.evaluateAll(dirty.resource, context: dirty.context, cause: .baseline)
        step.transaction.done = [dirty]
        try step.readAgainIfTooEarly(dirty, description)
        endDenials(lacking: description.lacks, reading: dirty.resource.description, in: &step)
        step.countRead(of: dirty, gaveState: true)
        try commit(step, lease: nil)
        totals.described += 1
    }

    /// A read that failed: tried again after a while that doubles with each attempt, or not at all.
    package func park(_ dirty: DirtyResource, _ error: ReadError, now: Timestamp) throws(JournalError) {
        defer { claimed.remove(dirty.resource) }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.done = [dirty]
        if !error.lacks.isEmpty {
            endDenials(lacking: [error.lacks], reading: dirty.resource.description, in: &step)
            step.transaction.notices = [
                Notice(
                    code: NoticeCode.readDenied.rawValue, subject: error.lacks,
                    text: "\(error.message); \(dirty.resource.id) stays as it was last known", raised: now)
            ]
        }
        if case .after(let wait) = error.retry {
            step.countRead(of: dirty, gaveState: false)
            var again = dirty
            again.attempts += 1
            again.reason = error.code
            again.notBefore = now + Limits.backoff(wait, attempts: again.attempts)
            step.transaction.dirty = [again]
        }
        try commit(step, lease: nil)
    }

    /// When the first dirty resource is due.
    package func nextDirty() throws(JournalError) -> Timestamp? { try journal.dirtySummary().nextDue }

    /// When the reconcile lane has something to do next.
    package func nextDue() throws(JournalError) -> Timestamp? {
        let dirty = try nextDirty()
        let timer = try journal.nextTimer()
        return [dirty, timer].compactMap { $0 }.min()
    }

    /// Rules whose verdict changes by the clock alone.
    package func fireTimers(now: Timestamp) throws(JournalError) {
        let due = try journal.timers(dueAt: now, limit: 500)
        guard !due.isEmpty else { return }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.firedTimers = due
        for timer in due {
            guard let stored = try journal.resource(timer.resource) else { continue }
            try step.evaluateAll(timer.resource, context: stored.context, cause: .baseline)
        }
        try commit(step, lease: nil)
    }

    // MARK: Data

    /// A resource as it was recorded before the first event: the first scan.
    package func scan(_ resources: [RecordedResource], now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        for recorded in resources {
            try step.observe(recorded.description, resource: recorded.resource, context: recorded.context)
        }
        try step.evaluate(cause: .baseline)
        step.transaction.notices += Keeper.baselineNotice(step.changes, "the first scan", now)
        try commit(step, lease: nil)
    }

    /// One digest for all that no event opened: no prompts, no writes.
    private static func baselineNotice(
        _ changes: [(finding: Finding, change: FindingChange)], _ what: String, _ now: Timestamp
    ) -> [Notice] {
        let opened = changes.filter { $0.change == .opened || $0.change == .reopened }.count
        return opened > 0 ? [baselineNotice(opened, what, now)] : []
    }

    static func baselineNotice(_ opened: Int, _ what: String, _ now: Timestamp) -> Notice {
        Notice(
            code: NoticeCode.baselineFindings.rawValue, subject: what,
            text: "\(what) opened \(opened) findings that no event caused", raised: now)
    }

    /// A notice while the oldest dirty resource waits for longer than the limit, and its end.
    package func watchAge(now: Timestamp) throws(JournalError) {
        let oldest = try journal.dirtySummary().oldest ?? now
        let isOld = now.since(oldest).nanoseconds > policy.limits.dirtyAge.nanoseconds
        guard isOld != dirtyIsOld else { return }
        dirtyIsOld = isOld
        var step = Step(policy: policy, journal: journal, now: now)
        let code = NoticeCode.dirtyTooOld.rawValue
        if isOld {
            step.transaction.notices = [
                Notice(
                    code: code, subject: "reconcile", text: "a changed resource waits to be read since \(oldest)",
                    raised: now)
            ]
        } else {
            step.transaction.closedNotices = [NoticeClosing(code: code, subject: "reconcile", at: now)]
        }
        try commit(step, lease: nil)
    }

    /// Other data files, or other accounts, from now on: every known resource is evaluated by them, and what opens is
    /// backlog.
    ///
    /// - Parameter what: led to it, for the digest.
    package func adopt(
        _ policy: Policy, because what: String = "a reload", now: Timestamp
    ) throws(JournalError) -> [FindingChange: Int] {
        files = policy
        renew(exemptions: try journal.granted())
        let policy = self.policy
        decoder = EventDecoder(for: policy.catalog)
        // What was about to be written was decided by the settings of before.
        memory.prepared = [:]
        try noteModes(now: now)
        var changes: [FindingChange: Int] = [:]
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 200)
            guard let end = page.last else { break }
            var step = Step(policy: policy, journal: journal, now: now)
            for row in page { try step.evaluateAll(row.resource, context: row.context, cause: .baseline) }
            for (_, change) in step.changes { changes[change, default: 0] += 1 }
            step.transaction.notices += Keeper.baselineNotice(step.changes, what, now)
            try commit(step, lease: nil)
            last = end.resource
        }
        try endStrangers(now: now)
        return changes
    }

    /// From now on these exemptions count beside those of the data files.
    func renew(exemptions: [Exemption]) { policy = files.exempting(exemptions) }

    /// Ends the notices of clouds that have no account any more which sends events and is not configured.
    private func endStrangers(now: Timestamp) throws(JournalError) {
        let heard = try journal.accounts().filter { $0.lastEvent != nil && !policy.covers($0.cloud, $0.id) }
        for cloud in Cloud.allCases where !heard.contains(where: { $0.cloud == cloud }) {
            try end(.accountUnknown, subject: cloud.rawValue, now: now)
        }
    }

    /// A notice or an audit entry that no step led to.
    package func note(
        notices: [Notice] = [], audit: [AuditEntry] = [], counters: [CounterDelta] = [], accounts: [StoredAccount] = []
    ) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: .distantPast)
        step.transaction.notices = notices
        step.transaction.audit = audit
        step.transaction.counters = counters
        step.transaction.accounts = accounts
        try commit(step, lease: nil)
    }

    /// What a notice was about has ended; where none is open nothing is written.
    package func end(_ code: NoticeCode, subject: String, now: Timestamp) throws(JournalError) {
        guard try journal.openNotices().contains(where: { $0.code == code.rawValue && $0.subject == subject }) else {
            return
        }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.closedNotices = [NoticeClosing(code: code.rawValue, subject: subject, at: now)]
        try commit(step, lease: nil)
    }

    /// Ends the notices of permissions that nothing lacks any more.
    func endDenials(lacking: [String]?, reading what: String, in step: inout Step) {
        guard let lacking else { return }
        step.transaction.closedNotices += denials.take(lacking, reading: what).map {
            NoticeClosing(code: NoticeCode.readDenied.rawValue, subject: $0, at: step.now)
        }
    }

    /// What an earlier run could not read, by another configuration perhaps: what still holds is told again with the
    /// next read or event.
    package func forgetDenials(now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.closedNotices = try journal.openNotices().filter { $0.code == NoticeCode.readDenied.rawValue }
            .map { NoticeClosing(code: $0.code, subject: $0.subject, at: now) }
        try commit(step, lease: nil)
        try endStrangers(now: now)
    }

    func commit(_ step: Step, lease: Lease?, lane: EvaluationLane = .state) throws(JournalError) {
        var transaction = step.transaction
        if step.evaluations > 0 {
            transaction.counters.append(
                CounterDelta(
                    name: CounterDelta.evaluations, label: lane.rawValue, hour: CounterDelta.hour(of: step.now),
                    amount: Int64(step.evaluations)))
        }
        transaction.leases = [leases["shards"], lease].compactMap { $0 }
        try journal.commit(transaction)
        // What was decided on what this changes is decided anew: a step that was prepared is not begun on it.
        for stored in transaction.resources { memory.forgetPrepared(on: stored.resource) }
        totals.evaluations += step.evaluations
        totals.resourcesChanged += transaction.resources.count
        for (_, change) in step.changes { totals.findingChanges[change, default: 0] += 1 }
    }
}

extension Keeper.Totals {
    fileprivate mutating func add(_ counts: IntakeStep.Counts) {
        events += counts.events
        duplicates += counts.duplicates
        dropped += counts.dropped
        sessions += counts.sessions
        deadLetters += counts.deadLetters
        unknownOperations += counts.unknownOperations
    }
}
