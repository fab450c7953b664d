package import HoldfastJSON

/// How the calls of one AWS service travel: `catalog/aws/wire/<service>.json`, made by `holdfast catalog prove` from
/// the provider's own model. Only operations that the catalog calls, and only the shapes that they reach.
package struct WireModel: Sendable {
    /// What is the same for all operations of the service.
    package var service: WireService
    package var operations: [String: WireOperation]
    package var shapes: [String: WireShape]

    /// The shape behind a member; `nil` of a scalar.
    package func shape(of member: WireMember) -> WireShape? {
        if case .shape(let name) = member.kind { shapes[name] } else { nil }
    }
}

/// What all requests to a service say.
package struct WireService: Sendable {
    /// `2016-11-15`
    package var apiVersion: String
    /// What stands for the service in its host's name: `ec2`.
    package var endpointPrefix: String
    /// `S3 Control`: in upper case and with underscores the end of the name of its `AWS_ENDPOINT_URL_…`.
    package var id: String
    /// The service in the scope of a signature: `s3` also for S3 Control.
    package var signingName: String
    /// Of the JSON protocols: what stands before the operation's name in `X-Amz-Target`.
    package var targetPrefix: String
    /// Speaks JSON now, and gives the error codes of its former query protocol where asked.
    package var isQueryCompatible: Bool
}

/// One operation: its input, its output, and what is special about its request.
package struct WireOperation: Sendable {
    /// `nil`: takes nothing.
    package var input: WireMember?
    /// `nil`: answers with nothing.
    package var output: WireMember?
    /// Of the query protocol: the element that holds the result.
    package var resultWrapper: String?
    /// What stands before the host's name: `{AccountId}.`
    package var hostPrefix: String
    /// The member that names a bucket: it may stand in the host's name in place of the path.
    package var hostMember: String?
    /// Such a request must carry a checksum of its body; the header that names its algorithm, or an empty text.
    package var checksumHeader: String?
    package var pages: WirePages?
}

/// How one page leads to the next.
package struct WirePages: Sendable, Hashable {
    /// Input members, each with the path in the answer that fills it; names with `.` between them.
    package var tokens: [(input: String, output: String)]
    /// The path in the answer of what says that there is more; `nil`: there is where there is a token.
    package var more: String?
    /// Paths in the answer of the lists that the pages divide.
    package var results: [String]
    /// The input member that says how much one page holds.
    package var limit: String?

    package static func == (a: WirePages, b: WirePages) -> Bool {
        a.tokens.elementsEqual(b.tokens, by: ==) && a.more == b.more && a.results == b.results && a.limit == b.limit
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(results) }
}

/// What stands in a place of a message that holds more than a scalar.
package enum WireShape: Sendable {
    /// Sorted by name.
    case structure([WireMember])
    case list(WireMember)
    case map(key: WireMember, value: WireMember)

    /// The member of a structure with this name in the API.
    package func member(_ name: String) -> WireMember? {
        guard case .structure(let members) = self else { return nil }
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            if members[middle].name.precedesInUTF8(name) { low = middle + 1 } else { high = middle }
        }
        return low < members.count && members[low].name == name ? members[low] : nil
    }

    package var members: [WireMember] { if case .structure(let members) = self { members } else { [] } }
}

/// A member of a shape (or the input or output of an operation): what it is, and what it is called on the wire.
package struct WireMember: Sendable {
    package enum Kind: Sendable, Hashable {
        case string, boolean, integer, float, timestamp, blob
        case shape(String)

        static let scalars: [String: Kind] = [
            "string": .string, "boolean": .boolean, "integer": .integer, "float": .float, "timestamp": .timestamp,
            "blob": .blob,
        ]
    }
    package enum Location: String, Sendable {
        case header, headers, uri, querystring, statusCode
    }
    package enum TimestampFormat: String, Sendable {
        case iso8601, rfc822, unixTimestamp
    }
    package struct Namespace: Sendable, Hashable {
        package var uri: String
        package var prefix: String
    }
    /// In the API, as SDKs show it; empty where there is no name: elements, keys, values, inputs, outputs.
    package var name: String
    package var kind: Kind
    /// On the wire, where it differs.
    package var locationName: String?
    /// In an EC2 query, where it differs again.
    package var queryName: String?
    /// `nil`: in the body.
    package var location: Location?
    package var isFlattened: Bool
    package var timestampFormat: TimestampFormat?
    package var namespace: Namespace?
    package var isAttribute: Bool
    /// Makes a request that is sent twice count once; filled where the caller gives nothing.
    package var isIdempotencyToken: Bool
    package var isHostLabel: Bool
    /// Of an input or output: the member that is the whole body.
    package var payload: String?

    package var wireName: String { locationName ?? name }
}

