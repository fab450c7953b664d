import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import Testing

@testable import HoldfastCloud
@testable import HoldfastCore

/// Notes for whom and with what rights it is asked to authorise.
private final class NotingAuthority: RequestAuthority {
    let scopes = Mutex<[CallScope]>([])

    func authorize(
        _ request: HTTPRequest, signingName: String, in scope: CallScope
    ) async throws(CallFailure) -> HTTPRequest {
        scopes.withLock { $0.append(scope) }
        return request
    }
}

@Suite("Writing to clouds")
struct CloudWriterTests {
    private static let now = StillClock().wallTime()
    private static let aws = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
    private static let azure = ResourceContext(cloud: .azure, account: "s", region: "")
    private static let google = ResourceContext(cloud: .gcp, account: "p", region: "")

    private func planned(_ name: String, _ parameters: JSON, precondition: JSON? = nil) throws -> PlannedCall {
        let call = try WireCatalog.call(name)
        return PlannedCall(
            name: name, request: call.request, permission: call.permission, parameters: object(parameters),
            precondition: precondition)
    }

    private static let bucketPolicy: JSON = ["Bucket": "my-bucket", "Policy": "{}"]

    private func writer(
        _ exchange: any HTTPExchange, authority: any RequestAuthority = NoAuthority()
    ) -> CloudWriter<PatientClock> {
        let sender = WireSender(
            catalog: WireCatalog.shipped, http: exchange, authority: authority, clock: StillClock(),
            retries: RetryPolicy(attempts: 1), newToken: { "another" })
        let clock = PatientClock()
        return CloudWriter(
            catalog: WireCatalog.shipped, sender: sender, budgets: Budgets(clock: clock), clock: clock)
    }

    /// By the only way that there is: a permit for what was begun.
    private func apply(
        _ call: PlannedCall, in context: ResourceContext = aws, by writer: CloudWriter<PatientClock>,
        run: String = "r-1",
        attempt: Int = 1, begun: Timestamp = now
    ) async throws -> WriteOutcome {
        let begun = Begun(
            run: run, step: 0, attempt: attempt, callDigest: call.digest, planDigest: "plan", epoch: 1, at: begun)
        let decision = Decision(finding: "f", planDigest: "plan", playbook: "p", at: Self.now, answers: [])
        return await writer.apply(
            try Guards.permit(decision, call, in: context, expiry: Span(seconds: 30), begun))
    }

    private static func answering(_ status: Int, _ body: String = "", _ headers: KeyValuePairs<String, String> = [:])
        -> ScriptedExchange
    {
        ScriptedExchange { _ throws(HTTPFailure) in
            HTTPResponse(status: status, headers: HTTPHeaders(headers), body: Array(body.utf8))
        }
    }

    @Test("A call that is done says by which id its event is known again; it went out once, in a session for it alone")
    func done() async throws {
        let authority = NotingAuthority()
        let exchange = Self.answering(204, "", ["x-amz-request-id": "ABC"])
        let outcome = try await apply(
            planned("s3.PutBucketPolicy", Self.bucketPolicy), by: writer(exchange, authority: authority))
        #expect(outcome == .done(answer: .object(JSONObject()), requestID: "ABC"))
        #expect(exchange.requests.map(\.method) == ["PUT"])
        let scope = try #require(authority.scopes.withLock { $0.first })
        #expect(scope.access == .write && scope.account == "111122223333")
        let policy = try JSON.parse(scope.sessionPolicy)
        #expect(policy["Statement"]?.array?[0]["Action"] == ["s3:PutBucketPolicy"])
        #expect(policy["Statement"]?.array?[0]["Resource"] == ["arn:aws:s3:::my-bucket"])
    }

    @Test(
        "How a call ended is told apart, and no answer makes the writer send it twice",
        arguments: [
            ("s3.PutBucketPolicy", 403, "<Error><Code>AccessDenied</Code></Error>", "refused denied -"),
            ("s3.PutBucketPolicy", 503, "<Error><Code>SlowDown</Code></Error>", "refused SlowDown 2"),
            ("s3.PutBucketPolicy", 400, "<Error><Code>MalformedPolicy</Code></Error>", "refused MalformedPolicy -"),
            ("s3.PutBucketPolicy", 500, "<Error><Code>InternalError</Code></Error>", "unknown"),
            ("s3.PutBucketPolicy", 502, "<html>bad gateway</html>", "unknown"),
            (
                "kms.PutKeyPolicy", 400, #"{"__type":"MalformedPolicyDocumentException"}"#,
                "refused MalformedPolicyDocumentException -"
            ),
            (
                "ec2.RevokeSecurityGroupIngress", 400,
                "<Response><Errors><Error><Code>InvalidPermission.NotFound</Code></Error></Errors></Response>",
                "already InvalidPermission.NotFound"
            ),
            (
                "iam.DetachRolePolicy", 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>",
                "already NoSuchEntity"
            ),
            (
                "rds.ModifyDBInstance", 400,
                "<ErrorResponse><Error><Code>InvalidDBInstanceState</Code></Error></ErrorResponse>",
                "refused InvalidDBInstanceState -"
            ),
        ])
    func outcomes(name: String, status: Int, body: String, expected: String) async throws {
        let parameters: [String: JSON] = [
            "s3.PutBucketPolicy": Self.bucketPolicy, "kms.PutKeyPolicy": ["KeyId": "k", "Policy": "{}"],
            "ec2.RevokeSecurityGroupIngress": ["GroupId": "sg-1"],
            "iam.DetachRolePolicy": ["RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/P"],
            "rds.ModifyDBInstance": ["DBInstanceIdentifier": "db"],
        ]
        let exchange = Self.answering(status, body)
        let outcome = try await apply(planned(name, parameters[name] ?? [:]), by: writer(exchange))
        #expect(outcome.summary == expected)
        #expect(exchange.requests.count == 1)
    }

