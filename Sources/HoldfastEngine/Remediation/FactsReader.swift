internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Gathers what guards look at, for many findings at one moment.
struct FactsReader {
    let policy: Policy
    let journal: any Journal
    var now: Timestamp
    let haltFile: String?
    private let halts: [Halt]
    private let modes: [String: ModeRecord]
    let campaigns: [Campaign]
    private let drills: [Drill]
    private var progress: [String: CampaignProgress] = [:]
    private var standings: [String: RolloutStanding] = [:]
    private var typeCounts: [String: Int] = [:]

    init(policy: Policy, journal: any Journal, now: Timestamp, haltFile: String?) throws(JournalError) {
        self.policy = policy
        self.journal = journal
        self.now = now
        self.haltFile = haltFile
        halts = try journal.halts()
        modes = Dictionary(try journal.modes().map { ($0.scope, $0) }) { first, _ in first }
        campaigns = try journal.campaigns().filter { $0.state == .running }
        drills = try journal.openDrills()
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
                playbookDigest: plan.playbookDigest.description, risk: plan.risk, grace: plan.grace))
        let parts = Halt.parts(of: finding.context, environment: finding.environment, playbook: plan.playbook)
        facts.halts = halts.filter { parts.contains($0.part) }
        facts.haltFile = haltFile
        facts.opened = try journal.opening(of: finding.id)
        let objections = try journal.standingObjections(to: finding.id, since: facts.opened)
        (facts.objection, facts.objectors) = (objections.last, Set(objections.map(\.person)))
        if plan.grace != nil {
            facts.hearing = policy.hearing(
                of: finding, tellsActor: plan.tellsActor,
                told: try journal.tellings(of: finding.id, since: facts.opened ?? .distantPast))
        }
        (facts.mode, facts.modeScope) = settings.mode(of: finding.resource, in: assessment.context)
        facts.modeSince = modes[facts.modeScope].flatMap { $0.mode == facts.mode ? $0.since : nil }
        facts.campaign = try campaign(of: finding, facts.plan)?.id
        facts.maturity = assessment.maturity
        facts.evidence = evidence
        facts.exemption = finding.state == .suppressed ? finding.reason : nil
        facts.label = settings.label(keepingOff: assessment.context.labels)
        facts.hold = try journal.hold(of: finding.id)
        facts.failed = try failed(finding, since: facts.opened)
        facts.rollout = try rollout(facts.plan, finding.environment)
        facts.cause = try cause(of: finding, playbook: plan.playbook)
        if facts.cause.isOwnWrite { facts.drill = drills.first { $0.finding == finding.id && $0.wantsFix }?.id }
        for claim in try claims(of: finding, playbook: plan.playbook) {
            let used = try journal.uses(of: claim.key, since: now - claim.window)
            facts.budgets.append(
                BudgetUse(name: claim.key, used: used, limit: claim.limit, window: claim.window))
        }
        facts.preflight = preflight
        let question = policy.question(digest: facts.plan.digest, facts)
        facts.approvals = settings.approvals.standing(
            of: question, words: try journal.approvals(of: facts.plan.digest), people: policy.people, now: now)
        return facts
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

    /// As it was when it was first asked for: once for many findings.
    mutating func rollout(_ plan: GuardFacts.PlanFacts, _ environment: String) throws(JournalError) -> RolloutStanding {
        let key = "\(plan.playbookDigest)/\(environment)"
        if let known = standings[key] { return known }
        let before = policy.remediation.environment(before: environment)
        let standing = try journal.standing(plan.playbook, plan.playbookDigest, environment, before: before)
        standings[key] = standing
        return standing
    }

    private func cause(of finding: Finding, playbook: String) throws(JournalError) -> GuardFacts.CauseFacts {
        let settings = policy.remediation
        var facts = GuardFacts.CauseFacts()
        facts.hands = try hands(in: finding)
        facts.pipeline = facts.hands.joined().first { name in
            settings.pipelines.contains { TextPattern($0).matches(name) }
        }
        if !finding.cause.isBaseline {
            let isOwn = settings.ownPrincipals.contains { TextPattern($0).matches(finding.cause.actor) }
            let isKnown = try journal.isOwnEvent(finding.cause.event)
            facts.isOwnWrite = isOwn || isKnown
            facts.fighter = finding.cause.actor
        }
        let since = now - settings.flapping.window
        // The newest first, and no more of them than tell whether it is fought over.
        let fixes = try journal.endedRuns(of: finding.id, since: since, limit: FactsReader.runsLookedAt)
            .filter { $0.playbook == playbook && $0.phase == .verified && $0.drill.isEmpty }
        facts.fixes = fixes.count
        facts.firstFix = fixes.last?.ended
        return facts
    }

    /// Of one finding's earlier runs.
    private static let runsLookedAt = 1000

    /// The runs since it drifted that failed, one after the other.
    private func failed(_ finding: Finding, since opened: Timestamp?) throws(JournalError) -> GuardFacts.FailedRuns? {
        guard let opened else { return nil }
        let ended = try journal.endedRuns(of: finding.id, since: opened, limit: FactsReader.runsLookedAt)
        let failures = ended.filter { $0.opened >= opened && ($0.isFailure || $0.phase == .verified) }
            .prefix { $0.isFailure }
        guard let last = failures.first, let end = last.ended else { return nil }
        return GuardFacts.FailedRuns(
            count: failures.count, run: last.id, reason: last.reason, isStuck: last.phase == .stuck, ended: end)
    }

    /// The running campaign in whose present wave a plan is.
    private mutating func campaign(of finding: Finding, _ plan: GuardFacts.PlanFacts) throws(JournalError) -> Campaign?
    {
        for campaign in campaigns where campaign.playbook == plan.playbook {
            guard campaign.playbookDigest == plan.playbookDigest else { continue }
            let wave = try progress(of: campaign).wave
            if wave.contains(where: { $0.finding == finding.id && $0.plan == plan.digest }) { return campaign }
        }
        return nil
    }

    /// As it was when it was first asked for: once for many findings.
    mutating func progress(of campaign: Campaign) throws(JournalError) -> CampaignProgress {
        if let known = progress[campaign.id] { return known }
        let made = try CampaignProgress(campaign, journal: journal)
        progress[campaign.id] = made
        return made
    }

    // MARK: Hands

    /// Everybody who had a hand in what offends, each with those that led to them: who made each part of it last, and
    /// who has touched it since it drifted. Events that came late count too.
    private func hands(in finding: Finding) throws(JournalError) -> [[String]] {
        var hands = finding.cause.isBaseline ? [] : [[finding.cause.actor] + finding.cause.chain]
        let said = try journal.history(of: finding.resource, upTo: .distantFuture).flatMap { entry in
            entry.actor.isEmpty
                ? [] : ((try? JSON.parse(entry.evidence))?.array ?? []).compactMap(EvidenceItem.init(json:))
        }
        for offending in finding.offending {
            let touching = said.filter { $0.isAbout(offending) }
            var counted = touching.filter { $0.time >= finding.since }
            if counted.isEmpty, let last = touching.last { counted = [last] }
            for item in counted {
                let hand = [item.origin.actor] + (try chain(from: item.origin.session))
                if !hands.contains(hand) { hands.append(hand) }
            }
        }
        return hands
    }

    /// Who opened a session, and theirs, nearest first.
    private func chain(from session: String) throws(JournalError) -> [String] {
        var chain: [String] = []
        var session = session
        while !session.isEmpty, chain.count < Policy.chainLimit, let link = try journal.session(session) {
            chain.append(link.caller.name)
            session = link.caller.sessionKey == session ? "" : link.caller.sessionKey
        }
        return chain
    }
}

