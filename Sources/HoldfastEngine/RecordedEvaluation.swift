package import HoldfastCore

/// Verdicts of recorded states, by the same steps that the service takes.
package struct RecordedEvaluation: Sendable {
    private let policy: Policy
    private let resources: [RecordedResource]
    private let now: Timestamp

    package init(policy: Policy, resources: [RecordedResource], now: Timestamp) {
        self.policy = policy
        self.resources = resources
        self.now = now
    }

    /// Every rule that applies to a resource, in the order of resources and rules.
    ///
    /// - Parameter journal: an empty one; the states are written to it so that relations find them.
    package func verdicts(
        in journal: any Journal
    ) throws(JournalError) -> [(rule: String, resource: ResourceID, verdict: Verdict)] {
        let lease = try journal.acquire(part: "shards")
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.leases = [lease]
        for recorded in resources {
            try step.observe(recorded.description, resource: recorded.resource, context: recorded.context)
        }
        try step.evaluate(cause: .baseline)
        try journal.commit(step.transaction)
        var found: [(rule: String, resource: ResourceID, verdict: Verdict)] = []
        for recorded in resources {
            let subject = try step.subject(recorded.resource, context: recorded.context)
            for rule in policy.rules(of: recorded.resource.type, touching: nil) {
                let verdict = try step.freshVerdict(rule, subject)
                if verdict.outcome != .notApplicable { found.append((rule, recorded.resource, verdict)) }
            }
        }
        return found
    }
}
