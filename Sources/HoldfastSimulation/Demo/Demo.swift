package import HoldfastCore
package import HoldfastEngine
internal import Synchronization

/// What a demo is shown on, and who answers it.
package protocol DemoStage: Sendable {
    /// Text of one line or several; lines may be longer than the stage is wide.
    func show(_ text: String)
    /// A plan that waits for the person who watches.
    ///
    /// - Parameter plan: the plan for people.
    func show(_ prompt: Prompt, plan: String)
    /// So much time passes in the demo.
    func pass(_ time: Swift.Duration)
    /// Waits for one of these keys; without a person the first is taken.
    ///
    /// - Returns: `nil` where the person wants to leave.
    func ask(_ question: String, keys: [Character]) -> Character?
}

/// Ninety seconds with the real engine on a real journal in memory, in a cloud that is made up.
///
/// Time is virtual, so that nothing passes while a person reads and nothing depends on the machine; the stage may let
/// it pass as it does on the wall.
package struct Demo: Sendable {
    private let policy: Policy
    private let start: Timestamp

    /// - Parameters:
    ///   - policy: the data files; what else is configured does not count.
    ///   - start: the demo's time when it begins.
    package init(policy: Policy, start: Timestamp) {
        self.policy = policy
        self.start = start
    }

    /// Something that the demo waited for did not come about.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Runs to its end, or until the person leaves.
    ///
    /// - Throws: ``Failure`` where the engine did not do what a demo is there to show.
    package func run(on stage: any DemoStage) throws {
        let executor = SeededExecutor(seed: 1)
        let clock = VirtualClock(start: start)
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        let task = Task(executorPreference: executor) {
            do {
                try await DemoWorld(policy: policy, clock: clock, stage: stage).run()
                outcome.withLock { $0 = .success(()) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        executor.drain()
        while outcome.withLock({ $0 == nil }), let wait = clock.untilNext {
            stage.pass(wait)
            _ = clock.advance()
            executor.drain()
        }
        task.cancel()
        guard let result = outcome.withLock({ $0 }) else { throw Failure(description: "the demo came to a standstill") }
        do { try result.get() } catch is DemoWorld.Left {}
    }
}
