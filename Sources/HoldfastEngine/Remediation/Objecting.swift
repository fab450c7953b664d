package import HoldfastCore
internal import HoldfastJSON

/// Objections: why a drift should stay as it is, until its person takes that back or another approves the fix.
extension Keeper {
    /// - Parameter isOperator: whether the person may speak for any resource; others may for what they made or answer
    ///   for.
    package func object(
        to finding: String, by person: Person, isOperator: Bool, reason: String, now: Timestamp
    ) throws(DeskRefusal) {
        try desk {
            let known = try self.finding(finding)
            let what = "object to the fix of \(finding)"
            guard isOperator || concerns(known, person) else {
                let why = "\(person.name) neither made the change behind \(finding) nor answers for its resource"
                try refuse(person, what, DeskRefusal(.forbidden, why), now: now)
            }
            guard !reason.allSatisfy(\.isWhitespace) else { throw DeskRefusal(.impossible, "give a reason") }
            guard known.state == .open || known.state == .stale else {
                throw DeskRefusal(.impossible, "\(finding) is \(known.state.rawValue): nothing is done about it")
            }
            if let run = try journal.openRuns().first(where: { $0.finding == finding }) {
                let way = "holdfast undo \(run.id) --reason … has it back as it was"
                throw DeskRefusal(.impossible, "run \(run.id) works on it already; \(way)")
            }
            if let mine = try journal.objections(to: finding).last(where: { $0.person == person.name }),
                mine.withdrawn == nil, try isOfThisDrift(mine)
            {
                throw DeskRefusal(.impossible, "\(person.name) objected at \(mine.at) already")
            }
            let objection = Objection(
                finding: finding, person: person.name, reason: reason, at: try afterAll(of: finding, now),
                via: person.via)
            try write(objection, known, kind: "objected", reason, person, now)
        }
    }

    /// Only who objected takes it back; what anybody else can do is to approve the fix.
    package func withdraw(
        objectionTo finding: String, by person: Person, reason: String, now: Timestamp
    ) throws(DeskRefusal) {
        try desk {
            let known = try self.finding(finding)
            let standing = try journal.objections(to: finding).filter { $0.withdrawn == nil }
            guard var mine = standing.last(where: { $0.person == person.name }), try isOfThisDrift(mine) else {
                let others = standing.map(\.person).joined(separator: " and ")
                let why =
                    others.isEmpty
                    ? "nobody objects to the fix of \(finding)"
                    : "\(others) objected, and only they take that back; another person approves the fix all the same"
                throw DeskRefusal(.impossible, why)
            }
            mine.withdrawn = now
            try write(mine, known, kind: "objection-withdrawn", reason, person, now)
        }
    }

    private func finding(_ id: String) throws -> Finding {
        guard let stored = try journal.finding(id: id), let known = Finding(json: stored.body) else {
            throw DeskRefusal(.unknown, "there is no finding \(id); `holdfast findings` lists them")
        }
        return known
    }

    private func concerns(_ finding: Finding, _ person: Person) -> Bool {
        policy.concerned(by: finding, tellsActor: true, hasGrace: true).contains { $0.person == person.name }
    }

    /// Now, or with a clock that was put back, no earlier than the drift and what was said of it.
    private func afterAll(of finding: String, _ now: Timestamp) throws(JournalError) -> Timestamp {
        let words = try journal.plan(finding: finding).map { (plan) throws(JournalError) in
            try journal.approvals(of: plan.digest).map(\.at)
        }
        return ([now] + [try journal.opening(of: finding)].compactMap(\.self) + (words ?? [])).max() ?? now
    }

    private func isOfThisDrift(_ objection: Objection) throws(JournalError) -> Bool {
        try journal.opening(of: objection.finding).map { objection.at >= $0 } ?? true
    }

    private func write(
        _ objection: Objection, _ finding: Finding, kind: String, _ reason: String, _ person: Person, _ now: Timestamp
    ) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.remediation.objections = [objection]
        step.transaction.remediation.candidates = [Candidate(finding: finding.id, due: now)]
        step.transaction.audit = [
            AuditEntry(
                kind: kind, at: now,
                body: [
                    "finding": .string(finding.id), "rule": .string(finding.rule),
                    "resource": .string(finding.resource.id), "person": .string(person.name),
                    "via": .string(person.via), "reason": .string(reason),
                ])
        ]
        step.transaction.mustBeDurable = true
        // A step that waits to be begun was let pass without it.
        memory.forgetPrepared(on: finding.resource)
        try commit(step, lease: nil)
    }
}

extension Journal {
    /// When a finding was opened last, as far as the journal knew it then.
    func opening(of finding: String) throws(JournalError) -> Timestamp? {
        try findingChanges(of: finding).last {
            [FindingChange.opened.rawValue, FindingChange.reopened.rawValue].contains($0.change)
        }?.known
    }

    /// The objections to a drift that were not taken back, the newest last.
    func standingObjections(to finding: String, since opened: Timestamp?) throws(JournalError) -> [Objection] {
        try objections(to: finding).filter { $0.withdrawn == nil && $0.at >= (opened ?? .distantPast) }
            .sorted { $0.at < $1.at }
    }
}
