internal import HoldfastCore

extension Step {
    /// Plans for what opened while everything was only observed: nothing of it need change before it is decided.
    mutating func planWhatIsOpen() throws(JournalError) {
        for stored in try journal.findings(states: [Finding.State.open.rawValue]) {
            guard let assessment = try assess(stored.id), let outcome = assessment.outcome else { continue }
            record(outcome, for: assessment.finding)
            reconsider(assessment.finding)
        }
    }
}
