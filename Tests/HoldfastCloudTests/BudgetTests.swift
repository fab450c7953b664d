import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import Testing

@Suite("Budgets")
struct BudgetTests {
    private static let limit = BudgetLimit(capacity: 1, perSecond: 2)

    /// Calls within a time, each made as soon as it may be.
    private func calls(_ bucket: inout TokenBucket, from start: Duration, for length: Duration) -> [Duration] {
        var now = start
        var made: [Duration] = []
        while now < start + length {
            let wait = bucket.take(at: now)
            if wait == .zero { made.append(now) } else { now += wait }
        }
        return made
    }

    private func expect(_ wait: Duration, _ wanted: Duration, _ place: SourceLocation = #_sourceLocation) {
        #expect(wait == wanted, sourceLocation: place)
    }

    @Test("Two a second are two a second, however the seconds are cut")
    func rate() {
        var bucket = TokenBucket(Self.limit, at: .zero)
        let made = calls(&bucket, from: .zero, for: .seconds(60))
        #expect(made.count == 120)
        for (index, first) in made.enumerated() {
            #expect(made[index...].prefix { $0 < first + .seconds(1) }.count <= 2)
        }
    }

    @Test("After a rest the capacity may be spent at once, and no more")
    func capacity() {
        var bucket = TokenBucket(BudgetLimit(capacity: 100, perSecond: 20), at: .zero)
        let made = calls(&bucket, from: .seconds(3600), for: .milliseconds(1))
        #expect(made.count == 100)
        expect(bucket.take(at: .seconds(3600)), .milliseconds(50))
    }

    @Test("Throttling halves the rate, once for calls that were under way together, and never stops all")
    func throttling() {
        var bucket = TokenBucket(Self.limit, at: .zero)
        bucket.throttled(at: .seconds(1))
        bucket.throttled(at: .milliseconds(1100))
        #expect(bucket.rate == 1)
        for second in 2..<100 { bucket.throttled(at: .seconds(second)) }
        #expect(bucket.rate == 2.0 / 32)
        #expect(calls(&bucket, from: .seconds(100), for: .seconds(64)).count >= 3)
    }

    @Test("Calls that go through bring the rate back to the limit and not beyond")
    func recovery() {
        var bucket = TokenBucket(Self.limit, at: .zero)
        for second in 1...5 { bucket.throttled(at: .seconds(second)) }
        for _ in 0..<100 { bucket.succeeded() }
        #expect(bucket.rate == 2)
    }

    @Test("A provider that says how long is left alone for that long, at most a quarter of an hour")
    func retryAfter() {
        var bucket = TokenBucket(Self.limit, at: .zero)
        bucket.throttled(at: .zero, retryAfter: .seconds(30))
        expect(bucket.take(at: .seconds(29)), .seconds(1))
        expect(bucket.take(at: .seconds(30)), .zero)
        bucket.throttled(at: .seconds(31), retryAfter: .seconds(86_400))
        expect(bucket.take(at: .seconds(31)), .seconds(900))
    }

    @Test("A limit that others spend too is found out: few calls are throttled and most of what is left is used")
    func sharedLimit() {
        var bucket = TokenBucket(BudgetLimit(capacity: 20, perSecond: 20), at: .zero)
        var now = Duration.zero
        var served = 0
        var throttled = 0
        // The provider lets 8 a second through.
        var provider = TokenBucket(BudgetLimit(capacity: 8, perSecond: 8), at: .zero)
        while now < .seconds(600) {
            let wait = bucket.take(at: now)
            guard wait == .zero else {
                now += wait
                continue
            }
            if provider.take(at: now) == .zero {
                served += 1
                bucket.succeeded()
            } else {
                throttled += 1
                bucket.throttled(at: now)
            }
        }
        #expect(served > 600 * 8 * 6 / 10, "\(served) served")
        #expect(throttled < served / 3, "\(throttled) throttled of \(served)")
    }

    @Test("Callers of one key share its budget, and those of another do not wait for it")
    func sharing() async throws {
        let clock = PassingClock(time("2026-11-22T12:00:00Z"))
        let budgets = Budgets(clock: clock)
        let key = BudgetKey(cloud: .aws, account: "012345670123", region: "eu-west-1", family: "x")
        var other = key
        other.region = "us-east-1"
        for _ in 0..<5 { try await budgets.spend(key, Self.limit) }
        #expect(clock.now.offset == .seconds(2))
        try await budgets.spend(other, Self.limit)
        #expect(clock.now.offset == .seconds(2))
        await budgets.throttled(key)
        #expect(await budgets.throttles == [key: 1])
    }

    @Test("A caller that is cancelled while it waits stops waiting")
    func cancelled() async throws {
        let budgets = Budgets(clock: PassingClock(time("2026-11-22T12:00:00Z")))
        let key = BudgetKey(cloud: .aws, account: "1", family: "x")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            for _ in 0..<2 { try await budgets.spend(key, Self.limit) }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
