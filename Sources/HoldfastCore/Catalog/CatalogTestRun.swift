internal import HoldfastJSON

/// A test in a catalog file: an event, and what it must mean.
struct EventTest: Sendable {
    var given: JSON
    var affects: [String]
    var set: [(path: PropertyPath, value: JSON)]
    var put: [(list: PropertyPath, key: String, value: JSON)]
    var remove: [(list: PropertyPath, key: String)]
    var touched: [PropertyPath]
    var account: String
    var region: String
    var place: SourcePlace
}

extension CatalogReader {
    mutating func test(_ node: Node) -> EventTest? {
        guard let given = node["given"] else { return nil }
        var test = EventTest(
            given: given.json, affects: node["affects"]?.texts ?? [], set: [], put: [], remove: [], touched: [],
            account: node["account"]?.text ?? "111122223333", region: node["region"]?.text ?? "eu-west-1",
            place: node.place)
        let carries = node["carries"]
        for entry in carries?["set"]?.entries ?? [] {
            guard let path = path(entry.key, at: entry.keyPlace) else { continue }
            test.set.append((path, entry.value.json))
        }
        for entry in carries?["put"]?.entries ?? [] {
            guard let list = path(entry.key, at: entry.keyPlace) else { continue }
            for element in entry.value.entries ?? [] { test.put.append((list, element.key, element.value.json)) }
        }
        for entry in carries?["remove"]?.entries ?? [] {
            guard let list = path(entry.key, at: entry.keyPlace) else { continue }
            for key in entry.value.texts { test.remove.append((list, key)) }
        }
        test.touched = paths(carries?["touched"])
        return test
    }
}

extension Catalog {
    /// The number of tests in the files' `tests:` blocks.
    package var testCount: Int {
        meanings.values.reduce(0) { $0 + $1.tests.count } + types.values.reduce(0) { $0 + $1.readTestCount }
            + discoveries.values.reduce(0) { $0 + $1.tests.count }
    }

    /// Operations whose entry, or that of the same meaning, has no test; sorted.
    package var untestedActions: [String] {
        let tested = Set(meanings.values.filter { !$0.tests.isEmpty }.map(\.place))
        return actions.filter { action in meanings[action].map { !tested.contains($0.place) } ?? false }
    }

    /// Runs the `tests:` blocks; a problem for each that fails, with what came out.
    package func runTests() -> [Problem] {
        let events = actions.flatMap { action -> [Problem] in
            guard let meaning = meanings[action] else { return [] }
            return meaning.tests.flatMap { run($0, of: meaning) }
        }
        let reads = typeNames.flatMap { types[$0]?.runReadTests() ?? [] }
        let found = discoveries.values.sorted { $0.name < $1.name }.flatMap { $0.runTests() }
        return (events + reads + found).sorted { $0.place < $1.place }
    }

    private func run(_ test: EventTest, of meaning: EventMeaning) -> [Problem] {
        guard let cloud = meaning.effects.first.flatMap({ types[$0.types[0]] })?.cloud else { return [] }
        let event = ChangeEvent(
            id: "test", cloud: cloud, time: Timestamp(seconds: 0), account: test.account, region: test.region,
            actor: Principal(name: "test"), sourceIP: "", action: meaning.action, outcome: .success, readOnly: false,
            via: .unknown, userAgent: "", body: test.given)
        let match = changes(for: event)
        var problems: [String] = []
        if case .known(_, let unresolved) = match {
            problems += unresolved.map { "\($0.type) is not resolved: \($0.reason)" }
        }
        let found = match.changes.map(\.resource.id).sorted()
        let expected = test.affects.map { cloud == .azure ? $0.lowercased() : $0 }.sorted()
        if found != expected {
            problems.append("affects \(list(found)); expected \(list(expected))")
        }
        let carried = match.changes.flatMap(\.changes)
        problems += test.missing(in: carried)
        return problems.map { Problem("the test of \(meaning.action): \($0)", at: test.place) }
    }

    private func list(_ texts: [String]) -> String { texts.isEmpty ? "nothing" : texts.joined(separator: ", ") }
}

extension EventTest {
    /// What the event should carry and does not.
    fileprivate func missing(in carried: [EvidenceChange]) -> [String] {
        var problems: [String] = []
        func expect(_ change: EvidenceChange, _ text: String) {
            if carried.contains(change) { return }
            let all = carried.map(\.summary).joined(separator: "; ")
            problems.append("does not carry \(text); it carries \(all.isEmpty ? "nothing" : all)")
        }
        for item in set { expect(.set(item.path, item.value), "\(item.path) = \(item.value.canonicalText)") }
        for item in put {
            let change = EvidenceChange.put(list: item.list, key: item.key, item.value)
            expect(change, change.summary)
        }
        for item in remove { expect(.remove(list: item.list, key: item.key), "\(item.list) - \(item.key)") }
        for path in touched { expect(.touched(path), "a touch of \(path)") }
        return problems
    }
}

extension EvidenceChange {
    /// One line for messages: `IsLogging = false`.
    var summary: String {
        switch self {
        case .created: "created"
        case .deleted: "deleted"
        case .set(let path, let value): "\(path) = \(value.canonicalText)"
        case .put(let list, let key, let value): "\(list) + \(key) = \(value.canonicalText)"
        case .remove(let list, let key): "\(list) - \(key)"
        case .touched(let path): "\(path) touched"
        }
    }
}
