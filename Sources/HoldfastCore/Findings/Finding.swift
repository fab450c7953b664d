internal import HoldfastCrypto
package import HoldfastJSON

/// A rule that a resource does not meet, from when it was first known to when it ended.
package struct Finding: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        case open
        /// Was drift, and now nobody knows: never closed by not knowing.
        case stale
        /// Drift that an exemption covers.
        case suppressed
        case resolved
        /// The resource is gone.
        case deleted
    }

    /// Whether somebody made it so under our eyes, or it was so before.
    package enum Origin: String, Sendable {
        /// Made by an event, of a state seen good before; a resource that the event created was good before.
        case drift
        /// Anything else: first scan, changed rules, a state first seen bad.
        case backlog
    }

    /// What caused it: an event with its actor, or `baseline`.
    package struct Cause: Sendable, Hashable {
        /// `baseline` for a first scan, a changed data file or a read that no event explains.
        package var event: String
        package var actor: String
        package var action: String
        /// From the actor back through the sessions that it was opened by, nearest first.
        package var chain: [String]
        package var time: Timestamp

        package init(event: String, actor: String, action: String, chain: [String], time: Timestamp) {
            self.event = event
            self.actor = actor
            self.action = action
            self.chain = chain
            self.time = time
        }
        package var isBaseline: Bool { event == "baseline" }
    }

    package var rule: String
    package var resource: ResourceID
    package var context: ResourceContext
    package var incarnation: String
    package var state: State
    package var severity: Severity
    /// Which file gave the severity, and why.
    package var severityReason: String
    package var origin: Origin
    package var since: Timestamp
    package var cause: Cause
    package var offending: [Offending]
    /// Why it is stale or suppressed, or empty.
    package var reason: String
    /// What the verdict rests on.
    package var evidence: EvidenceSource
    package var environment: String

    package init(
        rule: String, resource: ResourceID, context: ResourceContext, incarnation: String, state: State,
        severity: Severity, severityReason: String, origin: Origin, since: Timestamp, cause: Cause,
        offending: [Offending], reason: String, evidence: EvidenceSource, environment: String
    ) {
        self.rule = rule
        self.resource = resource
        self.context = context
        self.incarnation = incarnation
        self.state = state
        self.severity = severity
        self.severityReason = severityReason
        self.origin = origin
        self.since = since
        self.cause = cause
        self.offending = offending
        self.reason = reason
        self.evidence = evidence
        self.environment = environment
    }

    /// `f-` and 16 hexadecimal digits of a digest of rule and resource: the same for every opening of one thing.
    package var id: String { Finding.id(rule: rule, resource: resource) }

    /// It is resolved, or its resource is gone.
    package var hasEnded: Bool { state == .resolved || state == .deleted }

    package static func id(rule: String, resource: ResourceID) -> String {
        "f-" + sha256("\(rule)\n\(resource.type)\n\(resource.id)".utf8).description.prefix(16)
    }
}

/// What happened to a finding.
package enum FindingChange: String, Sendable, CaseIterable {
    case opened, reopened, changed, resolved, suppressed, stale, deleted
}

/// What a finding is decided from, each time its resource or rule is looked at.
package struct FindingInput: Sendable {
    package var verdict: Verdict
    package var isDeleted: Bool
    /// The exemption's reason, where one covers it.
    package var exemption: String?
    /// How the finding would look were it opened now: its `state`, `origin` and `since` count only then.
    package var candidate: Finding
    /// The candidate's cause is the event that began what is open already: its `origin` and `since` count too.
    package var isExplained: Bool

    package init(
        verdict: Verdict, isDeleted: Bool, exemption: String?, candidate: Finding, isExplained: Bool = false
    ) {
        self.verdict = verdict
        self.isDeleted = isDeleted
        self.exemption = exemption
        self.candidate = candidate
        self.isExplained = isExplained
    }
}

extension Finding {
    /// The one place where findings change state: what becomes of a finding (or of none), and what that is called.
    /// `nil` where nothing changes.
    package static func next(_ old: Finding?, _ input: FindingInput) -> (finding: Finding, change: FindingChange)? {
        let ended = old?.hasEnded ?? true
        if input.isDeleted {
            guard let old, !ended else { return nil }
            return (old.ending(.deleted, as: input.candidate), .deleted)
        }
        switch input.verdict.outcome {
        case .pass, .notApplicable:
            guard let old, !ended else { return nil }
            return (old.ending(.resolved, as: input.candidate), .resolved)
        case .unknown:
            guard var old, old.state == .open else { return nil }
            old.state = .stale
            old.reason = input.verdict.reason
            return (old, .stale)
        case .drift: return drifted(old, ended: ended, input)
        }
    }

