internal import HoldfastJSON

/// A test of how accounts are found: every answer of an organisation, and the accounts with their facts.
struct DiscoveryTest: Sendable {
    struct Answer: Sendable {
        var call: String
        var asks: JSON?
        var given: JSON
    }
    var root: String
    var answers: [Answer]
    var finds: JSON
    var place: SourcePlace
}

extension Catalog {
    static let discoveryShape: Shape = .record(
        .init("path", .text, required: true, "what an account's place in the tree is called under classify:"),
        .init("roots", listing(), "the call that lists where the tree begins"),
        .init("containers", listing(), required: true, "the call that lists the containers in a container"),
        .init("accounts", listing(tags), required: true, "the call that lists the accounts in a container"),
        .init(
            "tags",
            .record(
                .init("call", .text, required: true, "the call"),
                .init("with", .map(keys: "a parameter", .anything), "its source; the variable is account"), tags),
            "the call that gives an account's tags, where the list of accounts does not"),
        .init(
            "tests",
            .list(
                .record(
                    .init("root", .text, "where it begins"),
                    .init(
                        "answers",
                        .list(
                            .record(
                                .init("call", .text, required: true, "the call"),
                                .init("asks", .anything, "its parameters; any where not given"),
                                .init("given", .anything, required: true, "the answer; or error: and a code"))),
                        required: true, "each asked for once"),
                    .init(
                        "finds", .map(keys: "an account", .map(keys: "a fact", .text)), required: true,
                        "the accounts with their facts"))), "organisations and the accounts in them"))

    private static let tags = Shape.Field("tags", .anything, "the source of a list of {Key, Value}")

    private static func listing(_ more: Shape.Field...) -> Shape {
        .record(
            Shape.Record(
                [
                    .init("call", .text, required: true, "the call"),
                    .init("with", .map(keys: "a parameter", .anything), "its source; the variable is container"),
                    .init("each", .text, required: true, "where in the answer they stand"),
                    .init("id", .anything, required: true, "the source of the id"),
                    .init("name", .anything, "the source of the name that people know it by"),
                    .init("when", conditionsShape, "only elements of which all of this holds"),
                ] + more))
    }
}

extension CatalogReader {
    /// An entry under `discovery:`.
    mutating func discovery(_ entry: Node.Entry, cloud: Cloud) -> DiscoveryPlan? {
        let node = entry.value
        guard let path = node["path"]?.text, let containers = listing(node["containers"], "container"),
            let accounts = listing(node["accounts"], "container")
        else { return nil }
        var plan = DiscoveryPlan(
            name: entry.key, cloud: cloud, path: path, roots: listing(node["roots"], nil), containers: containers,
            accounts: accounts, tags: nil, tests: (node["tests"]?.list ?? []).map(discoveryTest),
            place: entry.keyPlace)
        if let step = node["tags"], let call = step["call"]?.text, let tags = source(step["tags"]) {
            plan.tags = DiscoveryPlan.Tags(
                call: call, parameters: parameters(step["with"], "account"), tags: tags, place: step.place)
        }
        return plan
    }

    private mutating func listing(_ node: Node?, _ variable: String?) -> DiscoveryPlan.Listing? {
        guard let node, let call = node["call"]?.text, let each = eventPath(node["each"]), let id = source(node["id"])
        else { return nil }
        return DiscoveryPlan.Listing(
            call: call, parameters: parameters(node["with"], variable), each: each, id: id,
            name: source(node["name"]), tags: source(node["tags"]), conditions: conditions(node["when"]),
            place: node.place)
    }

    private mutating func parameters(_ node: Node?, _ variable: String?) -> [ReadStep.Parameter] {
        (node?.entries ?? []).compactMap { entry in
            guard let source = source(entry.value) else { return nil }
            for name in source.variables where name != variable {
                report("no variable \"\(name)\" is known here\(variable.map { "; \($0) is" } ?? "")", at: entry.keyPlace)
            }
            return ReadStep.Parameter(name: entry.key, source: source)
        }
    }

    private func discoveryTest(_ node: Node) -> DiscoveryTest {
        DiscoveryTest(
            root: node["root"]?.text ?? "",
            answers: (node["answers"]?.list ?? []).map {
                DiscoveryTest.Answer(
                    call: $0["call"]?.text ?? "", asks: $0["asks"]?.json, given: $0["given"]?.json ?? .null)
            }, finds: node["finds"]?.json ?? .null, place: node.place)
    }
}

extension DiscoveryPlan {
    /// The calls that it names, with what they are given.
    var steps: [(call: String, parameters: [ReadStep.Parameter], place: SourcePlace)] {
        [roots, containers, accounts].compactMap { $0 }.map { ($0.call, $0.parameters, $0.place) }
            + [tags].compactMap { $0 }.map { ($0.call, $0.parameters, $0.place) }
    }

    /// Runs the tests; a problem for each that fails, with what came out.
    func runTests() -> [Problem] {
        tests.compactMap { test in
            run(test).map { Problem("the test of \(name): \($0)", at: test.place) }
        }
    }

    private func run(_ test: DiscoveryTest) -> String? {
        var run = DiscoveryRun(self, root: test.root, wantsTags: true)
        var left = test.answers
        while case let requests = run.next(), !requests.isEmpty {
            for request in requests {
                let asks = JSON.object(request.parameters)
                guard let index = left.firstIndex(where: { $0.call == request.call && ($0.asks ?? asks) == asks }) else {
                    return "it asks \(request.call) \(asks.canonicalText), to which answers: has none"
                }
                let given = left.remove(at: index).given
                run.take(given["error"]?.string.map { .refused(code: $0) } ?? .answer(given), for: request)
            }
        }
        guard left.isEmpty else { return "it never asks \(left[0].call) \(left[0].asks?.canonicalText ?? "")" }
        let found = JSON.object(
            JSONObject(
                run.accounts.map { account in
                    let facts = account.facts.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
                    return (account.id, .object(JSONObject(facts)))
                }))
        guard found.canonicalText != test.finds.canonicalText else { return nil }
        return "it finds \(found.canonicalText); expected \(test.finds.canonicalText)"
    }
}
