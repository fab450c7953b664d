internal import HoldfastCore
internal import HoldfastJSON

/// The intake lane's part of a step: events become evidence, and everything that is not kept leaves a count.
struct IntakeStep {
    var step: Step
    let source: String
    /// False in replays: what was taken in is not written down, nor what must be read because of it.
    let keepsEvidence: Bool
    var counts = Counts()
    /// Events of this batch.
    private(set) var seen: Set<String> = []
    /// Name, label, hour -> amount: added up before they are written.
    private var counters: [CounterKey: Int64] = [:]
    private var fromFuture = 0
    /// Regions that AWS does not have, as events name them.
    private var strangeRegions: Set<String> = []
    /// The newest event's time of each account, `aws/012345670123`.
    private var newest: [AccountName: Timestamp] = [:]

    struct Counts {
        var events = 0
        var duplicates = 0
        var dropped = 0
        var sessions = 0
        var deadLetters = 0
        var unknownOperations = 0
    }

    private struct CounterKey: Hashable, Comparable {
        var name: String
        var label: String
        var hour: Int64
        static func < (a: CounterKey, b: CounterKey) -> Bool { (a.name, a.label, a.hour) < (b.name, b.label, b.hour) }
    }

    /// More such regions than this in one batch are not told one by one.
    private static let regionLimit = 8

    init(step: Step, source: String, keepsEvidence: Bool = true) {
        self.step = step
        self.source = source
        self.keepsEvidence = keepsEvidence
    }

    /// A write that succeeded, with what the catalog makes of it: merged as reported evidence; what it touched becomes
    /// dirty.
    mutating func take(_ event: ChangeEvent, _ match: CatalogMatch) throws(JournalError) {
        seen.insert(event.id)
        step.transaction.eventIDs.append(event.id)
        counts.events += 1
        note(event.time, cloud: event.cloud, account: event.account)
        count(
            CounterDelta.events, label: "\(event.cloud.rawValue) \(event.account)",
            hour: CounterDelta.hour(of: event.time))
        if event.time > step.now + step.policy.limits.clockTolerance { fromFuture += 1 }
        if !step.policy.has(region: event.region, in: event.cloud) { strangeRegions.insert(event.region) }
        switch match {
        case .unknownOperation:
            counts.unknownOperations += 1
            count("operation.unknown", label: "\(event.cloud.rawValue) \(event.action)")
        case .notOurs: count("operation.not-ours", label: "\(event.cloud.rawValue) \(event.action)")
        case .known(let changes, let unresolved):
            // What the event means, not what it carries: bodies may hold secrets, and these never reach the journal.
            if keepsEvidence {
                explanation(of: event, affected: changes, dropped: nil).appendCanonical(to: &step.transaction.batch)
                step.transaction.batch.append(UInt8(ascii: "\n"))
            }
            for change in changes where change.effect != .relates { try take(change, of: event) }
            for effect in unresolved {
                count("operation.unresolved", label: "\(event.action): \(effect.type): \(effect.reason)")
            }
        }
    }

    private mutating func take(_ change: ResourceChange, of event: ChangeEvent) throws(JournalError) {
        let time = try time(of: event, about: change)
        let origin = EvidenceOrigin(
            event: event.id, actor: event.actor.name, action: event.action, session: event.actor.sessionKey)
        let items = change.changes.enumerated().map { index, said in
            EvidenceItem(said, source: .reported, time: time, origin: origin, index: index)
        }
        guard keepsEvidence else {
            try step.merge(items, into: change.resource, context: change.context)
            return
        }
        try step.report(
            items,
            HistoryEntry(
                resource: change.resource, eventID: event.id, happened: time, known: step.now,
                evidence: JSON.array(items.map(\.json)).canonicalBytes, actor: event.actor.name,
                action: event.action),
            context: change.context)
    }

