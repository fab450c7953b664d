import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import Testing

/// What every implementation of the journal promises.
@Suite("A journal")
struct JournalCompliance {
    @Test("The sample transaction has something in every list that a transaction can hold")
    func sampleIsWhole() {
        for child in Mirror(reflecting: Sample.everything(round: 1)).children {
            guard let label = child.label, !["leases", "mustBeDurable"].contains(label) else { continue }
            #expect(!Mirror(reflecting: child.value).children.isEmpty, "\(label) is empty")
        }
    }

    @Test("A crash at any write of a commit leaves everything as it was", arguments: JournalKind.all)
    func atomicity(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 1)) }
        let before = try bench.contents()

        let reference = try Bench(kind)
        for round in 1...2 as ClosedRange<Int64> {
            reference.crash.arm(at: nil)
            try reference.commit { $0 = with($0.leases, Sample.everything(round: round)) }
        }
        let steps = reference.crash.steps
        #expect(Set(steps).count >= 20)
        #expect(steps.last == "commit")

        for (number, step) in steps.enumerated() {
            bench.crash.arm(at: number)
            #expect(throws: JournalError.self, "\(step)") {
                try bench.commit { $0 = with($0.leases, Sample.everything(round: 2)) }
            }
            #expect(try bench.contents() == before, "after a crash before write \(number), \(step)")
        }
        bench.crash.arm(at: nil)
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 2)) }
        #expect(try bench.contents() == reference.contents())
    }

    @Test("What was written is read back the same, whatever its texts and times", arguments: JournalKind.all)
    func roundTrip(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let odd = Sample.oddText
        let id = ResourceID(type: odd, id: odd)
        var stored = Sample.stored(id, "", references: [(odd, odd), (odd, "")])
        stored.context = ResourceContext(cloud: .gcp, account: odd, region: odd)
        stored.incarnation = odd
        stored.isDeleted = true
        let entry = HistoryEntry(
            resource: id, eventID: odd, happened: .distantPast, known: .distantFuture, evidence: [0, 255], actor: odd,
            action: odd)
        let body: JSON = ["a": [.null, true, -1, .number(JSONNumber(unchecked: "1e400"))], "": .string(odd)]
        let finding = StoredFinding(id: odd, rule: odd, resource: id, state: odd, severity: .low, body: body)
        let change = FindingChangeRow(
            finding: odd, change: odd, happened: .distantPast, known: .distantFuture, cause: odd, body: body)
        let link = SessionLink(
            session: odd, caller: Principal(name: odd, type: odd, sessionKey: odd), opened: .distantPast)
        let letter = DeadLetter(place: odd, source: odd, reason: odd, received: .distantPast, bytes: [])
        let notice = Notice(code: odd, subject: odd, text: odd, raised: .distantPast)
        let position = SourcePosition(source: odd, partition: odd, next: .max, note: [0, 255, 0])
        let counter = CounterDelta(name: odd, label: odd, hour: .max, amount: .min)
        let timer = TimerMark(resource: id, rule: odd, due: .distantFuture)
        let audit = AuditEntry(kind: odd, at: .distantPast, body: body)
        try bench.commit {
            $0.positions = [position]
            $0.eventIDs = [odd, "", "x"]
            $0.resources = [stored]
            $0.history = [entry]
            $0.findings = [finding]
            $0.findingChanges = [change]
            $0.plans = [(odd, odd, body)]
            $0.timers = [timer]
            $0.sessions = [link]
            $0.counters = [counter]
            $0.deadLetters = [letter]
            $0.notices = [notice]
            $0.audit = [audit]
        }
        let journal = bench.journal
        #expect(try journal.positions(source: odd) == [position])
        #expect(try journal.recentEventIDs(limit: 9) == [odd, "", "x"])
        #expect(try journal.resource(id) == stored)
        #expect(try journal.resources(type: odd, path: odd, value: "", limit: 9) == [stored])
        #expect(try journal.history(of: id, upTo: .distantFuture) == [entry])
        #expect(try journal.finding(id: odd) == finding)
        #expect(try journal.findings(states: [odd]) == [finding])
        #expect(try journal.findingChanges(of: odd) == [change])
        #expect(try journal.plan(finding: odd)?.digest == odd)
        #expect(try journal.plan(finding: odd)?.body == body)
        #expect(try journal.timers(dueAt: .distantFuture, limit: 9) == [timer])
        #expect(try journal.session(odd) == link)
        #expect(try journal.counters(name: odd) == [counter])
        #expect(try journal.deadLetters(limit: 9) == [letter])
        #expect(try journal.openNotices() == [notice])
        #expect(try journal.auditEntries(after: 0, limit: 9).map(\.entry) == [audit])
    }

    @Test("Two names that differ only after U+0000 are two resources", arguments: JournalKind.all)
    func forgedNames(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let names = ["a", "a\u{0}", "a\u{0}b", "a\u{1}", "a\u{1}0", "a\u{1}1"].map(Sample.bucket)
        try bench.commit { $0.resources = names.map { Sample.stored($0, $0.id) } }
        for name in names { #expect(try bench.journal.resource(name)?.evidence == Array(name.id.utf8)) }
    }

    @Test(
        "A new owner of a part shuts the old one out, and nothing of its transaction stays", arguments: JournalKind.all)
    func fencing(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 1)) }
        let newer = try bench.journal.acquire(part: "shards")
        #expect(newer == Lease(part: "shards", epoch: bench.shards.epoch + 1))
        let before = try bench.contents()
        expectFenced(bench, [bench.intake, bench.shards])
        expectFenced(bench, [bench.shards])
        expectFenced(bench, [bench.intake, Lease(part: "shards", epoch: newer.epoch + 1)])
        expectFenced(bench, [bench.intake, Lease(part: "shard/3", epoch: 1)])
        expectFenced(bench, [])
        #expect(try bench.contents() == before)

        try bench.journal.commit(with([bench.intake, newer], Sample.everything(round: 2)))
        #expect(try bench.contents() != before)
        #expect(try bench.journal.auditEntries(after: 1, limit: 9).map(\.epoch) == [newer.epoch])
    }

    private func expectFenced(_ bench: Bench, _ leases: [Lease]) {
        let error = #expect(throws: JournalError.self, "\(leases)") {
            try bench.journal.commit(with(leases, Sample.everything(round: 2)))
        }
        #expect(error?.code == .fenced, "\(leases)")
    }

    @Test("A position moves on, and each source sees its own", arguments: JournalKind.all)
    func positions(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let b = SourcePosition(source: "file", partition: "b", next: 1)
        let a = SourcePosition(source: "file", partition: "a", next: 1)
        try bench.commit { $0.positions = [b, a, SourcePosition(source: "stdin", partition: "", next: 9)] }
        let later = SourcePosition(source: "file", partition: "b", next: 5, note: [1, 2])
        try bench.commit { $0.positions = [later] }
        #expect(try bench.journal.positions(source: "file") == [a, later])
        try bench.commit { $0.positions = [b] }
        #expect(try bench.journal.positions(source: "file") == [a, b])
        #expect(try bench.journal.positions(source: "kafka") == [])
        #expect(try bench.journal.position(source: "file", partition: b.partition) == b)
        #expect(try bench.journal.position(source: "file", partition: "elsewhere") == nil)
    }

    @Test("The newest event ids come back in their order, at most as many as asked", arguments: JournalKind.all)
    func eventIDs(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.eventIDs = ["1", "2", "3"] }
        try bench.commit { $0.positions = [] }
        try bench.commit { $0.eventIDs = ["4", "5"] }
        #expect(try bench.journal.recentEventIDs(limit: 100) == ["1", "2", "3", "4", "5"])
        #expect(try bench.journal.recentEventIDs(limit: 3) == ["3", "4", "5"])
        #expect(try bench.journal.recentEventIDs(limit: 2) == ["4", "5"])
        #expect(try bench.journal.recentEventIDs(limit: 0) == [])
    }

    @Test("Audit entries are chained without gaps over transactions", arguments: JournalKind.all)
    func auditChain(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let entries = (1...5).map { AuditEntry(kind: "plan", at: Sample.at($0), body: ["n": .number(.init(Int($0)))]) }
        try bench.commit { $0.audit = Array(entries[0..<2]) }
        try bench.commit { $0.audit = Array(entries[2..<5]) }
        let records = try bench.journal.auditEntries(after: 0, limit: 100)
        #expect(records.map(\.entry) == entries)
        #expect(records.map(\.sequence) == [1, 2, 3, 4, 5])
        for (one, next) in zip(records, records.dropFirst()) { #expect(next.previous == one.digest) }
        #expect(Set(records.map(\.digest)).count == 5)
        #expect(try bench.journal.auditEntries(after: 2, limit: 2) == Array(records[2..<4]))
    }
}

/// A transaction with leases.
func with(_ leases: [Lease], _ transaction: JournalTransaction) -> JournalTransaction {
    var transaction = transaction
    transaction.leases = leases
    return transaction
}
