internal import HoldfastCore

/// One thing that a replay applies, in the order of times.
enum ReplayItem {
    /// Somebody opened a session.
    case session(SessionLink, action: String)
    /// Evidence as a journal has kept it: an event's, or a read's.
    case recorded(HistoryEntry, ResourceContext)
    /// An event as a cloud logged it.
    case event(ChangeEvent)
}

extension ReplayItem {
    /// What comes first among items of one time: sessions, so that who opened one is known to what was done in it.
    private enum Rank: Int {
        case session, recorded, event
    }

    static func isEvent(_ entry: SpoolEntry) -> Bool { entry.rank == Rank.event.rawValue }

    /// As the spool keeps it.
    var entry: SpoolEntry {
        var writer = SpoolWriter()
        switch self {
        case .session(let link, let action):
            writer.add(link.session)
            writer.add(link.caller)
            writer.add(link.opened.nanoseconds)
            writer.add(action)
            // CloudTrail's times are whole seconds: what is done in the second of its opening is done after it.
            let second = link.opened.nanoseconds - (link.opened.nanoseconds % 1_000_000_000)
            return SpoolEntry(
                time: Timestamp(nanoseconds: second), rank: Rank.session.rawValue,
                id: "\(link.session)\n\(link.opened.nanoseconds)\n\(link.caller.name)", body: writer.bytes)
        case .recorded(let entry, let context):
            writer.add(entry.resource.type)
            writer.add(entry.resource.id)
            writer.add(context)
            writer.add(entry.eventID)
            writer.add(entry.known.nanoseconds)
            writer.add(entry.actor)
            writer.add(entry.action)
            writer.add(entry.evidence)
            return SpoolEntry(
                time: entry.happened, rank: Rank.recorded.rawValue, id: "\(entry.eventID)\n\(entry.resource)",
                body: writer.bytes)
        case .event(let event):
            writer.add(event)
            return SpoolEntry(time: event.time, rank: Rank.event.rawValue, id: event.id, body: writer.bytes)
        }
    }

    /// - Throws: `corrupt` where the entry is none that ``entry`` makes.
    init(_ entry: SpoolEntry) throws(JournalError) {
        var reader = SpoolReader(entry.body)
        switch Rank(rawValue: entry.rank) {
        case .session?:
            let link = SessionLink(
                session: reader.text(), caller: reader.principal(), opened: Timestamp(nanoseconds: reader.int()))
            self = .session(link, action: reader.text())
        case .recorded?:
            let resource = ResourceID(type: reader.text(), id: reader.text())
            let context = reader.context()
            let (id, known) = (reader.text(), Timestamp(nanoseconds: reader.int()))
            let (actor, action) = (reader.text(), reader.text())
            let history = HistoryEntry(
                resource: resource, eventID: id, happened: entry.time, known: known, evidence: reader.data(),
                actor: actor, action: action)
            self = .recorded(history, context)
        case .event?: self = .event(reader.event(id: entry.id, time: entry.time))
        case nil: throw ReplayItem.damaged(entry)
        }
        guard reader.isWhole else { throw ReplayItem.damaged(entry) }
    }

    private static func damaged(_ entry: SpoolEntry) -> JournalError {
        JournalError(.corrupt, "what was kept of \(entry.id) for the replay is damaged; is the temporary disk full?")
    }
}

extension SpoolWriter {
    fileprivate mutating func add(_ context: ResourceContext) {
        add(context.cloud.rawValue)
        add(context.account)
        add(context.region)
    }

    mutating func add(_ event: ChangeEvent) { add(event, body: event.text) }

    mutating func add(_ event: ChangeEvent, body: [UInt8]) {
        add(ResourceContext(cloud: event.cloud, account: event.account, region: event.region))
        add(event.actor)
        add(Int64(event.callers.count))
        for caller in event.callers { add(caller) }
        for text in [event.sourceIP, event.action, event.via.rawValue, event.userAgent, event.correlation] {
            add(text)
        }
        if case .failure(let code) = event.outcome { add(code.isEmpty ? "failed" : code) } else { add("") }
        add(event.readOnly ? 1 : 0)
        add(body)
    }
}

extension SpoolReader {
    fileprivate mutating func context() -> ResourceContext {
        ResourceContext(cloud: Cloud(rawValue: text()) ?? .aws, account: text(), region: text())
    }

    mutating func event(id: String, time: Timestamp) -> ChangeEvent {
        let place = context()
        let actor = principal()
        let callers = (0..<min(int(), 16)).map { _ in principal() }
        let (sourceIP, action, via) = (text(), text(), Via(rawValue: text()) ?? .unknown)
        let (agent, correlation, code) = (text(), text(), text())
        return ChangeEvent(
            id: id, cloud: place.cloud, time: time, account: place.account, region: place.region, actor: actor,
            callers: callers, sourceIP: sourceIP, action: action, outcome: code.isEmpty ? .success : .failure(code),
            readOnly: int() == 1, via: via, userAgent: agent, correlation: correlation, body: EventBody.text(data()))
    }
}
