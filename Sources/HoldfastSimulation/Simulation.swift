internal import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON
internal import HoldfastStore
internal import Synchronization

/// One seed's run: the real engine on a real journal in memory, in a world that a seed makes.
package struct Simulation: Sendable {
    private let policy: Policy
    private let sabotage: Sabotage?
    private let keepsTrace: Bool
    /// Changes that somebody makes in one run.
    private static let changes = 34

    package init(policy: Policy, sabotage: Sabotage? = nil, keepsTrace: Bool = false) {
        self.keepsTrace = keepsTrace
        self.policy = policy
        self.sabotage = sabotage
    }

    /// What a run did and what did not hold.
    package struct Result: Sendable {
        package var seed: UInt64
        package var violations: [Violation]
        package var judged: [Checker: Int]
        package var fired: [Fault: Int]
        /// Digest of everything that was committed, in order.
        package var traceHash: String
        /// What happened, line by line, where it was asked for.
        package var trace: [String] = []
        package var jobs: Int
    }

    /// Runs a seed to its end. The same seed gives the same result, bit by bit, with one commit and one toolchain.
    package func run(seed: UInt64) -> Result {
        let executor = SeededExecutor(seed: seed)
        let clock = VirtualClock(start: Setup.start)
        let finished = Mutex<Result?>(nil)
        let world = World(
            policy: policy, sabotage: sabotage, seed: seed, clock: clock, executor: executor, keepsTrace: keepsTrace)
        let task = Task(executorPreference: executor) {
            let result = await world.run(changes: Simulation.changes)
            finished.withLock { $0 = result }
        }
        repeat { executor.drain() } while finished.withLock({ $0 == nil }) && clock.advance()
        executor.drain()
        task.cancel()
        return finished.withLock { $0 }
            ?? Result(
                seed: seed, violations: [Violation(checker: .converges, what: "the run never ended")], judged: [:],
                fired: [:], traceHash: "", jobs: executor.jobs)
    }
}
