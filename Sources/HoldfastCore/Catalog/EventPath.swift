internal import HoldfastJSON

/// A place in an event, as a catalog file writes it: `requestParameters.ipPermissions[].ipRanges[]`. It starts at the
/// innermost thing being looked at (the event, or an element of an `each:`); each leading `^` goes one out.
///
/// The clouds' logs render one thing in many ways, so three readings are lenient: `[]` takes the elements of a list,
/// of a map that only wraps one (`{"items": [...]}`, `{}`), or a lone value that stands for a list of one; a name below
/// a text reads the text as JSON; and in an Azure event letter case and underscores of names do not count.
struct EventPath: Sendable, Hashable {
    var up: Int
    var steps: [PropertyPath.Step]

    /// `nil` where the text is not a path.
    init?(_ text: String) {
        var rest = Substring(text)
        var up = 0
        while rest.hasPrefix("^") {
            up += 1
            rest = rest.dropFirst()
            if rest.hasPrefix("."), rest.count > 1 { rest = rest.dropFirst() }
        }
        guard let path = PropertyPath(rest) else { return nil }
        self.up = up
        steps = path.steps
    }

    var hasEach: Bool { steps.contains(.each) }
}

/// What a path starts from: the event, the elements entered so far, and what the resource's name was made of.
struct EventScope: Sendable {
    /// The event's body first, the innermost element last.
    var values: [JSON]
    /// Of the id, and of a `match:`.
    var variables = Variables()
    /// Letter case and underscores of names do not count.
    var isLenient: Bool

    /// - Parameter body: of the event, as far as it is needed.
    init(_ event: ChangeEvent, body: JSON) {
        values = [body]
        isLenient = event.cloud == .azure
    }

    /// For values that are no event: an element of a resource's list.
    init(value: JSON) {
        values = [value]
        isLenient = false
    }

    /// What stands at a path: a list where the path has a `[]`; `nil` for nothing and for null.
    func value(at path: EventPath) -> JSON? {
        guard path.up < values.count else { return nil }
        let found = collect(path.steps[...], in: values[values.count - 1 - path.up])
        return path.hasEach ? (found.isEmpty ? nil : .array(found)) : found.first
    }

    /// One scope for every element that a path with `[]` leads to; each `[]` enters one level.
    func entering(_ path: EventPath) -> [EventScope] {
        guard path.up < values.count else { return [] }
        var base = values
        var scopes: [EventScope] = []
        enter(path.steps[...], in: values[values.count - 1 - path.up], stack: &base, into: &scopes)
        return scopes
    }

    /// The list that a path with `[]` leads to is in the event, though it may be empty.
    func hasList(at path: EventPath) -> Bool {
        guard path.up < values.count, let last = path.steps.lastIndex(of: .each) else { return false }
        return !collect(path.steps[..<last], in: values[values.count - 1 - path.up]).isEmpty
    }

    private func enter(
        _ steps: ArraySlice<PropertyPath.Step>, in value: JSON, stack: inout [JSON], into scopes: inout [EventScope]
    ) {
        guard let each = steps.firstIndex(of: .each) else {
            for found in collect(steps, in: value) {
                var scope = self
                // Steps after the last `[]` narrow the element that was entered.
                scope.values = steps.isEmpty ? stack : stack.dropLast() + [found]
                scopes.append(scope)
            }
            return
        }
        for list in collect(steps[..<each], in: value) {
            for element in elements(of: list) {
                stack.append(element)
                enter(steps[(each + 1)...], in: element, stack: &stack, into: &scopes)
                stack.removeLast()
            }
        }
    }

    private func collect(_ steps: ArraySlice<PropertyPath.Step>, in value: JSON) -> [JSON] {
        guard let step = steps.first else { return value.isNull ? [] : [value] }
        let rest = steps.dropFirst()
        switch step {
        case .name(let name):
            return member(name, of: value).map { collect(rest, in: $0) } ?? []
        case .index(let index):
            let elements = elements(of: value)
            return index < elements.count ? collect(rest, in: elements[index]) : []
        case .each:
            return elements(of: value).flatMap { collect(rest, in: $0) }
        }
    }

    private func elements(of value: JSON) -> [JSON] {
        switch value {
        case .null: return []
        case .array(let elements): return elements
        case .object(let object):
            if object.isEmpty { return [] }
            if object.count == 1, let inner = object["items"] ?? object["item"] ?? object["member"] {
                return elements(of: inner)
            }
            return [value]
        case .bool, .number, .string: return [value]
        }
    }

    private func member(_ name: String, of value: JSON) -> JSON? {
        switch value {
        case .object(let object):
            if let found = object[name] { return found }
            guard isLenient else { return nil }
            let plain = EventScope.plain(name)
            return object.members.first { EventScope.plain($0.name) == plain }?.value
        case .string(let text):
            guard let tree = JSON.document(in: text) else { return nil }
            return member(name, of: tree)
        case .null, .bool, .number, .array: return nil
        }
    }

    private static func plain(_ name: String) -> [UInt8] {
        name.utf8.filter { $0 != UInt8(ascii: "_") }.map { (65...90).contains($0) ? $0 + 32 : $0 }
    }
}

extension JSON {
    /// The map or list that a text holds, as JSON or as JSON with percent escapes (as IAM gives policies).
    static func document(in text: String) -> JSON? {
        guard let first = text.utf8.first(where: { $0 > 0x20 }) else { return nil }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try? JSON.parse(text)
        case UInt8(ascii: "%"): return unescapingPercents(text).flatMap { try? JSON.parse($0) }
        default: return nil
        }
    }

    /// A document whose text was given with percent escapes, without them; as it is where it does not begin with one.
    static func unescaped(_ text: String) -> String {
        guard text.utf8.first == UInt8(ascii: "%"), let bytes = unescapingPercents(text) else { return text }
        return String(validating: bytes, as: UTF8.self) ?? text
    }

    /// `nil` where an escape is cut off or has no hexadecimal digits.
    private static func unescapingPercents(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "%") else {
                out.append(byte)
                continue
            }
            guard let high = bytes.next().flatMap(hexDigit), let low = bytes.next().flatMap(hexDigit) else {
                return nil
            }
            out.append(high << 4 | low)
        }
        return out
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
