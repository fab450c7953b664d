internal import HoldfastCore
internal import HoldfastHTTP
internal import HoldfastJSON

/// Writes requests of AWS's REST protocols: what of the input stands in the path, the query, the headers and the body.
struct RESTWriter {
    let model: WireModel
    let isXML: Bool
    private let parameters: JSONObject
    private var request = WireRequest()

    /// - Parameter parameters: as ``WireModel/parameters(_:for:token:)`` leaves them.
    static func request(
        _ call: CloudCall, _ parameters: JSONObject, model: WireModel, input: WireMember?
    ) throws(WireFault) -> WireRequest {
        var writer = RESTWriter(model: model, isXML: call.wire == .restXML, parameters: parameters)
        let members = input.flatMap { model.shape(of: $0)?.members } ?? []
        try writer.writeLine(call.request, members)
        for member in members where member.location != .uri {
            guard let value = parameters[member.name] else { continue }
            switch member.location {
            case .querystring?: try writer.writeQuery(value, member)
            case .header?: try writer.writeHeader(value, member)
            case .headers?:
                for entry in value.object?.members ?? [] {
                    let name = member.wireName + entry.name
                    writer.request.headers[name] = try headerValue(entry.value.scalarText ?? "", of: name)
                }
            default: break
            }
        }
        if let input { try writer.writeBody(input, members) }
        return writer.request
    }

    private init(model: WireModel, isXML: Bool, parameters: JSONObject) {
        self.model = model
        self.isXML = isXML
        self.parameters = parameters
    }

    /// `PUT /{Bucket}/{Key+}?acl`
    private mutating func writeLine(_ line: String, _ members: [WireMember]) throws(WireFault) {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw WireFault("its request is \"\(line)\", without method and path") }
        request.method = parts[0]
        let target = parts[1].split(separator: "?", maxSplits: 1).map(String.init)
        request.query = URLQueryText(target.count > 1 ? target[1] : "").items
        var path = ""
        var rest = target[0][...]
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            path += rest[..<start]
            var name = String(rest[rest.index(after: start)..<end])
            let isGreedy = name.hasSuffix("+")
            if isGreedy { name.removeLast() }
            guard let member = members.first(where: { $0.location == .uri && $0.wireName == name }),
                let value = parameters[member.name]
            else { throw WireFault("\"\(name)\" is missing, which its path needs") }
            path += try pathLabel(try member.text(of: value, times: .iso8601), of: name, isGreedy: isGreedy)
            rest = rest[rest.index(after: end)...]
        }
        request.path = path + rest
    }

    private mutating func writeQuery(_ value: JSON, _ member: WireMember) throws(WireFault) {
        switch model.shape(of: member) {
        case .list(let element)?:
            for item in value.array ?? [] {
                request.query.append((member.wireName, try element.text(of: item, times: .iso8601)))
            }
        case .map(_, let element)?:
            for entry in value.object?.members ?? [] {
                let items = entry.value.array ?? [entry.value]
                for item in items { request.query.append((entry.name, try element.text(of: item, times: .iso8601))) }
            }
        default: request.query.append((member.wireName, try member.text(of: value, times: .iso8601)))
        }
    }

    private mutating func writeHeader(_ value: JSON, _ member: WireMember) throws(WireFault) {
        guard case .list(let element)? = model.shape(of: member) else {
            let text = try member.text(of: value, times: .rfc822)
            request.headers[member.wireName] = try headerValue(text, of: member.wireName)
            return
        }
        var texts: [String] = []
        for item in value.array ?? [] {
            let text = try element.text(of: item, times: .rfc822)
            let needsQuotes = element.kind == .string && text.contains { $0 == "," || $0 == "\"" }
            texts.append(needsQuotes ? "\"\(text.replacing("\"", with: "\\\""))\"" : text)
        }
        guard !texts.isEmpty else { return }
        request.headers[member.wireName] = try headerValue(texts.joined(separator: ","), of: member.wireName)
    }

    // MARK: Body

    private mutating func writeBody(_ input: WireMember, _ members: [WireMember]) throws(WireFault) {
        if let name = input.payload, let payload = members.first(where: { $0.name == name }) {
            guard let value = parameters[name] else {
                if model.shape(of: payload) != nil, !isXML { setBody(Array("{}".utf8)) }
                return
            }
            switch payload.kind {
            case .shape: try setBody(value, as: payload)
            case .blob: request.body = bytes(fromBase64: value.string ?? "") ?? []
            default: request.body = Array((value.scalarText ?? "").utf8)
            }
            return
        }
        let inBody = members.filter { $0.location == nil }
        if inBody.contains(where: { parameters[$0.name] != nil }) {
            try setBody(.object(parameters), as: input)
        } else if !isXML, !inBody.isEmpty {
            setBody(Array("{}".utf8))
        }
    }

    private mutating func setBody(_ value: JSON, as member: WireMember) throws(WireFault) {
        if isXML {
            var writer = XMLWriter(model: model)
            try writer.write(value, as: member, named: member.wireName)
            setBody(writer.bytes)
        } else {
            setBody(try JSONWire(model: model).body(value, as: member).canonicalBytes)
        }
    }

    private mutating func setBody(_ bytes: [UInt8]) {
        request.body = bytes
        if request.headers["Content-Type"] == nil {
            request.headers["Content-Type"] = isXML ? "application/xml" : "application/json"
        }
    }
}

