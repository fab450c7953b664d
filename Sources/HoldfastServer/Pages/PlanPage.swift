internal import HoldfastCore
internal import HoldfastJSON

/// One plan, with what a person needs to decide about it, in the order in which they need it.
struct PlanPage: Sendable {
    let layout: Layout
    let digest: String
    /// As the query `planOf` answers.
    let json: JSON
    private let prompt: Prompt?
    private let finding: Finding?
    private let decision: Decision?
    private let runs: [Run]
    private let words: [JSON]
    /// The plan as it is now; another digest where it has changed.
    private let plan: JSON?

    init(_ json: JSON, layout: Layout) {
        self.layout = layout
        self.json = json
        digest = json["digest"]?.string ?? ""
        prompt = json["ask"].flatMap(Prompt.init(json:))
        let about = json["about"]
        finding = about?["finding"].flatMap(Finding.init(json:))
        decision = about?["decision"].flatMap(Decision.init(json:))
        runs = (json["runs"]?.array ?? []).compactMap(Run.init(json:))
        words = json["words"]?.array ?? []
        plan = about?["plan"]?["plan"]
    }

    private var moments: Moments { layout.moments }
    private var isCurrent: Bool { plan?["digest"]?.string == digest }

    var html: String {
        let title = plan?["title"]?.string ?? "Plan \(digest.prefix(12))"
        return layout.page(
            title, .approvals,
            """
            <h1>\(title)</h1>
            \(standing)
            <section class="card"><ul class="pills">\(pills)</ul><p class="sentence">\(sentence)</p>\(aboutIt)</section>
            \(decide(isFirst: true))
            \(isCurrent ? details : .nothing)
            \(said)
            \(decide(isFirst: false))
            \(whatWasDone)
            \(guards)
            \(everything)
            """)
    }

    // MARK: What it is

    /// Where the plan stands, in one line.
    private var standing: HTML {
        if let run = runs.first { return RunPages.banner(run, moments) }
        if prompt != nil { return .nothing }
        if !isCurrent {
            let other = plan?["digest"]?.string.map { digest -> HTML in
                "The plan is <a href=\"/plans/\(digest)\">another one</a> now."
            }
            return """
                <div class="banner warn" role="status"><p>This plan is void: what it was made from has changed. \
                \(other ?? .nothing)</p></div>
                """
        }
        let why = decision?.stopper.map { ": \($0.reason)" } ?? ""
        return "<div class=\"banner warn\" role=\"status\"><p>This plan waits for nobody's approval\(why).</p></div>"
    }

    private var pills: [HTML] {
        guard let finding else { return [] }
        let risk = prompt?.risk.rawValue ?? plan?["risk"]?.string ?? ""
        let last: HTML = Layout.pill(finding.environment, finding.environment == "production" ? "warn" : "")
        return [
            Layout.severity(finding.severity), last, Layout.pill("\(risk) risk"), Layout.pill(finding.state.rawValue),
        ]
    }

    private var sentence: String {
        if let prompt { return prompt.sentence }
        guard let finding else { return "Nothing more is known of this plan." }
        let title = json["about"]?["rule"]?["title"]?.string ?? finding.rule
        let who =
            finding.cause.isBaseline
            ? "Nobody is known to have done it"
            : "\(finding.cause.chain.last ?? finding.cause.actor) did \(finding.cause.action) at \(finding.cause.time)"
        return "\(who): \(finding.resource.id) does not meet \"\(title)\"."
    }

    private var aboutIt: HTML {
        guard let finding else { return .nothing }
        let asked: HTML =
            json["ask"]?["opened"]?.string.map { "Asked \(moments.html($0)). " } ?? .nothing
        return """
            <p class="soft small">\(asked)\(finding.resource.type) in \(finding.context.cloud.rawValue) account \
            \(finding.context.account)\(finding.context.region.isEmpty ? "" : ", \(finding.context.region)"). \
            <a href="/findings/\(finding.id)">Finding \(finding.id)</a></p>
            """
    }

    // MARK: What would happen

    private var details: HTML {
        HTML([mayBreak, calls, changes, wayBack])
    }

    private var mayBreak: HTML {
        let lines = prompt?.mayBreak ?? plan?["warnings"]?.array?.compactMap(\.string) ?? []
        let shown = lines.isEmpty ? ["What depends on it is not known."] : lines
        return Layout.card("What may break", Layout.list(shown.map { "\($0)" }))
    }

    private var calls: HTML {
        let steps = plan?["steps"]?.array ?? []
        let items = steps.map { step -> HTML in
            let parameters = (step["parameters"]?.object?.members ?? []).map { member -> String in
                "\(member.name): \(member.value.scalarText ?? Self.pretty(member.value))"
            }.joined(separator: "\n")
            let request = step["request"]?.string ?? ""
            let shown = [request, parameters].filter { !$0.isEmpty }.joined(separator: "\n")
            return """
                <li><code>\(step["call"]?.string ?? "")</code> <span class="soft">\(step["why"]?.string ?? "")</span>
                <pre>\(shown)</pre></li>
                """
        }
        return Layout.card(
            steps.count == 1 ? "This call, and no other" : "These calls, in this order", "<ol>\(items)</ol>")
    }

