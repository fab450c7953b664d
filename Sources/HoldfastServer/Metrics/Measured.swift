package import HoldfastCore
package import HoldfastEngine

/// What the service is measured by, at one moment.
package struct Measured: Sendable {
    package var version: String
    package var now: Timestamp
    package var totals: Keeper.Totals
    package var dirty: Int
    package var oldestDirty: Timestamp?
    package var notices: [Notice]
    package var tallies: JournalTallies
    package var process: ProcessUse
    /// Prompts by channel and what became of them.
    package var prompts: [(channel: String, outcome: String, count: Int)]

    package init(
        version: String, now: Timestamp, totals: Keeper.Totals, dirty: Int, oldestDirty: Timestamp?, notices: [Notice],
        tallies: JournalTallies, process: ProcessUse, prompts: [(channel: String, outcome: String, count: Int)] = []
    ) {
        self.version = version
        self.now = now
        self.totals = totals
        self.dirty = dirty
        self.oldestDirty = oldestDirty
        self.notices = notices
        self.tallies = tallies
        self.process = process
        self.prompts = prompts
    }
}

extension Measured {
    /// As Prometheus reads it.
    package var exposition: Exposition {
        var out = Exposition()
        out.add(
            "holdfast_build_info", .gauge, "The program that runs.", [.init(1, [("version", version)])])
        addIntake(&out)
        addFindings(&out)
        addWork(&out)
        process.add(to: &out)
        return out
    }

    private func addIntake(_ out: inout Exposition) {
        let counts: [(name: String, help: String, value: Int)] = [
            ("records", "Records taken from sources.", totals.records),
            ("events", "Events that change something.", totals.events),
            ("duplicate_events", "Events that were seen before.", totals.duplicates),
            ("dropped_events", "Events that change nothing: reads and failures.", totals.dropped),
            ("sessions", "Sessions whose opening was seen.", totals.sessions),
            ("dead_letters", "Records that could not be decoded.", totals.deadLetters),
            ("unknown_operations", "Events of operations that the catalog does not have.", totals.unknownOperations),
            ("resource_changes", "Changes of resources that were written.", totals.resourcesChanged),
            ("evaluations", "Evaluations of a rule on a resource.", totals.evaluations),
            ("describes", "Resources read from a cloud.", totals.described),
        ]
        for (name, help, value) in counts {
            out.add("holdfast_\(name)_total", .counter, "\(help) Since the start.", value)
        }
        out.add(
            "holdfast_finding_changes_total", .counter, "What became of findings. Since the start.",
            FindingChange.allCases.map { .init(totals.findingChanges[$0] ?? 0, [("change", $0.rawValue)]) })
        out.add(
            "holdfast_journal_counts_total", .counter, "Counters of the journal, over all time.",
            tallies.counters.map { .init(Int($0.amount), [("name", $0.name)]) })
        out.add(
            "holdfast_prompts_total", .counter, "Prompts to approvers by channel and what became of them.",
            prompts.map { .init($0.count, [("channel", $0.channel), ("outcome", $0.outcome)]) })
    }

    private func addFindings(_ out: inout Exposition) {
        out.add(
            "holdfast_findings", .gauge, "Findings by state, severity and environment.",
            tallies.findings.map {
                .init($0.count, [("state", $0.state), ("severity", $0.severity), ("environment", $0.environment)])
            })
        out.add("holdfast_resources", .gauge, "Resources that are known.", tallies.resources)
        out.add(
            "holdfast_dead_letters_kept", .gauge, "Dead letters that the journal holds.", tallies.deadLetters)
    }

    private func addWork(_ out: inout Exposition) {
        out.add("holdfast_dirty_resources", .gauge, "Resources that wait to be read.", dirty)
        let age = oldestDirty.map { Double(now.since($0).nanoseconds) / 1e9 } ?? 0
        out.add(
            "holdfast_dirty_oldest_seconds", .gauge, "For how long the oldest of them has waited.", [.init(age)])
        out.add(
            "holdfast_open_notices", .gauge, "Notices that wait for a person, by runbook.",
            NoticeCode.allCases.map { code in
                .init(notices.count { $0.code == code.rawValue }, [("code", code.rawValue)])
            })
    }
}
