package import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Carrying out runs: every move is decided and written down here, and made outside.
extension Keeper {
    // MARK: What is due

    /// Runs that have something to do now, in the caller's hands from here on. One whose call nobody waits for any more
    /// was lost with the process that made it.
    package func dueRuns(now: Timestamp) throws(JournalError) -> [Work] {
        var due: [Work] = []
        var step = Step(policy: policy, journal: journal, now: now)
        for var run in try journal.openRuns() where !memory.working.contains(run.id) {
            if run.phase == .writing {
                try move { () throws(Run.IllegalMove) in try run.lose(pace: pace(of: run)) }
                note(run, "its outcome was lost with the process that made the call", in: &step)
            }
            if run.notBefore <= now { due.append(.run(run.id)) }
        }
        if !step.transaction.remediation.runs.isEmpty { try commit(step, lease: nil) }
        for work in due { memory.working.insert(work.id) }
        return due
    }

    /// What is to be done first for some work.
    package func begin(_ work: Work) throws(JournalError) -> Move {
        switch work {
        case .finding(let id): return try preflight(of: id)
        case .drill(let id): return try preflight(ofDrill: id)
        case .run(let id):
            guard let run = try journal.run(id: id) else { return release(id) }
            switch run.action {
            case .prepare, .find, .check: return .read(run.resource, run.context)
            case .poll(let operation): return .poll(operation, run.context)
            case .nothing: return release(id)
            }
        }
    }

    private func release(_ id: String) -> Move {
        memory.working.remove(id)
        return .rest
    }

    /// Whoever carried it out has stopped, for whatever reason: a later look goes on from what is written.
    package func drop(_ work: Work) {
        memory.working.remove(work.id)
        if case .finding(let finding) = work {
            for (id, step) in memory.prepared where step.run.finding == finding {
                memory.prepared[id] = nil
                memory.working.remove(id)
            }
        }
        if case .drill(let drill) = work {
            for (id, step) in memory.prepared where step.run.drill == drill {
                memory.prepared[id] = nil
                memory.working.remove(id)
            }
        }
    }

    // MARK: Reads

    /// What a read for some work said.
    package func took(_ description: Description, for work: Work, now: Timestamp) throws(JournalError) -> Move {
        let id: String
        switch work {
        case .finding(let finding): return try took(preflight: description, of: finding, now: now)
        case .drill(let drill): return try took(preflight: description, ofDrill: drill, now: now)
        case .run(let run): id = run
        }
        guard var run = try journal.run(id: id) else { return release(id) }
        var step = Step(policy: policy, journal: journal, now: now)
        try step.observe(description, resource: run.resource, context: run.context)
        try step.evaluate(cause: .baseline)
        if case .prepare = run.action { return try prepare(&run, description, &step) }
        let view = try read(of: run, in: &step)
        let phase = run.phase
        try move { () throws(Run.IllegalMove) in
            switch run.action {
            case .find: try run.learn(stepIsDone: view.stepIsDone, at: now, pace: pace(of: run))
            case .check:
                if view.passes == true { run.note(written: view.written) }
                try run.verify(passes: view.passes, at: now)
            default: break
            }
        }
        if run.phase == .verifying || run.phase == .uncertain, let sure = view.sureFrom, sure > now {
            run.rest(until: sure)
        }
        return try finish(run, run.phase == phase ? nil : "read", in: &step)
    }

    /// A read that failed: tried again, as long as the run may wait.
    package func failed(_ error: ReadError, for work: Work, now: Timestamp) throws(JournalError) {
        if case .drill(let drill) = work { return failed(preflightOfDrill: drill, now: now) }
        guard case .run(let id) = work else { return try failed(preflightOf: work.id, error, now: now) }
        defer { memory.working.remove(id) }
        guard var run = try journal.run(id: id) else { return }
        var step = Step(policy: policy, journal: journal, now: now)
        let phase = run.phase
        try move { () throws(Run.IllegalMove) in
            switch run.action {
            case .find: try run.learn(stepIsDone: nil, at: now, pace: pace(of: run))
            case .check: try run.verify(passes: nil, at: now)
            default: run.rest(until: now + Span(seconds: 5))
            }
        }
        _ = try finish(run, run.phase == phase ? nil : "could not be read: \(error.message)", in: &step)
    }

