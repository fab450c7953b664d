internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// One transaction in the making: resources are loaded, new evidence is merged, and what can have changed by it is
/// evaluated. Nothing is written until the keeper commits ``transaction``.
struct Step {
    let policy: Policy
    let journal: any Journal
    /// The time on the wall: what is *known* at, as against what happened.
    let now: Timestamp
    private let memory: StepMemory?
    var transaction = JournalTransaction()
    /// Evaluations made: one rule on one resource.
    private(set) var evaluations = 0
    private(set) var changes: [(finding: Finding, change: FindingChange)] = []

    private(set) var subjects: [ResourceID: Subject] = [:]
    /// Of findings that this step opened or changed: what would be done about them, by their ids.
    private(set) var outcomes: [String: PlanOutcome] = [:]
    private(set) var findings: [ResourceID: [String: Finding]] = [:]

    init(policy: Policy, journal: any Journal, now: Timestamp, memory: StepMemory? = nil) {
        self.policy = policy
        self.journal = journal
        self.now = now
        self.memory = memory
    }

    /// A resource as it was before this step and as it is with what the step learnt.
    struct Subject {
        var resource: ResourceID
        var context: ResourceContext
        var before: EvidenceSet
        var after: EvidenceSet
        /// Nobody had heard of it before.
        var isNew: Bool
        /// Top-level properties that the step's evidence is about; `nil`: all of them.
        var touched: Set<String>? = []
        /// What the step's events say of it first, each: also where all of it is known better since.
        var heard: [EvidenceItem] = []
        var view: ResourceView
        /// The view of before.
        var earlier: ResourceView

        var wasThere: Bool { !isNew && !earlier.isDeleted }
        var changed: Bool { before != after }
    }

    /// The resource, from what is remembered of it or from the journal the first time.
    mutating func subject(_ id: ResourceID, context: ResourceContext) throws(JournalError) -> Subject {
        if let known = subjects[id] ?? memory?.subject(id) {
            subjects[id] = known
            return known
        }
        let stored = try journal.resource(id)
        let subject = try makeSubject(id, context: stored?.context ?? context, stored: stored)
        subjects[id] = subject
        return subject
    }

    func makeSubject(
        _ id: ResourceID, context: ResourceContext, stored: StoredResource?
    ) throws(JournalError) -> Subject {
        let resolution = policy.resolution(for: id.type)
        var evidence = EvidenceSet(resolution: resolution)
        if let stored {
            guard let json = try? JSON.parse(stored.evidence),
                let decoded = EvidenceSet(encoded: json, resolution: resolution)
            else { throw JournalError(.corrupt, "the evidence of \(id) in the journal is damaged") }
            evidence = decoded
        }
        let view = ResourceView(of: evidence, keys: policy.listKeys(for: id.type))
        return Subject(
            resource: id, context: context, before: evidence, after: evidence, isNew: stored == nil, view: view,
            earlier: view)
    }

    /// Takes evidence in. What is already known changes nothing.
    mutating func merge(
        _ items: [EvidenceItem], into id: ResourceID, context: ResourceContext
    ) throws(JournalError) {
        var subject = try subject(id, context: context)
        let before = subject.after
        subject.after.merge(items)
        if let first = items.first, first.source == .reported {
            subject.heard.append(first)
            subjects[id] = subject
        }
        guard subject.after != before else { return }
        let view = subject.view
        subject.view = ResourceView(of: subject.after, keys: policy.listKeys(for: id.type))
        for item in items {
            if let property = item.path?.property { subject.touched?.insert(property) } else { subject.touched = nil }
        }
        subjects[id] = subject
        if !id.isAlias { try follow(from: view, to: subject) }
    }

    // MARK: Evaluation

    /// Evaluates every rule that the step's changes can have changed the verdict of, on the changed resources and on
    /// those that depend on them, and writes resources and findings into the transaction.
    mutating func evaluate(cause: CauseOfStep) throws(JournalError) {
        let changed = subjects.values.filter(\.changed).sorted { $0.resource < $1.resource }
        var due: [ResourceID: Set<String>] = [:]
        var neighbours: [ResourceID: Subject] = [:]
        for subject in changed {
            due[subject.resource, default: []].formUnion(
                policy.rules(of: subject.resource.type, touching: subject.touched))
            if !subject.wasThere {
                due[subject.resource, default: []].formUnion(policy.rulesWithoutPaths(of: subject.resource.type))
            }
            for dependent in try dependents(of: subject) {
                _ = try self.subject(dependent.resource, context: dependent.context)
                due[dependent.resource, default: []].formUnion(dependent.rules)
                neighbours[dependent.resource] = subject
            }
        }
        for subject in subjects.values {
            let rules = try explainable(of: subject)
            if !rules.isEmpty { due[subject.resource, default: []].formUnion(rules) }
        }
        for resource in due.keys.sorted() {
            for rule in (due[resource] ?? []).sorted() {
                try evaluate(rule, on: resource, cause: cause, because: neighbours[resource])
            }
        }
        for subject in changed {
            store(subject)
            try reconsiderByLabels(subject)
        }
    }

