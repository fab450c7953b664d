internal import HoldfastJSON

/// Takes from botocore's model of a service what its calls need on the wire, and leaves the rest: documentation,
/// constraints, errors, operations that the catalog does not call.
struct WireExtraction {
    /// `service-2.json`
    let model: JSON
    /// `paginators-1.json`; `nil` where the service has none.
    let paginators: JSON?
    /// The wire file's contents.
    private(set) var json = JSONObject()
    /// What the model says and nobody here can send or read, by the operation that needs it.
    private(set) var faults: [(operation: String, reason: String)] = []
    private var shapes = JSONObject()
    private var open: [String] = []
    private var operation = ""

    /// - Parameter names: the operations that the catalog calls.
    init(model: JSON, paginators: JSON?, operations names: some Sequence<String>) {
        self.model = model
        self.paginators = paginators
        var operations = JSONObject()
        for name in names.sorted(by: { $0.precedesInUTF8($1) }) {
            guard let found = model["operations"]?[name] else { continue }
            operation = name
            operations[name] = .object(entry(of: found, name: name))
            while let next = open.popLast() { addShape(next) }
        }
        json["operations"] = .object(operations)
        json["service"] = .object(service)
        json["shapes"] = .object(shapes)
    }

    private var service: JSONObject {
        let metadata = model["metadata"]
        let prefix = metadata?["endpointPrefix"] ?? ""
        var service = JSONObject([
            ("apiVersion", metadata?["apiVersion"] ?? ""), ("endpointPrefix", prefix),
            ("id", metadata?["serviceId"] ?? ""), ("signingName", metadata?["signingName"] ?? prefix),
        ])
        service["targetPrefix"] = metadata?["targetPrefix"]
        if metadata?["awsQueryCompatible"] != nil { service["queryCompatible"] = true }
        return service
    }

    // MARK: Operations

    private static let passedOver: Set<String> = [
        "name", "http", "input", "output", "errors", "documentation", "documentationUrl", "idempotent", "readonly",
        "staticContextParams", "operationContextParams", "deprecated", "deprecatedMessage", "deprecatedSince", "auth",
        "httpChecksum", "httpChecksumRequired", "endpoint", "requestcompression",
    ]

    private mutating func entry(of found: JSON, name: String) -> JSONObject {
        var entry = JSONObject()
        report(found, but: WireExtraction.passedOver, on: "it")
        for side in ["input", "output"] {
            guard let reference = found[side], reference["shape"] != nil else { continue }
            entry[side] = member(reference, traits: ["locationName", "xmlNamespace", "payload"])
        }
        entry["resultWrapper"] = found["output"]?["resultWrapper"]
        entry["hostPrefix"] = found["endpoint"]?["hostPrefix"]
        entry["hostMember"] = hostMember(of: found)
        entry["checksum"] = checksumHeader(of: found)
        entry["pages"] = pages(of: name)
        return entry
    }

    private func inputMembers(of found: JSON) -> [JSONObject.Member] {
        let shape = found["input"]?["shape"]?.string.flatMap { model["shapes"]?[$0] }
        return shape?["members"]?.object?.members ?? []
    }

    /// The bucket of `/{Bucket}?policy`.
    private func hostMember(of found: JSON) -> JSON? {
        let uri = found["http"]?["requestUri"]?.string ?? ""
        let member = inputMembers(of: found).first { member in
            let wireName = member.value["locationName"]?.string ?? member.name
            return member.value["contextParam"]?["name"] == "Bucket" && member.value["location"] == "uri"
                && uri.hasPrefix("/{\(wireName)}")
        }
        return member.map { .string($0.name) }
    }

    private func checksumHeader(of found: JSON) -> JSON? {
        let checksum = found["httpChecksum"]
        let isRequired =
            checksum?["requestChecksumRequired"]?.bool ?? (found["httpChecksumRequired"]?.bool ?? false)
        guard isRequired else { return nil }
        let name = checksum?["requestAlgorithmMember"]?.string ?? ""
        return inputMembers(of: found).first { $0.name == name }?.value["locationName"] ?? ""
    }

