package import HoldfastCore
package import HoldfastEngine

/// What calls are counted together against one limit of a provider.
package struct BudgetKey: Sendable, Hashable, CustomStringConvertible {
    package var cloud: Cloud
    /// Empty where the provider counts all accounts together.
    package var account: String
    /// Empty where the provider counts all regions together.
    package var region: String
    /// The part of the API that has a limit of its own: `cloudtrail.LookupEvents`, `ec2.Describe`.
    package var family: String

    package init(cloud: Cloud, account: String, region: String = "", family: String) {
        self.cloud = cloud
        self.account = account
        self.region = region
        self.family = family
    }
}

extension BudgetKey {
    /// `aws 012345670123 eu-west-1 ec2`
    package var description: String {
        [cloud.rawValue, account, region, family].filter { !$0.isEmpty }.joined(separator: " ")
    }
}

/// A limit as providers state it: so many calls at once, and so many a second in the long run.
package struct BudgetLimit: Sendable, Hashable {
    package var capacity: Double
    package var perSecond: Double

    /// - Parameters:
    ///   - capacity: calls that may be made at once after a rest; 1 at least.
    ///   - perSecond: more than 0.
    package init(capacity: Double, perSecond: Double) {
        self.capacity = max(1, capacity)
        self.perSecond = perSecond
    }
}

/// A bucket of tokens, one a call. It fills at the limit's rate; each throttling halves the rate, and each call that
/// went through gives a twentieth of the limit back: what others spend of the same limit is found out by itself.
///
/// Moments are spans of a clock that never jumps, counted from any beginning.
package struct TokenBucket: Sendable {
    private let limit: BudgetLimit
    /// Tokens a second at present.
    package private(set) var rate: Double
    private var tokens: Double
    private var counted: Duration
    /// No call before this.
    private var closedUntil: Duration
    private var lastHalved: Duration?

    /// The rate never falls below this part of the limit's: enough to find out that it is better.
    private static let slowest = 1.0 / 32

    package init(_ limit: BudgetLimit, at now: Duration) {
        self.limit = limit
        rate = limit.perSecond
        tokens = limit.capacity
        counted = now
        closedUntil = now
    }

    /// Takes a token.
    ///
    /// - Returns: zero where one was taken; else how long it lasts until one is there, and none was taken.
    package mutating func take(at now: Duration) -> Duration {
        fill(until: now)
        if now < closedUntil { return closedUntil - now }
        // A token that lacks a billionth of itself is whole: else rounding would ask for a wait of nothing.
        if tokens >= 1 - 1e-9 {
            tokens -= 1
            return .zero
        }
        return .nanoseconds(Int64(((1 - tokens) / rate * 1e9).rounded(.up)))
    }

    /// The provider said that it was too much.
    ///
    /// - Parameter wait: for how long it said to stay away.
    package mutating func throttled(at now: Duration, retryAfter wait: Duration? = nil) {
        fill(until: now)
        tokens = min(tokens, 0)
        if let wait { closedUntil = max(closedUntil, now + min(wait, .seconds(900))) }
        // Several calls under way at one time are throttled by one cause.
        if let lastHalved, now - lastHalved < .milliseconds(500) { return }
        lastHalved = now
        rate = max(rate / 2, limit.perSecond * Self.slowest)
    }

    /// A call went through.
    package mutating func succeeded() { rate = min(limit.perSecond, rate + limit.perSecond / 20) }

    private mutating func fill(until now: Duration) {
        guard now > counted else { return }
        let (seconds, attoseconds) = (now - counted).components
        tokens = min(limit.capacity, tokens + rate * (Double(seconds) + Double(attoseconds) * 1e-18))
        counted = now
    }
}

/// The buckets of all callers, so that those who share a provider's limit share its budget.
package actor Budgets<C: HoldfastClock> {
    private let clock: C
    private let beginning: C.Instant
    private var buckets: [BudgetKey: TokenBucket] = [:]
    /// How often a provider said that it was too much, since the start.
    package private(set) var throttles: [BudgetKey: Int] = [:]
    private var told: [BudgetKey: Int] = [:]

    package init(clock: C) {
        self.clock = clock
        beginning = clock.now
    }

    /// Waits until a call may be made, and counts it.
    ///
    /// - Parameter limit: counts from the key's first call on.
    package func spend(_ key: BudgetKey, _ limit: BudgetLimit) async throws {
        while true {
            let wait = buckets[key, default: TokenBucket(limit, at: now)].take(at: now)
            if wait == .zero { return try Task.checkCancellation() }
            try await clock.sleep(for: wait)
        }
    }

    package func throttled(_ key: BudgetKey, retryAfter wait: Duration? = nil) {
        buckets[key]?.throttled(at: now, retryAfter: wait)
        throttles[key, default: 0] += 1
    }

    /// The throttles since this was last asked for, to be counted for good; in the order of their keys' texts.
    package func takeThrottles() -> [(key: BudgetKey, amount: Int)] {
        let new = throttles.compactMap { key, amount in
            amount > told[key] ?? 0 ? (key: key, amount: amount - (told[key] ?? 0)) : nil
        }
        told = throttles
        return new.sorted { $0.key.description < $1.key.description }
    }

    package func succeeded(_ key: BudgetKey) { buckets[key]?.succeeded() }

    private var now: Duration { beginning.duration(to: clock.now) }
}
