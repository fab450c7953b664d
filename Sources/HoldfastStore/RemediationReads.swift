internal import GRDB
package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// Decisions, runs and what people said.
extension SQLiteJournal {
    package func candidates(dueAt: Timestamp, limit: Int) throws(JournalError) -> [Candidate] {
        try read { db in
            try db.prepared("SELECT finding, due FROM candidates WHERE due <= ? ORDER BY due, finding LIMIT ?")
                .rows([.time(dueAt), .int(limit)]) { Candidate(finding: try $0.text(0), due: try $0.time(1)) }
        }
    }

    package func decision(of finding: String) throws(JournalError) -> Decision? {
        try read { db in
            try db.prepared("SELECT body FROM decisions WHERE finding = ?").first([.text(finding)]) {
                Decision(json: try $0.json(0))
            }.flatMap(\.self)
        }
    }

    package func decisions(limit: Int) throws(JournalError) -> [Decision] {
        try read { db in
            try db.prepared("SELECT body FROM decisions ORDER BY at DESC, finding LIMIT ?").rows([.int(limit)]) {
                Decision(json: try $0.json(0))
            }.compactMap(\.self)
        }
    }

    // MARK: Runs

    private func runs(_ sql: String, _ values: [DatabaseValue]) throws(JournalError) -> [Run] {
        try read { db in
            try db.prepared("SELECT body FROM runs \(sql)").rows(values) { row in
                guard let run = Run(json: try row.json(0)) else {
                    throw JournalError(.corrupt, "a run in the journal is damaged")
                }
                return run
            }
        }
    }

    package func run(id: String) throws(JournalError) -> Run? { try runs("WHERE id = ?", [.text(id)]).first }

    package func openRuns() throws(JournalError) -> [Run] { try runs("WHERE ended IS NULL ORDER BY id", []) }

    package func runs(limit: Int) throws(JournalError) -> [Run] {
        try runs("ORDER BY key DESC LIMIT ?", [.int(limit)])
    }

    package func runs(of finding: String) throws(JournalError) -> [Run] {
        try runs("WHERE finding = ? ORDER BY key DESC", [.text(finding)])
    }

    package func endedRuns(playbook: String, since: Timestamp) throws(JournalError) -> [Run] {
        try runs("WHERE playbook = ? AND ended > ? ORDER BY ended, key", [.text(playbook), .time(since)])
    }

    package func endedRuns(of finding: String, since: Timestamp, limit: Int) throws(JournalError) -> [Run] {
        try runs(
            "WHERE finding = ? AND ended > ? ORDER BY ended DESC, key DESC LIMIT ?",
            [.text(finding), .time(since), .int(limit)])
    }

    package func lastUndone(playbookDigest: String, environment: String?) throws(JournalError) -> Timestamp? {
        try read { db in
            try db.prepared(
                """
                SELECT max(ended) FROM runs WHERE playbook_digest = ? AND phase IN ('undone', 'stuck')
                AND environment = ifnull(?, environment)
                -- A drill undoes its own fix: only one that went wrong counts.
                AND (phase = 'stuck' OR json_extract(body, '$.drill') IS NULL OR json_extract(body, '$.failed'))
                """
            ).first([.text(playbookDigest), environment.map { .text($0) } ?? .null]) { try $0.optionalTime(0) }
                .flatMap(\.self)
        }
    }

    package func verified(
        playbookDigest: String, environment: String, since: Timestamp
    ) throws(JournalError) -> (count: Int, first: Timestamp?) {
        try read { db in
            try db.prepared(
                """
                SELECT count(*), min(ended) FROM runs
                WHERE playbook_digest = ? AND phase = 'verified' AND environment = ? AND ended > ?
                """
            ).first([.text(playbookDigest), .text(environment), .time(since)]) {
                (count: Int(try $0.int(0)), first: try $0.optionalTime(1))
            } ?? (0, nil)
        }
    }

    package func capture(run: String, step: Int) throws(JournalError) -> [UInt8]? {
        try read { db in
            try db.prepared("SELECT sealed FROM captures WHERE run = ? AND step = ?").blob([.text(run), .int(step)])
        }
    }

