import HoldfastCloud
import HoldfastCore
import HoldfastHTTP
import Synchronization
import TestOracles
import Testing

@Suite("Keeping and renewing credentials")
struct CredentialRenewalTests: KeeperTesting {
    let clock = WallClock()

    @Test("Credentials are kept, and renewed five minutes and the jitter before they end", arguments: [0, 120])
    func renewal(jitter: Int) async throws {
        let count = Mutex(0)
        let exchange = ScriptedExchange { [clock] _ throws(HTTPFailure) in
            let number = count.withLock {
                $0 += 1; return $0
            }
            return .keys("ASIA\(number)", expires: (clock.now + Span(seconds: 3600)).description)
        }
        let keeper = keeper(exchange, jitter: jitter)
        #expect(try await key(keeper) == "ASIA1")
        clock.pass(3600 - 300 - jitter - 1)
        #expect(try await key(keeper) == "ASIA1")
        clock.pass(1)
        #expect(try await key(keeper) == "ASIA2")
        #expect(try await key(keeper) == "ASIA2")
    }

    @Test("Fifty calls at once wait for one request for credentials")
    func singleFlight() async throws {
        let gate = Gate()
        let exchange = ScriptedExchange { _ throws(HTTPFailure) in
            await gate.wait()
            return .keys("ASIAONE")
        }
        let keeper = keeper(exchange)
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await key(keeper) } }
            group.addTask {
                // All fifty have come, or will find the one under way.
                while exchange.requests.isEmpty { await Task.yield() }
                await gate.open()
                return "ASIAONE"
            }
            for try await found in group { #expect(found == "ASIAONE") }
        }
        #expect(exchange.requests.count == 1)
    }

    @Test("Whoever waits behind one who is cancelled asks again, and gets credentials")
    func cancelledLeader() async throws {
        let gate = Gate()
        let count = Mutex(0)
        let exchange = ScriptedExchange { _ throws(HTTPFailure) in
            guard
                count.withLock({
                    $0 += 1; return $0
                }) == 1
            else { return .keys("ASIATWO") }
            await gate.wait()
            throw .cancelled
        }
        let keeper = keeper(exchange)
        let leader = Task { try await key(keeper) }
        while exchange.requests.isEmpty { await Task.yield() }
        let follower = Task { try await key(keeper) }
        for _ in 0..<100 { await Task.yield() }
        leader.cancel()
        await gate.open()
        let failure = await #expect(throws: CallFailure.self) { try await leader.value }
        #expect(failure?.kind == .cancelled)
        #expect(try await follower.value == "ASIATWO")
    }

    @Test("Whoever waits and is cancelled stops waiting at once")
    func cancelledWaiter() async throws {
        let gate = Gate()
        let exchange = ScriptedExchange { _ throws(HTTPFailure) in
            await gate.wait()
            return .keys("ASIA")
        }
        let keeper = keeper(exchange)
        let leader = Task { try await key(keeper) }
        while exchange.requests.isEmpty { await Task.yield() }
        let waiter = Task { try await key(keeper) }
        for _ in 0..<100 { await Task.yield() }
        waiter.cancel()
        let failure = await #expect(throws: CallFailure.self) { try await waiter.value }
        #expect(failure?.kind == .cancelled)
        await gate.open()
        #expect(try await leader.value == "ASIA")
    }

    @Test("While a renewal fails for want of an answer the old credentials serve until they end, and not beyond")
    func oldOnesServe() async throws {
        let works = Mutex(true)
        let exchange = ScriptedExchange { [clock] _ throws(HTTPFailure) in
            guard works.withLock({ $0 }) else { throw .unknownOutcome(code: "reset", message: "connection reset") }
            return .keys("ASIAOLD", expires: (clock.now + Span(seconds: 3600)).description)
        }
        let keeper = keeper(exchange)
        #expect(try await key(keeper) == "ASIAOLD")
        works.withLock { $0 = false }
        clock.pass(3400)
        #expect(try await key(keeper) == "ASIAOLD")
        #expect(exchange.requests.count == 2)
        // It is not tried again with every call.
        #expect(try await key(keeper) == "ASIAOLD")
        #expect(exchange.requests.count == 2)
        clock.pass(31)
        #expect(try await key(keeper) == "ASIAOLD")
        #expect(exchange.requests.count == 3)
        clock.pass(200)
        let failure = await #expect(throws: CallFailure.self) { try await key(keeper) }
        // The call itself was not sent, whatever became of the request for credentials.
        #expect(failure?.kind == .notSent)
        works.withLock { $0 = true }
        #expect(try await key(keeper) == "ASIAOLD")
    }

    @Test("A renewal that is refused is a refusal, also while the old credentials last, and is not asked for each call")
    func refusedRenewal() async throws {
        let answer = Mutex(HTTPResponse.keys("ASIAOLD"))
        let exchange = ScriptedExchange { _ throws(HTTPFailure) in answer.withLock { $0 } }
        let keeper = keeper(exchange)
        #expect(try await key(keeper) == "ASIAOLD")
        answer.withLock { $0 = .refusal("AccessDenied", "revoked") }
        clock.pass(3400)
        for _ in 0..<5 {
            let failure = await #expect(throws: CallFailure.self) { try await key(keeper) }
            #expect(failure?.kind == .denied)
            #expect(failure?.message.contains("revoked") == true)
        }
        #expect(exchange.requests.count == 2)
        answer.withLock { $0 = .keys("ASIANEW", expires: "2026-11-22T12:00:00Z") }
        clock.pass(31)
        #expect(try await key(keeper) == "ASIANEW")
    }

    @Test("Throttling of the token service reaches the caller as throttling, with its wait")
    func throttled() async {
        let answer = HTTPResponse.text("", status: 429, headers: ["Retry-After": "9"])
        let failure = await #expect(throws: CallFailure.self) {
            try await key(keeper(ScriptedExchange(answers: [("sts", answer)])))
        }
        #expect(failure?.kind == .throttled)
        #expect(failure?.retryAfter == .seconds(9))
    }

    @Test("Keys of a file that were changed are read again when the token service does not know the old ones")
    func changedKeys() async throws {
        let folder = try TemporaryFolder()
        func write(_ id: String) throws -> String {
            try folder.write("credentials", "[default]\naws_access_key_id = \(id)\naws_secret_access_key = s\n")
        }
        let environment = ["AWS_SHARED_CREDENTIALS_FILE": try write("AKIAOLD")]
        let exchange = ScriptedExchange { [self] request throws(HTTPFailure) in
            key(of: request) == "AKIANEW" || request.text.contains("reader2")
                ? .keys("ASIA") : .refusal("InvalidClientTokenId")
        }
        var second = Self.account
        second.account = "111122223333"
        second.readRole = "arn:aws:iam::111122223333:role/reader2"
        second.writeRole = nil
        let keeper = keeper(exchange, accounts: [Self.account, second], environment: environment)
        // The old keys are kept from here on.
        _ = try await key(keeper, CallScope(cloud: .aws, account: "111122223333", region: "eu-west-1"))
        _ = try write("AKIANEW")
        #expect(try await key(keeper) == "ASIA")
    }
}
