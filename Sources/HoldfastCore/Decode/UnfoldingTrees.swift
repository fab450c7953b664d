internal import HoldfastJSON

extension Unfolding {
    /// An event or an envelope, or a text that holds one.
    mutating func unfold(_ value: JSON, at place: RecordPlace) {
        guard place.depth <= RecordPlace.deepest else { return fail(RecordPlace.tooDeep, at: place, value) }
        switch value {
        case .object(let object): unfold(object, at: place)
        case .string(let text): document(text.utf8.span, at: .nested(place))
        case .array(let elements):
            if elements.isEmpty { empty(place) }
            for (index, element) in elements.enumerated() { unfold(element, at: .element(.nested(place), index)) }
        case .null, .bool, .number: fail("is \(value.kindName), where an event is a map", at: place, value)
        }
    }

    private mutating func unfold(_ object: JSONObject, at place: RecordPlace) {
        do {
            switch RecordShape(object) {
            case .list(let name): unfold(object[name] ?? .null, at: place.member(name))
            case .lookupRow: unfold(lookupRow: object, at: place)
            case .eventBridge(let type): unfold(eventBridge: object, type, at: place)
            case .sns(let type): unfold(sns: object, type, at: place)
            case .wrapped(let name): unfold(object[name] ?? .null, at: place.member(name))
            case .pubSub: unfold(pubSub: object, at: place)
            case .base64: unfold(base64: object, at: place)
            case .cloudEvent(let type): unfold(cloudEvent: object, type, at: place)
            case .eventGrid(let type): try unfold(eventGrid: object, type, at: place)
            case .cloudTrail:
                items.append(try CloudTrailRecord(body: object, facts: place.facts).item(detail: detail))
            case .google: items.append(try GoogleRecord(body: object, facts: place.facts).item(detail: detail))
            case .azure: items.append(try AzureRecord(body: object, facts: place.facts).item(detail: detail))
            case .foreign(let what, let cloud): drop(foreign: what, cloud, object, at: place)
            case .unknown: fail(Unfolding.unknownShape(object), at: place, .object(object))
            }
        } catch {
            fail(error.reason, at: place, .object(object))
        }
    }

    private static func unknownShape(_ object: JSONObject) -> String {
        let names = object.names.prefix(8).map { $0.prefix(40) }.joined(separator: ", ")
        return "is no event of a shape that is known here: a map with \(names.isEmpty ? "no members" : names)"
    }

    mutating func fail(_ reason: String, at place: RecordPlace, _ value: JSON) {
        fail(reason, at: place, value.canonicalBytes.span)
    }

    /// What is known and no audit event: its envelope still says something of it.
    private mutating func drop(foreign what: String, _ cloud: Cloud, _ object: JSONObject, at place: RecordPlace) {
        let facts = place.facts
        let named = ["time", "timestamp", "eventTime", "configurationItemCaptureTime"].lazy
            .compactMap { Moment(object[$0], name: $0).time }.first
        let account = (facts.account ?? object["accountId"]?.string ?? object["recipientAccountId"]?.string) ?? ""
        guard let time = facts.time ?? named else {
            return items.append(.dropped(DroppedRecord(.notAnAuditEvent(what), cloud: cloud, account: account)))
        }
        let event = ChangeEvent(
            id: facts.id ?? digestID(of: object), cloud: cloud, time: time, account: account,
            region: facts.region ?? object["awsRegion"]?.string ?? "", actor: Principal(name: ""), sourceIP: "",
            action: "", outcome: .success, readOnly: false, via: .unknown, userAgent: "", body: .object(object))
        items.append(.dropped(.foreign(what, cloud, event, detail: detail)))
    }

    // MARK: AWS

    private mutating func unfold(lookupRow row: JSONObject, at place: RecordPlace) {
        var facts = EnvelopeFacts()
        facts.id = row["EventId"]?.filled
        facts.time = Moment(row["EventTime"], name: "EventTime").time
        facts.readOnly = row["ReadOnly"]?.scalarText.map { $0.lowercased() == "true" }
        unfold(row["CloudTrailEvent"] ?? .null, at: place.member("CloudTrailEvent", facts))
    }

