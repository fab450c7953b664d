internal import GRDB
internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine
internal import HoldfastJSON

/// What was decided, what is still to do, and what people are told.
extension Commit {
    mutating func write(findings: [StoredFinding]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO findings (id, rule, resource, state, severity, body) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, resource = excluded.resource,
                state = excluded.state, severity = excluded.severity, body = excluded.body
            """)
        for finding in findings {
            try beforeStep("finding")
            try upsert.run([
                .text(finding.id), .text(finding.rule), .int(try key(of: finding.resource)), .text(finding.state),
                .text(finding.severity.rawValue), .json(finding.body),
            ])
        }
    }

    func write(findingChanges: [FindingChangeRow]) throws {
        let insert = try db.prepared(
            """
            INSERT INTO finding_changes (finding, change, happened, known, cause, body) VALUES (?, ?, ?, ?, ?, ?)
            """)
        for change in findingChanges {
            try beforeStep("finding-change")
            try insert.run([
                .int(try key(ofFinding: change.finding)), .text(change.change), .time(change.happened),
                .time(change.known), .text(change.cause), .json(change.body),
            ])
        }
    }

    func write(plans: [(finding: String, digest: String, body: JSON)]) throws {
        let last = try db.prepared(
            "SELECT digest, body FROM plans WHERE finding = ? ORDER BY sequence DESC LIMIT 1")
        let insert = try db.prepared("INSERT INTO plans (finding, digest, body) VALUES (?, ?, ?)")
        for plan in plans {
            try beforeStep("plan")
            let finding = try key(ofFinding: plan.finding)
            let isSame = try last.first([.int(finding)]) { row in
                try row.text(0) == plan.digest && row.json(1) == plan.body
            }
            if isSame == true { continue }
            try insert.run([.int(finding), .text(plan.digest), .json(plan.body)])
        }
    }

    private func key(ofFinding id: String) throws -> Int64 {
        let found = try db.prepared("SELECT key FROM findings WHERE id = ?").integer([.text(id)])
        guard let found else {
            throw JournalError(.failed, "a change or a plan names the finding \(id), which was never written")
        }
        return found
    }

    mutating func write(done: [DirtyResource]) throws {
        let remove = try db.prepared("DELETE FROM dirty WHERE resource = ? AND generation = ?")
        // Marked since it was claimed: one more run, with the age and the attempts of a new mark.
        let restart = try db.prepared(
            "UPDATE dirty SET attempts = 0, since = latest WHERE resource = ? AND generation > ?")
        for claimed in done {
            try beforeStep("done")
            let key = try key(of: claimed.resource)
            try remove.run([.int(key), .int(claimed.generation)])
            if db.changesCount == 0 { try restart.run([.int(key), .int(claimed.generation)]) }
        }
    }

    /// Generations come from one counter: a row that went and came back never has an old one. A mark during a burst
    /// puts the read off until the burst is over, within a limit; a mark while a failed read waits does not.
    mutating func write(dirty: [DirtyResource]) throws {
        guard !dirty.isEmpty else { return }
        let upsert = try db.prepared(
            """
            INSERT INTO dirty (resource, shard, cloud, account, region, priority, since, latest, not_before, attempts,
                reason, generation)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (resource) DO UPDATE SET
                shard = excluded.shard, cloud = excluded.cloud, account = excluded.account, region = excluded.region,
                reason = CASE WHEN excluded.priority <= priority THEN excluded.reason ELSE reason END,
                priority = min(priority, excluded.priority), since = min(since, excluded.since),
                latest = max(latest, excluded.latest),
                not_before = CASE WHEN attempts = 0 AND excluded.attempts = 0
                    THEN min(max(not_before, excluded.not_before), since + ?)
                    ELSE min(not_before, excluded.not_before) END,
                attempts = max(attempts, excluded.attempts), generation = excluded.generation
            """)
        var generation = try db.prepared("SELECT value FROM dirty_generation").integer([]) ?? 0
        for mark in dirty {
            try beforeStep("dirty")
            generation += 1
            let context = mark.context
            try upsert.run([
                .int(try key(of: mark.resource)), .int(shard(cloud: context.cloud, account: context.account)),
                .text(context.cloud.rawValue), .text(context.account), .text(context.region), .int(mark.priority),
                .time(mark.since), .time(mark.since), .time(mark.notBefore), .int(mark.attempts), .text(mark.reason),
                .int(generation), .int(Limits.longestSettle.nanoseconds),
            ])
        }
        try db.prepared("UPDATE dirty_generation SET value = ?").run([.int(generation)])
    }

    mutating func write(firedTimers: [TimerMark]) throws {
        let remove = try db.prepared("DELETE FROM timers WHERE resource = ? AND rule = ? AND due <= ?")
        for timer in firedTimers {
            try beforeStep("fired-timer")
            try remove.run([.int(try key(of: timer.resource)), .text(timer.rule), .time(timer.due)])
        }
    }

    mutating func write(timers: [TimerMark]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO timers (resource, rule, due) VALUES (?, ?, ?)
            ON CONFLICT (resource, rule) DO UPDATE SET due = min(due, excluded.due)
            """)
        for timer in timers {
            try beforeStep("timer")
            try upsert.run([.int(try key(of: timer.resource)), .text(timer.rule), .time(timer.due)])
        }
    }

    /// Of two links of one session the one opened last stays, whichever came first.
    func write(sessions: [SessionLink]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO sessions (session, opened, caller, caller_type, caller_session) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (session) DO UPDATE SET opened = excluded.opened, caller = excluded.caller,
                caller_type = excluded.caller_type, caller_session = excluded.caller_session
            WHERE (excluded.opened, excluded.caller, excluded.caller_type, excluded.caller_session)
                > (opened, caller, caller_type, caller_session)
            """)
        for link in sessions {
            try beforeStep("session")
            try upsert.run([
                .text(link.session), .time(link.opened), .text(link.caller.name), .text(link.caller.type),
                .text(link.caller.sessionKey),
            ])
        }
    }

    func write(counters: [CounterDelta]) throws {
        let add = try db.prepared(
            """
            INSERT INTO counters (name, label, hour, amount) VALUES (?, ?, ?, ?)
            ON CONFLICT (name, label, hour) DO UPDATE SET amount = amount + excluded.amount
            """)
        for counter in counters {
            try beforeStep("counter")
            try add.run([.text(counter.name), .text(counter.label), .int(counter.hour), .int(counter.amount)])
        }
    }

    func write(deadLetters: [DeadLetter]) throws {
        let insert = try db.prepared(
            """
            INSERT INTO dead_letters (place, source, reason, received, bytes) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (place) DO NOTHING
            """)
        for letter in deadLetters {
            try beforeStep("dead-letter")
            try insert.run([
                .text(letter.place), .text(letter.source), .text(letter.reason), .time(letter.received),
                .bytes(letter.bytes),
            ])
        }
    }

    func write(closedNotices: [NoticeClosing]) throws {
        let close = try db.prepared("UPDATE notices SET closed = ? WHERE code = ? AND subject = ? AND closed IS NULL")
        for closing in closedNotices {
            try beforeStep("closed-notice")
            try close.run([.time(closing.at), .text(closing.code), .text(closing.subject)])
        }
    }

    /// An open notice keeps the time at which it was raised, and takes the newer text.
    func write(notices: [Notice]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO notices (code, subject, raised, text) VALUES (?, ?, ?, ?)
            ON CONFLICT (code, subject) WHERE closed IS NULL DO UPDATE SET text = excluded.text
            WHERE text <> excluded.text
            """)
        for notice in notices {
            try beforeStep("notice")
            try upsert.run([.text(notice.code), .text(notice.subject), .time(notice.raised), .text(notice.text)])
        }
    }

    func write(audit entries: [AuditEntry], leases: [Lease]) throws {
        guard let lease = leases.first(where: { $0.part.hasPrefix("shard") }) ?? leases.first else { return }
        var last =
            try db.prepared("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1").first([]) {
                (sequence: try $0.int(0), digest: try $0.text(1))
            } ?? (sequence: 0, digest: AuditLink.first)
        let insert = try db.prepared(
            """
            INSERT INTO audit (sequence, epoch, kind, at, previous, digest, body) VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        for entry in entries {
            try beforeStep("audit")
            let body = entry.body.canonicalBytes
            let link = AuditLink(
                sequence: last.sequence + 1, epoch: lease.epoch, kind: storedText(entry.kind), at: entry.at,
                bodyDigest: sha256(body).description, previous: last.digest)
            let digest = link.digest
            try insert.run([
                .int(link.sequence), .int(link.epoch), .text(entry.kind), .time(entry.at), .text(link.previous),
                .text(digest), .json(entry.body),
            ])
            last = (link.sequence, digest)
        }
    }
}
