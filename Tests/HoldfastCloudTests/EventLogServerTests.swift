import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

/// `Tests/servers/event_logs.py`, for as long as this lives.
private struct EventLogServer {
    private let process: ServerProcess
    let base: String

    init() throws {
        process = try ServerProcess("event_logs.py")
        base = "http://127.0.0.1:\(process.told.int ?? 0)"
    }

    func put(_ path: String, _ body: JSON, by http: HTTPClient) async throws {
        let request = HTTPRequest(method: "PUT", url: "\(base)/control/\(path)", body: body.canonicalBytes)
        let status = try await http.send(request).status
        #expect(status == 200)
    }
}

/// What a server must see of a signature to know the region, and no more.
private struct RegionAuthority: RequestAuthority {
    func authorize(
        _ request: HTTPRequest, signingName: String, in scope: CallScope
    ) async throws(CallFailure) -> HTTPRequest {
        var request = request
        let place = "20261122/\(scope.region)/\(signingName)/aws4_request"
        request.headers["Authorization"] =
            scope.cloud == .aws ? "AWS4-HMAC-SHA256 Credential=AKIA/\(place)" : "Bearer x"
        return request
    }
}

private struct RunningClock: HoldfastClock {
    private let continuous = ContinuousClock()
    var now: ContinuousClock.Instant { continuous.now }
    var minimumResolution: Duration { continuous.minimumResolution }
    func wallTime() -> Timestamp { Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await continuous.sleep(until: deadline, tolerance: tolerance)
    }
}

@Suite("Polled logs over HTTP", .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
struct EventLogServerTests {
    /// A row as the log gives it out.
    private static func row(_ kind: LogKind, _ id: String, _ time: Timestamp) -> JSON {
        switch kind.testDescription {
        case "LookupEvents":
            ["EventId": .string(id), "EventTime": .number(JSONNumber(Int(time.nanoseconds / 1_000_000_000)))]
        case "Activity Log": ["eventDataId": .string(id), "eventTimestamp": .string("\(time)")]
        default:
            [
                "insertId": .string(id), "logName": "projects/my-project/logs/cloudaudit.googleapis.com%2Factivity",
                "timestamp": .string("\(time)"), "receiveTimestamp": .string("\(time)"),
            ]
        }
    }

    @Test(
        "By the catalog's own calls every page of each log is read, whatever fails on the way", arguments: LogKind.all)
    func everyPage(kind: LogKind) async throws {
        let server = try EventLogServer()
        var options = HTTPClientOptions()
        options.proxy = .none
        let http = HTTPClient(options)
        let clock = RunningClock()
        let began = clock.wallTime()
        let count = kind.testDescription == "entries:list" ? 1100 : 120
        let events = (0..<count).map { number -> JSON in
            let time = began - Span(seconds: 30 + number / 4)
            let second = Double(time.nanoseconds / 1_000_000_000)
            let id = String(100_000 + number)
            let shows = kind.testDescription == "entries:list" ? second : 0
            return [
                "id": .string(id), "time": .number(JSONNumber(unchecked: "\(second)")),
                "shows": .number(JSONNumber(unchecked: "\(shows)")),
                "row": Self.row(kind, id, Timestamp(seconds: Int64(second))),
            ]
        }
        try await server.put("events", ["log": .string(kind.partition), "events": .array(events)], by: http)
        try await server.put("faults", ["every": 6, "seed": 4], by: http)
        let sender = WireSender(
            catalog: Shipped.catalog, http: http, authority: RegionAuthority(),
            endpoints: Endpoints(aws: ["": server.base], azure: server.base, google: ["": server.base]), clock: clock,
            newToken: { "token" })
        let sources = PollingSources(
            catalog: Shipped.catalog, sender: sender, budgets: Budgets(clock: clock), clock: clock, began: began)
        let source = try #require(try kind.sources(sources).first)
        try await source.resume(from: [])
        var committed = Committed()
        while committed.records.count < count, let batch = try await source.nextBatch() {
            committed.commit(batch)
            await source.committed(batch.positions)
        }
        let ids = committed.records.compactMap { text -> String? in
            let json = try? JSON.parse(text)
            return (json?["EventId"] ?? json?["eventDataId"] ?? json?["insertId"])?.string
        }
        #expect(Set(ids).count == count && ids.count == count)
        await http.close()
    }

    @Test("The providers' own clients read these logs to their end too")
    func ownClients() throws {
        let logs = try Oracle.lines("event_logs.py")
        #expect(logs.map { $0["log"]?.string } == ["LookupEvents", "the Activity Log", "entries:list"])
        for log in logs { #expect(log["found"]?.array?.count == 130 && log["found"] == log["wanted"]) }
    }
}

extension LogKind {
    fileprivate func sources<C: HoldfastClock>(_ polling: PollingSources<C>) throws -> [any EventSource] {
        let span = Span(seconds: 600)
        switch testDescription {
        case "LookupEvents":
            return try polling.cloudTrailLookup(
                accounts: ["012345670123"], regions: ["eu-west-1"], overlap: span, every: span)
        case "Activity Log":
            return try polling.azureActivity(subscriptions: [partition], overlap: span, every: span)
        default: return try polling.googleLogging(resources: [partition], overlap: span, every: span)
        }
    }
}
