package import HoldfastJSON

/// What an operator compares with: a value written out, or a typed reference to one.
package enum Operand: Sendable, Hashable {
    /// A scalar or a list of scalars.
    case literal(JSON)
    /// `$params.ports`: the rule's own, with what was tuned.
    case param(String)
    /// `$lists.our-accounts`: from the configuration.
    case list(String)

    /// As the rule's file writes it, for messages: `22, 3389`, `90d`, `our-accounts`.
    func phrase(_ params: [String: JSON]) -> String {
        switch self {
        case .literal(let json): Operand.phrase(json)
        case .param(let name): params[name].map(Operand.phrase) ?? "$params.\(name)"
        case .list(let name): name
        }
    }

    private static func phrase(_ json: JSON) -> String {
        json.array.map { $0.compactMap(\.scalarText).joined(separator: ", ") } ?? json.scalarText ?? json.kindName
    }
}

/// What kind of operand an operator takes.
package enum OperandKind: Sendable, Hashable, CaseIterable {
    case scalar, scalars, number, texts, duration, ports, ranges, names

    /// What may stand there, as a message says it.
    var expectation: String {
        switch self {
        case .scalar: "one text, number or truth value"
        case .scalars: "a list of texts or numbers"
        case .number: "a number"
        case .texts: "a text, or a list of texts"
        case .duration: "a time such as 30s, 5m, 24h or 90d"
        case .ports: "ports such as 22, 8000-8080 or a list of such"
        case .ranges: "address ranges such as 10.0.0.0/8 or a list of such"
        case .names: "a list of names or account ids"
        }
    }

    func allows(_ json: JSON) -> Bool {
        switch self {
        case .scalar: return json.scalarText != nil
        case .scalars, .names: return json.array.map { $0.allSatisfy { $0.scalarText != nil } } ?? false
        case .number: return json.number != nil
        case .texts:
            guard let elements = json.array else { return json.scalarText != nil }
            return !elements.isEmpty && elements.allSatisfy { $0.scalarText != nil }
        case .duration: return json.string.flatMap { Span($0) } != nil
        case .ports: return (try? PortSet(json)) != nil
        case .ranges: return (try? IPSet(json)) != nil
        }
    }

    /// Whether a list of the configuration may stand here.
    var takesList: Bool {
        switch self {
        case .scalars, .names, .ranges, .texts: true
        case .scalar, .number, .duration, .ports: false
        }
    }
}

extension JSON {
    /// A number, also one that a text holds.
    var number: Double? {
        switch self {
        case .number(let number): return number.double
        case .string(let text):
            guard let value = Double(text), value.isFinite else { return nil }
            return value
        default: return nil
        }
    }

    /// Whether a scalar of a cloud's is the scalar that a rule names: by its text, and a cloud's number by its value,
    /// so that a plain `true` in YAML is JSON's `true` and `1` is `1.0`.
    func isScalar(_ expected: JSON) -> Bool {
        if scalarText == expected.scalarText { return scalarText != nil }
        guard case .number(let number) = self, let other = expected.number else { return false }
        return number.double == other
    }
}
