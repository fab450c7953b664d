internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#endif

/// The process dies at a write of the journal: the transaction is gone, and with it everything in memory.
struct SimulatedCrash: Error {}

/// Decides at which writes of the journal the process dies. What is dead writes nothing more until it is started anew.
final class CrashPlan: Sendable {
    private struct State {
        var isArmed = false
        var isDown = false
    }
    private let faults: FaultPlan
    private let trace: Trace
    private let state = Mutex(State())

    init(faults: FaultPlan, trace: Trace) {
        self.faults = faults
        self.trace = trace
    }

    func arm() { state.withLock { $0.isArmed = true } }
    func disarm() { state.withLock { $0.isArmed = false } }

    var isDown: Bool { state.withLock { $0.isDown } }
    /// - Returns: whether it was down: whatever ended the process otherwise is a fault of the service.
    func restart() -> Bool {
        state.withLock { state in
            defer { state.isDown = false }
            return state.isDown
        }
    }

    /// Called before each write of a commit.
    func pass(_ step: String) throws {
        trace.note("write \(step)")
        guard state.withLock({ $0.isArmed && !$0.isDown }), step != "part", faults.fires(.crash) else { return }
        state.withLock { $0.isDown = true }
        throw SimulatedCrash()
    }

    /// Called after each commit.
    func diesAfter() -> Bool {
        guard state.withLock({ $0.isArmed && !$0.isDown }), faults.fires(.crashAfter) else { return false }
        state.withLock { $0.isDown = true }
        return true
    }
}

/// What happened, in order, as one digest; and on how many threads.
final class Trace: Sendable {
    private struct State {
        var digest = sha256([UInt8]())
        var threads: Set<UInt> = []
        var lines: [String] = []
    }
    private let state = Mutex(State())
    /// Whether lines are kept for people beside the digest.
    private let keepsLines: Bool

    init(keepsLines: Bool) { self.keepsLines = keepsLines }

    func note(_ line: String) {
        state.withLock { state in
            if keepsLines { state.lines.append(line) }
            state.digest = sha256(state.digest.bytes + Array(line.utf8))
            state.threads.insert(UInt(pthread_self()))
        }
    }

    /// Without dictionaries, whose order is another in each process.
    func note(_ happening: Happening) {
        switch happening {
        case .batch(let source, let records, let totals):
            note("batch \(source) \(records) \(totals.events) \(totals.resourcesChanged) \(totals.evaluations)")
        case .sourceEnded(let source): note("ended \(source)")
        case .sourceFailed(let source, let error): note("failed \(source) \(error.code)")
        case .readFailed(let resource, let error): note("unread \(resource) \(error.code)")
        case .drained(let totals): note("drained \(totals.evaluations)")
        }
    }

    var hash: String { state.withLock { $0.digest.description } }
    var lines: [String] { state.withLock { $0.lines } }
    var threads: Int { state.withLock { $0.threads.count } }
}