extension EvidenceItem {
    /// Whether it says something of what offends: the same path, one above or below, and the same element of a list.
    fileprivate func isAbout(_ offending: Offending) -> Bool {
        guard let path, offending.path.hasPrefix(path) || path.hasPrefix(offending.path) else { return false }
        guard let key, let other = offending.key else { return true }
        return key == other
    }
}

extension RemediationJournal {
    /// Where a playbook stands on its way into an environment.
    func standing(
        _ playbook: String, _ digest: String, _ environment: String, before: String?
    ) throws(JournalError) -> RolloutStanding {
        var standing = RolloutStanding()
        // An undo anywhere closes what was opened before it.
        let undone = try lastUndone(playbookDigest: digest, environment: nil)
        if let before {
            standing.before = try record(digest, before, since: undone)
            standing.before.lastUndone = undone
        }
        standing.isBeingUndone = try openRuns().contains {
            $0.playbookDigest == digest && $0.direction == .back && $0.drill.isEmpty
        }
        let valid = try openings(playbook: playbook).filter { opening in
            opening.playbookDigest == digest && opening.environment == environment
                && (undone.map { opening.at > $0 } ?? true)
        }
        standing.openedBy = Set(valid.map(\.person)).sorted()
        return standing
    }

    /// What was seen of a playbook's digest in an environment since an undo.
    func record(
        _ digest: String, _ environment: String, since undone: Timestamp?
    ) throws(JournalError) -> RolloutStanding.Record {
        var record = RolloutStanding.Record()
        let runs = try verified(
            playbookDigest: digest, environment: environment, since: undone ?? .distantPast)
        (record.verified, record.firstVerified) = (runs.count, runs.first)
        record.lastUndone = undone
        record.drills = try drillsPassed(
            playbookDigest: digest, environment: environment, since: undone ?? .distantPast)
        return record
    }
}

