internal import GRDB
package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// The one place where a step becomes one that may be made.
extension SQLiteJournal {
    package func begin(_ intent: StepIntent) throws(BeginError) -> Begun {
        var refusal: Refusal?
        let epoch: Int64
        do {
            epoch = try write(durable: true, "begin a step in") { db in
                var commit = Commit(db: db, beforeStep: self.beforeStep)
                do {
                    return try commit.begin(intent)
                } catch let error as Refusal {
                    refusal = error
                    throw error
                }
            }
        } catch {
            if let refusal { throw .refused(refusal.guardName, refusal.reason) }
            throw .journal(error)
        }
        return Begun(
            run: intent.run.id, step: intent.run.cursor, attempt: intent.run.attempts, callDigest: intent.call.digest,
            planDigest: intent.decision.planDigest, epoch: epoch, at: intent.at)
    }
}

/// A refusal on its way out of the transaction, which it rolls back.
private struct Refusal: Error {
    var guardName: GuardName
    var reason: String

    init(_ guardName: GuardName, _ reason: String) {
        self.guardName = guardName
        self.reason = reason
    }
}

extension Commit {
    /// - Returns: the epoch under which it was begun.
    fileprivate mutating func begin(_ intent: StepIntent) throws -> Int64 {
        var transaction = JournalTransaction()
        transaction.leases = intent.leases
        transaction.remediation.runs = [intent.run]
        transaction.audit = [audit(of: intent)]
        try checkHalts(intent)
        try consumeBudgets(intent)
        try checkApprovals(intent)
        try store(intent.capture)
        try write(transaction)
        return intent.leases.first { $0.part.hasPrefix("shard") }?.epoch ?? 0
    }

    private func checkHalts(_ intent: StepIntent) throws {
        try beforeStep("check-halts")
        let select = try db.prepared("SELECT person, reason FROM halts WHERE part = ?")
        for part in intent.haltParts {
            let halt = try select.first([.text(part.description)]) { (by: try $0.text(0), reason: try $0.text(1)) }
            if let halt { throw Refusal(.halt, "\(part) was halted by \(halt.by): \(halt.reason)") }
        }
    }

    private func consumeBudgets(_ intent: StepIntent) throws {
        let count = try db.prepared("SELECT count(*) FROM budget_uses WHERE budget = ? AND at > ?")
        let use = try db.prepared("INSERT INTO budget_uses (budget, at, run) VALUES (?, ?, ?)")
        for claim in intent.budgets {
            try beforeStep("budget")
            let used = try count.integer([.text(claim.key), .time(intent.at - claim.window)]) ?? 0
            guard used < Int64(claim.limit) else {
                throw Refusal(.budgets, "the budget \(claim.key) is spent: \(used) of \(claim.limit)")
            }
            try use.run([.text(claim.key), .time(intent.at), .text(intent.run.id)])
        }
    }

    private func checkApprovals(_ intent: StepIntent) throws {
        try beforeStep("check-approvals")
        let words = try ApprovalRows.of(intent.decision.planDigest, in: db)
        guard intent.isApproved(words) else {
            throw Refusal(.approvals, "the approvals that it had no longer count")
        }
    }

    private func store(_ capture: StoredCapture?) throws {
        guard let capture else { return }
        try beforeStep("capture")
        // Of a step that is tried again the first capture stays: later ones may hold what we wrote.
        try db.prepared("INSERT OR IGNORE INTO captures (run, step, expires, sealed) VALUES (?, ?, ?, ?)").run([
            .text(capture.run), .int(capture.step), .time(capture.expires), .bytes(capture.sealed),
        ])
    }

    private func audit(of intent: StepIntent) -> AuditEntry {
        AuditEntry(
            kind: "step-begun", at: intent.at,
            body: [
                "run": .string(intent.run.id), "step": .number(JSONNumber(intent.run.cursor)),
                "attempt": .number(JSONNumber(intent.run.attempts)),
                "direction": .string(intent.run.direction.rawValue),
                "call": .string(intent.call.name), "call-digest": .string(intent.call.digest),
                "plan": .string(intent.decision.planDigest), "finding": .string(intent.run.finding),
                "guards": .array(intent.decision.answers.map(\.json)),
            ])
    }
}

/// Words on a digest as rows.
enum ApprovalRows {
    static func of(_ digest: String, in db: Database) throws -> [Approval] {
        try db.prepared(
            """
            SELECT word, person, roles, reason, at, expires, via FROM approvals WHERE digest = ? ORDER BY key
            """
        ).rows([.text(digest)]) { row in
            Approval(
                digest: digest, word: Approval.Word(rawValue: try row.text(0)) ?? .refuse, person: try row.text(1),
                roles: try row.json(2).array?.compactMap(\.string) ?? [], reason: try row.text(3),
                at: try row.time(4), expires: try row.time(5), via: try row.text(6))
        }
    }
}
