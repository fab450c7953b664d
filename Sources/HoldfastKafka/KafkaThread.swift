internal import Foundation

/// A thread of its own for calls that block, as an executor: librdkafka's polls must not hold up the threads that the
/// rest of the program runs on. It ends when nobody has it any more.
final class KafkaThread: SerialExecutor {
    private let jobs = Jobs()

    init(name: String) {
        let jobs = jobs
        let thread = Thread { jobs.run() }
        thread.name = name
        thread.start()
    }

    deinit { jobs.end() }

    func enqueue(_ job: consuming ExecutorJob) { jobs.add(UnownedJob(job), of: self) }

    /// The queue between the threads; it outlives the executor by the end of its last job.
    private final class Jobs: @unchecked Sendable {  // every member is read and written under the condition's lock
        private let condition = NSCondition()
        private var waiting: [(job: UnownedJob, executor: KafkaThread)] = []
        private var hasEnded = false

        func add(_ job: UnownedJob, of executor: KafkaThread) {
            condition.withLock {
                waiting.append((job, executor))
                condition.signal()
            }
        }

        func end() {
            condition.withLock {
                hasEnded = true
                condition.signal()
            }
        }

        func run() {
            while let batch = next() {
                // The entry keeps the executor until its job is done, even where the job lets its actor go.
                for entry in batch { entry.job.runSynchronously(on: entry.executor.asUnownedSerialExecutor()) }
            }
        }

        private func next() -> [(job: UnownedJob, executor: KafkaThread)]? {
            condition.withLock {
                while waiting.isEmpty, !hasEnded { condition.wait() }
                defer { waiting = [] }
                return waiting.isEmpty ? nil : waiting
            }
        }
    }
}
