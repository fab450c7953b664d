package import HoldfastCore
package import HoldfastEngine
package import HoldfastHTTP
package import HoldfastJSON

/// Makes the calls that the catalog describes: writes the request, has it authorised, sends it, and reads what comes.
///
/// A read is sent again after what may pass, a write only where the catalog calls it idempotent or nothing was done.
/// Each attempt is authorised anew, so that none carries a stale time or token.
package struct WireSender<C: HoldfastClock>: CallSender {
    private let catalog: Catalog
    private let http: any HTTPExchange
    private let authority: any RequestAuthority
    private let endpoints: Endpoints
    private let clock: C
    private let newToken: @Sendable () -> String
    private let slowDown: @Sendable (CloudCall, CallScope, Duration?) async -> Void
    private let retries: RetryPolicy

    /// - Parameters:
    ///   - retries: of one call; a sender of writes makes one attempt, for each needs a permit of its own.
    ///   - slowDown: told of each answer that it was too much and after which the call is made again, with the time to
    ///     stay away where the answer says it. The last one is what the call ends with.
    ///   - newToken: gives a text that is new each time, for the tokens that make a request sent twice count once;
    ///     asked once for a call, whatever its attempts.
    package init(
        catalog: Catalog, http: any HTTPExchange, authority: any RequestAuthority, endpoints: Endpoints = Endpoints(),
        clock: C, retries: RetryPolicy = RetryPolicy(),
        slowDown: @escaping @Sendable (CloudCall, CallScope, Duration?) async -> Void = { _, _, _ in },
        newToken: @escaping @Sendable () -> String
    ) {
        self.catalog = catalog
        self.http = http
        self.authority = authority
        self.endpoints = endpoints
        self.clock = clock
        self.slowDown = slowDown
        self.newToken = newToken
        self.retries = retries
    }

    package func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        let prepared = try prepare(call, parameters, scope)
        let (outcome, began) = try await send(prepared)
        // A bucket of another region: S3 says which, and the call is made once more there.
        guard let region = prepared.movedTo(by: outcome) else { return try answer(outcome, to: prepared, began: began) }
        var there = scope
        there.region = region
        let again = try prepare(call, parameters, there)
        let (second, secondBegan) = try await send(again)
        return try answer(second, to: again, began: secondBegan)
    }

    /// The request of a call as it is before anyone has authorised it, and what an authority must know of it; for tests
    /// and for showing.
    package func request(
        of call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) throws(CallFailure) -> (request: HTTPRequest, signingName: String, scope: CallScope) {
        let prepared = try prepare(call, parameters, scope)
        return (prepared.request, prepared.signingName, prepared.scope)
    }

    // MARK: Requests

    private func prepare(
        _ call: CloudCall, _ parameters: JSONObject, _ scope: CallScope
    ) throws(CallFailure) -> PreparedCall {
        do throws(WireFault) {
            guard call.isAWS else {
                let (request, url) = try RequestLine(call: call).request(parameters, endpoints: endpoints)
                return PreparedCall(call: call, request: request.http(url), asked: scope, scope: scope)
            }
            guard let (model, operation) = catalog.wire(of: call) else {
                throw WireFault("no wire file says how it travels; run holdfast catalog prove --models DIR")
            }
            let wire = AWSWire(call: call, model: model, operation: operation)
            let request = try wire.request(parameters, token: newToken)
            let address = try endpoints.address(
                of: request, service: model.service, region: scope.region, partitions: catalog.partitions)
            var signed = scope
            signed.region = address.region
            return PreparedCall(
                call: call, request: request.http(address.url), asked: scope, scope: signed,
                signingName: address.signingName, wire: wire)
        } catch {
            throw CallFailure(
                kind: .notSent, code: "invalidParameters", message: "\(call.name) cannot be sent: \(error)")
        }
    }

    // MARK: Attempts

    /// When an attempt began.
    private struct Began {
        var instant: C.Instant
        var time: Timestamp
    }

    private func send(
        _ prepared: PreparedCall
    ) async throws(CallFailure) -> (outcome: Result<HTTPResponse, HTTPFailure>, began: Began) {
        let first = try await attempts(prepared)
        // What is refused for its date or its token was not done, and may be sent again by what that teaches.
        guard case .success(let response) = first.outcome, let refusal = prepared.refusal(response),
            await authority.learn(from: response, code: refusal.code, to: first.request, in: prepared.scope)
        else { return (first.outcome, first.began) }
        let second = try await attempts(prepared)
        return (second.outcome, second.began)
    }

    /// - Returns: with the request as it was authorised last.
    private func attempts(
        _ prepared: PreparedCall
    ) async throws(CallFailure) -> (outcome: Result<HTTPResponse, HTTPFailure>, request: HTTPRequest, began: Began) {
        var began = Began(instant: clock.now, time: clock.wallTime())
        var sent = prepared.request
        var tooMuch: HTTPResponse?
        let outcome = try await sendWithRetries(
            through: http, policy: retries, isIdempotent: prepared.mayBeDoneTwice,
            isThrottled: { answer in
                tooMuch = prepared.isThrottled(answer) ? answer : nil
                return tooMuch != nil
            }, sleep: { try await clock.sleep(for: $0) }
        ) { () throws(CallFailure) in
            if let answer = tooMuch { await slowDown(prepared.call, prepared.asked, answer.retryAfter) }
            tooMuch = nil
            sent = try await authority.authorize(
                prepared.request, signingName: prepared.signingName, in: prepared.scope)
            began = Began(instant: clock.now, time: clock.wallTime())
            return sent
        }
        return (outcome, sent, began)
    }

    // MARK: Answers

    /// When a call began, by the provider's clock. Its date has whole seconds: as long as ours may be right by it, ours
    /// is taken, which tells two calls within one second apart; else the date, less the time that the call took.
    private func started(_ date: Timestamp?, _ began: Began) -> Timestamp {
        guard let date else { return began.time }
        let (seconds, attoseconds) = began.instant.duration(to: clock.now).components
        let earliest = date - Span(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        return (earliest..<date + Span(seconds: 1)).contains(began.time) ? began.time : earliest
    }

    private func answer(
        _ outcome: Result<HTTPResponse, HTTPFailure>, to prepared: PreparedCall, began: Began
    ) throws(CallFailure) -> CallAnswer {
        let response: HTTPResponse
        switch outcome {
        case .success(let found): response = found
        case .failure(let failure): throw prepared.failure(failure)
        }
        if let failure = prepared.refusal(response) { throw failure }
        let started = started(response.headers["Date"].flatMap { Timestamp(httpDate: $0) }, began)
        do throws(WireFault) {
            return CallAnswer(
                status: response.status, headers: response.headers, body: try prepared.body(response),
                bytes: prepared.wire?.answersWithBytes == true ? response.body : [], started: started)
        } catch {
            throw CallFailure(
                kind: .unavailable, status: response.status, code: "unreadable",
                message: "\(prepared.title) answered \(response.status) with what cannot be read: \(error)")
        }
    }
}
