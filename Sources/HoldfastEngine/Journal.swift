package import HoldfastCore
package import HoldfastJSON

/// What went wrong in the journal.
package struct JournalError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Somebody with a newer epoch owns the partition or shard now: stop, and take it anew.
        case fenced
        case corrupt, full, busy, newerSchema, failed
    }
    package var code: Code
    package var message: String
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    package var description: String { message }
}

/// The right to write for a part of the world: intake for a source's partition, decisions for a shard of resources.
package struct Lease: Sendable, Hashable {
    /// `source:kafka:holdfast/cloudtrail/3`, or `shards` for the embedded process that owns all 64.
    package var part: String
    package var epoch: Int64
    package init(part: String, epoch: Int64) {
        self.part = part
        self.epoch = epoch
    }
}

/// 64 shards; a resource's findings and runs belong to one.
package func shard(cloud: Cloud, account: String) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a, 64 bit: stable over versions and machines
    for byte in "\(cloud.rawValue)/\(account)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(hash % 64)
}

/// A resource as the journal holds it. `evidence` is the compacted set as ``EvidenceSet`` encodes it.
package struct StoredResource: Sendable, Hashable {
    package var resource: ResourceID
    package var context: ResourceContext
    package var evidence: [UInt8]
    /// Stands for the incarnation: the creation's or first evidence's time and event.
    package var incarnation: String
    package var isDeleted: Bool
    /// Digest of the catalog by which the evidence was made.
    package var catalogDigest: String
    /// `name=value` pairs that relations look up: `VpcId` -> `vpc-1`; the engine computes them from the state.
    package var references: [Reference]

    package struct Reference: Sendable, Hashable {
        /// The type's path whose value this is, `VpcId`, or `.` for the resource's own id and names.
        package var path: String
        package var value: String
        package init(path: String, value: String) {
            self.path = path
            self.value = value
        }
    }

    package init(
        resource: ResourceID, context: ResourceContext, evidence: [UInt8], incarnation: String, isDeleted: Bool,
        catalogDigest: String, references: [Reference]
    ) {
        self.resource = resource
        self.context = context
        self.evidence = evidence
        self.incarnation = incarnation
        self.isDeleted = isDeleted
        self.catalogDigest = catalogDigest
        self.references = references
    }
}

/// One row of a resource's history: what an event or a read said, when it happened and when we knew.
package struct HistoryEntry: Sendable, Hashable {
    package var resource: ResourceID
    /// Unique together with the resource.
    package var eventID: String
    package var happened: Timestamp
    package var known: Timestamp
    /// Encoded evidence of this event for this resource.
    package var evidence: [UInt8]
    package var actor: String
    package var action: String

    package init(
        resource: ResourceID, eventID: String, happened: Timestamp, known: Timestamp, evidence: [UInt8],
        actor: String, action: String
    ) {
        self.resource = resource
        self.eventID = eventID
        self.happened = happened
        self.known = known
        self.evidence = evidence
        self.actor = actor
        self.action = action
    }
}

/// A resource that must be looked at again. One row a resource: a mark on one that is being worked on makes exactly
/// one rerun, because its generation moves on and the worker's `done` no longer fits.
package struct DirtyResource: Sendable, Hashable {
    package var resource: ResourceID
    package var context: ResourceContext
    /// 0 first. ``Severity`` turned round; own eyes before all.
    package var priority: Int
    package var since: Timestamp
    package var notBefore: Timestamp
    package var attempts: Int
    package var reason: String
    /// Set by the journal: grows with each mark.
    package var generation: Int64

    package init(
        resource: ResourceID, context: ResourceContext, priority: Int, since: Timestamp, notBefore: Timestamp,
        attempts: Int = 0, reason: String, generation: Int64 = 0
    ) {
        self.resource = resource
        self.context = context
        self.priority = priority
        self.since = since
        self.notBefore = notBefore
        self.attempts = attempts
        self.reason = reason
        self.generation = generation
    }
}

/// A finding as the journal holds it; `body` has what people see (see ``Finding``), encoded as canonical JSON.
package struct StoredFinding: Sendable, Hashable {
    package var id: String
    package var rule: String
    package var resource: ResourceID
    package var state: String
    package var severity: Severity
    package var body: JSON
    package init(id: String, rule: String, resource: ResourceID, state: String, severity: Severity, body: JSON) {
        self.id = id
        self.rule = rule
        self.resource = resource
        self.state = state
        self.severity = severity
        self.body = body
    }
}

