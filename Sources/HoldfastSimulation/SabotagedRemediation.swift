internal import HoldfastCore
internal import HoldfastEngine

/// What of remediation is not sabotaged goes through as it is.
extension SabotagedJournal {
    func begin(_ intent: StepIntent) throws(BeginError) -> Begun { try honest.begin(intent) }
    func candidates(dueAt: Timestamp, limit: Int) throws(JournalError) -> [Candidate] {
        try honest.candidates(dueAt: dueAt, limit: limit)
    }
    func nextCandidate() throws(JournalError) -> Timestamp? { try honest.nextCandidate() }
    func decision(of finding: String) throws(JournalError) -> Decision? {
        try honest.decision(of: finding)
    }
    func decisions(limit: Int) throws(JournalError) -> [Decision] { try honest.decisions(limit: limit) }
    func run(id: String) throws(JournalError) -> Run? { try honest.run(id: id) }
    func openRuns() throws(JournalError) -> [Run] { try honest.openRuns() }
    func runs(limit: Int) throws(JournalError) -> [Run] { try honest.runs(limit: limit) }
    func runs(of finding: String) throws(JournalError) -> [Run] { try honest.runs(of: finding) }
    func endedRuns(playbook: String, since: Timestamp) throws(JournalError) -> [Run] {
        try honest.endedRuns(playbook: playbook, since: since)
    }
    func capture(run: String, step: Int) throws(JournalError) -> [UInt8]? {
        try honest.capture(run: run, step: step)
    }
    func asks() throws(JournalError) -> [Ask] { try honest.asks() }
    func approvals(of digest: String) throws(JournalError) -> [Approval] {
        try honest.approvals(of: digest)
    }
    func halts() throws(JournalError) -> [Halt] { try honest.halts() }
    func hold(of finding: String) throws(JournalError) -> Hold? { try honest.hold(of: finding) }
    func holds() throws(JournalError) -> [Hold] { try honest.holds() }
    func openings(playbook: String) throws(JournalError) -> [Opening] { try honest.openings(playbook: playbook) }
    func modes() throws(JournalError) -> [ModeRecord] { try honest.modes() }
    func campaigns() throws(JournalError) -> [Campaign] { try honest.campaigns() }
    func uses(of budget: String, since: Timestamp) throws(JournalError) -> Int {
        try honest.uses(of: budget, since: since)
    }
    func isOwnEvent(_ event: String) throws(JournalError) -> Bool { try honest.isOwnEvent(event) }
    func count(type: String, account: String) throws(JournalError) -> Int {
        try honest.count(type: type, account: account)
    }
}
