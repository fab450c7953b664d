import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Synchronization
import Testing

/// A folder that goes when nothing uses it any more.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "holdfast-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

/// Makes empty journals of one implementation for the compliance suite. To run another one through it, add it to `all`.
struct JournalKind: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The closure is called before each write of a commit, and rolls the commit back by throwing.
    var make:
        @Sendable (_ folder: TemporaryFolder, _ beforeStep: @escaping @Sendable (String) throws -> Void) throws
            -> any Journal

    static let all = [
        JournalKind(testDescription: "SQLite on disk") { folder, beforeStep in
            try SQLiteJournal(.file(folder.file("holdfast.db")), beforeStep: beforeStep)
        },
        JournalKind(testDescription: "SQLite in memory") { _, beforeStep in
            try SQLiteJournal(.inMemory, beforeStep: beforeStep)
        },
    ]
}

/// A crash at one write of a commit.
final class Crash: Error, Sendable {
    private struct State {
        var seen: [String] = []
        var at: Int?
        var onStep: (@Sendable (String) throws -> Void)?
    }
    private let state = Mutex(State())

    /// Counts from 0 anew, and crashes before the write with this number; `nil`: never.
    func arm(at number: Int?) {
        state.withLock {
            $0.seen = []
            $0.at = number
        }
    }

    /// Runs something before each write.
    func observe(_ body: (@Sendable (String) throws -> Void)?) { state.withLock { $0.onStep = body } }

    /// The writes since it was armed.
    var steps: [String] { state.withLock { $0.seen } }

    func step(_ name: String) throws {
        let (isHit, body) = state.withLock {
            $0.seen.append(name)
            return ($0.at == $0.seen.count - 1, $0.onStep)
        }
        try body?(name)
        if isHit { throw self }
    }
}

/// A journal with the leases that an embedded process holds.
struct Bench {
    let folder: TemporaryFolder
    let journal: any Journal
    let crash: Crash
    let intake: Lease
    let shards: Lease

    init(_ kind: JournalKind) throws {
        folder = try TemporaryFolder()
        let crash = Crash()
        self.crash = crash
        journal = try kind.make(folder) { step in try crash.step(step) }
        intake = try journal.acquire(part: "source:file/a.json")
        shards = try journal.acquire(part: "shards")
    }

    func commit(_ change: (inout JournalTransaction) -> Void) throws {
        var transaction = JournalTransaction()
        transaction.leases = [intake, shards]
        change(&transaction)
        try journal.commit(transaction)
    }

    /// Everything that can be read, as text: equal where two journals hold the same.
    func contents() throws -> [String] { try contentsOf(journal) }
}

/// Everything of the samples that can be read from a journal, as text.
func contentsOf(_ journal: any Journal) throws -> [String] {
    var out: [String] = []
    out.append("\(try journal.exemptions())")
    for source in ["file", "kafka:holdfast"] { out.append("\(try journal.positions(source: source))") }
    out.append("\(try journal.recentEventIDs(limit: 1000))")
    for stored in try journal.resources(after: nil, limit: 1000) {
        out.append("\(stored)")
        out.append("\(try journal.resource(stored.resource) == stored)")
        out.append("\(try journal.history(of: stored.resource, upTo: .distantFuture))")
        out.append("\(try journal.findings(of: stored.resource))")
        for reference in stored.references {
            let found = try journal.resources(
                type: stored.resource.type, path: reference.path, value: reference.value, limit: 1000)
            out.append("\(reference) \(found.map(\.resource))")
        }
    }
    for finding in try journal.findings(states: ["open", "resolved"]) {
        out.append("\(finding)")
        out.append("\(try journal.findingChanges(of: finding.id))")
        out.append("\(String(describing: try journal.plan(finding: finding.id)))")
    }
    out.append("\(try journal.dirty(dueAt: .distantFuture, except: [], limit: 1000))")
    out.append("\(try journal.dirtySummary())")
    out.append("\(try journal.timers(dueAt: .distantFuture, limit: 1000))")
    out.append("\(String(describing: try journal.nextTimer()))")
    for key in Sample.sessionKeys { out.append("\(String(describing: try journal.session(key)))") }
    out.append("\(try journal.counters(name: "dropped.read"))")
    for account in try journal.accounts() {
        let times = [account.lastEvent, account.lastRead, account.lastWrite, account.lastWriteDenied]
        let listing = account.listing.map { "\($0.discovery) \($0.facts.sorted { $0.key < $1.key })" }
        out.append("\(account.cloud) \(account.id) \(times) \(listing ?? "")")
    }
    out.append("\(try journal.accountCounts().map { ($0.id, $0.resources, $0.findings.values.reduce(0, +)) })")
    out.append("\(try journal.deadLetters(limit: 1000))")
    out.append("\(try journal.openNotices())")
    out.append("\(try journal.auditEntries(after: 0, limit: 1000))")
    return out
}

/// Values to write.
enum Sample {
    static let context = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-central-1")
    static let sessionKeys = ["ASIA1", "ASIA2"]
    /// Texts that stores are known to break.
    static let oddText = "a\u{0}b\u{1}c\u{1}0 'quoted' \"twice\" \n é e\u{301} \u{FFFD} 🪣"