extension Policy {
    /// Who must agree to a plan.
    func question(digest: String, _ facts: GuardFacts) -> ApprovalRules.Question {
        let environment = facts.finding.environment
        let isLast = remediation.isLast(environment) || !remediation.environments.contains(environment)
        var question = ApprovalRules.Question(
            digest: digest,
            needed: max(
                remediation.approvals.needed(facts.plan.risk, environment: environment, isLast: isLast),
                // Nobody's silence is enough for what is grave in production, or where nobody heard of it.
                facts.plan.grace != nil && (facts.plan.risk == .high && isLast || facts.hearing == .nobody) ? 1 : 0,
                facts.objection == nil ? 0 : 1),
            hands: facts.cause.hands, mustKnowActor: isLast)
        question.since = facts.opened ?? .distantPast
        (question.objection, question.objectors) = (facts.objection, facts.objectors)
        return question
    }
}

/// How far a campaign has come. What was approved and is another plan by now, or none, is left out: the rest goes on.
struct CampaignProgress {
    /// The items of the present wave that have not been fixed.
    var wave: [Campaign.Item] = []
    /// Findings that are open and whose plan is not the one that was approved, of the waves so far.
    var leftOut: [String] = []
    var isDone = true

    init(_ campaign: Campaign, journal: any Journal) throws(JournalError) {
        for start in stride(from: 0, to: campaign.items.count, by: max(1, campaign.wave)) {
            let items = campaign.items[start..<min(start + max(1, campaign.wave), campaign.items.count)]
            var isBusy = false
            for item in items {
                let runs = try journal.runs(of: item.finding).filter { $0.campaign == campaign.id }
                if runs.contains(where: { !$0.phase.isEnd }) { isBusy = true }
                let isOver = runs.contains { $0.phase == .verified || $0.phase == .abandoned }
                let state = try journal.finding(id: item.finding).flatMap { Finding.State(rawValue: $0.state) }
                guard state == .open || state == .stale, !isOver else { continue }
                if try journal.plan(finding: item.finding)?.digest == item.plan {
                    wave.append(item)
                } else {
                    leftOut.append(item.finding)
                }
            }
            if !wave.isEmpty || isBusy {
                isDone = false
                return
            }
        }
    }
}
