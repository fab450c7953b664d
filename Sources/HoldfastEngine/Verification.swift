package import HoldfastCore

/// What comparing the findings with a full evaluation gave.
package struct Verification: Sendable {
    package var resources = 0
    package var evaluations = 0
    /// One line each: which rule, which resource, what stands there and what should.
    package var disagreements: [String] = []

    /// Evaluates every rule on every resource of a journal from scratch and holds the findings against the verdicts:
    /// incremental must equal full.
    package static func run(
        journal: any Journal, policy: Policy, now: Timestamp, progress: (Int) -> Void = { _ in }
    ) throws(JournalError) -> Verification {
        var verification = Verification()
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 200)
            for row in page { try verification.check(row, journal: journal, policy: policy, now: now) }
            guard let end = page.last else { return verification }
            last = end.resource
            progress(verification.resources)
        }
    }

    private mutating func check(
        _ row: StoredResource, journal: any Journal, policy: Policy, now: Timestamp
    ) throws(JournalError) {
        resources += 1
        var step = Step(policy: policy, journal: journal, now: now)
        let subject = try step.subject(row.resource, context: row.context)
        let stored = try journal.findings(of: row.resource)
        for rule in policy.rules(of: row.resource.type, touching: nil).sorted() {
            evaluations += 1
            let verdict = try step.freshVerdict(rule, subject)
            let finding = stored.first { $0.rule == rule }.flatMap { Finding(json: $0.body) }
            if let wrong = Verification.disagreement(verdict, finding, isDeleted: subject.view.isDeleted) {
                disagreements.append("\(rule) on \(row.resource): \(wrong)")
            }
        }
    }

    private static func disagreement(_ verdict: Verdict, _ finding: Finding?, isDeleted: Bool) -> String? {
        let state = finding?.state
        let isLive = state == .open || state == .stale || state == .suppressed
        if isDeleted { return isLive ? "the resource is gone and the finding is \(state?.rawValue ?? "")" : nil }
        switch verdict.outcome {
        case .pass, .notApplicable:
            return isLive ? "it passes and the finding is \(state?.rawValue ?? "")" : nil
        case .unknown: return state == .open ? "it is unknown and the finding is open, not stale" : nil
        case .drift:
            guard let finding, finding.state == .open || finding.state == .suppressed else {
                return "it drifts and the finding is \(state?.rawValue ?? "not there")"
            }
            return finding.offending == verdict.offending ? nil : "it drifts elsewhere than the finding says"
        }
    }
}
