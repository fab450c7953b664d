internal import HoldfastCore
internal import HoldfastJSON

/// One row of a timeline: what somebody did, or what came to light, at one time.
struct TimelineRow {
    enum Kind: String {
        /// An event changed resources that the catalog knows.
        case change
        /// A write whose operation the catalog does not know, or knows to change nothing that is watched.
        case rawWrite = "raw-write"
        /// A read found something that no event tells.
        case unseenChange = "unseen-change"
        /// A finding opened or ended and nobody did anything: by the clock, or by the state at the start.
        case finding
        /// Somebody took on another identity.
        case session
        case read, failure
    }

    var kind: Kind
    var time: Timestamp
    var event: String
    var place: ResourceContext?
    var actor: Principal?
    /// From the actor back to the human or workload behind it, the nearest first.
    var chain: [String] = []
    var sourceIP = ""
    var via = ""
    var userAgent = ""
    var action = ""
    var resources: [ResourceRow] = []
    var findings: [FindingRow] = []
    var plans: [PlanRow] = []
    var notes: [String] = []
    /// Reported by an event or observed by a read.
    var evidence: EvidenceSource?
    /// Of rows that stand for several: how many, and when the last was.
    var count = 1
    var last: Timestamp?
    /// Among changes of one time: 0 creates, 1 changes, 2 deletes.
    var order = 1
    /// Of a failure: the cloud's error code.
    var failure = ""

    struct ResourceRow {
        var resource: ResourceID
        var effect: String
        var diff: StateDiff?
        /// Ways in that were not there before.
        var opened: [Exposure.Way] = []
        /// Whether it can be reached by anyone afterwards.
        var isPublic = false
    }

    struct FindingRow {
        var finding: Finding
        var change: FindingChange
    }

    /// The plan that would have been made for a finding.
    struct PlanRow {
        var finding: String
        /// As ``PlanOutcome/json``.
        var body: JSON
        /// How each guard would have decided, first to last; empty where there is no plan to decide on.
        var guards: [GuardAnswer] = []
    }

    /// Everybody that the row names as acting.
    var actors: [String] { (actor.map { [$0.name] } ?? []) + chain }
    /// Who is behind it: the human or the workload at the end of the chain. What a service opened a session for (an
    /// instance, a function) is named by the session.
    var origin: String {
        let names = actors
        guard let last = names.last else { return "" }
        guard names.count > 1, Principal.isService(last) else { return last }
        let session = names[names.count - 2].split(separator: "/").last.map(String.init) ?? ""
        return session.isEmpty ? last : "\(session) through \(last)"
    }
    var hasOpened: Bool { resources.contains { !$0.opened.isEmpty } }
}

extension TimelineRow {
    /// As `--format json` prints it. Members that would say nothing are left out.
    var json: JSON {
        var object = JSONObject([
            ("time", .string(time.description)), ("kind", .string(kind.rawValue)), ("event", .string(event)),
        ])
        if let place {
            object["cloud"] = .string(place.cloud.rawValue)
            object["account"] = .string(place.account)
            if !place.region.isEmpty { object["region"] = .string(place.region) }
        }
        if let actor {
            object["actor"] = .string(actor.name)
            if !actor.type.isEmpty { object["actor-type"] = .string(actor.type) }
            object["chain"] = .array(chain.map(JSON.string))
            object["origin"] = .string(origin)
        }
        for (name, text) in [
            ("source-ip", sourceIP), ("via", via), ("user-agent", userAgent), ("action", action), ("error", failure),
        ]
        where !text.isEmpty {
            object[name] = .string(text)
        }
        if let evidence { object["evidence"] = .string(evidence.rawValue) }
        if !resources.isEmpty { object["resources"] = .array(resources.map(\.json)) }
        if !findings.isEmpty { object["findings"] = .array(findings.map(\.json)) }
        if !plans.isEmpty { object["plans"] = .array(plans.map(\.json)) }
        if !notes.isEmpty { object["notes"] = .array(notes.map(JSON.string)) }
        if count > 1 { object["count"] = .number(JSONNumber(count)) }
        if let last, last != time { object["last"] = .string(last.description) }
        return .object(object)
    }
}

extension TimelineRow.ResourceRow {
    fileprivate var json: JSON {
        var object = JSONObject([
            ("type", .string(resource.type)), ("id", .string(resource.id)), ("effect", .string(effect)),
        ])
        if let diff { object["changes"] = diff.json }
        if !opened.isEmpty {
            object["opened"] = .array(opened.map { ["way": .string($0.text), "public": .bool($0.isPublic)] })
        }
        if isPublic { object["public"] = true }
        return .object(object)
    }
}

extension TimelineRow.FindingRow {
    fileprivate var json: JSON {
        [
            "id": .string(finding.id), "rule": .string(finding.rule), "change": .string(change.rawValue),
            "severity": .string(finding.severity.rawValue), "type": .string(finding.resource.type),
            "resource": .string(finding.resource.id), "origin": .string(finding.origin.rawValue),
            "evidence": .string(finding.evidence.rawValue), "environment": .string(finding.environment),
            "since": .string(finding.since.description), "reason": .string(finding.reason),
            "offending": .array(finding.offending.map(\.json)),
        ]
    }
}

extension TimelineRow.PlanRow {
    fileprivate var json: JSON {
        let plan = body["plan"]
        var object = JSONObject([
            ("finding", .string(finding)), ("outcome", body["outcome"] ?? .null),
            ("guards", .array(guards.map(\.json))),
        ])
        if let reason = body["reason"] { object["reason"] = reason }
        for name in ["playbook", "digest", "risk", "title", "undo"] {
            if let value = plan?[name] { object[name] = value }
        }
        if let steps = plan?["steps"]?.array {
            object["calls"] = .array(steps.compactMap { $0["do"]?["call"] ?? $0["call"]?["call"] ?? $0["call"] })
        }
        return .object(object)
    }
}

extension Principal {
    /// Whether a name is that of one of AWS's own services, which opens sessions for what runs in it.
    static func isService(_ name: String) -> Bool { name.hasSuffix(".amazonaws.com") }
}
