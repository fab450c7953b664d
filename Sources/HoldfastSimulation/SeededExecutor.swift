internal import Synchronization

/// Runs every job on the thread that calls ``drain()``, in an order picked by the seed: all actors and tasks of a
/// simulated service run here, and a run repeats exactly.
final class SeededExecutor: TaskExecutor {
    private struct State {
        var ready: [UnownedJob] = []
        var random: SeededRandom
        var jobs = 0
    }
    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed))) }

    /// Jobs run so far.
    var jobs: Int { state.withLock { $0.jobs } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.ready.append(job) }
    }

    /// Runs jobs until none is ready.
    func drain() {
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.ready.isEmpty else { return nil }
            state.jobs += 1
            let index = Int.random(in: 0..<state.ready.count, using: &state.random)
            return state.ready.remove(at: index)
        }
    }
}
