internal import HoldfastJSON

extension Playbooks {
    package var testCount: Int { all.reduce(0) { $0 + $1.tests.count } }

    /// Runs the `tests:` of every playbook.
    ///
    /// - Returns: one problem for each that failed, with what came out.
    package func runTests() -> [Problem] {
        all.flatMap { playbook in
            playbook.tests.flatMap { PlaybookTestRun(playbook: playbook, test: $0, vocabulary: vocabulary).problems() }
        }
    }
}

extension Playbooks {
    /// Every plan that the `tests:` of the files make, with the playbook's id: what calls look like once rendered.
    package var testedPlans: [(playbook: String, plan: Plan)] {
        all.flatMap { playbook in
            playbook.tests.compactMap { test in
                let run = PlaybookTestRun(playbook: playbook, test: test, vocabulary: vocabulary)
                guard let request = try? run.request().request else { return nil }
                switch playbook.plan(request) {
                case .plan(let plan), .proposal(_, let plan?): return (playbook.id, plan)
                case .proposal, .nothing: return nil
                }
            }
        }
    }
}

extension Playbook {
    /// Whether one of its tests says exactly what is called, with every parameter.
    package var hasExactTest: Bool { tests.contains { $0.calls?.isEmpty == false } }
}

extension PlaybookTest {
    fileprivate var expectsOutcome: Bool {
        plans != nil || calls != nil || undo != nil || undoes != nil || warns != nil || proposes != nil
            || nothing != nil
    }
}

private struct PlaybookTestRun {
    let playbook: Playbook
    let test: PlaybookTest
    let vocabulary: PlaybookVocabulary

    func problems() -> [Problem] {
        let (request, context): (PlanRequest, EvaluationContext)
        do {
            (request, context) = try self.request()
        } catch {
            return [error]
        }
        let outcome = playbook.plan(request)
        let decided = test.decides.flatMap { fault(of: $0, outcome, request, context) }
        let faults = (test.expectsOutcome ? faults(of: outcome) : []) + [decided].compactMap(\.self)
        return faults.map { problem("\($0)\(reason(of: outcome))") }
    }

    /// What is wrong with what the guards decide; `nil` where it is as expected.
    private func fault(
        of expected: String, _ outcome: PlanOutcome, _ request: PlanRequest, _ context: EvaluationContext
    ) -> String? {
        guard case .plan(let plan) = outcome, let rule = vocabulary.baseline.rule(request.rule) else {
            return "the guards are asked nothing, for no plan is made; expected \(expected)"
        }
        let maturity = vocabulary.baseline.effective(rule, of: request.resource, in: context).maturity.value
        let decision = Guards.decide(GuardFacts(ofTested: plan, rule: rule, maturity: maturity, in: context))
        guard decision.testWord != expected else { return nil }
        let why = decision.stopper.map { " (\($0.name.rawValue): \($0.reason))" } ?? ""
        return "the guards decide \(decision.testWord)\(why); expected \(expected)"
    }

    private func problem(_ message: String) -> Problem { Problem("\(playbook.id): \(message)", at: test.place) }

    private func reason(of outcome: PlanOutcome) -> String {
        switch outcome {
        case .plan: ""
        case .proposal(let reason, _): "; a person was asked: \(reason)"
        case .nothing(let reason): "; there was nothing to do: \(reason)"
        }
    }

    // MARK: What is given

    func request() throws(Problem) -> (request: PlanRequest, context: EvaluationContext) {
        let type = playbook.type
        guard let rule = vocabulary.baseline.rule(test.rule ?? playbook.remedies[0]) else {
            throw problem("the baseline has no rule \(test.rule ?? playbook.remedies[0])")
        }
        var document = StateValue(snapshot: json(of: test.given, type: type))
        for (path, value) in test.sets { document = document.setting(StateValue(known: value), at: path) }
        for path in test.unsets { document = document.setting(.unknown("left out by the test"), at: path) }
        document = document.keyed(by: type)
        let now = RuleTest.defaultNow
        let resource = resource(document)
        var request = PlanRequest(
            finding: "test", rule: rule.id, resource: resource, incarnation: "-", context: context(of: resource),
            document: document, offending: [], ruleReads: rule.reads.paths,
            params: rule.params.merging(test.params) { _, tuned in tuned }, lists: test.lists, now: now)
        if let last = test.last, let lastType = playbook.needs?.type {
            let state = StateValue(snapshot: json(of: last, type: lastType)).keyed(by: lastType)
            request.lastObserved = .init(state: state, at: now)
        }
        let labels = test.tags.map { tags in
            StateValue.map(StateMap(tags.map { ($0.key, .scalar(.string($0.value))) }))
        }
        let related = try relatedResources(of: rule)
        let context = EvaluationContext(
            now: now, environment: test.environment, place: request.context,
            labels: labels ?? Labels.read(document, of: type), lists: test.lists
        ) { related[$0.name] ?? RelatedResources(openBecause: "not given by the test") }
        let params = request.params
        request.trial = { rule.evaluate($0, of: resource, params: params, in: context).verdict.outcome }
        request.offending = try offending(by: rule, in: request, context)
        return (request, context)
    }

