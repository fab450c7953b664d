import HoldfastCloud
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import Testing

/// Notes what it is asked to authorise, numbers the attempts, and learns as it is told.
private final class NumberingAuthority: RequestAuthority {
    struct Asked: Equatable {
        var signingName: String
        var region: String
    }
    let asked = Mutex<[Asked]>([])
    let learning: String

    init(learning: String = "") { self.learning = learning }

    func authorize(
        _ request: HTTPRequest, signingName: String, in scope: CallScope
    ) async throws(CallFailure) -> HTTPRequest {
        let number = asked.withLock { asked in
            asked.append(Asked(signingName: signingName, region: scope.region))
            return asked.count
        }
        var request = request
        request.headers["Authorization"] = "attempt \(number)"
        return request
    }

    func learn(
        from answer: HTTPResponse, code: String, to request: HTTPRequest, in scope: CallScope
    ) async -> Bool { code == learning && request.headers["Authorization"] != nil }
}

@Suite("Sending the catalog's calls")
struct WireSenderTests {
    private static let scope = CallScope(cloud: .aws, account: "111122223333", region: "eu-west-1")
    private static let bucket: JSONObject = object(["Bucket": "my-bucket"])

    private func sender(
        _ exchange: ScriptedExchange, authority: any RequestAuthority = NoAuthority(),
        endpoints: Endpoints = Endpoints(), clock: StillClock = StillClock(),
        slowDown: @escaping @Sendable (CloudCall, CallScope, Duration?) async -> Void = { _, _, _ in }
    ) -> WireSender<StillClock> {
        WireSender(
            catalog: WireCatalog.shipped, http: exchange, authority: authority, endpoints: endpoints,
            clock: clock, slowDown: slowDown, newToken: { "token-1" })
    }

    /// Answers in turn; the last one again and again.
    private static func inTurn(_ answers: [Result<HTTPResponse, HTTPFailure>]) -> ScriptedExchange {
        let next = Mutex(0)
        return ScriptedExchange { _ throws(HTTPFailure) in
            let index = next.withLock { next in
                defer { next += 1 }
                return min(next, answers.count - 1)
            }
            return try answers[index].get()
        }
    }

    private func failure(
        of name: String, _ parameters: JSONObject, in scope: CallScope = scope, by sender: WireSender<StillClock>
    ) async throws -> CallFailure {
        let call = try WireCatalog.call(name)
        do throws(CallFailure) {
            _ = try await sender.send(call, parameters: parameters, in: scope)
        } catch {
            return error
        }
        throw CallFailure(kind: .refused, code: "none", message: "\(name) did not fail")
    }

    @Test("An answer comes in the shape of the API, and began when the provider says, less the time that it took")
    func answer() async throws {
        let exchange = Self.inTurn([
            .success(
                .text(
                    "<VersioningConfiguration xmlns=\"u\"><Status>Enabled</Status></VersioningConfiguration>",
                    headers: ["Date": "Sun, 06 Nov 1994 08:49:37 GMT"]))
        ])
        let answer = try await sender(exchange).send(
            try WireCatalog.call("s3.GetBucketVersioning"), parameters: Self.bucket, in: Self.scope)
        #expect(answer.body == ["Status": "Enabled"])
        #expect(answer.started == Timestamp("1994-11-06T08:49:37Z"))
        #expect(exchange.requests.map(\.url) == ["https://my-bucket.s3.eu-west-1.amazonaws.com/?versioning"])
    }

    @Test("Without a date from the provider, an answer began by our clock")
    func ownClock() async throws {
        let answer = try await sender(Self.inTurn([.success(.json(["Keys": []]))])).send(
            try WireCatalog.call("kms.ListKeys"), parameters: JSONObject(), in: Self.scope)
        #expect(answer.started == StillClock().wallTime())
    }

