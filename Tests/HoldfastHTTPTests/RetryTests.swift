import Foundation
import HoldfastHTTP
import Synchronization
import Testing

private func answer(_ status: Int, _ headers: KeyValuePairs<String, String> = [:]) -> Retries.Outcome {
    .success(HTTPResponse(status: status, headers: HTTPHeaders(headers)))
}
private let unsent = Retries.Outcome.failure(.notSent(code: "no-connection", message: "not sent"))
private let lost = Retries.Outcome.failure(.unknownOutcome(code: "timeout", message: "lost"))

extension Retries.Decision {
    fileprivate var isAgain: Bool { self != .giveUp }
}

@Suite("Retries")
struct RetryTests {
    private func first(
        _ outcome: Retries.Outcome, isIdempotent: Bool = true, isThrottled: Bool = false, jitter: Double = 0.5,
        _ policy: RetryPolicy = RetryPolicy()
    ) -> Retries.Decision {
        var retries = Retries(policy)
        return retries.next(
            after: outcome, took: .zero, isIdempotent: isIdempotent, isThrottled: isThrottled, jitter: jitter)
    }

    @Test("What was not acted on is tried again, whatever the request", arguments: [true, false])
    func refused(isIdempotent: Bool) {
        for outcome in [answer(429), answer(503), unsent] {
            #expect(first(outcome, isIdempotent: isIdempotent).isAgain)
        }
        #expect(first(answer(400), isIdempotent: isIdempotent, isThrottled: true).isAgain)
    }

    @Test("What may have been acted on is tried again only where it may be acted on twice")
    func doubtful() {
        for outcome in [answer(500), answer(502), answer(504), lost] {
            #expect(first(outcome, isIdempotent: true).isAgain)
            #expect(first(outcome, isIdempotent: false) == .giveUp)
        }
    }

    @Test("What would end alike is not tried again")
    func hopeless() {
        for status in [200, 204, 302, 400, 403, 404, 409, 412, 501, 505] { #expect(first(answer(status)) == .giveUp) }
        for code in ["invalid-request", "plain-http", "closed", "certificate"] {
            #expect(first(.failure(.notSent(code: code, message: ""))) == .giveUp)
        }
        for code in ["cancelled", "closed", "body-too-large", "header-too-large"] {
            #expect(first(.failure(.unknownOutcome(code: code, message: ""))) == .giveUp)
        }
        #expect(first(.failure(.cancelled)) == .giveUp)
    }

    @Test("Waits double up to the cap, and are a random part of that")
    func backoff() {
        let policy = RetryPolicy(attempts: 8, base: .milliseconds(100), cap: .milliseconds(1000), total: .seconds(60))
        for jitter in [0.0, 0.25, 1.0] {
            var retries = Retries(policy)
            let waits = (1...8).map { _ in retries.next(after: unsent, took: .zero, isIdempotent: false, jitter: jitter)
            }
            let longest = [100, 200, 400, 800, 1000, 1000, 1000]
            #expect(waits == longest.map { .wait(.milliseconds($0) * jitter) } + [.giveUp])
        }
    }

    @Test("It ends when the attempts or the time are used up")
    func bounds() {
        var retries = Retries(RetryPolicy(attempts: 3, base: .seconds(1), cap: .seconds(1), total: .seconds(100)))
        let decisions = (1...3).map { _ in
            retries.next(after: unsent, took: .zero, isIdempotent: true, jitter: 1).isAgain
        }
        #expect(decisions == [true, true, false])
        retries = Retries(RetryPolicy(attempts: 100, base: .seconds(1), cap: .seconds(1), total: .seconds(10)))
        // Four seconds an attempt, one a wait: the second ends at nine, and the third would begin at ten.
        #expect(retries.next(after: unsent, took: .seconds(4), isIdempotent: true, jitter: 1) == .wait(.seconds(1)))
        #expect(retries.rest == .seconds(5))
        #expect(retries.next(after: unsent, took: .seconds(4), isIdempotent: true, jitter: 1) == .giveUp)
        #expect(first(unsent, RetryPolicy(attempts: 1)) == .giveUp)
    }

    @Test("Retry-After is waited for, in seconds and as a date by the server's own clock", arguments: [429, 503, 500])
    func retryAfter(status: Int) {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        #expect(first(answer(status, ["Retry-After": "7"]), jitter: 0) == .wait(.seconds(7)))
        for until in [
            "Sun, 06 Nov 1994 08:49:44 GMT", "Sunday, 06-Nov-94 08:49:44 GMT", "Sun Nov  6 08:49:44 1994",
        ] {
            let outcome = answer(status, ["Date": date, "Retry-After": until])
            #expect(first(outcome, jitter: 0) == .wait(.seconds(7)), "\(until)")
        }
        // Not all at once, and not before the time.
        let spread = first(answer(status, ["Retry-After": "7"]), jitter: 1)
        #expect(spread == .wait(.seconds(7) + RetryPolicy().base))
        #expect(first(answer(status, ["Date": date, "Retry-After": date]), jitter: 0) == .wait(.zero))
    }

    @Test("A Retry-After longer than the time that is left ends it; one that says nothing is as none")
    func oddRetryAfter() {
        for value in ["121", "99999999999999999999999999"] {
            #expect(first(answer(503, ["Retry-After": value])) == .giveUp)
        }
        let own = first(answer(503))
        for value in ["", "-1", "1.5", "soon", "tomorrow", "Sun, 06 Nov 1994 08:49:44 GMT"] {
            #expect(first(answer(503, ["Retry-After": value])) == own, "\(value)")
        }
        #expect(first(answer(503, ["Date": "never", "Retry-After": "Sun, 06 Nov 1994 08:49:44 GMT"])) == own)
    }

    @Test("A lost answer stays in doubt until an answer settles it")
    func doubt() {
        func verdict(_ outcomes: Retries.Outcome...) -> String {
            var retries = Retries(RetryPolicy(attempts: outcomes.count))
            for outcome in outcomes { _ = retries.next(after: outcome, took: .zero, isIdempotent: true, jitter: 0) }
            switch retries.verdict(outcomes[outcomes.count - 1]) {
            case .success(let answer): return "\(answer.status)"
            case .failure(let failure): return failure.kind
            }
        }
        #expect(verdict(unsent, unsent) == "notSent no-connection")
        #expect(verdict(lost, unsent) == "unknownOutcome timeout")
        #expect(verdict(lost, answer(503)) == "unknownOutcome timeout")
        #expect(verdict(lost, answer(500)) == "unknownOutcome timeout")
        #expect(verdict(lost, .failure(.cancelled)) == "unknownOutcome timeout")
        #expect(verdict(answer(500), unsent) == "500")
        #expect(verdict(answer(500), answer(502)) == "502")
        #expect(verdict(answer(503), unsent) == "notSent no-connection")
        #expect(verdict(lost, answer(200)) == "200")
        #expect(verdict(lost, answer(409)) == "409")
        #expect(verdict(lost, answer(404), unsent) == "notSent no-connection")
    }
}

/// Gives prepared outcomes, and keeps what was asked.
private final class Script: HTTPExchange {
    private let state: Mutex<(outcomes: [Retries.Outcome], requests: [HTTPRequest])>
    init(_ outcomes: Retries.Outcome...) { state = Mutex((outcomes, [])) }
    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        let outcome = state.withLock { state in
            state.requests.append(request)
            return state.outcomes.removeFirst()
        }
        return try outcome.get()
    }
}

