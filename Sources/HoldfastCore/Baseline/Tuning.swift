package import HoldfastJSON

/// Where a tune, a pin or an exemption holds. All that is given must fit; what is empty fits everything.
package struct Scope: Sendable, Hashable {
    package var environments: [String] = []
    package var accounts: [String] = []
    package var types: [String] = []
    /// Tags or labels with a pattern of the value that they must have: `*` is any.
    package var labels: [String: String] = [:]

    package init() {}

    /// Labels that are not known fit nothing: what they would switch off stays on.
    package func contains(_ resource: ResourceID, _ context: EvaluationContext) -> Bool {
        contains(type: resource.type, account: context.place.account, environment: context.environment)
            && labels.allSatisfy { name, value in
                if case .scalar(let json) = context.labels[PropertyPath([.name(name)])] {
                    TextPattern(value).matches(json.scalarText ?? "")
                } else {
                    false
                }
            }
    }

    /// Without a look at labels.
    package func contains(type: String, account: String, environment: String) -> Bool {
        (environments.isEmpty || environments.contains(environment))
            && (accounts.isEmpty || accounts.contains(account)) && (types.isEmpty || types.contains(type))
    }

    static let shape = Shape.record(
        .init("environment", .oneOrMany(.text), "One of these environments."),
        .init("account", .oneOrMany(.text), "One of these accounts."),
        .init("type", .oneOrMany(.text), "One of these types."),
        .init(
            "labels", .map(keys: "a tag's or label's name", .text),
            "Tags with these values; * is any run of characters."))

    /// Of a checked node.
    init(_ node: Node?) {
        environments = node?["environment"]?.texts ?? []
        accounts = node?["account"]?.texts ?? []
        types = node?["type"]?.texts ?? []
        labels = Dictionary((node?["labels"]?.entries ?? []).map { ($0.key, $0.value.text ?? "") }) { first, _ in first
        }
    }
}

/// What users change of a rule without touching its file.
package struct Tune: Sendable {
    package var rule: String
    package var scope: Scope
    package var params: [String: JSON]
    package var severity: Severity?
    package var maturity: Maturity?
    /// Why the rule is switched off.
    package var disable: String?
    package var place: SourcePlace

    /// A tune file is one of these, or a list of them.
    package static let shape = Shape.oneOrMany(
        .record(
            .init("rule", .text, required: true, "The rule's id."),
            .init("scope", Scope.shape, "Where it holds; everywhere if not given."),
            .init("params", .map(keys: "a param's name", .anything), "Other values for the rule's params."),
            .init("severity", .word(Severity.allCases.map(\.rawValue)), "Another severity."),
            .init("maturity", .word(Maturity.allCases.map(\.rawValue)), "Another maturity."),
            .init("disable", .text, "Why the rule is switched off.")))

    init(_ node: Node) {
        rule = node["rule"]?.text ?? ""
        scope = Scope(node["scope"])
        params = Dictionary((node["params"]?.entries ?? []).map { ($0.key, $0.value.json) }) { first, _ in first }
        severity = node["severity"]?.text.flatMap(Severity.init)
        maturity = node["maturity"]?.text.flatMap(Maturity.init)
        disable = node["disable"]?.text
        place = node.place
    }
}

/// A rule as it holds for one resource: what the last fitting tune says of each value, else what the rule says.
package struct EffectiveRule: Sendable {
    /// A value with the file that set it.
    package struct Setting<Value: Sendable>: Sendable {
        package var value: Value
        package var place: SourcePlace
    }
    package var severity: Setting<Severity>
    package var maturity: Setting<Maturity>
    package var params: [String: Setting<JSON>]
    /// Why it is switched off, where it is.
    package var disabled: Setting<String>?

    init(_ rule: Rule, _ tunes: [Tune]) {
        severity = Setting(value: rule.severity, place: rule.place)
        maturity = Setting(value: rule.maturity, place: rule.place)
        params = rule.params.mapValues { Setting(value: $0, place: rule.place) }
        for tune in tunes {
            if let severity = tune.severity { self.severity = Setting(value: severity, place: tune.place) }
            if let maturity = tune.maturity { self.maturity = Setting(value: maturity, place: tune.place) }
            if let reason = tune.disable { disabled = Setting(value: reason, place: tune.place) }
            for (name, value) in tune.params { params[name] = Setting(value: value, place: tune.place) }
        }
    }
}
