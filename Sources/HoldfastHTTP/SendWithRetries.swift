/// Sends a request until it is answered for good or given up, and gives the last answer, or what is known of a failure.
///
/// - Parameters:
///   - isIdempotent: whether the request may be acted on twice.
///   - isThrottled: whether an answer says "too often" in words of its own.
///   - sleep: waits, or throws where the task is cancelled; then the last outcome stands.
///   - makeRequest: called for each attempt, so that each is signed with a time of its own. Its deadline is shortened
///     to what is left of the policy's total time.
/// - Throws: what `makeRequest` throws.
package func sendWithRetries<E: Error>(
    through exchange: any HTTPExchange, policy: RetryPolicy = RetryPolicy(), isIdempotent: Bool,
    isThrottled: (HTTPResponse) -> Bool = { _ in false },
    jitter: () -> Double = { .random(in: 0..<1) },
    sleep: (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    makeRequest: () async throws(E) -> HTTPRequest
) async throws(E) -> Result<HTTPResponse, HTTPFailure> {
    var retries = Retries(policy)
    while true {
        let began = ContinuousClock.now
        var request = try await makeRequest()
        request.deadline = min(request.deadline, retries.rest - (ContinuousClock.now - began))
        let outcome: Retries.Outcome
        do throws(HTTPFailure) { outcome = .success(try await exchange.send(request)) } catch {
            outcome = .failure(error)
        }
        let throttled = if case .success(let answer) = outcome { isThrottled(answer) } else { false }
        let decision = retries.next(
            after: outcome, took: ContinuousClock.now - began, isIdempotent: isIdempotent, isThrottled: throttled,
            jitter: jitter())
        guard case .wait(let time) = decision else { return retries.verdict(outcome) }
        do { try await sleep(time) } catch { return retries.verdict(outcome) }
    }
}
