/// How often and for how long a request is sent again.
package struct RetryPolicy: Sendable {
    /// The first one included.
    package var attempts: Int
    /// What the first wait is at most; each one after it is at most twice as long as the one before.
    package var base: Duration
    /// What no wait of our own choice is above. A server may ask for more.
    package var cap: Duration
    /// From the first attempt to the end of the last.
    package var total: Duration

    package init(
        attempts: Int = 5, base: Duration = .milliseconds(200), cap: Duration = .seconds(20),
        total: Duration = .seconds(120)
    ) {
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.total = total
    }
}

/// Decides after each attempt of one request whether there is another, and when. It has no clock and no dice.
package struct Retries: Sendable {
    package enum Decision: Sendable, Hashable {
        case giveUp
        case wait(Duration)
    }
    /// What an attempt gave.
    package typealias Outcome = Result<HTTPResponse, HTTPFailure>

    private let policy: RetryPolicy
    private var attempts = 0
    /// Attempts and waits, so far.
    private var spent = Duration.zero
    /// An attempt that may have been acted on, and that nothing after it has made certain.
    private var doubt: Outcome?

    package init(_ policy: RetryPolicy) { self.policy = policy }

    /// What is left of the total time.
    package var rest: Duration { max(policy.total - spent, .zero) }

    /// - Parameters:
    ///   - took: how long the attempt was under way.
    ///   - isIdempotent: whether the request may be acted on twice. One that may not is sent again only after an answer
    ///     or failure that says that it was not acted on: not sent, 429, 503, throttled.
    ///   - isThrottled: whether the answer says "too often" in words of its own, as AWS does with 400.
    ///   - jitter: from 0 to 1; the part of the longest wait that is waited.
    package mutating func next(
        after outcome: Outcome, took: Duration, isIdempotent: Bool, isThrottled: Bool = false, jitter: Double
    ) -> Decision {
        attempts += 1
        spent += took
        let kind = kind(of: outcome, isThrottled: isThrottled)
        note(outcome, kind)
        guard kind == .refused || (kind == .doubtful && isIdempotent), attempts < policy.attempts else {
            return .giveUp
        }
        let wait = wait(after: outcome, jitter: jitter)
        guard wait < rest else { return .giveUp }
        spent += wait
        return .wait(wait)
    }

    /// What to tell the caller once it is given up: the last outcome, unless an earlier attempt may have been acted on
    /// and nothing since shows whether it was.
    package func verdict(_ last: Outcome) -> Outcome { doubt ?? last }

    // MARK: - Outcomes

    private enum Kind {
        /// An answer that stands.
        case answered
        /// Not acted on; another attempt would end alike.
        case hopeless
        /// Not acted on, and another attempt may be.
        case refused
        /// Perhaps acted on.
        case doubtful
        /// Perhaps acted on; another attempt would end alike, or is not wanted.
        case lost
    }

    private func kind(of outcome: Outcome, isThrottled: Bool) -> Kind {
        switch outcome {
        case .success(let answer):
            switch answer.status {
            case 429, 503: .refused
            case 501, 505: .answered
            case 500...: .doubtful
            default: isThrottled ? .refused : .answered
            }
        case .failure(.cancelled): .hopeless
        case .failure(.notSent(let code, _)):
            ["invalid-request", "plain-http", "closed", "certificate"].contains(code) ? .hopeless : .refused
        case .failure(.unknownOutcome(let code, _)):
            ["cancelled", "closed", "body-too-large", "header-too-large"].contains(code) ? .lost : .doubtful
        }
    }

    private mutating func note(_ outcome: Outcome, _ kind: Kind) {
        switch (kind, outcome) {
        case (.answered, _): doubt = nil
        case (.hopeless, _), (.refused, _): break
        case (.lost, _), (.doubtful, .failure): doubt = outcome
        case (.doubtful, .success):
            // A 500 does not take back that an answer was lost.
            if case .failure = doubt { return }
            doubt = outcome
        }
    }

    // MARK: - Waits

    private func wait(after outcome: Outcome, jitter: Double) -> Duration {
        var longest = policy.base
        for _ in 1..<attempts where longest < policy.cap { longest *= 2 }
        let own = min(longest, policy.cap) * jitter
        guard case .success(let answer) = outcome, let asked = answer.retryAfter else { return own }
        // Not before the time asked for, and not all at once after it.
        return asked + policy.base * jitter
    }
}
