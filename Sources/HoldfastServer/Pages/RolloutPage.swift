internal import HoldfastCore
internal import HoldfastJSON

/// Where each playbook stands on its way through the environments.
enum RolloutPage {
    static func html(_ rows: [JSON], layout: Layout) -> String {
        let begun = rows.filter(isUnderWay)
        let others = rows.filter { !isUnderWay($0) }
        let rest: HTML =
            others.isEmpty
            ? .nothing
            : """
            <section class="card"><details\(begun.isEmpty ? " open" as HTML : "")>
            <summary>\(others.count) playbooks that have not run yet</summary>
            \(others.map { brief($0) })</details></section>
            """
        return layout.page(
            "Rollout", .rollout,
            """
            <h1>Rollout</h1>
            <p class="soft">An environment opens to a playbook when enough of its runs in the one before were \
            verified and none was undone for a while, or when two people open it: \
            <code>holdfast rollout open PLAYBOOK ENVIRONMENT</code>.</p>
            \(begun.map { card($0, layout.moments) })
            \(rest)
            """)
    }

    /// Whether anything of it was carried out, or opened by hand.
    private static func isUnderWay(_ row: JSON) -> Bool {
        (row["environments"]?.array ?? []).contains { place in
            place["verified"]?.int != 0 || place["last-undone"]?.string != nil
                || place["opened-by"]?.array?.isEmpty == false
        }
    }

    private static func card(_ row: JSON, _ moments: Moments) -> HTML {
        """
        <section class="card"><h2>\(row["playbook"]?.string ?? "")</h2>
        <p class="soft small">\(row["title"]?.string ?? ""). \(row["risk"]?.string ?? "") risk, digest \
        <code>\(String((row["digest"]?.string ?? "").prefix(12)))</code></p>
        <ul class="guards">\((row["environments"]?.array ?? []).map { place($0, moments) })</ul></section>
        """
    }

    /// A line for a playbook that has not run.
    private static func brief(_ row: JSON) -> HTML {
        let places = (row["environments"]?.array ?? []).map { place -> String in
            "\(place["open"] == true ? "✓" : "✗") \(place["environment"]?.string ?? "")"
        }
        return """
            <p>\(row["playbook"]?.string ?? "") <span class="soft small">\(row["risk"]?.string ?? "") risk: \
            \(places.joined(separator: " "))</span></p>
            """
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
