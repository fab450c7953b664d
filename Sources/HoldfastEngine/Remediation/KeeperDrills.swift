package import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Drills: what is planted, fixed, undone and restored goes by runs like any other, with their guards, permits and
/// journal; here is only what leads from one of them to the next.
extension Keeper {
    /// Begins a drill, if what it would plant would be fixed at once, as far as that can be told before.
    ///
    /// - Parameter resource: its whole id.
    package func drill(
        _ playbook: String, on resource: String, by person: Person, now: Timestamp
    ) throws(DeskRefusal) -> Drill {
        try desk {
            guard let known = policy.playbooks[playbook] else {
                throw DeskRefusal(.unknown, "there is no playbook \(playbook)")
            }
            guard let rule = known.remedies.first, known.planting != nil else {
                throw DeskRefusal(.impossible, "\(playbook) has no drill: in its file, which says what to plant")
            }
            let target = ResourceID(type: known.typeName, id: resource)
            guard let stored = try journal.resource(target), !stored.isDeleted else {
                let list = "`holdfast resources --type \(target.type)` lists what is"
                throw DeskRefusal(.unknown, "nothing is known of \(resource) of \(target.type); \(list)")
            }
            if let other = try journal.openDrills().first(where: { $0.resource == target }) {
                throw DeskRefusal(.impossible, "the drill \(other.id) is held there already")
            }
            var step = Step(policy: policy, journal: journal, now: now)
            let subject = try step.subject(target, context: stored.context)
            let context = try step.context(of: subject, for: rule)
            let content = "\(playbook)\n\(resource)\n\(person.name)\n\(now.nanoseconds)"
            let drill = Drill(
                id: "d-" + sha256(content.utf8).description.prefix(16), playbook: playbook,
                playbookDigest: known.digest.description, rule: rule,
                finding: Finding.id(rule: rule, resource: target), resource: target, context: subject.context,
                environment: context.environment, by: person.name, started: now)
            if case .refused(let why) = try planting(drill, preflight: .passed(at: now), in: &step) {
                try refuse(
                    person, "a drill of \(playbook) on \(resource)", DeskRefusal(.impossible, why), now: now)
            }
            step = Step(policy: policy, journal: journal, now: now)
            note(drill, "drill-started", in: &step)
            try commit(step, lease: nil)
            return drill
        }
    }

    private func note(_ drill: Drill, _ kind: String, in step: inout Step) {
        step.transaction.remediation.drills = [drill]
        step.transaction.audit.append(AuditEntry(kind: kind, at: step.now, body: drill.json))
        step.transaction.mustBeDurable = true
    }

    // MARK: From leg to leg

    /// Begins the drills that are due by the clock, and leads those that are under way on.
    ///
    /// - Returns: drills whose drift is to be planted now, in the caller's hands.
    package func advanceDrills(now: Timestamp) throws(JournalError) -> [Work] {
        try beginNightly(now: now)
        var due: [Work] = []
        for known in try journal.openDrills() {
            var drill = known
            let action = drill.advance(try view(of: known, now: now), policy.remediation.drills)
            if drill != known || drill.isLate(policy.remediation.drills, now: now) {
                try record(drill, before: known, now: now)
            }
            switch action {
            case .nothing: break
            case .plant where memory.drillPauses[drill.id].map { now < $0 } ?? false: break
            case .plant:
                if memory.working.insert(drill.id).inserted { due.append(.drill(drill.id)) }
            case .undo(let run):
                // What is in its way now is asked again.
                let person = Person(name: drill.by, roles: [], via: "drill")
                try? undo(run, by: person, reason: "drill \(drill.id)", now: now)
            }
        }
        return due
    }

    private func view(of drill: Drill, now: Timestamp) throws(JournalError) -> Drill.View {
        var view = Drill.View(now: now)
        let runs = try journal.runs(of: drill.finding).filter { $0.drill == drill.id }
        view.planting = runs.first { $0.plants }
        view.fix = runs.first { !$0.plants }
        if let stored = try journal.finding(id: drill.finding) { view.state = Finding.State(rawValue: stored.state) }
        if let planting = view.planting {
            let opening = try journal.findingChanges(of: drill.finding).last {
                [FindingChange.opened.rawValue, FindingChange.reopened.rawValue].contains($0.change)
                    && $0.known >= planting.opened
            }
            view.opened = opening.flatMap { Finding(json: $0.body)?.cause.isBaseline == false ? $0.known : nil }
        }
        let parts = Halt.parts(of: drill.context, environment: drill.environment, playbook: drill.playbook)
        let halt = try journal.halts().first { parts.contains($0.part) }
        view.halt =
            tools.haltFile().map { "the file \($0) stops everything" }
            ?? halt.map { "\($0.part) is halted: \($0.reason)" }
        return view
    }

