internal import HoldfastJSON

/// What a rule asks of a value. Either properties, all of which must hold, or one operator.
package indirect enum Predicate: Sendable, Hashable {
    case equals(Operand)
    case isIn(Operand)
    case compares(Comparison, Operand)
    case text(TextTest, Operand)
    /// A list has an element that equals one of these.
    case contains(Operand)
    case word(StateWord)
    case olderThan(Operand)
    /// Ports in common.
    case overlap(Operand)
    case cidrWithin(Operand)
    case cidrContains(Operand)
    case reaches(Reach)
    /// Not one of these names, accounts or networks, nor in one.
    case outside(Operand)
    case not(Predicate)
    case either([Predicate])
    case allOf([Predicate])
    case list(Quantifier, Predicate)
    case count(where: Predicate?, Comparison, Operand)
    case properties([Clause])

    package struct Clause: Sendable, Hashable {
        package var subject: Subject
        package var predicate: Predicate
    }

    /// What a clause reads.
    package enum Subject: Sendable, Hashable {
        case property(PropertyPath)
        /// A tag or label by its name.
        case tag(String)
        case related(RelatedRead)
        /// A facet, of these documents only where there are any.
        case facet(Facet, of: [PropertyPath])
    }

    package enum Comparison: String, Sendable, Hashable, CaseIterable {
        case moreThan = "more-than"
        case lessThan = "less-than"
        case atLeast = "at-least"
        case atMost = "at-most"
        case exactly

        func holds(_ a: Double, _ b: Double) -> Bool {
            switch self {
            case .moreThan: a > b
            case .lessThan: a < b
            case .atLeast: a >= b
            case .atMost: a <= b
            case .exactly: a == b
            }
        }
        var phrase: String {
            self == .exactly ? "exactly" : rawValue.split(separator: "-").joined(separator: " ")
        }
    }

    package enum TextTest: String, Sendable, Hashable, CaseIterable {
        case startsWith = "starts-with"
        case endsWith = "ends-with"
        /// A pattern for the whole text: `*` is any run of characters, `?` is one.
        case matches

        func holds(_ text: String, _ operand: String) -> Bool {
            switch self {
            case .startsWith: text.utf8.starts(with: operand.utf8)
            case .endsWith: text.utf8.reversed().starts(with: operand.utf8.reversed())
            case .matches: TextPattern(operand).matches(text)
            }
        }
        var phrase: String {
            switch self {
            case .startsWith: "a text that starts with"
            case .endsWith: "a text that ends with"
            case .matches: "a text like"
            }
        }
    }

    /// Bare words for what there is.
    package enum StateWord: String, Sendable, Hashable, CaseIterable {
        case absent, present, empty
    }

    package enum Quantifier: String, Sendable, Hashable, CaseIterable {
        case any, all, none
    }

    /// How far a set of addresses reaches.
    package enum Reach: String, Sendable, Hashable, CaseIterable {
        case internet
        case outsideOurNetworks = "outside-our-networks"
    }
}

/// A relation that a rule follows.
package struct RelatedRead: Sendable, Hashable {
    /// The catalog's name, or the rule's own where it states `from:` and `by:`.
    package var name: String
    package var type: String
    package var by: PropertyPath
    /// `by` is a path of the other type.
    package var isReverse: Bool

    package init(name: String, type: String, by: PropertyPath, isReverse: Bool) {
        self.name = name
        self.type = type
        self.by = by
        self.isReverse = isReverse
    }
}

/// The operator words, which no property may be called unless it is quoted.
package enum RuleWords {
    package static let operators: [String] =
        [
            "not", "either", "all-of", "count", "in", "contains", "older-than", "overlap", "cidr-within",
            "cidr-contains",
            "reaches", "outside",
        ]
        + Predicate.Quantifier.allCases.map(\.rawValue)
        + Predicate.Comparison.allCases.filter { $0 != .exactly }.map(\.rawValue)
        + Predicate.TextTest.allCases.map(\.rawValue)
    /// What a resource can be asked beside its properties.
    package static let views: [String] = ["tag", "related"] + Facet.allCases.map(\.rawValue)
}

extension Predicate {
    /// What is expected, in words: `one of a, b`, `no element with from reachable from the internet`.
    func phrase(_ params: [String: JSON]) -> String {
        switch self {
        case .equals(let operand): operand.phrase(params)
        case .isIn(let operand): "one of \(operand.phrase(params))"
        case .compares(let comparison, let operand): "\(comparison.phrase) \(operand.phrase(params))"
        case .text(let test, let operand): "\(test.phrase) \(operand.phrase(params))"
        case .contains(let operand): "a list with \(operand.phrase(params))"
        case .word(let word): word.rawValue
        case .olderThan(let operand): "older than \(operand.phrase(params))"
        case .overlap(let operand): "overlapping \(operand.phrase(params))"
        case .cidrWithin(let operand): "within \(operand.phrase(params))"
        case .cidrContains(let operand): "containing \(operand.phrase(params))"
        case .reaches(.internet): "reaching the internet"
        case .reaches(.outsideOurNetworks): "reaching outside our networks"
        case .outside(let operand): "outside \(operand.phrase(params))"
        case .not(let inner): "not \(inner.phrase(params))"
        case .either(let choices): choices.map { $0.phrase(params) }.joined(separator: ", or ")
        case .allOf(let parts): parts.map { $0.phrase(params) }.joined(separator: ", and ")
        case .list(.any, let body): "an element with \(body.phrase(params))"
        case .list(.all, let body): "every element with \(body.phrase(params))"
        case .list(.none, let body): "no element with \(body.phrase(params))"
        case .count(let filter, let comparison, let operand):
            "\(comparison.phrase) \(operand.phrase(params)) elements"
                + (filter.map { " with \($0.phrase(params))" } ?? "")
        case .properties(let clauses):
            clauses.map { "\($0.subject.phrase) \($0.predicate.phrase(params))" }.joined(separator: " and ")
        }
    }
}

extension Predicate.Subject {
    var phrase: String {
        switch self {
        case .property(let path): path.description
        case .tag(let name): "tag \(name)"
        case .related(let read): read.name
        case .facet(let facet, let paths):
            paths.isEmpty ? facet.rawValue : "\(facet.rawValue) of \(paths.map(\.description).joined(separator: ", "))"
        }
    }
}
