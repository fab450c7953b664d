internal import HoldfastCore
package import HoldfastJSON

/// What a replay gives beside its rows. Nothing in it depends on the machine, on the time of the run or on the order in
/// which records were delivered.
package struct ReplayReport: Sendable {
    /// Where the state at the window's beginning comes from.
    package enum Start: Sendable, Hashable {
        case empty
        case snapshot
        case journal
    }

    package var window: ReplayWindow
    package var coverage: Coverage
    package var start: Start
    package var totals: ReplayIntake.Totals
    package var outcome: ReplayOutcome
    package var filter: ReplayFilter
    /// Name -> version or digest of what the replay was made with.
    package var versions: [(name: String, value: String)]
    /// What changed data files would have found; `nil` where none were given.
    package var backtest: JSON?
    /// What the service recorded otherwise; `nil` where nobody asked.
    package var comparison: JSON?

    package init(
        window: ReplayWindow, coverage: Coverage, start: Start, totals: ReplayIntake.Totals, outcome: ReplayOutcome,
        filter: ReplayFilter, versions: [(name: String, value: String)]
    ) {
        self.window = window
        self.coverage = coverage
        self.start = start
        self.totals = totals
        self.outcome = outcome
        self.filter = filter
        self.versions = versions
    }

    /// The findings that the filter admits, the most severe first.
    package var stories: [ReplayOutcome.FindingStory] {
        outcome.stories.filter { story in
            let finding = story.finding
            guard filter.admits(account: finding.context.account),
                filter.admits(findings: [(finding.rule, finding.severity)])
            else { return false }
            return !filter.isAboutSomeRows || outcome.findingsShown.contains(finding.id)
        }
    }

    /// The members of the document in their order; the timeline, which may be long, is not among them.
    package var members: [(name: String, value: JSON)] {
        [("backtest", backtest), ("comparison", comparison)].compactMap { name, value in value.map { (name, $0) } } + [
            ("coverage", coverage.json(window)), ("findings", .array(stories.map(\.json))),
            ("start", startJSON), ("summary", summary),
            ("versions", .object(JSONObject(versions.map { ($0.name, JSON.string($0.value)) }))),
            ("window", windowJSON),
        ]
    }

    private var windowJSON: JSON {
        let from = window.from ?? coverage.first
        let to = window.to ?? coverage.last.map(ReplayWindow.end)
        return [
            "from": from.map { .string($0.description) } ?? .null, "to": to.map { .string($0.description) } ?? .null,
        ]
    }

    private var startJSON: JSON {
        let text =
            switch start {
            case .empty:
                "The state starts empty: what no event of the window tells is unknown, findings rest on what events "
                    + "reported, and nothing was read from a cloud."
            case .snapshot: "The state at the start is a snapshot of \(outcome.resourcesAtStart) resources."
            case .journal:
                "The state at the start is what the journal had heard of \(outcome.resourcesAtStart) resources by then."
            }
        return ["from": .string("\(start)"), "resources": number(outcome.resourcesAtStart), "text": .string(text)]
    }

    private var summary: JSON {
        let open = stories.filter(\.isOpen).count
        return [
            "events": number(coverage.eventCount), "changes": number(outcome.changes),
            "raw-writes": number(outcome.rawWrites), "unseen-changes": number(outcome.unseenChanges),
            "duplicates": number(outcome.duplicates), "rows": number(outcome.rows),
            "findings": number(stories.count), "open-at-end": number(open), "unreadable": number(totals.unreadable),
            "outside": number(totals.outside),
        ]
    }

    private func number(_ value: Int) -> JSON { .number(JSONNumber(value)) }
}
