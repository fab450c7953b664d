package import HoldfastCore
package import HoldfastJSON

/// What a replay came to, beside its rows.
package struct ReplayOutcome: Sendable {
    /// What was applied: events, sessions, evidence.
    package internal(set) var applied = 0
    package internal(set) var evaluations = 0
    package internal(set) var duplicates = 0
    package internal(set) var resourcesAtStart = 0
    package internal(set) var rows = 0
    package internal(set) var changes = 0
    package internal(set) var rawWrites = 0
    package internal(set) var unseenChanges = 0
    /// By finding id.
    package private(set) var findings: [String: FindingStory] = [:]
    /// Who stands in rows as acting, themselves or along a chain: whose reads and failures belong to the timeline.
    package private(set) var actors: Set<String> = []
    package private(set) var resources: Set<ResourceID> = []
    /// Environment -> digests of plans that would have been carried out there had every guard agreed.
    package private(set) var plans: [String: Set<String>] = [:]
    /// Ids of findings that rows of the timeline name.
    package private(set) var findingsShown: Set<String> = []

    /// One finding over the window.
    package struct FindingStory: Sendable {
        /// As it was last.
        package var finding: Finding
        package var openings: [Opening] = []
        /// The last plan that would have been made for it: `outcome`, and of a plan its playbook.
        package var plan: (outcome: String, playbook: String)?

        /// A time in which it was open.
        package struct Opening: Sendable, Hashable {
            package var from: Timestamp
            /// It was open when the window began.
            package var isEarlier: Bool
            package var event: String
            package var actor: String
            package var chain: [String]
            package var action: String
            /// `nil` where it is open at the window's end.
            package var to: Timestamp?
            package var endedBy: String = ""
            package var endedActor: String = ""
        }
        package var isOpen: Bool { openings.last.map { $0.to == nil } ?? false }
    }

    mutating func take(
        _ finding: Finding, _ change: FindingChange, at time: Timestamp, by row: TimelineRow? = nil,
        isStart: Bool = false
    ) {
        var story = findings[finding.id] ?? FindingStory(finding: finding)
        story.finding = finding
        switch change {
        case .opened, .reopened, .suppressed, .changed:
            guard !story.isOpen else { break }
            let cause = finding.cause
            story.openings.append(
                .init(
                    from: isStart ? time : row?.time ?? time, isEarlier: isStart,
                    event: cause.isBaseline ? "" : cause.event, actor: cause.actor, chain: cause.chain,
                    action: cause.action))
        case .resolved, .deleted:
            guard story.isOpen else { break }
            let last = story.openings.count - 1
            story.openings[last].to = time
            story.openings[last].endedBy = row?.event ?? ""
            story.openings[last].endedActor = row?.actor?.name ?? ""
        case .stale: break
        }
        findings[finding.id] = story
    }

    mutating func take(_ plan: TimelineRow.PlanRow) {
        if let digest = plan.body["plan"]?["digest"]?.string, plan.body["outcome"] == "plan",
            let environment = findings[plan.finding]?.finding.environment
        {
            plans[environment, default: []].insert(digest)
        }
        findings[plan.finding]?.plan = (
            plan.body["outcome"]?.string ?? "", plan.body["plan"]?["playbook"]?.string ?? ""
        )
    }

    mutating func count(_ row: TimelineRow) {
        switch row.kind {
        case .change: changes += 1
        case .rawWrite: rawWrites += 1
        case .unseenChange: unseenChanges += 1
        case .finding, .session, .read, .failure: break
        }
    }

    /// A row is in the timeline.
    mutating func show(_ row: TimelineRow) {
        rows += 1
        actors.formUnion(row.actors.filter { !Principal.isService($0) })
        for resource in row.resources { self.resources.insert(resource.resource) }
        for finding in row.findings { findingsShown.insert(finding.finding.id) }
    }
}

extension ReplayOutcome {
    /// Every finding of the window, the most severe first, then the earliest.
    package var stories: [FindingStory] {
        findings.values.sorted { a, b in
            if a.finding.severity != b.finding.severity { return a.finding.severity > b.finding.severity }
            let (first, other) = (a.openings.first?.from ?? .distantFuture, b.openings.first?.from ?? .distantFuture)
            return (first, a.finding.id) < (other, b.finding.id)
        }
    }
}

extension ReplayOutcome.FindingStory {
    /// As `--format json` prints it under `findings`.
    package var json: JSON {
        var object = JSONObject([
            ("id", .string(finding.id)), ("rule", .string(finding.rule)),
            ("severity", .string(finding.severity.rawValue)), ("type", .string(finding.resource.type)),
            ("resource", .string(finding.resource.id)), ("cloud", .string(finding.context.cloud.rawValue)),
            ("account", .string(finding.context.account)), ("environment", .string(finding.environment)),
            ("origin", .string(finding.origin.rawValue)), ("evidence", .string(finding.evidence.rawValue)),
            ("state", .string(finding.state.rawValue)), ("openings", .array(openings.map(\.json))),
        ])
        if let plan {
            object["plan"] = ["outcome": .string(plan.outcome), "playbook": .string(plan.playbook)]
        }
        return .object(object)
    }
}

extension ReplayOutcome.FindingStory.Opening {
    fileprivate var json: JSON {
        var object = JSONObject([
            ("from", .string(from.description)), ("to", to.map { .string($0.description) } ?? .null),
        ])
        if isEarlier { object["open-at-start"] = true }
        if !event.isEmpty {
            object["event"] = .string(event)
            object["actor"] = .string(actor)
            object["chain"] = .array(chain.map(JSON.string))
            object["action"] = .string(action)
        }
        if !endedBy.isEmpty { object["ended-by"] = .string(endedBy) }
        if !endedActor.isEmpty { object["ended-actor"] = .string(endedActor) }
        return .object(object)
    }
}
