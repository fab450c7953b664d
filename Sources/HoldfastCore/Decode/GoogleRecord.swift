internal import HoldfastJSON

/// An entry of Google Cloud Logging that holds a `protoPayload`.
struct GoogleRecord {
    let body: JSONObject
    let facts: EnvelopeFacts
    private let fields: LenientObject
    private let payload: JSONObject
    private let operation: LenientObject?
    private let labels: JSONObject

    init(body: JSONObject, facts: EnvelopeFacts) {
        self.body = body
        self.facts = facts
        fields = LenientObject(body)
        payload = fields["protoPayload"]?.object ?? JSONObject()
        operation = fields.object("operation")
        labels = fields["resource"]?["labels"]?.object ?? JSONObject()
    }

    func item(detail: DecodeDetail) throws(RecordFault) -> DecodedItem {
        if let foreign { return .dropped(.foreign(foreign, .gcp, try? event(), detail: detail)) }
        let event = try event()
        if case .failure(let code) = event.outcome {
            return .dropped(DroppedRecord(.failed(code), event, detail: detail))
        }
        if event.readOnly { return .dropped(DroppedRecord(.readOnly, event, detail: detail)) }
        return event.isStart ? .dropped(DroppedRecord(.operationNotFinished, event, detail: detail)) : .event(event)
    }

    private var foreign: String? {
        if let type = payload["@type"]?.string, !type.hasSuffix(".AuditLog") {
            return "Google Cloud \(type.split(separator: ".").last ?? "") entry"
        }
        let method = payload["methodName"]?.string ?? ""
        return method.hasPrefix("io.k8s.") || payload["serviceName"] == "k8s.io" ? "Kubernetes audit record" : nil
    }

    private func event() throws(RecordFault) -> ChangeEvent {
        let time = try time()
        let service = payload["serviceName"]?.string ?? ""
        let method = payload["methodName"]?.string ?? ""
        if method.isEmpty, foreign == nil { throw RecordFault("has no operation: it lacks protoPayload.methodName") }
        let authentication = payload["authenticationInfo"]?.object ?? JSONObject()
        let agent = payload["requestMetadata"]?["callerSuppliedUserAgent"]?.string ?? ""
        let actor = GoogleRecord.actor(authentication)
        return ChangeEvent(
            id: id(), cloud: .gcp, time: time, account: account(), region: region(), actor: actor,
            callers: GoogleRecord.callers(authentication),
            sourceIP: payload["requestMetadata"]?["callerIp"]?.string ?? "",
            action: service.isEmpty ? method : "\(service)/\(method)", outcome: outcome(),
            readOnly: readOnly(method: method), via: UserAgent(agent).via(principal: actor.name),
            userAgent: agent, correlation: operation?.text("id") ?? "",
            isStart: operation?["first"] == true && operation?["last"] != true, body: .object(body))
    }

    private func time() throws(RecordFault) -> Timestamp {
        for name in ["timestamp", "receiveTimestamp"] {
            if let value = fields[name] { return try Moment(value, name: name).resolved(by: facts, name: name) }
        }
        return try Moment.missing.resolved(by: facts, name: "timestamp")
    }

    /// What Google says makes an entry one: its log, its time and its `insertId`.
    private func id() -> String {
        guard let entry = fields.text("insertId") else { return facts.id ?? digestID(of: body) }
        return [fields.text("logName") ?? "", fields.text("timestamp") ?? "", entry].joined(separator: "|")
    }

    /// The project; of what stands above projects, `organizations/1`, `folders/1` or `billingAccounts/1`.
    private func account() -> String {
        if let project = labels["project_id"]?.filled { return project }
        let names = [payload["resourceName"]?.string ?? "", fields.text("logName") ?? ""]
        for name in names {
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            if let mark = parts.firstIndex(of: "projects"), mark + 1 < parts.count,
                !["", "_", "-"].contains(parts[mark + 1])
            {
                return String(parts[mark + 1])
            }
        }
        let parts = names[1].split(separator: "/")
        guard parts.count > 2, parts[2] == "logs" else { return facts.account ?? "" }
        return "\(parts[0])/\(parts[1])"
    }

    private func region() -> String {
        for name in ["location", "zone", "region"] {
            if let place = labels[name]?.filled { return place }
        }
        return payload["resourceLocation"]?["currentLocations"]?.array?.first?.string ?? facts.region ?? ""
    }

    private func outcome() -> Outcome {
        guard let status = payload["status"]?.object, let code = status["code"]?.scalarText, code != "0" else {
            return .success
        }
        guard let number = Int(code), GoogleRecord.codes.indices.contains(number) else { return .failure(code) }
        return .failure(GoogleRecord.codes[number])
    }

    /// `google.rpc.Code`, by number.
    private static let codes = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    /// What was authorised says whether the call reads; where no entry says it, the method's name does.
    private func readOnly(method: String) -> Bool {
        let kinds = (payload["authorizationInfo"]?.array ?? []).compactMap { $0["permissionType"]?.string }
        if kinds.contains(where: { $0.hasSuffix("_WRITE") }) { return false }
        if !kinds.isEmpty, kinds.allSatisfy({ $0.hasSuffix("_READ") }) { return true }
        return ReadVerbs.match(google: method)
    }

    private static func actor(_ authentication: JSONObject) -> Principal {
        let subject = authentication["principalSubject"]?.filled
        let name = authentication["principalEmail"]?.filled ?? subject ?? ""
        let key = authentication["serviceAccountKeyName"]?.string ?? ""
        return Principal(name: name, type: kind(name, subject: subject ?? ""), sessionKey: key)
    }

    private static func kind(_ name: String, subject: String) -> String {
        if name.isEmpty { return "" }
        if name.hasSuffix(".gserviceaccount.com") || subject.hasPrefix("serviceAccount:") { return "ServiceAccount" }
        return subject.hasPrefix("principal://") && name == subject ? "FederatedIdentity" : "User"
    }

    /// The log lists delegation with the principal who began it first.
    private static func callers(_ authentication: JSONObject) -> [Principal] {
        let delegation = authentication["serviceAccountDelegationInfo"]?.array ?? []
        return delegation.reversed().compactMap { link in
            let subject = link["principalSubject"]?.filled
            guard let name = link["firstPartyPrincipal"]?["principalEmail"]?.filled ?? subject else { return nil }
            return Principal(name: name, type: kind(name, subject: subject ?? ""))
        }
    }
}
