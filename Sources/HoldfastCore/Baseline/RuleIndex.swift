/// From what changed to what must be evaluated again. Made once at load; a look-up costs what it finds.
package struct RuleIndex: Sendable {
    /// Resources of a type hang on the changed one along a relation.
    package struct Dependency: Sendable, Hashable {
        /// The type whose resources must be evaluated again.
        package var type: String
        /// How they hang on the changed one.
        package var relation: RelatedRead
        /// Ids of rules, sorted.
        package var rules: [String]
    }

    private var byType: [String: [String]] = [:]
    /// Type -> top-level property -> ids of rules and pins.
    private var byProperty: [String: [String: [String]]] = [:]
    /// The changed type -> what hangs on it, with the properties there that are read; none: only whether it is there.
    private var dependencies: [String: [(dependency: Dependency, properties: Set<String>)]] = [:]
    /// Ids of the rules whose verdict may change by time alone, sorted.
    package private(set) var clockRules: [String] = []
    private var byList: [String: [String]] = [:]

    package init() {}

    /// Ids of all rules and pins that are about a type, sorted.
    package func rules(of type: String) -> [String] { byType[type] ?? [] }

    /// Ids of the rules and pins of a type that read one of these top-level properties, sorted.
    package func rules(of type: String, touching properties: some Sequence<String>) -> [String] {
        var found: Set<String> = []
        let table = byProperty[type] ?? [:]
        for property in properties { found.formUnion(table[property] ?? []) }
        return found.sorted()
    }

    /// What hangs on resources of a type, whatever of them changed: for creation and deletion.
    package func dependents(of type: String) -> [Dependency] { (dependencies[type] ?? []).map(\.dependency) }

    /// What hangs on resources of a type by one of these top-level properties.
    package func dependents(of type: String, touching properties: some Sequence<String>) -> [Dependency] {
        let touched = Set(properties)
        return (dependencies[type] ?? []).filter { !$0.properties.isDisjoint(with: touched) }.map(\.dependency)
    }

    /// Types on which another hangs, sorted.
    package var relatedTypes: [String] { dependencies.keys.sorted() }
    /// Ids of the rules that read a list of the configuration, sorted.
    package func rules(readingList name: String) -> [String] { byList[name] ?? [] }

    init(_ rules: [Rule], _ pins: [Pin], types: [String: ResourceType]) {
        for rule in rules {
            for type in rule.types {
                byType[type, default: []].append(rule.id)
                var properties = Set(rule.reads.properties)
                if rule.reads.readsLabels, let path = types[type].flatMap(Labels.path), let name = path.property {
                    properties.insert(name)
                }
                for property in properties { byProperty[type, default: [:]][property, default: []].append(rule.id) }
                for relation in rule.reads.relations { add(relation, of: type, for: rule.id) }
            }
            if rule.reads.readsClock { clockRules.append(rule.id) }
            for list in rule.reads.lists { byList[list, default: []].append(rule.id) }
        }
        for pin in pins {
            byType[pin.type, default: []].append(pin.id)
            for property in Set(pin.desired.compactMap({ $0.path.property })) {
                byProperty[pin.type, default: [:]][property, default: []].append(pin.id)
            }
        }
        sort()
    }

    private mutating func add(_ relation: ReadSet.Relation, of type: String, for rule: String) {
        var properties = Set(relation.paths.compactMap(\.property))
        if relation.read.isReverse, let property = relation.read.by.property { properties.insert(property) }
        var entries = dependencies[relation.read.type] ?? []
        if let index = entries.firstIndex(where: {
            $0.dependency.type == type && $0.dependency.relation == relation.read && $0.properties == properties
        }) {
            entries[index].dependency.rules.append(rule)
        } else {
            entries.append((Dependency(type: type, relation: relation.read, rules: [rule]), properties))
        }
        dependencies[relation.read.type] = entries
    }

    private mutating func sort() {
        byType = byType.mapValues { $0.sorted() }
        clockRules.sort()
        byList = byList.mapValues { $0.sorted() }
        dependencies = dependencies.mapValues { entries in
            entries.map { entry in
                var entry = entry
                entry.dependency.rules.sort()
                return entry
            }.sorted {
                ($0.dependency.type, $0.dependency.relation.name, $0.dependency.rules.first ?? "")
                    < ($1.dependency.type, $1.dependency.relation.name, $1.dependency.rules.first ?? "")
            }
        }
    }
}
