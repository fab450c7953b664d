internal import HoldfastCore
internal import HoldfastJSON

/// Everything that waits for people. Plans that are alike can be approved as a list.
struct ApprovalsPage: Sendable {
    let layout: Layout
    let items: [JSON]

    var html: String {
        let prompts = items.compactMap { item in Prompt(json: item).map { (prompt: $0, json: item) } }
        let campaigns = items.filter { $0["kind"] == "campaign" }
        let count = prompts.count + campaigns.count
        let title = count == 0 ? "Nothing waits" : "\(count) \(count == 1 ? "plan waits" : "plans wait")"
        var body: [HTML] = ["<h1>\(title)</h1>"]
        if count == 0 {
            body.append("<p class=\"soft\">When a plan needs somebody's approval it is listed here.</p>")
        }
        body += campaigns.map(campaign)
        for group in groups(prompts) {
            body.append(contentsOf: group.count > 1 ? [self.group(group)] : group.map { row($0.prompt, $0.json) })
        }
        return layout.page(title, .approvals, HTML(body))
    }

    private typealias Waiting = (prompt: Prompt, json: JSON)

    /// Plans that make the same calls in the same environment at the same risk, the most severe first.
    private func groups(_ prompts: [Waiting]) -> [[Waiting]] {
        var groups: [[Waiting]] = []
        let ordered = prompts.sorted {
            ($1.prompt.severity, $0.json["opened"]?.string ?? "") < (
                $0.prompt.severity, $1.json["opened"]?.string ?? ""
            )
        }
        for waiting in ordered {
            let index = groups.firstIndex { Self.areAlike($0[0].prompt, waiting.prompt) }
            if let index { groups[index].append(waiting) } else { groups.append([waiting]) }
        }
        return groups
    }

    private static func areAlike(_ a: Prompt, _ b: Prompt) -> Bool {
        a.calls == b.calls && a.environment == b.environment && a.risk == b.risk && a.resource.type == b.resource.type
            && a.severity == b.severity && a.undo == b.undo
    }

    private func pills(_ prompt: Prompt) -> HTML {
        let warn = prompt.environment == "production" ? "warn" : ""
        return """
            <ul class="pills">\(Layout.severity(prompt.severity))\(Layout.pill(prompt.environment, warn))\
            \(Layout.pill("\(prompt.risk.rawValue) risk"))\(Layout.pill("undo: \(prompt.undo)"))</ul>
            """
    }

    private func row(_ prompt: Prompt, _ json: JSON) -> HTML {
        """
        <section class="card"><a class="row" href="/plans/\(prompt.digest)">\(pills(prompt))
        <p class="sentence">\(prompt.sentence)</p></a>
        <p class="soft small">Asked \(layout.moments.html(json["opened"]?.string)). \(words(json)) \
        <a href="/plans/\(prompt.digest)">Read and decide</a></p></section>
        """
    }

    private func words(_ json: JSON) -> HTML {
        let words = json["words"]?.array ?? []
        return words.isEmpty ? "Nobody has said anything yet." : HTML(words.map { WordLine.html($0, layout.moments) })
    }

    private func group(_ waiting: [Waiting]) -> HTML {
        let prompt = waiting[0].prompt
        let boxes = waiting.map { other -> HTML in
            """
            <label class="check"><input type="checkbox" name="digest" value="\(other.prompt.digest)" checked>\
            <span>\(other.prompt.sentence) <a href="/plans/\(other.prompt.digest)">Read</a></span></label>
            """
        }
        return """
            <section class="card">\(pills(prompt))
            <h2>\(waiting.count) plans that are alike: \(prompt.calls.joined(separator: ", then "))</h2>
            <form method="post" action="/approvals">\(layout.formToken)\(boxes)
            <label for="reason-\(prompt.digest)">Reason (needed to refuse or to hold)</label>
            <textarea id="reason-\(prompt.digest)" name="reason" maxlength="\(Wish.longest)"></textarea>
            <div class="buttons">
            <button class="good" name="word" value="approve">Approve those marked</button>
            <button class="bad" name="word" value="refuse">Refuse those marked</button>
            <button name="word" value="hold">Hold until morning</button>
            </div></form></section>
            """
    }

    private func campaign(_ json: JSON) -> HTML {
        let id = json["id"]?.string ?? ""
        let count = json["items"]?.array?.count ?? 0
        return """
            <section class="card"><ul class="pills">\(Layout.pill("campaign"))\(Layout.pill("\(count) plans"))</ul>
            <p class="sentence">\(json["proposed-by"]?.string ?? "") asks to fix the backlog of \
            \(json["playbook"]?.string ?? "") in \(json["scope"]?.string ?? "") as one list of \(count): \
            \(json["reason"]?.string ?? "")</p>
            <p class="soft small">Proposed \(layout.moments.html(json["proposed"]?.string)). \(words(json)) \
            <a href="/campaigns/\(id)">Read and decide</a></p></section>
            """
    }
}

/// A proposed campaign with its whole list.
struct CampaignPage: Sendable {
    let layout: Layout
    let json: JSON

    var html: String {
        let id = json["id"]?.string ?? ""
        let items = (json["items"]?.array ?? []).map { item -> HTML in
            let (finding, plan) = (item["finding"]?.string ?? "", item["plan"]?.string ?? "")
            return """
                <a href="/findings/\(finding)">\(finding)</a>, \
                plan <a href="/plans/\(plan)"><code>\(String(plan.prefix(12)))</code></a>
                """
        }
        let words = (json["words"]?.array ?? []).map { WordLine.html($0, layout.moments) }
        let said = words.isEmpty ? "<p class=\"soft\">Nobody has said anything yet.</p>" : Layout.list(words)
        return layout.page(
            "Campaign \(id)", .approvals,
            """
            <h1>Campaign \(id)</h1>
            <section class="card"><ul class="pills">\(Layout.pill(json["state"]?.string ?? ""))</ul>
            <p class="sentence">\(json["proposed-by"]?.string ?? "") asks to fix the backlog of \
            \(json["playbook"]?.string ?? "") in \(json["scope"]?.string ?? "") as one list: \
            \(json["reason"]?.string ?? "")</p>
            <p class="soft">It runs in waves of \(json["wave"]?.int ?? 1), within the budgets, and the first undo \
            stops it. \
            Somebody other than \(json["proposed-by"]?.string ?? "its proposer") must agree.</p></section>
            \(Layout.card("The list", Layout.list(items)))
            \(Layout.card("Who has decided", said))
            \(form(id))
            """)
    }

    private func form(_ id: String) -> HTML {
        guard json["state"] == "proposed" else { return .nothing }
        return """
            <section class="card"><h2>Your decision</h2>
            <form method="post" action="/campaigns/\(id)">\(layout.formToken)
            <label for="reason">Reason (needed to refuse)</label>
            <textarea id="reason" name="reason" maxlength="\(Wish.longest)"></textarea>
            <div class="buttons"><button class="good" name="word" value="approve">Approve the list</button>
            <button class="bad" name="word" value="refuse">Refuse</button></div></form></section>
            """
    }
}
