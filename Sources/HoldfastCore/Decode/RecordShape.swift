internal import HoldfastJSON

/// What kind of thing an object is, by the members that only that kind has.
enum RecordShape {
    /// This member is a list of records.
    case list(String)
    /// A row of CloudTrail's LookupEvents.
    case lookupRow
    /// With its `detail-type`.
    case eventBridge(String)
    /// With its `Type`.
    case sns(String)
    /// This member holds a record, as an object or as text.
    case wrapped(String)
    /// A push of Google Pub/Sub, or one message of a pull.
    case pubSub
    /// A message of Google Pub/Sub alone, or a Kinesis record: `data` in base64.
    case base64
    /// With its `type`.
    case cloudEvent(String)
    /// With its `eventType`.
    case eventGrid(String)
    case cloudTrail
    case google
    case azure
    /// Known, and no audit event.
    case foreign(String, Cloud)
    case unknown

    /// The members that hold lists of records, with the cloud that writes them.
    static let lists: [(name: String, cloud: Cloud)] = [
        ("Records", .aws), ("Events", .aws), ("Messages", .aws), ("records", .azure), ("value", .azure),
        ("entries", .gcp), ("receivedMessages", .gcp),
    ]

    init(_ object: JSONObject) {
        self =
            RecordShape.envelope(object) ?? RecordShape.event(object) ?? RecordShape.wrapper(object)
            ?? RecordShape.foreign(object) ?? .unknown
    }

    private static func envelope(_ object: JSONObject) -> RecordShape? {
        let source = object["eventSource"]?.string ?? object["EventSource"]?.string
        if let source, source.hasPrefix("aws:") { return notification(object, source) }
        if object["detail-type"]?.string == nil, object["eventSource"]?.string != nil,
            object["eventName"]?.string != nil
        {
            return .cloudTrail
        }
        if source == nil, object["detail-type"] == nil, let list = lists.first(where: { object[$0.name]?.array != nil })
        {
            return .list(list.name)
        }
        if object["CloudTrailEvent"] != nil { return .lookupRow }
        if let type = object["detail-type"]?.string { return .eventBridge(type) }
        if let type = object["Type"]?.string, object["TopicArn"] != nil || object["MessageId"] != nil {
            return .sns(type)
        }
        if let type = object["type"]?.string, object["specversion"] != nil { return .cloudEvent(type) }
        if let type = object["eventType"]?.string, object["data"]?.object != nil, object["subject"] != nil {
            return .eventGrid(type)
        }
        if object["message"]?.object != nil, object["subscription"] != nil || object["message"]?["data"] != nil {
            return .pubSub
        }
        if object["data"]?.string != nil, object["messageId"] ?? object["message_id"] ?? object["sequenceNumber"] != nil
        {
            return .base64
        }
        return nil
    }

    /// Envelopes that have nothing of their own but a member for what they carry.
    private static func wrapper(_ object: JSONObject) -> RecordShape? {
        ["_raw", "Body", "body"].first { object[$0]?.string != nil || object[$0]?.object != nil }.map(
            RecordShape.wrapped)
    }

    /// What the event sources of Lambda are given, and what S3 tells its queues.
    private static func notification(_ object: JSONObject, _ source: String) -> RecordShape {
        switch source {
        case "aws:sqs" where object["body"] != nil: .wrapped("body")
        case "aws:sns" where object["Sns"] != nil: .wrapped("Sns")
        case "aws:kinesis" where object["kinesis"] != nil: .wrapped("kinesis")
        case "aws:s3": .foreign("S3 notification", .aws)
        default: .foreign("\(source) record", .aws)
        }
    }

    private static func event(_ object: JSONObject) -> RecordShape? {
        if object["eventType"] == "AwsCloudTrailInsight" || object["eventCategory"] == "Insight" {
            return .foreign("CloudTrail Insights event", .aws)
        }
        let names = LenientObject(object)
        if names["protoPayload"]?.object != nil { return .google }
        if object["jsonPayload"] != nil || object["textPayload"] != nil {
            return .foreign("Google Cloud log entry", .gcp)
        }
        let action = names["operationName"] ?? names.object("authorization")?["action"]
        let marks = [
            "resourceId", "resourceUri", "eventTimestamp", "correlationId", "category", "tenantId", "subscriptionId",
        ]
        return action != nil && marks.contains { names[$0] != nil } ? .azure : nil
    }

    private static func foreign(_ object: JSONObject) -> RecordShape? {
        func has(_ names: String...) -> Bool { names.allSatisfy { object[$0] != nil } }
        if let type = object["messageType"]?.string, type.hasPrefix("Config") || has("configurationItem") {
            return .foreign("AWS Config \(type)", .aws)
        }
        if has("invokingEvent") { return .foreign("AWS Config rule invocation", .aws) }
        if has("configurationItems") { return .foreign("AWS Config snapshot", .aws) }
        if has("configurationItemCaptureTime") { return .foreign("AWS Config item", .aws) }
        if object["Event"] == "s3:TestEvent" { return .foreign("S3 test event", .aws) }
        if has("s3Bucket", "s3ObjectKey") { return .foreign("CloudTrail delivery notice", .aws) }
        if has("digestS3Bucket", "logFiles") { return .foreign("CloudTrail digest file", .aws) }
        if has("AlarmName", "NewStateValue") { return .foreign("CloudWatch alarm", .aws) }
        if object["apiVersion"]?.string?.hasPrefix("audit.k8s.io/") == true {
            return .foreign("Kubernetes audit record", .gcp)
        }
        if let schema = object["schemaId"]?.string, has("data") { return .foreign("Azure alert (\(schema))", .azure) }
        if has("metricName", "resourceId") { return .foreign("Azure metric", .azure) }
        if let category = object["category"]?.string, has("resourceId") {
            return .foreign("Azure \(category) record", .azure)
        }
        return nil
    }
}

/// An object whose names are read without regard to letter case and underscores, which differ between the ways in
/// which Azure's and Google's events are delivered.
struct LenientObject {
    private let members: [(name: [UInt8], value: JSON)]

    init(_ object: JSONObject) { members = object.members.map { (LenientObject.plain($0.name), $0.value) } }

    /// `nil` also for null.
    subscript(name: String) -> JSON? {
        let plain = LenientObject.plain(name)
        let value = members.first { $0.name == plain }?.value
        return value.flatMap { $0.isNull ? nil : $0 }
    }

    /// An object, or the object that a text holds as JSON.
    func object(_ name: String) -> LenientObject? { self[name]?.objectOrText.map(LenientObject.init) }

    /// A text that is not empty; of `{"value": …, "localizedValue": …}` the value; numbers as written.
    func text(_ names: String...) -> String? {
        for name in names {
            guard let value = self[name] else { continue }
            let scalar = value.object.map { LenientObject($0)["value"] } ?? value
            if let text = scalar?.scalarText, !text.isEmpty { return text }
        }
        return nil
    }

    private static func plain(_ name: String) -> [UInt8] {
        name.utf8.filter { $0 != UInt8(ascii: "_") }.map { (65...90).contains($0) ? $0 + 32 : $0 }
    }
}

extension JSON {
    /// An object, or the object that a text holds as JSON.
    var objectOrText: JSONObject? {
        switch self {
        case .object(let object): object
        case .string(let text):
            text.utf8.first { $0 > 0x20 } == UInt8(ascii: "{") ? (try? JSON.parse(text))?.object : nil
        case .null, .bool, .number, .array: nil
        }
    }
    /// A text that is not empty.
    var filled: String? { string.flatMap { $0.isEmpty ? nil : $0 } }
}
