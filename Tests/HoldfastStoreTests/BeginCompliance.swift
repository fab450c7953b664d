import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON
import Synchronization
import Testing

/// What every implementation of the journal promises of steps that are begun: whatever guards them holds in the same
/// transaction, and what was refused, or crashed, was never there.
@Suite("A journal's beginnings")
struct BeginCompliance {
    private static let now = Timestamp(seconds: 1_780_000_000)
    private static let budget = BudgetClaim(key: "overall", limit: 2, window: Span(seconds: 60))

    /// A run of one step, by way of the journal's own form of one.
    private func run(_ id: String, campaign: String = "") throws -> Run {
        let call: JSON = ["call": "s3.Put", "request": "", "permission": "", "parameters": ["Bucket": "b"]]
        let step: JSON = [
            "call": call, "writes": ["A"],
            "undo": [
                "grade": "exact", "call": "s3.Delete", "request": "",
                "permission": "", "parameters": [:],
            ], "idempotent": true, "state": "pending",
        ]
        let json: JSON = [
            "id": .string(id), "finding": "f-1", "rule": "r", "resource": "arn:aws:s3:::b", "type": "AWS::S3::Bucket",
            "incarnation": "i", "cloud": "aws", "account": "111122223333", "region": "eu-west-1",
            "environment": "dev", "playbook": "p", "playbook-digest": "pd", "plan": "d1", "risk": "low",
            "campaign": .string(campaign), "steps": [step], "opened": .string(Self.now.description), "phase": "ready",
            "direction": "forward", "not-before": .string(Self.now.description),
        ]
        return try #require(Run(json: json))
    }

    private func intent(
        _ bench: Bench, run id: String = "r-1", at: Timestamp = now, campaign: String = "", leases: [Lease]? = nil,
        isApproved: @escaping @Sendable ([Approval]) -> Bool = { _ in true }
    ) throws -> StepIntent {
        var run = try run(id, campaign: campaign)
        let call = run.steps[0].call
        try run.begin(call, isIdempotent: true, at: at)
        let answer = try #require(GuardAnswer(json: ["guard": "halt", "says": "pass", "reason": "nothing is halted"]))
        return StepIntent(
            leases: leases ?? [bench.shards], run: run, call: call,
            decision: Decision(finding: "f-1", planDigest: "d1", playbook: "p", at: at, answers: [answer]), at: at,
            haltParts: [.all, .cloud(.aws), .account("111122223333"), .environment("dev"), .playbook("p")],
            budgets: [Self.budget], isApproved: isApproved,
            capture: StoredCapture(run: id, step: 0, sealed: [1, 2, 3], expires: at + Span(seconds: 86_400)))
    }

    /// Begins it, and forgets the right that it gives.
    private func begin(_ bench: Bench, _ intent: StepIntent) throws(BeginError) -> (attempt: Int, digest: String) {
        let begun = try bench.journal.begin(intent)
        return (begun.attempt, begun.callDigest)
    }

    /// What of remediation can be read, as text.
    private func contents(_ bench: Bench) throws -> [String] {
        let journal = bench.journal
        return try bench.contents() + [
            "\(try journal.openRuns())", "\(try journal.uses(of: "overall", since: .distantPast))",
            "\(String(describing: try journal.capture(run: "r-1", step: 0)))",
        ]
    }

