internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// Judges every step that was begun by what the world knew then and what the audit log says up to it.
struct WriteCheckers {
    let setup: Setup
    let policy: Policy
    var walk: AuditWalk
    var judgements: Judgements
    /// First steps of runs by when they took of which budget.
    private var uses: [(budget: String, at: Timestamp)] = []
    /// The calls of a plan, as they were first seen under its digest.
    private var plans: [String: [PlannedCall]] = [:]
    private var fixes: [(finding: String, at: Timestamp)] = []

    init(setup: Setup, policy: Policy, judgements: Judgements) {
        self.setup = setup
        self.policy = policy
        self.judgements = judgements
        walk = AuditWalk(setup: setup)
    }

    mutating func judge(entries: [AuditEntry], begun: [BegunStep]) {
        var index = 0
        for entry in entries {
            guard entry.kind == "step-begun" else {
                if entry.kind == "step-ended" { ended(entry) }
                if entry.kind == "run", entry.body["phase"]?.string == "verified" { fixed(entry) }
                walk.take(entry)
                continue
            }
            guard index < begun.count else {
                judgements.judge(.journaledIntent, false, "an entry of a step that nobody began")
                return
            }
            judge(begun[index], entry)
            index += 1
        }
        judgements.judge(.journaledIntent, index == begun.count, "\(begun.count - index) steps have no entry")
    }

    private mutating func fixed(_ entry: AuditEntry) {
        guard let run = walk.runs[entry.body["run"]?.string ?? ""] else { return }
        fixes.append((run.first.run.finding, entry.at))
    }

    private mutating func ended(_ entry: AuditEntry) {
        let id = entry.body["run"]?.string ?? ""
        judgements.judge(
            .legalMoves, walk.runs[id]?.isWriting == true, "run \(id) heard of a call that it had not begun")
        if entry.body["result"]?["outcome"]?.string != "accepted" { walk.runs[id]?.isWriting = false }
    }

    private mutating func judge(_ step: BegunStep, _ entry: AuditEntry) {
        let isSame =
            entry.body["run"]?.string == step.run.id && entry.body["attempt"]?.int == step.run.attempts
            && entry.body["call-digest"]?.string == step.call.digest
        judgements.judge(.journaledIntent, isSame, "\(step.step) is written down as \(entry.body.canonicalText)")
        judgeMoves(step)
        judgeHalts(step)
        if !step.isUndo {
            judgeScope(step)
            judgeEvidence(step)
            judgeCause(step)
            judgeObjections(step)
            judgeBudgets(step)
            judgeApprovals(step)
        }
        if step.isFirst { walk.runs[step.run.id] = AuditWalk.KnownRun(first: step) }
        walk.runs[step.run.id]?.isWriting = true
    }

    // MARK: Runs

    private mutating func judgeMoves(_ step: BegunStep) {
        let id = step.run.id
        if step.isFirst {
            judgements.judge(.legalMoves, walk.runs[id] == nil, "\(id) begins twice")
        } else {
            let known = walk.runs[id]
            judgements.judge(.legalMoves, known?.isOpen == true, "\(step.step) is begun after its run has ended")
            judgements.judge(.legalMoves, known?.isWriting == false, "\(step.step) is begun while a call is out")
        }
        let others = walk.runs.keys.sorted().filter { other in
            guard other != id, let run = walk.runs[other] else { return false }
            return run.isOpen && run.first.run.resource == step.run.resource
        }
        judgements.judge(.oneRun, others.isEmpty, "\(step.step) on \(step.run.resource) beside \(others)")
    }

    private mutating func judgeHalts(_ step: BegunStep) {
        guard step.run.undoneBy.isEmpty else { return }
        let parts = Halt.parts(of: step.run.context, environment: step.environment, playbook: step.run.playbook)
        let halted = parts.map(\.description).filter(walk.halts.contains)
        judgements.judge(.halted, halted.isEmpty, "\(step.step) is begun while \(halted) is halted")
        judgements.judge(.halted, !step.haltFile, "\(step.step) is begun while the halt file is there")
    }

    // MARK: Where and when

    private mutating func judgeScope(_ step: BegunStep) {
        judgements.judge(.dryRun, step.mode == .remediate, "\(step.step) in \(step.environment), which is \(step.mode)")
        let rule = policy.baseline.rule(step.run.rule)
        judgements.judge(.stableRules, rule?.maturity == .stable, "\(step.step) by \(step.run.rule)")
        let freeze = setup.remediation.freezes.first { $0.holds(at: step.at, environment: step.environment) }
        judgements.judge(.frozen, freeze == nil, "\(step.step) at \(step.at) in a freeze")
        let isOpen = walk.isOpen(step.run.playbook, in: step.environment, at: step.at)
        judgements.judge(.rollout, isOpen, "\(step.step) of \(step.run.playbook) in \(step.environment)")
        if step.run.campaign.isEmpty {
            judgements.judge(.backlog, !step.isBacklog, "\(step.step) on \(step.run.resource), which is backlog")
        } else {
            let isRunning = walk.running.contains(step.run.campaign)
            judgements.judge(.campaigns, isRunning, "\(step.step) of \(step.run.campaign), which does not run")
        }
    }

    // MARK: What it rests on

    /// Touches of what the call is about, by events that the service had taken in.
    private func known(_ step: BegunStep, whole: Bool) -> [Touch] {
        let rule = step.call.parameters["SecurityGroupRuleIds"]?.array?.first?.string
        return step.touches.filter { touch in
            guard touch.place != "Tags", step.journaled.contains(touch.event) else { return false }
            return whole || rule == nil || touch.place == rule
        }
    }

