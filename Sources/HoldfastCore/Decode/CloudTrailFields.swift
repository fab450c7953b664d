internal import HoldfastJSON

/// The fields of a CloudTrail record that make a ``ChangeEvent``, however they were found. A field is a text, a number
/// or a truth value as text; one that is anything else, or empty, is `nil`.
struct CloudTrailFields {
    var source = ""
    var name = ""
    var id: String?
    var region: String?
    var sourceIP: String?
    var userAgent: String?
    var eventType: String?
    var recipient: String?
    var readOnly: String?
    var errorCode: String?
    var fromConsole: String?
    var identity = Identity()

    struct Identity {
        var type: String?
        var arn: String?
        var principal: String?
        var invokedBy: String?
        var userName: String?
        var account: String?
        var accessKey: String?
        var sourceIdentity: String?
        /// Of a user of the Identity Center.
        var user: String?

        var actor: Principal {
            let key = accessKey ?? (type == "AssumedRole" ? arn : nil)
            let name = arn ?? principal ?? invokedBy ?? userName ?? user ?? account
            return Principal(name: name ?? "", type: type ?? "", sessionKey: key ?? "")
        }
    }

    init(_ record: JSONObject) {
        func text(_ names: String...) -> String? {
            var value = JSON.object(record)
            for name in names { value = value[name] ?? .null }
            return value.scalarText.flatMap { $0.isEmpty ? nil : $0 }
        }
        source = text("eventSource") ?? ""
        name = text("eventName") ?? ""
        id = text("eventID")
        region = text("awsRegion")
        sourceIP = text("sourceIPAddress")
        userAgent = text("userAgent")
        eventType = text("eventType")
        recipient = text("recipientAccountId")
        readOnly = text("readOnly")
        errorCode = text("errorCode")
        fromConsole = text("sessionCredentialFromConsole")
        identity = Identity(
            type: text("userIdentity", "type"), arn: text("userIdentity", "arn"),
            principal: text("userIdentity", "principalId"), invokedBy: text("userIdentity", "invokedBy"),
            userName: text("userIdentity", "userName"), account: text("userIdentity", "accountId"),
            accessKey: text("userIdentity", "accessKeyId"),
            sourceIdentity: text("userIdentity", "sessionContext", "sourceIdentity"),
            user: text("userIdentity", "onBehalfOf", "userId"))
    }

    init() {}

    /// Without `readOnly`, which old records and some services leave out, the operation's name decides.
    func isRead(facts: EnvelopeFacts) -> Bool {
        switch readOnly?.lowercased() {
        case "true"?: true
        case "false"?: false
        default: facts.readOnly ?? ReadVerbs.match(cloudTrail: name)
        }
    }

    /// The type of principal under which a session's source identity acts.
    static let sourceIdentity = "SourceIdentity"

    func event(
        id: String, time: Timestamp, action: String, outcome: Outcome, facts: EnvelopeFacts, body: EventBody
    ) -> ChangeEvent {
        let text = userAgent ?? ""
        return ChangeEvent(
            id: id, cloud: .aws, time: time, account: recipient ?? identity.account ?? facts.account ?? "",
            region: region ?? facts.region ?? "", actor: identity.actor,
            callers: identity.sourceIdentity.map { [Principal(name: $0, type: CloudTrailFields.sourceIdentity)] } ?? [],
            sourceIP: sourceIP ?? "", action: action, outcome: outcome, readOnly: isRead(facts: facts),
            via: UserAgent(text).via(
                invokedBy: identity.invokedBy ?? "", eventType: eventType ?? "",
                isConsoleSession: fromConsole == "true"),
            userAgent: text, body: body)
    }
}
