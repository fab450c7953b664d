extension Rule {
    /// The grammar of a rule's file. Predicates are checked by the loader, which knows the types.
    package static let shape = Shape.record(
        .init("title", .text, required: true, "What should be so, in one sentence."),
        .init("type", .oneOrMany(.text), required: true, "The catalog's type, or types, that the rule is about."),
        .init(
            "severity", .word(Severity.allCases.map(\.rawValue)), required: true,
            "How bad a breach is where nothing is tuned."),
        .init(
            "maturity", .word(Maturity.allCases.map(\.rawValue)), required: true,
            "draft only reports, trial also plans, stable may be remediated."),
        .init("params", .map(keys: "a param's name", .anything), "Values that tune files may change."),
        .init("where", .anything, "A predicate: to whom the rule applies."),
        .init("expect", .anything, required: true, "A predicate: what must hold."),
        .init("why", .text, required: true, "What goes wrong otherwise."),
        .init("fix", .map(keys: "console, cli, hcl or another tool", .text), "What a person does about it."),
        .init("was", .list(.text), "Ids that the rule had before."),
        .init("tests", .list(RuleTest.shape), required: true, "States with the verdicts they must get."))
}

extension RuleTest {
    static let shape = Shape.record(
        .init(
            "given", .either([.text, .map(keys: "a property", .anything)]), required: true,
            "A sample's name, or a configuration; a top-level property that is not named is unknown."),
        .init("type", .text, "The type of a given configuration, where the rule has several."),
        .init("with", .map(keys: "a path", .anything), "Values to set."),
        .init("without", .list(.text), "Paths to make unknown."),
        .init("verdict", .word(Verdict.Outcome.allCases.map(\.rawValue)), required: true, "What the rule must say."),
        .init("offending", .list(.text), "The offending elements, by path or key."),
        .init("params", .map(keys: "a param's name", .anything), "Params as tuned."),
        .init("now", .text, "The moment of evaluation; 2026-01-01T00:00:00Z if not given."),
        .init("account", .text, "The account; 111122223333 if not given."),
        .init("environment", .text, "The environment; production if not given."),
        .init("tags", .map(keys: "a tag's name", .text), "Tags, in place of those in the configuration."),
        .init("lists", .map(keys: "a list's name", .list(.text)), "Lists of the configuration."),
        .init(
            "related", .map(keys: "a relation's name", .list(.either([.text, .map(keys: "a property", .anything)]))),
            "All resources at a relation's other end: samples' names or configurations."))
}
