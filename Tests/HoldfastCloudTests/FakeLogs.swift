import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON

/// A log as a cloud keeps it.
struct LoggedEvent: Sendable {
    var number: Int
    var time: Timestamp
    /// When the log shows it.
    var shows: Timestamp
    var id: String { "00000000-0000-0000-0000-\(String(number + 1_000_000_000_000).dropFirst())" }
}

/// The three clouds' logs behind their calls: newest first, in pages, shown late, throttled by the providers' limits,
/// and failing by seed. Answers as the providers do, also to what they refuse.
actor FakeLogs: CallSender {
    private let clock: PassingClock
    private var random: SplitMix
    /// Some calls in this number get no answer; 0: none.
    private let faultEvery: Int
    /// By partition.
    private var events: [String: [LoggedEvent]] = [:]
    private var denied: [String: ClosedRange<Timestamp>] = [:]
    private var calls: [String: [Timestamp]] = [:]
    /// Rows that were made once, by partition and number.
    private var rows: [String: JSON] = [:]
    private(set) var throttled = 0
    private(set) var answered = 0

    init(clock: PassingClock, seed: UInt64, faultEvery: Int = 0) {
        self.clock = clock
        random = SplitMix(seed: seed)
        self.faultEvery = faultEvery
    }

    func put(_ events: [LoggedEvent], in partition: String) { self.events[partition, default: []] += events }
    func deny(_ partition: String, _ range: ClosedRange<Timestamp>) { denied[partition] = range }

    func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        let partition = partition(call, parameters, scope)
        let now = clock.wallTime()
        try fail(partition, now)
        switch scope.cloud {
        case .aws: try throttle(partition, now, calls: 2, seconds: 1)
        case .azure: try throttle(partition, now, calls: 25, seconds: 1)
        case .gcp: try throttle(partition, now, calls: 60, seconds: 60)
        }
        let answer: JSON
        switch call.name {
        case "cloudtrail.LookupEvents": answer = try lookup(partition, parameters, now)
        case "activityLogs.List": answer = try activity(partition, parameters, now)
        case "logging.entries.list": answer = try entries(partition, parameters, now)
        default: throw CallFailure(kind: .refused, status: 400, code: "UnknownOperation", message: call.name)
        }
        clock.pass(.milliseconds(random.number(20...200)))
        answered += 1
        return CallAnswer(answer, at: now)
    }

    private func partition(_ call: CloudCall, _ parameters: JSONObject, _ scope: CallScope) -> String {
        if scope.cloud == .aws { return "\(scope.account)/\(scope.region)" }
        return parameters["subscriptionId"]?.string
            ?? parameters["body"]?["resourceNames"]?.array?.first?.string ?? ""
    }

    private func fail(_ partition: String, _ now: Timestamp) throws(CallFailure) {
        if let range = denied[partition], range.contains(now) {
            throw CallFailure(kind: .denied, status: 403, code: "AccessDenied", message: "no: \(partition)")
        }
        guard faultEvery > 0, random.once(in: faultEvery) else { return }
        clock.pass(.seconds(random.number(0...5)))
        let kinds: [CallFailure.Kind] = [.unavailable, .unknownOutcome, .notSent]
        throw CallFailure(kind: kinds[random.number(0...2)], status: 0, code: "fault", message: "a fault by seed")
    }

    private func throttle(
        _ partition: String, _ now: Timestamp, calls count: Int, seconds: Int
    ) throws(CallFailure) {
        let recent = calls[partition, default: []].filter { $0 + Span(seconds: seconds) > now }
        calls[partition] = recent
        guard recent.count < count else {
            throttled += 1
            throw CallFailure(kind: .throttled, status: 429, code: "ThrottlingException", message: "Rate exceeded")
        }
        calls[partition]?.append(now)
    }

    /// What is shown of a window, newest first, behind a token: the number of the last event of the page before.
    private func page(
        _ partition: String, _ now: Timestamp, from: Timestamp, to: Timestamp, token: String?, size: Int,
        by key: (LoggedEvent) -> Timestamp
    ) -> (events: ArraySlice<LoggedEvent>, token: String?) {
        let visible = events[partition, default: []].filter {
            $0.shows <= now && key($0) >= from && key($0) <= to
        }.sorted { (key($0), $0.number) > (key($1), $1.number) }
        var rest = visible[...]
        if let token, let last = events[partition]?.first(where: { String($0.number) == token }) {
            rest = rest.drop { (key($0), $0.number) >= (key(last), last.number) }
        }
        let page = rest.prefix(size)
        return (page, rest.count > size ? page.last.map { String($0.number) } : nil)
    }

    // MARK: CloudTrail

    private func lookup(
        _ partition: String, _ parameters: JSONObject, _ now: Timestamp
    ) throws(CallFailure) -> JSON {
        guard let from = parameters["StartTime"]?.int, let to = parameters["EndTime"]?.int, from <= to else {
            throw CallFailure(kind: .refused, status: 400, code: "InvalidTimeRangeException", message: "range")
        }
        var token: String?
        if let text = parameters["NextToken"]?.string {
            // A token belongs to the parameters that it was given for.
            let parts = text.split(separator: "|").map(String.init)
            guard parts.count == 3, parts[0] == String(from), parts[1] == String(to) else {
                throw CallFailure(kind: .refused, status: 400, code: "InvalidNextTokenException", message: "token")
            }
            token = parts[2]
        }
        let page = page(
            partition, now, from: Timestamp(seconds: Int64(from)), to: Timestamp(seconds: Int64(to)), token: token,
            size: parameters["MaxResults"]?.int ?? 50, by: \.time)
        var answer = JSONObject([("Events", .array(page.events.map { lookupRow($0, partition) }))])
        if let token = page.token { answer["NextToken"] = .string("\(from)|\(to)|\(token)") }
        return .object(answer)
    }

    private func lookupRow(_ event: LoggedEvent, _ partition: String) -> JSON {
        let key = "\(partition) \(event.number)"
        if let row = rows[key] { return row }
        let parts = partition.split(separator: "/").map(String.init)
        let record: JSON = [
            "eventVersion": "1.08", "eventID": .string(event.id), "eventTime": .string("\(event.time)"),
            "eventSource": "s3.amazonaws.com", "eventName": "PutBucketVersioning", "awsRegion": .string(parts[1]),
            "recipientAccountId": .string(parts[0]), "readOnly": false, "eventType": "AwsApiCall",
            "userIdentity": ["type": "IAMUser", "arn": .string("arn:aws:iam::\(parts[0]):user/someone")],
            "requestParameters": ["bucketName": .string("bucket-\(event.number)")],
        ]
        let seconds = Double(event.time.nanoseconds) / 1e9
        let row: JSON = [
            "EventId": .string(event.id), "EventName": "PutBucketVersioning", "ReadOnly": "false",
            "EventTime": .number(JSONNumber(unchecked: "\(seconds)")), "Username": "someone",
            "CloudTrailEvent": .string(record.canonicalText),
        ]
        rows[key] = row
        return row
    }

    // MARK: Azure

    private func activity(
        _ partition: String, _ parameters: JSONObject, _ now: Timestamp
    ) throws(CallFailure) -> JSON {
        let words = (parameters["$filter"]?.string ?? "").split(separator: "'").map(String.init)
        guard words.count == 4, words[0] == "eventTimestamp ge ", words[2] == " and eventTimestamp le ",
            let from = Timestamp(words[1]), let to = Timestamp(words[3])
        else { throw CallFailure(kind: .refused, status: 400, code: "BadRequest", message: "filter") }
        let page = page(
            partition, now, from: from, to: to, token: parameters["$skipToken"]?.string, size: 20, by: \.time)
        var answer = JSONObject([
            (
                "value",
                .array(
                    page.events.map { event in
                        [
                            "eventDataId": .string(event.id), "eventTimestamp": .string("\(event.time)"),
                            "operationName": ["value": "Microsoft.Storage/storageAccounts/write"],
                            "status": ["value": "Succeeded"], "subscriptionId": .string(partition),
                        ]
                    })
            )
        ])
        if let token = page.token {
            let filter = "eventTimestamp%20ge%20'x'"
            answer["nextLink"] = .string(
                "https://elsewhere.example/x?api-version=2015-04-01&$filter=\(filter)&$skipToken=\(token)")
        }
        return .object(answer)
    }

    // MARK: Google

    private func entries(
        _ partition: String, _ parameters: JSONObject, _ now: Timestamp
    ) throws(CallFailure) -> JSON {
        let body = parameters["body"] ?? .null
        let parts = (body["filter"]?.string ?? "").split(separator: "\"").map(String.init)
        guard parts.count == 8, parts[2] == " AND receiveTimestamp>=", parts[4] == " AND receiveTimestamp<=",
            let from = Timestamp(parts[3]), let to = Timestamp(parts[5]), let oldest = Timestamp(parts[7]),
            body["orderBy"] == "timestamp desc"
        else { throw CallFailure(kind: .refused, status: 400, code: "INVALID_ARGUMENT", message: "filter") }
        let page = page(
            partition, now, from: from, to: to, token: body["pageToken"]?.string, size: body["pageSize"]?.int ?? 50,
            by: \.shows)
        var answer = JSONObject()
        let entries = page.events.filter { $0.time >= oldest }.map { event -> JSON in
            [
                "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "insertId": .string(event.id),
                "timestamp": .string("\(event.time)"), "receiveTimestamp": .string("\(event.shows)"),
                "protoPayload": ["methodName": "storage.buckets.update", "serviceName": "storage.googleapis.com"],
            ]
        }
        // An empty list is left out, and a page without entries may lead to another.
        if !entries.isEmpty { answer["entries"] = .array(entries) }
        if let token = page.token { answer["nextPageToken"] = .string(token) }
        return .object(answer)
    }
}
