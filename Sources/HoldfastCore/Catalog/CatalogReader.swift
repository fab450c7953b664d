internal import HoldfastJSON

/// Reads the parts that catalog files are made of, and gathers what is wrong in them.
struct CatalogReader {
    var problems: [Problem] = []

    mutating func report(_ message: String, at place: SourcePlace) {
        problems.append(Problem(message, at: place))
    }

    // MARK: Paths

    mutating func path(_ text: String, at place: SourcePlace) -> PropertyPath? {
        if let path = PropertyPath(text) { return path }
        report("\"\(text)\" is no path; write it as in SecurityGroupIngress[].CidrIp", at: place)
        return nil
    }

    mutating func paths(_ node: Node?) -> [PropertyPath] {
        node?.oneOrMany.compactMap { node in node.text.flatMap { path($0, at: node.place) } } ?? []
    }

    mutating func eventPath(_ text: String, at place: SourcePlace) -> EventPath? {
        if let path = EventPath(text) { return path }
        report("\"\(text)\" is no place in an event; write it as in requestParameters.groupId", at: place)
        return nil
    }

    mutating func eventPath(_ node: Node?) -> EventPath? {
        node.flatMap { node in node.text.flatMap { eventPath($0, at: node.place) } }
    }

    mutating func template(_ text: String, at place: SourcePlace) -> IDTemplate? {
        if let template = IDTemplate(text) { return template }
        report("\"\(text)\" is no form of an id; close every brace and put text between variables", at: place)
        return nil
    }

    /// `A.{B,C}` is `A.B` and `A.C`; groups may stand in groups.
    static func expandingBraces(_ text: String) -> [String] {
        guard let open = text.firstIndex(of: "{") else { return [text] }
        var depth = 0
        var parts: [String] = [""]
        for index in text[open...].indices {
            switch text[index] {
            case "{":
                depth += 1
                if depth == 1 { continue }
            case "}":
                depth -= 1
                if depth == 0 {
                    let rest = expandingBraces(String(text[text.index(after: index)...]))
                    return parts.flatMap(expandingBraces).flatMap { part in rest.map { text[..<open] + part + $0 } }
                }
            case "," where depth == 1:
                parts.append("")
                continue
            default: break
            }
            parts[parts.count - 1].append(text[index])
        }
        return [text]
    }

    // MARK: Sources

    private static let words = [
        "value", "variable", "json", "unescaped", "text", "number", "bool", "upper-camel", "entries", "after", "of",
        "lookup", "in",
        "map", "list", "each", "when", "join", "with",
    ]

    mutating func source(_ node: Node?) -> ValueSource? {
        guard let node else { return nil }
        switch node.content {
        case .scalar(let text, quoted: _): return eventPath(text, at: node.place).map { .path($0) }
        case .list(let nodes): return .firstOf(nodes.compactMap { source($0) })
        case .map(let entries):
            for entry in entries where !CatalogReader.words.contains(entry.key) {
                let hint = suggestion(for: entry.key, among: CatalogReader.words)
                report("unknown word \"\(entry.key)\" in a source\(hint)", at: entry.keyPlace)
            }
            guard node["when"] != nil, node["each"] == nil else { return word(node) }
            return word(node).map { .only(when: conditions(node["when"]), $0) }
        }
    }

    private mutating func word(_ node: Node) -> ValueSource? {
        if let value = node["value"], node["each"] == nil { return .constant(value.json) }
        if let each = eventPath(node["each"]) {
            let value = source(node["value"]) ?? .path(EventPath.here)
            return .each(each, value: value, when: conditions(node["when"]))
        }
        if let text = node["variable"]?.text { return .variable(text) }
        if let inner = source(node["json"]) { return .json(inner) }
        if let inner = source(node["unescaped"]) { return .unescaped(inner) }
        if let inner = source(node["text"]) { return .text(inner) }
        if let inner = source(node["number"]) { return .number(inner) }
        if let inner = source(node["bool"]) { return .bool(inner) }
        if let inner = source(node["upper-camel"]) { return .upperCamel(inner) }
        if let inner = source(node["entries"]) { return .entries(inner) }
        if let mark = node["after"]?.text, !mark.isEmpty, let inner = source(node["of"]) { return .after(mark, inner) }
        if let inner = source(node["lookup"]), let table = node["in"]?.entries {
            let pairs = table.map { ($0.key, $0.value.json) }
            return .lookup(inner, Dictionary(pairs) { first, _ in first })
        }
        if let members = node["map"]?.entries {
            return .map(
                members.compactMap { entry in
                    source(entry.value).map { ValueSource.Member(name: entry.key, source: $0) }
                })
        }
        if let nodes = node["list"]?.list { return .list(nodes.compactMap { source($0) }) }
        if let nodes = node["join"]?.list, let mark = node["with"]?.text {
            return .join(nodes.compactMap { source($0) }, with: mark)
        }
        report(
            "this names no source; write a place in the event or one of the words of docs/catalog.md", at: node.place)
        return nil
    }

    mutating func conditions(_ node: Node?) -> [EventCondition] {
        var conditions: [EventCondition] = []
        for entry in node?.entries ?? [] {
            guard let path = eventPath(entry.key, at: entry.keyPlace) else { continue }
            let test: EventCondition.Test
            if let prefixes = entry.value["starts-with"] {
                test = .startsWith(prefixes.texts)
            } else if let others = entry.value["not"] {
                test = .isNoneOf(others.texts)
            } else if let parts = entry.value["contains"] {
                test = .contains(parts.texts)
            } else if case .scalar("present", quoted: false) = entry.value.content {
                test = .present
            } else if case .scalar("absent", quoted: false) = entry.value.content {
                test = .absent
            } else {
                test = .isOneOf(entry.value.texts)
            }
            conditions.append(EventCondition(path: path, test: test))
        }
        return conditions
    }
}

extension EventPath {
    /// What is being looked at, itself.
    static let here = EventPath(up: 0, steps: [])

    init(up: Int, steps: [PropertyPath.Step]) {
        self.up = up
        self.steps = steps
    }
}
