package import HoldfastCore
package import HoldfastJSON

/// A log that is asked for by windows of time and answers in pages: what is particular to one cloud's.
package protocol LogFeed: Sendable {
    /// The log's name in positions and dead letters: `012345670123/eu-west-1`.
    var partition: String { get }
    /// For people: `CloudTrail of 012345670123 in eu-west-1`.
    var title: String { get }
    /// The catalog's name of the call.
    var call: String { get }
    var scope: CallScope { get }
    var budget: BudgetKey { get }
    var limit: BudgetLimit { get }
    var rules: PollRules { get }
    /// - Parameter token: as a page of this window gave it.
    func parameters(_ window: PollWindow, token: String?) -> JSONObject
    /// - Throws: where the answer is none of this log's.
    func page(_ answer: JSON) throws(PageFault) -> LogPage
}

/// An answer that is none of the log's, as a phrase: `has no Events`.
package struct PageFault: Error, Sendable {
    package var reason: String
    package init(_ reason: String) { self.reason = reason }
}

/// A page of a log.
package struct LogPage: Sendable {
    package struct Event: Sendable {
        /// What the log itself says makes the event one.
        package var id: String
        /// By which the log is asked for; `nil` where the event says none.
        package var time: Timestamp?
        /// The event as the log gives it.
        package var json: JSON
    }
    package var events: [Event]
    /// Leads to the next page; `nil` on the last. A page without events may have one.
    package var token: String?
}

/// CloudTrail's LookupEvents: management events of one account and region, the newest first.
package struct LookupEventsFeed: LogFeed {
    package let rules: PollRules
    package let scope: CallScope

    /// 2 requests a second for each account and region, 50 events a page, 90 days (AWS CloudTrail API reference).
    /// Events may take 15 minutes to show.
    package init(account: String, region: String, overlap: Span, every: Span) {
        scope = CallScope(cloud: .aws, account: account, region: region)
        rules = PollRules(overlap: overlap, every: every, retention: Span(seconds: 90 * 86_400), pagesAWindow: 40)
    }

    package var partition: String { "\(scope.account)/\(scope.region)" }
    package var title: String { "CloudTrail of \(scope.account) in \(scope.region)" }
    package var call: String { "cloudtrail.LookupEvents" }
    package var budget: BudgetKey {
        BudgetKey(cloud: .aws, account: scope.account, region: scope.region, family: call)
    }
    /// One at once: two would be over the limit when the next two follow within the same second.
    package var limit: BudgetLimit { BudgetLimit(capacity: 1, perSecond: 2) }

    package func parameters(_ window: PollWindow, token: String?) -> JSONObject {
        var parameters = JSONObject([
            ("StartTime", .seconds(window.from)), ("EndTime", .seconds(window.to)), ("MaxResults", 50),
        ])
        if let token { parameters["NextToken"] = .string(token) }
        return parameters
    }

    package func page(_ answer: JSON) throws(PageFault) -> LogPage {
        guard let object = answer.object else { throw PageFault("is \(answer.kindName), not a map with Events") }
        let events = object["Events"]?.array ?? []
        return LogPage(
            events: events.map { row in
                LogPage.Event(
                    id: row["EventId"]?.filled ?? row.digest, time: row["EventTime"].flatMap { Timestamp(wire: $0) },
                    json: row)
            }, token: object["NextToken"]?.filled)
    }
}

