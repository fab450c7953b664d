internal import Synchronization

/// Whether the task that waits for a call was cancelled.
final class Cancellation: Sendable {
    private let flag = Atomic(false)
    var isCancelled: Bool { flag.load(ordering: .acquiring) }
    func cancel() { flag.store(true, ordering: .releasing) }
}

/// A request with the task that waits for its answer. It is finished exactly once: by the inbox that does not take it,
/// or by the thread that does.
final class Call: Sendable {
    let request: CheckedRequest
    let deadline: ContinuousClock.Instant
    private let cancellation: Cancellation
    private let continuation: CheckedContinuation<Result<HTTPResponse, HTTPFailure>, Never>

    init(
        _ request: CheckedRequest, deadline: ContinuousClock.Instant, cancellation: Cancellation,
        continuation: CheckedContinuation<Result<HTTPResponse, HTTPFailure>, Never>
    ) {
        self.request = request
        self.deadline = deadline
        self.cancellation = cancellation
        self.continuation = continuation
    }

    var isCancelled: Bool { cancellation.isCancelled }
    func finish(_ result: Result<HTTPResponse, HTTPFailure>) { continuation.resume(returning: result) }
}

/// What any thread hands to the client's own.
final class TransferInbox: Sendable {
    struct Arrivals {
        var calls: [Call] = []
        var hasCancellations = false
        /// When what is left is broken off; `nil` for as long as the client is open.
        var closing: ContinuousClock.Instant?
    }

    private struct State {
        var arrivals = Arrivals()
        /// Calls taken on and not finished.
        var unfinished = 0
        var hasEnded = false
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    let multi: CurlMulti
    private let limit: Int
    private let state = Mutex(State())

    init(_ options: HTTPClientOptions) {
        multi = CurlMulti(options)
        limit = options.requests
    }

    /// Takes a call on, or finishes it at once.
    func add(_ call: Call) {
        let refusal: (code: String, reason: String)? = state.withLock { state in
            guard state.arrivals.closing == nil else { return ("closed", "the client is closed") }
            guard state.unfinished < limit else { return ("queue-full", "\(limit) requests wait already") }
            state.unfinished += 1
            state.arrivals.calls.append(call)
            return nil
        }
        guard let refusal else { return multi.wake() }
        let message = "\(call.request.name): not sent: \(refusal.reason)"
        call.finish(.failure(.notSent(code: refusal.code, message: message)))
    }

    func noteCancellation() {
        state.withLock { $0.arrivals.hasCancellations = true }
        multi.wake()
    }

    /// From now on nothing is taken on.
    func close(at time: ContinuousClock.Instant) {
        state.withLock { state in
            state.arrivals.closing = min(state.arrivals.closing ?? time, time)
        }
        multi.wake()
    }

    /// Until the thread has ended.
    func end() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waitingForEnd.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    // MARK: - For the thread

    func take() -> Arrivals {
        state.withLock { state in
            defer {
                state.arrivals.calls = []
                state.arrivals.hasCancellations = false
            }
            return state.arrivals
        }
    }

    /// Finishes calls that were taken.
    func finish(_ call: Call, _ result: Result<HTTPResponse, HTTPFailure>) {
        // First, so that who has an answer has room for another request.
        state.withLock { $0.unfinished -= 1 }
        call.finish(result)
    }

    /// Ends the thread where nothing is left to do.
    func hasEnded() -> Bool {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard state.arrivals.closing != nil, state.unfinished == 0 else { return nil }
            state.hasEnded = true
            defer { state.waitingForEnd = [] }
            return state.waitingForEnd
        }
        for continuation in waiting ?? [] { continuation.resume() }
        return waiting != nil
    }
}