    private func record(_ drill: Drill, before: Drill, now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        let subject = "\(drill.playbook) on \(drill.resource.id)"
        func tell(_ code: NoticeCode, _ text: String) {
            step.transaction.notices.append(Notice(code: code.rawValue, subject: subject, text: text, raised: now))
        }
        let isLate = drill.isLate(policy.remediation.drills, now: now)
        let isTold = try journal.openNotices().contains {
            $0.code == NoticeCode.drillLate.rawValue && $0.subject == subject
        }
        if isLate, !isTold {
            let late = drill.legs.first { $0.isLate(policy.remediation.drills) }?.leg ?? drill.nextLeg
            tell(.drillLate, "\(late?.rawValue ?? "the end") of drill \(drill.id) is late")
        }
        guard drill != before else {
            if !step.transaction.notices.isEmpty { try commit(step, lease: nil) }
            return
        }
        if drill.phase.isEnd {
            step.transaction.remediation.endedHolds = [drill.finding]
            step.transaction.remediation.candidates = [Candidate(finding: drill.finding, due: now)]
            step.transaction.remediation.touchAll = now
            var ended = [NoticeCode.drillFailed]
            if drill.phase == .failed {
                ended = []
                let leg = drill.nextLeg.map { "\($0.rawValue) is missing: " } ?? ""
                tell(.drillFailed, "drill \(drill.id): \(leg)\(drill.reason)")
            } else if !isLate {
                ended.append(.drillLate)
            }
            step.transaction.closedNotices = ended.map {
                NoticeClosing(code: $0.rawValue, subject: subject, at: now)
            }
        }
        note(drill, drill.phase.isEnd ? "drill-ended" : "drill", in: &step)
        try commit(step, lease: nil)
    }

    // MARK: Planting

    private enum Planting {
        case plan(Plan, Decision, ApprovalRules.Question, Finding)
        case refused(String)
    }

    /// What is to be planted, with what the guards say of its fix: what would not be fixed at once is not planted.
    private func planting(
        _ drill: Drill, preflight: GuardFacts.Preflight, in step: inout Step
    ) throws(JournalError) -> Planting {
        guard let playbook = policy.playbooks[drill.playbook], let planting = playbook.planting,
            playbook.digest.description == drill.playbookDigest, let rule = policy.baseline.rule(drill.rule)
        else { return .refused("\(drill.playbook) is another by now") }
        let subject = try step.subject(drill.resource, context: drill.context)
        let context = try step.context(of: subject, for: drill.rule)
        guard context.labels.hasDrillLabel else {
            return .refused("\(drill.resource.id) has no label \(Drill.labels[0]): drills are held on nothing else")
        }
        let verdict = try step.freshVerdict(drill.rule, subject)
        guard case .pass = verdict.outcome, subject.view.isObserved(policy.pathsRead(by: drill.rule)) else {
            return .refused("\(drill.resource.id) is not known to meet \(drill.rule); a drill begins where all is well")
        }
        if let other = try busy(drill.resource, besides: "") { return .refused("\(other) works on this resource") }
        let request = PlanRequest(
            finding: drill.finding, rule: drill.rule, resource: drill.resource, incarnation: subject.view.incarnation,
            context: subject.context, document: subject.view.document, offending: [], now: step.now)
        guard case .plan(let plan) = planting.plan(request) else {
            return .refused("what it plants cannot be written: \(planting.plan(request).text)")
        }
        let effective = policy.baseline.effective(rule, of: drill.resource, in: context)
        let finding = Finding(planted: drill, incarnation: subject.view.incarnation, at: step.now)
        var facts = try FactsReader(policy: policy, journal: journal, now: step.now, haltFile: tools.haltFile())
        var known = try facts.facts(
            of: Assessment(
                finding: finding, rule: rule, subject: subject, context: context, maturity: effective.maturity.value,
                outcome: nil), plan: plan, evidence: .observed(at: step.now), preflight: preflight)
        known.plan.playbookDigest = drill.playbookDigest
        known.rollout = try facts.rollout(known.plan, drill.environment)
        known.opened = step.now
        known.objection = nil
        known.cause = .init()
        let question = policy.question(digest: plan.digest.description, known)
        known.approvals = policy.remediation.approvals.standing(
            of: question, words: [], people: policy.people, now: step.now)
        let decision = tools.decide(known)
        guard let stopper = decision.stopper else { return .plan(plan, decision, question, finding) }
        return .refused("what is planted would not be fixed at once: \(stopper.name.rawValue): \(stopper.reason)")
    }