    /// Labels keep guards off or let them on, and no rule need read them.
    private mutating func reconsiderByLabels(_ subject: Subject) throws(JournalError) {
        guard let labels = policy.catalog.type(subject.resource.type).flatMap(Labels.path(in:))?.property,
            subject.touched?.contains(labels) ?? true
        else { return }
        _ = try finding("", of: subject.resource)
        for finding in (findings[subject.resource] ?? [:]).values.sorted(by: { $0.rule < $1.rule })
        where finding.state == .open {
            reconsider(finding)
        }
    }

    /// Every rule of one resource: for reconciled and swept ones, timers and reloads.
    mutating func evaluateAll(_ id: ResourceID, context: ResourceContext, cause: CauseOfStep) throws(JournalError) {
        _ = try subject(id, context: context)
        for rule in policy.rules(of: id.type, touching: nil).sorted() {
            try evaluate(rule, on: id, cause: cause)
        }
    }

    private mutating func store(_ subject: Subject) {
        transaction.resources.append(
            StoredResource(
                resource: subject.resource, context: subject.context, evidence: subject.after.encoded,
                incarnation: subject.view.incarnation, isDeleted: subject.view.isDeleted,
                catalogDigest: policy.catalogDigest,
                references: references(of: subject)))
    }

}

/// Why a step evaluates: what a finding's cause falls back on.
enum CauseOfStep: Sendable {
    /// Events; the newest one about what offends is the cause.
    case events
    /// A scan, a read, changed data files, the clock.
    case baseline
}

extension Step {
    /// One rule on one resource: the verdict, what becomes of the finding, the plan and the next time by the clock.
    ///
    /// - Parameter neighbour: what changed in its stead, where the resource itself did not.
    private mutating func evaluate(
        _ rule: String, on id: ResourceID, cause: CauseOfStep, because neighbour: Subject? = nil
    ) throws(JournalError) {
        guard let subject = subjects[id] else { return }
        evaluations += 1
        let context = try context(of: subject, for: rule)
        let evaluation = policy.baseline.evaluate(rule, subject.view.document, of: id, in: context)
        if let due = evaluation.nextChange {
            transaction.timers.append(TimerMark(resource: id, rule: rule, due: due))
        }
        let old = try finding(rule, of: id)
        // Most rules pass, as they did: what a finding would look like need not be known.
        guard old != nil || evaluation.verdict.outcome == .drift else { return }
        var candidate = try candidate(
            rule, subject, evaluation.verdict, in: context, cause: cause, because: neighbour, old: old)
        let isExplained = evaluation.verdict.outcome == .drift ? try explain(&candidate, subject, old: old) : false
        let exemption = policy.baseline.exemption(rule, id, at: now).map { "\($0.kind.rawValue): \($0.reason)" }
        let input = FindingInput(
            verdict: evaluation.verdict, isDeleted: subject.view.isDeleted, exemption: exemption,
            candidate: candidate, isExplained: isExplained)
        guard let (new, change) = Finding.next(old, input) else { return }
        findings[id, default: [:]][rule] = new
        record(new, change)
        guard new.state == .open else { return reconsider(new) }
        let plan = policy.plan(
            for: new, document: subject.view.document, in: context, lastObserved: try lastObserved(subject, for: rule))
        if let plan { record(plan, for: new) }
        reconsider(new)
    }

    /// The rule's verdict by the state alone, no finding looked at.
    func freshVerdict(_ rule: String, _ subject: Subject) throws(JournalError) -> Verdict {
        let context = try context(of: subject, for: rule)
        return policy.baseline.evaluate(rule, subject.view.document, of: subject.resource, in: context).verdict
    }

    func context(of subject: Subject, for rule: String) throws(JournalError) -> EvaluationContext {
        var related: [RelatedRead: RelatedResources] = [:]
        for read in policy.relations(readBy: rule) { related[read] = try self.related(read, of: subject) }
        return policy.context(
            of: subject.resource, at: subject.context, document: subject.view.document, now: now, related: related)
    }

    mutating func finding(_ rule: String, of id: ResourceID) throws(JournalError) -> Finding? {
        if findings[id] == nil {
            var byRule = memory?.findings(of: id)
            if byRule == nil {
                let known = try journal.findings(of: id).compactMap { Finding(json: $0.body) }
                byRule = Dictionary(known.map { ($0.rule, $0) }) { _, last in last }
            }
            findings[id] = byRule
        }
        return findings[id]?[rule]
    }