    /// What a read says of a run.
    private struct RunView {
        var passes: Bool?
        var stepIsDone: Bool?
        /// Of each step, what it wrote as it stands there now.
        var written: [JSON] = []
        /// When another read would be surer.
        var sureFrom: Timestamp?
    }

    private func read(of run: Run, in step: inout Step) throws(JournalError) -> RunView {
        let subject = try step.subject(run.resource, context: run.context)
        var view = RunView()
        if subject.view.isDeleted || subject.view.incarnation != run.incarnation {
            // What it was made for is gone; there is nothing left to fix or to undo.
            return RunView(passes: true, stepIsDone: true)
        }
        let outcome = try step.freshVerdict(run.rule, subject).outcome
        switch outcome {
        case .pass, .notApplicable: view.passes = true
        case .drift: view.passes = false
        case .unknown: view.passes = nil
        }
        view.written = run.steps.map {
            StepUndo($0.call, writes: $0.writes, undo: $0.undo, of: run.resource.type, catalog: policy.catalog)
                .sections(of: subject.view.document)
        }
        if run.plants {
            // What is planted is there where the rule does not pass.
            let isThere = subject.view.isObserved(policy.pathsRead(by: run.rule)) ? view.passes.map { !$0 } : nil
            view.passes = isThere
            view.stepIsDone = run.direction == .forward ? isThere : isThere.map { !$0 }
            return view
        }
        guard let assessment = try step.assess(run.finding) else { return view }
        let evidence = step.evidence(of: assessment)
        let isObserved = subject.view.isObserved(policy.pathsRead(by: run.rule))
        if !isObserved {
            view.passes = nil
            view.sureFrom = evidence.observableFrom
        }
        if case .find = run.action, isObserved { view.stepIsDone = stepIsDone(run, assessment, passes: view.passes) }
        return view
    }

    /// A call that would still be made was not made; on the way back, one that would be made again was undone.
    private func stepIsDone(_ run: Run, _ assessment: Assessment, passes: Bool?) -> Bool? {
        let isWanted: Bool
        switch assessment.outcome {
        case .plan(let plan): isWanted = plan.steps.contains(where: run.steps[run.cursor].isSame)
        case .nothing: isWanted = false
        case .proposal: return nil
        case nil:
            guard passes == true else { return nil }
            isWanted = false
        }
        return run.direction == .forward ? !isWanted : isWanted
    }

    // MARK: Calls

    /// Writes the prepared step down as begun, and gives the permit for its call.
    ///
    /// - Throws: where something that guards it no longer holds: nothing is written to the cloud.
    package func permit(for run: String, now: Timestamp) throws(BeginError) -> Permit {
        guard let prepared = memory.prepared.removeValue(forKey: run) else {
            throw .refused(.preflight, "the step was not prepared")
        }
        if !prepared.haltParts.isEmpty, let file = tools.haltFile() {
            throw .refused(.halt, "the file \(file) stops everything")
        }
        if now.since(prepared.prepared).nanoseconds > policy.remediation.freshFor.nanoseconds {
            throw .refused(.preflight, "what was read before the call is too old")
        }
        let begun = try begin(prepared, now: now)
        do {
            return try Guards.permit(
                prepared.decision, prepared.call, in: prepared.run.context, expiry: policy.remediation.permitExpiry,
                begun)
        } catch {
            throw .refused(.preflight, error.reason)
        }
    }

    private func begin(_ prepared: PreparedStep, now: Timestamp) throws(BeginError) -> Begun {
        var run = prepared.run
        do {
            try run.begin(prepared.call, isIdempotent: prepared.isIdempotent, at: now)
        } catch {
            throw .journal(JournalError(.failed, error.description))
        }
        let rules = policy.remediation.approvals
        let people = policy.people
        let question = prepared.question
        return try journal.begin(
            StepIntent(
                leases: [leases["shards"]].compactMap { $0 }, run: run, call: prepared.call,
                decision: prepared.decision, at: now, haltParts: prepared.haltParts, budgets: prepared.budgets,
                isApproved: { words in
                    guard let question else { return true }
                    switch rules.standing(of: question, words: words, people: people, now: now).state {
                    case .notNeeded, .met: return true
                    case .waiting, .refused, .held, .impossible: return false
                    }
                }, capture: prepared.capture))
    }