    @Test("What was sent and not answered may have been done; what was not sent was not")
    func noAnswer() async throws {
        let call = try planned("s3.PutBucketPolicy", Self.bucketPolicy)
        let lost = ScriptedExchange { _ throws(HTTPFailure) in
            throw .unknownOutcome(code: "timeout", message: "no answer")
        }
        #expect(try await apply(call, by: writer(lost)).summary == "unknown")
        #expect(lost.requests.count == 1)
        let unsent = ScriptedExchange { _ throws(HTTPFailure) in
            throw .notSent(code: "no-connection", message: "nobody is there")
        }
        #expect(try await apply(call, by: writer(unsent)).summary == "refused no-connection 2")
        let never = ScriptedExchange { _ throws(HTTPFailure) in throw .cancelled }
        #expect(try await apply(call, by: writer(never)).summary == "refused cancelled 2")
    }

    @Test("A call that hangs is given up when its permit ends")
    func hangs() async throws {
        let hanging = ScriptedExchange { _ throws(HTTPFailure) in
            do { try await Task.sleep(for: .seconds(600)) } catch {}
            throw .unknownOutcome(code: "cancelled", message: "cancelled after it was sent")
        }
        let call = try planned("s3.PutBucketPolicy", Self.bucketPolicy)
        // A thousandth of a second is left of the permit.
        let begun = Self.now - Span(seconds: 30) + Span(nanoseconds: 1_000_000)
        #expect(try await apply(call, by: writer(hanging), begun: begun).summary == "unknown")
    }

    @Test("After its permit has ended a call is not sent, nor one that the catalog no longer has")
    func notSent() async throws {
        let exchange = Self.answering(204)
        let call = try planned("s3.PutBucketPolicy", Self.bucketPolicy)
        let late = try await apply(call, by: writer(exchange), begun: Self.now - Span(seconds: 30))
        #expect(late.summary == "refused permit-expired 0")
        var other = call
        other.request = "PUT /{Bucket}?policy2"
        #expect(try await apply(other, by: writer(exchange)).summary == "refused unknown-call -")
        #expect(exchange.requests.isEmpty)
    }

    @Test(
        "A precondition travels as the catalog says, and where it does not hold nothing was done",
        arguments: [
            ("securityRules.CreateOrUpdate", 412, "PreconditionFailed"), ("sql.instances.patch", 412, "staleData"),
            ("storage.buckets.patch", 412, "conditionNotMet"), ("storage.buckets.setIamPolicy", 412, "conditionNotMet"),
            ("cloudresourcemanager.projects.setIamPolicy", 409, "ABORTED"),
            ("lambda.RemovePermission", 412, "PreconditionFailedException"),
        ])
    func preconditions(name: String, status: Int, code: String) async throws {
        let call = try WireCatalog.call(name)
        let places: [String: JSON] = [
            "securityRules.CreateOrUpdate": [
                "subscriptionId": "s", "resourceGroupName": "g", "networkSecurityGroupName": "n",
                "securityRuleName": "r", "body": ["properties": [:]],
            ],
            "sql.instances.patch": ["project": "p", "instance": "i", "body": ["settings": ["tier": "t"]]],
            "storage.buckets.patch": ["bucket": "b", "body": ["labels": [:]]],
            "storage.buckets.setIamPolicy": ["bucket": "b", "body": ["bindings": []]],
            "cloudresourcemanager.projects.setIamPolicy": ["resource": "p", "body": ["policy": ["bindings": []]]],
            "lambda.RemovePermission": ["FunctionName": "f", "StatementId": "s"],
        ]
        let context = call.wire == .arm ? Self.azure : call.wire == .google ? Self.google : Self.aws
        let body: JSON =
            context.cloud == .gcp
            ? ["error": ["errors": [["reason": .string(code)]], "status": .string(code)]]
            : ["error": ["code": .string(code)], "__type": .string(code)]
        let exchange = Self.answering(status, body.canonicalText)
        let conditional = try planned(name, places[name] ?? [:], precondition: "tag-7")
        #expect(try await apply(conditional, in: context, by: writer(exchange)).summary == "refused precondition -")
        let sent = try #require(exchange.requests.first)
        let text = sent.url + sent.text + (sent.headers["If-Match"] ?? "")
        #expect(text.contains("tag-7"))
        let plain = try planned(name, places[name] ?? [:])
        #expect(try await apply(plain, in: context, by: writer(exchange)).summary == "refused \(code) -")
        let last = try #require(exchange.requests.last)
        #expect(!(last.url + last.text).contains("tag-7") && last.headers["If-Match"] == nil)
    }