    /// How the finding would look were it opened now.
    private func candidate(
        _ rule: String, _ subject: Subject, _ verdict: Verdict, in context: EvaluationContext, cause: CauseOfStep,
        because neighbour: Subject?, old: Finding?
    ) throws(JournalError) -> Finding {
        let own = subject.view.newest(touching: verdict.offending.map(\.path)) ?? subject.view.applied.last
        let newest = subject.changed ? own : neighbour?.view.applied.last ?? own
        let causedBy = cause == .baseline && old == nil ? .baseline : try self.cause(newest)
        let severity = policy.baseline.severity(rule, of: subject.resource, in: context)
        let begins = old?.hasEnded ?? true
        var origin = Finding.Origin.backlog
        if begins, !causedBy.isBaseline, verdict.outcome == .drift, try wasGood(rule, subject) { origin = .drift }
        return Finding(
            rule: rule, resource: subject.resource, context: subject.context,
            incarnation: subject.view.incarnation, state: .open, severity: severity?.value ?? .medium,
            severityReason: severity.map { "\($0.place)" } ?? "", origin: origin,
            since: causedBy.isBaseline ? now : causedBy.time, cause: causedBy, offending: verdict.offending,
            reason: "", evidence: subject.view.isObserved(policy.pathsRead(by: rule)) ? .observed : .reported,
            environment: context.environment)
    }

    /// The event behind a piece of evidence, with its actor followed through the sessions that lead to it.
    func cause(_ item: EvidenceItem?) throws(JournalError) -> Finding.Cause {
        guard let item, item.source == .reported else { return .baseline }
        return Finding.Cause(
            event: item.origin.event, actor: item.origin.actor, action: item.origin.action,
            chain: try chain(from: item.origin.session), time: item.time)
    }

    /// Who opened a session, who opened theirs, and so on back: the nearest first.
    func chain(from session: String) throws(JournalError) -> [String] {
        var chain: [String] = []
        var session = session
        while !session.isEmpty, chain.count < Policy.chainLimit {
            guard let link = try openedBy(session) else { break }
            chain.append(link.caller.name)
            session = link.caller.sessionKey == session ? "" : link.caller.sessionKey
        }
        return chain
    }

    /// A session that this step itself learnt of counts too.
    private func openedBy(_ session: String) throws(JournalError) -> SessionLink? {
        if let own = transaction.sessions.last(where: { $0.session == session }) { return own }
        if let known = memory?.link(of: session) { return known.link }
        let link = try journal.session(session)
        memory?.keep(link, of: session)
        return link
    }

    /// Whether the rule passed before this step, or the resource was not there.
    private func wasGood(_ rule: String, _ subject: Subject) throws(JournalError) -> Bool {
        if !subject.wasThere, subject.view.applied.first?.change == .created { return true }
        var earlier = subject
        earlier.view = subject.earlier
        if policy.relations(readBy: rule).isEmpty { return try freshVerdict(rule, earlier).outcome == .pass }
        // What the journal has, of the resource and of those related to it, is from before this step.
        let before = Step(policy: policy, journal: journal, now: now)
        return try before.freshVerdict(rule, earlier).outcome == .pass
    }

    private mutating func record(_ finding: Finding, _ change: FindingChange) {
        changes.append((finding, change))
        let body = finding.json
        transaction.findings.append(
            StoredFinding(
                id: finding.id, rule: finding.rule, resource: finding.resource, state: finding.state.rawValue,
                severity: finding.severity, body: body))
        transaction.findingChanges.append(
            FindingChangeRow(
                finding: finding.id, change: change.rawValue,
                happened: finding.cause.isBaseline ? now : finding.cause.time,
                known: now, cause: finding.cause.event, body: body))
    }

    /// What became of a finding may change what is done about it.
    mutating func reconsider(_ finding: Finding) {
        guard policy.playbooks.playbook(for: finding.rule, type: finding.resource.type) != nil else { return }
        transaction.remediation.candidates.append(Candidate(finding: finding.id, due: now))
    }

    /// A plan, or why there is none: rendered and recorded, never carried out here.
    mutating func record(_ outcome: PlanOutcome, for finding: Finding) {
        outcomes[finding.id] = outcome
        var body = outcome.json.object ?? JSONObject()
        body["text"] = .string(outcome.text)
        var digest = ""
        if case .plan(let plan) = outcome {
            digest = plan.digest.description
            transaction.audit.append(
                AuditEntry(
                    kind: "plan", at: now,
                    body: [
                        "finding": .string(finding.id), "playbook": .string(plan.playbook), "digest": .string(digest),
                    ]))
        }
        transaction.plans.append((finding: finding.id, digest: digest, body: .object(body)))
    }
}
