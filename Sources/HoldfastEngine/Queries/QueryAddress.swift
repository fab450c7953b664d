internal import HoldfastCore

/// Where a query is asked over HTTP, below `/api/v1/`: both ways.
extension Query {
    /// Names and values as they are, not percent-encoded.
    package typealias Parameters = [(name: String, value: String)]

    /// `findings/f-1/plan`, with the parameters that are set.
    package var address: (path: [String], parameters: Parameters) {
        switch self {
        case .findings(let filter): (["findings"], filter.parameters)
        case .finding(let id): (["findings", id], [])
        case .plan(let finding): (["findings", finding, "plan"], [])
        case .resources(let filter): (["resources"], filter.parameters)
        case .resource(let id, let asOf, let history):
            (
                ["resource"],
                [("id", id)] + (asOf.map { [("as-of", $0.description)] } ?? []) + (history ? [("history", "true")] : [])
            )
        case .notices: (["notices"], [])
        case .deadLetters: (["dead-letters"], [])
        case .counters(let name): (["counters"], [("name", name)])
        case .audit(let kinds): (["audit"], kinds.map { ("kind", $0) })
        case .approvals: (["approvals"], [])
        case .planOf(let digest): (["plans", digest], [])
        case .why(let finding): (["findings", finding, "why"], [])
        case .runs: (["runs"], [])
        case .run(let id): (["runs", id], [])
        case .halts: (["halts"], [])
        case .rollout: (["rollout"], [])
        case .campaigns: (["campaigns"], [])
        case .drills: (["drills"], [])
        case .drill(let id): (["drills", id], [])
        case .dryRun(let since): (["reports", "dry-run"], [("since", since.description)])
        case .exemptions(let due): (["reports", "exemptions"], [("due", due.phrase)])
        }
    }

    /// Whether its answer is a list that comes in parts.
    package var isPaged: Bool {
        switch self {
        case .findings, .resources, .deadLetters, .audit, .runs, .drills: true
        case .finding, .plan, .resource, .notices, .counters, .approvals, .planOf, .why, .run, .halts, .rollout,
            .campaigns, .drill, .dryRun, .exemptions:
            false
        }
    }

    /// - Returns: `nil` where no query has this path.
    package static func read(
        path: [String], parameters: Parameters
    ) throws(QueryError) -> (query: Query, page: Page)? {
        var values = ParameterReader(parameters)
        let query: Query
        let word = path.count == 3 ? path[2] : ""
        switch (path.first, path.count) {
        case ("findings", 1): query = .findings(try FindingFilter(&values))
        case ("findings", 2): query = .finding(path[1])
        case ("findings", 3) where word == "plan": query = .plan(finding: path[1])
        case ("findings", 3) where word == "why": query = .why(finding: path[1])
        case ("resources", 1): query = .resources(try ResourceFilter(&values))
        case ("resource", 1):
            query = .resource(
                id: try values.required("id"), asOf: try values.moment("as-of"), history: try values.flag("history"))
        case ("notices", 1): query = .notices
        case ("dead-letters", 1): query = .deadLetters
        case ("counters", 1): query = .counters(try values.required("name"))
        case ("audit", 1): query = .audit(kinds: values.all("kind"))
        case ("approvals", 1): query = .approvals
        case ("plans", 2): query = .planOf(digest: path[1])
        case ("runs", 1): query = .runs
        case ("runs", 2): query = .run(path[1])
        case ("halts", 1): query = .halts
        case ("rollout", 1): query = .rollout
        case ("campaigns", 1): query = .campaigns
        case ("drills", 1): query = .drills
        case ("drills", 2): query = .drill(path[1])
        case ("reports", 2) where path[1] == "dry-run":
            query = .dryRun(since: try values.moment("since") ?? .distantPast)
        case ("reports", 2) where path[1] == "exemptions": query = .exemptions(due: try values.span("due"))
        default: return nil
        }
        let page = Page(after: values.first("after") ?? "", limit: try values.limit())
        try values.finish()
        return (query, page)
    }
}

extension Page {
    package var parameters: Query.Parameters {
        (after.isEmpty ? [] : [("after", after)]) + [("limit", String(limit))]
    }
}

extension FindingFilter {
    fileprivate var parameters: Query.Parameters {
        (open ? [("open", "true")] : []) + severities.map { ("severity", $0.rawValue) }
            + [("resource", resource), ("rule", rule), ("environment", environment)].compactMap { name, value in
                value.map { (name, $0) }
            }
    }

    fileprivate init(_ values: inout ParameterReader) throws(QueryError) {
        open = try values.flag("open")
        for text in values.all("severity") {
            guard let severity = Severity(rawValue: text) else {
                let known = Severity.allCases.map(\.rawValue)
                throw QueryError(.malformed, "unknown severity \"\(text)\"\(suggestion(for: text, among: known))")
            }
            severities.append(severity)
        }
        resource = values.first("resource")
        rule = values.first("rule")
        environment = values.first("environment")
    }
}

extension ResourceFilter {
    fileprivate var parameters: Query.Parameters {
        [
            ("type", type), ("account", account), ("label", label), ("where", condition?.description),
            ("as-of", asOf?.description),
        ].compactMap { name, value in value.map { (name, $0) } }
    }

    fileprivate init(_ values: inout ParameterReader) throws(QueryError) {
        type = values.first("type")
        account = values.first("account")
        label = values.first("label")
        if let text = values.first("where") {
            condition = PathCondition(text)
            if condition == nil { throw QueryError(.malformed, "where: \"\(text)\" is not PATH=VALUE") }
        }
        asOf = try values.moment("as-of")
    }
}

/// Takes parameters one by one; what nobody took is an error in the end.
private struct ParameterReader {
    private var left: Query.Parameters
    private var known: [String] = []

    init(_ parameters: Query.Parameters) { left = parameters }

    mutating func all(_ name: String) -> [String] {
        known.append(name)
        let found = left.filter { $0.name == name }.map(\.value)
        left.removeAll { $0.name == name }
        return found
    }

    mutating func first(_ name: String) -> String? { all(name).first }

    mutating func required(_ name: String) throws(QueryError) -> String {
        guard let value = first(name), !value.isEmpty else {
            throw QueryError(.malformed, "the parameter \(name) is missing")
        }
        return value
    }

    mutating func flag(_ name: String) throws(QueryError) -> Bool {
        switch first(name) {
        case nil, "false": return false
        case "true": return true
        case let text?: throw QueryError(.malformed, "\(name): \"\(text)\" is neither true nor false")
        }
    }

    mutating func moment(_ name: String) throws(QueryError) -> Timestamp? {
        guard let text = first(name) else { return nil }
        guard let moment = Timestamp(text) else {
            throw QueryError(.malformed, "\(name): \"\(text)\" is no moment, such as 2026-11-22T08:00:00Z")
        }
        return moment
    }

    mutating func span(_ name: String) throws(QueryError) -> Span {
        let text = try required(name)
        guard let span = Span(text) else {
            throw QueryError(.malformed, "\(name): \"\(text)\" is no length of time, such as 90d")
        }
        return span
    }

    mutating func limit() throws(QueryError) -> Int {
        guard let text = first("limit") else { return Page.usual }
        guard let limit = Int(text), (1...Page.most).contains(limit) else {
            throw QueryError(.malformed, "limit: \"\(text)\" is no number from 1 to \(Page.most)")
        }
        return limit
    }

    func finish() throws(QueryError) {
        guard let other = left.first else { return }
        throw QueryError(
            .malformed, "unknown parameter \"\(other.name)\"\(suggestion(for: other.name, among: known))")
    }
}
