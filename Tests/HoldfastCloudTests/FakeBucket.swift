import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import TestOracles

/// A bucket that files appear in and a queue that tells of them, as S3 and SQS behave: listings in the order of names
/// and in pages, messages that come back until they are deleted, some of them twice, and faults by seed.
actor FakeBucket: CallSender {
    static let inflate: Inflate = { try GzipReader.inflate(whole: $0, limit: 8 << 20) }

    private struct Object {
        var bytes: [UInt8]
        var appears: Timestamp
    }
    private struct Message {
        var id: String
        var body: String
        var visible: Timestamp
        var receipt = ""
        var isDeleted = false
    }
    private let clock: PassingClock
    private var random: SplitMix
    private let faultEvery: Int
    private let pageSize: Int
    private var objects: [String: Object] = [:]
    private var messages: [Message] = []
    private var denied: Set<String> = []
    private(set) var fetched: [String] = []
    private(set) var lists = 0
    private(set) var extended = 0

    init(clock: PassingClock, seed: UInt64 = 0, faultEvery: Int = 0, pageSize: Int = 1000) {
        self.clock = clock
        random = SplitMix(seed: seed)
        self.faultEvery = faultEvery
        self.pageSize = pageSize
    }

    func put(_ key: String, _ bytes: [UInt8], at appears: Timestamp = .distantPast) {
        objects[key] = Object(bytes: bytes, appears: appears)
    }
    func remove(_ key: String) { objects[key] = nil }
    func deny(_ key: String, _ isDenied: Bool = true) {
        if isDenied { denied.insert(key) } else { denied.remove(key) }
    }
    func tell(_ body: String, at visible: Timestamp = .distantPast) {
        messages.append(Message(id: "m\(messages.count)", body: body, visible: visible))
    }
    var waiting: Int { messages.count { !$0.isDeleted } }

    func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        let now = clock.wallTime()
        clock.pass(.milliseconds(random.number(10...100)))
        if faultEvery > 0, random.once(in: faultEvery) {
            throw CallFailure(kind: .unavailable, status: 503, code: "SlowDown", message: "a fault by seed")
        }
        switch call.name {
        case "s3.GetObject": return try get(parameters["Key"]?.string ?? "", now)
        case "s3.ListObjectsV2": return CallAnswer(list(parameters, now), at: now)
        case "sqs.ReceiveMessage": return CallAnswer(receive(parameters, now), at: now)
        case "sqs.DeleteMessageBatch":
            for entry in parameters["Entries"]?.array ?? [] { delete(entry["ReceiptHandle"]?.string ?? "") }
        case "sqs.ChangeMessageVisibilityBatch":
            for entry in parameters["Entries"]?.array ?? [] { extend(entry, now) }
        default: throw CallFailure(kind: .refused, status: 400, code: "UnknownOperation", message: call.name)
        }
        return CallAnswer([:], at: now)
    }

    // MARK: S3

    private func get(_ key: String, _ now: Timestamp) throws(CallFailure) -> CallAnswer {
        if denied.contains(key) {
            throw CallFailure(kind: .denied, status: 403, code: "AccessDenied", message: "no: \(key)")
        }
        guard let object = objects[key], object.appears <= now else {
            throw CallFailure(kind: .refused, status: 404, code: "NoSuchKey", message: "no such key")
        }
        fetched.append(key)
        return CallAnswer(.null, bytes: object.bytes, at: now)
    }

    private func list(_ parameters: JSONObject, _ now: Timestamp) -> JSON {
        lists += 1
        let prefix = parameters["Prefix"]?.string ?? ""
        let after = parameters["ContinuationToken"]?.string ?? parameters["StartAfter"]?.string ?? ""
        let keys = objects.filter { $0.value.appears <= now && $0.key.hasPrefix(prefix) }.map(\.key)
        var items: [(key: String, isFolder: Bool)] = []
        for key in keys.sorted(by: { $0.precedesInUTF8($1) }) {
            let rest = key.dropFirst(prefix.count)
            if parameters["Delimiter"] == "/", let slash = rest.firstIndex(of: "/") {
                let folder = prefix + rest[...slash]
                if items.last?.key != folder { items.append((folder, true)) }
            } else {
                items.append((key, false))
            }
        }
        let rest = items.drop { !after.precedesInUTF8($0.key) }
        let page = rest.prefix(pageSize)
        var answer = JSONObject([("IsTruncated", .bool(rest.count > page.count)), ("Name", "trail")])
        let files = page.filter { !$0.isFolder }.map { item -> JSON in
            ["Key": .string(item.key), "ETag": "\"0f\"", "Size": 1]
        }
        let folders = page.filter(\.isFolder).map { item -> JSON in ["Prefix": .string(item.key)] }
        if !files.isEmpty { answer["Contents"] = .array(files) }
        if !folders.isEmpty { answer["CommonPrefixes"] = .array(folders) }
        if rest.count > page.count { answer["NextContinuationToken"] = page.last.map { .string($0.key) } }
        return .object(answer)
    }

    // MARK: SQS

    private func receive(_ parameters: JSONObject, _ now: Timestamp) -> JSON {
        var given: [JSON] = []
        for index in messages.indices where given.count < parameters["MaxNumberOfMessages"]?.int ?? 1 {
            guard !messages[index].isDeleted, messages[index].visible <= now else { continue }
            messages[index].receipt = "r\(index)-\(random.next())"
            // Standard queues give a message twice now and then.
            if !(faultEvery > 0 && random.once(in: 8)) {
                messages[index].visible = now + Span(seconds: parameters["VisibilityTimeout"]?.int ?? 30)
            }
            let message = messages[index]
            given.append([
                "MessageId": .string(message.id), "ReceiptHandle": .string(message.receipt),
                "Body": .string(message.body),
            ])
        }
        if given.isEmpty { clock.pass(.seconds(parameters["WaitTimeSeconds"]?.int ?? 0)) }
        return given.isEmpty ? [:] : ["Messages": .array(given)]
    }

    private func delete(_ receipt: String) {
        guard let index = messages.firstIndex(where: { $0.receipt == receipt }) else { return }
        messages[index].isDeleted = true
    }

    private func extend(_ entry: JSON, _ now: Timestamp) {
        guard let index = messages.firstIndex(where: { $0.receipt == entry["ReceiptHandle"]?.string }) else { return }
        extended += 1
        messages[index].visible = now + Span(seconds: entry["VisibilityTimeout"]?.int ?? 0)
    }
}

/// A file of CloudTrail in a bucket.
struct TrailFile {
    var account = "012345670123"
    var region = "eu-west-1"
    var written: Timestamp
    var number: Int
    var records: Int

    var key: String {
        let text = written.description.filter { $0 != "-" && $0 != ":" }
        let day = "\(text.prefix(4))/\(text.dropFirst(4).prefix(2))/\(text.dropFirst(6).prefix(2))"
        let name = "\(account)_CloudTrail_\(region)_\(text.prefix(13))Z_\(String(number, radix: 36)).json.gz"
        return "AWSLogs/\(account)/CloudTrail/\(region)/\(day)/\(name)"
    }
    var texts: [String] { (0..<records).map { "{\"eventID\":\"\(account)-\(number)-\($0)\"}" } }
    var bytes: [UInt8] { gzipped("{\"Records\":[\(texts.joined(separator: ","))]}") }

    /// S3's event notification, with the key as forms have it.
    var notification: String {
        """
        {"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1",\
        "eventName":"ObjectCreated:Put",\
        "s3":{"bucket":{"name":"trail"},"object":{"key":"\(key.replacing(":", with: "%3A"))","eTag":"0f"}}}]}
        """
    }
}
