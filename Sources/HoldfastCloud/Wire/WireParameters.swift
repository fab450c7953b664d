internal import HoldfastCore
internal import HoldfastJSON

extension WireModel {
    /// A call's parameters as its input says: unknown names are a fault, scalars have their kind, nulls are gone, and
    /// a token that makes a repeated request count once is there.
    func parameters(
        _ given: JSONObject, for operation: WireOperation, token: () -> String
    ) throws(WireFault) -> JSONObject {
        guard let input = operation.input else {
            guard let name = given.names.first else { return JSONObject() }
            throw WireFault("it takes no parameters, and \"\(name)\" is given")
        }
        var checked = try checked(.object(given), as: input, path: "").object ?? JSONObject()
        for member in shape(of: input)?.members ?? [] where member.isIdempotencyToken && checked[member.name] == nil {
            checked[member.name] = .string(token())
        }
        return checked
    }

    private func checked(_ value: JSON, as member: WireMember, path: String) throws(WireFault) -> JSON {
        let what = path.isEmpty ? "the input" : "\"\(path)\""
        switch (value, shape(of: member)) {
        case (_, nil):
            if let scalar = member.kind.value(of: value) { return scalar }
            throw WireFault("\(what) is \(member.kind.about), and \(value.kindName) is given")
        case (.array(let elements), .list(let element)?):
            var out: [JSON] = []
            for (index, value) in elements.enumerated() {
                out.append(try checked(value, as: element, path: "\(path)[\(index)]"))
            }
            return .array(out)
        case (.object(let object), .map(_, let value)?):
            var out = JSONObject()
            for entry in object.members where !entry.value.isNull {
                out[entry.name] = try checked(entry.value, as: value, path: "\(path).\(entry.name)")
            }
            return .object(out)
        case (.object(let object), .structure(let members)?):
            var out = JSONObject()
            for given in object.members where !given.value.isNull {
                guard let member = members.first(where: { $0.name.equalsInUTF8(given.name) }) else {
                    throw WireFault("\(what) has no \"\(given.name)\"\(suggestion(for: given.name, in: members))")
                }
                let inner = path.isEmpty ? given.name : "\(path).\(given.name)"
                out[given.name] = try checked(given.value, as: member, path: inner)
            }
            return .object(out)
        case (_, let shape?):
            throw WireFault("\(what) is \(shape.about), and \(value.kindName) is given")
        }
    }

    private func suggestion(for name: String, in members: [WireMember]) -> String {
        HoldfastCore.suggestion(for: name, among: members.map(\.name))
    }
}

extension WireMember {
    /// A scalar of this kind as text: how queries, paths, headers and XML have it.
    ///
    /// - Parameters:
    ///   - value: as ``WireModel/parameters(_:for:token:)`` leaves it.
    ///   - format: of times, where the model does not say.
    func text(of value: JSON, times format: TimestampFormat) throws(WireFault) -> String {
        guard kind == .timestamp else { return value.scalarText ?? "" }
        guard let time = Timestamp(wire: value) else { throw WireFault("\"\(name)\" is no time: \(value)") }
        switch timestampFormat ?? format {
        case .iso8601: return time.description
        case .rfc822: return time.httpDate
        case .unixTimestamp: return String(time.wholeSeconds)
        }
    }
}
