internal import HoldfastCore

/// Tells people of plans that wait, until somebody was reached: by each way at once, again and again with waits that
/// double. What reaches nobody is a notice; it never counts as an approval. A lane of its own, so that a way that does
/// not answer holds up nothing else.
package actor PromptLane<C: HoldfastClock> {
    private let keeper: Keeper
    private let notifiers: [any Notifier]
    private let clock: C
    private var pace = PromptPace()
    private var outcomes: [Outcome: Int] = [:]

    private struct Outcome: Hashable {
        var channel: String
        var delivered: Bool
    }

    /// Prompts that are under way at one time.
    static var atOnce: Int { 8 }

    package init(keeper: Keeper, notifiers: [any Notifier], clock: C) {
        self.keeper = keeper
        self.notifiers = notifiers
        self.clock = clock
    }

    /// Deliveries since the start, by way and what became of them: `delivered`, `failed`.
    package var counts: [(channel: String, outcome: String, count: Int)] {
        notifiers.flatMap { notifier in
            [true, false].map { delivered in
                (
                    notifier.name, delivered ? "delivered" : "failed",
                    outcomes[Outcome(channel: notifier.name, delivered: delivered)] ?? 0
                )
            }
        }
    }

    /// Until the task is cancelled.
    ///
    /// - Throws: ``JournalError`` where the journal fails.
    package func run() async throws {
        while !Task.isCancelled {
            try await round()
            guard (try? await clock.sleep(for: .seconds(1))) != nil else { return }
        }
    }

    /// Tells of everything that is due now.
    package func round() async throws(JournalError) {
        guard !notifiers.isEmpty else { return }
        let waiting = try await keeper.prompts()
        pace.keep(waiting.map(PromptPace.Key.init))
        let due = waiting.filter { pace.isDue(.init($0), at: clock.wallTime()) }
        for start in stride(from: 0, to: due.count, by: Self.atOnce) {
            for (ask, failures) in await deliver(Array(due[start..<min(start + Self.atOnce, due.count)])) {
                try await note(ask, failures)
            }
        }
    }

    /// - Returns: each with what went wrong, by way; `nil` for a way that reached somebody.
    private func deliver(_ asks: [Ask]) async -> [(Ask, [(channel: String, why: String?)])] {
        let notifiers = notifiers
        return await withTaskGroup(of: (Int, [(channel: String, why: String?)]).self) { group in
            for (index, ask) in asks.enumerated() {
                group.addTask {
                    var results: [(channel: String, why: String?)] = []
                    for notifier in notifiers {
                        do throws(DeliveryError) {
                            try await notifier.deliver(ask.prompt)
                            results.append((notifier.name, nil))
                        } catch {
                            results.append((notifier.name, error.message))
                        }
                    }
                    return (index, results)
                }
            }
            var found: [(Int, [(channel: String, why: String?)])] = []
            for await result in group { found.append(result) }
            return found.sorted { $0.0 < $1.0 }.map { (asks[$0.0], $0.1) }
        }
    }

    private func note(_ ask: Ask, _ results: [(channel: String, why: String?)]) async throws(JournalError) {
        for result in results {
            outcomes[Outcome(channel: result.channel, delivered: result.why == nil), default: 0] += 1
        }
        let now = clock.wallTime()
        if let reached = results.first(where: { $0.why == nil }) {
            pace.end(.init(ask))
            return try await keeper.delivered(ask, by: reached.channel, now: now)
        }
        pace.fail(.init(ask), at: now)
        let why = results.map { "\($0.channel): \($0.why ?? "")" }.joined(separator: "; ")
        try await keeper.undelivered(ask, "nobody could be told of the plan \(ask.digest.prefix(12)): \(why)", now: now)
    }
}

/// When a prompt that reached nobody is tried again.
struct PromptPace: Sendable {
    /// One asking of one plan.
    struct Key: Sendable, Hashable {
        var digest: String
        var level: Int
        init(_ ask: Ask) {
            digest = ask.digest
            level = ask.level
        }
    }
    private var failures: [Key: (count: Int, next: Timestamp)] = [:]

    static let first = Span(seconds: 5)
    static let longest = Span(seconds: 300)

    func isDue(_ key: Key, at now: Timestamp) -> Bool { failures[key].map { $0.next <= now } ?? true }

    mutating func fail(_ key: Key, at now: Timestamp) {
        let count = (failures[key]?.count ?? 0) + 1
        let wait = min(Self.first.nanoseconds << Int64(min(count - 1, 10)), Self.longest.nanoseconds)
        failures[key] = (count, now + Span(nanoseconds: wait))
    }

    mutating func end(_ key: Key) { failures[key] = nil }

    /// Forgets what no longer waits.
    mutating func keep(_ waiting: [Key]) {
        let waiting = Set(waiting)
        failures = failures.filter { waiting.contains($0.key) }
    }
}
