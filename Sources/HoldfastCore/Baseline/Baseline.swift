internal import HoldfastJSON

/// What should be true: rules as they are tuned, pins, and what is exempt from them.
package struct Baseline: Sendable {
    /// In the order of their ids.
    package internal(set) var rules: [Rule] = []
    package internal(set) var pins: [Pin] = []
    package internal(set) var frameworks: [Framework] = []
    /// In the order of files and lines: of two that fit, the later counts.
    package internal(set) var tunes: [Tune] = []
    package internal(set) var exemptions: [Exemption] = []
    package internal(set) var index = RuleIndex()
    var ruleNumbers: [String: Int] = [:]
    /// An earlier id -> the id of today.
    var renamed: [String: String] = [:]
    var tunesByRule: [String: [Tune]] = [:]
    var exemptionsByRule: [String: [Exemption]] = [:]

    package init() {}

    /// The rule of this id, or the one that had it before.
    package func rule(_ id: String) -> Rule? { ruleNumbers[renamed[id] ?? id].map { rules[$0] } }
    package func pin(_ id: String) -> Pin? { pins.first { $0.id == id } }
    package var ruleIDs: [String] { rules.map(\.id) }

    /// The controls that a rule covers, as `cis-aws 2.1.4`, in the order of the frameworks.
    package func controls(coveredBy rule: String) -> [String] {
        frameworks.flatMap { framework in
            framework.controls.filter { $0.rules.contains(rule) }.map { "\(framework.id) \($0.id)" }
        }
    }

    // MARK: Evaluation

    /// A rule as it holds for a resource: each value with the file that set it.
    package func effective(_ rule: Rule, of resource: ResourceID, in context: EvaluationContext) -> EffectiveRule {
        EffectiveRule(rule, (tunesByRule[rule.id] ?? []).filter { $0.scope.contains(resource, context) })
    }

    /// A rule as it holds everywhere: with those tunes only that have no scope.
    package func effective(_ rule: Rule) -> EffectiveRule {
        EffectiveRule(rule, (tunesByRule[rule.id] ?? []).filter { $0.scope == Scope() })
    }

    /// What the rule or pin of this id says of a resource; a rule that is switched off or unknown does not apply.
    ///
    /// - Parameter document: with the keys of its lists' elements (``StateValue/keyed(by:)``, ``ResourceView``).
    package func evaluate(
        _ id: String, _ document: StateValue, of resource: ResourceID, in context: EvaluationContext
    ) -> Evaluation {
        var evaluation: Evaluation
        if let rule = rule(id), tunesByRule[rule.id] == nil {
            evaluation = rule.evaluate(document, of: resource, in: context)
        } else if let rule = rule(id) {
            let effective = effective(rule, of: resource, in: context)
            if let disabled = effective.disabled {
                return Evaluation(
                    Verdict(.notApplicable, reason: "switched off by \(disabled.place): \(disabled.value)"))
            }
            evaluation = rule.evaluate(document, of: resource, params: effective.params.mapValues(\.value), in: context)
        } else if let pin = pin(id), pin.selects(resource, context) {
            evaluation = Evaluation(pin.evaluate(document))
        } else {
            return Evaluation(Verdict(.notApplicable, reason: "the baseline has no \(id) for this resource"))
        }
        if evaluation.verdict.outcome == .drift, let end = exemption(id, resource, at: context.now)?.end {
            evaluation.nextChange = evaluation.nextChange.map { min($0, end) } ?? end
        }
        return evaluation
    }

    /// The severity of a finding, with the place that set it.
    package func severity(
        _ id: String, of resource: ResourceID, in context: EvaluationContext
    ) -> EffectiveRule.Setting<Severity>? {
        if let rule = rule(id) { return effective(rule, of: resource, in: context).severity }
        return pin(id).map { .init(value: $0.severity, place: $0.place) }
    }

    /// The exemption that covers a rule or pin on a resource now; of several the one that ends last.
    package func exemption(_ id: String, _ resource: ResourceID, at now: Timestamp) -> Exemption? {
        (exemptionsByRule[renamed[id] ?? id] ?? [])
            .filter { $0.end > now && $0.covers(resource) }.max { $0.end < $1.end }
    }

    /// Top-level properties that a rule or pin reads of the resource itself, sorted.
    package func propertiesRead(by id: String) -> [String] {
        if let rule = rule(id) { return rule.reads.properties }
        return pin(id).map { Set($0.desired.compactMap { $0.path.property }).sorted() } ?? []
    }
}

extension Baseline {
    /// Types that some rule or pin looks at, on the resource itself or along a relation; sorted.
    package var typesRead: [String] {
        var types = Set(pins.map(\.type))
        for rule in rules {
            types.formUnion(rule.types)
            types.formUnion(rule.reads.relations.map(\.read.type))
        }
        return types.sorted { $0.precedesInUTF8($1) }
    }
}
