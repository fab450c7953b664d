internal import HoldfastCore
internal import HoldfastJSON

/// What is exempt and until when, and what is proposed.
enum ExemptionsPage {
    static func html(_ rows: [JSON], layout: Layout) -> String {
        let proposed = rows.filter { $0["state"] == "proposed" }
        let others = rows.filter { $0["state"] != "proposed" }
        let none: HTML = rows.isEmpty ? "<p>Nothing is exempt.</p>" : .nothing
        return layout.page(
            "Exemptions", .exemptions,
            """
            <h1>Exemptions</h1>
            <p class="soft">What somebody has accepted for a time. They are proposed by <code>holdfast exempt</code> \
            and agreed to by another person: <code>holdfast exempt --approve ID</code>.</p>
            \(none)
            \(proposed.map { card($0, "Proposed", layout.moments) })
            \(others.map { card($0, "In force", layout.moments) })
            """)
    }

    private static func card(_ row: JSON, _ title: String, _ moments: Moments) -> HTML {
        func text(_ name: String) -> String { row[name]?.string ?? "" }
        let count = row["silences"]?.array?.count ?? 0
        let place = text("id").isEmpty ? text("file") : text("id")
        let approver: HTML = text("approver").isEmpty ? "nobody has agreed yet" : "agreed to by \(text("approver"))"
        let resources = (row["resources"]?.array ?? []).compactMap(\.string).map { name -> HTML in
            "<code>\(name)</code>"
        }
        return """
            <section class="card"><h2>\(text("rule"))</h2>
            <p class="soft small">\(title), <code>\(place)</code></p>
            \(Layout.list(resources))
            <p>\(text("kind")): \(text("reason"))</p>
            <p>Owned by \(text("owner")), \(approver). Silences \(count) finding\(count == 1 ? "" : "s"); ends \
            \(moments.html(text("end"))).</p></section>
            """
    }
}
