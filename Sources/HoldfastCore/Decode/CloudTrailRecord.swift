internal import HoldfastCrypto
internal import HoldfastJSON

/// A record of AWS CloudTrail: an object with `eventSource` and `eventName`.
struct CloudTrailRecord {
    let body: JSONObject
    let facts: EnvelopeFacts

    func item(detail: DecodeDetail) throws(RecordFault) -> DecodedItem {
        let event = try event()
        if case .failure(let code) = event.outcome { return .dropped(DroppedRecord(.failed(code), event, detail: detail)) }
        if let session = CloudTrailSession.opening(event, body) { return .session(session) }
        return event.readOnly ? .dropped(DroppedRecord(.readOnly, event, detail: detail)) : .event(event)
    }

    private func event() throws(RecordFault) -> ChangeEvent {
        let time = try Moment(body["eventTime"], name: "eventTime").resolved(by: facts, name: "eventTime")
        let source = body["eventSource"]?.string ?? ""
        let name = body["eventName"]?.string ?? ""
        let identity = body["userIdentity"]?.object
        let agent = body["userAgent"]?.string ?? ""
        return ChangeEvent(
            id: body["eventID"]?.filled ?? facts.id ?? digestID(of: body), cloud: .aws, time: time,
            account: account(identity), region: body["awsRegion"]?.filled ?? facts.region ?? "",
            actor: CloudTrailRecord.actor(identity), callers: CloudTrailRecord.callers(identity),
            sourceIP: body["sourceIPAddress"]?.scalarText ?? "", action: "\(source)/\(name)",
            outcome: outcome(source: source, name: name), readOnly: readOnly(name: name),
            via: UserAgents.via(
                aws: agent, invokedBy: identity?["invokedBy"]?.string ?? "",
                eventType: body["eventType"]?.string ?? "",
                isConsoleSession: body["sessionCredentialFromConsole"]?.scalarText == "true"),
            userAgent: agent, body: .object(body))
    }

    private func account(_ identity: JSONObject?) -> String {
        for value in [body["recipientAccountId"], identity?["accountId"]] {
            if let text = value?.scalarText, !text.isEmpty { return text }
        }
        return facts.account ?? ""
    }

    /// Without `readOnly`, which old records and some services leave out, the operation's name decides.
    private func readOnly(name: String) -> Bool {
        switch body["readOnly"] {
        case .bool(let value)?: return value
        case .string(let text)?:
            if text.lowercased() == "true" { return true }
            if text.lowercased() == "false" { return false }
        default: break
        }
        return facts.readOnly ?? ReadVerbs.match(cloudTrail: name)
    }

    private func outcome(source: String, name: String) -> Outcome {
        if let code = body["errorCode"]?.scalarText, !code.isEmpty { return .failure(code) }
        // The sign-in service says how it ended in the answer, under the operation's own name.
        if source == "signin.amazonaws.com", body["responseElements"]?[name] == "Failure" {
            return .failure(body["errorMessage"]?.filled ?? "Failure")
        }
        return .success
    }

    static func actor(_ identity: JSONObject?) -> Principal {
        guard let identity else { return Principal(name: "") }
        let type = identity["type"]?.string ?? ""
        let arn = identity["arn"]?.filled
        let key = identity["accessKeyId"]?.filled
        return Principal(name: name(identity), type: type, sessionKey: key ?? (type == "AssumedRole" ? arn : nil) ?? "")
    }

    private static func name(_ identity: JSONObject) -> String {
        for member in ["arn", "principalId", "invokedBy", "userName"] {
            if let text = identity[member]?.filled { return text }
        }
        return identity["onBehalfOf"]?["userId"]?.filled ?? identity["accountId"]?.scalarText ?? ""
    }

    /// The source identity that a role session was opened with.
    private static func callers(_ identity: JSONObject?) -> [Principal] {
        guard let name = identity?["sessionContext"]?["sourceIdentity"]?.filled else { return [] }
        return [Principal(name: name, type: "SourceIdentity")]
    }
}

/// The id of an event that has none: the same for every delivery of the same bytes.
func digestID(of body: JSONObject) -> String { "sha256:\(sha256(JSON.object(body).canonicalBytes))" }