    /// Where a drill's resource is read before anything is planted.
    func preflight(ofDrill id: String) throws(JournalError) -> Move {
        guard let drill = try journal.openDrills().first(where: { $0.id == id }), drill.phase == .asked else {
            memory.working.remove(id)
            return .rest
        }
        return .read(drill.resource, drill.context)
    }

    /// What that read said: the drift is planted, or the drill is over.
    func took(preflight description: Description, ofDrill id: String, now: Timestamp) throws(JournalError) -> Move {
        memory.working.remove(id)
        guard var drill = try journal.openDrills().first(where: { $0.id == id }), drill.phase == .asked else {
            return .rest
        }
        let before = drill
        var step = Step(policy: policy, journal: journal, now: now)
        try step.observe(description, resource: drill.resource, context: drill.context)
        try step.evaluate(cause: .baseline)
        let planting = try planting(drill, preflight: .passed(at: description.started), in: &step)
        try commit(step, lease: nil)
        guard case .plan(let plan, let decision, let question, let finding) = planting, tools.seal != nil else {
            var why = "no key for captures is configured: keys: captures:"
            if case .refused(let said) = planting { why = said }
            drill.fail(why, at: now)
            try record(drill, before: before, now: now)
            return .rest
        }
        var run = Run(
            id: "r-" + drill.id.dropFirst(2), finding: finding, plan: plan, steps: steps(of: plan), opened: now)
        (run.drill, run.plants) = (drill.id, true)
        var reader = try FactsReader(policy: policy, journal: journal, now: now, haltFile: nil)
        memory.prepared[run.id] = PreparedStep(
            run: run, call: run.steps[0].call, isIdempotent: run.steps[0].isIdempotent, decision: decision,
            budgets: try reader.claims(of: finding, playbook: drill.playbook),
            haltParts: Halt.parts(of: run.context, environment: run.environment, playbook: run.playbook),
            question: question, capture: capture(description, run: run, now), prepared: now)
        memory.working.insert(run.id)
        return .write(run: run.id)
    }

    /// The read before anything is planted failed: it is tried again, as long as the drill waits.
    func failed(preflightOfDrill id: String, now: Timestamp) {
        memory.working.remove(id)
        memory.drillPauses = memory.drillPauses.filter { $0.value > now }
        memory.drillPauses[id] = now + Span(seconds: 5)
    }

    // MARK: By the clock

    private func beginNightly(now: Timestamp) throws(JournalError) {
        let nightly = policy.remediation.drills.nightly
        guard !nightly.isEmpty else { return }
        let busy = try journal.openDrills().map(\.resource.id)
        let first = memory.firstDrillLook ?? now
        memory.firstDrillLook = first
        for one in nightly {
            let due = one.due(before: now)
            let last = max(
                try journal.lastDrill(playbook: one.playbook, resource: one.resource)?.started ?? first,
                memory.nightlyTried["\(one.playbook) \(one.resource)"] ?? .distantPast)
            guard last < due, !busy.contains(one.resource) else { continue }
            memory.nightlyTried["\(one.playbook) \(one.resource)"] = now
            do throws(DeskRefusal) {
                _ = try drill(
                    one.playbook, on: one.resource, by: Person(name: "holdfast", roles: [], via: "clock"), now: now)
            } catch {
                var step = Step(policy: policy, journal: journal, now: now)
                step.transaction.notices = [
                    Notice(
                        code: NoticeCode.drillFailed.rawValue, subject: "\(one.playbook) on \(one.resource)",
                        text: "the drill of \(due) did not begin: \(error.message)", raised: now)
                ]
                try commit(step, lease: nil)
            }
        }
    }
}

extension Drill {
    /// The one that it waits for.
    fileprivate var nextLeg: Leg? { Leg.allCases.first { leg in !legs.contains { $0.leg == leg } } }
}

extension GuardFacts.EvidenceFacts {
    fileprivate static func observed(at time: Timestamp) -> Self {
        var facts = Self()
        (facts.isObserved, facts.observed) = (true, time)
        return facts
    }
}

extension StateValue {
    /// Whether a resource's labels say that drills may be held on it.
    var hasDrillLabel: Bool {
        guard case .map(let map) = self else { return false }
        return map.members.contains { Drill.labels.contains($0.name.lowercased()) }
    }
}

extension Finding {
    /// As it would be opened by what a drill plants.
    init(planted drill: Drill, incarnation: String, at now: Timestamp) {
        self.init(
            rule: drill.rule, resource: drill.resource, context: drill.context, incarnation: incarnation, state: .open,
            severity: .low, severityReason: "", origin: .drift, since: now,
            cause: Cause(event: drill.id, actor: "holdfast", action: "drill", chain: [], time: now), offending: [],
            reason: "", evidence: .observed, environment: drill.environment)
    }
}