    @Test("Attempts of one step carry one token, so that the cloud makes it once; another run's carry another")
    func tokens() async throws {
        let exchange = Self.answering(
            200, "<CreateFlowLogsResponse><flowLogIdSet><item>fl-1</item></flowLogIdSet></CreateFlowLogsResponse>")
        let call = try planned(
            "ec2.CreateFlowLogs", ["ResourceIds": ["vpc-1"], "ResourceType": "VPC", "TrafficType": "ALL"])
        for (run, attempt) in [("r-1", 1), ("r-1", 2), ("r-2", 1)] {
            _ = try await apply(call, by: writer(exchange), run: run, attempt: attempt)
        }
        let tokens = exchange.requests.map { $0.form["ClientToken"] ?? "" }
        #expect(tokens[0] == tokens[1] && tokens[0] != tokens[2])
        let uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(tokens[0].wholeMatch(of: uuid) != nil)
        let patch = try planned(
            "compute.firewalls.patch", ["project": "p", "firewall": "f", "body": ["disabled": true]])
        let done = Self.answering(200, #"{"kind":"compute#operation","status":"DONE","name":"operation-7"}"#)
        let outcome = try await apply(patch, in: Self.google, by: writer(done))
        #expect(outcome.requestID == "operation-7")
        #expect(done.requests.first?.query["requestId"]?.wholeMatch(of: uuid) != nil)
    }

    @Test("An accepted operation is asked for by what the journal kept of it, until it ends; asking changes nothing")
    func longOperation() async throws {
        let link = "https://management.azure.com/subscriptions/s/operations/1?api-version=1"
        let accepted = Self.answering(202, "", ["Azure-AsyncOperation": link, "Retry-After": "3"])
        let call = try planned(
            "securityRules.Delete",
            [
                "subscriptionId": "s", "resourceGroupName": "g", "networkSecurityGroupName": "n",
                "securityRuleName": "r",
            ])
        guard case .accepted(let operation, _) = try await apply(call, in: Self.azure, by: writer(accepted)) else {
            Issue.record("it was not accepted")
            return
        }
        #expect(operation.askAfter == Span(seconds: 3))
        let kept = AcceptedOperation(
            token: try JSON.parse(operation.token.canonicalText), askAfter: operation.askAfter)
        let running = Self.answering(200, #"{"status":"InProgress"}"#)
        let still = await writer(running).poll(kept, context: Self.azure)
        #expect(still == .accepted(AcceptedOperation(token: kept.token, askAfter: Span(seconds: 5)), requestID: ""))
        #expect(running.requests.map { "\($0.method) \($0.url)" } == ["GET \(link)"])
        let over = await writer(Self.answering(200, #"{"status":"Succeeded"}"#)).poll(kept, context: Self.azure)
        #expect(over == .done(answer: .null, requestID: ""))
        let busy = await writer(Self.answering(503)).poll(kept, context: Self.azure)
        #expect(busy.summary == "accepted")
        let failed = await writer(
            Self.answering(200, #"{"status":"Failed","error":{"code":"InUse","message":"busy"}}"#)
        ).poll(kept, context: Self.azure)
        #expect(failed == .unknown(message: "securityRules.Delete was taken and given up: InUse: busy"))
        let strange = AcceptedOperation(token: ["call": "x.Nothing"], askAfter: Span(seconds: 1))
        #expect(await writer(running).poll(strange, context: Self.azure).summary == "unknown")
    }
}

/// Real waits, on a wall that stands.
struct PatientClock: HoldfastClock {
    private let clock = ContinuousClock()
    var now: ContinuousClock.Instant { clock.now }
    var minimumResolution: Duration { clock.minimumResolution }
    func wallTime() -> Timestamp { StillClock().wallTime() }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await clock.sleep(until: deadline, tolerance: tolerance)
    }
}

extension WriteOutcome {
    /// In a word, with the code and the seconds to wait.
    fileprivate var summary: String {
        switch self {
        case .done: "done"
        case .accepted: "accepted"
        case .alreadyDone(let code): "already \(code)"
        case .refused(let code, _, let wait):
            "refused \(code) \(wait.map { "\($0.nanoseconds / 1_000_000_000)" } ?? "-")"
        case .unknown: "unknown"
        }
    }
}
