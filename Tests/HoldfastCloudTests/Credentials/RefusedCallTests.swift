import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import Testing

@Suite("Calls that are refused for their signature or token")
struct RefusedCallTests {
    /// A clock whose wall the test moves.
    struct TestClock: HoldfastClock {
        let wall: WallClock
        var now: ContinuousClock.Instant { ContinuousClock.now }
        var minimumResolution: Duration { .zero }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
            try Task.checkCancellation()
        }
        func wallTime() -> Timestamp { wall.now }
    }

    let clock = WallClock()

    func sender(_ exchange: ScriptedExchange, _ environment: [String: String]) -> WireSender<TestClock> {
        let keeper = CredentialKeeper(
            accounts: [], mayWrite: false, surroundings: surroundings(environment), exchange: exchange,
            now: clock.read())
        return WireSender(
            catalog: Shipped.catalog, http: exchange, authority: keeper, clock: TestClock(wall: clock),
            newToken: { "token" })
    }

    @Test("A call that is refused for our clock is signed by the cloud's, and made once more")
    func skew() async throws {
        let call = try #require(Shipped.catalog.calls["ec2.DescribeSecurityGroups"])
        let exchange = ScriptedExchange { request throws(HTTPFailure) in
            request.headers["X-Amz-Date"] == "20261122T090000Z"
                ? .text("<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>")
                : .text(
                    "<Response><Errors><Error><Code>RequestExpired</Code></Error></Errors></Response>",
                    status: 400, headers: ["Date": "Sun, 22 Nov 2026 09:00:00 GMT"])
        }
        let environment = ["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"]
        let scope = CallScope(cloud: .aws, account: "", region: "eu-west-1")
        let answer = try await sender(exchange, environment).send(call, parameters: JSONObject(), in: scope)
        #expect(answer.status == 200)
        #expect(exchange.requests.count == 2)
    }

    @Test("A token that is refused is asked for anew and the call made once more; the second refusal stands")
    func refusedToken() async throws {
        let call = try #require(Shipped.catalog.calls["storage.buckets.get"])
        let tokens = Mutex(0)
        let exchange = ScriptedExchange { request throws(HTTPFailure) in
            if request.url.contains("metadata.google.internal") {
                let number = tokens.withLock {
                    $0 += 1; return $0
                }
                return .json(
                    ["access_token": .string("t\(number)"), "expires_in": 3600], headers: ["Metadata-Flavor": "Google"])
            }
            return request.headers["Authorization"] == "Bearer t2"
                ? .json(["name": "b"]) : .json(["error": ["code": 401, "message": "Invalid Credentials"]], status: 401)
        }
        let sender = sender(exchange, [:])
        let scope = CallScope(cloud: .gcp, account: "p")
        let parameters = JSONObject([("bucket", "b")])
        let failure = await #expect(throws: CallFailure.self) {
            try await sender.send(call, parameters: parameters, in: scope)
        }
        // A token of this very second was not refused for its age.
        #expect(failure?.kind == .denied)
        clock.pass(60)
        let answer = try await sender.send(call, parameters: parameters, in: scope)
        #expect(answer.body["name"]?.string == "b")
        #expect(tokens.withLock { $0 } == 2)
    }
}
