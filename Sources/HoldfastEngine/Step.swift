package import HoldfastCore
internal import HoldfastJSON

/// One transaction in the making: resources are loaded, new evidence is merged, and what can have changed by it is
/// evaluated. Nothing is written until the keeper commits ``transaction``.
struct Step {
    let policy: Policy
    let journal: any Journal
    /// The time on the wall: what is *known* at, as against what happened.
    let now: Timestamp
    var transaction = JournalTransaction()
    /// Evaluations made: one rule on one resource.
    private(set) var evaluations = 0
    private(set) var changes: [(finding: Finding, change: FindingChange)] = []

    private var subjects: [ResourceID: Subject] = [:]
    private var findings: [ResourceID: [String: Finding]] = [:]

    init(policy: Policy, journal: any Journal, now: Timestamp) {
        self.policy = policy
        self.journal = journal
        self.now = now
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
        var view: ResourceView
        /// The incarnation of before and whether it was there at all.
        var wasThere: Bool

        var changed: Bool { before != after }
    }

    /// The resource, from the journal the first time.
    mutating func subject(_ id: ResourceID, context: ResourceContext) throws(JournalError) -> Subject {
        if let known = subjects[id] { return known }
        let stored = try journal.resource(id)
        let subject = try makeSubject(id, context: stored?.context ?? context, stored: stored)
        subjects[id] = subject
        return subject
    }

