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
        // In the order of their names, which spares sorting them.
        var members: [(String, JSON)] = []
        func add(_ name: String, _ value: JSON?) { if let value { members.append((name, value)) } }
        func add(_ name: String, text: String?) { if let text, !text.isEmpty { add(name, .string(text)) } }
        func add(_ name: String, list: [JSON]) { if !list.isEmpty { add(name, .array(list)) } }
        add("account", (place?.account).map(JSON.string))
        add("action", text: action)
        add("actor", (actor?.name).map(JSON.string))
        add("actor-type", text: actor?.type)
        if actor != nil { add("chain", .array(chain.map(JSON.string))) }
        add("cloud", (place?.cloud.rawValue).map(JSON.string))
        if count > 1 { add("count", .number(JSONNumber(count))) }
        add("error", text: failure)
        add("event", .string(event))
        add("evidence", (evidence?.rawValue).map(JSON.string))
        add("findings", list: findings.map(\.json))
        add("kind", .string(kind.rawValue))
        if let last, last != time { add("last", .string(last.description)) }
        add("notes", list: notes.map(JSON.string))
        if actor != nil { add("origin", .string(origin)) }
        add("plans", list: plans.map(\.json))
        add("region", text: place?.region)
        add("resources", list: resources.map(\.json))
        add("source-ip", text: sourceIP)
        add("time", .string(time.description))
        add("user-agent", text: userAgent)
        add("via", text: via)
        return .object(JSONObject(members))
    }
}

extension TimelineRow.ResourceRow {
    fileprivate var json: JSON {
        var object = JSONObject([
            ("effect", .string(effect)), ("id", .string(resource.id)), ("type", .string(resource.type)),
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
            "change": .string(change.rawValue), "environment": .string(finding.environment),
            "evidence": .string(finding.evidence.rawValue), "id": .string(finding.id),
            "offending": .array(finding.offending.map(\.json)), "origin": .string(finding.origin.rawValue),
            "reason": .string(finding.reason), "resource": .string(finding.resource.id),
            "rule": .string(finding.rule), "severity": .string(finding.severity.rawValue),
            "since": .string(finding.since.description), "type": .string(finding.resource.type),
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
