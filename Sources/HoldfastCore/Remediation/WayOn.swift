extension Decision {
    /// The first thing that would let it go on; `nil` where all guards let it pass. What refuses comes first, then
    /// people, then what comes about by itself.
    package var wayOn: String? {
        let first =
            answers.first { $0.word == .refuse } ?? answers.first { $0.word == .wait && $0.name == .approvals }
            ?? stopper
        return first.map { $0.remedy.isEmpty ? $0.reason : $0.remedy }
    }
}
