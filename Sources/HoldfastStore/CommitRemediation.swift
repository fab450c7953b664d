internal import GRDB
internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// What is decided and done about findings, inside a commit.
extension Commit {
    mutating func write(remediation writes: RemediationWrites) throws {
        try write(decisions: writes.decisions)
        try write(runs: writes.runs)
        try write(asks: writes)
        try write(words: writes)
        try write(stops: writes)
        try write(campaigns: writes.campaigns)
        try write(cares: writes.cares)
        try write(exemptions: writes.exemptions)
        try write(objections: writes.objections)
        try write(drills: writes.drills)
        try write(candidates: writes)
    }

    private func write(candidates writes: RemediationWrites) throws {
        let remove = try db.prepared("DELETE FROM candidates WHERE finding = ?")
        for finding in writes.doneCandidates {
            try beforeStep("done-candidate")
            try remove.run([.text(finding)])
        }
        if let moment = writes.touchAll {
            try beforeStep("touch-candidates")
            try db.prepared("UPDATE candidates SET due = min(due, ?)").run([.time(moment)])
        }
        let upsert = try db.prepared("INSERT OR REPLACE INTO candidates (finding, due) VALUES (?, ?)")
        for candidate in writes.candidates {
            try beforeStep("candidate")
            try upsert.run([.text(candidate.finding), .time(candidate.due)])
        }
    }

    private func write(decisions: [Decision]) throws {
        let upsert = try db.prepared("INSERT OR REPLACE INTO decisions (finding, at, body) VALUES (?, ?, ?)")
        for decision in decisions {
            try beforeStep("decision")
            try upsert.run([.text(decision.finding), .time(decision.at), .json(decision.json)])
        }
    }

    func write(runs: [Run]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO runs (id, finding, playbook, phase, opened, ended, body) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, ended = excluded.ended, body = excluded.body
            """)
        let isOpen = try db.prepared("SELECT 1 FROM runs WHERE id = ? AND ended IS NULL")
        for run in runs {
            try beforeStep("run")
            let closes = try [.undone, .stuck].contains(run.phase) && isOpen.integer([.text(run.id)]) != nil
            try upsert.run([
                .text(run.id), .text(run.finding), .text(run.playbook), .text(run.phase.rawValue), .time(run.opened),
                run.ended.map { .time($0) } ?? .null, .json(run.json),
            ])
            if closes { try close(run) }
        }
    }

    /// An undo closes what was opened and verified before it, whatever a clock that was put back since says.
    private func close(_ run: Run) throws {
        try db.prepared(
            """
            UPDATE runs SET ended = max(
                ended, ifnull((SELECT max(at) FROM openings WHERE digest = ?2), ended),
                ifnull((SELECT max(ended) FROM runs WHERE playbook_digest = ?2 AND phase = 'verified'), ended))
            WHERE id = ?1
            """
        ).run([.text(run.id), .text(run.playbookDigest)])
    }

    private func write(asks writes: RemediationWrites) throws {
        let close = try db.prepared("DELETE FROM asks WHERE digest = ?")
        for digest in writes.closedAsks {
            try beforeStep("closed-ask")
            try close.run([.text(digest)])
        }
        let upsert = try db.prepared(
            """
            INSERT OR REPLACE INTO asks (digest, finding, opened, level, next, must_prompt, prompt)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        for ask in writes.asks {
            try beforeStep("ask")
            try upsert.run([
                .text(ask.digest), .text(ask.finding), .time(ask.opened), .int(ask.level), .time(ask.next),
                .bool(ask.mustPrompt), .json(ask.prompt.json),
            ])
        }
    }

    private func write(words writes: RemediationWrites) throws {
        let approve = try db.prepared(
            """
            INSERT INTO approvals (digest, word, person, roles, reason, at, expires, via)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        for word in writes.approvals {
            try beforeStep("approval")
            try approve.run([
                .text(word.digest), .text(word.word.rawValue), .text(word.person),
                .json(.array(word.roles.map(JSON.string))), .text(word.reason), .time(word.at), .time(word.expires),
                .text(word.via),
            ])
        }
        let open = try db.prepared(
            "INSERT INTO openings (playbook, digest, environment, person, reason, at) VALUES (?, ?, ?, ?, ?, ?)")
        for opening in writes.openings {
            try beforeStep("opening")
            try open.run([
                .text(opening.playbook), .text(opening.playbookDigest), .text(opening.environment),
                .text(opening.person), .text(opening.reason), .time(opening.at),
            ])
        }
        let own = try db.prepared("INSERT OR IGNORE INTO own_events (event, run) VALUES (?, ?)")
        for (event, run) in writes.ownEvents {
            try beforeStep("own-event")
            try own.run([.text(event), .text(run)])
        }
    }

    /// Halts, holds and modes.
    private func write(stops writes: RemediationWrites) throws {
        let resume = try db.prepared("DELETE FROM halts WHERE part = ?")
        for part in writes.resumed {
            try beforeStep("resume")
            try resume.run([.text(part.description)])
        }
        let halt = try db.prepared("INSERT OR REPLACE INTO halts (part, person, reason, at) VALUES (?, ?, ?, ?)")
        for entry in writes.halts {
            try beforeStep("halt")
            try halt.run([
                .text(entry.part.description), .text(entry.by), .text(entry.reason), .time(entry.at),
            ])
        }
        let release = try db.prepared("DELETE FROM holds WHERE finding = ?")
        for finding in writes.endedHolds {
            try beforeStep("ended-hold")
            try release.run([.text(finding)])
        }
        let hold = try db.prepared("INSERT OR REPLACE INTO holds (finding, person, reason, until) VALUES (?, ?, ?, ?)")
        for entry in writes.holds {
            try beforeStep("hold")
            try hold.run([.text(entry.finding), .text(entry.by), .text(entry.reason), .time(entry.until)])
        }
        let mode = try db.prepared("INSERT OR REPLACE INTO modes (scope, mode, since) VALUES (?, ?, ?)")
        for entry in writes.modes {
            try beforeStep("mode")
            try mode.run([.text(entry.scope), .text(entry.mode.rawValue), .time(entry.since)])
        }
    }

    private func write(campaigns: [Campaign]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO campaigns (id, playbook, digest, scope, state, wave, person, proposed, reason, items)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason
            """)
        for campaign in campaigns {
            try beforeStep("campaign")
            let items = campaign.items.map { JSON.array([.string($0.finding), .string($0.plan)]) }
            try upsert.run([
                .text(campaign.id), .text(campaign.playbook), .text(campaign.playbookDigest), .text(campaign.scope),
                .text(campaign.state.rawValue), .int(campaign.wave), .text(campaign.proposedBy),
                .time(campaign.proposed), .text(campaign.reason), .json(.array(items)),
            ])
        }
    }
}
