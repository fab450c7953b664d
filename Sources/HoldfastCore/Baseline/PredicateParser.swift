internal import HoldfastJSON

/// Where a predicate stands: what it may read.
enum PredicateSpace {
    /// Properties of types, below a path that each of them has.
    case properties([PathSpace], at: PropertyPath, isOwn: Bool)
    /// An element of a facet.
    case facet(Facet)
    /// A list of resources at the other end of a relation, or of a facet's elements: what the elements are.
    indirect case listOf(PredicateSpace)
    /// A value of the given kind, with nothing that could be named below it.
    case value(PathSpace.Kind)

    var kind: PathSpace.Kind {
        switch self {
        case .properties(let spaces, let path, _):
            let kinds = Set(spaces.compactMap { $0.kind(of: path) })
            return kinds.count == 1 ? kinds.first ?? .free : .free
        case .facet: return .map
        case .listOf: return .list
        case .value(let kind): return kind
        }
    }

    /// What the elements are, where this is a list or may be one.
    var element: PredicateSpace? {
        switch self {
        case .properties(let spaces, let path, let isOwn):
            switch kind {
            case .list: .properties(spaces, at: path.appending(.each), isOwn: isOwn)
            case .free: .value(.free)
            case .leaf, .map: nil
            }
        case .listOf(let element): element
        case .value(.free): .value(.free)
        case .facet, .value: nil
        }
    }
}

/// Reads the predicates of one rule from its file, and finds everything that is wrong with them.
struct PredicateParser {
    /// The catalog's type of this name, with its paths.
    let space: (String) -> PathSpace?
    /// Every type's name, for suggestions.
    let typeNames: [String]
    /// The rule's own types.
    let types: [PathSpace]
    let params: [String: JSON]
    /// Names of lists that the configuration has.
    let lists: Set<String>

    var problems: [Problem] = []
    /// What each param is used as, so that a tuned value can be checked too.
    var paramKinds: [String: Set<OperandKind>] = [:]

    init(
        types: [PathSpace], params: [String: JSON], lists: Set<String>, typeNames: [String],
        space: @escaping (String) -> PathSpace?
    ) {
        self.types = types
        self.params = params
        self.lists = lists
        self.typeNames = typeNames
        self.space = space
    }

    /// The predicate of a whole resource: `where:` or `expect:`.
    mutating func resource(_ node: Node) -> Predicate? {
        predicate(node, in: .properties(types, at: PropertyPath(), isOwn: true))
    }

    mutating func fail(_ message: String, _ node: Node) { problems.append(Problem(message, at: node.place)) }

    mutating func predicate(_ node: Node, in space: PredicateSpace) -> Predicate? {
        switch node.content {
        case .scalar(let text, _): return scalar(text, node, in: space)
        case .list:
            fail("a list cannot stand here; say what of it is meant: in, contains, any, all or none", node)
            return nil
        case .map(let entries):
            guard let first = entries.first else {
                fail("an empty map says nothing; for a map without members write the word empty", node)
                return nil
            }
            let operators = entries.filter { RuleWords.operators.contains($0.key) }
            if operators.isEmpty { return properties(entries, in: space) }
            if entries.count > 1 {
                let words = operators.map(\.key).joined(separator: ", ")
                problems.append(
                    Problem(
                        "a map is either properties or one operator, and this one has \(words) and \(entries.count - 1)"
                            + " more; join them with all-of, or quote a property of that name: '\"\(words)\"'",
                        at: operators[0].keyPlace))
                return nil
            }
            return operation(first, in: space)
        }
    }

    private mutating func scalar(_ text: String, _ node: Node, in space: PredicateSpace) -> Predicate? {
        if let word = Predicate.StateWord(rawValue: text) { return .word(word) }
        if space.kind == .list || space.kind == .map {
            let what =
                space.kind == .list ? "a list; use any, all, none, count or contains" : "a map; name its properties"
            fail("\"\(text)\" cannot be compared with \(what)", node)
            return nil
        }
        if node.json == .null {
            fail("a null says nothing; write absent", node)
            return nil
        }
        return operand(node, as: .scalar).map(Predicate.equals)
    }

    // MARK: Operators

    private mutating func operation(_ entry: Node.Entry, in space: PredicateSpace) -> Predicate? {
        let node = entry.value
        if let comparison = Predicate.Comparison(rawValue: entry.key) {
            return value(entry, in: space) { $0.operand(node, as: .number).map { .compares(comparison, $0) } }
        }
        if let test = Predicate.TextTest(rawValue: entry.key) {
            return value(entry, in: space) { $0.operand(node, as: .texts).map { .text(test, $0) } }
        }
        if let quantifier = Predicate.Quantifier(rawValue: entry.key) {
            guard let element = element(of: space, entry) else { return nil }
            return predicate(node, in: element).map { .list(quantifier, $0) }
        }
        switch entry.key {
        case "not": return predicate(node, in: space).map(Predicate.not)
        case "either": return several(node, in: space).map(Predicate.either)
        case "all-of": return several(node, in: space).map(Predicate.allOf)
        case "count": return count(entry, in: space)
        case "contains":
            guard element(of: space, entry) != nil else { return nil }
            return operand(node, as: .texts).map(Predicate.contains)
        case "in": return value(entry, in: space) { $0.operand(node, as: .scalars).map(Predicate.isIn) }
        case "older-than": return value(entry, in: space) { $0.operand(node, as: .duration).map(Predicate.olderThan) }
        case "outside": return operand(node, as: .names).map(Predicate.outside)
        case "overlap": return operand(node, as: .ports).map(Predicate.overlap)
        case "cidr-within": return operand(node, as: .ranges).map(Predicate.cidrWithin)
        case "cidr-contains": return operand(node, as: .ranges).map(Predicate.cidrContains)
        default: return reaches(node)
        }
    }

