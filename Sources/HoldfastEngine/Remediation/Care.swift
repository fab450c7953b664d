package import HoldfastCore
package import HoldfastJSON

/// Who looks after a finding: somebody saw it, somebody was asked to mend it.
package struct Care: Sendable, Hashable {
    package var finding: String
    /// Who said last that they saw it; empty: nobody.
    package var acknowledgedBy: String
    package var acknowledged: Timestamp?
    /// Who was asked to mend it; empty: nobody.
    package var assignee: String
    package var note: String

    package init(
        finding: String, acknowledgedBy: String = "", acknowledged: Timestamp? = nil, assignee: String = "",
        note: String = ""
    ) {
        self.finding = finding
        self.acknowledgedBy = acknowledgedBy
        self.acknowledged = acknowledged
        self.assignee = assignee
        self.note = note
    }

    package var json: JSON {
        [
            "finding": .string(finding), "acknowledged-by": .string(acknowledgedBy),
            "acknowledged": acknowledged.map { .string($0.description) } ?? .null, "assignee": .string(assignee),
            "note": .string(note),
        ]
    }
}

extension Keeper {
    /// A person has seen a finding.
    package func acknowledge(
        _ finding: String, by person: Person, note: String, now: Timestamp
    ) throws(DeskRefusal) {
        try care(for: finding, kind: "acknowledged", person, note, now: now) { care in
            care.acknowledgedBy = person.name
            care.acknowledged = now
        }
    }

    /// A person asks another one, or themselves, to mend a finding.
    ///
    /// - Parameter assignee: one of the configuration's people; empty takes it off whoever has it.
    package func assign(
        _ finding: String, to assignee: String, by person: Person, note: String, now: Timestamp
    ) throws(DeskRefusal) {
        let known = policy.people.identities.map(\.person)
        guard assignee.isEmpty || known.contains(assignee) else {
            throw DeskRefusal(
                .unknown, "nobody is called \(assignee)\(suggestion(for: assignee, among: known))")
        }
        try care(for: finding, kind: "assigned", person, note, now: now) { $0.assignee = assignee }
    }

    private func care(
        for finding: String, kind: String, _ person: Person, _ note: String, now: Timestamp,
        _ change: (inout Care) -> Void
    ) throws(DeskRefusal) {
        do {
            guard try journal.finding(id: finding) != nil else {
                throw DeskRefusal(.unknown, "there is no finding \(finding); `holdfast findings` lists them")
            }
            var care = try journal.care(of: finding) ?? Care(finding: finding)
            change(&care)
            care.note = note
            var step = Step(policy: policy, journal: journal, now: now)
            step.transaction.remediation.cares = [care]
            step.transaction.audit = [
                AuditEntry(
                    kind: kind, at: now,
                    body: [
                        "finding": .string(finding), "person": .string(person.name), "via": .string(person.via),
                        "assignee": .string(care.assignee), "note": .string(note),
                    ])
            ]
            try commit(step, lease: nil)
        } catch let refusal as DeskRefusal {
            throw refusal
        } catch {
            throw DeskRefusal(.failed, "the journal failed: \(error)")
        }
    }
}
