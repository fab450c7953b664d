internal import HoldfastHTTP

func sendWithRetries<E: Error>(
    through exchange: any HTTPExchange, isIdempotent: Bool, isThrottled: (HTTPResponse) -> Bool,
    sleep: (Duration) async throws -> Void, makeRequest: () async throws(E) -> HTTPRequest
) async throws(E) -> Result<HTTPResponse, HTTPFailure> {
    var pause = Duration.milliseconds(200)
    for attempt in 1... {
        let request = try await makeRequest()
        let outcome: Result<HTTPResponse, HTTPFailure>
        var again = false
        do throws(HTTPFailure) {
            let response = try await exchange.send(request)
            outcome = .success(response)
            again = isThrottled(response) || response.status == 503 || (response.status >= 500 && isIdempotent)
        } catch {
            outcome = .failure(error)
            if case .notSent = error { again = true }
            if case .unknownOutcome = error { again = isIdempotent }
        }
        guard again, attempt < 4 else { return outcome }
        do { try await sleep(pause) } catch { return outcome }
        pause *= 2
    }
    fatalError("the attempts are numbered without end")
}
