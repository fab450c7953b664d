internal import HoldfastJSON

extension PredicateParser {
    /// A map whose keys are properties, or at a resource `tag`, `related` and facets.
    mutating func properties(_ entries: [Node.Entry], in space: PredicateSpace) -> Predicate? {
        var clauses: [Predicate.Clause] = []
        let before = problems.count
        for entry in entries {
            if case .properties(let spaces, let base, true) = space, base.isRoot,
                RuleWords.views.contains(entry.key)
            {
                clauses += view(entry, of: spaces)
            } else if let clause = property(entry, in: space) {
                clauses.append(clause)
            }
        }
        return problems.count > before ? nil : .properties(clauses)
    }

    private mutating func property(_ entry: Node.Entry, in space: PredicateSpace) -> Predicate.Clause? {
        guard let path = PropertyPath(entry.key), !path.isRoot else {
            problems.append(
                Problem(
                    "\"\(entry.key)\" is no path; write A.B, A[0] or A[].B, and quote names with dots",
                    at: entry.keyPlace))
            return nil
        }
        guard let below = child(path, entry, of: space) else { return nil }
        return predicate(entry.value, in: below).map { .init(subject: .property(path), predicate: $0) }
    }

    /// What stands at a path below a space; a path with `[]` is a list of what stands at its end.
    private mutating func child(_ path: PropertyPath, _ entry: Node.Entry, of space: PredicateSpace) -> PredicateSpace?
    {
        let projects = path.steps.contains(.each)
        switch space {
        case .properties(let spaces, let base, let isOwn):
            if let fault = spaces.lazy.compactMap({ $0.fault(of: path, below: base) }).first {
                problems.append(Problem(fault, at: entry.keyPlace))
                return nil
            }
            let below = PredicateSpace.properties(spaces, at: PropertyPath(base.steps + path.steps), isOwn: isOwn)
            return projects ? .listOf(below) : below
        case .facet(let facet):
            guard case .name(let name)? = path.steps.first, let kind = facet.members[name], path.steps.count == 1 else {
                let known = facet.members.keys.sorted()
                problems.append(
                    Problem(
                        "an element of \(facet.rawValue) has no \"\(path)\""
                            + suggestion(for: path.description, among: known),
                        at: entry.keyPlace))
                return nil
            }
            return .value(kind)
        case .value(.free): return projects ? .listOf(.value(.free)) : .value(.free)
        case .listOf, .value:
            let what = space.kind == .list ? "a list; use any, all, none or count" : "one value; it has no properties"
            problems.append(Problem("\"\(path)\" cannot stand here: this is \(what)", at: entry.keyPlace))
            return nil
        }
    }

    // MARK: Tags, relations, facets

    private mutating func view(_ entry: Node.Entry, of spaces: [PathSpace]) -> [Predicate.Clause] {
        if let facet = Facet(rawValue: entry.key) {
            return facetClause(facet, entry.value, of: spaces).map { [$0] } ?? []
        }
        guard let entries = entry.value.entries, !entries.isEmpty else {
            let what =
                entry.key == "tag"
                ? "a map from a tag's name to a predicate" : "a map from a relation to any, all, none or count"
            fail("\(entry.value.kindName) cannot stand here; expected \(what)", entry.value)
            return []
        }
        return entries.compactMap { inner in
            if entry.key == "related" { return related(inner, of: spaces) }
            return predicate(inner.value, in: .value(.leaf)).map { .init(subject: .tag(inner.key), predicate: $0) }
        }
    }

    /// `flow-logs: {any: {...}}` by the catalog's relation, or `{from: TYPE, by: PATH, any: {...}}`.
    private mutating func related(_ entry: Node.Entry, of spaces: [PathSpace]) -> Predicate.Clause? {
        var body = entry.value
        let read: RelatedRead
        if let entries = body.entries, entries.contains(where: { $0.key == "from" || $0.key == "by" }) {
            guard let inline = inlineRelation(entry, entries) else { return nil }
            read = inline
            body = Node(.map(entries.filter { $0.key != "from" && $0.key != "by" }), at: body.place)
        } else {
            guard let named = namedRelation(entry, of: spaces) else { return nil }
            read = named
        }
        guard let other = space(read.type) else {
            problems.append(
                Problem(
                    "relation \(entry.key) leads to \(read.type), which the catalog does not have",
                    at: entry.keyPlace))
            return nil
        }
        let quantifiers = Predicate.Quantifier.allCases.map(\.rawValue) + ["count", "not", "either", "all-of"]
        guard body.entries?.count == 1, let word = body.entries?.first?.key, quantifiers.contains(word) else {
            fail("expected one of any, all, none, count for the resources that \(entry.key) leads to", body)
            return nil
        }
        let list = PredicateSpace.listOf(.properties([other], at: PropertyPath(), isOwn: false))
        return predicate(body, in: list).map { .init(subject: .related(read), predicate: $0) }
    }

