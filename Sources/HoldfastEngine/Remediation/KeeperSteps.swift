internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// The next call of a run that has begun, and what the end of a run leads to.
extension Keeper {
    /// A run's next step, on a resource that was read just now.
    func prepare(_ run: inout Run, _ description: Description, _ step: inout Step) throws(JournalError) -> Move {
        if run.direction == .back { return try prepareUndo(&run, description, &step) }
        let now = step.now
        var deciding = try Deciding(policy: policy, journal: journal, now: now, tools: tools)
        guard let assessment = try step.assess(run.finding), let plan = assessment.plan,
            let next = plan.steps.first(where: { $0.call == run.steps[run.cursor].call })
                ?? plan.steps.first(where: { $0.call.name == run.steps[run.cursor].call.name })
        else {
            // The rule passes already, or there is nothing more to do: what is left is to see that it holds.
            let cursor = run.cursor
            try move { () throws(Run.IllegalMove) in try run.passOver(from: cursor, at: now, pace: pace(of: run)) }
            return try finish(run, "the rest of the plan has nothing to do", in: &step)
        }
        let facts = try deciding.facts(
            of: assessment, plan: plan, digest: run.planDigest,
            preflight: .passed(at: description.started), in: &step)
        let decision = tools.decide(facts)
        guard decision.outcome == .allow else {
            run.rest(until: now + Span(seconds: 10))
            return try finish(run, "held up: \(decision.stopper?.reason ?? "")", in: &step)
        }
        step.transaction.remediation.runs.append(run)
        try commit(step, lease: nil)
        memory.prepared[run.id] = PreparedStep(
            run: run, call: next.call, isIdempotent: run.steps[run.cursor].isIdempotent, decision: decision,
            budgets: [],
            haltParts: Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook),
            question: run.campaign.isEmpty
                ? policy.question(of: assessment.finding, digest: run.planDigest, risk: run.risk) : nil,
            capture: capture(description, run: run, now), prepared: now)
        return .write(run: run.id)
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
        let person = run.undoneBy.isEmpty ? nil : run.undoneBy
        let halts = try journal.halts().filter {
            Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook).contains($0.part)
        }
        let file = tools.haltFile()
        if person == nil, let why = file.map({ "the file \($0) stops everything" }) ?? halts.first.map(\.reason) {
            run.rest(until: now + Span(seconds: 10))
            return try finish(run, "its undo waits: \(why)", in: &step)
        }
        let undo = try undoing(run, description, subject)
        switch undo {
        case .nothing:
            try move { () throws(Run.IllegalMove) in try run.skipUndo(at: now) }
            return try finish(run, "this step is undone already", in: &step)
        case .impossible(let why):
            try move { () throws(Run.IllegalMove) in try run.getStuck(why, at: now) }
            return try finish(run, why, in: &step)
        case .call(let call):
            let decision = Guards.decideUndo(try undoFacts(of: run, at: description.started, in: &step), askedBy: person)
            step.transaction.remediation.runs.append(run)
            try commit(step, lease: nil)
            memory.prepared[run.id] = PreparedStep(
                run: run, call: call, isIdempotent: policy.catalog.call(call.name)?.isIdempotent ?? false,
                decision: decision, budgets: [],
                haltParts: person == nil
                    ? Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook) : [],
                question: nil, capture: nil, prepared: now)
            return .write(run: run.id)
        }
    }

    private func undoFacts(of run: Run, at started: Timestamp, in step: inout Step) throws(JournalError) -> GuardFacts {
        guard let stored = try journal.finding(id: run.finding), let finding = Finding(json: stored.body) else {
            throw JournalError(.corrupt, "the finding \(run.finding) of run \(run.id) is not in the journal")
        }
        var facts = GuardFacts(
            now: step.now, settings: policy.remediation, people: policy.people, finding: finding,
            plan: .init(
                digest: run.planDigest, playbook: run.playbook, playbookDigest: run.playbookDigest, risk: run.risk))
        facts.preflight = .passed(at: started)
        return facts
    }

    /// How the present step of a run is undone, by what was captured before it and what is there now.
    private func undoing(
        _ run: Run, _ description: Description, _ subject: Step.Subject
    ) throws(JournalError) -> UndoMaking {
        let sealed = try journal.capture(run: run.id, step: run.cursor)
        let captured = sealed.flatMap(tools.open).flatMap { try? JSON.parse($0) }
        guard let playbook = policy.playbooks[run.playbook] else {
            return .impossible("the playbook \(run.playbook) is no longer there")
        }
        return playbook.undo(
            run.steps[run.cursor], captured: captured, now: subject.view.document, answers: description.captured)
    }

    // MARK: Ends

    func end(_ run: Run, in step: inout Step) throws(JournalError) {
        let now = step.now
        step.transaction.remediation.candidates.append(Candidate(finding: run.finding, due: now + Span(seconds: 1)))
        step.markDirty(run.resource, context: run.context, reason: "run \(run.id) ended as \(run.phase.rawValue)")
        switch run.phase {
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
        default: break
        }
        try moveCampaign(of: run, in: &step)
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
        let failures = ended.filter { $0.id != run.id && $0.isFailure }.count + 1
        let part = Halt.Part.playbook(run.playbook)
        guard failures >= rule.count, try !journal.halts().contains(where: { $0.part == part }) else { return }
        let reason = "\(failures) runs failed within \(rule.window.phrase)"
        step.transaction.remediation.halts.append(Halt(part: part, by: "breaker", reason: reason, at: step.now))
        step.transaction.audit.append(
            AuditEntry(
                kind: "halt", at: step.now,
                body: ["part": .string(part.description), "by": "breaker", "reason": .string(reason)]))
        step.transaction.notices.append(
            Notice(
                code: NoticeCode.breakerOpen.rawValue, subject: run.playbook,
                text: "\(reason); nothing of it is written until holdfast resume \(part)", raised: step.now))
    }

    /// A campaign goes on to its next wave, ends, or is stopped by a run that failed.
    private func moveCampaign(of run: Run, in step: inout Step) throws(JournalError) {
        guard !run.campaign.isEmpty, var campaign = try journal.campaigns().first(where: { $0.id == run.campaign }),
            campaign.state == .running
        else { return }
        if run.phase == .verified {
            for item in campaign.items {
                step.transaction.remediation.candidates.append(
                    Candidate(finding: item.finding, due: step.now + Span(seconds: 1)))
            }
            return
        }
        campaign.state = .stopped
        campaign.reason = "run \(run.id) ended as \(run.phase.rawValue): \(run.reason)"
        step.transaction.remediation.campaigns = [campaign]
        step.transaction.notices.append(
            Notice(
                code: NoticeCode.campaignStopped.rawValue, subject: campaign.id, text: campaign.reason, raised: step.now))
    }
}

extension Run {
    /// It did not do what it was for.
    var isFailure: Bool { hasFailed || phase == .stuck }
}