    static func at(_ second: Int64) -> Timestamp { Timestamp(seconds: 1_760_000_000 + second) }
    static func bucket(_ name: String) -> ResourceID { ResourceID(type: "AWS::S3::Bucket", id: name) }

    static func stored(_ id: ResourceID, _ text: String = "{}", references: [(String, String)] = []) -> StoredResource {
        StoredResource(
            resource: id, context: context, evidence: Array(text.utf8), incarnation: "2026-01-01T00:00:00Z e0",
            isDeleted: false, catalogDigest: "c1", references: references.map { .init(path: $0.0, value: $0.1) })
    }

    static func entry(_ id: ResourceID, event: String, happened: Int64, known: Int64? = nil, _ text: String = "{}")
        -> HistoryEntry
    {
        HistoryEntry(
            resource: id, eventID: event, happened: at(happened), known: at(known ?? happened + 5),
            evidence: Array(text.utf8), actor: "arn:aws:iam::111122223333:user/ann", action: "s3/PutBucketPolicy")
    }

    static func finding(_ id: String, of resource: ResourceID, state: String = "open", body: JSON = [:])
        -> StoredFinding
    {
        StoredFinding(id: id, rule: "s3-public", resource: resource, state: state, severity: .high, body: body)
    }

    static func change(_ finding: String, _ change: String, at second: Int64) -> FindingChangeRow {
        FindingChangeRow(
            finding: finding, change: change, happened: at(second), known: at(second + 1), cause: "e\(second)",
            body: ["by": "ann"])
    }

    static func mark(
        _ id: ResourceID, priority: Int = 2, since: Int64 = 0, notBefore: Int64 = 0, attempts: Int = 0,
        reason: String = "event"
    ) -> DirtyResource {
        DirtyResource(
            resource: id, context: context, priority: priority, since: at(since), notBefore: at(notBefore),
            attempts: attempts, reason: reason)
    }

    /// Something in every list that a transaction has; `round` 2 changes much of what round 1 wrote.
    static func everything(round: Int64) -> JournalTransaction {
        let first = bucket("logs")
        let second = bucket("round-\(round)")
        var all = JournalTransaction()
        all.positions = [
            SourcePosition(source: "file", partition: "a.json", next: 100 * round),
            SourcePosition(source: "kafka:holdfast", partition: "cloudtrail/\(round)", next: 7),
        ]
        all.eventIDs = ["e\(round)-1", "e\(round)-2"]
        all.batch = Array("batch \(round)".utf8)
        all.resources = [
            stored(first, "round \(round)", references: [(".", "logs"), ("KeyId", "key-\(round)")]), stored(second),
        ]
        all.history = [
            entry(first, event: "e\(round)-1", happened: round), entry(second, event: "e\(round)-2", happened: round),
        ]
        all.findings = [
            finding("f1", of: first, state: round == 1 ? "open" : "resolved"), finding("g\(round)", of: second),
        ]
        all.findingChanges = [
            change("f1", round == 1 ? "opened" : "resolved", at: round), change("g\(round)", "opened", at: round),
        ]
        all.plans = [("f1", "digest-\(round)", ["steps": [1, 2]])]
        all.done = [mark(bucket("round-\(round - 1)"))]
        all.dirty = [mark(first, since: round), mark(second, since: round)]
        all.firedTimers = [TimerMark(resource: first, rule: "key-age", due: at(round))]
        all.timers = [
            TimerMark(resource: first, rule: "key-age", due: at(100 + round)),
            TimerMark(resource: second, rule: "key-age", due: at(200)),
        ]
        all.sessions = [
            SessionLink(
                session: sessionKeys[Int(round % 2)], caller: Principal(name: "ann-\(round)", type: "User"),
                opened: at(round))
        ]
        all.counters = [CounterDelta(name: "dropped.read", label: "ann", hour: 3600, amount: 5)]
        all.accounts = [
            StoredAccount(
                cloud: .aws, id: "012345670123",
                listing: .init(discovery: "aws-organization", facts: ["ou": "round-\(round)"], listed: at(round)),
                lastEvent: at(round))
        ]
        all.deadLetters = [
            DeadLetter(
                place: "a.json@\(round)", source: "file", reason: "no eventName", received: at(round), bytes: [1, 0, 2])
        ]
        all.closedNotices = [NoticeClosing(code: "stream-gap", subject: "round-\(round - 1)", at: at(round))]
        all.notices = [Notice(code: "stream-gap", subject: "round-\(round)", text: "a gap", raised: at(round))]
        all.audit = [AuditEntry(kind: "data-loaded", at: at(round), body: ["digest": .string("d\(round)")])]
        all.sealedEvidence = EvidenceSegment(
            first: round, last: round, count: 1, root: String(repeating: "0", count: 64))
        let exemption = Exemption(
            rule: "s3-public", resources: [first.id], kind: .accepted, owner: "ann", approver: "", reason: "a website",
            end: at(1000))
        all.remediation.exemptions = [
            ExemptionRecord(id: "x-\(round)", exemption: exemption, by: "ann", at: at(round))
        ]
        return all
    }
}
