internal import HoldfastCore
internal import HoldfastJSON

/// What differs between two states of a resource, path by path.
struct StateDiff {
    struct Line: Hashable {
        var path: String
        var before: StateValue
        var after: StateValue
    }

    /// Differences that are told one by one; further ones are counted.
    static let limit = 60

    /// In the order in which they stand in the documents, at most ``limit``.
    private(set) var lines: [Line] = []
    /// Differences that are not among the lines.
    private(set) var more = 0

    /// - Parameter touched: paths that an event was about: told also where both sides look the same.
    init(from before: StateValue, to after: StateValue, touched: [PropertyPath] = []) {
        compare(before, after, at: "")
        for path in touched where !lines.contains(where: { $0.path.hasPrefix(path.description) }) {
            let (old, new) = (before[path.withoutElements], after[path.withoutElements])
            // What is unknown on both sides changed all the same.
            if new.unknownReason != nil, old != new || new.isUnknown {
                add(path.withoutElements.description, old, new)
            }
        }
    }

    private mutating func add(_ path: String, _ before: StateValue, _ after: StateValue) {
        guard !lines.contains(where: { $0.path == path }) else { return }
        if lines.count < Self.limit {
            lines.append(Line(path: path.isEmpty ? "." : path, before: before, after: after))
        } else {
            more += 1
        }
    }

    private mutating func compare(_ before: StateValue, _ after: StateValue, at path: String) {
        guard before != after else { return }
        switch (before, after) {
        case (.map(let old), .map(let new)):
            var names = old.members.map(\.name)
            names += new.members.map(\.name).filter { !names.contains($0) }
            for name in names.sorted(by: { $0.precedesInUTF8($1) }) {
                compare(old[name], new[name], at: path.isEmpty ? name : "\(path).\(name)")
            }
        case (.list(let old), .list(let new)) where old.isKeyed && new.isKeyed:
            var keys = old.elements.compactMap(\.key)
            keys += new.elements.compactMap(\.key).filter { !keys.contains($0) }
            for key in keys.sorted(by: { $0.precedesInUTF8($1) }) {
                compare(old.element(key), new.element(key), at: "\(path)[\(key)]")
            }
        default: add(path, before, after)
        }
    }

    var json: JSON {
        .array(
            lines.map { ["after": $0.after.shown, "before": $0.before.shown, "path": .string($0.path)] }
                + (more > 0 ? [["more": .number(JSONNumber(more))]] : []))
    }
}

extension StateList {
    fileprivate var isKeyed: Bool { elements.allSatisfy { $0.key != nil } }

    fileprivate func element(_ key: String) -> StateValue {
        elements.first { $0.key == key }?.value ?? openBecause.map { .unknown($0) } ?? .absent
    }
}

extension StateValue {
    fileprivate var isUnknown: Bool { if case .unknown = self { true } else { false } }

    /// For people and programs: the value; null where it is known not to be there; `{"unknown": why}` where nobody
    /// knows it.
    var shown: JSON {
        if case .unknown(let reason) = self { return ["unknown": .string(reason)] }
        return json
    }
}

extension PropertyPath {
    /// The path up to its first list.
    fileprivate var withoutElements: PropertyPath {
        PropertyPath(Array(steps.prefix { if case .name = $0 { true } else { false } }))
    }
}

extension EvidenceChange {
    /// What it is about; `nil` for creation and deletion.
    var path: PropertyPath? {
        switch self {
        case .created, .deleted: nil
        case .set(let path, _), .touched(let path): path
        case .put(let list, _, _), .remove(let list, _): list
        }
    }
}
