package import HoldfastJSON

/// Desired state of one resource or of a selection: only the paths that are named, each with the value it must have.
package struct Pin: Sendable {
    /// `pin/` and the file's path below `pins/`: what findings name in place of a rule.
    package var id: String
    package var title: String
    package var type: String
    /// Ids or patterns of ids; empty: every resource of the type in the scope.
    package var resources: [String]
    package var scope: Scope
    /// In the order of the file. Null: it must not be there.
    package var desired: [(path: PropertyPath, value: JSON)]
    package var severity: Severity
    package var why: String
    package var place: SourcePlace

    /// The grammar of a pin's file.
    package static let shape = Shape.record(
        .init("title", .text, required: true, "What is held, in one sentence."),
        .init("type", .text, required: true, "The catalog's type."),
        .init("resources", .list(.text), "Ids of resources; * is any run of characters. All of the type if not given."),
        .init("scope", Scope.shape, "Where it holds; everywhere if not given."),
        .init("desired", .map(keys: "a path", .anything), required: true, "The value that must stand at each path."),
        .init("severity", .word(Severity.allCases.map(\.rawValue)), "How bad a difference is; medium if not given."),
        .init("why", .text, "Why it is held."))

    /// Of a checked node; `nil` with problems where the type or a path does not exist.
    init?(id: String, _ node: Node, space: PathSpace?, typeNames: [String], _ problems: inout [Problem]) {
        self.id = id
        title = node["title"]?.text ?? ""
        type = node["type"]?.text ?? ""
        resources = node["resources"]?.texts ?? []
        scope = Scope(node["scope"])
        severity = node["severity"]?.text.flatMap(Severity.init) ?? .medium
        why = node["why"]?.text ?? ""
        place = node.place
        desired = []
        guard let space else {
            problems.append(
                Problem(
                    "unknown type \"\(type)\"\(suggestion(for: type, among: typeNames))",
                    at: node["type"]?.place ?? place))
            return nil
        }
        let before = problems.count
        for entry in node["desired"]?.entries ?? [] {
            guard let path = PropertyPath(entry.key), !path.isRoot, !path.steps.contains(.each) else {
                problems.append(Problem("\"\(entry.key)\" is no path to one value; write A.B", at: entry.keyPlace))
                continue
            }
            if let fault = space.fault(of: path, below: PropertyPath()) {
                problems.append(Problem(fault, at: entry.keyPlace))
            }
            desired.append((path, entry.value.json))
        }
        if problems.count > before { return nil }
    }

    package func selects(_ resource: ResourceID, _ context: EvaluationContext) -> Bool {
        resource.type == type && scope.contains(resource, context)
            && (resources.isEmpty || resources.contains { TextPattern($0).matches(resource.id) })
    }

    /// Compares path by path: a map only by the members that the pin names, a list whose elements have keys by them in
    /// any order, every other list element by element.
    package func evaluate(_ document: StateValue) -> Verdict {
        var difference = Difference()
        for (path, value) in desired { difference.compare(document[path], to: value, at: path) }
        if !difference.offending.isEmpty {
            let offending = difference.offending.sorted { ($0.path, $0.key ?? "") < ($1.path, $1.key ?? "") }
            return Verdict(.drift, offending: offending, reason: "it differs from what is pinned")
        }
        guard let reason = difference.reasons.first else { return Verdict(.pass) }
        return Verdict(.unknown, reason: reason)
    }

    private struct Difference {
        var offending: [Offending] = []
        var reasons: [String] = []

        mutating func compare(_ value: StateValue, to wanted: JSON, at path: PropertyPath, key: String? = nil) {
            switch (value, wanted) {
            case (.unknown(let reason), _): reasons.append("\(path): \(reason)")
            case (.absent, .null): break
            case (.scalar(let json), _) where json.isScalar(wanted): break
            case (.map(let map), .object(let object)):
                for member in object.members {
                    compare(map[member.name], to: member.value, at: path.appending(.name(member.name)), key: key)
                }
            case (.list(let list), .array(let elements)): compare(list, to: elements, at: path, key: key)
            default:
                offending.append(
                    Offending(path: path, key: key, actual: value.json, expected: wanted.canonicalText))
            }
        }

        private mutating func compare(_ list: StateList, to wanted: [JSON], at path: PropertyPath, key: String?) {
            let doubt = list.openBecause ?? list.elements.lazy.compactMap(\.value.unknownReason).first
            let certain = list.elements.count { if case .unknown = $0.value { false } else { true } }
            if let doubt, certain <= wanted.count {
                reasons.append("\(path): \(doubt)")
                return
            }
            if list.elements.count != wanted.count {
                offending.append(
                    Offending(
                        path: path, key: key, actual: StateValue.list(list).json,
                        expected: JSON.array(wanted).canonicalText))
                return
            }
            // Elements with keys have no order; they stand in the order of what is wanted where they are equal to it.
            var rest = list.elements.enumerated().map { ($0.offset, $0.element) }
            let hasKeys = rest.allSatisfy { $0.1.key != nil }
            for element in wanted {
                let equal = hasKeys ? rest.firstIndex { Difference.isEqual($0.1.value, element) } : nil
                let (index, found) = rest.remove(at: equal ?? 0)
                compare(found.value, to: element, at: path.appending(.index(index)), key: found.key ?? key)
            }
        }

        private static func isEqual(_ value: StateValue, _ wanted: JSON) -> Bool {
            var inner = Difference()
            inner.compare(value, to: wanted, at: PropertyPath())
            return inner.offending.isEmpty && inner.reasons.isEmpty
        }
    }
}