    /// A time from far in the future would never be superseded: cut to ours, or to that of what is known already. One
    /// that is only a little ahead is right where our clock is slow; cut below what the cloud has dated, it would count
    /// as seen by reads that came before it.
    private mutating func time(of event: ChangeEvent, about change: ResourceChange) throws(JournalError) -> Timestamp {
        guard event.time > step.now + step.policy.limits.clockTolerance else { return event.time }
        let known = try step.subject(change.resource, context: change.context).after.items.last?.time
        return min(event.time, max(step.now, known ?? step.now))
    }

    mutating func take(_ opening: SessionOpening) {
        counts.sessions += 1
        for session in opening.sessions {
            step.transaction.sessions.append(
                SessionLink(session: session, caller: opening.caller, opened: opening.opened))
        }
    }

    mutating func drop(_ dropped: DroppedRecord) {
        drop(DropCount(dropped))
    }

    mutating func drop(_ dropped: DropCount) {
        counts.dropped += Int(dropped.count)
        count("dropped \(dropped.reason)", label: dropped.actor, hour: dropped.hour, amount: dropped.count)
        if let time = dropped.newest, let cloud = dropped.cloud { note(time, cloud: cloud, account: dropped.account) }
    }

    private mutating func note(_ time: Timestamp, cloud: Cloud, account: String) {
        guard !account.isEmpty else { return }
        let key = AccountName(cloud: cloud, id: account)
        newest[key] = max(newest[key] ?? .distantPast, min(time, step.now))
    }

    mutating func deadLetter(_ reason: String, at place: String, bytes: [UInt8]) {
        counts.deadLetters += 1
        step.transaction.deadLetters.append(
            DeadLetter(
                place: place, source: source, reason: reason, received: step.now,
                bytes: Array(bytes.prefix(DeadLetter.byteLimit))))
    }

    private mutating func count(_ name: String, label: String, hour: Int64 = 0, amount: Int64 = 1) {
        counters[CounterKey(name: name, label: label, hour: hour), default: 0] += amount
    }

    /// What the batch as a whole leaves: counters, notices, the batch's line in the evidence log.
    mutating func finish() {
        for (key, amount) in counters.sorted(by: { $0.key < $1.key }) {
            step.transaction.counters.append(
                CounterDelta(name: key.name, label: key.label, hour: key.hour, amount: amount))
        }
        for (key, time) in newest.sorted(by: { $0.key < $1.key }) {
            step.transaction.accounts.append(StoredAccount(cloud: key.cloud, id: key.id, lastEvent: time))
        }
        noticeStrangers()
        if counts.deadLetters > 0 {
            notice(
                .deadLetters,
                "\(counts.deadLetters) records from \(source) could not be decoded and wait as dead letters")
        }
        for region in strangeRegions.sorted().prefix(IntakeStep.regionLimit) {
            notice(
                .regionUnknown, about: "\(source) \(region)",
                "events from \(source) name the region \"\(region)\", which AWS does not have; if it is new, "
                    + "holdfast catalog prove learns of it, else somebody forges events")
        }
        if fromFuture > 0 {
            notice(
                .eventsFromFuture,
                "\(fromFuture) events from \(source) are dated later than now; their time was cut to ours")
        }
    }

    /// Their events count, and are judged by what they say; nothing in these accounts is read.
    private mutating func noticeStrangers() {
        let strangers = newest.keys.filter { !step.policy.covers($0.cloud, $0.id) }
        for cloud in Cloud.allCases {
            guard let first = strangers.filter({ $0.cloud == cloud }).min() else { continue }
            notice(
                .accountUnknown, about: cloud.rawValue,
                "events come from accounts of \(cloud.rawValue) that no line of accounts: or discover: has, such as "
                    + "\(first.id): nothing in them is read or fixed; holdfast accounts lists them")
        }
    }

    private mutating func notice(_ code: NoticeCode, about subject: String? = nil, _ text: String) {
        step.transaction.notices.append(
            Notice(code: code.rawValue, subject: subject ?? source, text: text, raised: step.now))
    }
}
