internal import HoldfastCore
package import HoldfastJSON

/// What changed data files would have found and planned over a window, held against those in force.
package struct Backtest: Sendable {
    private let current: ReplayOutcome
    private let candidate: ReplayOutcome

    /// - Parameters:
    ///   - current: the window replayed by the data files in force.
    ///   - candidate: the same events by the changed ones.
    package init(current: ReplayOutcome, candidate: ReplayOutcome) {
        self.current = current
        self.candidate = candidate
    }

    /// As `--format json` prints it under `backtest`.
    package var json: JSON {
        let new = candidate.stories.filter { current.findings[$0.finding.id] == nil }
        let vanished = current.stories.filter { candidate.findings[$0.finding.id] == nil }
        let changed = candidate.stories.compactMap { story -> JSON? in
            guard let before = current.findings[story.finding.id] else { return nil }
            return Backtest.difference(before, story)
        }
        return [
            "rules": .array(rules), "new": .array(new.map(\.json)), "vanished": .array(vanished.map(\.json)),
            "changed": .array(changed), "writes": .array(writes),
        ]
    }

    /// Findings by rule; rules without any are left out.
    private var rules: [JSON] {
        let before = Backtest.count(current), after = Backtest.count(candidate)
        return Set(before.keys).union(after.keys).sorted().map { rule in
            ["rule": .string(rule), "current": number(before[rule]), "candidate": number(after[rule])]
        }
    }

    private static func count(_ outcome: ReplayOutcome) -> [String: Int] {
        outcome.findings.values.reduce(into: [:]) { $0[$1.finding.rule, default: 0] += 1 }
    }

    /// Plans that would have been carried out had every guard agreed, by environment.
    private var writes: [JSON] {
        Set(current.plans.keys).union(candidate.plans.keys).sorted().map { environment in
            [
                "environment": .string(environment), "current": number(current.plans[environment]?.count),
                "candidate": number(candidate.plans[environment]?.count),
            ]
        }
    }

    private func number(_ value: Int?) -> JSON { .number(JSONNumber(value ?? 0)) }

    /// `nil` where both say the same.
    private static func difference(
        _ before: ReplayOutcome.FindingStory, _ after: ReplayOutcome.FindingStory
    ) -> JSON? {
        var what: [String] = []
        if before.finding.severity != after.finding.severity {
            what.append("severity \(before.finding.severity.rawValue) -> \(after.finding.severity.rawValue)")
        }
        if before.openings.map(\.from) != after.openings.map(\.from)
            || before.openings.map(\.to) != after.openings.map(\.to)
        {
            what.append("open at other times")
        }
        if before.finding.state != after.finding.state {
            what.append("state \(before.finding.state.rawValue) -> \(after.finding.state.rawValue)")
        }
        if before.plan?.outcome != after.plan?.outcome || before.plan?.playbook != after.plan?.playbook {
            what.append("another plan")
        }
        guard !what.isEmpty else { return nil }
        return [
            "id": .string(after.finding.id), "rule": .string(after.finding.rule),
            "resource": .string(after.finding.resource.id), "what": .array(what.map(JSON.string)),
        ]
    }
}
