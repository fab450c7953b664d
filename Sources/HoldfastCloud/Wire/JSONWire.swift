internal import HoldfastCore
internal import HoldfastHTTP
internal import HoldfastJSON

/// Writes and reads the bodies of AWS's JSON protocols.
struct JSONWire {
    let model: WireModel

    // MARK: Requests

    /// - Parameter value: as ``WireModel/parameters(_:for:token:)`` leaves it.
    func body(_ value: JSON, as member: WireMember) throws(WireFault) -> JSON {
        switch model.shape(of: member) {
        case .structure(let members)?:
            var out = JSONObject()
            for member in members where member.location == nil {
                if let value = value[member.name] { out[member.wireName] = try body(value, as: member) }
            }
            return .object(out)
        case .list(let element)?:
            var out: [JSON] = []
            for value in value.array ?? [] { out.append(try body(value, as: element)) }
            return .array(out)
        case .map(_, let element)?:
            var out = JSONObject()
            for entry in value.object?.members ?? [] { out[entry.name] = try body(entry.value, as: element) }
            return .object(out)
        case nil:
            guard member.kind == .timestamp else { return value }
            let text = try member.text(of: value, times: .unixTimestamp)
            // A number of seconds, or a text in one of the other forms.
            return Int(text).map { .number(JSONNumber($0)) } ?? .string(text)
        }
    }

    // MARK: Answers

    /// What is not of the kind that the model says stays as it is: services send it so, and SDKs take it so.
    func value(_ json: JSON, as member: WireMember) throws(WireFault) -> JSON {
        switch (json, model.shape(of: member)) {
        case (.object(let object), .structure(let members)?): return .object(try structure(object, members))
        case (.array(let elements), .list(let element)?):
            var out: [JSON] = []
            for item in elements { out.append(item.isNull ? .null : try value(item, as: element)) }
            return .array(out)
        case (.object(let object), .map(_, let element)?):
            var out = JSONObject()
            for entry in object.members {
                out[entry.name] = entry.value.isNull ? .null : try value(entry.value, as: element)
            }
            return .object(out)
        case (_, nil) where member.kind == .timestamp:
            guard let time = Timestamp(wire: json) else { throw WireFault("\"\(member.name)\" is no time: \(json)") }
            return .string(time.description)
        case (_, nil): return json
        case (_, let shape?):
            throw WireFault("\"\(member.name)\" is \(json.kindName), and the model says \(shape.about)")
        }
    }

    /// Members that travel elsewhere, and those without a value, are left out.
    func structure(_ object: JSONObject, _ members: [WireMember]) throws(WireFault) -> JSONObject {
        var out = JSONObject()
        for member in members where member.location == nil {
            guard let found = object[member.wireName], !found.isNull else { continue }
            out[member.name] = try value(found, as: member)
        }
        return out
    }

    // MARK: JSON 1.0 and 1.1

    /// A call whose operation stands in a header.
    func request(_ call: CloudCall, _ parameters: JSONObject, input: WireMember?) throws(WireFault) -> WireRequest {
        var request = WireRequest()
        let version = call.wire == .json10 ? "1.0" : "1.1"
        request.headers["Content-Type"] = "application/x-amz-json-\(version)"
        request.headers["X-Amz-Target"] = "\(model.service.targetPrefix).\(call.operation)"
        if model.service.isQueryCompatible { request.headers["x-amzn-query-mode"] = "true" }
        var body = JSON.object(JSONObject())
        if let input { body = try self.body(.object(parameters), as: input) }
        request.body = body.canonicalBytes
        return request
    }
}

/// An answer's body as JSON; an empty one is an empty map.
func jsonBody(_ bytes: [UInt8]) throws(WireFault) -> JSON {
    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) { return .object(JSONObject()) }
    do throws(JSONError) { return try JSON.parse(bytes) } catch { throw WireFault(error.description) }
}
