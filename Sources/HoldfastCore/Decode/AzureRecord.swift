internal import HoldfastJSON

/// A record of the Azure Activity Log in any of its dresses: a diagnostic setting's (Event Hub), the REST API's, the
/// SDKs' in snake case, and the `data` of an Event Grid event.
struct AzureRecord {
    let body: JSONObject
    let facts: EnvelopeFacts
    private let fields: LenientObject
    private let properties: LenientObject?
    private let authorization: LenientObject?
    private let claims: LenientObject?
    private let request: LenientObject?
    private let ending: String

    /// - Parameter ending: for where the record does not say how the operation ended, a text that ends in it.
    init(body: JSONObject, facts: EnvelopeFacts, ending: String = "") {
        self.body = body
        self.facts = facts
        self.ending = ending
        fields = LenientObject(body)
        properties = fields.object("properties")
        let identity = fields.object("identity")
        authorization = fields.object("authorization") ?? identity?.object("authorization")
        claims = fields.object("claims") ?? identity?.object("claims")
        request = fields.object("httpRequest")
    }

    func item(detail: DecodeDetail) throws(RecordFault) -> DecodedItem {
        if let foreign { return .dropped(.foreign(foreign, .azure, try? event(), detail: detail)) }
        let event = try event()
        if case .failure(let code) = event.outcome {
            return .dropped(DroppedRecord(.failed(code), event, detail: detail))
        }
        if event.readOnly { return .dropped(DroppedRecord(.readOnly, event, detail: detail)) }
        return event.isStart ? .dropped(DroppedRecord(.startRow, event, detail: detail)) : .event(event)
    }

    /// The log carries other things beside what people did: alerts, health, recommendations, policy evaluations; and
    /// diagnostic settings send the services' own logs in the same dress.
    private var foreign: String? {
        let category = fields.text("category", "eventSource") ?? properties?.text("eventCategory") ?? ""
        switch category.lowercased() {
        case "", "administrative", "write", "delete", "action":
            return action?.contains("/") == false ? "Azure service record" : nil
        default: return "Azure \(category) record"
        }
    }

    /// Where the operation's name is only given for people to read, what was authorised tells it.
    private var action: String? { (fields.text("operationName") ?? authorization?.text("action"))?.lowercased() }

    private func event() throws(RecordFault) -> ChangeEvent {
        let time = try time()
        guard let action else {
            throw RecordFault("has no operation: neither operationName nor authorization.action says one")
        }
        let state = AzureState(fields: fields, properties: properties, ending: ending)
        let resource = fields.text("resourceId", "resourceUri") ?? authorization?.text("scope") ?? ""
        return ChangeEvent(
            id: id(operation: action, state: state, resource: resource), cloud: .azure, time: time,
            account: account(resource), region: fields.text("location") ?? properties?.text("resourceLocation") ?? "",
            actor: actor(),
            sourceIP: fields.text("callerIpAddress") ?? request?.text("clientIpAddress") ?? claims?.text("ipaddr")
                ?? "",
            action: action, outcome: state.outcome, readOnly: ReadVerbs.match(azure: action),
            via: UserAgent.via(application: claims?.text("appid") ?? ""), userAgent: "",
            correlation: fields.text("correlationId") ?? "", isStart: state.isStart, body: .object(body))
    }

    private func time() throws(RecordFault) -> Timestamp {
        for name in ["eventTimestamp", "time"] {
            if let value = fields[name] { return try Moment(value, name: name).resolved(by: facts, name: name) }
        }
        return try Moment.missing.resolved(by: facts, name: "eventTimestamp or time")
    }

    /// `eventDataId`; in the REST API's own ids it is the part after `events`. Diagnostic settings leave it out: there
    /// the operation, its state and its time make the id.
    private func id(operation: String, state: AzureState, resource: String) -> String {
        if let id = fields.text("eventDataId") { return id }
        if let path = fields.text("id") {
            let parts = path.split(separator: "/")
            if let mark = parts.lastIndex(where: { $0.lowercased() == "events" }), mark + 1 < parts.count {
                return String(parts[mark + 1])
            }
        }
        if let id = facts.id { return id }
        guard let correlation = fields.text("correlationId"), let time = fields.text("time", "eventTimestamp") else {
            return digestID(of: body)
        }
        return [correlation, operation, state.text.lowercased(), time, resource.lowercased()].joined(separator: "|")
    }

    /// The subscription; of what stands above all subscriptions, the tenant.
    private func account(_ resource: String) -> String {
        let candidates = [resource, authorization?.text("scope") ?? "", facts.account ?? ""]
        for path in candidates {
            let parts = path.lowercased().split(separator: "/")
            if let mark = parts.firstIndex(of: "subscriptions"), mark + 1 < parts.count {
                return String(parts[mark + 1])
            }
        }
        return (fields.text("subscriptionId", "tenantId") ?? "").lowercased()
    }

    /// People by their sign-in name, applications by their id.
    private func actor() -> Principal {
        let person = claims?.text(
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "upn",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "unique_name")
        let application = claims?.text("appid")
        let object = claims?.text("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
        let evidence = authorization?.object("evidence")
        let other = claims?.text("name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress")
        let name = fields.text("caller") ?? person ?? application ?? object ?? evidence?.text("principalId") ?? other
        let type =
            evidence?.text("principalType")
            ?? (person != nil ? "User" : application != nil ? "ServicePrincipal" : "")
        return Principal(name: name ?? "", type: type)
    }
}

/// What a row says of how its operation stands.
struct AzureState {
    /// As the row writes it, without a full stop: `Succeeded`, `Start`.
    let text: String
    let isStart: Bool
    let outcome: Outcome

    init(fields: LenientObject, properties: LenientObject?, ending: String) {
        let signature = fields.text("resultSignature") ?? ""
        let phase = fields.text("eventName") ?? ""
        let words = ["Success", "Failure", "Cancel"]
        let written =
            fields.text("resultType", "status") ?? words.first { ending.hasSuffix($0) }
            ?? String(signature.prefix { $0 != "." })
        let plain = written.hasSuffix(".") ? String(written.dropLast()) : written
        text = plain.isEmpty ? phase : plain
        switch plain.lowercased() {
        case "start", "started", "accept", "accepted", "begin", "inprogress", "in progress", "running":
            isStart = true
            outcome = .success
        case "fail", "failed", "failure", "error", "cancel", "canceled", "cancelled", "timeout":
            isStart = false
            outcome = .failure(AzureState.code(fields, properties, signature: signature) ?? plain)
        case "":
            // Trimmed rows name only the phase; an end without a word of failure is taken for a change.
            isStart = phase.lowercased() == "beginrequest"
            outcome = .success
        default:
            isStart = false
            outcome = Int(plain).map { $0 >= 400 } == true ? .failure(plain) : .success
        }
    }

    /// The most exact word for what failed.
    private static func code(_ fields: LenientObject, _ properties: LenientObject?, signature: String) -> String? {
        let message = properties?.object("statusMessage")
        if let code = message?.object("error")?.text("code") ?? message?.text("code") { return code }
        if let dot = signature.firstIndex(of: "."), signature.index(after: dot) < signature.endIndex {
            return String(signature[signature.index(after: dot)...])
        }
        return fields.text("subStatus") ?? properties?.text("statusCode")
    }
}