    private func expectRefusal(_ bench: Bench, _ intent: StepIntent, by name: GuardName) throws {
        let before = try contents(bench)
        do throws(BeginError) {
            _ = try begin(bench, intent)
            Issue.record("it was begun")
        } catch {
            guard case .refused(let guardName, let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(guardName == name)
            #expect(!reason.isEmpty)
        }
        #expect(try contents(bench) == before)
    }

    @Test(
        "A step that is begun is there whole: run, use of the budget, capture and audit entry",
        arguments: JournalKind.all)
    func begun(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let intent = try intent(bench)
        let begun = try begin(bench, intent)
        #expect(begun.attempt == 1)
        #expect(begun.digest == intent.call.digest)
        #expect(try bench.journal.run(id: "r-1") == intent.run)
        #expect(try bench.journal.uses(of: "overall", since: .distantPast) == 1)
        #expect(try bench.journal.capture(run: "r-1", step: 0) == [1, 2, 3])
        let entry = try #require(try bench.journal.auditEntries(after: 0, limit: 10).last?.entry)
        #expect(entry.kind == "step-begun")
        #expect(entry.body["call-digest"]?.string == intent.call.digest)
        #expect(entry.body["guards"]?.array?.count == 1)
    }

    @Test("A halt of any of its parts refuses it, and one of another part does not", arguments: JournalKind.all)
    func halts(kind: JournalKind) throws {
        let bench = try Bench(kind)
        for part in [Halt.Part.all, .cloud(.aws), .account("111122223333"), .environment("dev"), .playbook("p")] {
            try bench.commit { $0.remediation.halts = [Halt(part: part, by: "ada", reason: "no", at: Self.now)] }
            try expectRefusal(bench, try intent(bench), by: .halt)
            try bench.commit { $0.remediation.resumed = [part] }
        }
        try bench.commit {
            $0.remediation.halts = [Halt(part: .playbook("q"), by: "ada", reason: "no", at: Self.now)]
        }
        _ = try begin(bench, try intent(bench))
    }

    @Test("A budget lets through what it has within its window, and no more", arguments: JournalKind.all)
    func budgets(kind: JournalKind) throws {
        let bench = try Bench(kind)
        _ = try begin(bench, try intent(bench, run: "r-1"))
        _ = try begin(bench, try intent(bench, run: "r-2", at: Self.now + Span(seconds: 30)))
        try expectRefusal(bench, try intent(bench, run: "r-3", at: Self.now + Span(seconds: 59)), by: .budgets)
        _ = try begin(bench, try intent(bench, run: "r-3", at: Self.now + Span(seconds: 60)))
        try expectRefusal(bench, try intent(bench, run: "r-4", at: Self.now + Span(seconds: 61)), by: .budgets)
    }

    @Test("Approvals are asked with the words that the journal has then", arguments: JournalKind.all)
    func approvals(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let isMet: @Sendable ([Approval]) -> Bool = { words in words.map(\.person) == ["ada"] }
        try expectRefusal(bench, try intent(bench, isApproved: isMet), by: .approvals)
        let word = { (digest: String) in
            Approval(
                digest: digest, word: .approve, person: "ada", roles: ["approver"], reason: "", at: Self.now,
                expires: .distantFuture, via: "session")
        }
        try bench.commit { $0.remediation.approvals = [word("d2")] }
        try expectRefusal(bench, try intent(bench, isApproved: isMet), by: .approvals)
        try bench.commit { $0.remediation.approvals = [word("d1")] }
        _ = try begin(bench, try intent(bench, isApproved: isMet))
    }

    @Test("A run of a campaign begins only while that runs", arguments: JournalKind.all)
    func campaigns(kind: JournalKind) throws {
        let bench = try Bench(kind)
        var campaign = Campaign(
            id: "c-1", playbook: "p", playbookDigest: "pd", scope: "", state: .proposed, items: [], wave: 1,
            proposedBy: "ada", proposed: Self.now, reason: "")
        for state in [Campaign.State.proposed, .stopped, .done] {
            campaign.state = state
            let present = campaign
            try bench.commit { $0.remediation.campaigns = [present] }
            try expectRefusal(bench, try intent(bench, campaign: "c-1"), by: .origin)
        }
        campaign.state = .running
        let present = campaign
        try bench.commit { $0.remediation.campaigns = [present] }
        _ = try begin(bench, try intent(bench, campaign: "c-1"))
    }

    @Test("Where a playbook stands is told by its digest, environment and phase", arguments: JournalKind.all)
    func standings(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let ends: [(phase: Run.Phase, finding: String, environment: String, digest: String)] = [
            (.verified, "f-1", "dev", "pd"), (.undone, "f-1", "staging", "pd"), (.verified, "f-1", "dev", "pd"),
            (.verified, "f-2", "dev", "pd"), (.verified, "f-2", "staging", "pd"), (.verified, "f-2", "dev", "old"),
            (.abandoned, "f-1", "dev", "pd"), (.stuck, "f-2", "dev", "old"),
        ]
        for (index, end) in ends.enumerated() {
            var json = try #require(try run("r-\(index)").json.object)
            json["phase"] = .string(end.phase.rawValue)
            json["finding"] = .string(end.finding)
            json["environment"] = .string(end.environment)
            json["playbook-digest"] = .string(end.digest)
            json["ended"] = .string((Self.now + Span(seconds: index)).description)
            let ended = try #require(Run(json: .object(json)))
            try bench.commit { $0.remediation.runs = [ended] }
        }
        let journal = bench.journal
        #expect(try journal.lastUndone(playbookDigest: "pd", environment: nil) == Self.now + Span(seconds: 1))
        #expect(try journal.lastUndone(playbookDigest: "pd", environment: "dev") == nil)
        #expect(try journal.lastUndone(playbookDigest: "old", environment: "dev") == Self.now + Span(seconds: 7))
        let all = try journal.verified(playbookDigest: "pd", environment: "dev", since: .distantPast)
        #expect(all.count == 3 && all.first == Self.now)
        let later = try journal.verified(
            playbookDigest: "pd", environment: "dev", since: Self.now + Span(seconds: 1))
        #expect(later.count == 2 && later.first == Self.now + Span(seconds: 2))
        let none = try journal.verified(playbookDigest: "pd", environment: "production", since: .distantPast)
        #expect(none.count == 0 && none.first == nil)
        let own = try journal.endedRuns(of: "f-1", since: Self.now, limit: 2)
        #expect(own.map(\.id) == ["r-6", "r-2"])
    }

    @Test("Who has lost the lease begins nothing", arguments: JournalKind.all)
    func fenced(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let old = try intent(bench)
        let lease = try bench.journal.acquire(part: "shards")
        let before = try contents(bench)
        do throws(BeginError) {
            _ = try begin(bench, old)
            Issue.record("an old owner began a step")
        } catch {
            guard case .journal(let failure) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(failure.code == .fenced)
        }
        #expect(try contents(bench) == before)
        _ = try begin(bench, try intent(bench, leases: [lease]))
    }

    @Test("A crash at any write of it leaves nothing of it", arguments: JournalKind.all)
    func crash(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let before = try contents(bench)
        bench.crash.arm(at: nil)
        let probe = try Bench(kind)
        _ = try begin(probe, try intent(probe))
        let writes = probe.crash.steps
        #expect(writes.contains("check-halts") && writes.contains("budget") && writes.contains("audit"))
        let count = writes.drop { $0 != "leases" && $0 != "check-halts" }.count
        #expect(count > 6)
        for number in 0..<count {
            bench.crash.arm(at: number)
            #expect(throws: BeginError.self, "write \(number)") { _ = try begin(bench, try intent(bench)) }
            bench.crash.arm(at: nil)
            #expect(try contents(bench) == before, "write \(number)")
        }
        _ = try begin(bench, try intent(bench))
        #expect(try bench.journal.uses(of: "overall", since: .distantPast) == 1)
    }
}
