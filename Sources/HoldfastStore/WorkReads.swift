internal import GRDB
package import HoldfastCore
package import HoldfastEngine

/// What is to do, and what is counted and told.
extension SQLiteJournal {
    package func dirty(
        dueAt: Timestamp, except: Set<ResourceID>, limit: Int
    ) throws(JournalError) -> [DirtyResource] {
        let rows = try read { db in
            try db.prepared(
                """
                SELECT n.type, n.id, d.cloud, d.account, d.region, d.priority, d.since, d.not_before, d.attempts,
                    d.reason, d.generation
                FROM dirty d JOIN names n ON n.key = d.resource
                WHERE d.not_before <= ? ORDER BY d.priority, d.since, d.resource LIMIT ?
                """
            ).rows([.time(dueAt), .int(limit + except.count)]) { row in
                DirtyResource(
                    resource: try row.resource(0, 1), context: try row.context(from: 2), priority: Int(try row.int(5)),
                    since: try row.time(6), notBefore: try row.time(7), attempts: Int(try row.int(8)),
                    reason: try row.text(9), generation: try row.int(10))
            }
        }
        return Array(rows.lazy.filter { !except.contains($0.resource) }.prefix(limit))
    }

    package func dirtySummary() throws(JournalError) -> (count: Int, oldest: Timestamp?, nextDue: Timestamp?) {
        try read { db in
            // Three short queries: one over all columns would read every row, these read the ends of indexes.
            let count = try db.prepared("SELECT count(*) FROM dirty").first([]) { Int(try $0.int(0)) }
            let due = try db.prepared("SELECT min(not_before) FROM dirty").first([]) { try $0.optionalTime(0) }
            let oldest = try db.prepared(
                """
                WITH RECURSIVE p (priority) AS (
                    SELECT min(priority) FROM dirty
                    UNION ALL
                    SELECT (SELECT min(priority) FROM dirty d WHERE d.priority > p.priority) FROM p
                    WHERE p.priority IS NOT NULL)
                SELECT min((SELECT min(since) FROM dirty d WHERE d.priority = p.priority)) FROM p
                """
            ).first([]) { try $0.optionalTime(0) }
            return (count ?? 0, oldest.flatMap(\.self), due.flatMap(\.self))
        }
    }

    package func timers(dueAt: Timestamp, limit: Int) throws(JournalError) -> [TimerMark] {
        try read { db in
            try db.prepared(
                """
                SELECT n.type, n.id, t.rule, t.due FROM timers t JOIN names n ON n.key = t.resource
                WHERE t.due <= ? ORDER BY t.due, t.key LIMIT ?
                """
            ).rows([.time(dueAt), .int(limit)]) { row in
                TimerMark(resource: try row.resource(0, 1), rule: try row.text(2), due: try row.time(3))
            }
        }
    }

    package func nextTimer() throws(JournalError) -> Timestamp? {
        try read { db in
            try db.prepared("SELECT min(due) FROM timers").first([]) { try $0.optionalTime(0) }.flatMap(\.self)
        }
    }

    package func session(_ key: String) throws(JournalError) -> SessionLink? {
        try read { db in
            try db.prepared(
                "SELECT caller, caller_type, caller_session, opened FROM sessions WHERE session = ?"
            ).first([.text(key)]) { row in
                SessionLink(
                    session: key,
                    caller: Principal(name: try row.text(0), type: try row.text(1), sessionKey: try row.text(2)),
                    opened: try row.time(3))
            }
        }
    }

    package func counters(name: String) throws(JournalError) -> [CounterDelta] {
        try read { db in
            try db.prepared("SELECT label, hour, amount FROM counters WHERE name = ? ORDER BY label, hour").rows([
                .text(name)
            ]) { row in
                CounterDelta(name: name, label: try row.text(0), hour: try row.int(1), amount: try row.int(2))
            }
        }
    }

    package func deadLetters(limit: Int) throws(JournalError) -> [DeadLetter] {
        try read { db in
            try db.prepared(
                "SELECT place, source, reason, received, bytes FROM dead_letters ORDER BY key DESC LIMIT ?"
            ).rows([.int(limit)]) { row in
                DeadLetter(
                    place: try row.text(0), source: try row.text(1), reason: try row.text(2),
                    received: try row.time(3), bytes: try row.bytes(4))
            }
        }
    }

    package func openNotices() throws(JournalError) -> [Notice] {
        try read { db in
            try db.prepared(
                "SELECT code, subject, text, raised FROM notices WHERE closed IS NULL ORDER BY code, subject"
            ).rows([]) { row in
                Notice(
                    code: try row.text(0), subject: try row.text(1), text: try row.text(2), raised: try row.time(3))
            }
        }
    }

    package func auditEntries(after sequence: Int64, limit: Int) throws(JournalError) -> [AuditRecord] {
        try read { db in
            try db.prepared(
                """
                SELECT sequence, epoch, kind, at, previous, digest, body FROM audit
                WHERE sequence > ? ORDER BY sequence LIMIT ?
                """
            ).rows([.int(sequence), .int(limit)]) { row in
                AuditRecord(
                    sequence: try row.int(0), epoch: try row.int(1),
                    entry: AuditEntry(kind: try row.text(2), at: try row.time(3), body: try row.json(6)),
                    previous: try row.text(4), digest: try row.text(5))
            }
        }
    }
}