    package func uses(of budget: String, since: Timestamp) throws(JournalError) -> Int {
        try read { db in
            Int(
                try db.prepared("SELECT count(*) FROM budget_uses WHERE budget = ? AND at > ?")
                    .integer([.text(budget), .time(since)]) ?? 0)
        }
    }

    package func isOwnEvent(_ event: String) throws(JournalError) -> Bool {
        try read { db in
            try db.prepared("SELECT 1 FROM own_events WHERE event = ?").integer([.text(event)]) != nil
        }
    }

    package func count(type: String, account: String) throws(JournalError) -> Int {
        try read { db in
            Int(
                try db.prepared(
                    """
                    SELECT count(*) FROM resources r JOIN names n ON n.key = r.key
                    WHERE n.type = ? AND r.account = ? AND r.deleted = 0
                    """
                ).integer([.text(type), .text(account)]) ?? 0)
        }
    }

    // MARK: People

    package func asks() throws(JournalError) -> [Ask] {
        try read { db in
            try db.prepared(
                "SELECT digest, finding, opened, level, next, must_prompt, prompt FROM asks ORDER BY opened, digest"
            ).rows([]) { row in
                guard let prompt = Prompt(json: try row.json(6)) else {
                    throw JournalError(.corrupt, "a prompt in the journal is damaged")
                }
                return Ask(
                    digest: try row.text(0), finding: try row.text(1), opened: try row.time(2),
                    level: Int(try row.int(3)), next: try row.time(4), mustPrompt: try row.int(5) == 1, prompt: prompt)
            }
        }
    }

    package func approvals(of digest: String) throws(JournalError) -> [Approval] {
        try read { db in try ApprovalRows.of(digest, in: db) }
    }

    package func halts() throws(JournalError) -> [Halt] {
        try read { db in
            try db.prepared("SELECT part, person, reason, at FROM halts ORDER BY at, part").rows([]) { row in
                // A part that this version does not know stops everything.
                Halt(
                    part: Halt.Part(try row.text(0)) ?? .all, by: try row.text(1), reason: try row.text(2),
                    at: try row.time(3))
            }
        }
    }

    package func hold(of finding: String) throws(JournalError) -> Hold? {
        try holds("WHERE finding = ?", [.text(finding)]).first
    }

    package func holds() throws(JournalError) -> [Hold] { try holds("ORDER BY finding", []) }

    private func holds(_ sql: String, _ values: [DatabaseValue]) throws(JournalError) -> [Hold] {
        try read { db in
            try db.prepared("SELECT finding, person, reason, until FROM holds \(sql)").rows(values) { row in
                Hold(
                    finding: try row.text(0), by: try row.text(1), reason: try row.text(2), until: try row.time(3))
            }
        }
    }

    package func openings(playbook: String) throws(JournalError) -> [Opening] {
        try read { db in
            try db.prepared(
                "SELECT digest, environment, person, reason, at FROM openings WHERE playbook = ? ORDER BY key"
            ).rows([.text(playbook)]) { row in
                Opening(
                    playbook: playbook, playbookDigest: try row.text(0), environment: try row.text(1),
                    person: try row.text(2), reason: try row.text(3), at: try row.time(4))
            }
        }
    }

    package func modes() throws(JournalError) -> [ModeRecord] {
        try read { db in
            try db.prepared("SELECT scope, mode, since FROM modes ORDER BY scope").rows([]) { row in
                ModeRecord(
                    scope: try row.text(0), mode: Mode(rawValue: try row.text(1)) ?? .observe, since: try row.time(2))
            }
        }
    }

    package func campaigns() throws(JournalError) -> [Campaign] {
        try read { db in
            try db.prepared(
                """
                SELECT id, playbook, digest, scope, state, wave, person, proposed, reason, items FROM campaigns
                ORDER BY key
                """
            ).rows([]) { row in
                let items = try row.json(9).array ?? []
                return Campaign(
                    id: try row.text(0), playbook: try row.text(1), playbookDigest: try row.text(2),
                    scope: try row.text(3), state: Campaign.State(rawValue: try row.text(4)) ?? .stopped,
                    items: items.map {
                        .init(finding: $0.array?.first?.string ?? "", plan: $0.array?.last?.string ?? "")
                    },
                    wave: Int(try row.int(5)), proposedBy: try row.text(6), proposed: try row.time(7),
                    reason: try row.text(8))
            }
        }
    }
}
