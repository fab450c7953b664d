package import HoldfastJSON

/// One operation of a cloud's API, as a catalog file declares it under `calls:`.
package struct CloudCall: Sendable {
    package enum WireProtocol: String, Sendable, CaseIterable {
        case query, ec2, restXML = "rest-xml", json10 = "json-1.0", json11 = "json-1.1", restJSON = "rest-json"
        case arm, google
    }
    /// `s3.PutBucketPolicy`, `storageAccounts.Update`, `compute.firewalls.patch`.
    package var name: String
    /// The file's service: `aws/s3`.
    package var service: String
    package var wire: WireProtocol
    /// `GET /2021-01-01/opensearch/domain/{DomainName}`; empty for protocols whose operation's name says all.
    package var request: String
    /// What the caller must be allowed: `s3:PutBucketPolicy`.
    package var permission: String
    /// Paths (sections) of the type that a read fills; the root is everything.
    package var reads: [PropertyPath]
    /// Paths (sections) of the type that a write replaces.
    package var writes: [PropertyPath]
    /// May be sent again after an unknown outcome.
    package var isIdempotent: Bool
    /// The call that undoes this one where the section was absent before.
    package var inverseWhenAbsent: String?
    /// Properties that a read gives and a write must not send.
    package var readOnlyPaths: [PropertyPath]
    package var alreadyDone: [String]
    package var notApplied: [String]
    /// How a precondition travels: `etag`, `fingerprint`, `version`, `if-match`; empty where the API has none.
    package var precondition: String
    /// Where its value stands among the parameters: `ifMatch`, `body.policy.etag`.
    package var preconditionPlace: PropertyPath?
    /// The parameter by which the cloud knows the call again; AWS's models say it themselves.
    package var token: String?
    /// What it is allowed on, with parameters and surroundings in braces: `arn:{partition}:s3:::{Bucket}`. Empty where
    /// the cloud has no smaller unit, or nobody has said.
    package var resources: [IDTemplate] = []
    /// What the cloud asks of its caller beside ``permission``: `iam:PassRole`.
    package var alsoNeeds: [String] = []
    /// How what was read before is written back with it.
    package var restore: CallRestore?
    /// Every parameter that it takes, also those in the request's braces.
    package var parameters: [String]
    /// For a list of the type: how an element looks in this call (see ``element(_:of:)``).
    var elements: [PropertyPath: ValueSource] = [:]
    package var wait: Wait?
    package var place: SourcePlace

    /// How the end of a long operation shows in the resource.
    package struct Wait: Sendable {
        package struct Until: Sendable {
            package var path: PropertyPath
            package var value: JSON
        }
        package var until: [Until]
        package var atMost: Span
    }

    package init(
        name: String, service: String, wire: WireProtocol, request: String = "", permission: String,
        reads: [PropertyPath] = [], writes: [PropertyPath] = [], isIdempotent: Bool = false,
        inverseWhenAbsent: String? = nil, readOnlyPaths: [PropertyPath] = [], alreadyDone: [String] = [],
        notApplied: [String] = [], precondition: String = "", parameters: [String] = [], place: SourcePlace
    ) {
        self.name = name
        self.service = service
        self.wire = wire
        self.request = request
        self.permission = permission
        self.reads = reads
        self.writes = writes
        self.isIdempotent = isIdempotent
        self.inverseWhenAbsent = inverseWhenAbsent
        self.readOnlyPaths = readOnlyPaths
        self.alreadyDone = alreadyDone
        self.notApplied = notApplied
        self.precondition = precondition
        self.parameters = parameters
        self.place = place
    }
}

extension CloudCall {
    /// What stands in braces: `GET /2021-01-01/domain/{DomainName}` -> `DomainName`. What may hold `/` is marked: by
    /// AWS behind (`{Key+}`), by Google in front (`{+resource}`).
    package static func variables(in request: String) -> [String] {
        request.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0].filter { $0 != "+" }) }
        }
    }

    /// An element of a type's list in the shape that this call takes; as it is, where the catalog says nothing.
    package func element(_ element: JSON, of list: PropertyPath) -> JSON {
        guard let source = elements[list] else { return element }
        return source.value(in: EventScope(value: element)) ?? element
    }
}
