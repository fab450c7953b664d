internal import HoldfastJSON

/// Where a value in evidence or in a call comes from, as a catalog file writes it. Not a language: places, constants
/// and changes of form, and nothing else.
indirect enum ValueSource: Sendable, Hashable {
    case path(EventPath)
    /// The first that has a value; an empty list only where no other has one.
    case firstOf([ValueSource])
    case constant(JSON)
    /// A variable of the resource's id or of a `match:`.
    case variable(String)
    /// A text that holds JSON, plain or percent-escaped; a tree stays what it is.
    case json(ValueSource)
    /// The text of a document that is given with percent escapes, without them.
    case unescaped(ValueSource)
    case text(ValueSource)
    case number(ValueSource)
    case bool(ValueSource)
    /// All names within begin with an upper-case letter: `cidrIp` -> `CidrIp`.
    case upperCamel(ValueSource)
    /// A map as a list: `{a: b}` -> `[{Key: a, Value: b}]`.
    case entries(ValueSource)
    /// The part after the last of this text: `arn:…:role/a` -> `a` for `/`.
    case after(String, ValueSource)
    case lookup(ValueSource, [String: JSON])
    case map([Member])
    case list([ValueSource])
    case each(EventPath, value: ValueSource, when: [EventCondition])
    case only(when: [EventCondition], ValueSource)
    /// Texts with another between them; a part that is missing is empty.
    case join([ValueSource], with: String)

    struct Member: Sendable, Hashable {
        var name: String
        var source: ValueSource
    }

    /// `nil` where the event says nothing of it.
    func value(in scope: EventScope) -> JSON? {
        switch self {
        case .path(let path): return scope.value(at: path)
        case .firstOf(let sources):
            let values = sources.lazy.compactMap { $0.value(in: scope) }
            return values.first { $0 != .array([]) } ?? values.first
        case .constant(let value): return value
        case .variable(let name): return scope.variables[name].map(JSON.string)
        case .json(let source):
            guard let value = source.value(in: scope) else { return nil }
            return value.string.map { JSON.document(in: $0) } ?? value
        case .unescaped(let source): return source.value(in: scope)?.string.map { .string(JSON.unescaped($0)) }
        case .text(let source): return source.value(in: scope)?.firstScalarText.map(JSON.string)
        case .number(let source): return source.value(in: scope).flatMap(ValueSource.number)
        case .bool(let source): return source.value(in: scope)?.firstScalarText.flatMap(ValueSource.bool)
        case .upperCamel(let source): return source.value(in: scope)?.upperCamel
        case .entries(let source):
            return source.value(in: scope)?.object.map { object in
                .array(object.members.map { .object(JSONObject([("Key", .string($0.name)), ("Value", $0.value)])) })
            }
        case .after(let mark, let source):
            guard let text = source.value(in: scope)?.firstScalarText else { return nil }
            return .string(text.ranges(of: mark).last.map { String(text[$0.upperBound...]) } ?? text)
        case .lookup(let source, let table):
            return source.value(in: scope)?.firstScalarText.flatMap { table[$0] }
        case .map(let members):
            let pairs = members.compactMap { member in
                member.source.value(in: scope).map { (member.name, $0) }
            }
            return pairs.isEmpty ? nil : .object(JSONObject(pairs))
        case .list(let sources):
            let elements = sources.compactMap { $0.value(in: scope) }
            return elements.isEmpty ? nil : .array(elements)
        case .each(let path, let value, let conditions):
            guard scope.hasList(at: path) else { return nil }
            let scopes = scope.entering(path).filter { scope in conditions.allSatisfy { $0.holds(in: scope) } }
            return .array(scopes.compactMap { value.value(in: $0) })
        case .only(let conditions, let source):
            return conditions.allSatisfy { $0.holds(in: scope) } ? source.value(in: scope) : nil
        case .join(let sources, let mark):
            let texts = sources.map { $0.value(in: scope)?.firstScalarText }
            return texts.allSatisfy { $0 == nil } ? nil : .string(texts.map { $0 ?? "" }.joined(separator: mark))
        }
    }

    private static func number(_ value: JSON) -> JSON? {
        if case .number = value { return value }
        guard let text = value.string, let int = Int(text) else { return nil }
        return .number(JSONNumber(int))
    }

    private static func bool(_ text: String) -> JSON? {
        switch text.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// Every path within, for checks against an event's model.
    var paths: [EventPath] {
        switch self {
        case .path(let path): [path]
        case .constant, .variable: []
        case .firstOf(let sources), .list(let sources), .join(let sources, _): sources.flatMap(\.paths)
        case .json(let source), .unescaped(let source), .text(let source), .number(let source), .bool(let source),
            .upperCamel(let source),
            .entries(let source), .after(_, let source), .lookup(let source, _):
            source.paths
        case .map(let members): members.flatMap(\.source.paths)
        case .each(let path, _, _): [path]
        case .only(let conditions, let source): conditions.map(\.path) + source.paths
        }
    }
}

extension ValueSource {
    /// Calls back with every place, those within an `each:` included.
    func forEachPlace(_ body: (EventPath) -> Void) {
        switch self {
        case .path(let path): body(path)
        case .constant, .variable: break
        case .firstOf(let sources), .list(let sources), .join(let sources, _):
            for source in sources { source.forEachPlace(body) }
        case .json(let source), .unescaped(let source), .text(let source), .number(let source), .bool(let source),
            .upperCamel(let source),
            .entries(let source), .after(_, let source), .lookup(let source, _):
            source.forEachPlace(body)
        case .map(let members): for member in members { member.source.forEachPlace(body) }
        case .each(let path, let value, let conditions):
            body(path)
            value.forEachPlace(body)
            for condition in conditions { body(condition.path) }
        case .only(let conditions, let source):
            for condition in conditions { body(condition.path) }
            source.forEachPlace(body)
        }
    }
}

/// When a part of an event's meaning applies. All of an entry's conditions must hold.
struct EventCondition: Sendable, Hashable {
    enum Test: Sendable, Hashable {
        /// Its text (of a list: that of any element) is one of these.
        case isOneOf([String])
        /// It is none of these, or absent.
        case isNoneOf([String])
        case startsWith([String])
        case contains([String])
        case present
        case absent
    }
    var path: EventPath
    var test: Test

    func holds(in scope: EventScope) -> Bool {
        let value = scope.value(at: path)
        switch test {
        case .present: return value != nil
        case .absent: return value == nil
        case .isOneOf(let texts): return value?.scalarTexts.contains { texts.contains($0) } ?? false
        case .isNoneOf(let texts): return !(value?.scalarTexts.contains { texts.contains($0) } ?? false)
        case .startsWith(let texts):
            return value?.scalarTexts.contains { value in texts.contains { value.hasPrefix($0) } } ?? false
        case .contains(let texts):
            return value?.scalarTexts.contains { value in texts.contains { value.contains($0) } } ?? false
        }
    }
}

extension JSON {
    /// A scalar's text, or the text of a list's first scalar.
    var firstScalarText: String? { scalarTexts.first }

    var scalarTexts: [String] {
        if let elements = array { return elements.compactMap(\.scalarText) }
        return scalarText.map { [$0] } ?? []
    }

    /// The same tree with the first letter of every name in upper case.
    var upperCamel: JSON {
        switch self {
        case .null, .bool, .number, .string: self
        case .array(let elements): .array(elements.map(\.upperCamel))
        case .object(let object):
            .object(JSONObject(object.members.map { ($0.name.upperFirst, $0.value.upperCamel) }))
        }
    }
}

extension String {
    var upperFirst: String { prefix(1).uppercased() + dropFirst() }
    var lowerFirst: String { prefix(1).lowercased() + dropFirst() }
}
