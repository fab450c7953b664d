package import HoldfastCore
internal import HoldfastJSON

/// What other data files would do to findings: every known resource is evaluated by them, beside those in force, and
/// nothing is written.
package struct ReloadPreview: Sendable, Equatable {
    package private(set) var resources = 0
    /// Of these, how many have a finding that would open, end, or be judged otherwise. Another severity or another
    /// offending element of a finding that stays open does not count.
    package private(set) var changedResources = 0
    /// Findings by rule and what would become of them.
    package private(set) var byRule: [String: [FindingChange: Int]] = [:]

    /// A reload that changes more than this share of the resources, in hundredths, waits for a person.
    package static let mostPercent = 5

    package var needsConfirmation: Bool { changedResources * 100 > resources * ReloadPreview.mostPercent }

    /// One line for each rule, in the order of their names.
    package var lines: [String] {
        byRule.sorted { $0.key.precedesInUTF8($1.key) }.map { rule, changes in
            let counts = FindingChange.allCases.compactMap { change in
                changes[change].map { "\($0) \(change.rawValue)" }
            }
            return "\(rule): \(counts.joined(separator: ", "))"
        }
    }

    /// In one sentence.
    package var summary: String {
        var totals: [FindingChange: Int] = [:]
        for changes in byRule.values { totals.merge(changes, uniquingKeysWith: +) }
        let counts = FindingChange.allCases.compactMap { change in totals[change].map { "\($0) \(change.rawValue)" } }
        let what = counts.isEmpty ? "no finding changes" : counts.joined(separator: ", ")
        return "\(changedResources) of \(resources) resources change: \(what)"
    }

    /// Reads beside whoever writes, a page at a time, and gives way between pages.
    package static func make(
        journal: any Journal, policy: Policy, now: Timestamp
    ) async throws(JournalError) -> ReloadPreview {
        var preview = ReloadPreview()
        let policy = policy.exempting(try journal.granted())
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 200)
            guard let end = page.last else { return preview }
            for row in page { try preview.add(row, journal, policy, now) }
            last = end.resource
            await Task.yield()
        }
    }

    private mutating func add(
        _ row: StoredResource, _ journal: any Journal, _ policy: Policy, _ now: Timestamp
    ) throws(JournalError) {
        resources += 1
        var step = Step(policy: policy, journal: journal, now: now)
        try step.evaluateAll(row.resource, context: row.context, cause: .baseline)
        for (finding, change) in step.changes { byRule[finding.rule, default: [:]][change, default: 0] += 1 }
        if step.changes.contains(where: { $0.change != .changed }) { changedResources += 1 }
    }
}