    private mutating func pages(of name: String) -> JSON? {
        guard let rule = paginators?["pagination"]?[name] else { return nil }
        func list(_ key: String) -> [String] {
            rule[key].map { ($0.array ?? [$0]).compactMap(\.string) } ?? []
        }
        var pages = JSONObject()
        let paths = list("input_token") + list("output_token") + list("more_results")
        guard list("input_token").count == list("output_token").count,
            paths.allSatisfy({ $0.allSatisfy { $0.isLetter || $0.isNumber || "._".contains($0) } })
        else {
            fault("its pages lead on by \"\(list("output_token").joined(separator: ", "))\", which is no plain path")
            return nil
        }
        pages["input"] = .array(list("input_token").map { .string($0) })
        pages["output"] = .array(list("output_token").map { .string($0) })
        pages["results"] = .array(list("result_key").map { .string($0) })
        pages["more"] = rule["more_results"]
        pages["limit"] = rule["limit_key"]
        return .object(pages)
    }

    // MARK: Shapes

    private static let shapeTraits: Set<String> = ["locationName", "flattened", "timestampFormat", "xmlNamespace"]
    private static let memberTraits = shapeTraits.union([
        "queryName", "location", "xmlAttribute", "idempotencyToken", "hostLabel",
    ])
    /// What changes nothing on the wire.
    private static let silent: Set<String> = [
        "type", "shape", "members", "member", "key", "value", "payload", "documentation", "enum", "min", "max",
        "pattern", "sensitive", "box", "deprecated", "deprecatedMessage", "deprecatedSince", "required", "error",
        "exception", "fault", "retryable", "synthetic", "wrapper", "union", "streaming", "contextParam", "sparse",
        "requiresLength", "xmlOrder", "resultWrapper",
    ]

    private mutating func addShape(_ name: String) {
        guard shapes[name] == nil, let shape = model["shapes"]?[name] else { return }
        if WireMember.Kind.scalars[name] != nil { fault("the shape \(name) is called like a scalar") }
        report(shape, but: WireExtraction.silent.union(WireExtraction.shapeTraits), on: name)
        shapes[name] = .null
        var entry = JSONObject()
        if let element = shape["member"] {
            entry["list"] = member(element, traits: WireExtraction.memberTraits)
        } else if let key = shape["key"], let value = shape["value"] {
            entry["key"] = member(key, traits: WireExtraction.memberTraits)
            entry["value"] = member(value, traits: WireExtraction.memberTraits)
        } else {
            let members = shape["members"]?.object?.members ?? []
            entry["members"] = .object(
                JSONObject(members.map { ($0.name, member($0.value, traits: WireExtraction.memberTraits)) }))
        }
        shapes[name] = .object(entry)
    }

    /// A reference to a shape with what both say of the wire; the reference's word counts. A text where there is only
    /// the type.
    private mutating func member(_ reference: JSON, traits: Set<String>) -> JSON {
        let name = reference["shape"]?.string ?? ""
        guard let target = model["shapes"]?[name], let type = target["type"]?.string else {
            fault("the model has no shape \"\(name)\"")
            return .string(name)
        }
        report(reference, but: WireExtraction.silent.union(WireExtraction.memberTraits), on: name)
        var entry = JSONObject()
        for trait in traits.sorted() {
            guard let value = reference[trait] ?? target[trait], value != false else { continue }
            entry[trait] = value
        }
        switch type {
        case "structure", "list", "map":
            open.append(name)
            entry["type"] = .string(name)
        default:
            let words = ["long": "integer", "double": "float", "character": "string"]
            let word = words[type] ?? type
            if WireMember.Kind.scalars[word] == nil { fault("\(name) is of the type \"\(type)\"") }
            entry["type"] = .string(word)
            report(target, but: WireExtraction.silent.union(WireExtraction.shapeTraits), on: name)
        }
        return entry.count == 1 ? entry["type"] ?? "" : .object(entry)
    }

    private mutating func report(_ json: JSON, but known: Set<String>, on name: String) {
        for trait in json.object?.names ?? [] where !known.contains(trait) {
            fault("\(name) has the trait \"\(trait)\"")
        }
    }

    private mutating func fault(_ reason: String) {
        if !faults.contains(where: { $0 == (operation, reason) }) { faults.append((operation, reason)) }
    }
}

extension JSON {
    /// The text of a generated data file: sorted, one thing a line to the given depth, so that a change to the
    /// provider's model is a few lines of difference.
    func lines(depth: Int) -> String { text(depth: depth, indent: "") + "\n" }

    private func text(depth: Int, indent: String) -> String {
        guard depth > 0, let object, !object.isEmpty else { return canonicalText }
        let inner = indent + "  "
        let members = object.members.map { member in
            "\(inner)\(JSON.string(member.name).canonicalText): \(member.value.text(depth: depth - 1, indent: inner))"
        }
        return "{\n" + members.joined(separator: ",\n") + "\n\(indent)}"
    }
}
