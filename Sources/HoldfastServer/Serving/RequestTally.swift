/// Counts what was answered.
actor RequestTally {
    /// By the first digit of the status.
    private(set) var answered: [Int: Int] = [:]
    private(set) var seconds = 0.0

    func count(status: Int, took: Duration) {
        answered[status / 100, default: 0] += 1
        seconds += took.inSeconds
    }
}
