internal import HoldfastCore
internal import HoldfastJSON

extension TimelineRow {
    /// The row of a write that succeeded, before anything is known of what it means.
    init(_ event: ChangeEvent) {
        self.init(
            kind: .rawWrite, time: event.time, event: event.id,
            place: ResourceContext(cloud: event.cloud, account: event.account, region: event.region))
        actor = event.actor
        sourceIP = event.sourceIP
        via = event.via.rawValue
        userAgent = event.userAgent
        action = event.action
        evidence = .reported
    }

    /// The row of what a journal has kept of an event or a read.
    init(_ entry: HistoryEntry, _ context: ResourceContext) {
        let isUnseen = entry.action.hasPrefix("read:")
        self.init(
            kind: isUnseen ? .unseenChange : entry.isRead ? .read : .change, time: entry.happened,
            event: entry.eventID, place: context)
        if entry.isRead {
            evidence = .observed
            if isUnseen { notes = ["a read found it changed, and no event tells by whom"] }
        } else {
            actor = Principal(name: entry.actor)
            evidence = .reported
        }
        action = entry.action
    }

    /// What the catalog makes of the event.
    mutating func describe(_ match: CatalogMatch) {
        switch match {
        case .unknownOperation: notes.append("the catalog does not know this operation")
        case .notOurs(let reason): notes.append("it changes nothing that is watched: \(reason)")
        case .known(let changes, let unresolved):
            if changes.contains(where: { $0.effect != .relates }) { kind = .change }
            notes += unresolved.map { "it \($0.effect.rawValue) a \($0.type) that it does not name: \($0.reason)" }
            if changes.isEmpty, unresolved.isEmpty { notes.append("it names no resource that the catalog knows") }
        }
    }

    /// What a step made of findings, the plans that it would have recorded, and what each guard would have said.
    mutating func take(_ step: inout Step, asking guards: inout ReplayGuards) throws(JournalError) {
        findings += step.changes.map { FindingRow(finding: $0.finding, change: $0.change) }
        for plan in step.transaction.plans {
            var row = PlanRow(finding: plan.finding, body: plan.body)
            if !plan.digest.isEmpty { row.guards = try guards.answers(to: plan.finding, in: &step) }
            plans.append(row)
        }
    }

    /// Among rows of one time: what people did, as it was applied, then what came of it by the clock.
    var rank: Int {
        switch kind {
        case .session: 0
        case .unseenChange: 1
        case .change, .rawWrite: 2 + order
        case .finding: 5
        case .read: 6
        case .failure: 7
        }
    }
}

/// What all guards say of a finding's plan, by the configuration and by what the replay knows of runs, halts and
/// approvals, which is nothing: nothing was ever carried out in it.
struct ReplayGuards {
    private var facts: FactsReader?
    private var hour: Int64 = .min

    mutating func answers(to finding: String, in step: inout Step) throws(JournalError) -> [GuardAnswer] {
        guard let assessment = try step.assess(finding), let plan = assessment.plan else { return [] }
        // How many resources of a type there are, for budgets, is counted once an hour.
        var reader: FactsReader
        if let known = facts, hour == ReplayWindow.hour(of: step.now) {
            reader = known
            reader.now = step.now
        } else {
            reader = try FactsReader(policy: step.policy, journal: step.journal, now: step.now, haltFile: nil)
            hour = ReplayWindow.hour(of: step.now)
        }
        let found = try reader.facts(
            of: assessment, plan: plan, evidence: step.evidence(of: assessment), preflight: .pending)
        facts = reader
        return Guards.decide(found).answers
    }
}

/// The resources that hang together with one along relations, as far as a replay has come.
struct Neighbours {
    private let wanted: String
    private var ids: Set<String> = []

    init(of wanted: String) { self.wanted = wanted }

    private func isWanted(_ id: String) -> Bool { ReplayFilter.names(wanted, id) }
    func holds(_ id: String) -> Bool { isWanted(id) || ids.contains(id) }

    /// Takes in what a resource points to, before the step and now.
    mutating func learn(_ subject: Step.Subject, in step: Step) {
        let pointed = step.references(of: subject).filter { $0.path != Policy.aliasPath }.map(\.value)
        if isWanted(subject.resource.id) { ids.formUnion(pointed) }
        if pointed.contains(where: isWanted) { ids.insert(subject.resource.id) }
    }
}

extension SpoolEntry {
    /// A row as the spool keeps it.
    init(_ row: TimelineRow) {
        self.init(time: row.time, rank: row.rank, id: row.event, body: row.json.canonicalBytes)
    }
}
