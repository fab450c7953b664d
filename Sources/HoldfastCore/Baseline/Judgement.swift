/// Three-valued truth by Kleene: what is not known can decide nothing, and what is decided no knowledge can undo.
enum Truth: Sendable, Hashable {
    case no, unknown, yes

    init(_ value: Bool) { self = value ? .yes : .no }

    var negated: Truth {
        switch self {
        case .no: .yes
        case .unknown: .unknown
        case .yes: .no
        }
    }
}

/// A truth with what made it so.
struct Judgement: Sendable {
    var truth: Truth
    /// What decided it, whether to `yes` or to `no`; empty where it is unknown.
    var witnesses: [Witness] = []
    /// Why it is unknown.
    var reasons: [String] = []

    static func unknown(_ reason: String) -> Judgement { Judgement(truth: .unknown, reasons: [reason]) }

    var negated: Judgement { Judgement(truth: truth.negated, witnesses: witnesses, reasons: reasons) }

    /// `no` if one is, by the ones that are; else `unknown` if one is; else `yes` by all.
    static func all(_ parts: [Judgement]) -> Judgement { combine(parts, decisive: .no, rest: .yes) }
    /// `yes` if one is, by the ones that are; else `unknown` if one is; else `no` by all.
    static func any(_ parts: [Judgement]) -> Judgement { combine(parts, decisive: .yes, rest: .no) }

    private static func combine(_ parts: [Judgement], decisive: Truth, rest: Truth) -> Judgement {
        if parts.count == 1 { return parts[0] }
        let deciding = parts.filter { $0.truth == decisive }
        if !deciding.isEmpty { return Judgement(truth: decisive, witnesses: deciding.flatMap(\.witnesses)) }
        let open = parts.filter { $0.truth == .unknown }
        if !open.isEmpty { return Judgement(truth: .unknown, reasons: open.flatMap(\.reasons)) }
        return Judgement(truth: rest, witnesses: parts.flatMap(\.witnesses))
    }
}

/// A value with where it stands.
struct Cursor: Sendable {
    var value: StateValue
    var path: PropertyPath
    /// The key of the nearest element that this is or lies in.
    var key: String?
    /// An element of a list: what a fix can remove by itself.
    var isElement = false
    /// What lies in here is not in the resource's own document (a facet's members, a related resource).
    var isOpaque = false
    /// What a message shows in place of `value`.
    var shown: StateValue?
    /// The properties that this was derived from, where it is a facet's.
    var sources: [FacetSource] = []
    /// The elements, where this list is not a property but made: a projection, a facet, related resources.
    var made: [Cursor]?

    /// The elements of a list; a lone value is a list of one, as the clouds write "one or many".
    var elements: (items: [Cursor], openBecause: String?) {
        switch value {
        case .unknown(let reason): return ([], reason)
        case .absent: return ([], nil)
        case .list(let list):
            if let made { return (made, list.openBecause) }
            let items = list.elements.enumerated().map { index, element in
                Cursor(
                    value: element.value, path: path.appending(.index(index)), key: element.key ?? key,
                    isElement: true, isOpaque: isOpaque)
            }
            return (items, list.openBecause)
        case .scalar, .map:
            var lone = self
            lone.isElement = true
            return ([lone], nil)
        }
    }

    /// A list that is not a property but made of these.
    static func made(_ items: [Cursor], openBecause: String?, at path: PropertyPath, key: String? = nil) -> Cursor {
        let list = StateList(items.map { .init(key: $0.key, value: $0.value) }, openBecause: openBecause)
        let elements = items.map { item in
            var element = item
            element.isElement = true
            return element
        }
        return Cursor(value: .list(list), path: path, key: key, made: elements)
    }

    /// The value at a path below; with `[]` in it the list of all values at its end.
    func at(_ path: PropertyPath) -> Cursor {
        var found = [self]
        var openBecause: String?
        for step in path.steps {
            guard step == .each else {
                found = found.map { $0.at(step) }
                continue
            }
            var next: [Cursor] = []
            for cursor in found {
                let (items, reason) = cursor.elements
                next += items
                openBecause = openBecause ?? reason
            }
            found = next
        }
        guard path.steps.contains(.each) else { return found[0] }
        return .made(found, openBecause: openBecause, at: PropertyPath(self.path.steps + path.steps), key: key)
    }

    private func at(_ step: PropertyPath.Step) -> Cursor {
        var below = Cursor(
            value: .absent, path: path.appending(step), key: key, isOpaque: isOpaque, sources: sources)
        switch (value, step) {
        case (.unknown, _): below.value = value
        case (.map(let map), .name(let name)): below.value = map[name]
        case (.list, .name(let name)): below.value = .unknown("\(path) is a list, and \(name) is of its elements")
        case (.list(let list), .index(let index)):
            below.isElement = true
            if let reason = list.openBecause {
                // Which element stands at an index is not known while there may be others before it.
                below.value = .unknown(reason)
            } else if index < list.elements.count {
                below.value = list.elements[index].value
                below.key = list.elements[index].key ?? key
            }
        default: break
        }
        return below
    }
}

/// A place and what was, or was not, to be there: becomes an ``Offending`` when a verdict is made of it.
struct Witness: Sendable {
    var cursor: Cursor
    var predicate: Predicate
    /// The predicate holds there and was not to.
    var isNegated: Bool
}
