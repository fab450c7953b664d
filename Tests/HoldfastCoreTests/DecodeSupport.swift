import Foundation
import HoldfastCore
import HoldfastJSON
import Testing

func decode(_ text: String, detail: DecodeDetail = .full) -> [DecodedItem] { decode(Array(text.utf8), detail: detail) }

func decode(_ bytes: [UInt8], detail: DecodeDetail = .full) -> [DecodedItem] {
    var decoder = EventDecoder()
    return decoder.decode(bytes.span, detail: detail)
}

/// The items in words, one each: `event ACTION`, `session ACTION`, `dropped REASON`, `undecodable PLACE: REASON`.
func words(_ items: [DecodedItem]) -> [String] {
    items.map { item in
        switch item {
        case .event(let event): "event \(event.action)"
        case .session(let session): "session \(session.action)"
        case .dropped(let record): "dropped \(record.reason)"
        case .undecodable(let record): "undecodable \(record.place): \(record.reason)"
        }
    }
}

/// The only item, as an event, whatever became of it.
func onlyEvent(_ text: String) throws -> ChangeEvent {
    let items = decode(text)
    try #require(items.count == 1, "\(words(items))")
    return try #require(items[0].event, "\(words(items))")
}

/// A CloudTrail record: a small write, with members set or, where null, left out.
func trail(_ changes: JSON = [:]) -> String {
    let record: JSON = [
        "eventVersion": "1.08", "eventTime": "2026-01-02T03:04:05Z", "eventSource": "s3.amazonaws.com",
        "eventName": "PutBucketPolicy", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15", "eventID": "11111111-2222-3333-4444-555555555555", "readOnly": false,
        "recipientAccountId": "111122223333", "requestParameters": ["bucketName": "a"],
        "userIdentity": [
            "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "accountId": "111122223333",
            "accessKeyId": "AKIAANN",
        ],
    ]
    return edited(record, changes)
}

/// The record with some members replaced; null takes one away.
func edited(_ record: JSON, _ changes: JSON) -> String {
    var object = record.object ?? JSONObject()
    for member in changes.object?.members ?? [] { object[member.name] = member.value.isNull ? nil : member.value }
    return JSON.object(object).canonicalText
}

/// A text as a JSON string.
func quoted(_ text: String) -> String { JSON.string(text).canonicalText }

func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

enum TestData {
    static let folder = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"]
    static var isThere: Bool { folder != nil }

    /// Every file below a folder that ends in one of these, in the order of their paths, with its bytes.
    static func files(_ name: String, _ endings: String...) throws -> [(path: String, bytes: [UInt8])] {
        let root = URL(filePath: try #require(folder)).appending(path: name)
        let found = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        let urls = found.compactMap { $0 as? URL }.filter { url in endings.contains { url.path.hasSuffix($0) } }
        return try urls.sorted { $0.path < $1.path }.map { ($0.path, Array(try Data(contentsOf: $0))) }
    }

    static func lines(_ bytes: [UInt8]) -> [[UInt8]] { bytes.split(separator: UInt8(ascii: "\n")).map(Array.init) }

    /// By another parser than ours.
    static func foreignTree(_ bytes: [UInt8]) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }
}

/// An item with everything that intake must agree on with a full decode.
func intakeView(_ item: DecodedItem) -> [String] {
    switch item {
    case .event(let event): ["event"] + fields(event)
    case .session(let session):
        [
            "session", session.caller.name, session.caller.type, session.caller.sessionKey, session.action,
            "\(session.opened)",
        ] + session.sessions
    case .dropped(let record):
        [
            "dropped", "\(record.reason)", record.cloud?.rawValue ?? "", record.account, record.actor, record.action,
            record.time?.description ?? "",
        ]
    case .undecodable(let record): ["undecodable", record.place, record.reason, "\(record.bytes.hashValue)"]
    }
}

private func fields(_ event: ChangeEvent) -> [String] {
    [
        event.id, event.cloud.rawValue, event.time.description, event.account, event.region, event.actor.name,
        event.actor.type, event.actor.sessionKey, "\(event.callers)", event.sourceIP, event.action, "\(event.outcome)",
        "\(event.readOnly)", event.via.rawValue, event.userAgent, event.correlation, "\(event.isStart)",
        event.body.canonicalText,
    ]
}