// MARK: From the file

extension WireModel {
    /// Reads the JSON of a wire file. The error says what is not as `catalog prove` writes it.
    package init(_ json: JSON) throws(WireFileFault) {
        guard let service = json["service"], let operations = json["operations"]?.object,
            let shapes = json["shapes"]?.object
        else { throw WireFileFault(reason: "has no service, operations and shapes") }
        self.service = WireService(
            apiVersion: service["apiVersion"]?.string ?? "", endpointPrefix: service["endpointPrefix"]?.string ?? "",
            id: service["id"]?.string ?? "", signingName: service["signingName"]?.string ?? "",
            targetPrefix: service["targetPrefix"]?.string ?? "",
            isQueryCompatible: service["queryCompatible"]?.bool ?? false)
        self.operations = Dictionary(
            operations.members.map { ($0.name, WireOperation($0.value)) }, uniquingKeysWith: { first, _ in first })
        self.shapes = [:]
        for member in shapes.members {
            guard let shape = WireShape(member.value) else {
                throw WireFileFault(reason: "has the shape \(member.name), which is no structure, list or map")
            }
            self.shapes[member.name] = shape
        }
        try checkReferences()
    }

    private func checkReferences() throws(WireFileFault) {
        let inShapes = shapes.values.flatMap { shape in
            switch shape {
            case .structure(let members): members
            case .list(let element): [element]
            case .map(let key, let value): [key, value]
            }
        }
        for member in inShapes + operations.values.flatMap({ [$0.input, $0.output].compactMap { $0 } }) {
            if case .shape(let name) = member.kind, shapes[name] == nil {
                throw WireFileFault(reason: "names the shape \(name), which it does not have")
            }
        }
    }
}

/// A file of facts from a provider's models, as it was read: `aws/wire/s3`, `aws/endpoints`.
package struct WireFile: Sendable {
    /// The path below the catalog's folder without the extension.
    package var name: String
    /// As given and as places show it.
    package var path: String
    package var json: JSON
    package init(name: String, path: String, json: JSON) {
        self.name = name
        self.path = path
        self.json = json
    }
}

/// A wire file that is not what `holdfast catalog prove` writes.
package struct WireFileFault: Error, Sendable {
    package var reason: String
}

extension WireOperation {
    fileprivate init(_ json: JSON) {
        input = json["input"].map { WireMember("", $0) }
        output = json["output"].map { WireMember("", $0) }
        resultWrapper = json["resultWrapper"]?.string
        hostPrefix = json["hostPrefix"]?.string ?? ""
        hostMember = json["hostMember"]?.string
        checksumHeader = json["checksum"]?.string
        pages = json["pages"].map { WirePages($0) }
    }
}

extension WirePages {
    fileprivate init(_ json: JSON) {
        let inputs = json["input"]?.array?.compactMap(\.string) ?? []
        let outputs = json["output"]?.array?.compactMap(\.string) ?? []
        tokens = zip(inputs, outputs).map { (input: $0, output: $1) }
        more = json["more"]?.string
        results = json["results"]?.array?.compactMap(\.string) ?? []
        limit = json["limit"]?.string
    }
}

extension WireShape {
    fileprivate init?(_ json: JSON) {
        if let members = json["members"]?.object {
            self = .structure(members.members.map { WireMember($0.name, $0.value) })
        } else if let element = json["list"] {
            self = .list(WireMember("", element))
        } else if let key = json["key"], let value = json["value"] {
            self = .map(key: WireMember("", key), value: WireMember("", value))
        } else {
            return nil
        }
    }
}

extension WireMember {
    fileprivate init(_ name: String, _ json: JSON) {
        let type = json.string ?? json["type"]?.string ?? ""
        self.name = name
        kind = Kind.scalars[type] ?? .shape(type)
        locationName = json["locationName"]?.string
        queryName = json["queryName"]?.string
        location = json["location"]?.string.flatMap(Location.init)
        isFlattened = json["flattened"]?.bool ?? false
        timestampFormat = json["timestampFormat"]?.string.flatMap(TimestampFormat.init)
        namespace = json["xmlNamespace"].map {
            Namespace(uri: $0["uri"]?.string ?? "", prefix: $0["prefix"]?.string ?? "")
        }
        isAttribute = json["xmlAttribute"]?.bool ?? false
        isIdempotencyToken = json["idempotencyToken"]?.bool ?? false
        isHostLabel = json["hostLabel"]?.bool ?? false
        payload = json["payload"]?.string
    }
}