    private func offending(
        by rule: Rule, in request: PlanRequest, _ context: EvaluationContext
    ) throws(Problem) -> [Offending] {
        guard let paths = test.offending else {
            let verdict = rule.evaluate(request.document, of: request.resource, params: request.params, in: context)
                .verdict
            if verdict.outcome == .drift { return verdict.offending }
            let why = verdict.reason.isEmpty ? "" : " (\(verdict.reason))"
            throw problem(
                "\(rule.id) finds \(verdict.outcome.rawValue)\(why) in the given state, so there is nothing to "
                    + "plan for; give another state, or say what is offending")
        }
        return paths.map { path in
            let list = PropertyPath(Array(path.steps.dropLast()))
            let value = request.document[path].json
            let key = playbook.type.keys.key(of: value, in: list)
            return Offending(path: path, key: key, actual: value, expected: "what the test says")
        }
    }

    private func relatedResources(of rule: Rule) throws(Problem) -> [String: RelatedResources] {
        var found: [String: RelatedResources] = [:]
        for name in test.related.keys.sorted() {
            let read =
                rule.reads.relations.first { $0.read.name == name }?.read
                ?? playbook.type.relations[name].map { RelatedRead($0) }
            guard let read, let type = vocabulary.catalog.type(read.type) else {
                let known = rule.reads.relations.map(\.read.name) + playbook.type.relations.keys.sorted()
                throw problem(
                    "neither the rule nor \(playbook.type.name) has the relation \"\(name)\""
                        + suggestion(for: name, among: known))
            }
            let members = (test.related[name] ?? []).map { given in
                RelatedResources.Member(
                    id: ResourceID(type: type.name, id: type.example),
                    document: StateValue(snapshot: json(of: given, type: type)).keyed(by: type))
            }
            found[name] = RelatedResources(members)
        }
        return found
    }

    private func json(of given: PlaybookTest.Given, type: ResourceType) -> JSON {
        switch given {
        case .sample(let name): type.samples[name] ?? .object(JSONObject())
        case .state(let json): json
        }
    }

    /// The one that the test names, or the type's example, with what the given state says of the id's variables.
    private func resource(_ document: StateValue) -> ResourceID {
        let type = playbook.type
        if let id = test.id { return ResourceID(type: type.name, id: id) }
        let example = type.id.values(in: type.example) ?? [:]
        let id = type.id.filled { name in document[PropertyPath(names: name)].json.scalarText ?? example[name] }
        return ResourceID(type: type.name, id: id ?? type.example)
    }

    /// Where the id says that the resource stands.
    private func context(of resource: ResourceID) -> ResourceContext {
        let values = playbook.type.id.values(in: resource.id) ?? [:]
        let account = ["account", "subscription", "project"].lazy.compactMap { values[$0] }.first
        return ResourceContext(
            cloud: playbook.type.cloud, account: account ?? "111122223333", region: values["region"] ?? "")
    }

    // MARK: What came out

    private func faults(of outcome: PlanOutcome) -> [String] {
        switch (test.proposes, test.nothing, outcome) {
        case (let part?, _, .proposal(let reason, let plan)):
            let fault = reason.contains(part) ? [] : ["the reason does not say \"\(part)\""]
            return fault + (plan.map(faults) ?? [])
        case (let part?, _, _): return ["no proposal is made; expected one because of \"\(part)\""]
        case (nil, let part?, .nothing(let reason)):
            return reason.contains(part) ? [] : ["the reason does not say \"\(part)\""]
        case (nil, let part?, _): return ["there is something to do; expected nothing because of \"\(part)\""]
        case (nil, nil, .plan(let plan)): return faults(of: plan)
        case (nil, nil, _): return ["no plan is made"]
        }
    }

    private func faults(of plan: Plan) -> [String] {
        var faults: [String] = []
        let names = plan.steps.map(\.call.name)
        if let plans = test.plans, plans != names {
            faults.append("plans \(list(names)); expected \(list(plans))")
        }
        if let calls = test.calls {
            faults += difference("calls", plan.steps.map { named($0.call) }, calls)
        }
        if let undoes = test.undoes {
            faults += difference("undoes with", plan.steps.compactMap { $0.undo.call.map(named) }, undoes)
        }
        if let undo = test.undo, plan.undo.word != undo {
            faults.append("the undo is \(plan.undo); expected \(undo)")
        }
        if let warns = test.warns {
            let matches = warns.count == plan.warnings.count && zip(warns, plan.warnings).allSatisfy { $1.contains($0) }
            if !matches { faults.append("warns \(list(plan.warnings)); expected \(list(warns))") }
        }
        return faults
    }

    private func named(_ call: PlannedCall) -> JSON { .object(JSONObject([(call.name, .object(call.parameters))])) }

    private func difference(_ verb: String, _ found: [JSON], _ expected: [JSON]) -> [String] {
        if found == expected { return [] }
        return ["\(verb) \(list(found.map(\.canonicalText))); expected \(list(expected.map(\.canonicalText)))"]
    }

    private func list(_ texts: [String]) -> String { texts.isEmpty ? "nothing" : texts.joined(separator: ", ") }
}

extension PlannedUndo {
    /// The call that undoes, where it is one that is known now.
    var call: PlannedCall? { if case .call(let call) = means { call } else { nil } }
}
