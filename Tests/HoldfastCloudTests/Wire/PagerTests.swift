import HoldfastCloud
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import Testing

/// Answers calls in turn, and notes them.
final class ScriptedSender: CallSender {
    struct Asked: Equatable {
        var request: String
        var parameters: JSONObject
    }
    let asked = Mutex<[Asked]>([])
    private let answers: Mutex<[Result<JSON, CallFailure>]>

    init(_ answers: [Result<JSON, CallFailure>]) { self.answers = Mutex(answers) }

    func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        asked.withLock { $0.append(Asked(request: call.request, parameters: parameters)) }
        let next = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return CallAnswer(status: 200, headers: HTTPHeaders(), body: try next.get(), started: .distantPast)
    }
}

@Suite("Pages")
struct PagerTests {
    private func pager(
        _ name: String, _ parameters: JSONObject = JSONObject(), by sender: ScriptedSender, limit: Int = 100
    ) throws -> Pager {
        Pager(
            try WireCatalog.call(name), parameters: parameters, in: CallScope(cloud: .aws, account: ""),
            catalog: WireCatalog.shipped, sender: sender, limit: limit)
    }

    private func bodies(_ pager: Pager) async throws -> [JSON] {
        var pager = pager
        var bodies: [JSON] = []
        while let page = try await pager.next() { bodies.append(page.body) }
        return bodies
    }

    @Test("AWS's pages follow one another by the tokens that its model names")
    func aws() async throws {
        let pages: [JSON] = [["Keys": [1], "Truncated": true, "NextMarker": "m"], ["Keys": [2], "Truncated": false]]
        let sender = ScriptedSender(pages.map { .success($0) })
        #expect(try await bodies(try pager("kms.ListKeys", object(["Limit": 1]), by: sender)) == pages)
        let parameters = sender.asked.withLock { $0.map(\.parameters) }
        #expect(parameters == [object(["Limit": 1]), object(["Limit": 1, "Marker": "m"])])
    }

    @Test("A token with the word that there is no more ends the pages, and an empty token does too")
    func ends() async throws {
        let last: JSON = ["Keys": [], "Truncated": false, "NextMarker": "m"]
        #expect(try await bodies(try pager("kms.ListKeys", by: ScriptedSender([.success(last)]))) == [last])
        let empty: JSON = ["Vpcs": [], "NextToken": ""]
        #expect(try await bodies(try pager("ec2.DescribeVpcs", by: ScriptedSender([.success(empty)]))) == [empty])
    }

    @Test("A call without pages is made once")
    func single() async throws {
        let sender = ScriptedSender([.success(["NextToken": "t"])])
        #expect(try await bodies(try pager("iam.GetAccountSummary", by: sender)).count == 1)
    }

    @Test("Azure's pages follow by link, sent as it is and without the first page's parameters")
    func azure() async throws {
        let link = "https://management.azure.com/subscriptions/s/x?api-version=1&$skiptoken=a%2Bb"
        let sender = ScriptedSender([.success(["value": [1], "nextLink": .string(link)]), .success(["value": [2]])])
        let given = object(["subscriptionId": "s"])
        #expect(try await bodies(try pager("storageAccounts.List", given, by: sender)).count == 2)
        let asked = sender.asked.withLock { $0 }
        #expect(asked.map(\.parameters) == [given, JSONObject()])
        #expect(asked.last?.request == "GET \(link)")
    }

    @Test("Google's pages follow by token, in the query or, where the call is posted, in the body")
    func google() async throws {
        let pages: [Result<JSON, CallFailure>] = [.success(["items": [], "nextPageToken": "t"]), .success([:])]
        let listed = ScriptedSender(pages)
        let given = object(["project": "p"])
        #expect(try await bodies(try pager("compute.firewalls.list", given, by: listed)).count == 2)
        #expect(listed.asked.withLock { $0.last?.parameters } == object(["project": "p", "pageToken": "t"]))
        let posted = ScriptedSender(pages)
        #expect(
            try await bodies(try pager("logging.entries.list", object(["body": ["a": 1]]), by: posted)).count == 2
        )
        #expect(posted.asked.withLock { $0.last?.parameters } == object(["body": ["a": 1, "pageToken": "t"]]))
    }

    @Test("Pages that turn in a circle, or do not end, are an error")
    func endless() async throws {
        let circle = ScriptedSender([.success(["Vpcs": [], "NextToken": "t"])])
        await #expect { try await bodies(try pager("ec2.DescribeVpcs", by: circle)) } throws: {
            ($0 as? CallFailure)?.code == "repeatedPage"
        }
        let many = (0..<9).map { Result<JSON, CallFailure>.success(["NextToken": .string("t\($0)")]) }
        await #expect { try await bodies(try pager("ec2.DescribeVpcs", by: ScriptedSender(many), limit: 5)) } throws: {
            ($0 as? CallFailure)?.code == "tooManyPages"
        }
    }

    @Test("After an error the same page can be asked for again")
    func resumes() async throws {
        let failure = CallFailure(kind: .throttled, code: "Throttling", message: "")
        let sender = ScriptedSender([.success(["NextToken": "t"]), .failure(failure), .success(["Vpcs": []])])
        var pager = try pager("ec2.DescribeVpcs", by: sender)
        _ = try await pager.next()
        await #expect(throws: CallFailure.self) { try await pager.next() }
        #expect(try await pager.next()?.body == ["Vpcs": []])
        #expect(try await pager.next() == nil)
        #expect(sender.asked.withLock { $0.map { $0.parameters["NextToken"] } } == [nil, "t", "t"])
    }

    @Test("A link to another host is not followed with our token")
    func otherHost() async throws {
        let exchange = ScriptedExchange { _ throws(HTTPFailure) in
            .json(["value": [], "nextLink": "https://evil.example.com/subscriptions?x=1"])
        }
        let sender = WireSender(
            catalog: WireCatalog.shipped, http: exchange, authority: NoAuthority(), clock: StillClock(),
            newToken: { "" })
        var pager = Pager(
            try WireCatalog.call("storageAccounts.List"), parameters: object(["subscriptionId": "s"]),
            in: CallScope(cloud: .azure, account: "s"), catalog: WireCatalog.shipped, sender: sender)
        _ = try await pager.next()
        await #expect { try await pager.next() } throws: { ($0 as? CallFailure)?.kind == .notSent }
        #expect(exchange.requests.count == 1)
    }

    @Test("A link is sent as its server wrote it")
    func links() async throws {
        let link = "https://management.azure.com/subscriptions/s/x?api-version=1&$skiptoken=a%2Bb+c 'd'"
        let exchange = ScriptedExchange { request throws(HTTPFailure) in
            .json(request.url.contains("skiptoken") ? [:] : ["nextLink": .string(link)])
        }
        let sender = WireSender(
            catalog: WireCatalog.shipped, http: exchange, authority: NoAuthority(), clock: StillClock(),
            newToken: { "" })
        var pager = Pager(
            try WireCatalog.call("storageAccounts.List"), parameters: object(["subscriptionId": "s"]),
            in: CallScope(cloud: .azure, account: "s"), catalog: WireCatalog.shipped, sender: sender)
        while try await pager.next() != nil {}
        #expect(exchange.requests.last?.url == link.replacing(" ", with: "%20"))
    }
}
