package import HoldfastJSON

/// The grammar of a data file, or of a part of one, as a value: it checks a ``Node``, and the JSON Schema for editors
/// and the configuration reference are generated from it.
package indirect enum Shape: Sendable {
    /// Any scalar.
    case text
    /// One of these words.
    case word([String])
    case bool
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// `5s`, `30m`, `24h`, `90d`.
    case duration
    case list(Shape)
    /// One thing, or a list of them.
    case oneOrMany(Shape)
    /// A map with keys of the writer's choosing, which the text describes.
    case map(keys: String, Shape)
    case record(Record)
    /// One of several; the first whose kind of node (scalar, list, map) fits is the one that is meant.
    case either([Shape])
    /// Anything: checked by the loader, or a body in a cloud's own words.
    case anything

    package struct Record: Sendable {
        package var fields: [Field]
        package init(_ fields: [Field]) { self.fields = fields }
    }

    package struct Field: Sendable {
        package var name: String
        package var shape: Shape
        package var required: Bool
        /// One line for the schema and the reference.
        package var about: String
        package init(_ name: String, _ shape: Shape, required: Bool = false, _ about: String) {
            self.name = name
            self.shape = shape
            self.required = required
            self.about = about
        }
    }

    package static func record(_ fields: Field...) -> Shape { .record(Record(fields)) }
}

extension Shape {
    /// Everything in a node that this grammar does not allow, in the order of the file.
    package func problems(in node: Node) -> [Problem] {
        switch self {
        case .anything: return []
        case .text: return node.text == nil ? [mismatch(node)] : []
        case .word(let words):
            guard let text = node.text else { return [mismatch(node)] }
            if words.contains(text) { return [] }
            return [Problem("unknown word \"\(text)\"\(suggestion(for: text, among: words))", at: node.place)]
        case .bool: return ["true", "false"].contains(node.text) ? [] : [mismatch(node)]
        case .integer(let range):
            guard let text = node.text, let value = Int(text), range.contains(value) else { return [mismatch(node)] }
            return []
        case .duration:
            guard let text = node.text, Span(text) != nil else { return [mismatch(node)] }
            return []
        case .list(let element):
            guard let nodes = node.list else { return [mismatch(node)] }
            return nodes.flatMap(element.problems)
        case .oneOrMany(let element): return node.oneOrMany.flatMap(element.problems)
        case .map(_, let value):
            guard let entries = node.entries else { return [mismatch(node)] }
            return entries.flatMap { value.problems(in: $0.value) }
        case .record(let record): return record.problems(in: node, expected: expectation)
        case .either(let shapes):
            guard let shape = shapes.first(where: { $0.fitsKind(of: node) }) else { return [mismatch(node)] }
            return shape.problems(in: node)
        }
    }

    private func mismatch(_ node: Node) -> Problem {
        let found = node.text.map { "\"\($0)\"" } ?? node.kindName
        return Problem("\(found) cannot stand here; expected \(expectation)", at: node.place)
    }

    /// What may stand here, as a message says it.
    package var expectation: String {
        switch self {
        case .text: "a text"
        case .word(let words): "one of \(words.joined(separator: ", "))"
        case .bool: "true or false"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .duration: "a time such as 30s, 5m, 24h or 90d"
        case .list(let element): "a list, each \(element.expectation)"
        case .oneOrMany(let element): "\(element.expectation), or a list of such"
        case .map(let keys, let value): "a map from \(keys) to \(value.expectation)"
        case .record(let record): "a map with \(record.fields.map(\.name).joined(separator: ", "))"
        case .either(let shapes): shapes.map(\.expectation).joined(separator: ", or ")
        case .anything: "anything"
        }
    }

    private func fitsKind(of node: Node) -> Bool {
        switch self {
        case .text, .word, .bool, .integer, .duration: node.text != nil
        case .list: node.list != nil
        case .map, .record: node.entries != nil
        case .oneOrMany(let element): node.list != nil || element.fitsKind(of: node)
        case .either(let shapes): shapes.contains { $0.fitsKind(of: node) }
        case .anything: true
        }
    }

    /// The JSON Schema (draft 2020-12) of this grammar.
    package var jsonSchema: JSON {
        switch self {
        case .anything: .object(JSONObject())
        case .text: ["type": ["string", "number", "boolean", "null"]]
        case .word(let words): ["enum": .array(words.map { .string($0) })]
        case .bool: ["type": "boolean"]
        case .integer(let range):
            [
                "type": "integer", "minimum": .number(JSONNumber(range.lowerBound)),
                "maximum": .number(JSONNumber(range.upperBound)),
            ]
        case .duration: ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"]
        case .list(let element): ["type": "array", "items": element.jsonSchema]
        case .oneOrMany(let element):
            ["anyOf": [element.jsonSchema, ["type": "array", "items": element.jsonSchema]]]
        case .map(let keys, let value):
            ["type": "object", "description": .string(keys), "additionalProperties": value.jsonSchema]
        case .record(let record): record.jsonSchema
        case .either(let shapes): ["anyOf": .array(shapes.map(\.jsonSchema))]
        }
    }
}

extension Shape.Record {
    fileprivate func problems(in node: Node, expected: String) -> [Problem] {
        guard let entries = node.entries else {
            return [Problem("\(node.kindName) cannot stand here; expected \(expected)", at: node.place)]
        }
        var problems: [Problem] = []
        for entry in entries {
            if let field = fields.first(where: { $0.name == entry.key }) {
                problems += field.shape.problems(in: entry.value)
            } else {
                let names = fields.map(\.name)
                problems.append(
                    Problem(
                        "unknown key \"\(entry.key)\"\(suggestion(for: entry.key, among: names))",
                        at: entry.keyPlace))
            }
        }
        for field in fields where field.required && node[field.name] == nil {
            problems.append(Problem("\"\(field.name)\" is missing: \(field.about)", at: node.place))
        }
        return problems
    }

    fileprivate var jsonSchema: JSON {
        let properties = fields.map { field -> (String, JSON) in
            var schema = field.shape.jsonSchema.object ?? JSONObject()
            schema["description"] = .string(field.about)
            return (field.name, .object(schema))
        }
        var schema = JSONObject([
            ("type", "object"), ("properties", .object(JSONObject(properties))), ("additionalProperties", false),
        ])
        let required = fields.filter(\.required).map { JSON.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }
}

/// A length of time as the data files write it: `250ms`, `5s`, `30m`, `24h`, `90d`.
package struct Span: Sendable, Hashable {
    /// Nanoseconds, never negative.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package init(seconds: Int) { nanoseconds = Int64(seconds) * 1_000_000_000 }

    /// `nil` where the text is no time, or one longer than 100 years.
    package init?(_ text: String) {
        let units: [(String, Int64)] = [
            ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
            ("d", 86_400_000_000_000),
        ]
        for (suffix, scale) in units where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let count = Int64(digits)
            else { continue }
            let (product, overflow) = count.multipliedReportingOverflow(by: scale)
            guard !overflow, product <= 36_525 * 86_400_000_000_000 else { return nil }
            nanoseconds = product
            return
        }
        return nil
    }
}
