/// What a rule reads, derived from its text: what decides when it must be evaluated again.
package struct ReadSet: Sendable, Hashable {
    /// Of the resource itself. Sorted, each once.
    package private(set) var paths: [PropertyPath] = []
    package private(set) var facets: Set<Facet> = []
    /// Sorted by name.
    package private(set) var relations: [Relation] = []
    package private(set) var readsClock = false
    package private(set) var readsLabels = false
    package private(set) var params: Set<String> = []
    package private(set) var lists: Set<String> = []

    /// The documents that each facet is read of; `nil` in there: all of the type.
    private var documents: [Facet: [PropertyPath?]] = [:]

    /// A relation with what the rule reads at its other end; no paths: only whether something is there.
    package struct Relation: Sendable, Hashable {
        package var read: RelatedRead
        package var paths: [PropertyPath]
    }

    package init(_ predicates: [Predicate], types: [ResourceType]) {
        for predicate in predicates { collect(predicate, below: PropertyPath(), into: nil) }
        for type in types {
            for facet in facets.sorted(by: { $0.rawValue < $1.rawValue }) {
                for document in documents[facet] ?? [] { paths += facet.reads(type: type.name, path: document) }
                for relation in facet.relations(of: type) where !relations.contains(where: { $0.read == relation }) {
                    relations.append(Relation(read: relation, paths: []))
                }
            }
        }
        paths = ReadSet.unique(paths)
        relations.sort { ($0.read.name, $0.read.type) < ($1.read.name, $1.read.type) }
    }

    private static func unique(_ paths: [PropertyPath]) -> [PropertyPath] {
        var seen: Set<PropertyPath> = []
        return paths.filter { seen.insert($0).inserted }.sorted()
    }

    /// - Parameter relation: the index of the relation at whose other end this predicate reads.
    private mutating func collect(_ predicate: Predicate, below base: PropertyPath?, into relation: Int?) {
        switch predicate {
        case .equals(let operand), .isIn(let operand), .compares(_, let operand), .text(_, let operand),
            .contains(let operand), .overlap(let operand), .cidrWithin(let operand), .cidrContains(let operand),
            .outside(let operand):
            collect(operand)
            add(base, relation)
        case .olderThan(let operand):
            readsClock = true
            collect(operand)
            add(base, relation)
        case .reaches(let reach):
            if reach == .outsideOurNetworks { lists.insert("our-networks") }
            add(base, relation)
        case .word: add(base, relation)
        case .not(let inner): collect(inner, below: base, into: relation)
        case .either(let parts), .allOf(let parts):
            for part in parts { collect(part, below: base, into: relation) }
        case .list(_, let body):
            add(base, relation)
            collect(body, below: base?.appending(.each), into: relation)
        case .count(let filter, _, let operand):
            add(base, relation)
            collect(operand)
            if let filter { collect(filter, below: base?.appending(.each), into: relation) }
        case .properties(let clauses):
            for clause in clauses { collect(clause, below: base, into: relation) }
        }
    }

    private mutating func collect(_ clause: Predicate.Clause, below base: PropertyPath?, into relation: Int?) {
        switch clause.subject {
        case .property(let path):
            let below = base.map { PropertyPath($0.steps + path.steps) }
            add(below, relation)
            collect(clause.predicate, below: below, into: relation)
        case .tag:
            readsLabels = true
            collect(clause.predicate, below: nil, into: nil)
        case .facet(let facet, let paths):
            facets.insert(facet)
            documents[facet, default: []] += paths.isEmpty ? [nil] : paths
            collect(clause.predicate, below: nil, into: nil)
        case .related(let read):
            if !read.isReverse { paths.append(read.by) }
            let index = relations.firstIndex { $0.read == read } ?? relations.count
            if index == relations.count { relations.append(Relation(read: read, paths: [])) }
            collect(clause.predicate, below: PropertyPath(), into: index)
            relations[index].paths = ReadSet.unique(relations[index].paths)
        }
    }

    private mutating func collect(_ operand: Operand) {
        switch operand {
        case .literal: break
        case .param(let name): params.insert(name)
        case .list(let name): lists.insert(name)
        }
    }

    private mutating func add(_ path: PropertyPath?, _ relation: Int?) {
        guard let path else { return }
        if let relation {
            // The first step, `[]`, is to the related resource itself.
            var below = path.steps[...]
            if below.first == .each { below = below.dropFirst() }
            if !below.isEmpty { relations[relation].paths.append(PropertyPath(Array(below))) }
        } else if !path.isRoot {
            paths.append(path)
        }
    }

    /// Top-level properties of the resource that are read, sorted.
    package var properties: [String] { Set(paths.compactMap(\.property)).sorted() }
}