    private func makeSubject(
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
            wasThere: stored != nil && !view.isDeleted)
    }

    /// Takes evidence in. What is already known changes nothing.
    mutating func merge(
        _ items: [EvidenceItem], into id: ResourceID, context: ResourceContext
    ) throws(JournalError) {
        var subject = try subject(id, context: context)
        let before = subject.after
        subject.after.merge(items)
        guard subject.after != before else { return }
        subject.view = ResourceView(of: subject.after, keys: policy.listKeys(for: id.type))
        for item in items {
            if let property = item.path?.property { subject.touched?.insert(property) } else { subject.touched = nil }
        }
        subjects[id] = subject
    }

    // MARK: Evaluation

    /// Evaluates every rule that the step's changes can have changed the verdict of, on the changed resources and on
    /// those that depend on them, and writes resources and findings into the transaction.
    mutating func evaluate(cause: CauseOfStep) throws(JournalError) {
        let changed = subjects.values.filter(\.changed).sorted { $0.resource < $1.resource }
        var due: [ResourceID: Set<String>] = [:]
        for subject in changed {
            due[subject.resource, default: []].formUnion(
                policy.rules(of: subject.resource.type, touching: subject.touched))
            for dependent in try dependents(of: subject) {
                due[dependent.resource, default: []].formUnion(dependent.rules)
            }
        }
        for resource in due.keys.sorted() {
            for rule in (due[resource] ?? []).sorted() {
                try evaluate(rule, on: resource, cause: cause)
            }
        }
        for subject in changed { store(subject) }
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
                references: policy.references(of: subject.resource, document: subject.view.document)))
    }

    /// What the step learnt of a resource already counts, also for relations.
    private func documents(_ stored: [StoredResource]) throws(JournalError) -> [Subject] {
        var found: [Subject] = []
        for row in stored {
            if let known = subjects[row.resource] {
                found.append(known)
            } else {
                found.append(try makeSubject(row.resource, context: row.context, stored: row))
            }
        }
        return found
    }

    /// Resources of a type that hold a reference, as the journal has them and as this step changes them.
    private func resources(
        type: String, path: String, value: String, account: String
    ) throws(JournalError) -> [Subject] {
        let stored = try journal.resources(type: type, path: path, value: value, limit: Policy.relatedLimit)
        var found = try documents(stored)
        for subject in subjects.values where subject.changed && subject.resource.type == type {
            if !found.contains(where: { $0.resource == subject.resource }) { found.append(subject) }
        }
        return found.filter { subject in
            subject.context.account == account && !subject.view.isDeleted
                && policy.references(of: subject.resource, document: subject.view.document)
                    .contains(.init(path: path, value: value))
        }.sorted { $0.resource < $1.resource }
    }

    private struct Dependent {
        var resource: ResourceID
        var rules: Set<String>
    }

    /// Resources with a rule that reads the changed one along a relation, by what it referred to before and refers to
    /// now.
    private mutating func dependents(of subject: Subject) throws(JournalError) -> [Dependent] {
        var found: [Dependent] = []
        let before = ResourceView(of: subject.before, keys: policy.listKeys(for: subject.resource.type))
        let references = Set(
            policy.references(of: subject.resource, document: subject.view.document)
                + policy.references(of: subject.resource, document: before.document))
        for edge in policy.dependents(on: subject.resource.type, touching: subject.touched) {
            let path = edge.relation.isReverse ? edge.relation.by.description : "."
            let other = edge.relation.isReverse ? "." : edge.relation.by.description
            for reference in references.sorted(by: { $0.value < $1.value }) where reference.path == path {
                let targets = try resources(
                    type: edge.type, path: other, value: reference.value, account: subject.context.account)
                for target in targets {
                    if subjects[target.resource] == nil { subjects[target.resource] = target }
                    found.append(Dependent(resource: target.resource, rules: edge.rules))
                }
            }
        }
        return found
    }

    /// The documents at the other end of a relation; unknown where the other end was never heard of.
    private func related(
        _ relation: ResourceType.Relation, of subject: Subject
    ) throws(JournalError) -> RelatedDocuments {
        let path = relation.isReverse ? "." : relation.by.description
        let references = policy.references(of: subject.resource, document: subject.view.document)
            .filter { $0.path == path }
        var found: [Subject] = []
        var missing: [String] = []
        for reference in references {
            let other = relation.isReverse ? relation.by.description : "."
            let subjects = try resources(
                type: relation.type, path: other, value: reference.value, account: subject.context.account)
            if subjects.isEmpty { missing.append(reference.value) }
            for subject in subjects where !found.contains(where: { $0.resource == subject.resource }) {
                found.append(subject)
            }
        }
        let documents = found.map { (resource: $0.resource, document: $0.view.document) }
        if relation.isReverse {
            return RelatedDocuments(documents: documents, openBecause: "not every \(relation.type) was listed")
        }
        let reason = missing.isEmpty ? nil : "\(relation.type) \(missing.sorted()[0]) was never read"
        return RelatedDocuments(documents: documents, openBecause: reason)
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
    private mutating func evaluate(_ rule: String, on id: ResourceID, cause: CauseOfStep) throws(JournalError) {
        guard let subject = subjects[id] else { return }
        evaluations += 1
        let environment = policy.environment(of: subject.context, document: subject.view.document)
        let evaluation = try verdict(rule, subject, environment: environment)
        if let due = evaluation.nextChange {
            transaction.timers.append(TimerMark(resource: id, rule: rule, due: due))
        }
        let old = try finding(rule, of: id)
        let candidate = try candidate(rule, subject, evaluation, environment: environment, cause: cause, old: old)
        let exemption = policy.exemption(rule: rule, resource: id, context: subject.context, now: now)
        let input = FindingInput(
            verdict: evaluation.verdict, isDeleted: subject.view.isDeleted, exemption: exemption,
            candidate: candidate)
        guard let (new, change) = Finding.next(old, input) else { return }
        findings[id, default: [:]][rule] = new
        record(new, change)
        if new.state == .open { plan(for: new, subject: subject) }
    }

    private func verdict(
        _ rule: String, _ subject: Subject, environment: String
    ) throws(JournalError) -> Evaluation {
        var failure: JournalError?
        let evaluation = policy.evaluate(
            rule, resource: subject.resource, document: subject.view.document, context: subject.context,
            environment: environment, now: now
        ) { relation in
            do throws(JournalError) {
                return try related(relation, of: subject)
            } catch {
                failure = error
                return RelatedDocuments(documents: [], openBecause: "the journal could not be read")
            }
        }
        if let failure { throw failure }
        return evaluation
    }

    private mutating func finding(_ rule: String, of id: ResourceID) throws(JournalError) -> Finding? {
        if findings[id] == nil {
            var byRule: [String: Finding] = [:]
            for stored in try journal.findings(of: id) { byRule[stored.rule] = Finding(json: stored.body) }
            findings[id] = byRule
        }
        return findings[id]?[rule]
    }

    /// How the finding would look were it opened now.
    private func candidate(
        _ rule: String, _ subject: Subject, _ evaluation: Evaluation, environment: String, cause: CauseOfStep,
        old: Finding?
    ) throws(JournalError) -> Finding {
        let paths = evaluation.verdict.offending.map(\.path)
        let newest = subject.view.newest(touching: paths) ?? subject.view.applied.last
        let causedBy = try self.cause(newest, cause: cause)
        let read = policy.propertiesRead(by: rule, of: subject.resource.type)
        let (severity, reason) = policy.severity(of: rule, environment: environment, context: subject.context)
        var origin = Finding.Origin.backlog
        if old == nil || old?.state == .resolved || old?.state == .deleted, !causedBy.isBaseline,
            evaluation.verdict.outcome == .drift
        {
            origin = try wasGood(rule, subject, environment: environment) ? .drift : .backlog
        }
        return Finding(
            rule: rule, resource: subject.resource, context: subject.context,
            incarnation: subject.view.incarnation, state: .open, severity: severity, severityReason: reason,
            origin: origin, since: causedBy.isBaseline ? now : causedBy.time, cause: causedBy,
            offending: evaluation.verdict.offending, reason: "",
            evidence: subject.view.isObserved(read) ? .observed : .reported, environment: environment)
    }

    /// The event behind a piece of evidence, with its actor followed through the sessions that lead to it.
    private func cause(_ item: EvidenceItem?, cause: CauseOfStep) throws(JournalError) -> Finding.Cause {
        guard let item, item.source == .reported else { return .baseline }
        var chain: [String] = []
        var session = item.origin.session
        while !session.isEmpty, chain.count < Policy.chainLimit {
            guard let link = try openedBy(session) else { break }
            chain.append(link.caller.name)
            session = link.caller.sessionKey == session ? "" : link.caller.sessionKey
        }
        return Finding.Cause(
            event: item.origin.event, actor: item.origin.actor, action: item.origin.action, chain: chain,
            time: item.time)
    }

    /// A session that this step itself learnt of counts too.
    private func openedBy(_ session: String) throws(JournalError) -> SessionLink? {
        try transaction.sessions.last { $0.session == session } ?? journal.session(session)
    }

    /// Whether the rule passed before this step, or the resource was not there.
    private func wasGood(
        _ rule: String, _ subject: Subject, environment: String
    ) throws(JournalError) -> Bool {
        let created = subject.view.applied.first.map { $0.change == .created } ?? false
        if !subject.wasThere && created { return true }
        var earlier = subject
        earlier.view = ResourceView(of: subject.before, keys: policy.listKeys(for: subject.resource.type))
        return try verdict(rule, earlier, environment: environment).verdict.outcome == .pass
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

    /// A dry-run plan: what would be done. Rendered, recorded, never carried out here.
    private mutating func plan(for finding: Finding, subject: Subject) {
        guard let plan = policy.plan(for: finding, document: subject.view.document) else { return }
        transaction.plans.append((finding: finding.id, digest: plan.digest, body: plan.body))
    }
}
