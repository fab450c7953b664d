internal import HoldfastCore
package import HoldfastJSON

/// Where a replay differs from what the service recorded live, and why.
package struct ReplayComparison {
    private let replay: Replay
    private let journal: any Journal
    private let versions: [(name: String, value: String)]
    /// An event that reached the service later than this was late.
    private static let late = Span(seconds: 900)

    /// - Parameters:
    ///   - replay: one that has run.
    ///   - journal: the service's.
    ///   - versions: digests that the replay was made with: `catalog`, `baseline`.
    package init(_ replay: Replay, journal: any Journal, versions: [(name: String, value: String)]) {
        self.replay = replay
        self.journal = journal
        self.versions = versions
    }

    /// Why the two differ. The texts are part of the product.
    private enum Reason {
        case lateEvent(String, Span)
        case missingInService(String)
        case missingInReplay(String)
        case read
        case otherData([String])
        case unknown

        var json: JSON {
            switch self {
            case .lateEvent(let event, let late):
                [
                    "why": "late event",
                    "detail": .string(
                        "the service got \(event) \(late.nanoseconds / 1_000_000_000) s after it happened"),
                ]
            case .missingInService(let event):
                ["why": "missing evidence", "detail": .string("the service never got the event \(event)")]
            case .missingInReplay(let event):
                ["why": "missing evidence", "detail": .string("the replay's source has no event \(event)")]
            case .read:
                [
                    "why": "missing evidence",
                    "detail": "the service read the resource from the cloud, and a replay reads nothing",
                ]
            case .otherData(let names):
                [
                    "why": "other baseline",
                    "detail": .string("the service ran with another \(names.joined(separator: " and "))"),
                ]
            case .unknown: ["why": "not explained", "detail": "evidence and data files are the same on both sides"]
            }
        }
    }

    /// As `--format json` prints it under `comparison`.
    package func json() throws(JournalError) -> JSON {
        var ids = Set(replay.outcome.findings.keys)
        let states = Finding.State.allCases.map(\.rawValue)
        for stored in try journal.findings(states: states) {
            if try journal.findingChanges(of: stored.id).contains(where: { isInWindow($0.happened) }) {
                ids.insert(stored.id)
            }
        }
        let others = try otherData()
        var differences: [JSON] = []
        var same = 0
        for id in ids.sorted() {
            if let difference = try difference(id, others) { differences.append(difference) } else { same += 1 }
        }
        return ["same": .number(JSONNumber(same)), "differences": .array(differences)]
    }

    private func isInWindow(_ time: Timestamp) -> Bool { replay.window.contains(time) }

    private func difference(_ id: String, _ others: [String]) throws(JournalError) -> JSON? {
        let rows = try journal.findingChanges(of: id).filter { isInWindow($0.happened) }
        let live = rows.filter { ["opened", "reopened"].contains($0.change) }.map { ($0.happened, $0.cause, $0.known) }
        let story = replay.outcome.findings[id]
        let replayed = (story?.openings ?? []).filter { !$0.isEarlier }
        if live.map({ $0.0 }) == replayed.map(\.from) { return nil }
        var known = story?.finding
        if known == nil, let body = try journal.finding(id: id)?.body { known = Finding(json: body) }
        guard let finding = known else { return nil }
        let reason: Reason
        if live.count < replayed.count,
            let opening = replayed.first(where: { one in !live.contains { $0.0 == one.from } })
        {
            reason = try missing(opening.event, of: finding.resource, live: nil, others)
        } else if let opened = live.first(where: { one in !replayed.contains { $0.from == one.0 } }) {
            reason = try missing(opened.1, of: finding.resource, live: opened.2.since(opened.0), others)
        } else {
            reason = others.isEmpty ? .unknown : .otherData(others)
        }
        var object = JSONObject([
            ("id", .string(id)), ("rule", .string(finding.rule)), ("resource", .string(finding.resource.id)),
            ("live", .array(live.map { .string($0.0.description) })),
            ("replayed", .array(replayed.map { .string($0.from.description) })),
        ])
        for member in reason.json.object?.members ?? [] { object[member.name] = member.value }
        return .object(object)
    }

    /// - Parameters:
    ///   - event: behind the opening that one side alone has.
    ///   - live: where the service has it, how long after it happened.
    private func missing(
        _ event: String, of resource: ResourceID, live: Span?, _ others: [String]
    ) throws(JournalError) -> Reason {
        let known = try journal.history(of: resource, upTo: .distantFuture).first { $0.eventID == event }
        if live == nil {
            guard let known else { return event.isEmpty ? .read : .missingInService(event) }
            let delay = known.known.since(known.happened)
            if delay.nanoseconds > Self.late.nanoseconds { return .lateEvent(event, delay) }
        } else {
            if event.isEmpty || event == "baseline" { return .read }
            if !replay.knows(event) { return .missingInReplay(event) }
            if let known, known.known.since(known.happened).nanoseconds > Self.late.nanoseconds {
                return .lateEvent(event, known.known.since(known.happened))
            }
        }
        return others.isEmpty ? .unknown : .otherData(others)
    }

    /// What the service last loaded, where it is other than what the replay was made with.
    private func otherData() throws(JournalError) -> [String] {
        var loaded: JSON?
        var last: Int64 = 0
        while true {
            let page = try journal.auditEntries(after: last, limit: 500)
            guard let end = page.last else { break }
            loaded = page.last { $0.entry.kind == "data-loaded" }?.entry.body ?? loaded
            last = end.sequence
        }
        return versions.filter { name, value in
            loaded?[name]?.string.map { $0 != value } ?? false
        }.map(\.name).filter { $0 != "program" }
    }
}
