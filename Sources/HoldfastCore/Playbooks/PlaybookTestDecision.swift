internal import HoldfastCrypto

extension GuardFacts {
    /// What a playbook's test gives the guards: a drift that was seen and read, in mode remediate, of a playbook whose
    /// rollout is open, with the settings that hold where nothing is configured. Nobody has said anything of it yet.
    init(ofTested plan: Plan, rule: Rule, maturity: Maturity, in context: EvaluationContext) {
        let now = context.now
        let cause = Finding.Cause(event: "test", actor: "somebody", action: "drift", chain: [], time: now)
        let finding = Finding(
            rule: rule.id, resource: plan.resource, context: plan.context, incarnation: plan.incarnation, state: .open,
            severity: rule.severity, severityReason: "", origin: .drift, since: now, cause: cause, offending: [],
            reason: "", evidence: .observed, environment: context.environment)
        let settings = RemediationSettings()
        self.init(
            now: now, settings: settings, people: People(), finding: finding,
            plan: .init(
                digest: plan.digest.description, playbook: plan.playbook,
                playbookDigest: plan.playbookDigest.description, risk: plan.risk))
        (mode, modeSince, opened) = (.remediate, now, now)
        self.maturity = maturity
        (evidence.isObserved, evidence.observed) = (true, now)
        // Labels that the test does not give keep nothing off.
        if context.labels.unknownReason == nil { label = settings.label(keepingOff: context.labels) }
        rollout.openedBy = ["one", "another"]
        preflight = .passed(at: now)
        let needed = settings.approvals.needed(
            plan.risk, environment: context.environment, isLast: settings.isLast(context.environment))
        approvals = ApprovalStanding(needed == 0 ? .notNeeded : .waiting(needed: needed, by: []))
    }
}

extension Decision {
    /// The word that a playbook's test has for it.
    var testWord: String {
        switch outcome {
        case .allow, .read: "allow"
        case .ask: "needs-approval"
        case .refuse: "refuse"
        }
    }
}