    private static func drifted(
        _ old: Finding?, ended: Bool, _ input: FindingInput
    ) -> (finding: Finding, change: FindingChange)? {
        var new = input.candidate
        new.state = input.exemption == nil ? .open : .suppressed
        new.reason = input.exemption ?? ""
        guard let old, !ended else {
            let opening: FindingChange = old == nil ? .opened : .reopened
            return (new, new.state == .suppressed ? .suppressed : opening)
        }
        if input.isExplained { return (new, .changed) }
        // Still the same drift: what began it stays its origin, and its cause while nothing new offends.
        new.origin = old.origin
        new.since = old.since
        if new.offending == old.offending || new.cause.isBaseline { new.cause = old.cause }
        if new == old { return nil }
        return (new, new.state == .suppressed && old.state != .suppressed ? .suppressed : .changed)
    }

    private func ending(_ state: State, as candidate: Finding) -> Finding {
        var ended = self
        ended.state = state
        ended.reason = ""
        ended.cause = candidate.cause
        ended.evidence = candidate.evidence
        return ended
    }
}

extension Finding {
    /// As `holdfast findings --format json` prints it, and as the journal keeps it.
    package var json: JSON {
        [
            "id": .string(id), "rule": .string(rule), "resource": .string(resource.id),
            "type": .string(resource.type), "cloud": .string(context.cloud.rawValue),
            "account": .string(context.account), "region": .string(context.region),
            "incarnation": .string(incarnation), "state": .string(state.rawValue),
            "severity": .string(severity.rawValue), "severity-reason": .string(severityReason),
            "origin": .string(origin.rawValue), "since": .string(since.description), "cause": cause.json,
            "offending": .array(offending.map(\.json)), "reason": .string(reason),
            "evidence": .string(evidence.rawValue), "environment": .string(environment),
        ]
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        func text(_ name: String) -> String? { json[name]?.string }
        guard let rule = text("rule"), let id = text("resource"), let type = text("type"),
            let cloud = text("cloud").flatMap(Cloud.init), let account = text("account"), let region = text("region"),
            let incarnation = text("incarnation"), let state = text("state").flatMap(State.init),
            let severity = text("severity").flatMap(Severity.init), let severityReason = text("severity-reason"),
            let origin = text("origin").flatMap(Origin.init), let since = text("since").flatMap({ Timestamp($0) }),
            let cause = json["cause"].flatMap(Cause.init(json:)), let offending = json["offending"]?.array,
            let reason = text("reason"), let evidence = text("evidence").flatMap(EvidenceSource.init),
            let environment = text("environment")
        else { return nil }
        self.init(
            rule: rule, resource: ResourceID(type: type, id: id),
            context: ResourceContext(cloud: cloud, account: account, region: region), incarnation: incarnation,
            state: state, severity: severity, severityReason: severityReason, origin: origin, since: since,
            cause: cause, offending: offending.compactMap(Offending.init(json:)), reason: reason,
            evidence: evidence, environment: environment)
    }
}

extension Finding.Cause {
    /// `"baseline"`, or the event with its actor.
    package var json: JSON {
        isBaseline
            ? "baseline"
            : [
                "event": .string(event), "actor": .string(actor), "action": .string(action),
                "chain": .array(chain.map { .string($0) }), "time": .string(time.description),
            ]
    }

    package init?(json: JSON) {
        if json.string == "baseline" {
            self = .baseline
            return
        }
        guard let event = json["event"]?.string, let actor = json["actor"]?.string,
            let action = json["action"]?.string, let time = json["time"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        let chain = json["chain"]?.array?.compactMap(\.string) ?? []
        self.init(event: event, actor: actor, action: action, chain: chain, time: time)
    }

    /// No event: a first scan, a changed data file, or a read that nothing explains.
    package static var baseline: Finding.Cause {
        Finding.Cause(event: "baseline", actor: "", action: "", chain: [], time: Timestamp(nanoseconds: 0))
    }
}

extension Offending {
    package var json: JSON {
        [
            "path": .string(path.description), "key": key.map { .string($0) } ?? .null, "actual": actual,
            "expected": .string(expected),
        ]
    }

    package init?(json: JSON) {
        guard let path = json["path"]?.string.flatMap({ PropertyPath($0) }), let expected = json["expected"]?.string
        else { return nil }
        self.init(path: path, key: json["key"]?.string, actual: json["actual"] ?? .null, expected: expected)
    }
}
