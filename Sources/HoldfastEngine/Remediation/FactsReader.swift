package import HoldfastCore
internal import HoldfastCrypto

/// Gathers what guards look at, for many findings at one moment.
struct FactsReader {
    let policy: Policy
    let journal: any Journal
    var now: Timestamp
    let haltFile: String?
    private let halts: [Halt]
    private let modes: [String: ModeRecord]
    private let campaigns: [Campaign]
    private var endedRuns: [String: [Run]] = [:]
    private var typeCounts: [String: Int] = [:]

    init(policy: Policy, journal: any Journal, now: Timestamp, haltFile: String?) throws(JournalError) {
        self.policy = policy
        self.journal = journal
        self.now = now
        self.haltFile = haltFile
        halts = try journal.halts()
        modes = Dictionary(try journal.modes().map { ($0.scope, $0) }) { first, _ in first }
        campaigns = try journal.campaigns().filter { $0.state == .running }
    }

    mutating func facts(
        of assessment: Assessment, plan: Plan, evidence: GuardFacts.EvidenceFacts, preflight: GuardFacts.Preflight
    ) throws(JournalError) -> GuardFacts {
        let finding = assessment.finding
        let settings = policy.remediation
        var facts = GuardFacts(
            now: now, settings: settings, people: policy.people, finding: finding,
            plan: .init(
                digest: plan.digest.description, playbook: plan.playbook,
                playbookDigest: plan.playbookDigest.description, risk: plan.risk))
        let parts = Halt.parts(of: finding.context, environment: finding.environment, playbook: plan.playbook)
        facts.halts = halts.filter { parts.contains($0.part) }
        facts.haltFile = haltFile
        (facts.mode, facts.modeScope) = settings.mode(of: finding.resource, in: assessment.context)
        facts.modeSince = modes[facts.modeScope].flatMap { $0.mode == facts.mode ? $0.since : nil }
        facts.campaign = try campaign(of: finding, facts.plan)?.id
        facts.maturity = assessment.maturity
        facts.evidence = evidence
        facts.exemption = finding.state == .suppressed ? finding.reason : nil
        facts.label = doNotTouch(assessment.context.labels)
        facts.hold = try journal.hold(of: finding.id)
        facts.rollout = try rollout(facts.plan, finding.environment)
        facts.cause = try cause(of: finding, playbook: plan.playbook)
        for claim in try claims(of: finding, playbook: plan.playbook) {
            let used = try journal.uses(of: claim.key, since: now - claim.window)
            facts.budgets.append(
                BudgetUse(name: claim.key, used: used, limit: claim.limit, window: claim.window))
        }
        facts.preflight = preflight
        let question = policy.question(of: finding, digest: facts.plan.digest, risk: plan.risk)
        facts.approvals = settings.approvals.standing(
            of: question, words: try journal.approvals(of: facts.plan.digest), people: policy.people, now: now)
        return facts
    }

    /// The label that keeps everything off, or why that cannot be told.
    private func doNotTouch(_ labels: StateValue) -> String? {
        if let reason = labels.unknownReason { return "(its labels are not known: \(reason))" }
        guard case .map(let map) = labels else { return nil }
        let kept = policy.remediation.doNotTouch
        return map.members.map(\.name).sorted().first { kept.contains($0.lowercased()) }
    }

    /// What one run takes of each budget.
    mutating func claims(of finding: Finding, playbook: String) throws(JournalError) -> [BudgetClaim] {
        let limits = policy.remediation.budgets
        let account = finding.context.account
        let type = finding.resource.type
        let key = "\(account)/\(type)"
        if typeCounts[key] == nil { typeCounts[key] = try journal.count(type: type, account: account) }
        let known = typeCounts[key] ?? 0
        return [
            BudgetClaim(key: "overall", limit: limits.overall.count, window: limits.overall.window),
            BudgetClaim(key: "account \(account)", limit: limits.account.count, window: limits.account.window),
            BudgetClaim(key: "playbook \(playbook)", limit: limits.playbook.count, window: limits.playbook.window),
            BudgetClaim(
                key: "type \(type) in \(account)", limit: max(1, known * limits.typePercent / 100),
                window: Span(seconds: 86_400)),
        ]
    }

    private mutating func ended(_ playbook: String) throws(JournalError) -> [Run] {
        if let known = endedRuns[playbook] { return known }
        let runs = try journal.endedRuns(playbook: playbook, since: .distantPast)
        endedRuns[playbook] = runs
        return runs
    }

