internal import HoldfastJSON

extension Plan {
    /// The plan for people: what will be done, with exactly which calls, what changes, and the way back. Ends with a
    /// line break.
    package var text: String {
        var lines = [
            "\(title) (\(risk.rawValue) risk)", "  resource   \(resource)", "  where      \(place)",
            "  finding    \(finding) of \(rule)", "  playbook   \(playbook)",
        ]
        if tellsActor {
            let wait = grace.map { ", who then has \($0.phrase) to put it right" } ?? ""
            lines.append("  first      whoever caused it is told\(wait)")
        } else if let grace {
            lines.append("  first      \(grace.phrase) pass, in which it may be put right by hand")
        }
        for (index, step) in steps.enumerated() { lines += [""] + step.lines(number: index + 1) }
        for edit in edits { lines += [""] + edit.lines }
        lines += ["", "Way back: \(undo)."]
        lines += warnings.map { "Note: \($0)." }
        for alternative in alternatives {
            let calls = alternative.steps.map(\.call.name).joined(separator: ", ")
            lines.append("Instead, if a person chooses: \(alternative.title) (\(calls)).")
        }
        lines.append("Digest: \(digest)")
        return lines.joined(separator: "\n") + "\n"
    }

    private var place: String {
        let parts = [context.cloud.rawValue, context.account, context.region].filter { !$0.isEmpty }
        return parts.joined(separator: ", ")
    }
}

extension PlanOutcome {
    /// For people; ends with a line break.
    package var text: String {
        switch self {
        case .plan(let plan): plan.text
        case .proposal(let reason, nil): "A person must decide: \(reason).\n"
        case .proposal(let reason, let plan?): "A person must decide: \(reason).\n\n" + plan.text
        case .nothing(let reason): "There is nothing to do: \(reason).\n"
        }
    }
}

extension PlannedCall {
    fileprivate func lines(indent: String) -> [String] {
        parameters.members.map { "\(indent)\($0.name): \($0.value.scalarText ?? $0.value.canonicalText)" }
    }
}

extension PlannedStep {
    fileprivate func lines(number: Int) -> [String] {
        var lines = ["\(number). \(call.name)" + (item.map { " for \($0)" } ?? "")]
        if !call.request.isEmpty { lines.append("     \(call.request)") }
        lines += call.lines(indent: "     ")
        lines.append("   Why: \(why).")
        if let precondition {
            let value = precondition.value.scalarText.map { "still \($0)" } ?? "what it was when it was read"
            lines.append("   Only if \(precondition.reference) is \(value).")
        }
        lines.append("   Done when: \(verify).")
        return lines + undo.lines
    }
}

extension PlannedUndo {
    fileprivate var lines: [String] {
        switch means {
        case .none: return ["   Undo: \(grade)."]
        case .call(let call): return ["   Undo: \(grade), with \(call.name)"] + call.lines(indent: "     ")
        case .restore(let paths, let with, let whenAbsent, let before):
            let sections = paths.map(\.description).joined(separator: ", ")
            var line = "   Undo: \(grade); \(sections) as captured before the step, with \(with)"
            if let whenAbsent { line += ", or \(whenAbsent) where there was nothing" }
            let now = before?.object?.members.map { "     \($0.name): \($0.value.canonicalText)" } ?? []
            return [line] + now
        case .inverseEdit(let name, let changes):
            return ["   Undo: \(grade); the edit \(name), reversed"]
                + changes.flatMap { $0.lines(in: PropertyPath()) }
        }
    }
}

extension RenderedEdit {
    fileprivate var lines: [String] {
        let head = before == nil ? "\(section) is made:" : "What changes in \(section):"
        return [head] + (before == nil ? ["  + \(after.canonicalText)"] : changes.flatMap { $0.lines(in: section) })
    }
}

extension EditChange {
    fileprivate func lines(in section: PropertyPath) -> [String] {
        let place = PropertyPath(section.steps + path.steps)
        return [
            before.map { "  - \(place): \($0.canonicalText)" }, after.map { "  + \(place): \($0.canonicalText)" },
        ].compactMap { $0 }
    }
}
