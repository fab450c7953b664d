package import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Why what a person asked for was not done.
package struct DeskRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// There is no such thing.
        case unknown
        /// The person may not.
        case forbidden
        /// It cannot be, as things stand.
        case impossible
        case failed
    }
    package var kind: Kind
    package var message: String
    /// What a person must see before they ask again: where an undo would overwrite other people's work.
    package var conflict: UndoConflict?
    package init(_ kind: Kind, _ message: String, conflict: UndoConflict? = nil) {
        self.kind = kind
        self.message = message
        self.conflict = conflict
    }
    package var description: String { message }
}

/// What people ask for. Every word of a person is in the audit log, also one that was refused.
extension Keeper {
    /// Runs a request, and turns what the journal says into the answer.
    func desk<T>(_ body: () throws -> T) throws(DeskRefusal) -> T {
        do {
            return try body()
        } catch let refusal as DeskRefusal {
            throw refusal
        } catch {
            throw DeskRefusal(.failed, "the journal failed: \(error)")
        }
    }

    func refuse(_ person: Person, _ what: String, _ refusal: DeskRefusal, now: Timestamp) throws -> Never {
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.audit = [
            AuditEntry(
                kind: "refused-request", at: now,
                body: [
                    "person": .string(person.name), "via": .string(person.via), "asked": .string(what),
                    "reason": .string(refusal.message),
                ])
        ]
        try commit(step, lease: nil)
        throw refusal
    }

    // MARK: Approvals

    /// A person's word on one or many plans that wait. Each is one entry; those that cannot be take none.
    ///
    /// - Parameters:
    ///   - digests: of plans or campaigns that wait for approval.
    ///   - until: of a hold: when it is asked again.
    package func say(
        _ word: Approval.Word, on digests: [String], by person: Person, reason: String, until: Timestamp? = nil,
        now: Timestamp
    ) throws(DeskRefusal) {
        try desk {
            let what = "\(word.rawValue) \(digests.joined(separator: ", "))"
            if word != .approve, reason.allSatisfy(\.isWhitespace) {
                try refuse(person, what, DeskRefusal(.impossible, "give a reason"), now: now)
            }
            let rules = policy.remediation.approvals
            if word != .hold, !person.roles.contains(where: rules.chain.contains) {
                let refusal = DeskRefusal(
                    .forbidden, "\(person.name) has none of the roles \(rules.chain.joined(separator: ", "))")
                try refuse(person, what, refusal, now: now)
            }
            var step = Step(policy: policy, journal: journal, now: now)
            for digest in digests {
                let finding = try waiting(digest, for: person, word, what, now)
                let expires = word == .hold ? until ?? now + Span(seconds: 12 * 3600) : now + rules.expiry
                step.transaction.remediation.approvals.append(
                    Approval(
                        digest: digest, word: word, person: person.name, roles: person.roles, reason: reason, at: now,
                        expires: expires, via: person.via))
                if let finding {
                    step.transaction.remediation.candidates.append(Candidate(finding: finding, due: now))
                }
                step.transaction.audit.append(
                    AuditEntry(
                        kind: word.rawValue, at: now,
                        body: [
                            "plan": .string(digest), "person": .string(person.name), "via": .string(person.via),
                            "reason": .string(reason), "expires": .string(expires.description),
                        ]))
            }
            step.transaction.mustBeDurable = true
            try commit(step, lease: nil)
            for digest in digests { try startCampaign(digest, now: now) }
        }
    }

