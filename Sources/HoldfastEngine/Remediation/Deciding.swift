internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Decides findings within one step, and writes down what changed: decisions, prompts and what they void.
struct Deciding {
    let policy: Policy
    let journal: any Journal
    let now: Timestamp
    let guards: @Sendable (GuardFacts) -> Decision
    private var facts: FactsReader
    private var asks: [String: [Ask]]
    private let hadAsks: Bool
    /// Open notices that a later decision ends: `code subject`.
    private let open: Set<String>
    /// What the last call of ``decide(_:preflight:in:)`` allowed.
    private(set) var allowed: (assessment: Assessment, plan: Plan)?
    private(set) var last: (decision: Decision, campaign: String, drill: String, question: ApprovalRules.Question)?

    init(policy: Policy, journal: any Journal, now: Timestamp, tools: RemediationTools) throws(JournalError) {
        self.policy = policy
        self.journal = journal
        self.now = now
        guards = tools.decide
        facts = try FactsReader(policy: policy, journal: journal, now: now, haltFile: tools.haltFile())
        asks = Dictionary(grouping: try journal.asks(), by: \.finding)
        hadAsks = !asks.isEmpty
        open = Set(try journal.openNotices().map { "\($0.code) \($0.subject)" })
    }

    mutating func claims(of finding: Finding, playbook: String) throws(JournalError) -> [BudgetClaim] {
        try facts.claims(of: finding, playbook: playbook)
    }

    /// - Returns: `nil` where there is nothing to decide any more.
    mutating func decide(
        _ id: String, preflight: GuardFacts.Preflight, in step: inout Step
    ) throws(JournalError) -> Decision.Outcome? {
        (allowed, last) = (nil, nil)
        guard let assessment = try step.assess(id), let plan = assessment.plan else {
            step.transaction.remediation.doneCandidates.append(id)
            close(id, because: "the finding is over", in: &step)
            return nil
        }
        let facts = try facts.facts(
            of: assessment, plan: plan, evidence: step.evidence(of: assessment), preflight: preflight)
        let decision = guards(facts)
        last = (decision, facts.campaign ?? "", facts.drill ?? "", policy.question(digest: facts.plan.digest, facts))
        if decision.outcome == .allow { allowed = (assessment, plan) }
        try record(decision, in: &step)
        endStops(decision, in: &step)
        try tell(assessment, plan, facts, in: &step)
        var due = decision.stopper?.again ?? .distantFuture
        if decision.outcome == .ask {
            due = try ask(assessment, plan, facts, in: &step)
        } else if !decision.keepsAsking || asks[id]?.contains(where: { $0.digest != decision.planDigest }) == true {
            close(id, because: decision.stopper?.reason ?? "it goes on", in: &step)
        }
        if decision.outcome == .read { due = now + Keeper.retryAfterLoss }
        step.transaction.remediation.candidates.append(Candidate(finding: id, due: max(due, now + Self.shortest)))
        return decision.outcome
    }

    /// What the guards are asked with about a later step of a run: approvals are those of the plan that it began with.
    mutating func facts(
        of assessment: Assessment, plan: Plan, run: Run, preflight: GuardFacts.Preflight, in step: inout Step
    ) throws(JournalError) -> GuardFacts {
        let isListed = facts.campaigns.contains { $0.id == run.campaign }
        var facts = try facts.facts(
            of: assessment, plan: plan, evidence: step.evidence(of: assessment), preflight: preflight)
        let digest = run.planDigest
        facts.plan.digest = digest
        facts.campaign = isListed ? run.campaign : nil
        // Consumed when the run began.
        facts.budgets = []
        let question = policy.question(digest: digest, facts)
        facts.approvals = policy.remediation.approvals.standing(
            of: question, words: try journal.approvals(of: digest), people: policy.people, now: now)
        return facts
    }

    /// A finding is not decided more often.
    private static let shortest = Span(seconds: 1)

    private func record(_ decision: Decision, in step: inout Step) throws(JournalError) {
        let before = try journal.decision(of: decision.finding)
        guard before?.answers != decision.answers || before?.planDigest != decision.planDigest else { return }
        step.transaction.remediation.decisions.append(decision)
        let isSame =
            before?.planDigest == decision.planDigest && before?.outcome == decision.outcome
            && before?.stopper?.name == decision.stopper?.name
        if !isSame { step.transaction.audit.append(AuditEntry(kind: "decision", at: now, body: decision.json)) }
        noticeStops(decision, in: &step)
    }

    /// What a person must look at.
    private func noticeStops(_ decision: Decision, in step: inout Step) {
        guard let stopper = decision.stopper, stopper.word == .refuse else { return }
        let code: NoticeCode
        switch stopper.name {
        case .budgets: code = .budgetSpent
        case .cause where stopper.reason.contains("fights it"): code = .flapping
        default: return
        }
        let subject = code == .flapping ? decision.finding : decision.playbook
        step.transaction.notices.append(
            Notice(code: code.rawValue, subject: subject, text: stopper.reason, raised: now))
    }

    /// Notices of what does not stop it any more.
    private func endStops(_ decision: Decision, in step: inout Step) {
        func end(_ code: NoticeCode, _ subject: String, unless stops: Bool) {
            guard !stops, open.contains("\(code.rawValue) \(subject)") else { return }
            step.transaction.closedNotices.append(NoticeClosing(code: code.rawValue, subject: subject, at: now))
        }
        func refuses(_ name: GuardName) -> Bool {
            decision.answers.contains { $0.name == name && $0.word == .refuse }
        }
        end(.budgetSpent, decision.playbook, unless: refuses(.budgets))
        end(.flapping, decision.finding, unless: refuses(.cause))
    }

