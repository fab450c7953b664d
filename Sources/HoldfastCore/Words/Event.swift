package import HoldfastJSON

/// The three clouds.
package enum Cloud: String, Sendable, Hashable, CaseIterable {
    case aws, azure, gcp
}

/// Who did something, as the cloud's log names them.
package struct Principal: Sendable, Hashable {
    /// The most exact name the event has: an ARN, a principal's e-mail address, an object id.
    package var name: String
    /// The log's own word for what kind of principal it is (`AssumedRole`, `User`, `ServicePrincipal`), or empty.
    package var type: String
    /// What leads to who opened this session (an access key id, a session ARN); empty where there is none.
    package var sessionKey: String

    package init(name: String, type: String = "", sessionKey: String = "") {
        self.name = name
        self.type = type
        self.sessionKey = sessionKey
    }
}

/// Through what a change came, from user agent and invoking service. It can be forged: it may only make a guard
/// stricter.
package enum Via: String, Sendable, Hashable, CaseIterable {
    case console, cli, sdk, terraform, cloudformation, service, unknown
}

/// How an operation ended.
package enum Outcome: Sendable, Hashable {
    case success
    /// With the cloud's error code.
    case failure(String)

    package var isSuccess: Bool { self == .success }
}

/// One audit event of any cloud, in one shape. A class, for it is handed on and never changes.
package final class ChangeEvent: Sendable {
    /// What makes it one event however often it is delivered: AWS `eventID`; Azure `eventDataId` (start and end rows of
    /// one operation have different ones and are joined by `correlation`); GCP `logName`, `timestamp`, `insertId`.
    package let id: String
    package let cloud: Cloud
    /// When the cloud says it happened.
    package let time: Timestamp
    /// AWS account id, Azure subscription id (lower case), GCP project id; always text.
    package let account: String
    /// As the event says; empty where it says none.
    package let region: String
    package let actor: Principal
    /// Who acted through the actor, the nearest first, where the event itself says so: GCP's delegation, the source
    /// identity of an AWS session.
    package let callers: [Principal]
    package let sourceIP: String
    /// The catalog's key of the operation: `s3.amazonaws.com/PutBucketPolicy`,
    /// `microsoft.storage/storageaccounts/write` (lower case), `compute.googleapis.com/v1.compute.firewalls.insert`.
    package let action: String
    package let outcome: Outcome
    package let readOnly: Bool
    package let via: Via
    package let userAgent: String
    /// Joins the rows of one operation (Azure `correlationId`, GCP `operation.id`), or empty.
    package let correlation: String
    /// A row that only says an operation has begun (Azure `Start`, GCP `operation.first` without `last`).
    package let isStart: Bool
    private let source: EventBody

    package init(
        id: String, cloud: Cloud, time: Timestamp, account: String, region: String, actor: Principal,
        callers: [Principal] = [], sourceIP: String, action: String, outcome: Outcome, readOnly: Bool, via: Via,
        userAgent: String, correlation: String = "", isStart: Bool = false, body: EventBody
    ) {
        self.id = id
        self.cloud = cloud
        self.time = time
        self.account = account
        self.region = region
        self.actor = actor
        self.callers = callers
        self.sourceIP = sourceIP
        self.action = action
        self.outcome = outcome
        self.readOnly = readOnly
        self.via = via
        self.userAgent = userAgent
        self.correlation = correlation
        self.isStart = isStart
        source = body
    }

    package convenience init(
        id: String, cloud: Cloud, time: Timestamp, account: String, region: String, actor: Principal,
        callers: [Principal] = [], sourceIP: String, action: String, outcome: Outcome, readOnly: Bool, via: Via,
        userAgent: String, correlation: String = "", isStart: Bool = false, body: JSON
    ) {
        self.init(
            id: id, cloud: cloud, time: time, account: account, region: region, actor: actor, callers: callers,
            sourceIP: sourceIP, action: action, outcome: outcome, readOnly: readOnly, via: via, userAgent: userAgent,
            correlation: correlation, isStart: isStart, body: EventBody.tree(body))
    }

    /// The event itself, as the cloud wrote it, without its envelopes. Costs a parse each time where it is text.
    package var body: JSON { source.leniently }

    /// The body with these places found in it.
    ///
    /// Throws where it is not JSON as RFC 8259 has it: such an event is a dead letter.
    func found(_ places: EventPlaces) throws(UndecodableRecord) -> EventBody { try source.found(places) }

    /// What the operation means, where the body was read for it.
    var meaning: EventMeaning? { if case .excerpt(let excerpt) = source { excerpt.meaning } else { nil } }
}