    private mutating func namedRelation(_ entry: Node.Entry, of spaces: [PathSpace]) -> RelatedRead? {
        var found: RelatedRead?
        for space in spaces {
            guard let relation = space.type.relations[entry.key] else {
                let known = space.type.relations.keys.sorted()
                problems.append(
                    Problem(
                        "\(space.type.name) has no relation \"\(entry.key)\"\(suggestion(for: entry.key, among: known))"
                            + "; or state it here with from: TYPE and by: PATH", at: entry.keyPlace))
                return nil
            }
            let read = RelatedRead(
                name: relation.name, type: relation.type, by: relation.by, isReverse: relation.isReverse)
            if let found, found != read {
                problems.append(
                    Problem(
                        "relation \"\(entry.key)\" is not the same in all types of the rule; write a rule for each",
                        at: entry.keyPlace))
                return nil
            }
            found = read
        }
        return found
    }

    private mutating func inlineRelation(_ entry: Node.Entry, _ entries: [Node.Entry]) -> RelatedRead? {
        guard let type = entry.value["from"], let by = entry.value["by"], let name = type.text,
            let path = by.text.flatMap({ PropertyPath($0) })
        else {
            fail("a relation that is stated here takes from: TYPE and by: a path of that type", entry.value)
            return nil
        }
        guard let other = space(name) else {
            fail("unknown type \"\(name)\"\(suggestion(for: name, among: typeNames))", type)
            return nil
        }
        if let fault = other.fault(of: path, below: PropertyPath()) {
            fail(fault, by)
            return nil
        }
        return RelatedRead(name: entry.key, type: name, by: path, isReverse: true)
    }

    /// `openings: {none: {...}}`, `grants: {none: {of: AssumeRolePolicyDocument, principal: {...}}}`,
    /// `encryption: {key: customer}`.
    private mutating func facetClause(_ facet: Facet, _ node: Node, of spaces: [PathSpace]) -> Predicate.Clause? {
        let document = facet == .grants ? node.entries?.first?.value["of"]?.oneOrMany.first?.text : nil
        for space in spaces
        where facet.reads(type: space.type.name, path: document.flatMap { PropertyPath($0) }).isEmpty {
            fail("\(space.type.name) has no \(facet.rawValue)", node)
            return nil
        }
        guard facet.isList else {
            return predicate(node, in: .facet(facet)).map { .init(subject: .facet(facet, of: []), predicate: $0) }
        }
        guard let entries = node.entries, entries.count == 1, let quantifier = entries.first,
            Predicate.Quantifier(rawValue: quantifier.key) != nil || quantifier.key == "count"
        else {
            fail("\(facet.rawValue) is a list; expected one of any, all, none, count", node)
            return nil
        }
        var body = quantifier
        var paths: [PropertyPath] = []
        if let of = quantifier.value["of"] {
            guard let found = facetPaths(of, of: spaces) else { return nil }
            paths = found
            let rest = (quantifier.value.entries ?? []).filter { $0.key != "of" }
            body.value = Node(.map(rest), at: quantifier.value.place)
            if rest.isEmpty {
                fail("of says which documents to look at; what is asked of their \(facet.rawValue) is missing", of)
                return nil
            }
        }
        let stripped = Node(.map([body]), at: node.place)
        return predicate(stripped, in: .listOf(.facet(facet))).map {
            .init(subject: .facet(facet, of: paths), predicate: $0)
        }
    }

    private mutating func facetPaths(_ node: Node, of spaces: [PathSpace]) -> [PropertyPath]? {
        var paths: [PropertyPath] = []
        for text in node.oneOrMany {
            guard let path = text.text.flatMap({ PropertyPath($0) }) else {
                fail("of takes a path, or a list of paths", text)
                return nil
            }
            if let fault = spaces.lazy.compactMap({ $0.fault(of: path, below: PropertyPath()) }).first {
                fail(fault, text)
                return nil
            }
            paths.append(path)
        }
        return paths
    }
}
