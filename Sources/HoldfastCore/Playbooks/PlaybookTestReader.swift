internal import HoldfastJSON

extension PlaybookTest {
    /// The node has the shape of a test.
    static func read(_ node: Node, problems: inout [Problem]) -> PlaybookTest {
        var test = PlaybookTest(
            given: node["given"].map(given) ?? .state(.object(JSONObject())), id: node["id"]?.text, sets: [],
            unsets: [],
            rule: node["rule"]?.text, offending: nil, params: values(node["params"]),
            environment: node["in"]?.text ?? "production",
            lists: (values(node["lists"])).mapValues { ($0.array ?? [$0]).compactMap(\.scalarText) },
            tags: node["tags"].map { values($0).compactMapValues(\.scalarText) },
            related: Dictionary((node["related"]?.entries ?? []).map { ($0.key, ($0.value.list ?? []).map(given)) }) {
                first, _ in first
            },
            last: node["last"].map(given), plans: node["plans"]?.texts, calls: node["calls"]?.list?.map(\.json),
            undo: node["undo"]?.text, undoes: node["undoes"]?.list?.map(\.json), warns: node["warns"]?.texts,
            proposes: node["proposes"]?.text, nothing: node["nothing"]?.text, decides: node["decides"]?.text,
            place: node.place)
        for entry in node["with"]?.entries ?? [] {
            if let path = path(entry.key, at: entry.keyPlace, problems: &problems) {
                test.sets.append((path, entry.value.json))
            }
        }
        for text in node["without"]?.list ?? [] {
            if let path = path(text.text ?? "", at: text.place, problems: &problems) { test.unsets.append(path) }
        }
        if let offending = node["offending"]?.list {
            test.offending = offending.compactMap { path($0.text ?? "", at: $0.place, problems: &problems) }
        }
        let plans = test.plans != nil || test.calls != nil || test.undo != nil || test.undoes != nil
        if test.nothing != nil, plans || test.proposes != nil || test.warns != nil {
            let message = "a test in which there is nothing to do can expect no calls, undo, warnings or proposal"
            problems.append(Problem(message, at: node.place))
        }
        if !plans, test.nothing == nil, test.proposes == nil, test.warns == nil, test.decides == nil {
            let message = "the test expects nothing; give it plans, calls, undo, proposes, nothing or decides"
            problems.append(Problem(message, at: node.place))
        }
        return test
    }

    private static func given(_ node: Node) -> Given { node.text.map(Given.sample) ?? .state(node.json) }

    private static func values(_ node: Node?) -> [String: JSON] {
        Dictionary((node?.entries ?? []).map { ($0.key, $0.value.json) }, uniquingKeysWith: { _, last in last })
    }

    private static func path(_ text: String, at place: SourcePlace, problems: inout [Problem]) -> PropertyPath? {
        if let path = PropertyPath(text) { return path }
        problems.append(Problem("\"\(text)\" is no path of a property", at: place))
        return nil
    }
}
