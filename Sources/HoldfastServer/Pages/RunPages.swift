internal import HoldfastCore
internal import HoldfastJSON

/// Runs: what was carried out, step by step, with the way back.
enum RunPages {
    /// Where a run stands, in one line.
    static func banner(_ run: Run, _ moments: Moments) -> HTML {
        let (kind, text) = standing(run, moments)
        return
            """
            <div class="banner \(kind)" role="status"><p>\(text) <a href="/runs/\(run.id)">Run \(run.id)</a></p></div>
            """
    }

    private static func standing(_ run: Run, _ moments: Moments) -> (HTML, HTML) {
        let at: HTML = run.ended.map { moments.html($0) } ?? ""
        switch run.phase {
        case .verified: return ("good", "Carried out and verified at \(at).")
        case .undone:
            let who = run.undoneBy.isEmpty ? "by itself" : "by \(run.undoneBy)"
            return ("warn", "Undone \(who) at \(at): \(run.reason).")
        case .stuck: return ("bad", "Stuck since \(at), a person must look: \(run.reason).")
        case .abandoned: return ("warn", "Given up before anything was written, at \(at): \(run.reason).")
        case .ready, .writing, .uncertain, .accepted, .verifying:
            let doing = run.direction == .back ? "is being undone" : "is under way"
            return ("warn", "It \(doing) (\(run.phase.rawValue)), begun \(moments.html(run.opened)).")
        }
    }

    static func list(_ runs: [Run], layout: Layout) -> String {
        let rows = runs.map { run -> HTML in
            let kind: String =
                switch run.phase {
                case .verified: "good"
                case .stuck: "bad"
                default: "warn"
                }
            return """
                <section class="card"><a class="row" href="/runs/\(run.id)"><ul class="pills">\
                \(Layout.pill(run.phase.rawValue, kind))\(Layout.pill(run.environment))</ul>
                <p class="sentence">\(run.playbook) on \(run.resource.id)</p></a>
                <p class="soft small">Run \(run.id), begun \(layout.moments.html(run.opened)). \(run.reason)</p>
                </section>
                """
        }
        let none: HTML = runs.isEmpty ? "<p class=\"soft\">Nothing was carried out yet.</p>" : ""
        return layout.page("Runs", .runs, "<h1>Runs</h1>\(rows)\(none)")
    }

    static func page(_ run: Run, layout: Layout) -> String {
        layout.page(
            "Run \(run.id)", .runs,
            """
            <h1>Run \(run.id)</h1>
            \(banner(run, layout.moments))
            <section class="card"><p class="sentence">\(run.playbook) on \(run.resource.id) (\(run.environment))</p>
            <p class="soft small">For <a href="/findings/\(run.finding)">finding \(run.finding)</a>, by \
            <a href="/plans/\(run.planDigest)">this plan</a>, begun \(layout.moments.html(run.opened)).</p></section>
            \(card(run, layout: layout, isLinked: false))
            """)
    }

    static func card(_ run: Run, layout: Layout, isLinked: Bool) -> HTML {
        let steps = run.steps.map { step -> HTML in
            let requests = step.requests.isEmpty ? "" : " Requests: \(step.requests.joined(separator: ", "))."
            return """
                <li><code>\(step.call.name)</code> <span class="pill">\(step.state.rawValue)</span> \
                <span class="soft small">Way back: \(step.undo.grade.description).\(requests)</span></li>
                """
        }
        return Layout.card(
            isLinked ? "What was done" : "Steps", "<ol>\(steps)</ol>\(difference(run))\(undo(run, layout))")
    }

    /// What others changed since, beside what the run wrote and what was there before it.
    private static func difference(_ run: Run) -> HTML {
        guard run.phase == .stuck, let conflict = run.conflict else { return .nothing }
        let rows = conflict.differences.map { row -> HTML in
            let mark: HTML = row.isOthers ? " <span class=\"pill warn\">changed since</span>" : .nothing
            let values = [("Before", row.before), ("Written by the run", row.written), ("Now", row.now)]
            return """
                <li><code>\(row.path)</code>\(mark) <dl>\(values.map { value($0.0, $0.1) })</dl></li>
                """
        }
        return "<h3>What others changed since</h3><ul>\(rows)</ul>"
    }

    private static func value(_ name: String, _ value: JSON?) -> HTML {
        "<dt>\(name)</dt><dd><code>\(value?.canonicalText ?? "nothing")</code></dd>"
    }

    /// The button that takes a person's word on just the difference that the page shows.
    private static func acceptance(_ run: Run) -> HTML {
        guard run.phase == .stuck, let conflict = run.conflict, conflict.call != nil else { return .nothing }
        return """
            <p>What others changed will be lost. It is undone only as long as the difference is the one shown above.</p>
            <input type="hidden" name="accept" value="\(conflict.digest)">
            """
    }

    private static func undo(_ run: Run, _ layout: Layout) -> HTML {
        let canBe = [Run.Phase.ready, .verifying, .verified, .stuck].contains(run.phase) && run.hasWritten
        guard canBe, run.direction == .forward || run.phase == .stuck, layout.session != nil else { return .nothing }
        return """
            <form method="post" action="/runs/\(run.id)/undo">\(layout.formToken)
            <label for="undo-\(run.id)">Undo it, and keep this rule off the resource for a while. Reason:</label>
            <textarea id="undo-\(run.id)" name="reason" required maxlength="\(Wish.longest)"></textarea>
            \(acceptance(run))<div class="buttons"><button class="bad">Undo</button></div></form>
            """
    }
}
