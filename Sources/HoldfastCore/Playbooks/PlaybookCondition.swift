internal import HoldfastJSON

/// Properties or references, and what is asked of each in the language of rules; all must hold.
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
    struct Clause: Sendable {
        var subject: Subject
        var predicate: Predicate
        var place: SourcePlace
    }
    enum Outcome: Sendable, Equatable {
        case holds
        /// With what was asked and is not so: `Locked is true`.
        case fails(String)
        /// With why it cannot be told.
        case unknown(String)
    }
    var clauses: [Clause]

    /// Whether all clauses hold; one that surely fails decides, whatever is not known of the others.
    func outcome(by evaluator: inout Evaluator, _ value: (Subject) -> StateValue) -> Outcome {
        var unknown: String?
        for clause in clauses {
            let path = if case .property(let path) = clause.subject { path } else { PropertyPath() }
            let judgement = evaluator.judge(clause.predicate, Cursor(value: value(clause.subject), path: path))
            switch judgement.truth {
            case .yes: continue
            case .no: return .fails("\(clause.subject.phrase) is \(clause.predicate.phrase(evaluator.params))")
            case .unknown: unknown = unknown ?? judgement.reasons.first ?? "\(clause.subject.phrase) is not known"
            }
        }
        return unknown.map(Outcome.unknown) ?? .holds
    }

    func phrase(_ params: [String: JSON]) -> String {
        clauses.map { "\($0.subject.phrase) is \($0.predicate.phrase(params))" }.joined(separator: " and ")
    }
}

extension PredicateParser {
    /// The conditions of a playbook: paths below `base` of the one type, or references, each with a predicate.
    mutating func condition(_ node: Node, below base: PropertyPath = PropertyPath()) -> PlaybookCondition {
        condition(node, in: .properties(types, at: base, isOwn: false))
    }

    /// The conditions of a playbook on what stands in some space.
    mutating func condition(_ node: Node, in space: PredicateSpace) -> PlaybookCondition {
        guard let entries = node.entries, !entries.isEmpty else {
            fail(
                "\(node.kindName) cannot stand here; expected properties or references, and what is asked of them", node
            )
            return PlaybookCondition(clauses: [])
        }
        return PlaybookCondition(clauses: entries.compactMap { clause($0, in: space) })
    }

    private mutating func clause(_ entry: Node.Entry, in space: PredicateSpace) -> PlaybookCondition.Clause? {
        if entry.key.hasPrefix("$") {
            do {
                let reference = try PlaybookReference.parse(entry.key)
                return predicate(entry.value, in: .value(.free)).map {
                    .init(subject: .reference(reference), predicate: $0, place: entry.keyPlace)
                }
            } catch {
                problems.append(Problem(error.message, at: entry.keyPlace))
                return nil
            }
        }
        guard let path = PropertyPath(entry.key), !path.isRoot else {
            problems.append(Problem("\"\(entry.key)\" is no path of a property", at: entry.keyPlace))
            return nil
        }
        var below = space
        if case .properties(let spaces, let base, _) = space {
            if let fault = spaces.lazy.compactMap({ $0.fault(of: path, below: base) }).first {
                problems.append(Problem(fault, at: entry.keyPlace))
                return nil
            }
            below = .properties(spaces, at: PropertyPath(base.steps + path.steps), isOwn: false)
        }
        return predicate(entry.value, in: below).map {
            .init(subject: .property(path), predicate: $0, place: entry.keyPlace)
        }
    }
}
