internal import HoldfastJSON

extension ResourceType {
    /// Tests in the `read:` and `list:` blocks.
    var readTestCount: Int { read.reduce(0) { $0 + $1.tests.count } + (list?.tests.count ?? 0) }

    /// Runs them; a problem for each that fails, with what came out.
    func runReadTests() -> [Problem] {
        let context = context(account: "111122223333", region: "eu-west-1", variables: variables(inID: example) ?? [:])
        let steps = read.flatMap { step in
            step.tests.flatMap { test in
                run(test, of: step, at: context).map {
                    Problem("the test of reading \(name) by \(step.call): \($0)", at: test.place)
                }
            }
        }
        let lists = (list?.tests ?? []).compactMap { test -> Problem? in
            let found = list?.resources(in: test.given, of: self, at: context).found.map(\.resource.id) ?? []
            let expected = test.lists.map { cloud == .azure ? $0.lowercased() : $0 }
            guard found != expected else { return nil }
            return Problem("the test of listing \(name): it lists \(found); expected \(expected)", at: test.place)
        }
        return steps + lists
    }

    private func run(_ test: ReadTest, of step: ReadStep, at context: ResourceContext) -> [String] {
        var alone = self
        alone.read = [step]
        guard var run = ReadRun(ResourceID(type: name, id: example), of: alone, at: context) else {
            return ["the example is no id of the type"]
        }
        run.assume(test.document)
        let requests = run.next()
        guard let request = requests.first else { return ["it makes no call"] }
        var problems: [String] = []
        if let asks = test.asks, asks != .object(request.parameters) {
            problems.append("asks \(JSON.object(request.parameters).canonicalText); expected \(asks.canonicalText)")
        }
        if let code = test.given["error"]?.string {
            for request in requests { run.take(.refused(code: code), for: request) }
        } else {
            for request in requests { run.take(.answer(test.given), for: request) }
        }
        guard let fills = test.fills else { return problems + (run.isGone ? [] : ["the resource is not gone"]) }
        if run.isGone { return problems + ["the resource is gone"] }
        for (path, value) in fills {
            let found = run.configuration.value(at: path)
            guard found != value else { continue }
            problems.append("\(path) is \(found?.canonicalText ?? "not filled"); expected \(value.canonicalText)")
        }
        return problems + run.failures.map(\.message)
    }
}
