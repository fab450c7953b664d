internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// The next call of a run that has begun, and what the end of a run leads to.
extension Keeper {
    /// A run's next step, on a resource that was read just now.
    func prepare(_ run: inout Run, _ description: Description, _ step: inout Step) throws(JournalError) -> Move {
        if run.direction == .back { return try prepareUndo(&run, description, &step) }
        let now = step.now
        let (outcome, assessment) = try present(run, in: &step)
        let plan: Plan
        let next: PlannedStep
        switch outcome {
        case .make(let made, let planned): (plan, next) = (made, planned)
        case .skip:
            try move { () throws(Run.IllegalMove) in try run.skip(at: now, pace: pace(of: run)) }
            return try finish(run, "the step has nothing to do", in: &step)
        case .over:
            try move { () throws(Run.IllegalMove) in try run.passOver(at: now, pace: pace(of: run)) }
            return try finish(run, "the rest of the plan has nothing to do", in: &step)
        case .wait(let why): return try wait(&run, why, in: &step)
        case .giveUp(let why): return try giveUp(&run, why, in: &step)
        }
        guard let assessment else { return try giveUp(&run, "its rule is gone", in: &step) }
        if !run.campaign.isEmpty {
            let campaign = try journal.campaigns().first { $0.id == run.campaign }
            guard campaign?.state == .running else {
                return try giveUp(&run, "the campaign \(run.campaign) does not run any more", in: &step)
            }
        }
        var deciding = try Deciding(policy: policy, journal: journal, now: now, tools: tools)
        let facts = try deciding.facts(
            of: assessment, plan: plan, run: run, preflight: .passed(at: description.started), in: &step)
        let decision = tools.decide(facts)
        if let stopper = decision.stopper {
            let passes = stopper.again != nil || [.halt, .evidence, .preflight].contains(stopper.name)
            return passes ? try wait(&run, stopper.reason, in: &step) : try giveUp(&run, stopper.reason, in: &step)
        }
        step.transaction.remediation.runs.append(run)
        try commit(step, lease: nil)
        memory.prepared[run.id] = PreparedStep(
            run: run, call: next.call, isIdempotent: run.steps[run.cursor].isIdempotent, decision: decision,
            budgets: [],
            haltParts: Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook),
            question: run.campaign.isEmpty ? policy.question(digest: run.planDigest, facts) : nil,
            capture: capture(description, run: run, now), prepared: now)
        return .write(run: run.id)
    }

    /// What is to be done about a run's present step.
    private enum Present {
        case make(Plan, PlannedStep)
        /// This step has nothing to do any more.
        case skip
        /// Nor have those after it.
        case over
        case wait(String)
        case giveUp(String)
    }

    private func present(_ run: Run, in step: inout Step) throws(JournalError) -> (Present, Assessment?) {
        guard let assessment = try step.assess(run.finding) else { return (.giveUp("its rule is gone"), nil) }
        guard assessment.finding.incarnation == run.incarnation else { return (.over, assessment) }
        switch assessment.finding.state {
        case .resolved, .deleted, .suppressed: return (.over, assessment)
        case .stale: return (.wait("what it rests on is not known"), assessment)
        case .open: break
        }
        let plan: Plan
        switch assessment.outcome {
        case .plan(let made): plan = made
        case .nothing: return (.over, assessment)
        case .proposal(let why, _): return (.giveUp("the plan is a proposal now: \(why)"), assessment)
        case nil: return (.giveUp("no plans are made for it any more"), assessment)
        }
        let own = run.steps[run.cursor]
        if let same = plan.steps.first(where: own.isSame) { return (.make(plan, same), assessment) }
        if plan.digest.description == run.planDigest, plan.steps.indices.contains(run.cursor) {
            return (.make(plan, plan.steps[run.cursor]), assessment)
        }
        // A step whose own element is gone is done; a document that is another is not ours to send.
        let isForElement = if case .call = own.undo.means { true } else { false }
        if isForElement || !plan.steps.contains(where: { $0.call.name == own.call.name }) { return (.skip, assessment) }
        return (.giveUp("the plan is another by now"), assessment)
    }

    /// Something holds it up that passes.
    private func wait(_ run: inout Run, _ why: String, in step: inout Step) throws(JournalError) -> Move {
        let isNew = run.waiting != why
        run.wait(for: why, until: step.now + Span(seconds: 10))
        return try finish(run, isNew ? "held up" : nil, in: &step)
    }

    /// Something stops it for good: what has written nothing is over, and half a plan is for a person.
    private func giveUp(_ run: inout Run, _ why: String, in step: inout Step) throws(JournalError) -> Move {
        let now = step.now
        let hasDone = run.steps.contains { $0.state == .done }
        try move { () throws(Run.IllegalMove) in
            if hasDone { try run.getStuck(why, at: now) } else { try run.abandon(why, at: now) }
        }
        return try finish(run, "stopped", in: &step)
    }

    private func prepareUndo(
        _ run: inout Run, _ description: Description, _ step: inout Step
    ) throws(JournalError) -> Move {
        let now = step.now
        let subject = try step.subject(run.resource, context: run.context)
        if subject.view.isDeleted || subject.view.incarnation != run.incarnation {
            try move { () throws(Run.IllegalMove) in try run.skipUndo(at: now) }
            return try finish(run, "the resource is gone", in: &step)
        }
        // A drill's own undo makes a drift again: that waits for a halt, whoever asked for the drill.
        let isDrifting = !run.drill.isEmpty && !run.plants
        let person = run.undoneBy.isEmpty || isDrifting ? nil : run.undoneBy
        let halts = try journal.halts().filter {
            Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook).contains($0.part)
        }
        let file = tools.haltFile()
        if person == nil, let why = file.map({ "the file \($0) stops everything" }) ?? halts.first.map(\.reason) {
            if run.waiting != why { notice(.runFailed, run, "its undo waits: \(why)", in: &step) }
            return try wait(&run, why, in: &step)
        }
        if try isWanted(run, in: &step) {
            try move { () throws(Run.IllegalMove) in try run.skipUndo(at: now) }
            return try finish(run, "this step is undone already", in: &step)
        }
        switch try undoing(run, subject) {
        case .failure(let fault):
            let conflict = try conflict(fault, of: run, subject)
            let why = conflict.map { "\(fault); \($0.question)" } ?? fault.description
            try move { () throws(Run.IllegalMove) in try run.getStuck(why, over: conflict, at: now) }
            return try finish(run, why, in: &step)
        case .success(.nothing(let why)):
            try move { () throws(Run.IllegalMove) in try run.skipUndo(at: now) }
            return try finish(run, why, in: &step)
        case .success(.call(let call)):
            let decision = Guards.decideUndo(
                try undoFacts(of: run, at: description.started, in: &step), askedBy: person)
            step.transaction.remediation.runs.append(run)
            try commit(step, lease: nil)
            memory.prepared[run.id] = PreparedStep(
                run: run, call: call, isIdempotent: policy.catalog.mayBeMadeAgain(call.name),
                decision: decision, budgets: [],
                haltParts: person == nil
                    ? Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook) : [],
                question: nil, capture: nil, prepared: now)
            return .write(run: run.id)
        }
    }

    /// What the present step took away is there again: somebody has undone it already.
    func isWanted(_ run: Run, in step: inout Step) throws(JournalError) -> Bool {
        guard let assessment = try step.assess(run.finding), assessment.finding.state == .open,
            let plan = assessment.plan
        else { return false }
        return plan.steps.contains(where: run.steps[run.cursor].isSame)
    }

    private func undoFacts(of run: Run, at started: Timestamp, in step: inout Step) throws(JournalError) -> GuardFacts {
        let known = try journal.finding(id: run.finding).flatMap { Finding(json: $0.body) }
        // What was planted may be taken away before anything was found.
        let drill = run.plants ? try journal.drill(id: run.drill) : nil
        guard
            let finding = known
                ?? drill.map({ Finding(planted: $0, incarnation: run.incarnation, at: run.opened) })
        else { throw JournalError(.corrupt, "the finding \(run.finding) of run \(run.id) is not in the journal") }
        var facts = GuardFacts(
            now: step.now, settings: policy.remediation, people: policy.people, finding: finding,
            plan: .init(
                digest: run.planDigest, playbook: run.playbook, playbookDigest: run.playbookDigest, risk: run.risk))
        facts.preflight = .passed(at: started)
        return facts
    }

    // MARK: Ends

    func end(_ run: Run, in step: inout Step) throws(JournalError) {
        let now = step.now
        if run.plants, run.phase == .verified { return }
        step.transaction.remediation.candidates.append(Candidate(finding: run.finding, due: now + Span(seconds: 1)))
        step.markDirty(run.resource, context: run.context, reason: "run \(run.id) ended as \(run.phase.rawValue)")
        switch run.phase {
        case .undone where run.plants: break
        case .undone:
            let by = run.undoneBy.isEmpty ? "holdfast" : run.undoneBy
            step.transaction.remediation.holds.append(
                Hold(
                    finding: run.finding, by: by, reason: run.reason, until: now + policy.remediation.holdAfterUndo))
            if run.hasFailed {
                notice(.runFailed, run, "it was undone: \(run.reason)", in: &step)
                try openBreaker(after: run, in: &step)
            }
        case .stuck:
            notice(.runStuck, run, run.reason, in: &step)
            try openBreaker(after: run, in: &step)
        case .abandoned:
            if run.hasFailed {
                notice(.runFailed, run, run.reason, in: &step)
                try openBreaker(after: run, in: &step)
            }
        case .verified: try openNext(after: run, in: &step)
        default: break
        }
    }

    private func notice(_ code: NoticeCode, _ run: Run, _ text: String, in step: inout Step) {
        step.transaction.notices.append(
            Notice(
                code: code.rawValue, subject: run.id, text: "\(run.playbook) on \(run.resource.id): \(text)",
                raised: step.now))
    }

    /// A playbook that failed too often is halted until a person resumes it.
    private func openBreaker(after run: Run, in step: inout Step) throws(JournalError) {
        let rule = policy.remediation.breaker
        let ended = try journal.endedRuns(playbook: run.playbook, since: step.now - rule.window)
        // One resource that nothing can be written to is no reason to leave all others as they are.
        let failures = Set(ended.filter(\.isFailure).map(\.finding)).union([run.finding]).count
        let part = Halt.Part.playbook(run.playbook)
        guard failures >= rule.count, try !journal.halts().contains(where: { $0.part == part }) else { return }
        let reason = "runs on \(failures) findings failed within \(rule.window.phrase)"
        step.transaction.remediation.halts.append(Halt(part: part, by: "breaker", reason: reason, at: step.now))
        step.transaction.audit.append(
            AuditEntry(
                kind: "halt", at: step.now,
                body: ["what": .string(part.description), "by": "breaker", "reason": .string(reason)]))
        step.transaction.notices.append(
            Notice(
                code: NoticeCode.breakerOpen.rawValue, subject: run.playbook,
                text: "\(reason); nothing of it is written until holdfast resume \(part)", raised: step.now))
    }

    /// A campaign goes on to its next wave, or is stopped by the first run that fails or is undone.
    func moveCampaign(of run: Run, in step: inout Step) throws(JournalError) {
        guard !run.campaign.isEmpty, var campaign = try journal.campaigns().first(where: { $0.id == run.campaign }),
            campaign.state == .running
        else { return }
        guard run.isFailure || run.direction == .back else {
            for item in campaign.items {
                step.transaction.remediation.candidates.append(
                    Candidate(finding: item.finding, due: step.now + Span(seconds: 1)))
            }
            return
        }
        campaign.state = .stopped
        campaign.reason = "run \(run.id) is \(run.phase.rawValue): \(run.reason)"
        step.transaction.remediation.campaigns = [campaign]
        step.transaction.audit.append(
            AuditEntry(
                kind: "campaign-stopped", at: step.now,
                body: ["campaign": .string(campaign.id), "reason": .string(campaign.reason)]))
        step.transaction.notices.append(
            Notice(
                code: NoticeCode.campaignStopped.rawValue, subject: campaign.id, text: campaign.reason, raised: step.now
            ))
    }

    /// The run that opens the next environment makes what waits there worth another look.
    private func openNext(after run: Run, in step: inout Step) throws(JournalError) {
        let undone = try journal.lastUndone(playbookDigest: run.playbookDigest, environment: nil)
        let verified = try journal.verified(
            playbookDigest: run.playbookDigest, environment: run.environment, since: undone ?? .distantPast)
        if verified.count + 1 == policy.remediation.rollout.runs { step.transaction.remediation.touchAll = step.now }
    }
}

extension Run {
    /// It did not do what it was for.
    var isFailure: Bool { hasFailed || phase == .stuck }
}