    /// The finding whose plan waits under a digest; `nil` for a campaign. An approval is refused for whoever caused it,
    /// and where somebody has refused the plan.
    private func waiting(
        _ digest: String, for person: Person, _ word: Approval.Word, _ what: String, _ now: Timestamp
    ) throws -> String? {
        if try journal.campaigns().contains(where: { $0.id == digest && $0.state == .proposed }) { return nil }
        guard let ask = try journal.asks().first(where: { $0.digest == digest }) else {
            let message = "no plan \(digest) waits for approval; it may be void, decided or carried out"
            try refuse(person, what, DeskRefusal(.unknown, message), now: now)
        }
        let words = word == .approve ? try journal.approvals(of: digest) : []
        if let refused = words.last(where: { $0.word == .refuse && $0.expires > now }) {
            let message = "\(refused.person) refused the plan \(digest.prefix(12)): \(refused.reason)"
            try refuse(person, what, DeskRefusal(.impossible, message), now: now)
        }
        if word == .approve, let stored = try journal.finding(id: ask.finding), let finding = Finding(json: stored.body)
        {
            let causers = ([finding.cause.actor] + finding.cause.chain).flatMap(policy.people.people(behind:))
            if !finding.cause.isBaseline, causers.contains(person.name) {
                let message = "\(person.name) made the change and cannot approve its fix"
                try refuse(person, what, DeskRefusal(.forbidden, message), now: now)
            }
        }
        return ask.finding
    }

    // MARK: Halts

    package func halt(
        _ part: Halt.Part, by person: Person, reason: String, now: Timestamp
    ) throws(DeskRefusal) {
        try desk {
            var step = Step(policy: policy, journal: journal, now: now)
            step.transaction.remediation.halts = [Halt(part: part, by: person.name, reason: reason, at: now)]
            // `why` tells of it at once, also where nothing else is to be decided.
            step.transaction.remediation.touchAll = now
            try audit("halt", part.description, person, reason, &step)
        }
    }

    package func resume(
        _ part: Halt.Part, by person: Person, reason: String, now: Timestamp
    ) throws(DeskRefusal) {
        try desk {
            guard try journal.halts().contains(where: { $0.part == part }) else {
                throw DeskRefusal(.unknown, "\(part) is not halted")
            }
            var step = Step(policy: policy, journal: journal, now: now)
            step.transaction.remediation.resumed = [part]
            step.transaction.remediation.touchAll = now
            if case .playbook(let id) = part {
                step.transaction.closedNotices = [
                    NoticeClosing(code: NoticeCode.breakerOpen.rawValue, subject: id, at: now)
                ]
            }
            try audit("resume", part.description, person, reason, &step)
        }
    }

    private func audit(
        _ kind: String, _ what: String, _ person: Person, _ reason: String, _ step: inout Step
    ) throws {
        step.transaction.audit.append(
            AuditEntry(
                kind: kind, at: step.now,
                body: [
                    "what": .string(what), "person": .string(person.name), "via": .string(person.via),
                    "reason": .string(reason),
                ]))
        step.transaction.mustBeDurable = true
        try commit(step, lease: nil)
    }

    // MARK: Rollout

    /// What works on a resource just now, or is about to.
    func busy(_ resource: ResourceID, besides id: String) throws(JournalError) -> String? {
        if let run = try journal.openRuns().first(where: { $0.resource == resource && $0.id != id }) {
            return "run \(run.id)"
        }
        return memory.prepared.values.contains { $0.run.resource == resource } ? "a run that begins" : nil
    }

    /// One of the two people that open an environment to a playbook as it is now.
    ///
    /// - Returns: who has opened it so far.
    package func open(
        _ playbook: String, in environment: String, by person: Person, reason: String, now: Timestamp
    ) throws(DeskRefusal) -> [String] {
        try desk {
            guard let known = policy.playbooks[playbook] else {
                throw DeskRefusal(.unknown, "there is no playbook \(playbook)")
            }
            guard policy.remediation.environments.contains(environment) else {
                let names = policy.remediation.environments.joined(separator: ", ")
                throw DeskRefusal(.unknown, "there is no environment \(environment); there are \(names)")
            }
            var step = Step(policy: policy, journal: journal, now: now)
            let digest = known.digest.description
            step.transaction.remediation.openings = [
                Opening(
                    playbook: playbook, playbookDigest: digest, environment: environment, person: person.name,
                    reason: reason, at: now)
            ]
            step.transaction.remediation.touchAll = now
            try audit("rollout-open", "\(playbook) in \(environment)", person, reason, &step)
            let openings = try journal.openings(playbook: playbook)
            return Set(
                openings.filter { $0.environment == environment && $0.playbookDigest == digest }.map(\.person)
            ).sorted()
        }
    }

