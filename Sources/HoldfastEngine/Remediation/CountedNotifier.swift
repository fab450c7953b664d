package import HoldfastCore

/// Counts what became of prompts, by the way that they went.
package actor PromptTally {
    private var counts: [String: (delivered: Int, failed: Int)] = [:]

    /// - Parameter names: of all ways: one that was never taken counts nothing.
    package init(_ names: [String]) {
        for name in names { counts[name] = (0, 0) }
    }

    func count(_ name: String, delivered: Bool) {
        if delivered { counts[name, default: (0, 0)].delivered += 1 } else { counts[name, default: (0, 0)].failed += 1 }
    }

    /// In the order of the names; outcomes are `delivered` and `failed`.
    package var all: [(channel: String, outcome: String, count: Int)] {
        counts.sorted { $0.key < $1.key }.flatMap { name, count in
            [(name, "delivered", count.delivered), (name, "failed", count.failed)]
        }
    }
}

/// A way to tell people that is counted.
package struct CountedNotifier: Notifier {
    private let inner: any Notifier
    private let tally: PromptTally

    package init(_ inner: any Notifier, tally: PromptTally) {
        self.inner = inner
        self.tally = tally
    }

    package var name: String { inner.name }

    package func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        do throws(DeliveryError) {
            try await inner.deliver(prompt)
            await tally.count(name, delivered: true)
        } catch {
            await tally.count(name, delivered: false)
            throw error
        }
    }
}
