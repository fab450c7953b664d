internal import HoldfastCore
internal import HoldfastJSON

/// Makes the API's own shape of what AWS answers in XML.
struct XMLAnswer {
    let model: WireModel

    /// - Parameter elements: those of the member's name: one, or of a flattened list or map any number.
    func value(_ elements: [XMLElement], as member: WireMember) throws(WireFault) -> JSON {
        let first = elements.first ?? XMLElement()
        switch model.shape(of: member) {
        case .structure(let members)?: return .object(try structure(first, members))
        case .list(let element)?:
            var out: [JSON] = []
            for item in member.isFlattened ? elements : first.children { out.append(try value([item], as: element)) }
            return .array(out)
        case .map(let key, let element)?:
            var out = JSONObject()
            for entry in member.isFlattened ? elements : first.children {
                guard let name = entry.child(key.locationName ?? "key") else {
                    throw WireFault("an entry of \"\(member.name)\" has no key")
                }
                let inner = entry.children.filter { $0.name == element.locationName ?? "value" }
                out[name.text] = try value(inner, as: element)
            }
            return .object(out)
        case nil: return try member.scalar(first.text)
        }
    }

    /// What is in the body; members that travel elsewhere are left out.
    func structure(_ element: XMLElement, _ members: [WireMember]) throws(WireFault) -> JSONObject {
        let byName = Dictionary(grouping: element.children, by: \.name)
        var out = JSONObject()
        for member in members where member.location == nil {
            if let found = byName[name(of: member)] {
                out[member.name] = try value(found, as: member)
            } else if member.isAttribute {
                let found = element.attributes.first { $0.name == member.wireName }
                if let found { out[member.name] = .string(found.value) }
            }
        }
        return out
    }

    /// A flattened list has no element of its own: its elements have their own name, or the list's.
    private func name(of member: WireMember) -> String {
        if member.isFlattened, case .list(let element)? = model.shape(of: member), let name = element.locationName {
            return name
        }
        return member.wireName
    }
}

extension WireMember {
    /// A scalar from a text: an element's, or a header's.
    func scalar(_ text: String) throws(WireFault) -> JSON {
        let trimmed = String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        switch kind {
        case .string, .blob, .shape: return .string(text)
        case .boolean: return .bool(text == "true")
        case .integer:
            guard let number = Int(trimmed) else { throw WireFault("\"\(name)\" is no whole number: \"\(text)\"") }
            return .number(JSONNumber(number))
        case .float:
            if case .number(let number)? = try? JSON.parse(trimmed) { return .number(number) }
            guard let number = Double(trimmed) else { throw WireFault("\"\(name)\" is no number: \"\(text)\"") }
            return number.isFinite ? .number(JSONNumber(unchecked: "\(number)")) : .string(trimmed)
        case .timestamp:
            guard let time = Timestamp(wire: .string(trimmed)) else {
                throw WireFault("\"\(name)\" is no time: \"\(text)\"")
            }
            return .string(time.description)
        }
    }
}