    /// The step was not begun: what it is about is decided again.
    ///
    /// - Parameter work: what the step was prepared for.
    package func refused(
        _ error: BeginError, for run: String, of work: Work, now: Timestamp
    ) throws(JournalError) {
        if case .journal(let failure) = error { throw failure }
        memory.working.remove(run)
        var step = Step(policy: policy, journal: journal, now: now)
        guard var known = try journal.run(id: run) else {
            guard case .finding(let finding) = work else { return }
            // What stood in the way is seen, and told, when it is decided anew.
            step.transaction.remediation.candidates = [Candidate(finding: finding, due: now + Span(seconds: 1))]
            return try commit(step, lease: nil)
        }
        let isNew = known.waiting != error.description
        known.wait(for: error.description, until: now + Span(seconds: 5))
        if isNew { note(known, "was not begun", in: &step) } else { step.transaction.remediation.runs = [known] }
        try commit(step, lease: nil)
    }

    /// How a call, or a long operation, ended.
    package func took(_ outcome: WriteOutcome, for id: String, now: Timestamp) throws(JournalError) -> Move {
        guard var run = try journal.run(id: id) else { return release(id) }
        var step = Step(policy: policy, journal: journal, now: now)
        if run.phase == .accepted, case .accepted = outcome {
            // Still under way: nothing is new.
            try move { () throws(Run.IllegalMove) in try run.take(outcome, at: now, pace: pace(of: run)) }
            return try finish(run, run.phase == .accepted ? nil : "it took too long", in: &step)
        }
        step.transaction.audit.append(
            AuditEntry(
                kind: "step-ended", at: now,
                body: [
                    "run": .string(id), "step": .number(JSONNumber(run.cursor)),
                    "direction": .string(run.direction.rawValue), "result": outcome.json,
                ]))
        var account = StoredAccount(cloud: run.context.cloud, id: run.context.account)
        switch outcome {
        case .done, .accepted, .alreadyDone: account.lastWrite = now
        case .refused(WriteOutcome.denied, _, _): account.lastWriteDenied = now
        case .refused, .unknown: break
        }
        step.transaction.accounts.append(account)
        try move { () throws(Run.IllegalMove) in try run.take(outcome, at: now, pace: pace(of: run)) }
        memory.remember(run)
        if run.plants, run.phase == .verifying {
            // Its event must be the first to tell of it: nothing is read here.
            try move { () throws(Run.IllegalMove) in try run.verify(passes: true, at: now) }
        }
        return try finish(run, "the call ended", in: &step)
    }

    // MARK: Writing down

    /// An illegal move is a fault of ours: it stops the service rather than the wrong thing being done.
    func move(_ body: () throws(Run.IllegalMove) -> Void) throws(JournalError) {
        do {
            try body()
        } catch {
            throw JournalError(.failed, error.description)
        }
    }

    func pace(of run: Run) -> Run.Pace {
        Run.Pace(
            margin: policy.resolution(for: run.resource.type) + policy.margin(for: run.resource.type),
            permitExpiry: policy.remediation.permitExpiry, verifyWithin: policy.remediation.verifyWithin)
    }

    /// What a run's move leads to.
    func follow(_ run: Run, in step: inout Step) throws(JournalError) {
        if run.phase.isEnd { try end(run, in: &step) }
        if run.phase.isEnd || run.direction == .back { try moveCampaign(of: run, in: &step) }
    }

    func note(_ run: Run, _ what: String, in step: inout Step) {
        step.transaction.remediation.runs.append(run)
        step.transaction.audit.append(
            AuditEntry(
                kind: "run", at: step.now,
                body: [
                    "run": .string(run.id), "phase": .string(run.phase.rawValue), "what": .string(what),
                    "direction": .string(run.direction.rawValue), "reason": .string(run.reason),
                    "waiting": .string(run.waiting),
                ]))
    }

    /// Writes a run down as it is now, with what its end leads to, and gives it out of hand.
    ///
    /// - Parameter what: for the audit log; `nil` where nothing is new.
    func finish(_ run: Run, _ what: String?, in step: inout Step) throws(JournalError) -> Move {
        if let what { note(run, what, in: &step) } else { step.transaction.remediation.runs.append(run) }
        try follow(run, in: &step)
        step.transaction.mustBeDurable = true
        try commit(step, lease: nil)
        memory.working.remove(run.id)
        memory.working.remove(run.finding)
        return .rest
    }
}

extension Span {
    static func + (a: Span, b: Span) -> Span { Span(nanoseconds: a.nanoseconds &+ b.nanoseconds) }
}