@Suite("Sending with retries", .timeLimit(.minutes(30)))
struct SendWithRetriesTests {
    @Test("Every attempt is a request made anew, with no more time than is left")
    func anew() async {
        let script = Script(answer(503), unsent, answer(200))
        var made = 0
        var waits: [Duration] = []
        let result = await sendWithRetries(
            through: script, policy: RetryPolicy(base: .seconds(1), cap: .seconds(60), total: .seconds(10)),
            isIdempotent: false, jitter: { 1 }, sleep: { waits.append($0) }
        ) { () async throws(Never) -> HTTPRequest in
            made += 1
            return HTTPRequest(
                method: "POST", url: "https://localhost/", headers: HTTPHeaders(["X-Amz-Date": "\(made)"]),
                deadline: .seconds(30))
        }
        #expect((try? result.get().status) == 200)
        #expect(script.requests.map { $0.headers["X-Amz-Date"] } == ["1", "2", "3"])
        #expect(waits == [.seconds(1), .seconds(2)])
        #expect(zip(script.requests.map(\.deadline), [10, 9, 7]).allSatisfy { $0 <= .seconds($1) })
    }

    @Test("Cancelled while it waits, it gives what the last attempt gave")
    func cancelledWaiting() async {
        let result = await sendWithRetries(
            through: Script(lost), isIdempotent: true, sleep: { _ in throw CancellationError() }
        ) { () async throws(Never) -> HTTPRequest in get("https://localhost/") }
        guard case .failure(let failure) = result else { return #expect(Bool(false), "\(result)") }
        #expect(failure.kind == "unknownOutcome timeout")
    }

    @Test("What making a request throws ends it")
    func making() async {
        struct NoCredentials: Error {}
        let script = Script()
        await #expect(throws: NoCredentials.self) {
            _ = try await sendWithRetries(through: script, isIdempotent: true) {
                () async throws(NoCredentials) -> HTTPRequest in throw NoCredentials()
            }
        }
        #expect(script.requests.isEmpty)
    }

    @Test("A server that is busy is asked again when it says so", arguments: ["/busy/2", "/busy-date", "/many"])
    func busyServer(path: String) async throws {
        let server = try FaultServer.shared
        let token = newToken()
        var waits: [Duration] = []
        let result = await sendWithRetries(
            through: server.client(), policy: RetryPolicy(attempts: 3), isIdempotent: false, jitter: { 0 },
            sleep: { waits.append($0) }
        ) { () async throws(Never) -> HTTPRequest in post(server.url("\(path)?token=\(token)")) }
        let (status, seconds) = ["/busy/2": (200, 3), "/busy-date": (503, 7), "/many": (429, 2)][path] ?? (0, 0)
        #expect((try? result.get().status) == status)
        #expect(waits == [.seconds(seconds), .seconds(seconds)])
        #expect(try await server.counted(token, by: server.client()).requests == 3)
    }
}
