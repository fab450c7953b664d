package import HoldfastCore
package import HoldfastJSON

/// What people ask of a journal. It has one answer, whether it is asked on the same machine or over HTTP.
package enum Query: Sendable, Hashable {
    case findings(FindingFilter)
    case finding(String)
    case resources(ResourceFilter)
    case resource(id: String, asOf: Timestamp?, history: Bool)
    /// What would be done about a finding.
    case plan(finding: String)
    case notices
    /// The newest first.
    case deadLetters
    /// One counter's rows.
    case counters(String)
    /// Of these kinds, or of all.
    case audit(kinds: [String])
    /// What waits for people.
    case approvals
    /// A plan by its digest or the beginning of it, with all that a person decides by.
    case planOf(digest: String)
    /// What the guards say of a finding, and what was done about it.
    case why(finding: String)
    /// The newest first.
    case runs
    case run(String)
    /// Halts in force.
    case halts
    /// Where each playbook stands in each environment.
    case rollout
    case campaigns
    /// The newest first.
    case drills
    case drill(String)
    /// What would have been done, by the decisions since then.
    case dryRun(since: Timestamp)
    /// The exemptions that end within this time.
    case exemptions(due: Span)
}

/// Which findings.
package struct FindingFilter: Sendable, Hashable {
    /// Open or stale only.
    package var open = false
    /// Empty: all.
    package var severities: [Severity] = []
    /// A part of the resource's id.
    package var resource: String?
    package var rule: String?
    package var environment: String?
    package init() {}

    func fits(_ finding: Finding) -> Bool {
        (severities.isEmpty || severities.contains(finding.severity))
            && (resource.map { finding.resource.id.contains($0) } ?? true)
            && (rule.map { finding.rule == $0 } ?? true)
            && (environment.map { finding.environment == $0 } ?? true)
    }
}

/// Which resources; those that are gone are left out.
package struct ResourceFilter: Sendable, Hashable {
    package var type: String?
    package var account: String?
    /// `NAME` or `NAME=VALUE`.
    package var label: String?
    /// `PATH=VALUE`.
    package var condition: PathCondition?
    package var asOf: Timestamp?
    package init() {}
}

/// A path of a resource with a value: `PubliclyAccessible=true`.
package struct PathCondition: Sendable, Hashable {
    package var path: PropertyPath
    package var value: String

    /// `nil` where the text is not `PATH=VALUE`.
    package init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), let path = PropertyPath(text[..<equals]) else { return nil }
        self.path = path
        value = String(text[text.index(after: equals)...])
    }
    package var description: String { "\(path)=\(value)" }

    func holds(in document: StateValue) -> Bool {
        guard case .scalar(let json) = document[path] else { return false }
        return json.scalarText == value
    }
}

/// A part of a list.
package struct Page: Sendable, Hashable {
    /// The `next` of the page before; empty for the first.
    package var after = ""
    package var limit = usual
    package static let usual = 500
    package static let most = 1000

    package init(after: String = "", limit: Int = usual) {
        self.after = after
        self.limit = limit
    }
}

/// What a query gives.
package enum Answer: Sendable, Hashable {
    case one(JSON)
    /// `next` is where the rest begins; `nil` where this was the last of it.
    case list([JSON], next: String?)

    /// As HTTP carries it: a list as `{"items": [...], "next": "..."}`.
    package var json: JSON {
        switch self {
        case .one(let json): json
        case .list(let items, let next):
            ["items": .array(items), "next": next.map { .string($0) } ?? .null]
        }
    }

    /// Reads ``json``.
    package init(json: JSON) {
        if let items = json["items"]?.array, let next = json["next"] {
            self = .list(items, next: next.string)
        } else {
            self = .one(json)
        }
    }
}

/// Why a query has no answer.
package struct QueryError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// There is no such thing.
        case unknown
        /// The question cannot be meant.
        case malformed
        /// The journal cannot be read.
        case failed
    }
    package var code: Code
    package var message: String
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    package var description: String { message }
}
