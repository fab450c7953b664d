/// Where what happened is told, and when.
package struct Route: Sendable, Hashable {
    package enum When: String, Sendable, Hashable, CaseIterable {
        case now, digest, never
    }

    /// What it is for. What is empty fits everything.
    package struct Match: Sendable, Hashable {
        package var severities: [Severity] = []
        package var environments: [String] = []
        /// Patterns.
        package var owners: [String] = []
        package var origins: [Finding.Origin] = []
        /// Patterns of rules' ids.
        package var rules: [String] = []
        /// Codes of notices, `own-eyes` or `all`: a route with these is for notices, one without for findings.
        package var notices: [String] = []
        package init() {}

        static let ownEyes = "own-eyes"
        static let all = "all"
    }

    package var match: Match
    package var channels: [String]
    package var when: When

    package init(match: Match, channels: [String], when: When) {
        self.match = match
        self.channels = channels
        self.when = when
    }

    func fits(_ finding: Finding, owner: String) -> Bool {
        func isOne(_ text: String, of patterns: [String]) -> Bool {
            patterns.isEmpty || patterns.contains { TextPattern($0).matches(text) }
        }
        return match.notices.isEmpty && (match.severities.isEmpty || match.severities.contains(finding.severity))
            && (match.environments.isEmpty || match.environments.contains(finding.environment))
            && (match.origins.isEmpty || match.origins.contains(finding.origin))
            && isOne(owner, of: match.owners) && isOne(finding.rule, of: match.rules)
    }

    func fits(notice code: String, isOwnEyes: Bool) -> Bool {
        match.notices.contains { $0 == Match.all || $0 == code || ($0 == Match.ownEyes && isOwnEyes) }
    }
}

/// How much a channel takes.
package struct ChannelPace: Sendable, Hashable {
    /// Messages in any hour, digests among them.
    package var perHour = 20
    /// For so long after the last of them findings of one rule and cause are gathered into one message.
    package var gather = Span(seconds: 10)
    /// What need not be told at once is told together, so long after the first of it.
    package var digestEvery = Span(seconds: 86_400)
    package init() {}

    /// A cause that goes on and on is told of after so many times ``gather`` at the latest.
    static let longestGather: Int64 = 12
}

/// Everything by which is decided what is told where.
package struct RouteSettings: Sendable, Hashable {
    /// The first that fits counts; what fits none is told nowhere.
    package var routes: [Route] = []
    package var channels: [String: ChannelPace] = [:]
    package init() {}
}

/// Something that people may have to be told of.
package enum News: Sendable {
    /// A finding that was opened. `title` is the rule's.
    case finding(Finding, title: String, owner: String)
    /// A notice that was raised. `isOwnEyes`: what is wrong keeps this service from seeing.
    case notice(code: String, subject: String, text: String, isOwnEyes: Bool)
}
