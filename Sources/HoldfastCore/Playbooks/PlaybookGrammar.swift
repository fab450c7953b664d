/// The grammar of a playbook's file.
package enum PlaybookGrammar {
    /// Checked by the loader; the JSON Schema for editors is made from it.
    package static let shape: Shape = .record(
        .init("title", .text, "What it does to the resource, as a plain sentence; without one, the file's name"),
        .init("remedies", .oneOrMany(.text), required: true, "The rules whose findings it fixes, by id"),
        .init("for", .text, required: true, "The type of resource that it changes, in the cloud's own word"),
        .init("instead-of", .text, "The id of the playbook whose rules it takes over"),
        .init(
            "risk", .word(PlaybookRisk.allCases.map(\.rawValue)), required: true,
            "What it can break; how many must approve follows from it in the configuration"),
        .init("needs", need, "What must be known beside the resource, or no plan is made"),
        .init("edits", .map(keys: "a name of yours", edit), "Documents changed in part, used as $edits.NAME"),
        .init("choose", .map(keys: "a name of yours", choice), "One element chosen from a list, used as $chosen.NAME"),
        .init("steps", .list(step), required: true, "The calls, in their order"),
        .init("alternatives", .list(alternative), "Other fixes, which only a person may choose"),
        .init("tell-actor", .bool, "Whether who caused the drift is told what will be done"),
        .init("grace", .duration, "How long who caused the drift has to put it right before this is done"),
        .init("drill", planting, "What makes its drift on a resource that is there for drills"),
        .init("tests", .list(test), required: true, "What it must render, checked by `holdfast test`"))

    private static let need: Shape = .record(
        .init("last-observed", .text, required: true, "The type whose last observed state the steps use as $last"),
        .init("at-most", .duration, "How old that state may be"),
        .init("else", .word(["propose"]), "What happens without it: a person is told what is missing"))

    private static let edit: Shape = .record(
        .init("from", .text, required: true, "The section to edit: $resource.PROPERTY"),
        .init("when-absent", .anything, "The document to begin with where there is none"),
        .init("remove", .word(["offending"]), "Takes out the offending elements and nothing else"),
        .init(
            "only", .anything,
            "Of an offending element, takes out just the values that this holds of, if there are such"),
        .init(
            "add", .map(keys: "a list's path in the document, . for the document itself", .list(.anything)),
            "Elements that the list must have; one it already has is left alone"),
        .init("merge", .anything, "Members to set, at any depth; others are left alone"))

    private static let choice: Shape = .record(
        .init("from", .text, required: true, "The list to choose from: $resource.PROPERTY"),
        .init("where", .anything, "What a candidate must be: its properties and what is asked of them"),
        .init("order-by", .text, "A property of the candidates; -NAME: the greatest first"),
        .init("first-that", .word(["passes-the-rule"]), "The rule must pass with the candidate in place"),
        .init(
            "in-place", .map(keys: "a property of the resource", .text),
            "The candidate's property that stands in for it while the rule is tried"),
        .init("else", .word(["propose"]), "What happens where none fits: a person is told"))

    private static let step: Shape = .record(
        .init("why", .text, "What the step is for, for people"),
        .init("when", .anything, "Conditions, all of which must hold: properties or references, and what is asked"),
        .init("for-each", .either([.text, loop]), "offending, or a reference to a list: the step is done for each"),
        .init("do", .text, required: true, "The call, by its name in the catalog"),
        .init("with", .map(keys: "the call's own parameters", .anything), required: true, "What is sent"),
        .init("if-match", .text, "The reference to what must not have changed since it was read: an etag, a version"),
        .init(
            "wait",
            .record(
                .init("until", .anything, required: true, "Properties and what is asked of them"),
                .init("at-most", .duration, required: true, "After this the step's end is unknown")),
            "What the resource must become before the next step"),
        .init(
            "undo", .either([.word(["restore", "inverse-edit"]), undo]), required: true,
            "How it is undone: restore, inverse-edit, a call, or {irreversible: reason}"))

    private static let planting: Shape = .record(
        .init("do", .text, required: true, "The call that makes the drift"),
        .init("with", .map(keys: "the call's own parameters", .anything), required: true, "What is sent"),
        .init(
            "undo", .either([.word(["restore"]), undo]), required: true,
            "How it is taken away again: restore, or a call"
        ))

    private static let loop: Shape = .record(
        .init("of", .text, required: true, "offending, or a reference to a list"),
        .init("in", .text, "The list of the resource whose offending elements are meant"),
        .init("at-most", .integer(1...10_000), "More elements than this are a proposal; 100 without it"))

    private static let undo: Shape = .record(
        .init("do", .text, "The call that undoes the step"),
        .init("with", .map(keys: "the call's own parameters", .anything), "What is sent to undo it"),
        .init("grade", .word(["exact", "equivalent"]), "Whether all is as before"),
        .init("loses", .text, "What is not as before, where it is only equivalent"),
        .init("irreversible", .text, "Why it cannot be undone"))

    private static let alternative: Shape = .record(
        .init("title", .text, required: true, "What it does instead"),
        .init("steps", .list(step), required: true, "The calls, in their order"))

    private static let test: Shape = .record(
        .init("given", .either([.text, .anything]), required: true, "A sample of the catalog by name, or a state"),
        .init("id", .text, "The resource's id; without it the type's example, with what the given state says of it"),
        .init("with", .map(keys: "a property's path", .anything), "Values set in the given state"),
        .init("without", .list(.text), "Properties that nobody has read"),
        .init("rule", .text, "The rule that found it; without it, the first one that is remedied"),
        .init("offending", .list(.text), "What the rule found, by path; without it, what it finds in the given state"),
        .init("in", .text, "The environment"),
        .init("params", .map(keys: "the rule's parameter", .anything), "Parameters of the rule"),
        .init("lists", .map(keys: "a list of the configuration", .anything), "Lists of the configuration"),
        .init("tags", .map(keys: "a tag", .text), "Tags or labels, where they are not in the given state"),
        .init("related", .map(keys: "a relation", .list(.anything)), "Resources at its other end: samples or states"),
        .init("last", .anything, "The last observed state of what is gone: a sample or a state"),
        .init("plans", .list(.text), "The calls of the plan, in their order"),
        .init("calls", .list(.map(keys: "a call", .anything)), "The calls with exactly what they send"),
        .init("undo", .word(UndoGrade.words), "The plan's undo grade"),
        .init("undoes", .list(.map(keys: "a call", .anything)), "The calls that undo it, in the order of the steps"),
        .init("warns", .list(.text), "A part of each warning, in their order"),
        .init("proposes", .text, "A part of the reason why no plan is made and a person is asked"),
        .init("nothing", .text, "A part of the reason why there is nothing to do"),
        .init("decides", .word(["allow", "needs-approval", "refuse"]), "What the guards decide"))
}

/// What a playbook can break.
package enum PlaybookRisk: String, Sendable, Hashable, CaseIterable {
    case low, medium, high
}
