package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastHTTP
internal import HoldfastJSON

/// Makes the calls that change clouds, each once: no attempt follows another without a permit of its own.
package struct CloudWriter<C: HoldfastClock>: ChangeWriter {
    private let catalog: Catalog
    private let sender: BudgetedSender<C>
    private let clock: C

    /// A call that is under way longer is given up; whether it was made is then not known.
    package static var deadline: Duration { .seconds(30) }
    /// How long to wait after a refusal that may pass, where the cloud does not say.
    private static var pause: Span { Span(seconds: 2) }

    /// - Parameter sender: makes one attempt of each call.
    package init(catalog: Catalog, sender: any CallSender, budgets: Budgets<C>, clock: C) {
        self.catalog = catalog
        self.sender = BudgetedSender(sender, budgets)
        self.clock = clock
    }

    // MARK: Writing

    package func apply(_ permit: consuming Permit) async -> WriteOutcome {
        let token = CloudWriter.token("\(permit.run)\n\(permit.step)\n\(permit.call.digest)")
        return await write(permit.call, in: permit.context, before: permit.expires, token: token)
    }

    /// The same for each attempt of one call of one step, so that a cloud that knows tokens makes it once. A UUID in
    /// form: Google takes nothing else.
    static func token(_ text: String) -> String {
        var bytes = Array(sha256(text.utf8).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var rest = digits[...]
        return [8, 4, 4, 4, 12].map { count in
            defer { rest = rest.dropFirst(count) }
            return String(rest.prefix(count))
        }.joined(separator: "-")
    }

    /// Makes one call.
    ///
    /// - Parameters:
    ///   - expires: it is not sent after that.
    ///   - token: by which the cloud knows the call again.
    func write(
        _ planned: PlannedCall, in context: ResourceContext, before expires: Timestamp, token: String
    ) async -> WriteOutcome {
        guard let call = catalog.call(planned.name), call.request == planned.request else {
            return .refused(
                code: "unknown-call", message: "the catalog has no \(planned.name) as it was planned",
                retryAfter: nil)
        }
        let left = expires.since(clock.wallTime())
        guard left.nanoseconds > 0 else {
            return .refused(
                code: "permit-expired", message: "the permit for \(call.name) ended at \(expires)",
                retryAfter: Span(nanoseconds: 0))
        }
        var parameters = call.parameters(of: planned)
        if let name = catalog.tokenParameter(of: call), parameters[name] == nil { parameters[name] = .string(token) }
        var scope = CallScope(cloud: context.cloud, account: context.account, region: context.region, access: .write)
        if context.cloud == .aws { scope.sessionPolicy = call.sessionPolicy(parameters, in: context).canonicalText }
        do {
            let limit = min(Self.deadline, .nanoseconds(left.nanoseconds))
            let answer = try await send(call, parameters, in: scope, within: limit)
            return outcome(of: answer, to: call, with: parameters)
        } catch {
            return outcome(of: error, of: call, isConditional: planned.precondition.map { !$0.isNull } ?? false)
        }
    }

    /// Sends it, and breaks it off when its time is up: what was not sent by then is not sent at all.
    private func send(
        _ call: CloudCall, _ parameters: JSONObject, in scope: CallScope, within limit: Duration
    ) async throws(CallFailure) -> CallAnswer {
        let outcome = await withTaskGroup(of: Result<CallAnswer, CallFailure>?.self) { group in
            group.addTask { [sender] in
                do throws(CallFailure) {
                    return .success(try await sender.send(call, parameters: parameters, in: scope))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask { [clock] in
                try? await clock.sleep(for: limit)
                return nil
            }
            var outcome: Result<CallAnswer, CallFailure>?
            for await result in group {
                group.cancelAll()
                if let result { outcome = result }
            }
            return outcome
        }
        guard let outcome else {
            throw CallFailure(kind: .unknownOutcome, code: "timeout", message: "\(call.name) has not ended")
        }
        return try outcome.get()
    }

    private func outcome(
        of answer: CallAnswer, to call: CloudCall, with parameters: JSONObject
    ) -> WriteOutcome {
        let id = answer.requestID
        guard let operation = LongOperation(after: answer, to: call, with: parameters), let token = operation.token,
            case .ask(_, _, let wait) = operation.step
        else {
            if case .failed(let code, let message)? = LongOperation(after: answer, to: call, with: parameters)?.step {
                return .unknown(message: "\(call.name) was taken and given up: \(code): \(message)")
            }
            // What shows in the resource alone is seen when it is read.
            return .done(answer: answer.body, requestID: id)
        }
        return .accepted(AcceptedOperation(token: token, askAfter: Span(wait)), requestID: id)
    }

    private func outcome(of failure: CallFailure, of call: CloudCall, isConditional: Bool) -> WriteOutcome {
        if call.alreadyDone.contains(failure.code) { return .alreadyDone(code: failure.code) }
        let message = failure.message
        let wait = failure.retryAfter.map { Span($0) } ?? Self.pause
        let isNotApplied = call.notApplied.contains(failure.code)
        switch failure.kind {
        case .throttled:
            return .refused(code: failure.code, message: message, retryAfter: wait)
        case .notSent where failure.code != "invalidParameters", .cancelled:
            return .refused(code: failure.code, message: message, retryAfter: wait)
        case .refused where isConditional && (failure.status == 412 || (failure.status == 409 && isNotApplied)):
            return .refused(code: "precondition", message: message, retryAfter: nil)
        case .denied: return .refused(code: WriteOutcome.denied, message: message, retryAfter: nil)
        case .notSent, .refused:
            return .refused(code: failure.code, message: message, retryAfter: nil)
        case .unavailable where isNotApplied:
            return .refused(code: failure.code, message: message, retryAfter: Self.pause)
        case .unavailable, .unknownOutcome: return .unknown(message: message)
        }
    }

    // MARK: Long operations

    /// Asks how a long operation stands, as whoever began it; changes nothing.
    package func poll(_ operation: AcceptedOperation, context: ResourceContext) async -> WriteOutcome {
        guard var asked = LongOperation(token: operation.token, catalog: catalog),
            case .ask(let call, let parameters, _) = asked.step
        else { return .unknown(message: "the journal's record of an operation is of none of the catalog's calls") }
        let scope = CallScope(cloud: context.cloud, account: context.account, region: context.region, access: .write)
        do {
            asked.take(.success(try await send(call, parameters, in: scope, within: Self.deadline)))
        } catch {
            asked.take(.failure(error))
        }
        switch asked.step {
        case .ask(_, _, let wait):
            return .accepted(
                AcceptedOperation(token: asked.token ?? operation.token, askAfter: Span(wait)), requestID: "")
        case .done, .watch: return .done(answer: .null, requestID: "")
        case .failed(let code, let message):
            return .unknown(message: "\(call.name) was taken and given up: \(code): \(message)")
        }
    }
}

extension CallAnswer {
    /// By which the cloud's own event of the call is known again: AWS's request, Azure's correlation, Google's
    /// operation; empty where there is none.
    fileprivate var requestID: String {
        for name in ["x-amzn-RequestId", "x-amz-request-id", "x-ms-correlation-request-id", "x-ms-request-id"] {
            if let id = headers[name] { return id }
        }
        return body["kind"]?.string?.hasSuffix("#operation") == true ? body["name"]?.string ?? "" : ""
    }
}
