package import HoldfastJSON

/// What a data file gives a call, as far as it is known before it is filled: names and constants.
indirect enum CallValue {
    struct Member {
        var name: String
        var value: CallValue
        var place: SourcePlace
    }
    /// Known only when the call is made.
    case anything
    case scalar(JSON)
    case list([CallValue])
    case map([Member])

    init(_ json: JSON, at place: SourcePlace) {
        switch json {
        case .null: self = .anything
        case .array(let elements): self = .list(elements.map { CallValue($0, at: place) })
        case .object(let object):
            self = .map(
                object.members.map { Member(name: $0.name, value: CallValue($0.value, at: place), place: place) })
        case .bool, .number, .string: self = .scalar(json)
        }
    }

    init(_ template: PlaybookTemplate, at place: SourcePlace) {
        switch template {
        case .literal(let json): self = CallValue(json, at: place)
        case .reference, .join, .json: self = .anything
        case .list(let elements): self = .list(elements.map { CallValue($0, at: place) })
        case .map(let members):
            self = .map(
                members.map { Member(name: $0.name, value: CallValue($0.value, at: $0.place), place: $0.place) })
        }
    }

    init(_ source: ValueSource, at place: SourcePlace) {
        switch source {
        case .constant(let json): self = CallValue(json, at: place)
        case .list(let sources): self = .list(sources.map { CallValue($0, at: place) })
        case .each(_, let value, _): self = .list([CallValue(value, at: place)])
        case .only(_, let source): self = CallValue(source, at: place)
        case .map(let members):
            self = .map(
                members.map { Member(name: $0.name, value: CallValue($0.source, at: place), place: place) })
        case .path, .firstOf, .variable, .json, .unescaped, .text, .number, .bool, .upperCamel, .entries, .after,
            .lookup, .join:
            self = .anything
        }
    }
}

extension WireModel {
    /// What of a call's parameters the provider's model does not have, nested names too.
    func problems(in value: CallValue, for call: CloudCall, at place: SourcePlace) -> [Problem] {
        guard let operation = operations[call.operation] else { return [] }
        guard let input = operation.input else {
            guard case .map(let members) = value else { return [] }
            return members.map { Problem("\(call.name) takes nothing", at: $0.place) }
        }
        return problems(in: value, of: input, path: "", call: call.name, at: place)
    }

    private func problems(
        in value: CallValue, of member: WireMember, path: String, call: String, at place: SourcePlace
    ) -> [Problem] {
        let what = path.isEmpty ? call : "\(path) of \(call)"
        switch (value, shape(of: member)) {
        case (.anything, _): return []
        case (.scalar(let json), nil):
            if member.kind.value(of: json) != nil { return [] }
            return [Problem("\(what) is \(member.kind.about), not \(json.kindName)", at: place)]
        case (.list(let elements), .list(let element)?):
            return elements.flatMap { problems(in: $0, of: element, path: path, call: call, at: place) }
        case (.map(let members), .map(_, let value)?):
            return members.flatMap {
                problems(in: $0.value, of: value, path: "\(path).\($0.name)", call: call, at: $0.place)
            }
        case (.map(let members), .structure(let known)?):
            return members.flatMap { given -> [Problem] in
                guard let member = known.first(where: { $0.name == given.name }) else {
                    let hint = suggestion(for: given.name, among: known.map(\.name))
                    return [Problem("\(what) has no \"\(given.name)\"\(hint)", at: given.place)]
                }
                let inner = path.isEmpty ? given.name : "\(path).\(given.name)"
                return problems(in: given.value, of: member, path: inner, call: call, at: given.place)
            }
        case (.scalar(let json), let shape?):
            return [Problem("\(what) is \(shape.about), not \(json.kindName)", at: place)]
        case (.list, let shape):
            return [Problem("\(what) is \(shape?.about ?? member.kind.about), not a list", at: place)]
        case (.map, let shape):
            let hint = member.kind == .string ? "; {$json: …} makes a text of it" : ""
            return [Problem("\(what) is \(shape?.about ?? member.kind.about), not a map\(hint)", at: place)]
        }
    }
}

extension WireShape {
    /// For messages.
    package var about: String { if case .list = self { "a list" } else { "a map" } }
}

extension WireMember.Kind {
    /// For messages.
    package var about: String {
        switch self {
        case .string: "a text"
        case .boolean: "a boolean"
        case .integer: "a whole number"
        case .float: "a number"
        case .timestamp: "a time"
        case .blob: "a text in base64"
        case .shape: "a map or a list"
        }
    }

    /// A scalar in the kind that the provider's model says, where nothing is lost by that: the number 22 for the text
    /// `22`, and the other way. `nil` where it is something else.
    package func value(of json: JSON) -> JSON? {
        switch (self, json) {
        case (.string, .string), (.boolean, .bool), (.float, .number), (.timestamp, .number): return json
        case (.string, .number), (.string, .bool): return json.scalarText.map(JSON.string)
        case (.boolean, .string("true")): return true
        case (.boolean, .string("false")): return false
        case (.integer, .number(let number)):
            return Int(number.text) != nil ? json : number.int.map { .number(JSONNumber($0)) }
        case (.integer, .string(let text)): return Int(text).map { .number(JSONNumber($0)) }
        case (.float, .string(let text)):
            guard case .number(let number)? = try? JSON.parse(text) else { return nil }
            return .number(number)
        case (.timestamp, .string(let text)): return Timestamp(text) == nil ? nil : json
        case (.blob, .string(let text)): return bytes(fromBase64: text) == nil ? nil : json
        default: return nil
        }
    }
}

extension Catalog {
    /// How a call travels; `nil` of Azure's and Google's calls, which say all themselves.
    package func wire(of call: CloudCall) -> (model: WireModel, operation: WireOperation)? {
        guard let model = wireModels[call.model], let operation = model.operations[call.operation] else { return nil }
        return (model, operation)
    }

    /// Calls of AWS that no wire file carries, and parameters that the wire files do not have.
    func wireProblems() -> [Problem] {
        var problems: [Problem] = []
        for name in callNames {
            guard let call = calls[name], call.isAWS else { continue }
            guard let model = wireModels[call.model], wire(of: call) != nil else {
                let file = "catalog/aws/wire/\(call.model).json"
                let message = "\(file) does not say how \(name) travels; run holdfast catalog prove --models DIR"
                problems.append(Problem(message, at: call.place))
                continue
            }
            let given = call.parameters.map { CallValue.Member(name: $0, value: .anything, place: call.place) }
            problems += model.problems(in: .map(given), for: call, at: call.place)
            if let restore = call.restore {
                problems += wireProblems(restore.parameters, of: name, at: restore.place)
            }
        }
        for type in typeNames.compactMap({ types[$0] }) {
            for step in type.read { problems += wireProblems(step.parameters, of: step.call, at: step.place) }
            if let list = type.list { problems += wireProblems(list.parameters, of: list.call, at: list.place) }
        }
        return problems
    }

    private func wireProblems(_ parameters: [ReadStep.Parameter], of name: String, at place: SourcePlace) -> [Problem] {
        guard let call = calls[name], let (model, _) = wire(of: call) else { return [] }
        let given = parameters.filter { call.parameters.contains($0.name) }.map {
            CallValue.Member(name: $0.name, value: CallValue($0.source, at: place), place: place)
        }
        return model.problems(in: .map(given), for: call, at: place)
    }
}
