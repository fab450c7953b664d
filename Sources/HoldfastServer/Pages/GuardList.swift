internal import HoldfastCore
internal import HoldfastJSON

/// The twelve guards as ticks and crosses.
enum GuardList {
    static func card(_ decision: Decision, _ moments: Moments) -> HTML {
        let items = decision.answers.map(item)
        let way = decision.wayOn.map {
            "<p>The first thing that would let it go on: <strong>\($0)</strong></p>" as HTML
        }
        return Layout.card(
            "What the guards say",
            """
            <ul class="guards">\(items)</ul>\(way ?? "<p>All of them let it pass.</p>")
            <p class="soft small">Decided \(moments.html(decision.at))</p>
            """)
    }

    private static func item(_ answer: GuardAnswer) -> HTML {
        let (mark, kind, word): (String, HTML, String) =
            switch answer.word {
            case .pass: ("✓", "good", "passes")
            case .refuse: ("✗", "bad", "refuses")
            case .wait: ("…", "warn", "waits")
            }
        return """
            <li><span class="mark \(kind)" aria-label="\(word)">\(mark)</span>\
            <span><strong>\(answer.name.rawValue)</strong> \(answer.reason)</span></li>
            """
    }
}

/// One person's word, as a line.
enum WordLine {
    static func html(_ json: JSON, _ moments: Moments) -> HTML {
        let said = ["approve": "approved", "refuse": "refused", "hold": "put it on hold"]
        let word = json["word"]?.string ?? ""
        let reason = json["reason"]?.string ?? ""
        let until: HTML = word == "hold" ? " until \(moments.html(json["expires"]?.string))" : .nothing
        return """
            <strong>\(json["person"]?.string ?? "")</strong> \(said[word] ?? word)\(until), \
            \(moments.html(json["at"]?.string))\(reason.isEmpty ? "" : ": \(reason)")
            """
    }
}
