internal import HoldfastCore
internal import HoldfastJSON

/// Findings: the list, and one of them with what stands between it and its fix.
enum FindingPages {
    static func list(_ findings: [Finding], next: String?, layout: Layout) -> String {
        let rows = findings.map { finding -> HTML in
            let actor = finding.cause.isBaseline ? "nobody known" : finding.cause.chain.last ?? finding.cause.actor
            let warn = finding.environment == "production" ? "warn" : ""
            return """
                <section class="card"><a class="row" href="/findings/\(finding.id)"><ul class="pills">\
                \(Layout.severity(finding.severity))\(Layout.pill(finding.environment, warn))\
                \(Layout.pill(finding.state.rawValue))\(Layout.pill(finding.origin.rawValue))</ul>
                <p class="sentence">\(finding.resource.id)</p></a>
                <p class="soft small">\(finding.rule), by \(actor), since \
                \(layout.moments.html(finding.since))</p></section>
                """
        }
        let more: HTML =
            next.map { "<p><a class=\"button\" href=\"/findings?after=\(percentEncoded($0))\">More</a></p>" } ?? ""
        let none: HTML = findings.isEmpty ? "<p class=\"soft\">Nothing has drifted that is known.</p>" : ""
        return layout.page("Findings", .findings, "<h1>Open findings</h1>\(rows)\(none)\(more)")
    }

    /// - Parameter json: as the query `why` answers.
    static func page(_ json: JSON, people: [String], layout: Layout) -> String {
        guard let finding = json["finding"].flatMap(Finding.init(json:)) else {
            return Layout.refusal(.notFound("this finding cannot be read"))
        }
        let title = json["rule"]?["title"]?.string ?? finding.rule
        let decision = json["decision"].flatMap(Decision.init(json:))
        return layout.page(
            title, .findings,
            """
            <h1>\(title)</h1>
            <section class="card"><ul class="pills">\(Layout.severity(finding.severity))\
            \(Layout.pill(finding.environment, finding.environment == "production" ? "warn" : ""))\
            \(Layout.pill(finding.state.rawValue))\(Layout.pill(finding.origin.rawValue))</ul>
            <p class="sentence">\(finding.resource.id)</p>
            <p>\(cause(finding, layout.moments))</p>
            <p class="soft small">\(finding.resource.type) in \(finding.context.cloud.rawValue) account \
            \(finding.context.account). Rule \(finding.rule). \(finding.reason)</p>
            \(why(json))</section>
            \(offending(finding))
            \(plan(json))
            \(decision.map { GuardList.card($0, layout.moments) } ?? .nothing)
            \(runs(json, layout))
            \(care(json, finding, people, layout))
            """)
    }

    private static func why(_ json: JSON) -> HTML {
        json["rule"]?["why"]?.string.map { "<p>\($0)</p>" } ?? .nothing
    }

    private static func cause(_ finding: Finding, _ moments: Moments) -> HTML {
        guard !finding.cause.isBaseline else {
            return "No event says who made it so. It is known since \(moments.html(finding.since))."
        }
        let chain = ([finding.cause.actor] + finding.cause.chain).map { "<li><code>\($0)</code></li>" as HTML }
        let through: HTML =
            finding.cause.chain.isEmpty ? .nothing : "<br>It was a session, opened by:</p><ol>\(chain)</ol><p>"
        return """
            <strong>\(finding.cause.chain.last ?? finding.cause.actor)</strong> did \
            <code>\(finding.cause.action)</code>, \
            \(moments.html(finding.cause.time)).\(through)
            """
    }

    private static func offending(_ finding: Finding) -> HTML {
        guard !finding.offending.isEmpty else { return .nothing }
        let rows = finding.offending.map { offending -> HTML in
            """
            <dt><code>\(offending.path.description)</code></dt>\
            <dd class="minus">is \(PlanPage.pretty(offending.actual))</dd>\
            <dd class="plus">expected \(offending.expected)</dd>
            """
        }
        return Layout.card("What offends", "<dl class=\"diff\">\(rows)</dl>")
    }

    private static func plan(_ json: JSON) -> HTML {
        let body = json["plan"]
        if let digest = body?["plan"]?["digest"]?.string {
            return Layout.card(
                "What would be done",
                "<p>\(body?["plan"]?["title"]?.string ?? ""). <a href=\"/plans/\(digest)\">The plan</a></p>")
        }
        let reason = body?["reason"]?.string ?? "no playbook remedies this rule for this type"
        return Layout.card("What would be done", "<p>Nothing: \(reason).</p>")
    }

    private static func runs(_ json: JSON, _ layout: Layout) -> HTML {
        let runs = (json["runs"]?.array ?? []).compactMap(Run.init(json:))
        guard !runs.isEmpty else { return .nothing }
        let items = runs.map { run -> HTML in
            "<a href=\"/runs/\(run.id)\">\(run.id)</a> \(run.phase.rawValue), \(layout.moments.html(run.opened))"
        }
        return Layout.card("What was done", Layout.list(items))
    }

    private static func care(_ json: JSON, _ finding: Finding, _ people: [String], _ layout: Layout) -> HTML {
        let care = json["care"]
        let seen = care?["acknowledged-by"]?.string ?? ""
        let assignee = care?["assignee"]?.string ?? ""
        let note = care?["note"]?.string ?? ""
        let state: HTML = """
            <p>\(seen.isEmpty ? "Nobody has acknowledged it." : "Acknowledged by \(seen).") \
            \(assignee.isEmpty ? "It is nobody's." : "It is \(assignee)'s.") \(note)</p>
            """
        guard layout.session != nil else { return Layout.card("Who looks after it", state) }
        let options = people.map { person -> HTML in
            let chosen: HTML = person == assignee ? " selected" : ""
            return "<option\(chosen)>\(person)</option>"
        }
        return Layout.card(
            "Who looks after it",
            """
            \(state)
            <form method="post" action="/findings/\(finding.id)">\(layout.formToken)
            <label for="note">Note</label><textarea id="note" name="note" maxlength="\(Wish.longest)"></textarea>
            <p><label for="to">Whose it is</label>\
            <select id="to" name="to"><option value="">nobody's</option>\(options)</select></p>
            <div class="buttons"><button name="do" value="acknowledge">Acknowledge</button>
            <button name="do" value="assign">Assign</button></div></form>
            """)
    }
}
