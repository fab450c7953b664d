internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Synchronization

/// A protection that is taken away, to see that the checkers notice.
package enum Sabotage: String, Sendable, CaseIterable {
    /// No event is remembered: a redelivery counts again.
    case dedupe
    /// Evidence is ordered by when it arrived.
    case order
    /// Positions are committed before what they stand for.
    case crash
    /// Deletions are forgotten.
    case tombstone
    /// A resource marked while it is dirty, or worked on, is done with the work.
    case dirtySet = "dirty-set"
    /// What people object to is forgotten.
    case objections
    // A guard whose refusal counts as a pass, also where a step is begun.
    case halt, mode, origin, maturity, evidence, exemption, rollout, freeze, cause, budgets, preflight, approvals

    /// The guard that is taken away.
    var guardName: GuardName? { GuardName(rawValue: rawValue) }
}

/// A journal that is honest but for one thing, as one process sees it: once that has died it writes nothing more.
final class SabotagedJournal: Journal {
    let honest: any Journal
    let sabotage: Sabotage?
    private let crashes: CrashPlan
    let ledger: Ledger
    private let arrival = Mutex(Int64(0))

    init(_ honest: any Journal, sabotage: Sabotage?, crashes: CrashPlan, ledger: Ledger) {
        self.honest = honest
        self.sabotage = sabotage
        self.crashes = crashes
        self.ledger = ledger
    }

    /// The process that writes must be alive before, and may die after.
    func alive<T: ~Copyable, E: Error>(
        dead: (JournalError) -> E, _ body: () throws(E) -> T
    ) throws(E) -> T {
        if crashes.isDown { throw dead(JournalError(.failed, "the process is gone")) }
        let result = try body()
        if crashes.diesAfter() { throw dead(JournalError(.failed, "the process died after it had written")) }
        return result
    }

    func commit(_ transaction: JournalTransaction) throws(JournalError) {
        try alive(dead: { $0 }) { () throws(JournalError) in try commitAlive(transaction) }
        ledger.note(transaction)
    }

    private func commitAlive(_ transaction: JournalTransaction) throws(JournalError) {
        var spoilt = transaction
        switch sabotage {
        case .order: spoilt.resources = try transaction.resources.map(reordered)
        case .tombstone: spoilt.resources = transaction.resources.map(withoutDeletions)
        case .crash where !transaction.positions.isEmpty:
            var early = JournalTransaction()
            early.leases = transaction.leases
            early.positions = transaction.positions
            try honest.commit(early)
        case .dirtySet:
            let now = try honest.dirty(dueAt: .distantFuture, except: [], limit: 10_000)
            spoilt.done = transaction.done.map { done in now.first { $0.resource == done.resource } ?? done }
            spoilt.dirty = transaction.dirty.filter { mark in !now.contains { $0.resource == mark.resource } }
        default: break
        }
        try honest.commit(spoilt)
    }

    /// What is new gets its arrival as its time.
    private func reordered(_ row: StoredResource) throws(JournalError) -> StoredResource {
        var known: [String: JSON] = [:]
        if let old = try honest.resource(row.resource) {
            for item in items(old.evidence) { known[key(item)] = item["t"] }
        }
        var row = row
        let changed = items(row.evidence).map { item -> JSON in
            var object = item.object ?? JSONObject()
            object["t"] =
                known[key(item)]
                ?? .string(
                    String(
                        arrival.withLock {
                            $0 += 1; return $0
                        }))
            return .object(object)
        }
        row.evidence = JSON.array(changed).canonicalBytes
        return row
    }

    private func withoutDeletions(_ row: StoredResource) -> StoredResource {
        var row = row
        row.evidence = JSON.array(items(row.evidence).filter { $0["c"]?.array?.first != "deleted" }).canonicalBytes
        return row
    }

    private func items(_ evidence: [UInt8]) -> [JSON] { (try? JSON.parse(evidence))?.array ?? [] }
    private func key(_ item: JSON) -> String { "\(item["e"]?.string ?? "")/\(item["i"]?.int ?? 0)" }

    // MARK: Reads, and what is not spoilt