    @Test(
        "Calls within one second of the provider's date are told apart by our clock, unless it is wrong",
        arguments: [
            ("Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01T00:00:00.6Z"),
            ("Thu, 01 Jan 2026 00:00:01 GMT", "2026-01-01T00:00:01Z"),
            ("Wed, 31 Dec 2025 23:59:59 GMT", "2025-12-31T23:59:59Z"),
        ])
    func withinOneSecond(date: String, started: String) async throws {
        let exchange = Self.inTurn([.success(.json(["Keys": []], headers: ["Date": date]))])
        let answer = try await sender(exchange, clock: StillClock(past: Span(nanoseconds: 600_000_000))).send(
            try WireCatalog.call("kms.ListKeys"), parameters: JSONObject(), in: Self.scope)
        #expect(answer.started == Timestamp(started))
    }

    @Test(
        "What a cloud refuses is told by its kind, with the cloud's own code",
        arguments: [
            (
                "s3.GetBucketPolicy", 404, "<Error><Code>NoSuchBucketPolicy</Code></Error>", CallFailure.Kind.refused,
                "NoSuchBucketPolicy"
            ),
            ("s3.GetBucketPolicy", 403, "<Error><Code>AccessDenied</Code></Error>", .denied, "AccessDenied"),
            ("s3.GetBucketAcl", 200, "<Error><Code>InternalError</Code></Error>", .unavailable, "InternalError"),
            ("s3.GetBucketAcl", 200, "<Error><Code>SlowDown</Code></Error>", .throttled, "SlowDown"),
            (
                "iam.GetRole", 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", .refused,
                "NoSuchEntity"
            ),
            (
                "ec2.DescribeVpcs", 503,
                "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>", .throttled,
                "RequestLimitExceeded"
            ),
            ("kms.ListKeys", 400, #"{"__type":"ThrottlingException"}"#, .throttled, "ThrottlingException"),
            (
                "kms.ListKeys", 400, #"{"__type":"com.amazonaws.kms#ExpiredTokenException"}"#, .denied,
                "ExpiredTokenException"
            ),
            ("kms.ListKeys", 500, "", .unavailable, "500"),
            ("kms.ListKeys", 502, "<html>bad gateway</html>", .unavailable, "502"),
            ("vaults.Get", 404, #"{"error":{"code":"ResourceNotFound"}}"#, .refused, "ResourceNotFound"),
            (
                "vaults.Get", 401, #"{"error":{"code":"ExpiredAuthenticationToken"}}"#, .denied,
                "ExpiredAuthenticationToken"
            ),
            ("vaults.Get", 429, #"{"error":{"code":"TooManyRequests"}}"#, .throttled, "TooManyRequests"),
            (
                "storage.buckets.get", 403, #"{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}"#, .throttled,
                "rateLimitExceeded"
            ),
            (
                "storage.buckets.get", 403,
                #"{"error":{"status":"PERMISSION_DENIED","errors":[{"reason":"forbidden"}]}}"#,
                .denied, "forbidden"
            ),
            ("compute.firewalls.get", 404, #"{"error":{"status":"NOT_FOUND"}}"#, .refused, "NOT_FOUND"),
        ])
    func refusals(name: String, status: Int, body: String, kind: CallFailure.Kind, code: String) async throws {
        let parameters: [String: JSONObject] = [
            "s3": Self.bucket, "iam": object(["RoleName": "r"]), "storage": object(["bucket": "b"]),
            "vaults": object(["subscriptionId": "s", "resourceGroupName": "g", "vaultName": "v"]),
            "compute": object(["project": "p", "firewall": "f"]),
        ]
        let service = String(name.prefix { $0 != "." })
        let sender = sender(Self.inTurn([.success(.text(body, status: status))]))
        let failure = try await failure(of: name, parameters[service] ?? JSONObject(), by: sender)
        #expect(failure.kind == kind)
        #expect(failure.code == code)
        #expect(failure.status == status)
        #expect(failure.message.hasPrefix("\(name) in 111122223333 "))
    }

    @Test("A throttled call is sent again, each time authorised anew, and tells for how long at last")
    func throttled() async throws {
        let busy = HTTPResponse.text("{}", status: 429, headers: ["Retry-After": "7"])
        let authority = NumberingAuthority()
        let exchange = Self.inTurn([.success(busy), .success(.json(["Keys": []]))])
        _ = try await sender(exchange, authority: authority).send(
            try WireCatalog.call("kms.ListKeys"), parameters: JSONObject(), in: Self.scope)
        #expect(exchange.requests.map { $0.headers["Authorization"] } == ["attempt 1", "attempt 2"])
        let failure = try await failure(
            of: "kms.ListKeys", JSONObject(), by: sender(Self.inTurn([.success(busy)])))
        #expect(failure.retryAfter == .seconds(7))
    }

    @Test("Every answer that it was too much slows the calls that share its limit, and is counted once")
    func slowsDown() async throws {
        let busy = HTTPResponse.text("{}", status: 429, headers: ["Retry-After": "7"])
        let fault = HTTPResponse.text("", status: 500)
        let exchange = Self.inTurn(
            [.success(busy), .success(fault), .success(busy), .success(.json(["Keys": []]))])
        let (clock, call) = (StillClock(), try WireCatalog.call("kms.ListKeys"))
        let budgets = Budgets(clock: clock)
        let sender = sender(exchange) { await budgets.throttled($0, in: $1, retryAfter: $2) }
        let budgeted = BudgetedSender(sender, budgets)
        _ = try await budgeted.send(call, parameters: JSONObject(), in: Self.scope)
        let taken = await budgets.takeThrottles()
        #expect(taken.map(\.key.description) == ["aws 111122223333 eu-west-1 kms"])
        #expect(taken.map(\.amount) == [2])
        #expect(await budgets.takeThrottles().isEmpty)
        // At the end of its attempts a call is throttled once more than it was repeated.
        await #expect(throws: CallFailure.self) {
            let sender = self.sender(Self.inTurn([.success(busy)])) {
                await budgets.throttled($0, in: $1, retryAfter: $2)
            }
            _ = try await BudgetedSender(sender, Budgets(clock: clock)).send(
                call, parameters: JSONObject(), in: Self.scope)
        }
        #expect(await budgets.takeThrottles().map(\.amount) == [4])
    }

    @Test("A write whose outcome is unknown is sent again only where the catalog calls it idempotent")
    func unknownOutcome() async throws {
        var scope = Self.scope
        scope.access = .write
        let lost = Result<HTTPResponse, HTTPFailure>.failure(.unknownOutcome(code: "reset", message: "reset"))
        let once = Self.inTurn([lost])
        let document: JSON = "{}"
        let failure = try await failure(
            of: "iam.CreatePolicyVersion",
            object(["PolicyArn": "arn:aws:iam::111122223333:policy/p", "PolicyDocument": document]), in: scope,
            by: sender(once))
        #expect(failure.kind == .unknownOutcome)
        #expect(once.requests.count == 1)
        let again = Self.inTurn([lost, .success(.text("", status: 204))])
        _ = try await sender(again).send(
            try WireCatalog.call("s3.DeleteBucketPolicy"), parameters: Self.bucket, in: scope)
        #expect(again.requests.count == 2)
    }

    @Test("A read is sent again whatever happened to the answer")
    func readAgain() async throws {
        let exchange = Self.inTurn([
            .failure(.unknownOutcome(code: "reset", message: "reset")), .success(.text("", status: 500)),
            .success(.json(["Keys": []])),
        ])
        _ = try await sender(exchange).send(
            try WireCatalog.call("kms.ListKeys"), parameters: JSONObject(), in: Self.scope)
        #expect(exchange.requests.count == 3)
    }

    @Test(
        "A bucket in another region is asked for there, once",
        arguments: [
            HTTPResponse.text("", status: 301, headers: ["x-amz-bucket-region": "us-west-2"]),
            .text(
                "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region></Error>", status: 400),
        ])
    func redirected(first: HTTPResponse) async throws {
        let authority = NumberingAuthority()
        let exchange = Self.inTurn([.success(first), .success(.text("{}"))])
        let answer = try await sender(exchange, authority: authority).send(
            try WireCatalog.call("s3.GetBucketPolicy"), parameters: Self.bucket, in: Self.scope)
        #expect(answer.body == ["Policy": "{}"])
        #expect(exchange.requests.last?.url == "https://my-bucket.s3.us-west-2.amazonaws.com/?policy")
        #expect(authority.asked.withLock { $0.map(\.region) } == ["eu-west-1", "us-west-2"])
        let circle = Self.inTurn([.success(first)])
        let failure = try await failure(of: "s3.GetBucketPolicy", Self.bucket, by: sender(circle))
        #expect(failure.kind == .refused)
        #expect(circle.requests.count == 2)
    }

    @Test("What a refusal teaches the authority is tried once")
    func learning() async throws {
        let stale = HTTPResponse.text("<Error><Code>RequestTimeTooSkewed</Code></Error>", status: 403)
        let exchange = Self.inTurn([.success(stale), .success(.text("{}"))])
        _ = try await sender(exchange, authority: NumberingAuthority(learning: "RequestTimeTooSkewed")).send(
            try WireCatalog.call("s3.GetBucketPolicy"), parameters: Self.bucket, in: Self.scope)
        #expect(exchange.requests.count == 2)
        let never = Self.inTurn([.success(stale)])
        let failure = try await failure(
            of: "s3.GetBucketPolicy", Self.bucket,
            by: sender(never, authority: NumberingAuthority(learning: "RequestTimeTooSkewed")))
        #expect(failure.kind == .denied)
        #expect(never.requests.count == 2)
    }

    @Test("An answer that cannot be read is no answer")
    func unreadable() async throws {
        let failure = try await failure(
            of: "iam.GetRole", object(["RoleName": "r"]), by: sender(Self.inTurn([.success(.text("<a>"))])))
        #expect(failure.kind == .unavailable)
        #expect(failure.code == "unreadable")
    }

    @Test("The bytes of an object are handed on as they came")
    func objects() async throws {
        let exchange = Self.inTurn([
            .success(HTTPResponse(status: 200, headers: HTTPHeaders(["ETag": "e"]), body: [0, 255, 60]))
        ])
        let answer = try await sender(exchange).send(
            try WireCatalog.call("s3.GetObject"), parameters: object(["Bucket": "b.c.d", "Key": "a b/c+é"]),
            in: Self.scope)
        #expect(answer.bytes == [0, 255, 60])
        #expect(answer.body["ETag"] == "e")
        #expect(answer.body["Body"] == nil)
        #expect(exchange.requests.map(\.url) == ["https://s3.eu-west-1.amazonaws.com/b.c.d/a%20b/c%2B%C3%A9"])
    }

    @Test(
        "Parameters that cannot be sent are refused before anything is sent, with what would do",
        arguments: [
            ("s3.GetBucketPolicy", "{}", "\"Bucket\" is missing, which its path needs"),
            ("s3.GetBucketPolicy", #"{"Bucket":""}"#, "Bucket is \"\", which cannot stand in a path"),
            (
                "s3.GetObject", #"{"Bucket":"b","Key":"a/../../c"}"#,
                "Key is \"a/../../c\", which cannot stand in a path"
            ),
            (
                "s3.GetBucketPolicy", #"{"Bucket":"b","Bukket":"c"}"#,
                "the input has no \"Bukket\"; did you mean \"Bucket\"?"
            ),
            ("kms.ListKeys", #"{"Limit":"many"}"#, "\"Limit\" is a whole number, and a text is given"),
            ("kms.ListKeys", #"{"Limit":[1]}"#, "\"Limit\" is a whole number, and a list is given"),
            ("ec2.DescribeVpcs", #"{"VpcIds":["a",{"b":1}]}"#, "\"VpcIds[1]\" is a text, and a map is given"),
            ("iam.GetAccountSummary", #"{"A":1}"#, "it takes no parameters, and \"A\" is given"),
            (
                "s3control.GetPublicAccessBlock", #"{"AccountId":"evil.example.com/"}"#,
                "AccountId is \"evil.example.com/\", which cannot begin a host's name"
            ),
            (
                "s3.GetBucketPolicy", "{\"Bucket\":\"b\",\"ExpectedBucketOwner\":\"a\\r\\nX: b\"}",
                "x-amz-expected-bucket-owner holds a control character, which a header cannot"
            ),
            (
                "vaults.Get", #"{"subscriptionId":"..","resourceGroupName":"g","vaultName":"v"}"#,
                "subscriptionId is \"..\""
            ),
            ("compute.firewalls.get", #"{"project":"p"}"#, "\"firewall\" is missing, which its path needs"),
        ])
    func unsendable(name: String, parameters: String, expected: String) async throws {
        let exchange = Self.inTurn([.success(.json([:]))])
        let failure = try await failure(
            of: name, try JSON.parse(parameters).object ?? JSONObject(), by: sender(exchange))
        #expect(failure.kind == .notSent)
        #expect(failure.code == "invalidParameters")
        #expect(failure.message.contains(expected), "\(failure.message)")
        #expect(exchange.requests.isEmpty)
    }

    @Test("A region that could be another host's name goes nowhere")
    func regions() async throws {
        var scope = Self.scope
        scope.region = "evil.example.com/"
        let exchange = Self.inTurn([.success(.json([:]))])
        let failure = try await failure(of: "kms.ListKeys", JSONObject(), in: scope, by: sender(exchange))
        #expect(failure.code == "invalidParameters")
        #expect(exchange.requests.isEmpty)
    }

    @Test(
        "AWS_ENDPOINT_URL and its forms for one service are where calls go",
        arguments: [
            ("s3.GetBucketPolicy", "http://127.0.0.1:5000/my-bucket?policy"),
            ("kms.ListKeys", "https://kms.example.com/aws/"),
            ("s3control.GetPublicAccessBlock", "http://127.0.0.1:5000/v20180820/configuration/publicAccessBlock"),
        ])
    func overrides(name: String, url: String) async throws {
        let endpoints = Endpoints(environment: [
            "AWS_ENDPOINT_URL": "http://127.0.0.1:5000", "AWS_ENDPOINT_URL_KMS": "https://kms.example.com/aws/",
            "AWS_ENDPOINT_URL_S3_CONTROL": "", "HOME": "/",
        ])
        let sender = sender(Self.inTurn([.success(.json([:]))]), endpoints: endpoints)
        let parameters: [String: JSONObject] = [
            "s3": Self.bucket, "s3control": object(["AccountId": "111122223333"]),
        ]
        let call = try WireCatalog.call(name)
        let (request, _, scope) = try sender.request(
            of: call, parameters: parameters[call.model] ?? JSONObject(), in: Self.scope)
        #expect(request.url == url)
        #expect(scope.region == "eu-west-1")
    }

    @Test("A call that names no region goes to the home of its partition, a global one to its one host")
    func noRegion() throws {
        var scope = Self.scope
        scope.region = ""
        let sender = sender(Self.inTurn([]), endpoints: Endpoints(awsPartition: "aws-cn"))
        let (request, _, signed) = try sender.request(
            of: try WireCatalog.call("kms.ListKeys"), parameters: JSONObject(), in: scope)
        #expect(request.url == "https://kms.cn-northwest-1.amazonaws.com.cn/")
        #expect(signed.region == "cn-northwest-1")
        let (global, name, signedGlobal) = try sender.request(
            of: try WireCatalog.call("iam.ListRoles"), parameters: JSONObject(), in: scope)
        #expect(
            [global.url, name, signedGlobal.region] == [
                "https://iam.cn-north-1.amazonaws.com.cn/", "iam", "cn-north-1",
            ])
    }

    @Test("A precondition of Azure travels in a header, and a body as JSON")
    func precondition() throws {
        let (request, _, _) = try sender(Self.inTurn([])).request(
            of: try WireCatalog.call("networkSecurityGroups.CreateOrUpdate"),
            parameters: object([
                "subscriptionId": "s", "resourceGroupName": "g", "networkSecurityGroupName": "n",
                "body": ["location": "westeurope"], "ifMatch": "W/\"1\"",
            ]), in: CallScope(cloud: .azure, account: "s"))
        #expect(request.headers["If-Match"] == "W/\"1\"")
        #expect(request.headers["Content-Type"] == "application/json")
        #expect(request.text == #"{"location":"westeurope"}"#)
        #expect(!request.url.contains("ifMatch"))
    }
}
