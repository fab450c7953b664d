internal import HoldfastCore
internal import HoldfastHTTP
internal import HoldfastJSON

/// Writes the forms of AWS's query protocol and of EC2's variant of it.
struct QueryWriter {
    let model: WireModel
    let isEC2: Bool
    /// In the order of writing.
    private(set) var fields: [(String, String)]

    /// - Parameter parameters: as ``WireModel/parameters(_:for:token:)`` leaves them.
    init(_ call: CloudCall, _ parameters: JSONObject, model: WireModel, input: WireMember?) throws(WireFault) {
        self.model = model
        isEC2 = call.wire == .ec2
        fields = [("Action", call.operation), ("Version", model.service.apiVersion)]
        if let input { try write(.object(parameters), as: input, at: "") }
    }

    var request: WireRequest {
        var request = WireRequest()
        request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        request.body = formBody(fields)
        return request
    }

    private mutating func write(_ value: JSON, as member: WireMember, at prefix: String) throws(WireFault) {
        switch model.shape(of: member) {
        case .structure(let members)?:
            for inner in members {
                guard let value = value[inner.name] else { continue }
                let name = queryName(of: inner)
                try write(value, as: inner, at: prefix.isEmpty ? name : "\(prefix).\(name)")
            }
        case .list(let element)?: try writeList(value.array ?? [], of: element, member, at: prefix)
        case .map(let key, let element)?:
            for (index, entry) in (value.object?.members ?? []).enumerated() {
                let place = "\(prefix)\(member.isFlattened ? "" : ".entry").\(index + 1)"
                fields.append(("\(place).\(key.locationName ?? "key")", entry.name))
                try write(entry.value, as: element, at: "\(place).\(element.locationName ?? "value")")
            }
        case nil: fields.append((prefix, try member.text(of: value, times: .iso8601)))
        }
    }

    private mutating func writeList(
        _ elements: [JSON], of element: WireMember, _ list: WireMember, at prefix: String
    ) throws(WireFault) {
        var prefix = prefix
        if !isEC2 {
            // The query protocol sends an empty list, which takes all away; EC2's has no way to.
            if elements.isEmpty { fields.append((prefix, "")) }
            if !list.isFlattened {
                prefix += ".\(element.locationName ?? "member")"
            } else if let name = element.locationName {
                prefix = (prefix.split(separator: ".").dropLast() + [name[...]]).joined(separator: ".")
            }
        }
        for (index, value) in elements.enumerated() {
            try write(value, as: element, at: "\(prefix).\(index + 1)")
        }
    }

    /// EC2 takes names that begin with an upper-case letter, whatever its answers have.
    private func queryName(of member: WireMember) -> String {
        guard isEC2 else { return member.wireName }
        if let name = member.queryName { return name }
        guard let name = member.locationName else { return member.name }
        return name.prefix(1).uppercased() + name.dropFirst()
    }
}
