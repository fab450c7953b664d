internal import HoldfastCore
internal import HoldfastJSON

/// Where each playbook stands on its way through the environments.
enum RolloutPage {
    static func html(_ rows: [JSON], layout: Layout) -> String {
        let cards = rows.map { row -> HTML in
            let places = (row["environments"]?.array ?? []).map { place($0, layout.moments) }
            return """
                <section class="card"><h2>\(row["playbook"]?.string ?? "")</h2>
                <p class="soft small">\(row["title"]?.string ?? ""). \(row["risk"]?.string ?? "") risk, digest \
                <code>\(String((row["digest"]?.string ?? "").prefix(12)))</code></p>
                <ul class="guards">\(places)</ul></section>
                """
        }
        return layout.page(
            "Rollout", .rollout,
            """
            <h1>Rollout</h1>
            <p class="soft">An environment opens to a playbook when enough of its runs in the one before were \
            verified and none was undone for a while, or when two people open it: \
            <code>holdfast rollout open PLAYBOOK ENVIRONMENT</code>.</p>
            \(cards)
            """)
    }

    private static func place(_ json: JSON, _ moments: Moments) -> HTML {
        let isOpen = json["open"] == true
        let mark: HTML =
            isOpen
            ? "<span class=\"mark good\" aria-label=\"open\">✓</span>"
            : "<span class=\"mark bad\" aria-label=\"closed\">✗</span>"
        let people = json["opened-by"]?.array?.compactMap(\.string) ?? []
        let by = people.isEmpty ? "" : ", opened by \(people.joined(separator: " and "))"
        let verified = json["verified"]?.int ?? 0
        let undone: HTML = json["last-undone"]?.string.map { "; last undone \(moments.html($0))" } ?? .nothing
        let lacks = json["lacks"]?.string.map { "lacks \($0)" } ?? "open"
        return """
            <li>\(mark)<span><strong>\(json["environment"]?.string ?? "")</strong> \(lacks)\(by). \
            \(verified) verified here\(undone).</span></li>
            """
    }
}