/// Reads answers of AWS's REST protocols.
struct RESTAnswer {
    let model: WireModel
    let isXML: Bool

    func value(_ response: HTTPResponse, as output: WireMember) throws(WireFault) -> JSONObject {
        let members = model.shape(of: output)?.members ?? []
        var out = JSONObject()
        for member in members where member.location != nil {
            if let value = try outside(member, response) { out[member.name] = value }
        }
        if let name = output.payload, let payload = members.first(where: { $0.name == name }) {
            // Bytes are handed on as they are, beside the answer.
            if payload.kind != .blob { out[name] = try self.payload(payload, response) }
        } else {
            for member in try structure(response.body, members).members { out[member.name] = member.value }
        }
        return out
    }

    /// A member that is no part of the body.
    private func outside(_ member: WireMember, _ response: HTTPResponse) throws(WireFault) -> JSON? {
        switch member.location {
        case .statusCode?: return .number(JSONNumber(response.status))
        case .headers?:
            let prefix = member.wireName.lowercased()
            let found = response.headers.fields.filter { $0.name.lowercased().hasPrefix(prefix) }
            return .object(JSONObject(found.map { (String($0.name.dropFirst(prefix.count)), .string($0.value)) }))
        case .header?:
            guard let text = response.headers[member.wireName] else { return nil }
            guard case .list(let element)? = model.shape(of: member) else { return try member.scalar(text) }
            var out: [JSON] = []
            for part in text.split(separator: ",") {
                out.append(try element.scalar(String(part.drop(while: \.isWhitespace))))
            }
            return .array(out)
        default: return nil
        }
    }

    /// No body at all is an empty map.
    private func payload(_ member: WireMember, _ response: HTTPResponse) throws(WireFault) -> JSON {
        guard model.shape(of: member) != nil else { return .string(String(decoding: response.body, as: UTF8.self)) }
        if !isXML { return try JSONWire(model: model).value(try jsonBody(response.body), as: member) }
        let root = response.body.isEmpty ? XMLElement() : try xml(response.body)
        return try XMLAnswer(model: model).value([root], as: member)
    }

    private func structure(_ body: [UInt8], _ members: [WireMember]) throws(WireFault) -> JSONObject {
        if !isXML { return try JSONWire(model: model).structure(try jsonBody(body).object ?? JSONObject(), members) }
        guard !body.isEmpty else { return JSONObject() }
        let root = try xml(body)
        // S3's answer to GetBucketLocation is the member itself, without anything around it.
        if root.children.isEmpty, let member = members.first(where: { $0.wireName == root.name }) {
            let isScalar = model.shape(of: member) == nil
            return isScalar && root.text.isEmpty
                ? JSONObject() : JSONObject([(member.name, try XMLAnswer(model: model).value([root], as: member))])
        }
        return try XMLAnswer(model: model).structure(root, members)
    }
}

/// The root of an answer in XML.
func xml(_ bytes: [UInt8]) throws(WireFault) -> XMLElement {
    do throws(XMLFault) { return try XMLReader.read(bytes) } catch { throw WireFault(error.description) }
}

/// The query of a request line: `list-type=2&acl`.
struct URLQueryText {
    var items: [(name: String, value: String?)]

    init(_ text: String) {
        items = text.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1] : nil)
        }
    }
}