    // MARK: Campaigns

    /// Proposes to fix the backlog of a playbook as one list.
    package func propose(
        _ playbook: String, scope: Scope, scopeText: String, wave: Int, by person: Person, reason: String,
        now: Timestamp
    ) throws(DeskRefusal) -> Campaign {
        try desk {
            guard let known = policy.playbooks[playbook] else {
                throw DeskRefusal(.unknown, "there is no playbook \(playbook)")
            }
            var step = Step(policy: policy, journal: journal, now: now)
            var items: [Campaign.Item] = []
            for stored in try journal.findings(states: [Finding.State.open.rawValue]) {
                guard known.remedies.contains(stored.rule), let assessment = try step.assess(stored.id),
                    let plan = assessment.plan, plan.playbook == playbook,
                    scope.contains(assessment.finding.resource, assessment.context)
                else { continue }
                items.append(.init(finding: stored.id, plan: plan.digest.description))
            }
            guard !items.isEmpty else { throw DeskRefusal(.impossible, "\(playbook) has nothing to fix there") }
            let content = items.map { "\($0.finding) \($0.plan)" }.joined(separator: "\n")
            // Proposed again it is another: what was said of the first is not said of it.
            let proposal = "\(known.digest)\n\(content)\n\(person.name)\n\(now.nanoseconds)"
            let id = "c-" + sha256(proposal.utf8).description.prefix(16)
            let campaign = Campaign(
                id: id, playbook: playbook, playbookDigest: known.digest.description, scope: scopeText,
                state: .proposed, items: items, wave: max(1, wave), proposedBy: person.name, proposed: now,
                reason: reason)
            step.transaction.remediation.campaigns = [campaign]
            try audit("campaign-proposed", id, person, reason, &step)
            return campaign
        }
    }

    /// A proposed campaign begins when enough people other than its proposer have agreed to the list.
    private func startCampaign(_ digest: String, now: Timestamp) throws {
        guard var campaign = try journal.campaigns().first(where: { $0.id == digest && $0.state == .proposed }) else {
            return
        }
        let words = try journal.approvals(of: digest)
        var step = Step(policy: policy, journal: journal, now: now)
        if let refused = words.last(where: { $0.word == .refuse }) {
            campaign.state = .stopped
            campaign.reason = "\(refused.person) refused: \(refused.reason)"
            step.transaction.remediation.campaigns = [campaign]
            step.transaction.audit.append(
                AuditEntry(
                    kind: "campaign-stopped", at: now,
                    body: ["campaign": .string(campaign.id), "reason": .string(campaign.reason)]))
            return try commit(step, lease: nil)
        }
        var needed = 1
        for item in campaign.items {
            guard let assessment = try step.assess(item.finding), let plan = assessment.plan else { continue }
            let environment = assessment.finding.environment
            let settings = policy.remediation
            let isLast = settings.isLast(environment) || !settings.environments.contains(environment)
            needed = max(needed, settings.approvals.needed(plan.risk, environment: environment, isLast: isLast))
        }
        let question = ApprovalRules.Question(digest: digest, needed: needed, hands: [], mustKnowActor: false)
        let others = words.filter { $0.person != campaign.proposedBy }
        let standing = policy.remediation.approvals.standing(
            of: question, words: others, people: policy.people, now: now)
        guard case .met = standing.state else { return }
        campaign.state = .running
        step.transaction.remediation.campaigns = [campaign]
        step.transaction.remediation.candidates = campaign.items.map { Candidate(finding: $0.finding, due: now) }
        step.transaction.audit.append(
            AuditEntry(kind: "campaign-started", at: now, body: ["campaign": .string(digest)]))
        try commit(step, lease: nil)
    }
}