/// The Activity Log of an Azure subscription by its REST API.
package struct ActivityLogFeed: LogFeed {
    package let rules: PollRules
    package let scope: CallScope

    /// Events show after 3 to 20 minutes and are kept for 90 days (Azure Monitor documentation); reads of the Resource
    /// Manager are 25 a second in the long run for each subscription.
    package init(subscription: String, overlap: Span, every: Span) {
        scope = CallScope(cloud: .azure, account: subscription)
        rules = PollRules(overlap: overlap, every: every, retention: Span(seconds: 90 * 86_400), pagesAWindow: 10)
    }

    package var partition: String { scope.account }
    package var title: String { "the Activity Log of subscription \(scope.account)" }
    package var call: String { "activityLogs.List" }
    package var budget: BudgetKey { BudgetKey(cloud: .azure, account: scope.account, family: call) }
    /// A tenth of what the subscription has, so that reads of resources are not starved.
    package var limit: BudgetLimit { BudgetLimit(capacity: 10, perSecond: 2.5) }

    /// The token is a link's query: Azure continues by its own link, of which only the parameters are taken, so that no
    /// answer can send us, and our token, to another host.
    package func parameters(_ window: PollWindow, token: String?) -> JSONObject {
        var parameters = JSONObject([
            ("subscriptionId", .string(scope.account)),
            ("$filter", .string("eventTimestamp ge '\(window.from)' and eventTimestamp le '\(window.to)'")),
        ])
        for (name, value) in URLQuery(token ?? "").items
        where !["api-version", "$filter"].contains(name.lowercased()) {
            parameters[name] = .string(value)
        }
        return parameters
    }

    package func page(_ answer: JSON) throws(PageFault) -> LogPage {
        guard let rows = answer["value"]?.array else { throw PageFault("has no list value") }
        let events = rows.map { row in
            LogPage.Event(
                id: row["eventDataId"]?.filled ?? row["id"]?.filled ?? row.digest,
                time: row["eventTimestamp"].flatMap { Timestamp(wire: $0) }, json: row)
        }
        return LogPage(events: events, token: answer["nextLink"]?.filled.map { URLQuery(link: $0).text })
    }
}

/// The audit logs of a Google Cloud project, folder or organisation.
///
/// Asked for by `receiveTimestamp`, when Logging took the entry in, and not by `timestamp`, when what it tells
/// happened: an entry that comes late is new by the first and old by the second, so a small overlap finds what any
/// overlap on the second may miss. `timestamp` is what Logging has an index for, so it is bounded too, a day further
/// back.
package struct LogEntriesFeed: LogFeed {
    package let rules: PollRules
    package let scope: CallScope

    /// 60 requests a minute (Cloud Logging's quotas). The logs of changes are kept for 400 days, and those of data
    /// access for 30 unless a bucket says otherwise.
    ///
    /// - Parameter resource: `projects/my-project`, `folders/123`, `organizations/123`: what is logged there itself,
    ///   not what is logged below.
    package init(resource: String, overlap: Span, every: Span) {
        let account = resource.hasPrefix("projects/") ? String(resource.dropFirst("projects/".count)) : resource
        scope = CallScope(cloud: .gcp, account: account)
        partition = resource
        rules = PollRules(overlap: overlap, every: every, retention: Span(seconds: 400 * 86_400), pagesAWindow: 10)
    }

    package let partition: String
    package var title: String { "the audit logs of \(partition)" }
    package var call: String { "logging.entries.list" }
    /// One for all: the quota is that of the project that asks, not of the one that is asked for.
    package var budget: BudgetKey { BudgetKey(cloud: .gcp, account: "", family: call) }
    package var limit: BudgetLimit { BudgetLimit(capacity: 5, perSecond: 1) }

    package func parameters(_ window: PollWindow, token: String?) -> JSONObject {
        let filter = [
            "logName:\"cloudaudit.googleapis.com\"", "receiveTimestamp>=\"\(window.from)\"",
            "receiveTimestamp<=\"\(window.to)\"", "timestamp>=\"\(window.from - Span(seconds: 86_400))\"",
        ]
        // Google: oldest first "may take a long time to fetch matching logs that are only recently ingested".
        var body = JSONObject([
            ("resourceNames", .array([.string(partition)])), ("filter", .string(filter.joined(separator: " AND "))),
            ("orderBy", "timestamp desc"), ("pageSize", 500),
        ])
        if let token { body["pageToken"] = .string(token) }
        return JSONObject([("body", .object(body))])
    }

    package func page(_ answer: JSON) throws(PageFault) -> LogPage {
        guard let object = answer.object else { throw PageFault("is \(answer.kindName), not a map with entries") }
        let events = (object["entries"]?.array ?? []).map { entry in
            let parts = ["logName", "timestamp", "insertId"].map { entry[$0]?.string ?? "" }
            return LogPage.Event(
                id: parts[2].isEmpty ? entry.digest : parts.joined(separator: "|"),
                time: (entry["receiveTimestamp"] ?? entry["timestamp"]).flatMap { Timestamp(wire: $0) }, json: entry)
        }
        return LogPage(events: events, token: object["nextPageToken"]?.filled)
    }
}