    private mutating func unfold(eventBridge envelope: JSONObject, _ type: String, at place: RecordPlace) {
        let facts = EnvelopeFacts(
            id: envelope["id"]?.filled, time: Moment(envelope["time"], name: "time").time,
            account: envelope["account"]?.filled, region: envelope["region"]?.filled)
        let inner = place.member("detail", facts)
        guard case .object(let detail)? = envelope["detail"] else {
            if type.hasSuffix("via CloudTrail") { return fail("has no detail", at: place, .object(envelope)) }
            return drop(foreign: type, .aws, envelope, at: place)
        }
        switch RecordShape(detail) {
        case .cloudTrail: unfold(.object(detail), at: inner)
        case .foreign(let what, .aws): drop(foreign: what, .aws, detail, at: inner)
        case _ where type.hasSuffix("via CloudTrail"): fail(Unfolding.unknownShape(detail), at: inner, .object(detail))
        default: drop(foreign: type, .aws, detail, at: inner)
        }
    }

    private mutating func unfold(sns envelope: JSONObject, _ type: String, at place: RecordPlace) {
        guard type == "Notification", let message = envelope["Message"], message != .null else {
            return drop(foreign: "SNS \(type)", .aws, envelope, at: place)
        }
        let facts = EnvelopeFacts(time: Moment(envelope["Timestamp"], name: "Timestamp").time)
        let inner = place.member("Message", facts)
        if let text = message.string, ![UInt8(ascii: "{"), UInt8(ascii: "[")].contains(text.utf8.first { $0 > 0x20 }) {
            return drop(foreign: "SNS message in plain text", .aws, envelope, at: inner)
        }
        unfold(message, at: inner)
    }

    /// Of a message of Pub/Sub or a record of Kinesis.
    private mutating func unfold(base64 message: JSONObject, at place: RecordPlace) {
        let time = Moment(message["publishTime"] ?? message["publish_time"], name: "publishTime").time
        let inner = place.member("data", EnvelopeFacts(time: time))
        guard let text = message["data"]?.string else { return fail("has no data", at: place, .object(message)) }
        guard let bytes = bytes(fromBase64: text) else {
            // Some bridges write the text itself.
            return unfold(.string(text), at: inner)
        }
        document(bytes.span, at: inner)
    }

    // MARK: Google Cloud and CloudEvents

    private mutating func unfold(pubSub push: JSONObject, at place: RecordPlace) {
        guard let message = push["message"]?.object else { return }
        unfold(base64: message, at: place.member("message"))
    }

    private mutating func unfold(cloudEvent event: JSONObject, _ type: String, at place: RecordPlace) {
        if type.hasPrefix("Microsoft.") {
            do { return try unfold(eventGrid: event, type, at: place) } catch {
                return fail(error.reason, at: place, .object(event))
            }
        }
        if let text = event["data_base64"]?.string {
            guard let bytes = bytes(fromBase64: text) else {
                return fail("has data_base64 that is not base64", at: place, .object(event))
            }
            return document(bytes.span, at: place.member("data_base64"))
        }
        let facts = EnvelopeFacts(time: Moment(event["time"], name: "time").time)
        unfold(event["data"] ?? .null, at: place.member("data", facts))
    }

    // MARK: Azure

    private mutating func unfold(eventGrid event: JSONObject, _ type: String, at place: RecordPlace) throws(RecordFault)
    {
        var facts = EnvelopeFacts(
            id: event["id"]?.filled, time: Moment(event["eventTime"] ?? event["time"], name: "eventTime").time)
        guard let data = event["data"]?.objectOrText, type.hasPrefix("Microsoft.Resources.Resource") else {
            return drop(foreign: "Event Grid \(type)", .azure, event, at: place.member("data", facts))
        }
        facts.account = event["topic"]?.filled ?? event["source"]?.filled
        items.append(try AzureRecord(body: data, facts: facts, ending: type).item(detail: detail))
    }
}