    private var changes: HTML {
        let edits = (plan?["edits"]?.array ?? []).flatMap { edit -> [Prompt.Change] in
            let section = edit["section"]?.string ?? ""
            return (edit["changes"]?.array ?? []).map { change in
                Prompt.Change(
                    path: Self.join(section, change["path"]?.string ?? ""),
                    before: change["before"].map { Self.pretty($0) } ?? "",
                    after: change["after"].map { Self.pretty($0) } ?? "")
            }
        }
        let shown = edits.isEmpty ? prompt?.changes ?? offending : edits
        guard !shown.isEmpty else { return .nothing }
        let rows = shown.map { change -> HTML in
            let minus: HTML = change.before.isEmpty ? .nothing : "<dd class=\"minus\">- \(change.before)</dd>"
            let plus: HTML =
                change.after.isEmpty
                ? "<dd class=\"plus\">+ (nothing)</dd>" : "<dd class=\"plus\">+ \(change.after)</dd>"
            return "<dt><code>\(change.path)</code></dt>\(minus)\(plus)"
        }
        return Layout.card("Before and after", "<dl class=\"diff\">\(rows)</dl>")
    }

    private var offending: [Prompt.Change] {
        (finding?.offending ?? []).map {
            Prompt.Change(path: $0.path.description, before: Self.pretty($0.actual), after: $0.expected)
        }
    }

    private static func join(_ section: String, _ path: String) -> String {
        path.isEmpty || path == "." ? section : path.hasPrefix("[") ? section + path : "\(section).\(path)"
    }

    private var wayBack: HTML {
        let grade = plan?["undo"]
        let text: String =
            switch grade?["grade"]?.string {
            case "exact": "It can be undone exactly: what was there before is put back."
            case "equivalent": "It can be undone, but for \(grade?["loses"]?.string ?? "a part")."
            default: "It cannot be undone: \(grade?["reason"]?.string ?? "no way back is known")."
            }
        let kind = grade?["grade"]?.string == "exact" ? "" : grade?["grade"]?.string == "equivalent" ? "warn" : "bad"
        let evidence = prompt?.evidence ?? finding.map { "\($0.evidence.rawValue) evidence" } ?? ""
        return Layout.card(
            "Way back and evidence",
            """
            <ul class="pills">\(Layout.pill("undo: \(grade?["grade"]?.string ?? "none")", kind))</ul>
            <p>\(text)</p><p class="soft">Evidence: \(moments.aged(evidence)).</p>
            """)
    }

    /// JSON for people: two spaces a level.
    static func pretty(_ json: JSON, indent: String = "") -> String {
        let inner = indent + "  "
        switch json {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + pretty($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let object) where !object.isEmpty:
            let lines = object.members.map { "\(inner)\($0.name): \(pretty($0.value, indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default: return json.canonicalText
        }
    }
}

// MARK: - What people say

extension PlanPage {
    private var said: HTML {
        guard !words.isEmpty || prompt != nil else { return .nothing }
        let items = words.map { WordLine.html($0, layout.moments) }
        let needed = prompt.map { prompt -> HTML in
            let count = prompt.needed == 1 ? "One approval is" : "\(prompt.needed) approvals are"
            return
                """
                <p>\(count) needed, by \(prompt.roles.joined(separator: " or ")), and by nobody who made the \
                change.</p>
                """
        }
        let list = items.isEmpty ? "<p class=\"soft\">Nobody has said anything yet.</p>" : Layout.list(items)
        return Layout.card("Who has decided", "\(needed ?? .nothing)\(list)")
    }

    private func decide(isFirst: Bool) -> HTML {
        guard prompt != nil else { return .nothing }
        if isFirst { return "<p><a href=\"#decide\">To the decision</a></p>" }
        return """
            <section class="card" id="decide"><h2>Your decision</h2>
            <form method="post" action="/plans/\(digest)">\(layout.formToken)
            <label for="reason">Reason (needed to refuse or to hold)</label>
            <textarea id="reason" name="reason" maxlength="\(Wish.longest)"></textarea>
            <div class="buttons">
            <button class="good" name="word" value="approve">Approve</button>
            <button class="bad" name="word" value="refuse">Refuse</button>
            <button name="word" value="hold">Hold until morning</button>
            </div></form></section>
            """
    }

    private var whatWasDone: HTML {
        HTML(runs.map { RunPages.card($0, layout: layout, isLinked: true) })
    }

    private var guards: HTML {
        decision.map { GuardList.card($0, layout.moments) } ?? .nothing
    }

    private var everything: HTML {
        let text = json["about"]?["plan"]?["text"]?.string
        guard isCurrent, let text else { return "<p class=\"soft small\">Digest \(digest)</p>" }
        return """
            <section class="card"><details><summary>The whole plan as text</summary><pre>\(text)</pre></details>
            <p class="soft small">Digest \(digest)</p></section>
            """
    }
}
