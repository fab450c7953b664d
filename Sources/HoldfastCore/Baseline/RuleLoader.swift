internal import HoldfastJSON

/// Makes rules of their files' nodes, against the types of a catalog.
struct RuleLoader {
    /// Lists that rules may name.
    let lists: Set<String>
    private(set) var problems: [Problem] = []
    private let spaces: [String: PathSpace]
    private let typeNames: [String]

    init(catalog: Catalog, lists: Set<String>) {
        self.lists = lists
        spaces = catalog.types.mapValues(PathSpace.init)
        typeNames = catalog.typeNames
    }

    func space(of type: String) -> PathSpace? { spaces[type] }

    /// `nil` where the file has problems, which are then among ``problems``.
    mutating func rule(id: String, _ node: Node) -> Rule? {
        let faults = Rule.shape.problems(in: node)
        problems += faults
        guard faults.isEmpty, let expectNode = node["expect"], let types = types(node["type"]) else { return nil }
        let params = params(node["params"])
        var parser = PredicateParser(types: types, params: params, lists: lists, typeNames: typeNames) { [spaces] in
            spaces[$0]
        }
        let applies = node["where"].flatMap { parser.resource($0) }
        let expect = parser.resource(expectNode)
        problems += parser.problems
        let tests = (node["tests"]?.list ?? []).compactMap { test($0) }
        guard parser.problems.isEmpty, let expect else { return nil }
        let reads = ReadSet([applies, expect].compactMap { $0 }, types: types.map(\.type))
        checkParams(node["params"], used: reads.params)
        return Rule(
            id: id, title: node["title"]?.text ?? "", types: types.map(\.type.name),
            severity: node["severity"]?.text.flatMap(Severity.init) ?? .medium,
            maturity: node["maturity"]?.text.flatMap(Maturity.init) ?? .draft,
            params: params, applies: applies, expect: expect, why: node["why"]?.text ?? "",
            fix: (node["fix"]?.entries ?? []).map { .init(by: $0.key, text: $0.value.text ?? "") },
            was: node["was"]?.texts ?? [], reads: reads, tests: tests, place: node.place,
            paramKinds: parser.paramKinds)
    }

    private mutating func types(_ node: Node?) -> [PathSpace]? {
        var found: [PathSpace] = []
        for text in node?.oneOrMany ?? [] {
            guard let name = text.text else { continue }
            if let space = spaces[name] {
                found.append(space)
            } else {
                problems.append(
                    Problem("unknown type \"\(name)\"\(suggestion(for: name, among: typeNames))", at: text.place))
            }
        }
        return found.count == node?.oneOrMany.count && !found.isEmpty ? found : nil
    }

    private func params(_ node: Node?) -> [String: JSON] {
        Dictionary((node?.entries ?? []).map { ($0.key, $0.value.json) }) { first, _ in first }
    }

    private mutating func checkParams(_ node: Node?, used: Set<String>) {
        for entry in node?.entries ?? [] where !used.contains(entry.key) {
            problems.append(
                Problem(
                    "param \"\(entry.key)\" is never read; write $params.\(entry.key) where it is meant",
                    at: entry.keyPlace))
        }
    }

    // MARK: Tests

    private mutating func test(_ node: Node) -> RuleTest? {
        let before = problems.count
        let test = RuleTest(
            given: given(node["given"]),
            with: (node["with"]?.entries ?? []).compactMap { entry in
                path(entry.key, entry.keyPlace).map { ($0, entry.value.json) }
            },
            without: (node["without"]?.list ?? []).compactMap { path($0.text ?? "", $0.place) },
            verdict: node["verdict"]?.text.flatMap(Verdict.Outcome.init) ?? .unknown,
            offending: node["offending"].map { $0.texts.sorted() },
            params: params(node["params"]),
            now: moment(node["now"]),
            account: node["account"]?.text ?? "111122223333",
            environment: node["environment"]?.text ?? "production",
            tags: node["tags"].map { texts($0).mapValues { $0.first ?? "" } },
            lists: node["lists"].map(texts) ?? [:],
            related: Dictionary(
                (node["related"]?.entries ?? []).map { entry in
                    (entry.key, (entry.value.list ?? []).map { given($0) })
                }
            ) { first, _ in first },
            type: node["type"]?.text, place: node.place)
        return problems.count == before ? test : nil
    }

    private func given(_ node: Node?) -> RuleTest.Given {
        guard let node else { return .body(.null) }
        return node.text.map(RuleTest.Given.sample) ?? .body(node.json)
    }

    private func texts(_ node: Node) -> [String: [String]] {
        Dictionary((node.entries ?? []).map { ($0.key, $0.value.texts) }) { first, _ in first }
    }

    private mutating func path(_ text: String, _ place: SourcePlace) -> PropertyPath? {
        if let path = PropertyPath(text) { return path }
        problems.append(Problem("\"\(text)\" is no path; write A.B or A[0].B", at: place))
        return nil
    }

    private mutating func moment(_ node: Node?) -> Timestamp {
        guard let node else { return RuleTest.defaultNow }
        if let moment = Timestamp(cloud: .string(node.text ?? "")) { return moment }
        problems.append(
            Problem("\"\(node.text ?? "")\" is no time; write 2026-01-31 or 2026-01-31T08:00:00Z", at: node.place))
        return RuleTest.defaultNow
    }
}