    /// An operator on one value, which a list or a map is not.
    private mutating func value(
        _ entry: Node.Entry, in space: PredicateSpace, _ make: (inout PredicateParser) -> Predicate?
    ) -> Predicate? {
        if space.kind == .list || space.kind == .map {
            let advice = space.kind == .list ? "a list: put it inside any, all or none" : "a map: name the property"
            problems.append(Problem("\(entry.key) takes one value, and this is \(advice)", at: entry.keyPlace))
            return nil
        }
        return make(&self)
    }

    private mutating func element(of space: PredicateSpace, _ entry: Node.Entry) -> PredicateSpace? {
        if let element = space.element { return element }
        let what = space.kind == .map ? "a map" : "one value"
        problems.append(Problem("\(entry.key) takes a list, and this is \(what)", at: entry.keyPlace))
        return nil
    }

    private mutating func several(_ node: Node, in space: PredicateSpace) -> [Predicate]? {
        guard let nodes = node.list, !nodes.isEmpty else {
            fail("\(node.kindName) cannot stand here; expected a list of predicates", node)
            return nil
        }
        let parts = nodes.map { predicate($0, in: space) }
        return parts.contains { $0 == nil } ? nil : parts.compactMap { $0 }
    }

    private mutating func reaches(_ node: Node) -> Predicate? {
        let words = Predicate.Reach.allCases.map(\.rawValue)
        guard let text = node.text, let reach = Predicate.Reach(rawValue: text) else {
            fail("reaches takes \(words.joined(separator: " or "))", node)
            return nil
        }
        return .reaches(reach)
    }

    /// `count: 1`, `count: {at-least: 1}`, `count: {where: {Status: Active}, at-most: 1}`.
    private mutating func count(_ entry: Node.Entry, in space: PredicateSpace) -> Predicate? {
        guard let element = element(of: space, entry) else { return nil }
        guard let entries = entry.value.entries else {
            return operand(entry.value, as: .number).map { .count(where: nil, .exactly, $0) }
        }
        var filter: Predicate?
        var comparisons: [(Predicate.Comparison, Operand)] = []
        let words = Predicate.Comparison.allCases.map(\.rawValue)
        for part in entries {
            if part.key == "where" {
                guard let parsed = predicate(part.value, in: element) else { return nil }
                filter = parsed
            } else if let comparison = Predicate.Comparison(rawValue: part.key) {
                guard let operand = operand(part.value, as: .number) else { return nil }
                comparisons.append((comparison, operand))
            } else {
                let hint = suggestion(for: part.key, among: ["where"] + words)
                problems.append(Problem("unknown key \"\(part.key)\" in count\(hint)", at: part.keyPlace))
                return nil
            }
        }
        guard comparisons.count == 1 else {
            fail("count takes a number or one of \(words.joined(separator: ", "))", entry.value)
            return nil
        }
        return .count(where: filter, comparisons[0].0, comparisons[0].1)
    }

    // MARK: Operands

    mutating func operand(_ node: Node, as kind: OperandKind) -> Operand? {
        guard let text = node.text, text.hasPrefix("$") else {
            let json = unescaped(node.json)
            guard kind.allows(json) else {
                fail(
                    "\(node.text.map { "\"\($0)\"" } ?? node.kindName) cannot stand here; expected \(kind.expectation)",
                    node)
                return nil
            }
            return .literal(json)
        }
        if text.hasPrefix("$$") { return .literal(unescaped(.string(text))) }
        let parts = text.dropFirst().split(separator: ".", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("params"?, 2): return param(parts[1], node, as: kind)
        case ("lists"?, 2): return list(parts[1], node, as: kind)
        default:
            fail(
                "unknown reference \"\(text)\"; a rule has $params.NAME and $lists.NAME, and $$ begins a plain dollar",
                node)
            return nil
        }
    }

    private func unescaped(_ json: JSON) -> JSON {
        switch json {
        case .string(let text) where text.hasPrefix("$$"): .string(String(text.dropFirst()))
        case .array(let elements): .array(elements.map(unescaped))
        default: json
        }
    }

    private mutating func param(_ name: String, _ node: Node, as kind: OperandKind) -> Operand? {
        guard let value = params[name] else {
            fail("the rule has no param \"\(name)\"\(suggestion(for: name, among: params.keys.sorted()))", node)
            return nil
        }
        paramKinds[name, default: []].insert(kind)
        guard kind.allows(value) else {
            fail("param \"\(name)\" cannot stand here; expected \(kind.expectation)", node)
            return nil
        }
        return .param(name)
    }

    private mutating func list(_ name: String, _ node: Node, as kind: OperandKind) -> Operand? {
        guard lists.contains(name) else {
            fail(
                "there is no list \"\(name)\"\(suggestion(for: name, among: lists.sorted()));"
                    + " lists stand under lists: in the configuration", node)
            return nil
        }
        guard kind.takesList else {
            fail("a list cannot stand here; expected \(kind.expectation)", node)
            return nil
        }
        return .list(name)
    }
}
