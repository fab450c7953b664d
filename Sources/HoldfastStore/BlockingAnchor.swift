internal import Foundation
internal import HoldfastEngine
internal import Synchronization

/// An anchor whose calls block: each runs on a thread of its own and is waited for until the deadline. One that hangs
/// keeps its thread, and until it is back no other is begun.
final class BlockingAnchor: Anchor {
    let name: String
    private let body: @Sendable (AuditCheckpoint) throws(AnchorError) -> Void
    private let deadline: Duration
    private let isBusy = Mutex(false)

    init(
        name: String, deadline: Duration = AnchorError.deadline,
        _ body: @escaping @Sendable (AuditCheckpoint) throws(AnchorError) -> Void
    ) {
        self.name = name
        self.deadline = deadline
        self.body = body
    }

    func put(_ checkpoint: AuditCheckpoint) async throws(AnchorError) {
        let wasBusy = isBusy.withLock { busy in
            defer { busy = true }
            return busy
        }
        guard !wasBusy else {
            throw AnchorError("the attempt before has not come back yet; is its disk or host there?")
        }
        let wait = Wait()
        Thread.detachNewThread { [self] in
            do throws(AnchorError) {
                try body(checkpoint)
                isBusy.withLock { $0 = false }
                wait.end(nil)
            } catch {
                isBusy.withLock { $0 = false }
                wait.end(error)
            }
        }
        let late = AnchorError("no answer within \(deadline); is its disk or host there?")
        let failure = await withTaskGroup(of: Void.self) { group in
            group.addTask { [deadline] in
                if (try? await Task.sleep(for: deadline)) != nil { wait.end(late) }
            }
            defer { group.cancelAll() }
            return await wait.outcome
        }
        if let failure { throw failure }
    }

    /// The end of one call: the first that is told counts.
    private final class Wait: Sendable {
        private struct State {
            var outcome: AnchorError??
            var waiting: CheckedContinuation<AnchorError?, Never>?
        }
        private let state = Mutex(State())

        func end(_ outcome: AnchorError?) {
            let waiting = state.withLock { state -> CheckedContinuation<AnchorError?, Never>? in
                guard state.outcome == nil else { return nil }
                state.outcome = .some(outcome)
                return state.waiting
            }
            waiting?.resume(returning: outcome)
        }

        var outcome: AnchorError? {
            get async {
                await withCheckedContinuation { continuation in
                    let known = state.withLock { state -> AnchorError?? in
                        if state.outcome == nil { state.waiting = continuation }
                        return state.outcome
                    }
                    if let known { continuation.resume(returning: known) }
                }
            }
        }
    }
}
