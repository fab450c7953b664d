internal import HoldfastJSON

/// Properties or references, and what is asked of each; all must hold.
struct PlaybookCondition: Sendable {
    enum Subject: Sendable {
        case reference(PlaybookReference)
        /// Of the resource, or of the candidate where a choice asks.
        case property(PropertyPath)

        var phrase: String {
            switch self {
            case .reference(let reference): reference.description
            case .property(let path): path.description
            }
        }
    }
    indirect enum Test: Sendable {
        case equals(JSON)
        case isIn([JSON])
        case absent, present, empty
        case not(Test)
    }
    struct Clause: Sendable {
        var subject: Subject
        var test: Test
        var place: SourcePlace
    }
    enum Outcome: Sendable, Equatable {
        case holds
        case fails(String)
        case unknown(String)
    }
    var clauses: [Clause]

    /// Whether all clauses hold; one that surely fails decides, whatever is not known of the others.
    func outcome(_ value: (Subject) -> StateValue) -> Outcome {
        var unknown: String?
        for clause in clauses {
            switch clause.test.holds(value(clause.subject)) {
            case true?: continue
            case false?: return .fails("\(clause.subject.phrase) is not \(clause.test.phrase)")
            case nil: unknown = unknown ?? "\(clause.subject.phrase) is not known"
            }
        }
        return unknown.map(Outcome.unknown) ?? .holds
    }

    var phrase: String { clauses.map { "\($0.subject.phrase) is \($0.test.phrase)" }.joined(separator: " and ") }

    static func read(_ node: Node, problems: inout [Problem]) -> PlaybookCondition {
        guard let entries = node.entries, !entries.isEmpty else {
            problems.append(Problem("\(node.kindName) cannot stand here; expected properties and tests", at: node.place))
            return PlaybookCondition(clauses: [])
        }
        var clauses: [Clause] = []
        for entry in entries {
            guard let subject = subject(entry, problems: &problems),
                let test = Test.read(entry.value, problems: &problems)
            else { continue }
            clauses.append(Clause(subject: subject, test: test, place: entry.keyPlace))
        }
        return PlaybookCondition(clauses: clauses)
    }

    private static func subject(_ entry: Node.Entry, problems: inout [Problem]) -> Subject? {
        if entry.key.hasPrefix("$") {
            do {
                return .reference(try PlaybookReference.parse(entry.key))
            } catch {
                problems.append(Problem(error.message, at: entry.keyPlace))
                return nil
            }
        }
        if let path = PropertyPath(entry.key) { return .property(path) }
        problems.append(Problem("\"\(entry.key)\" is no path of a property", at: entry.keyPlace))
        return nil
    }
}

extension PlaybookCondition.Test {
    /// `nil` where it cannot be told.
    func holds(_ value: StateValue) -> Bool? {
        if case .not(let inner) = self { return inner.holds(value).map { !$0 } }
        switch value {
        case .unknown: return nil
        case .absent:
            switch self {
            case .absent, .empty: return true
            default: return false
            }
        case .scalar(let json): return holds(json)
        case .list(let list): return holdsOfCollection(list.elements.isEmpty ? list.openBecause == nil : false,
                                                       isOpen: list.openBecause != nil, hasAny: !list.elements.isEmpty)
        case .map(let map): return holdsOfCollection(map.members.isEmpty ? map.openBecause == nil : false,
                                                     isOpen: map.openBecause != nil, hasAny: !map.members.isEmpty)
        }
    }

    private func holds(_ json: JSON) -> Bool {
        switch self {
        case .equals(let other): json.scalarText == other.scalarText
        case .isIn(let others): others.contains { $0.scalarText == json.scalarText }
        case .present: true
        case .absent: false
        case .empty: json.string?.isEmpty ?? false
        case .not: false
        }
    }

    private func holdsOfCollection(_ isEmpty: Bool, isOpen: Bool, hasAny: Bool) -> Bool? {
        switch self {
        case .present: true
        case .empty: isEmpty ? true : isOpen && !hasAny ? nil : false
        default: false
        }
    }

    var phrase: String {
        switch self {
        case .equals(let json): json.scalarText ?? json.kindName
        case .isIn(let values): "one of \(values.compactMap(\.scalarText).joined(separator: ", "))"
        case .absent: "absent"
        case .present: "present"
        case .empty: "empty"
        case .not(let inner): "not \(inner.phrase)"
        }
    }

    static func read(_ node: Node, problems: inout [Problem]) -> PlaybookCondition.Test? {
        if let text = node.text {
            switch text {
            case "absent": return .absent
            case "present": return .present
            case "empty": return .empty
            default: return .equals(node.json)
            }
        }
        if let entries = node.entries, entries.count == 1, let entry = entries.first {
            if entry.key == "not" { return read(entry.value, problems: &problems).map { .not($0) } }
            if entry.key == "in", let values = entry.value.list { return .isIn(values.map(\.json)) }
        }
        problems.append(
            Problem("expected a value, absent, present, empty, {not: ...} or {in: [...]}", at: node.place))
        return nil
    }
}
