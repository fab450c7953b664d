internal import HoldfastCore
internal import HoldfastEngine

extension RemediationTools {
    /// With the guard gone that is taken away.
    mutating func spoil(_ sabotage: Sabotage?) {
        guard let name = sabotage?.guardName else { return }
        if name == .halt { haltFile = { nil } }
        decide = { facts in
            var decision = Guards.decide(facts)
            for index in decision.answers.indices where decision.answers[index].name == name {
                // Without the read before the call there is nothing to go on.
                if name == .preflight, decision.answers[index].word == .wait { continue }
                decision.answers[index].word = .pass
            }
            return decision
        }
    }
}

/// What of remediation is not sabotaged goes through as it is.
extension SabotagedJournal {
    func begin(_ intent: StepIntent) throws(BeginError) -> Begun {
        var spoilt = intent
        switch sabotage?.guardName {
        case .halt: spoilt.haltParts = []
        case .budgets: spoilt.budgets = []
        case .approvals: spoilt.isApproved = { _ in true }
        default: break
        }
        return try alive(dead: BeginError.journal) { () throws(BeginError) in
            let begun = try honest.begin(spoilt)
            let run = intent.run
            let count = try? honest.count(type: run.resource.type, account: run.context.account)
            let opened = try? honest.findingChanges(of: run.finding).last {
                ["opened", "reopened"].contains($0.change)
            }
            ledger.begun(intent, typeCount: count ?? 0, opened: opened?.known)
            return begun
        }
    }
    func candidates(dueAt: Timestamp, limit: Int) throws(JournalError) -> [Candidate] {
        try honest.candidates(dueAt: dueAt, limit: limit)
    }
    func decision(of finding: String) throws(JournalError) -> Decision? {
        try honest.decision(of: finding)
    }
    func decisions(limit: Int) throws(JournalError) -> [Decision] { try honest.decisions(limit: limit) }
    func plans(beginning digest: String, limit: Int) throws(JournalError) -> [(digest: String, finding: String)] {
        try honest.plans(beginning: digest, limit: limit)
    }
    func care(of finding: String) throws(JournalError) -> Care? { try honest.care(of: finding) }
    func run(id: String) throws(JournalError) -> Run? { try honest.run(id: id) }
    func openRuns() throws(JournalError) -> [Run] { try honest.openRuns() }
    func runs(limit: Int) throws(JournalError) -> [Run] { try honest.runs(limit: limit) }
    func runs(of finding: String) throws(JournalError) -> [Run] { try honest.runs(of: finding) }
    func endedRuns(playbook: String, since: Timestamp) throws(JournalError) -> [Run] {
        try honest.endedRuns(playbook: playbook, since: since)
    }
    func endedRuns(of finding: String, since: Timestamp, limit: Int) throws(JournalError) -> [Run] {
        try honest.endedRuns(of: finding, since: since, limit: limit)
    }
    func lastUndone(playbookDigest: String, environment: String?) throws(JournalError) -> Timestamp? {
        try honest.lastUndone(playbookDigest: playbookDigest, environment: environment)
    }
    func verified(
        playbookDigest: String, environment: String, since: Timestamp
    ) throws(JournalError) -> (count: Int, first: Timestamp?) {
        try honest.verified(playbookDigest: playbookDigest, environment: environment, since: since)
    }
    func capture(run: String, step: Int) throws(JournalError) -> [UInt8]? {
        try honest.capture(run: run, step: step)
    }
    func asks() throws(JournalError) -> [Ask] { try honest.asks() }
    func approvals(of digest: String) throws(JournalError) -> [Approval] {
        try honest.approvals(of: digest)
    }
    func halts() throws(JournalError) -> [Halt] { try honest.halts() }
    func objections(to finding: String) throws(JournalError) -> [Objection] {
        sabotage == .objections ? [] : try honest.objections(to: finding)
    }
    func hold(of finding: String) throws(JournalError) -> Hold? { try honest.hold(of: finding) }
    func holds() throws(JournalError) -> [Hold] { try honest.holds() }
    func openings(playbook: String) throws(JournalError) -> [Opening] { try honest.openings(playbook: playbook) }
    func modes() throws(JournalError) -> [ModeRecord] { try honest.modes() }
    func campaigns() throws(JournalError) -> [Campaign] { try honest.campaigns() }
    func openDrills() throws(JournalError) -> [Drill] { try honest.openDrills() }
    func drills(limit: Int) throws(JournalError) -> [Drill] { try honest.drills(limit: limit) }
    func drill(id: String) throws(JournalError) -> Drill? { try honest.drill(id: id) }
    func lastDrill(playbook: String, resource: String) throws(JournalError) -> Drill? {
        try honest.lastDrill(playbook: playbook, resource: resource)
    }
    func drillsPassed(playbookDigest: String, environment: String, since: Timestamp) throws(JournalError) -> Int {
        try honest.drillsPassed(playbookDigest: playbookDigest, environment: environment, since: since)
    }
    func uses(of budget: String, since: Timestamp) throws(JournalError) -> Int {
        try honest.uses(of: budget, since: since)
    }
    func isOwnEvent(_ event: String) throws(JournalError) -> Bool { try honest.isOwnEvent(event) }
    func count(type: String, account: String) throws(JournalError) -> Int {
        try honest.count(type: type, account: account)
    }
}