/// One row of a finding's history.
package struct FindingChangeRow: Sendable, Hashable {
    package var finding: String
    /// opened | reopened | changed | resolved | suppressed | stale | deleted
    package var change: String
    package var happened: Timestamp
    package var known: Timestamp
    /// The event that caused it, or `baseline`.
    package var cause: String
    package var body: JSON
    package init(
        finding: String, change: String, happened: Timestamp, known: Timestamp, cause: String, body: JSON
    ) {
        self.finding = finding
        self.change = change
        self.happened = happened
        self.known = known
        self.cause = cause
        self.body = body
    }
}

/// Input that could not be made into events.
package struct DeadLetter: Sendable, Hashable {
    /// `cloudtrail/3@1042`: unique, so that a redelivery adds nothing.
    package var place: String
    package var source: String
    package var reason: String
    package var received: Timestamp
    /// At most the first 64 KiB.
    package var bytes: [UInt8]
    package init(place: String, source: String, reason: String, received: Timestamp, bytes: [UInt8]) {
        self.place = place
        self.source = source
        self.reason = reason
        self.received = received
        self.bytes = bytes
    }
}

/// Adds to a counter: `dropped.read`, hour, actor -> n.
package struct CounterDelta: Sendable, Hashable {
    package var name: String
    /// What is counted apart: an actor, an operation's name; empty where nothing is.
    package var label: String
    /// The hour, in seconds since 1970, or 0 for counters over all time.
    package var hour: Int64
    package var amount: Int64
    package init(name: String, label: String = "", hour: Int64 = 0, amount: Int64 = 1) {
        self.name = name
        self.label = label
        self.hour = hour
        self.amount = amount
    }
}

/// Who opened a session: leads from a session key back to the caller.
package struct SessionLink: Sendable, Hashable {
    /// An access key id or the assumed role's session ARN.
    package var session: String
    /// The caller's name, and the caller's own session key where it had one.
    package var caller: Principal
    package var opened: Timestamp
    package init(session: String, caller: Principal, opened: Timestamp) {
        self.session = session
        self.caller = caller
        self.opened = opened
    }
}

/// A human must act.
package struct Notice: Sendable, Hashable {
    /// The runbook's file name.
    package var code: String
    /// What it is about; one open notice for each code and subject.
    package var subject: String
    package var text: String
    package var raised: Timestamp
    package init(code: String, subject: String, text: String, raised: Timestamp) {
        self.code = code
        self.subject = subject
        self.text = text
        self.raised = raised
    }
}

/// A rule that reads the clock asks to be evaluated again.
package struct TimerMark: Sendable, Hashable {
    package var resource: ResourceID
    package var rule: String
    package var due: Timestamp
    package init(resource: ResourceID, rule: String, due: Timestamp) {
        self.resource = resource
        self.rule = rule
        self.due = due
    }
}

/// A decision or load for the audit log; the journal chains it.
package struct AuditEntry: Sendable, Hashable {
    /// `data-loaded`, `plan`, `finding-exempted`, …
    package var kind: String
    package var at: Timestamp
    package var body: JSON
    package init(kind: String, at: Timestamp, body: JSON) {
        self.kind = kind
        self.at = at
        self.body = body
    }
}

/// What a notice was about has ended; without an open one of this code and subject it changes nothing.
package struct NoticeClosing: Sendable, Hashable {
    package var code: String
    package var subject: String
    package var at: Timestamp
    package init(code: String, subject: String, at: Timestamp) {
        self.code = code
        self.subject = subject
        self.at = at
    }
}

/// Everything that one step of the service wrote, committed whole or not at all.
package struct JournalTransaction: Sendable {
    /// What the writer owns. One at least: a transaction without any is refused as fenced.
    package var leases: [Lease] = []
    package var positions: [SourcePosition] = []
    /// Ids of new events, for the window in which duplicates are known.
    package var eventIDs: [String] = []
    /// The batch as received, for the evidence log: one row, one SHA-256; none where it is empty.
    package var batch: [UInt8] = []
    package var resources: [StoredResource] = []
    package var history: [HistoryEntry] = []
    package var findings: [StoredFinding] = []
    /// Of findings that this or an earlier transaction wrote.
    package var findingChanges: [FindingChangeRow] = []
    /// Likewise. One that equals the last of its finding adds nothing.
    package var plans: [(finding: String, digest: String, body: JSON)] = []
    /// Marks. On a resource that is dirty already: the lowest priority number, the earliest `since` and `notBefore`,
    /// the most attempts, and the reason of the mark with the lower priority number or, among equals, of the later.
    package var dirty: [DirtyResource] = []
    /// Claimed resources that are done, if their generation still is what was claimed. One that was marked meanwhile
    /// stays for one more run, its attempts at 0. Applied before `dirty`: a failed run is in both, in `dirty` with
    /// one attempt more and a later `notBefore`.
    package var done: [DirtyResource] = []
    /// One a resource and rule, of several the earliest. `firedTimers` goes first.
    package var timers: [TimerMark] = []
    /// Takes out the timer of the resource and rule if it was due by then.
    package var firedTimers: [TimerMark] = []
    /// Of two links of one session the one opened last stays.
    package var sessions: [SessionLink] = []
    package var counters: [CounterDelta] = []
    /// A time that is `nil`, or older than what is there, changes nothing.
    package var accounts: [StoredAccount] = []
    package var deadLetters: [DeadLetter] = []
    package var closedNotices: [NoticeClosing] = []
    /// After `closedNotices`. One that is open keeps its time and takes the newer text.
    package var notices: [Notice] = []
    package var audit: [AuditEntry] = []
    /// Its record stands in `audit`; its batches go later.
    package var sealedEvidence: EvidenceSegment?
    /// What is decided and done about findings.
    package var remediation = RemediationWrites()
    /// What is to be told, and what was.
    package var messages = MessageWrites()
    /// Leads to a write in a cloud: wait until it is on the disk.
    package var mustBeDurable = false

    package init() {}
}