    mutating func rollout(_ plan: GuardFacts.PlanFacts, _ environment: String) throws(JournalError) -> RolloutStanding {
        var standing = RolloutStanding()
        let runs = try ended(plan.playbook).filter { $0.playbookDigest == plan.playbookDigest }
        if let before = policy.remediation.environment(before: environment) {
            standing.before = RolloutStanding.Record(runs.filter { $0.environment == before })
        }
        let openings = try journal.openings(playbook: plan.playbook)
            .filter { $0.playbookDigest == plan.playbookDigest && $0.environment == environment }
        let undone = runs.filter { $0.phase == .undone || $0.phase == .stuck }.compactMap(\.ended).max()
        // An undo closes what was opened before it.
        let valid = openings.filter { opening in undone.map { opening.at > $0 } ?? true }
        standing.openedBy = Set(valid.map(\.person)).sorted()
        return standing
    }

    private mutating func cause(of finding: Finding, playbook: String) throws(JournalError) -> GuardFacts.CauseFacts {
        let settings = policy.remediation
        var facts = GuardFacts.CauseFacts()
        let names = [finding.cause.actor] + finding.cause.chain
        if !finding.cause.isBaseline {
            let isOwn = settings.ownPrincipals.contains { TextPattern($0).matches(finding.cause.actor) }
            let isKnown = try journal.isOwnEvent(finding.cause.event)
            facts.isOwnWrite = isOwn || isKnown
            facts.pipeline = names.first { name in
                settings.pipelines.contains { TextPattern($0).matches(name) }
            }
            facts.fighter = finding.cause.actor
        }
        let since = now - settings.flapping.window
        facts.fixes = try ended(playbook).filter {
            $0.finding == finding.id && $0.phase == .verified && ($0.ended ?? .distantPast) > since
        }.count
        return facts
    }

    /// The running campaign in whose present wave a plan is.
    private func campaign(of finding: Finding, _ plan: GuardFacts.PlanFacts) throws(JournalError) -> Campaign? {
        for campaign in campaigns where campaign.playbook == plan.playbook {
            guard campaign.playbookDigest == plan.playbookDigest else { continue }
            let wave = try CampaignProgress(campaign, journal: journal).wave
            if wave.contains(where: { $0.finding == finding.id && $0.plan == plan.digest }) { return campaign }
        }
        return nil
    }
}

extension RolloutStanding.Record {
    /// - Parameter runs: of one digest in one environment, by when they ended.
    package init(_ runs: [Run]) {
        self.init()
        for run in runs {
            switch run.phase {
            case .verified:
                verified += 1
                if firstVerified == nil { firstVerified = run.ended }
            case .undone, .stuck:
                verified = 0
                firstVerified = nil
                lastUndone = run.ended
            default: break
            }
        }
    }
}

extension Policy {
    /// Who must agree to a plan.
    func question(of finding: Finding, digest: String, risk: PlaybookRisk) -> ApprovalRules.Question {
        let isLast =
            remediation.isLast(finding.environment) || !remediation.environments.contains(finding.environment)
        let actors = finding.cause.isBaseline ? [] : [finding.cause.actor] + finding.cause.chain
        return ApprovalRules.Question(
            digest: digest,
            needed: remediation.approvals.needed(risk, environment: finding.environment, isLast: isLast),
            actors: actors, mustKnowActor: isLast)
    }
}

/// How far a campaign has come.
struct CampaignProgress {
    /// The items of the present wave that have not been fixed.
    var wave: [Campaign.Item] = []
    var isDone = true
    /// A run of it that did not end well.
    var failed: Run?

    init(_ campaign: Campaign, journal: any Journal) throws(JournalError) {
        for start in stride(from: 0, to: campaign.items.count, by: max(1, campaign.wave)) {
            let items = campaign.items[start..<min(start + max(1, campaign.wave), campaign.items.count)]
            for item in items {
                let runs = try journal.runs(of: item.finding).filter { $0.campaign == campaign.id }
                if let bad = runs.first(where: { $0.phase == .undone || $0.phase == .stuck }) { failed = bad }
                let finding = try journal.finding(id: item.finding)
                let isOver = runs.contains { $0.phase == .verified || $0.phase == .abandoned }
                if finding?.state == Finding.State.open.rawValue, !isOver { wave.append(item) }
            }
            if !wave.isEmpty {
                isDone = false
                return
            }
        }
    }
}