/// What an event was made of: a tree, or JSON text that has not been looked into.
package enum EventBody: Sendable {
    case tree(JSON)
    /// By the grammar of RFC 8259; the decoder has checked it.
    case text([UInt8])
    /// The same, with the places in it that somebody looks into.
    case found([UInt8], [JSONSlice])
    /// The values at the places that the operation's meaning looks into, and nothing else.
    case excerpt(EventExcerpt)

    fileprivate var leniently: JSON {
        switch self {
        case .tree(let tree): tree
        case .text(let text), .found(let text, _): (try? JSON.parse(text)) ?? .null
        case .excerpt(let excerpt): (try? excerpt.meaning.places.tree(excerpt.slots, in: excerpt.text.span)) ?? .null
        }
    }

    /// Lends the text and the places that were found in it; `nil` where there are none.
    func withFound<R>(_ body: ([JSONSlice], Swift.Span<UInt8>) -> R) -> R? {
        switch self {
        case .found(let text, let slots): body(slots, text.span)
        case .excerpt(let excerpt): body(excerpt.slots, excerpt.text.span)
        case .tree, .text: nil
        }
    }

    fileprivate func found(_ places: EventPlaces) throws(UndecodableRecord) -> EventBody {
        guard case .text(let text) = self else { return self }
        var slots: [JSONSlice] = []
        if places.fields.scan(text.span, into: &slots) == .fields { return .found(text, slots) }
        return .tree(
            try EventBody.strictly(text) { () throws(JSONError) in
                try JSON.parse(text, limits: EventPlaces.strictly)
            })
    }

    /// The body as far as it names resources.
    func namingTree(_ places: EventPlaces) throws(UndecodableRecord) -> JSON {
        try tree { (slots, text) throws(JSONError) in try places.namingTree(slots, in: text) }
    }

    /// The body as far as it is looked into.
    ///
    /// Throws where an object in that has two members of one name, of which readers could believe either: such an
    /// event is a dead letter.
    func tree(_ places: EventPlaces) throws(UndecodableRecord) -> JSON {
        try tree { (slots, text) throws(JSONError) in try places.tree(slots, in: text) }
    }

    private func tree(
        _ read: ([JSONSlice], Swift.Span<UInt8>) throws(JSONError) -> JSON
    ) throws(UndecodableRecord) -> JSON {
        switch self {
        case .tree, .text: return leniently
        case .found(let text, let slots):
            return try EventBody.strictly(text) { () throws(JSONError) in try read(slots, text.span) }
        case .excerpt(let excerpt):
            do {
                return try read(excerpt.slots, excerpt.text.span)
            } catch {
                // Where in the excerpt it is says nothing of the event.
                let reason = "the JSON \(error.reason.rawValue), in what \(excerpt.meaning.action) is read for"
                throw UndecodableRecord(reason, place: "", copying: excerpt.text.span)
            }
        }
    }

    private static func strictly(
        _ text: [UInt8], _ read: () throws(JSONError) -> JSON
    ) throws(UndecodableRecord) -> JSON {
        do {
            return try read()
        } catch {
            throw UndecodableRecord(String(describing: error), place: "", copying: text.span)
        }
    }
}

/// See ``EventBody/excerpt(_:)``.
package struct EventExcerpt: Sendable {
    let text: [UInt8]
    /// Of the meaning's places.
    let slots: [JSONSlice]
    let meaning: EventMeaning
}