    /// Who made it what it is; `nil` where an event that is not known yet, or one of that moment, may differ.
    private func maker(_ step: BegunStep) -> Touch? {
        let rule = step.call.parameters["SecurityGroupRuleIds"]?.array?.first?.string
        let all = step.touches.filter { $0.place != "Tags" && (rule == nil || $0.place == rule) }
        guard let last = all.last, last.isBad, step.journaled.contains(last.event) else { return nil }
        if let before = all.dropLast().last, last.time.since(before.time).nanoseconds < 2_000_000_000 { return nil }
        return last
    }

    private mutating func judgeEvidence(_ step: BegunStep) {
        let type = step.run.resource.type
        let margin = policy.resolution(for: type).nanoseconds + policy.margin(for: type).nanoseconds
        for touch in known(step, whole: true) {
            let sure = touch.time + Span(nanoseconds: margin)
            let isRead = step.newestRead.map { $0 >= sure } ?? false
            judgements.judge(
                .onlyWhatWasRead, isRead,
                "\(step.step): \(touch.event) on \(touch.place) by \(touch.hand) at \(touch.time), read at "
                    + "\(step.newestRead?.description ?? "no time")"
            )
        }
        let label = step.touches.last { $0.place == "Tags" }
        let isLabelled =
            step.tags.contains(CloudState.doNotTouch)
            && label.map { step.truly.since($0.time).nanoseconds >= 3_000_000_000 } ?? false
        judgements.judge(.keptOff, !isLabelled, "\(step.step) on a labelled \(step.run.resource)")
        let isExempt = step.isExempt || walk.isExempt(step.run.rule, step.run.resource, at: step.at)
        judgements.judge(.keptOff, !isExempt, "\(step.step) on an exempt \(step.run.resource)")
        judgements.judge(
            .keptOff, !walk.isHeld(step.run.finding, at: step.at), "\(step.step) on what is held")
    }

    private mutating func judgeCause(_ step: BegunStep) {
        if step.run.campaign.isEmpty, let maker = maker(step) {
            judgements.judge(
                .pipelines, maker.hand != .pipeline, "\(step.step): \(maker.event) came through a pipeline")
        }
        let rules = setup.remediation.flapping
        let since = step.at - rules.window
        let count = fixes.filter { $0.finding == step.run.finding && $0.at > since }.count
        judgements.judge(.fights, count < rules.count || !step.isFirst, "\(step.step) after \(count) fixes")
    }

    // MARK: How much

    private mutating func judgeBudgets(_ step: BegunStep) {
        guard step.isFirst else { return }
        let limits = setup.remediation.budgets
        let account = step.run.context.account
        let type = step.run.resource.type
        let budgets = [
            ("overall", limits.overall.count, limits.overall.window),
            ("account \(account)", limits.account.count, limits.account.window),
            ("playbook \(step.run.playbook)", limits.playbook.count, limits.playbook.window),
            ("\(type) in \(account)", max(1, step.typeCount * limits.typePercent / 100), Span(seconds: 86_400)),
        ]
        for (name, limit, window) in budgets {
            let used = uses.filter { $0.budget == name && $0.at > step.at - window }.count
            judgements.judge(.budgets, used < limit, "\(step.step): \(name) had \(used) of \(limit)")
            uses.append((name, step.at))
        }
    }

    // MARK: Who agreed

    private mutating func judgeObjections(_ step: BegunStep) {
        for objection in walk.objections[step.run.finding] ?? [] where objection.at >= step.opened ?? .distantPast {
            let people = (objection.approvedBy[step.planDigest] ?? []).subtracting([objection.person])
            judgements.judge(
                .objected, step.run.campaign.isEmpty && !people.isDisjoint(with: Setup.approvers),
                "\(step.step), to which \(objection.person) objected at \(objection.at)")
        }
    }

    private mutating func judgeApprovals(_ step: BegunStep) {
        let steps = step.run.steps.map(\.call)
        judgements.judge(
            .asPlanned, plans[step.planDigest] ?? steps == steps, "\(step.step): another plan of one digest")
        plans[step.planDigest] = steps
        judgements.judge(
            .asPlanned, steps.indices.contains(step.run.cursor) && steps[step.run.cursor] == step.call,
            "\(step.step) makes \(step.call.json.canonicalText), which its plan has not")
        let rules = setup.remediation.approvals
        let needed = rules.needed(
            step.run.risk, environment: step.environment, isLast: step.environment == "production")
        let digest = step.run.campaign.isEmpty ? step.planDigest : step.run.campaign
        guard needed > 0 || !step.run.campaign.isEmpty else { return }
        let words = (walk.words[digest] ?? []).filter { !step.run.campaign.isEmpty || $0.expires > step.at }
        if step.run.campaign.isEmpty {
            let against = words.filter { $0.kind != "approve" }
            judgements.judge(.approved, against.isEmpty, "\(step.step): \(against.map(\.person)) said no")
        }
        var people = Set(words.filter { $0.kind == "approve" }.map(\.person))
        people.formIntersection(Setup.approvers)
        if let hand = maker(step)?.hand, step.run.campaign.isEmpty { people.remove(hand.rawValue) }
        if let proposer = walk.proposers[digest] { people.remove(proposer) }
        judgements.judge(
            .approved, people.count >= max(needed, step.run.campaign.isEmpty ? 0 : 1),
            "\(step.step): \(people.sorted()) agreed of \(needed)")
    }
}