    // MARK: Prompts

    /// - Returns: when the next in the chain is asked.
    private mutating func ask(
        _ assessment: Assessment, _ plan: Plan, _ facts: GuardFacts, in step: inout Step
    ) throws(JournalError) -> Timestamp {
        let digest = plan.digest.description
        let rules = policy.remediation.approvals
        if let known = asks[assessment.finding.id]?.first(where: { $0.digest == digest }) {
            let objects = facts.objection.map { !known.prompt.mayBreak.contains($0.sentence) } ?? false
            guard known.next <= now || objects else { return known.next }
            var again = known
            if objects, let objection = facts.objection { again.prompt.mayBreak.insert(objection.sentence, at: 0) }
            if known.next <= now { again.level = min(known.level + 1, rules.chain.count - 1) }
            again.next = now + rules.answerWithin
            again.mustPrompt = true
            put(again, in: &step)
            return again.next
        }
        close(assessment.finding.id, because: "the plan is another", in: &step)
        let needed: Int
        if case .waiting(let count, _) = facts.approvals.state { needed = count } else { needed = 1 }
        var prompt = Prompt(
            finding: assessment.finding, rule: assessment.rule.title, plan: plan,
            dependants: try step.dependants(of: assessment.subject), evidenceAt: facts.evidence.observed,
            needed: needed, roles: rules.chain)
        if let objection = facts.objection { prompt.mayBreak.insert(objection.sentence, at: 0) }
        let ask = Ask(
            digest: digest, finding: assessment.finding.id, opened: now, level: 0, next: now + rules.answerWithin,
            mustPrompt: true, prompt: prompt)
        put(ask, in: &step)
        step.transaction.audit.append(AuditEntry(kind: "approval-asked", at: now, body: prompt.json))
        return ask.next
    }

    private mutating func put(_ ask: Ask, in step: inout Step) {
        step.transaction.remediation.asks.append(ask)
        asks[ask.finding] = [ask]
    }

    private mutating func close(_ finding: String, because reason: String, in step: inout Step) {
        for ask in asks.removeValue(forKey: finding) ?? [] {
            step.transaction.remediation.closedAsks.append(ask.digest)
            step.transaction.audit.append(
                AuditEntry(
                    kind: "approval-closed", at: now,
                    body: [
                        "plan": .string(ask.digest), "finding": .string(finding), "reason": .string(reason),
                    ]))
        }
    }

    /// A wave that has opened since they were decided makes its findings worth another look. What ended the wave before
    /// need not have been a run.
    private func reconsider(_ wave: [Campaign.Item], in step: inout Step) throws(JournalError) {
        for item in wave {
            guard let known = try journal.decision(of: item.finding), known.planDigest == item.plan,
                known.answers.contains(where: { $0.name == .origin && $0.word == .refuse })
            else { continue }
            step.transaction.remediation.candidates.append(
                Candidate(finding: item.finding, due: now + Self.shortest))
        }
    }

    /// Campaigns that are through, and one notice for all plans that wait.
    mutating func finish(in step: inout Step) throws(JournalError) {
        for var campaign in facts.campaigns {
            let progress = try facts.progress(of: campaign)
            guard progress.isDone else {
                try reconsider(progress.wave, in: &step)
                continue
            }
            campaign.state = .done
            step.transaction.remediation.campaigns.append(campaign)
            step.transaction.audit.append(
                AuditEntry(
                    kind: "campaign-done", at: now,
                    body: [
                        "campaign": .string(campaign.id), "left-out": .array(progress.leftOut.map(JSON.string)),
                    ]))
        }
        let count = asks.values.reduce(0) { $0 + $1.count }
        let code = NoticeCode.approvalWaiting.rawValue
        if count > 0 {
            let text = "\(count) \(count == 1 ? "plan waits" : "plans wait") for approval"
            step.transaction.notices.append(Notice(code: code, subject: "approvals", text: text, raised: now))
        } else if hadAsks {
            step.transaction.closedNotices.append(NoticeClosing(code: code, subject: "approvals", at: now))
        }
    }
}

extension Decision {
    /// What stops it may pass, and the plan still is one for people: a prompt that is out stays.
    fileprivate var keepsAsking: Bool {
        guard let stopper, answers.contains(where: { $0.name == .approvals && $0.word == .wait }) else { return false }
        return stopper.again != nil || [.halt, .evidence, .preflight, .budgets].contains(stopper.name)
    }
}

extension Step {
    /// Ids of resources that hold this one's id where a relation of their type says so, at most six.
    func dependants(of subject: Subject) throws(JournalError) -> [String] {
        var found: [String] = []
        let value = subject.resource.id
        for type in policy.catalog.types.values.sorted(by: { $0.name < $1.name }) {
            for relation in type.relations.values.sorted(by: { $0.by < $1.by })
            where relation.type == subject.resource.type && !relation.isReverse {
                for row in try journal.resources(
                    type: type.name, path: relation.by.description, value: value, limit: 6) where !row.isDeleted
                {
                    if !found.contains(row.resource.id) { found.append(row.resource.id) }
                }
            }
        }
        return found
    }
}
