internal import HoldfastJSON

extension Baseline {
    /// The number of tests in the rules' files.
    package var testCount: Int { rules.reduce(0) { $0 + $1.tests.count } }

    /// Runs the `tests:` of every rule; a problem for each that fails, with what came out.
    package func runTests(catalog: Catalog) -> [Problem] {
        rules.flatMap { rule in rule.tests.flatMap { TestRun(rule: rule, test: $0, catalog: catalog).problems() } }
    }
}

private struct TestRun {
    let rule: Rule
    let test: RuleTest
    let catalog: Catalog

    func problems() -> [Problem] {
        do {
            let evaluation = try evaluate()
            return faults(of: evaluation.verdict).map { problem($0) }
        } catch {
            return [error]
        }
    }

    /// A path of the type, or one that only a facet reads.
    private func has(_ path: PropertyPath, _ type: ResourceType) -> Bool {
        type.has(path)
            || rule.reads.facets.contains { facet in
                facet.reads(type: type.name).contains { path.hasPrefix($0) || $0.hasPrefix(path) }
            }
    }

    private func problem(_ message: String) -> Problem { Problem("\(rule.id): \(message)", at: test.place) }

    private func evaluate() throws(Problem) -> Evaluation {
        let (type, json) = try given(test.given, of: test.type ?? rule.types[0])
        guard rule.types.contains(type.name) else {
            throw problem("the given state is of \(type.name), which the rule is not about")
        }
        for (path, _) in test.with where !has(path, type) {
            throw problem("\(type.name) has no path \"\(path)\"\(type.suggestion(for: path))")
        }
        for path in test.without where !has(path, type) {
            throw problem("\(type.name) has no path \"\(path)\"\(type.suggestion(for: path))")
        }
        for (name, value) in test.params
        where !(rule.paramKinds[name].map { $0.allSatisfy { $0.allows(value) } } ?? false) {
            throw problem("param \"\(name)\" is none of the rule's, or takes another kind of value")
        }
        var document = StateValue(snapshot: json)
        for (path, value) in test.with { document = document.setting(StateValue(known: value), at: path) }
        for path in test.without { document = document.setting(.unknown("left out by the test"), at: path) }
        document = document.keyed(by: type)
        let related = try relatedResources()
        let labels = test.tags.map { tags in
            StateValue.map(StateMap(tags.map { ($0.key, .scalar(.string($0.value))) }))
        }
        let context = EvaluationContext(
            now: test.now, environment: test.environment,
            place: ResourceContext(cloud: type.cloud, account: test.account, region: ""),
            labels: labels ?? Labels.read(document, of: type), lists: test.lists
        ) { read in
            related[read.name] ?? RelatedResources(openBecause: "not given by the test")
        }
        let params = rule.params.merging(test.params) { _, tuned in tuned }
        return rule.evaluate(
            document, of: ResourceID(type: type.name, id: type.example), params: params, in: context)
    }

    private func given(
        _ given: RuleTest.Given, of type: String
    ) throws(Problem) -> (type: ResourceType, json: JSON) {
        switch given {
        case .sample(let name):
            guard let sample = catalog.sample(name) else {
                throw problem("unknown sample \"\(name)\"\(suggestion(for: name, among: catalog.sampleNames))")
            }
            return (sample.type, sample.configuration)
        case .body(let json):
            guard let found = catalog.type(type) else { throw problem("unknown type \"\(type)\"") }
            for path in StateValue(known: json).paths where !has(path, found) {
                throw problem("\(type) has no path \"\(path)\"\(found.suggestion(for: path))")
            }
            return (found, json)
        }
    }

    private func relatedResources() throws(Problem) -> [String: RelatedResources] {
        var found: [String: RelatedResources] = [:]
        for name in test.related.keys.sorted() {
            guard let read = rule.reads.relations.first(where: { $0.read.name == name })?.read else {
                let known = rule.reads.relations.map(\.read.name)
                throw problem("the rule reads no relation \"\(name)\"\(suggestion(for: name, among: known))")
            }
            var members: [RelatedResources.Member] = []
            for (number, one) in (test.related[name] ?? []).enumerated() {
                let (type, json) = try given(one, of: read.type)
                members.append(
                    .init(
                        id: ResourceID(type: type.name, id: "\(name)-\(number)"),
                        document: StateValue(snapshot: json).keyed(by: type)))
            }
            found[name] = RelatedResources(members)
        }
        return found
    }

    private func faults(of verdict: Verdict) -> [String] {
        if verdict.outcome != test.verdict {
            let why = verdict.reason.isEmpty ? "" : " (\(verdict.reason))"
            return ["the verdict is \(verdict.outcome.rawValue)\(why); expected \(test.verdict.rawValue)"]
        }
        guard let expected = test.offending else { return [] }
        let found = verdict.offending
        let matches =
            found.count == expected.count
            && expected.allSatisfy { text in found.contains { $0.path.description == text || $0.key == text } }
        if matches { return [] }
        let names = found.map { offending in offending.path.description + (offending.key.map { " (\($0))" } ?? "") }
        return ["offending are \(names.joined(separator: ", ")); expected \(expected.joined(separator: ", "))"]
    }
}

extension StateValue {
    /// The path of every member, as deep as it goes.
    fileprivate var paths: [PropertyPath] { paths(at: PropertyPath()) }

    private func paths(at path: PropertyPath) -> [PropertyPath] {
        switch self {
        case .unknown, .absent, .scalar: path.isRoot ? [] : [path]
        case .list(let list):
            list.elements.isEmpty ? [path] : list.elements.flatMap { $0.value.paths(at: path.appending(.each)) }
        case .map(let map):
            map.members.flatMap { $0.value.paths(at: path.appending(.name($0.name))) }
        }
    }
}