/// The service's memory. All calls are synchronous and blocking, made from the executor that wiring gives the engine;
/// one commit path. What is read sees everything committed before.
package protocol Journal: RemediationJournal, AuditJournal, ExemptionJournal, MessageJournal {
    /// Takes a part: epoch + 1. Older epochs are refused from then on.
    func acquire(part: String) throws(JournalError) -> Lease
    func commit(_ transaction: JournalTransaction) throws(JournalError)

    func positions(source: String) throws(JournalError) -> [SourcePosition]
    /// One of these; `nil` where the source has none there.
    func position(source: String, partition: String) throws(JournalError) -> SourcePosition?
    /// Ids of events committed since a moment, for the window of known events; newest last, at most `limit`.
    func recentEventIDs(limit: Int) throws(JournalError) -> [String]
    func resource(_ id: ResourceID) throws(JournalError) -> StoredResource?
    /// Resources of a type that hold this reference, after one, in the order of their ids' UTF-8 bytes, at most
    /// `limit`.
    func resources(
        type: String, path: String, value: String, after: ResourceID?, limit: Int
    ) throws(JournalError) -> [StoredResource]
    /// Resources after one, in the order (type, id) of UTF-8 bytes, at most `limit`: for sweeps, exports and full
    /// evaluation.
    func resources(after: ResourceID?, limit: Int) throws(JournalError) -> [StoredResource]
    /// What happened by then, first by when it happened, then by event id; what was not known at a moment has a later
    /// `known`.
    func history(of id: ResourceID, upTo: Timestamp) throws(JournalError) -> [HistoryEntry]
    /// In the order of their ids.
    func findings(of id: ResourceID) throws(JournalError) -> [StoredFinding]
    func finding(id: String) throws(JournalError) -> StoredFinding?
    /// Findings in the order of their ids.
    func findings(states: [String]) throws(JournalError) -> [StoredFinding]
    /// In the order in which they were written.
    func findingChanges(of finding: String) throws(JournalError) -> [FindingChangeRow]
    /// The latest that any change of a finding is dated, by our clock; `nil` where there was none.
    func newestFindingChange() throws(JournalError) -> Timestamp?
    /// The plan recorded last for a finding.
    func plan(finding: String) throws(JournalError) -> (digest: String, body: JSON)?
    /// Dirty resources that are due, first by priority, then by age; not those in `except`.
    func dirty(dueAt: Timestamp, except: Set<ResourceID>, limit: Int) throws(JournalError) -> [DirtyResource]
    /// How many are dirty, since when the oldest is, and when the next is due.
    func dirtySummary() throws(JournalError) -> (count: Int, oldest: Timestamp?, nextDue: Timestamp?)
    /// First the earliest due.
    func timers(dueAt: Timestamp, limit: Int) throws(JournalError) -> [TimerMark]
    func nextTimer() throws(JournalError) -> Timestamp?
    func session(_ key: String) throws(JournalError) -> SessionLink?
    /// By label, then by hour.
    func counters(name: String) throws(JournalError) -> [CounterDelta]
    /// By cloud, then by id.
    func accounts() throws(JournalError) -> [StoredAccount]
    /// Of accounts that have any resource or finding; by cloud, then by id.
    func accountCounts() throws(JournalError) -> [AccountCounts]
    /// The newest first.
    func deadLetters(limit: Int) throws(JournalError) -> [DeadLetter]
    /// By code, then by subject.
    func openNotices() throws(JournalError) -> [Notice]
}

extension Journal {
    /// The first of the resources that hold a reference.
    package func resources(
        type: String, path: String, value: String, limit: Int
    ) throws(JournalError) -> [StoredResource] {
        try resources(type: type, path: path, value: value, after: nil, limit: limit)
    }
}
