package import HoldfastCore
internal import HoldfastEngine

/// What is done about calls that fail: most failures pass, and are waited out without a word; the rest is told.
package struct PollTrouble: Sendable {
    package enum Answer: Sendable, Equatable {
        /// Try the same again after this.
        case wait(Span)
        /// The page's token is not taken any more: read the window from its first page.
        case restart
        /// A human must know. It is tried again all the same.
        case tell(code: String, retry: Span)
        case cancelled
    }

    /// Of the failures since the last answer.
    private var first: Timestamp?
    private var failures = 0
    private var restarts = 0

    /// Failures that pass are told after this.
    private static let patience = Span(seconds: 300)
    /// Throttling slows, and is told only where it lasts.
    private static let throttlingPatience = Span(seconds: 1800)
    private static let longestWait = Span(seconds: 60)
    /// How soon something is tried again that only people can mend.
    private static let refusedWait = Span(seconds: 60)

    package init() {}

    /// - Parameter isLast: the answer was a window's last page: tokens that were not taken are forgotten.
    package mutating func succeeded(isLast: Bool = true) {
        let restarts = isLast ? 0 : restarts
        self = PollTrouble()
        self.restarts = restarts
    }

    /// - Parameter hasToken: the call asked for a later page of a window.
    package mutating func failed(_ failure: CallFailure, hasToken: Bool, now: Timestamp) -> Answer {
        // After the clock was set back, the trouble begins now.
        let since = min(first ?? now, now)
        first = since
        failures += 1
        switch failure.kind {
        case .cancelled: return .cancelled
        case .denied: return tell("not-allowed", Self.refusedWait)
        case .refused:
            guard hasToken, restarts < 2 else { return tell("refused", Self.refusedWait) }
            restarts += 1
            return .restart
        case .throttled, .unavailable, .notSent, .unknownOutcome:
            let patience = failure.kind == .throttled ? Self.throttlingPatience : Self.patience
            let wait = failure.retryAfter.map { max(Span($0), Self.backoff(failures)) } ?? Self.backoff(failures)
            guard now.since(since).nanoseconds < patience.nanoseconds else {
                return tell(failure.kind == .throttled ? "throttled" : "unavailable", wait)
            }
            return .wait(wait)
        }
    }

    private mutating func tell(_ code: String, _ retry: Span) -> Answer {
        self = PollTrouble()
        return .tell(code: code, retry: retry)
    }

    /// 1 s, 2 s, 4 s, … 60 s.
    private static func backoff(_ failures: Int) -> Span {
        min(Span(seconds: 1 << min(failures - 1, 6)), longestWait)
    }
}

extension Span {
    /// - Parameter duration: nanoseconds are its finest; below zero is zero.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(nanoseconds: max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }
    var duration: Duration { .nanoseconds(nanoseconds) }
}

extension SourceError {
    /// A call that failed.
    ///
    /// - Parameter what: which log, as people know it: `CloudTrail of 012345670123 in eu-west-1`.
    static func call(_ failure: CallFailure, code: String, what: String, retry: Span) -> SourceError {
        let advice =
            switch code {
            case "not-allowed": "; allow it, and reading goes on from where it stands"
            case "throttled": "; something else uses this limit up"
            default: ""
            }
        return SourceError(
            code: code, message: "\(what) cannot be read: \(failure.message)\(advice)", retry: .after(retry))
    }

    static func stopped(_ source: String) -> SourceError {
        SourceError(code: cancelled, message: "the source \(source) was asked to stop")
    }
}
