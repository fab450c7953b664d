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

/// One audit event of any cloud, in one shape.
package struct ChangeEvent: Sendable {
    /// What makes it one event however often it is delivered: AWS `eventID`; Azure `eventDataId` (start and end rows of
    /// one operation have different ones and are joined by `correlation`); GCP `logName`, `timestamp`, `insertId`.
    package var id: String
    package var cloud: Cloud
    /// When the cloud says it happened.
    package var time: Timestamp
    /// AWS account id, Azure subscription id (lower case), GCP project id; always text.
    package var account: String
    /// As the event says; empty where it says none.
    package var region: String
    package var actor: Principal
    /// Who acted through the actor, the nearest first, where the event itself says so: GCP's delegation, the source
    /// identity of an AWS session.
    package var callers: [Principal]
    package var sourceIP: String
    /// The catalog's key of the operation: `s3.amazonaws.com/PutBucketPolicy`,
    /// `microsoft.storage/storageaccounts/write` (lower case), `compute.googleapis.com/v1.compute.firewalls.insert`.
    package var action: String
    package var outcome: Outcome
    package var readOnly: Bool
    package var via: Via
    package var userAgent: String
    /// Joins the rows of one operation (Azure `correlationId`, GCP `operation.id`), or empty.
    package var correlation: String
    /// A row that only says an operation has begun (Azure `Start`, GCP `operation.first` without `last`).
    package var isStart: Bool
    private var source: EventBody

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

    package init(
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
    package var body: JSON {
        get { source.leniently }
        set { source = .tree(newValue) }
    }

    /// The body's bytes: as they came where the body is text, else the tree's canonical text.
    package var text: [UInt8] {
        switch source {
        case .text(let text), .found(let text, _): text
        case .tree(let tree): tree.canonicalBytes
        }
    }

    /// Looks for the places in a body that is text. Afterwards ``namingBody(_:)`` and ``readBody(_:)`` cost no second
    /// pass over it.
    mutating func find(_ places: EventPlaces) throws(UndecodableRecord) {
        guard case .text(let text) = source else { return }
        var slots: [JSONSlice] = []
        if places.fields.scan(text.span, into: &slots) == .fields {
            source = .found(text, slots)
        } else {
            source = .tree(
                try ChangeEvent.strictly(text) { () throws(JSONError) in
                    try JSON.parse(text, limits: EventPlaces.strictly)
                })
        }
    }

    /// Lends the text and the places that were found in it; `nil` where the body is a tree.
    func withFound<R>(_ body: ([JSONSlice], Swift.Span<UInt8>) -> R?) -> R? {
        guard case .found(let text, let slots) = source else { return nil }
        return body(slots, text.span)
    }

    /// The body as far as it names resources.
    func namingBody(_ places: EventPlaces) throws(UndecodableRecord) -> JSON {
        guard case .found(let text, let slots) = source else { return body }
        return try ChangeEvent.strictly(text) { () throws(JSONError) in
            try places.namingTree(slots, in: text.span)
        }
    }

    /// Reads what the places need of the body, once and for all; afterwards it has nothing else.
    ///
    /// Throws where an object in that has two members of one name, of which readers could believe either: such an
    /// event is a dead letter.
    mutating func readBody(_ places: EventPlaces) throws(UndecodableRecord) {
        guard case .found(let text, let slots) = source else { return }
        source = .tree(
            try ChangeEvent.strictly(text) { () throws(JSONError) in
                try places.tree(slots, in: text.span)
            })
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

/// What an event was made of: a tree, or JSON text that has not been looked into.
package enum EventBody: Sendable {
    case tree(JSON)
    /// By the grammar of RFC 8259; the decoder has checked it.
    case text([UInt8])
    /// The same, with the places in it that somebody looks into.
    case found([UInt8], [JSONSlice])

    fileprivate var leniently: JSON {
        switch self {
        case .tree(let tree): tree
        case .text(let text), .found(let text, _): (try? JSON.parse(text)) ?? .null
        }
    }
}
