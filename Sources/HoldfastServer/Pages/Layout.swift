internal import HoldfastCore

/// What all pages have in common.
struct Layout: Sendable {
    enum Place: String, Sendable, CaseIterable {
        case approvals, findings, exemptions, rollout, runs
        var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
    }

    var moments: Moments
    /// `nil` where nobody is signed in.
    var session: Sessions.Session?
    var halts: [Halt] = []

    /// The field by which a form shows that it comes from a page of this session.
    var formToken: HTML {
        session.map { "<input type=\"hidden\" name=\"form\" value=\"\($0.formToken)\">" } ?? .nothing
    }

    func page(_ title: String, _ place: Place?, _ body: HTML) -> String {
        let html: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <title>\(title) · Holdfast</title>
            <link rel="stylesheet" href="/\(Style.path)">
            </head>
            <body>
            <a class="skip" href="#main">To the content</a>
            \(header(place))
            <main id="main">
            \(banner)
            \(body)
            </main>
            </body>
            </html>

            """
        return html.source
    }

    private func header(_ place: Place?) -> HTML {
        guard let session else { return "<header><div><strong>Holdfast</strong></div></header>" }
        let links = Place.allCases.map { other -> HTML in
            let current: HTML = other == place ? " aria-current=\"page\"" : ""
            return "<a href=\"/\(other.rawValue)\"\(current)>\(other.title)</a>"
        }
        return """
            <header><div>
            <strong>Holdfast</strong>
            <nav aria-label="Pages">\(links)</nav>
            <form method="post" action="/sign-out">\(formToken)<span>\(session.person.name)</span>
            <button class="plain">Sign out</button></form>
            </div></header>
            """
    }

    private var banner: HTML {
        guard !halts.isEmpty else { return .nothing }
        let lines = halts.map { halt -> HTML in
            """
            <p>Halted: <strong>\(halt.part.description)</strong>, by \(halt.by), \(moments.html(halt.at)): \
            \(halt.reason)</p>
            """
        }
        return "<div class=\"banner bad\" role=\"status\">\(lines)</div>"
    }

    // MARK: Parts

    static func pill(_ text: String, _ kind: String = "") -> HTML { "<li class=\"pill \(kind)\">\(text)</li>" }

    static func severity(_ severity: Severity) -> HTML {
        pill(severity.rawValue, severity >= .high ? "bad" : severity == .medium ? "warn" : "")
    }

    static func card(_ title: String, _ body: HTML) -> HTML {
        "<section class=\"card\"><h2>\(title)</h2>\(body)</section>"
    }

    static func list(_ items: [HTML]) -> HTML { "<ul>\(items.map { "<li>\($0)</li>" as HTML })</ul>" }

    /// A refusal, as a page.
    static func refusal(_ refusal: Refusal) -> String {
        let layout = Layout(moments: Moments(now: .distantPast))
        let title = refusal.status == 401 ? "Sign in first" : refusal.status == 404 ? "Not here" : "Not done"
        let wait: HTML = refusal.retryAfter.map { "<p>Try again in \($0) seconds.</p>" } ?? .nothing
        return layout.page(
            title, nil,
            """
            <h1>\(title)</h1>
            <div class="banner bad" role="alert"><p>\(refusal.message)</p></div>
            \(wait)
            <p><a class="button" href="/approvals">To the approvals</a></p>
            """)
    }
}
