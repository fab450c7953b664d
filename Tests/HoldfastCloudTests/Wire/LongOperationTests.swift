import HoldfastCloud
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import Testing

@Suite("Long operations")
struct LongOperationTests {
    private func answer(
        _ status: Int, _ body: JSON = .null, _ headers: KeyValuePairs<String, String> = [:]
    ) -> CallAnswer {
        CallAnswer(status: status, headers: HTTPHeaders(headers), body: body, started: .distantPast)
    }

    private func ask(_ operation: LongOperation?) throws -> (request: String, parameters: JSONObject, after: Duration) {
        guard case .ask(let call, let parameters, let after)? = operation?.step else {
            throw CallFailure(kind: .refused, code: "none", message: "asks nothing")
        }
        return (call.request, parameters, after)
    }

    private func isDone(_ operation: LongOperation?) -> Bool {
        guard case .done? = operation?.step else { return false }
        return true
    }

    private static let link = "https://management.azure.com/subscriptions/s/operations/1?api-version=1"
    private static let place = object([
        "subscriptionId": "s", "resourceGroupName": "g", "networkSecurityGroupName": "n", "securityRuleName": "r",
        "body": ["a": 1],
    ])

    @Test("Azure's operation is asked for by its link until its status is an end")
    func azureOperation() throws {
        let call = try WireCatalog.call("securityRules.CreateOrUpdate")
        let accepted = answer(
            201, ["properties": ["provisioningState": "Updating"]],
            ["Azure-AsyncOperation": Self.link, "Retry-After": "3"])
        var operation = LongOperation(after: accepted, to: call, with: Self.place)
        #expect(operation?.atMost == Span("10m"))
        let asked = try ask(operation)
        #expect(asked.request == "GET \(Self.link)")
        #expect(asked.parameters == JSONObject())
        #expect(asked.after == .seconds(3))
        operation?.take(.success(answer(200, ["status": "InProgress"])))
        #expect(try ask(operation).after == .seconds(5))
        operation?.take(.failure(CallFailure(kind: .throttled, code: "x", message: "", retryAfter: .seconds(9))))
        #expect(try ask(operation).after == .seconds(9))
        operation?.take(.success(answer(200, ["status": "Succeeded"])))
        #expect(isDone(operation))
    }

    @Test("An operation that Azure gives up says why")
    func azureFailure() throws {
        var operation = LongOperation(
            after: answer(202, .null, ["Azure-AsyncOperation": Self.link]),
            to: try WireCatalog.call("securityRules.Delete"), with: Self.place)
        operation?.take(.success(answer(200, ["status": "Failed", "error": ["code": "InUse", "message": "busy"]])))
        guard case .failed(let code, let message)? = operation?.step else {
            Issue.record("\(String(describing: operation?.step))")
            return
        }
        #expect([code, message] == ["InUse", "busy"])
    }

    @Test("A location is asked for while it answers 202, also where it moves")
    func azureLocation() throws {
        var operation = LongOperation(
            after: answer(202, .null, ["Location": Self.link]), to: try WireCatalog.call("securityRules.Delete"),
            with: Self.place)
        operation?.take(.success(answer(202, .null, ["Location": "https://management.azure.com/2"])))
        #expect(try ask(operation).request == "GET https://management.azure.com/2")
        operation?.take(.success(answer(204)))
        #expect(isDone(operation))
    }

    @Test("Without a link the resource itself is read until it is provisioned")
    func azureResource() throws {
        let call = try WireCatalog.call("securityRules.CreateOrUpdate")
        var operation = LongOperation(
            after: answer(201, ["properties": ["provisioningState": "Updating"]]), to: call, with: Self.place)
        let asked = try ask(operation)
        #expect(asked.request == call.request.replacing("PUT ", with: "GET "))
        #expect(asked.parameters["body"] == nil)
        #expect(asked.parameters["securityRuleName"] == "r")
        operation?.take(.success(answer(200, ["properties": ["provisioningState": "Succeeded"]])))
        #expect(isDone(operation))
    }

    @Test("What is done at once is no long operation")
    func atOnce() throws {
        let done: JSON = ["properties": ["provisioningState": "Succeeded"]]
        let rule = try WireCatalog.call("securityRules.CreateOrUpdate")
        #expect(LongOperation(after: answer(200, done), to: rule, with: Self.place) == nil)
        let bucket = try WireCatalog.call("storage.buckets.patch")
        #expect(LongOperation(after: answer(200, ["kind": "storage#bucket"]), to: bucket, with: JSONObject()) == nil)
    }

    @Test("Google's operation is asked for at the host where it was begun")
    func google() throws {
        let call = try WireCatalog.call("compute.firewalls.patch")
        let running: JSON = [
            "kind": "compute#operation", "status": "RUNNING",
            "selfLink": "https://www.googleapis.com/compute/v1/projects/p/global/operations/operation-1",
        ]
        var operation = LongOperation(after: answer(200, running), to: call, with: JSONObject())
        let url = "https://compute.googleapis.com/compute/v1/projects/p/global/operations/operation-1"
        #expect(try ask(operation).request == "GET \(url)")
        var failed = operation
        operation?.take(.success(answer(200, ["kind": "compute#operation", "status": "DONE"])))
        #expect(isDone(operation))
        let error: JSON = ["errors": [["code": "QUOTA_EXCEEDED", "message": "too many"]]]
        failed?.take(.success(answer(200, ["kind": "compute#operation", "status": "DONE", "error": error])))
        guard case .failed(let code, _)? = failed?.step else {
            Issue.record("\(String(describing: failed?.step))")
            return
        }
        #expect(code == "QUOTA_EXCEEDED")
    }

    @Test("What shows in the resource alone is left to be watched there, as the catalog says")
    func watched() throws {
        let call = try WireCatalog.call("rds.ModifyDBInstance")
        let operation = LongOperation(
            after: answer(200, ["DBInstance": ["DBInstanceStatus": "modifying"]]), to: call, with: JSONObject())
        guard case .watch(let until)? = operation?.step else {
            Issue.record("\(String(describing: operation?.step))")
            return
        }
        #expect(until.map(\.value) == ["available"])
    }
}
