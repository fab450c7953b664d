internal import HoldfastCore
internal import HoldfastJSON

/// Writes the bodies of AWS's REST-XML protocol.
struct XMLWriter {
    let model: WireModel
    private(set) var bytes: [UInt8] = []

    init(model: WireModel) { self.model = model }

    /// - Parameter value: as ``WireModel/parameters(_:for:token:)`` leaves it.
    mutating func write(_ value: JSON, as member: WireMember, named name: String) throws(WireFault) {
        switch model.shape(of: member) {
        case .structure(let members)?:
            let inner = members.filter { value[$0.name] != nil && $0.location == nil }
            var attributes = XMLWriter.namespace(of: member)
            for member in inner where member.isAttribute {
                attributes.append((member.wireName, value[member.name]?.scalarText ?? ""))
            }
            try open(name, attributes)
            for member in inner where !member.isAttribute {
                try write(value[member.name] ?? .null, as: member, named: member.wireName)
            }
            close(name)
        case .list(let element)?:
            if !member.isFlattened { try open(name, XMLWriter.namespace(of: member)) }
            let inner = member.isFlattened ? name : element.locationName ?? "member"
            for value in value.array ?? [] { try write(value, as: element, named: inner) }
            if !member.isFlattened { close(name) }
        case .map(let key, let element)?:
            if !member.isFlattened { try open(name, XMLWriter.namespace(of: member)) }
            let entry = member.isFlattened ? name : "entry"
            for pair in value.object?.members ?? [] {
                try open(entry, [])
                try write(.string(pair.name), as: key, named: key.locationName ?? "key")
                try write(pair.value, as: element, named: element.locationName ?? "value")
                close(entry)
            }
            if !member.isFlattened { close(name) }
        case nil:
            try open(name, XMLWriter.namespace(of: member))
            try append(try member.text(of: value, times: .iso8601))
            close(name)
        }
    }

    private static func namespace(of member: WireMember) -> [(String, String)] {
        guard let namespace = member.namespace else { return [] }
        return [(namespace.prefix.isEmpty ? "xmlns" : "xmlns:\(namespace.prefix)", namespace.uri)]
    }

    private mutating func open(_ name: String, _ attributes: [(name: String, value: String)]) throws(WireFault) {
        bytes += "<\(name)".utf8
        for attribute in attributes {
            bytes += " \(attribute.name)=\"".utf8
            try append(attribute.value)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func close(_ name: String) { bytes += "</\(name)>".utf8 }

    /// Line breaks in attributes and carriage returns would come out as something else were they not escaped.
    private mutating func append(_ text: String) throws(WireFault) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": bytes += "&amp;".utf8
            case "<": bytes += "&lt;".utf8
            case ">": bytes += "&gt;".utf8
            case "\"": bytes += "&quot;".utf8
            case "\r": bytes += "&#13;".utf8
            case "\n": bytes += "&#10;".utf8
            case "\t": bytes += "&#9;".utf8
            case "\u{FFFE}", "\u{FFFF}", "\0"..<" ":
                throw WireFault("a text holds a control character, which XML cannot")
            default: bytes += String(Character(scalar)).utf8
            }
        }
    }
}
