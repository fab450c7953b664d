internal import HoldfastJSON

/// How the operations of a cloud's published model show in its audit log, as a catalog file says under `models:`.
package struct ProviderModel: Sendable {
    /// As the cloud's package names it: `s3`, `compute.v1`, `network`.
    package var name: String
    package var cloud: Cloud
    /// What is logged, with `*` for the operation's name: `s3.amazonaws.com/*`; none: only ``names``.
    var logs: [String]
    /// What operations' names begin with and `*` leaves out: `sql.`.
    var without: String
    /// Operations that are logged under other names -> those names: what takes the place of `*`, or with a `/` all.
    var names: [String: [String]]
    /// What is logged and is no operation of the model.
    var beside: [String]
    var place: SourcePlace
}

/// An operation as a provider's model has it.
struct ModelOperation: Sendable {
    /// As calls name it: `s3.PutBucketPolicy`, `compute.firewalls.patch`; of Azure method and path.
    var name: String
    /// What `*` stands for in the log; empty where it is not logged by the model's names.
    var logged: String
    /// `nil` where the model does not say.
    var parameters: Set<String>?
    /// `PUT /{Bucket}?policy`, of Google with the host; empty where the protocol has no such thing.
    var request: String
    /// The wire protocols it may travel by; empty where there is one for the cloud.
    var protocols: Set<String> = []
}

/// What a file of a provider's package says.
enum ModelPart {
    /// What the model of this name has: operations, and their shapes.
    case operations(Cloud, String)
    /// How the pages of an AWS model's operations follow one another.
    case pages(String)
    case partitions, endpoints
}

/// A file of a provider's published models, for the proof of the catalog.
package struct ModelFile: Sendable {
    package var path: String
    /// Without any compression.
    package var bytes: [UInt8]
    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// What the file is, by where the providers' packages keep it: botocore's `service-2.json`, `paginators-1.json`,
    /// `partitions.json` and `endpoints.json` (also compressed), the discovery documents of google-api-python-client,
    /// the operations of azure-mgmt-*.
    static func part(at path: String) -> ModelPart? {
        let parts = path.split(separator: "/").map(String.init)
        guard var last = parts.last else { return nil }
        if last.hasSuffix(".gz") { last.removeLast(3) }
        switch last {
        case "service-2.json": return parts.count >= 3 ? .operations(.aws, parts[parts.count - 3]) : nil
        case "paginators-1.json": return parts.count >= 3 ? .pages(parts[parts.count - 3]) : nil
        case "partitions.json" where parts.dropLast().last == "data": return .partitions
        case "endpoints.json" where parts.dropLast().last == "data": return .endpoints
        default: break
        }
        if parts.dropLast().suffix(2) == ["discovery_cache", "documents"], last.hasSuffix(".json") {
            return .operations(.gcp, String(last.dropLast(5)))
        }
        if last.hasSuffix("operations.py"), !parts.contains("aio"), let mgmt = parts.lastIndex(of: "mgmt"),
            mgmt > 0, parts[mgmt - 1] == "azure", mgmt + 1 < parts.count
        {
            return .operations(.azure, parts[mgmt + 1])
        }
        return nil
    }

    /// The operations in a model's JSON; `nil` where it is not such a model.
    static func operations(in json: JSON, cloud: Cloud, model: String) -> [ModelOperation]? {
        cloud == .aws ? aws(json, model: model) : google(json)
    }

    // MARK: AWS

    private static func aws(_ json: JSON, model: String) -> [ModelOperation]? {
        guard let operations = json["operations"]?.object else { return nil }
        let metadata = json["metadata"]
        let version = metadata?["jsonVersion"]?.string ?? ""
        let listed = metadata?["protocols"]?.array?.compactMap(\.string) ?? []
        let protocols = (listed.isEmpty ? [metadata?["protocol"]?.string ?? ""] : listed).map {
            $0 == "json" ? "json-\(version)" : $0
        }
        return operations.members.map { member in
            let shape = member.value["input"]?["shape"]?.string
            let members = shape.flatMap { json["shapes"]?[$0]?["members"]?.object?.names } ?? []
            let http = member.value["http"]
            let isREST = protocols.contains { $0.hasPrefix("rest") }
            return ModelOperation(
                name: "\(model).\(member.name)", logged: member.name, parameters: Set(members),
                request: isREST ? "\(http?["method"]?.string ?? "") \(http?["requestUri"]?.string ?? "")" : "",
                protocols: Set(protocols))
        }
    }

    // MARK: Google

    private static func google(_ json: JSON) -> [ModelOperation]? {
        guard json["discoveryVersion"] != nil else { return nil }
        let common = json["parameters"]?.object?.names ?? []
        return googleMethods(of: json).map { method in
            let body = method["request"]?["$ref"]?.string
            let properties = body.flatMap { json["schemas"]?[$0]?["properties"]?.object?.names } ?? []
            let id = method["id"]?.string ?? ""
            let own = method["parameters"]?.object?.names ?? []
            let base = (json["rootUrl"]?.string ?? "") + (json["servicePath"]?.string ?? "")
            return ModelOperation(
                name: id, logged: id,
                parameters: Set(own + properties + common + (body == nil ? [] : ["body"])),
                request: "\(method["httpMethod"]?.string ?? "") \(base)\(method["path"]?.string ?? "")")
        }
    }

    private static func googleMethods(of json: JSON) -> [JSON] {
        let own = json["methods"]?.object?.members.map(\.value) ?? []
        return own + (json["resources"]?.object?.members.flatMap { googleMethods(of: $0.value) } ?? [])
    }

    // MARK: Azure

    /// Reads the Python source line by line: each request builder has one path and one method.
    static func azure(_ bytes: [UInt8]) -> [ModelOperation]? {
        var operations: [ModelOperation] = []
        var path: String?
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if let found = quoted(in: line, from: "\"/") { path = "/" + found }
            guard let method = quoted(in: line, from: "HttpRequest(method=\""), let url = path else { continue }
            path = nil
            // What belongs to no provider, as subscriptions themselves, is not logged by a name of this form.
            let logged = azureName(method: method, path: url) ?? ""
            operations.append(
                ModelOperation(
                    name: "\(method) \(url)", logged: logged, parameters: nil, request: "\(method) \(url)"))
        }
        return operations.isEmpty ? nil : operations
    }

    /// The text after a mark up to the next quote.
    private static func quoted(in line: ArraySlice<UInt8>, from mark: String) -> String? {
        guard let start = line.firstRange(of: Array(mark.utf8)) else { return nil }
        let rest = line[start.upperBound...]
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// `PUT …/providers/Microsoft.Storage/storageAccounts/{name}` -> `microsoft.storage/storageaccounts/write`.
    static func azureName(method: String, path: String) -> String? {
        guard let providers = path.ranges(of: "/providers/").last else { return nil }
        let parts = path[providers.upperBound...].split(separator: "/").map(String.init)
        guard var name = parts.first, !name.hasPrefix("{") else { return nil }
        // Types and names take turns; an action stands where a type would.
        for (index, part) in parts.dropFirst().enumerated() where index.isMultiple(of: 2) { name += "/\(part)" }
        switch method {
        case "PUT", "PATCH": name += "/write"
        case "DELETE": name += "/delete"
        case "POST": name += "/action"
        default: name += "/read"
        }
        return name.lowercased()
    }
}
