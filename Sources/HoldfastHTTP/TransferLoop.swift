internal import CCurl

/// What the client's thread does: gives requests to libcurl as far as there are connections for them, and hands out
/// what comes of them.
final class TransferLoop {
    private let options: HTTPClientOptions
    private let inbox: TransferInbox
    private var queue: TransferQueue<Call>
    /// By libcurl's handle.
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]
    /// No call's deadline is before this.
    private var nextDeadline: ContinuousClock.Instant?
    private var closing: ContinuousClock.Instant?

    /// With nothing to wait for; the inbox wakes the thread.
    private static let idleWait = Duration.seconds(60)

    init(_ options: HTTPClientOptions, _ inbox: TransferInbox) {
        self.options = options
        self.inbox = inbox
        queue = TransferQueue(
            connectionsPerHost: options.connectionsPerHost, streamsPerHost: options.streamsPerHost,
            connections: options.connections)
    }

    /// Until the client is closed and nothing is left.
    func run() {
        while true {
            takeArrivals()
            endOverdue(at: .now)
            inbox.multi.perform()
            collect()
            start()
            if inbox.hasEnded() { return }
            let next = [nextDeadline, closing].compactMap { $0 }.min()
            let wait = next.map { $0 - .now } ?? Self.idleWait
            inbox.multi.wait(min(max(wait, .zero), Self.idleWait))
        }
    }

    private func takeArrivals() {
        let arrivals = inbox.take()
        closing = arrivals.closing
        for call in arrivals.calls {
            queue.add(call, origin: call.request.target.origin)
            nextDeadline = min(nextDeadline ?? call.deadline, call.deadline)
        }
        // A call may have been cancelled before it came here.
        if arrivals.hasCancellations || arrivals.calls.contains(where: \.isCancelled) {
            end(.cancelled) { $0.isCancelled }
        }
    }

    private func start() {
        while let call = queue.next() {
            do {
                let transfer = try Transfer(call, options)
                active[transfer.easy.pointer] = transfer
                inbox.multi.add(transfer)
            } catch {
                queue.ended(origin: call.request.target.origin, isHTTP2: nil)
                let message = "\(call.request.name): not sent: libcurl does not take it: \(error.text)"
                inbox.finish(call, .failure(.notSent(code: "invalid-request", message: message)))
            }
        }
    }

    private func collect() {
        while let (handle, code) = inbox.multi.nextEnded() {
            guard let transfer = active[handle] else { continue }
            finish(transfer, code == CURLE_OK ? .success(transfer.answer()) : .failure(transfer.failure(code)))
        }
    }

    private func finish(_ transfer: Transfer, _ result: Result<HTTPResponse, HTTPFailure>) {
        active[transfer.easy.pointer] = nil
        inbox.multi.remove(transfer)
        queue.ended(origin: transfer.call.request.target.origin, isHTTP2: transfer.isHTTP2)
        inbox.finish(transfer.call, result)
    }

    // MARK: - Ends before the answer

    private func endOverdue(at now: ContinuousClock.Instant) {
        if let closing, closing <= now { end(.closing) { _ in true } }
        guard let nextDeadline, nextDeadline <= now else { return }
        self.nextDeadline = nil
        var rest: ContinuousClock.Instant?
        end(.deadline) { call in
            if call.deadline > now { rest = min(rest ?? call.deadline, call.deadline) }
            return call.deadline <= now
        }
        self.nextDeadline = rest
    }

    private func end(_ reason: EndReason, where isDone: (Call) -> Bool) {
        for call in queue.remove(where: isDone) {
            inbox.finish(call, .failure(call.failureBeforeSending(reason, doing: "waiting for a connection")))
        }
        for transfer in active.values where isDone(transfer.call) {
            finish(transfer, .failure(transfer.failure(reason)))
        }
    }
}
