package import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Deciding what is done about findings.
extension Keeper {
    /// Findings decided in one transaction.
    static let decisionsAtOnce = 200

    /// Decides the findings that are due.
    ///
    /// - Returns: what all guards let pass but for the read before the first call: now in the caller's hands.
    package func decideDue(now: Timestamp) throws(JournalError) -> [Work] {
        let due = try journal.candidates(dueAt: now, limit: Keeper.decisionsAtOnce)
            .filter { !memory.working.contains($0.finding) }
        guard !due.isEmpty else { return [] }
        var step = Step(policy: policy, journal: journal, now: now)
        var deciding = try Deciding(policy: policy, journal: journal, now: now, tools: tools)
        var ready: [Work] = []
        for candidate in due {
            if try deciding.decide(candidate.finding, preflight: .pending, in: &step) == .read {
                ready.append(.finding(candidate.finding))
            }
        }
        try deciding.finish(in: &step)
        try commit(step, lease: nil)
        for work in ready { memory.working.insert(work.id) }
        return ready
    }

    /// The read before a finding's first call.
    func preflight(of finding: String) throws(JournalError) -> Move {
        guard let stored = try journal.finding(id: finding), let known = Finding(json: stored.body) else {
            memory.working.remove(finding)
            return .rest
        }
        return .read(known.resource, known.context)
    }

    /// What the read before the first call said: the guards are asked again from the first.
    func took(
        preflight description: Description, of id: String, now: Timestamp
    ) throws(JournalError) -> Move {
        memory.working.remove(id)
        var step = Step(policy: policy, journal: journal, now: now)
        guard let stored = try journal.finding(id: id), let known = Finding(json: stored.body) else { return .rest }
        try step.observe(description, resource: known.resource, context: known.context)
        try step.evaluate(cause: .baseline)
        var deciding = try Deciding(policy: policy, journal: journal, now: now, tools: tools)
        let preflight = try preflight(of: known, description)
        let outcome = try deciding.decide(id, preflight: preflight, in: &step)
        guard outcome == .allow, let (assessment, plan) = deciding.allowed, let decision = deciding.last else {
            try deciding.finish(in: &step)
            try commit(step, lease: nil)
            return .rest
        }
        try deciding.finish(in: &step)
        // Should this process end before the step is begun, the finding is decided once more.
        step.transaction.remediation.candidates.append(Candidate(finding: id, due: now + Keeper.retryAfterLoss))
        try commit(step, lease: nil)
        var run = Run(
            id: Keeper.runID(plan, now), finding: assessment.finding, plan: plan, steps: steps(of: plan),
            campaign: decision.campaign, opened: now)
        run.drill = decision.drill
        memory.prepared[run.id] = PreparedStep(
            run: run, call: run.steps[0].call, isIdempotent: run.steps[0].isIdempotent, decision: decision.decision,
            budgets: try deciding.claims(of: assessment.finding, playbook: plan.playbook),
            haltParts: Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook),
            question: decision.campaign.isEmpty ? decision.question : nil,
            capture: capture(description, run: run, now), prepared: now)
        memory.working.insert(run.id)
        memory.working.insert(id)
        return .write(run: run.id)
    }

    static let retryAfterLoss = Span(seconds: 60)

    /// Another run on the same resource comes first, and captures need a key.
    private func preflight(
        of finding: Finding, _ description: Description
    ) throws(JournalError) -> GuardFacts.Preflight {
        if tools.seal == nil { return .failed("no key for captures is configured: keys: captures:") }
        if let other = try journal.openRuns().first(where: { $0.resource == finding.resource }) {
            return .failed("run \(other.id) works on this resource")
        }
        if memory.prepared.values.contains(where: { $0.run.resource == finding.resource }) {
            return .failed("another run begins on this resource")
        }
        if case .sections = description.result { return .passed(at: description.started) }
        return .changed("the resource is no longer there")
    }

    /// The read before the first call failed: it is tried again.
    func failed(preflightOf id: String, _ error: ReadError, now: Timestamp) throws(JournalError) {
        memory.working.remove(id)
        var step = Step(policy: policy, journal: journal, now: now)
        var deciding = try Deciding(policy: policy, journal: journal, now: now, tools: tools)
        _ = try deciding.decide(id, preflight: .failed(error.message), in: &step)
        try deciding.finish(in: &step)
        try commit(step, lease: nil)
    }

    func steps(of plan: Plan) -> [RunStep] {
        plan.steps.map { step in
            let call = policy.catalog.call(step.call.name)
            return RunStep(
                call: step.call, writes: step.writes, undo: step.undo,
                isIdempotent: policy.catalog.mayBeMadeAgain(step.call.name),
                waitAtMost: call?.wait?.atMost)
        }
    }

    /// `r-` and 16 hexadecimal digits.
    private static func runID(_ plan: Plan, _ now: Timestamp) -> String {
        "r-" + sha256("\(plan.finding)\n\(plan.digest)\n\(now.nanoseconds)".utf8).description.prefix(16)
    }

    /// What a step is about to change, as the provider gave it, sealed.
    func capture(_ description: Description, run: Run, _ now: Timestamp) -> StoredCapture? {
        let step = run.steps[run.cursor]
        // Of answers, which hold what is secret too, no more is kept than an undo needs.
        let kept = StepUndo(
            step.call, writes: step.writes, undo: step.undo, of: run.resource.type, catalog: policy.catalog
        ).capture(description.answers)
        return tools.seal.map { seal in
            StoredCapture(
                run: run.id, step: run.cursor, sealed: seal(JSON.array(kept.map(\.json)).canonicalBytes),
                expires: now + Keeper.captureLife)
        }
    }

    /// For so long a run can be undone exactly.
    static let captureLife = Span(seconds: 30 * 86_400)
}

extension Keeper {
    /// What the guards say of a finding as things are now; nothing is written. `nil` where there is no plan for it.
    package func examine(_ id: String, now: Timestamp) throws(JournalError) -> Decision? {
        var step = Step(policy: policy, journal: journal, now: now)
        guard let assessment = try step.assess(id), let plan = assessment.plan else { return nil }
        var facts = try FactsReader(policy: policy, journal: journal, now: now, haltFile: tools.haltFile())
        return tools.decide(
            try facts.facts(of: assessment, plan: plan, evidence: step.evidence(of: assessment), preflight: .pending))
    }
}