    func acquire(part: String) throws(JournalError) -> Lease { try honest.acquire(part: part) }
    func positions(source: String) throws(JournalError) -> [SourcePosition] { try honest.positions(source: source) }
    func position(source: String, partition: String) throws(JournalError) -> SourcePosition? {
        try honest.position(source: source, partition: partition)
    }
    func recentEventIDs(limit: Int) throws(JournalError) -> [String] {
        sabotage == .dedupe ? [] : try honest.recentEventIDs(limit: limit)
    }
    func resource(_ id: ResourceID) throws(JournalError) -> StoredResource? { try honest.resource(id) }
    func resources(
        type: String, path: String, value: String, after: ResourceID?, limit: Int
    ) throws(JournalError) -> [StoredResource] {
        try honest.resources(type: type, path: path, value: value, after: after, limit: limit)
    }
    func resources(after: ResourceID?, limit: Int) throws(JournalError) -> [StoredResource] {
        try honest.resources(after: after, limit: limit)
    }
    func history(of id: ResourceID, upTo: Timestamp) throws(JournalError) -> [HistoryEntry] {
        try honest.history(of: id, upTo: upTo)
    }
    func findings(of id: ResourceID) throws(JournalError) -> [StoredFinding] { try honest.findings(of: id) }
    func finding(id: String) throws(JournalError) -> StoredFinding? { try honest.finding(id: id) }
    func findings(states: [String]) throws(JournalError) -> [StoredFinding] { try honest.findings(states: states) }
    func findingChanges(of finding: String) throws(JournalError) -> [FindingChangeRow] {
        try honest.findingChanges(of: finding)
    }
    func newestFindingChange() throws(JournalError) -> Timestamp? { try honest.newestFindingChange() }
    func plan(finding: String) throws(JournalError) -> (digest: String, body: JSON)? {
        try honest.plan(finding: finding)
    }
    func dirty(dueAt: Timestamp, except: Set<ResourceID>, limit: Int) throws(JournalError) -> [DirtyResource] {
        try honest.dirty(dueAt: dueAt, except: except, limit: limit)
    }
    func dirtySummary() throws(JournalError) -> (count: Int, oldest: Timestamp?, nextDue: Timestamp?) {
        try honest.dirtySummary()
    }
    func timers(dueAt: Timestamp, limit: Int) throws(JournalError) -> [TimerMark] {
        try honest.timers(dueAt: dueAt, limit: limit)
    }
    func nextTimer() throws(JournalError) -> Timestamp? { try honest.nextTimer() }
    func session(_ key: String) throws(JournalError) -> SessionLink? { try honest.session(key) }
    func counters(name: String) throws(JournalError) -> [CounterDelta] { try honest.counters(name: name) }
    func accounts() throws(JournalError) -> [StoredAccount] { try honest.accounts() }
    func accountCounts() throws(JournalError) -> [AccountCounts] { try honest.accountCounts() }
    func deadLetters(limit: Int) throws(JournalError) -> [DeadLetter] { try honest.deadLetters(limit: limit) }
    func openNotices() throws(JournalError) -> [Notice] { try honest.openNotices() }
    func auditEntries(after sequence: Int64, limit: Int) throws(JournalError) -> [AuditRecord] {
        try honest.auditEntries(after: sequence, limit: limit)
    }
    func checkpoint(
        at: Timestamp, sign: (AuditCheckpoint) throws -> AuditCheckpoint
    ) throws(JournalError) -> AuditCheckpoint {
        try alive(dead: { $0 }) { () throws(JournalError) in try honest.checkpoint(at: at, sign: sign) }
    }
    func exemptions() throws(JournalError) -> [ExemptionRecord] { try honest.exemptions() }
    func evidenceSegment(before: Timestamp) throws(JournalError) -> EvidenceSegment? {
        try honest.evidenceSegment(before: before)
    }
    func dropSealedEvidence(limit: Int) throws(JournalError) -> Int {
        try alive(dead: { $0 }) { () throws(JournalError) in try honest.dropSealedEvidence(limit: limit) }
    }
}
