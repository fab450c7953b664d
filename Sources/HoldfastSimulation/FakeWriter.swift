internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// Makes calls in the fake cloud, and everything that can go wrong with one does.
struct FakeWriter: ChangeWriter {
    let cloud: FakeCloud
    let clock: VirtualClock
    let faults: FaultPlan
    let courier: Courier
    let ledger: Ledger
    let catalog: Catalog

    func apply(_ permit: consuming Permit) async -> WriteOutcome {
        // It waits its turn, sometimes for longer than it may.
        await wait(faults.fires(.writeQueued) ? faults.number(15_000...30_000) : faults.number(1...60))
        if Task.isCancelled { return .unknown(message: "the process is gone") }
        guard clock.wallTime() < permit.expires else {
            return .refused(code: "expired", message: "the permit has ended", retryAfter: Span(seconds: 1))
        }
        if faults.fires(.meddler), let resource = ledger.resource(of: permit.run) {
            if let change = cloud.meddle(resource) { courier.take(change) }
        }
        let requestID = "own-\(permit.run)-\(permit.step)-\(permit.attempt)-\(faults.number(0...1_000_000))"
        let known = Known(
            run: permit.run, step: permit.step, attempt: permit.attempt, call: permit.call, context: permit.context)
        return await send(known, requestID)
    }

    /// What of a permit is told on.
    private struct Known {
        var run: String
        var step: Int
        var attempt: Int
        var call: PlannedCall
        var context: ResourceContext
    }

    private func send(_ permit: Known, _ requestID: String) async -> WriteOutcome {
        func note(reaches: Bool) {
            ledger.sent(
                run: permit.run, step: permit.step, attempt: permit.attempt, call: permit.call, requestID: requestID,
                reaches: reaches)
        }
        if faults.fires(.writeThrottled) {
            note(reaches: false)
            await wait(50)
            return .refused(code: "Throttling", message: "rate exceeded", retryAfter: Span(seconds: 2))
        }
        if faults.fires(.writeDenied) {
            note(reaches: false)
            await wait(50)
            return .refused(code: "AccessDenied", message: "not allowed", retryAfter: nil)
        }
        if faults.fires(.writeLost) {
            note(reaches: false)
            await wait(faults.number(1_000...10_000))
            return .unknown(message: "no answer")
        }
        note(reaches: true)
        let isLong = faults.fires(.writeAccepted)
        let effect = isLong ? faults.number(3_000...45_000) : faults.number(5...1_500)
        cloud.with { state, now in
            state.underWay.append(
                Sent(
                    call: permit.call, context: permit.context, requestID: requestID,
                    due: now + Span(nanoseconds: Int64(effect) * 1_000_000), token: requestID))
        }
        let operation = AcceptedOperation(token: .string(requestID), askAfter: Span(seconds: 2))
        if isLong {
            await wait(100)
            return .accepted(operation, requestID: requestID)
        }
        await wait(effect + 1)
        if faults.fires(.writeTimedOut) {
            await wait(faults.number(1_000...12_000))
            return .unknown(message: "timed out")
        }
        if faults.fires(.writeSlow) { await wait(faults.number(21_000...40_000)) }
        return answer(operation, catalog.call(permit.call.name)?.alreadyDone ?? [])
    }

    func poll(_ operation: AcceptedOperation, context: ResourceContext) async -> WriteOutcome {
        await wait(faults.number(10...200))
        return answer(operation, catalog.calls.values.flatMap(\.alreadyDone))
    }

    private func answer(_ operation: AcceptedOperation, _ alreadyDone: [String]) -> WriteOutcome {
        let token = operation.token.string ?? ""
        switch cloud.with({ state, _ in state.operations[token] }) {
        case nil: return .accepted(operation, requestID: token)
        case .done(let requestID): return .done(answer: .null, requestID: requestID)
        case .error(let code) where alreadyDone.contains(code): return .alreadyDone(code: code)
        case .error(let code): return .refused(code: code, message: "the cloud refused", retryAfter: nil)
        }
    }

    private func wait(_ milliseconds: Int) async { try? await clock.sleep(for: .milliseconds(milliseconds)) }
}
