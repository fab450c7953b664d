internal import HoldfastCore
internal import HoldfastCrypto

/// A finding with what would be done about it, by what is known now.
struct Assessment {
    var finding: Finding
    var rule: Rule
    var subject: Step.Subject
    var context: EvaluationContext
    var maturity: Maturity
    /// `nil` where no playbook remedies it or none may plan.
    var outcome: PlanOutcome?

    var plan: Plan? { if case .plan(let plan) = outcome { plan } else { nil } }
}

extension Step {
    /// - Returns: `nil` where there is no such finding, or its rule is gone.
    mutating func assess(_ id: String) throws(JournalError) -> Assessment? {
        // This step itself may have opened it.
        var stored = transaction.findings.last { $0.id == id }
        if stored == nil { stored = try journal.finding(id: id) }
        guard let stored, let known = Finding(json: stored.body),
            let rule = policy.baseline.rule(known.rule)
        else { return nil }
        let subject = try subject(known.resource, context: known.context)
        // This step itself may have changed it.
        let finding = try finding(known.rule, of: known.resource) ?? known
        let context = try context(of: subject, for: finding.rule)
        let last = try lastObserved(subject, for: finding.rule)
        let outcome =
            finding.state == .open
            ? outcomes[id]
                ?? policy.plan(for: finding, document: subject.view.document, in: context, lastObserved: last)
            : nil
        return Assessment(
            finding: finding, rule: rule, subject: subject, context: context,
            maturity: policy.baseline.effective(rule, of: finding.resource, in: context).maturity.value,
            outcome: outcome)
    }

    /// What a finding's verdict, and the sections that its plan writes, rest on.
    func evidence(of assessment: Assessment) -> GuardFacts.EvidenceFacts {
        let view = assessment.subject.view
        let paths = policy.pathsRead(by: assessment.finding.rule)
        var facts = GuardFacts.EvidenceFacts()
        facts.isObserved = assessment.finding.evidence == .observed && view.isObserved(paths)
        facts.observed = view.applied.last { $0.source == .observed }?.time
        if let reported = view.applied.last(where: { $0.source == .reported })?.time {
            let type = assessment.finding.resource.type
            facts.observableFrom =
                reported + policy.resolution(for: type) + policy.margin(for: type) + Span(nanoseconds: 1)
        }
        return facts
    }
}
