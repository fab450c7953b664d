package import HoldfastCore
package import HoldfastJSON

/// How the service does, from what the journal counts: the numbers that a person looks at first.
package struct StatusReport: Sendable {
    /// Changes that came in.
    package let events: Int64
    /// Reads of single resources that these led to.
    package let describes: Int64
    /// Evaluations of one rule on one resource that changes led to.
    package let evaluations: Int64
    /// Answers of clouds that it was too much, by what is counted together; the most first.
    package let throttles: [(what: String, amount: Int64)]
    /// Reads that showed what no event had told.
    package let unseenChanges: Int64
    /// Resources that wait to be read, and since when the oldest does.
    package let dirty: Int
    package let oldestDirty: Timestamp?
    package let notices: Int
    /// The newest event of any account.
    package let lastEvent: Timestamp?
    package let now: Timestamp
    /// The numbers are of the hours since then; `nil`: of all time.
    package let since: Timestamp?

    /// - Parameter since: only hours that begin then or later count; `nil`: all.
    package init(journal: any Journal, now: Timestamp, since: Timestamp? = nil) throws(JournalError) {
        func counters(_ name: String) throws(JournalError) -> [CounterDelta] {
            let first = since.map { CounterDelta.hour(of: $0) } ?? .min
            return try journal.counters(name: name).filter { $0.hour >= first }
        }
        func sum(_ counters: [CounterDelta]) -> Int64 { counters.reduce(0) { $0 + $1.amount } }
        events = sum(try counters(CounterDelta.events))
        describes = sum(try counters(CounterDelta.describes))
        evaluations = sum(
            try counters(CounterDelta.evaluations).filter { $0.label == EvaluationLane.events.rawValue })
        let byWhat = Dictionary(grouping: try counters(CounterDelta.throttles), by: \.label).mapValues(sum)
        throttles = byWhat.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        unseenChanges = sum(try journal.counters(name: CounterDelta.unseenChanges))
        let summary = try journal.dirtySummary()
        dirty = summary.count
        oldestDirty = summary.oldest
        notices = try journal.openNotices().count
        lastEvent = try journal.accounts().compactMap(\.lastEvent).max()
        self.now = now
        self.since = since
    }

    /// Reads for a thousand changes; `nil` where no change came in.
    package var describesPerThousandEvents: Double? {
        events == 0 ? nil : Double(describes) * 1000 / Double(events)
    }

    /// Evaluations for one change; `nil` where no change came in.
    package var evaluationsPerEvent: Double? { events == 0 ? nil : Double(evaluations) / Double(events) }

    /// In nanoseconds; zero where none waits.
    package var ageOfOldestDirty: Span {
        Span(nanoseconds: oldestDirty.map { max(0, now.since($0).nanoseconds) } ?? 0)
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// One number a line, for people.
    package var lines: [String] {
        let window = since.map { "since \($0)" } ?? "since the journal began"
        let rate = describesPerThousandEvents.map { StatusReport.tenths($0) } ?? "-"
        let total = throttles.reduce(0) { $0 + $1.amount }
        let worst = throttles.first.map { "; most often \($0.what): \($0.amount)" } ?? ""
        let age = oldestDirty == nil ? "" : "; the oldest for \(ageOfOldestDirty.nanoseconds / 1_000_000_000) s"
        return [
            "events: \(events) \(window); the newest of \(lastEvent?.description ?? "no time")",
            "evaluations: \(evaluations), \(evaluationsPerEvent.map(StatusReport.tenths) ?? "-") for each event",
            "describes: \(describes), \(rate) for 1,000 events",
            "throttles: \(total)\(worst)",
            "waiting to be read: \(dirty)\(age)",
            "changes that no event told: \(unseenChanges)",
            "open notices: \(notices)\(notices == 0 ? "" : " (`holdfast notices`)")",
        ]
    }

    /// The same for programs; times are RFC 3339, ages seconds.
    package var json: JSON {
        func number(_ value: Int64) -> JSON { .number(JSONNumber(Int(value))) }
        func time(_ time: Timestamp?) -> JSON { time.map { .string($0.description) } ?? .null }
        return [
            "since": time(since), "events": number(events), "last-event": time(lastEvent),
            "describes": number(describes),
            "describes-per-1000-events": describesPerThousandEvents.map {
                .number(JSONNumber(unchecked: StatusReport.tenths($0)))
            } ?? .null,
            "evaluations": number(evaluations),
            "evaluations-per-event": evaluationsPerEvent.map {
                .number(JSONNumber(unchecked: StatusReport.tenths($0)))
            } ?? .null,
            "throttles": .object(JSONObject(throttles.map { ($0.what, number($0.amount)) })),
            "dirty": number(Int64(dirty)), "oldest-dirty": time(oldestDirty),
            "oldest-dirty-seconds": number(ageOfOldestDirty.nanoseconds / 1_000_000_000),
            "unseen-changes": number(unseenChanges), "notices": number(Int64(notices)),
        ]
    }
}
