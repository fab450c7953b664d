package import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// Exemptions through the server: one person proposes, another agrees, and what they agreed to counts at once.
extension Keeper {
    /// Findings that are live and that an exemption would silence.
    package func silenced(by exemption: Exemption) throws(DeskRefusal) -> [Finding] {
        try desk {
            try check(rule: exemption.rule)
            return try covered(by: exemption, in: [.open, .stale])
        }
    }

    /// Asks for an exemption. Nothing is silenced until another person agrees.
    ///
    /// - Parameter exemption: its approver is left out.
    package func propose(
        _ exemption: Exemption, by person: Person, now: Timestamp
    ) throws(DeskRefusal) -> (record: ExemptionRecord, silences: [Finding]) {
        try desk {
            try check(rule: exemption.rule)
            if let problem = exemption.problem(now: now) {
                throw DeskRefusal(.impossible, problem)
            }
            let content = [exemption.rule, exemption.reason, person.name, "\(now.nanoseconds)"] + exemption.resources
            let id = "x-" + sha256(content.joined(separator: "\n").utf8).description.prefix(16)
            let record = ExemptionRecord(id: String(id), exemption: exemption, by: person.name, at: now)
            var step = Step(policy: policy, journal: journal, now: now)
            try write(record, person, in: &step)
            return (record, try covered(by: exemption, in: [.open, .stale]))
        }
    }

    /// A person's word on an exemption. Agreed to, it counts from now on; taken back, no longer.
    ///
    /// - Returns: how many findings it silences, or has silenced.
    package func say(
        _ state: ExemptionRecord.State, onExemption id: String, by person: Person, reason: String, now: Timestamp
    ) throws(DeskRefusal) -> Int {
        try desk {
            guard var record = try journal.exemptions().first(where: { $0.id == id }) else {
                throw DeskRefusal(.unknown, "there is no exemption \(id); `holdfast report exemptions` lists them")
            }
            if let obstacle = record.obstacle(to: state, now: now) { throw DeskRefusal(.impossible, obstacle) }
            if state == .approved, let why = try stranger(person, to: record) {
                try refuse(person, "approve the exemption \(id)", DeskRefusal(.forbidden, why), now: now)
            }
            record.take(.init(state: state, person: person.name, at: now, reason: reason))
            return try judgeAnew(record, person, now: now)
        }
    }

    /// Exemptions whose time is over: their findings are due by their own timers, and the audit log says why.
    package func endExemptions(now: Timestamp) throws(JournalError) {
        guard policy.baseline.exemptions.contains(where: { $0.isGranted && $0.end <= now }) else { return }
        let holdfast = Person(name: "holdfast", roles: [], via: "clock")
        for var record in try journal.exemptions() where record.state == .approved && record.exemption.end <= now {
            record.take(.init(state: .ended, person: holdfast.name, at: now, reason: "its time is over"))
            _ = try judgeAnew(record, holdfast, now: now)
        }
    }

    /// Why a person cannot agree to it: four eyes, none of them those of whoever made what it covers.
    private func stranger(_ person: Person, to record: ExemptionRecord) throws -> String? {
        if person.name == record.proposedBy {
            return "\(person.name) proposed \(record.id) and cannot agree to it; another person must"
        }
        if person.name.lowercased() == record.exemption.owner.lowercased() {
            return "\(person.name) owns \(record.id) and cannot agree to it; another person must"
        }
        for finding in try covered(by: record.exemption, in: [.open, .stale]) where !finding.cause.isBaseline {
            let causers = ([finding.cause.actor] + finding.cause.chain).flatMap(policy.people.people(behind:))
            if causers.contains(person.name) {
                return "\(person.name) made the change behind \(finding.id) and cannot agree to it; another person must"
            }
        }
        return nil
    }

    /// Writes a word down together with everything that it changes, or nothing of it.
    private func judgeAnew(_ record: ExemptionRecord, _ person: Person, now: Timestamp) throws(JournalError) -> Int {
        let granted = try journal.exemptions().filter { $0.id != record.id && $0.state == .approved }
        let all = record.state == .approved ? granted + [record] : granted
        let isGranted = policy.baseline.exemptions.contains { $0.place.file == record.id }
        let live: [Finding.State] = record.state == .approved ? [.open, .stale] : [.suppressed]
        let findings = record.state == .approved || isGranted ? try covered(by: record.exemption, in: live) : []
        let before = try journal.granted()
        renew(exemptions: all.map(\.exemption))
        do throws(JournalError) {
            var step = Step(policy: policy, journal: journal, now: now)
            var seen: Set<ResourceID> = []
            for finding in findings where seen.insert(finding.resource).inserted {
                try step.evaluateAll(finding.resource, context: finding.context, cause: .baseline)
                memory.forgetPrepared(on: finding.resource)
            }
            try write(record, person, in: &step)
        } catch {
            renew(exemptions: before)
            throw error
        }
        return findings.count
    }

    private func write(_ record: ExemptionRecord, _ person: Person, in step: inout Step) throws(JournalError) {
        guard let word = record.words.last else { return }
        step.transaction.remediation.exemptions = [record]
        step.transaction.audit.append(
            AuditEntry(
                kind: "exemption-\(word.state.rawValue)", at: word.at,
                body: [
                    "what": .string(record.id), "rule": .string(record.exemption.rule),
                    "resources": .array(record.exemption.resources.map(JSON.string)),
                    "kind": .string(record.exemption.kind.rawValue), "owner": .string(record.exemption.owner),
                    "end": .string(record.exemption.end.description), "person": .string(person.name),
                    "via": .string(person.via), "reason": .string(word.reason),
                ]))
        step.transaction.mustBeDurable = true
        try commit(step, lease: nil)
    }

    private func covered(by exemption: Exemption, in states: [Finding.State]) throws(JournalError) -> [Finding] {
        let rule = policy.baseline.rule(exemption.rule)?.id ?? exemption.rule
        return try journal.findings(states: states.map(\.rawValue)).filter { $0.rule == rule }
            .compactMap { Finding(json: $0.body) }.filter { exemption.covers($0.resource) }
    }

    private func check(rule: String) throws(DeskRefusal) {
        guard policy.baseline.rule(rule) == nil, policy.baseline.pin(rule) == nil else { return }
        throw DeskRefusal(.unknown, "unknown rule \"\(rule)\"\(suggestion(for: rule, among: policy.baseline.ruleIDs))")
    }
}

extension Exemption {
    /// What is wrong with a proposal, in a sentence.
    fileprivate func problem(now: Timestamp) -> String? {
        if resources.isEmpty || resources.contains(where: \.isEmpty) {
            return "an exemption names at least one resource"
        }
        if owner.allSatisfy(\.isWhitespace) { return "an exemption has an owner, who answers for it" }
        if reason.allSatisfy(\.isWhitespace) { return "an exemption needs a reason" }
        if end <= now { return "it would have ended at \(end)" }
        guard end > now + Exemption.longest else { return nil }
        return "it would end in more than a year; \((now + Exemption.longest).description.prefix(10)) is the latest now"
    }
}
