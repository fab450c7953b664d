package import HoldfastCore

extension CounterDelta {
    /// Changes that came in, by account and the hour of their own time.
    package static let events = "event"
    /// Reads of single resources that changes led to, by account and hour.
    package static let describes = "describe"
    /// Answers of a cloud that it was too much, by what is counted together, and hour.
    package static let throttles = "throttle"
    /// Reads that showed what no event had told, by type.
    package static let unseenChanges = "unseen-change"

    /// Evaluations of one rule on one resource, by what led to them (``EvaluationLane``), and hour.
    package static let evaluations = "evaluation"

    /// The hour that a moment lies in, in seconds since 1970.
    package static func hour(of time: Timestamp) -> Int64 { time.nanoseconds / 3_600_000_000_000 * 3600 }
}

/// What leads to evaluations; the label of their counter.
enum EvaluationLane: String {
    /// Changes that came in.
    case events
    /// Reads, scans, the clock and changed data files.
    case state
}
