internal import HoldfastCore
internal import HoldfastJSON

extension Step {
    /// A read, as observed evidence. It speaks for the moment it started less resolution and margin, so that it never
    /// covers an event that it may not have seen.
    ///
    /// - Parameter attempts: how often a part could not be read before.
    mutating func observe(
        _ description: Description, resource: ResourceID, context: ResourceContext, attempts: Int = 0
    ) throws(JournalError) {
        let sure = description.started - policy.resolution(for: resource.type) - policy.margin(for: resource.type)
        let origin = EvidenceOrigin(event: description.id)
        let items: [EvidenceItem] =
            switch description.result {
            case .gone: [EvidenceItem(.deleted, source: .observed, time: sure, origin: origin)]
            case .sections(let sections):
                sections.enumerated().map { index, section in
                    EvidenceItem(
                        .set(section.path, section.value), source: .observed, time: sure, origin: origin, index: index)
                }
            case .identified(let known, let place):
                try identify(resource, as: known, at: place, context: context, origin: origin, time: sure)
            }
        note(description.unread, of: resource, context: context, attempts: attempts + 1)
        let before = try subject(resource, context: context)
        try merge(items, into: resource, context: context)
        let after = try subject(resource, context: context).after
        guard after != before.after else { return }
        let unseen = items.filter { before.view.missed($0) }
        if !unseen.isEmpty {
            transaction.counters.append(
                CounterDelta(name: CounterDelta.unseenChanges, label: resource.type))
        }
        transaction.history.append(
            HistoryEntry(
                resource: resource, eventID: description.id, happened: sure, known: now,
                evidence: JSON.array(items.map(\.json)).canonicalBytes, actor: "",
                action: unseen.isEmpty ? "read" : "read: changed unseen"))
    }

    /// A denied read is for a person to mend; the resource is read again later all the same.
    private mutating func note(
        _ unread: [Description.Unread], of resource: ResourceID, context: ResourceContext, attempts: Int
    ) {
        for part in unread where !part.error.lacks.isEmpty {
            transaction.notices.append(
                Notice(
                    code: NoticeCode.readDenied.rawValue, subject: part.error.lacks,
                    text: "\(part.error.message); \(part.paths.map(\.description).joined(separator: ", ")) of "
                        + "\(resource.id) stay unknown", raised: now))
        }
        let waits = unread.compactMap { part -> Int64? in
            if case .after(let wait) = part.error.retry { wait.nanoseconds } else { nil }
        }
        guard let wait = waits.min().map({ Span(nanoseconds: $0) }) else { return }
        transaction.dirty.append(
            DirtyResource(
                resource: resource, context: context, priority: policy.priority(of: resource.type), since: now,
                notBefore: now + Limits.backoff(wait, attempts: attempts), attempts: attempts,
                reason: "a part could not be read"))
    }

    /// A read that started before it could be sure to see the newest event is read again when it can be. Both times are
    /// the cloud's: what our own clock shows says nothing of it.
    mutating func readAgainIfTooEarly(_ dirty: DirtyResource, _ description: Description) throws(JournalError) {
        let subject = try subject(dirty.resource, context: dirty.context)
        // Items stand in order: a reported one that comes last came after all that was read.
        guard let newest = subject.view.applied.last, newest.source == .reported, !subject.view.isDeleted
        else { return }
        let margin = policy.resolution(for: dirty.resource.type) + policy.margin(for: dirty.resource.type)
        let missing = (newest.time + margin).since(description.started) + Span(nanoseconds: 1)
        // A recorded state stays as old as it is: one that gave nothing new, or is older than any read can be, cannot
        // get better by repeating.
        let isNew = !subject.before.items.contains { $0.source == .observed && $0.origin.event == description.id }
        guard isNew, missing.nanoseconds <= (margin + policy.limits.clockTolerance).nanoseconds else { return }
        var again = dirty
        again.notBefore = now + Span(nanoseconds: max(missing.nanoseconds, 1))
        again.attempts = 0
        again.reason = "read too early"
        transaction.dirty.append(again)
    }

    /// A read of one resource that changes led to; its account could be read.
    mutating func countRead(of dirty: DirtyResource, gaveState: Bool) {
        let place = dirty.context
        transaction.counters.append(
            CounterDelta(
                name: CounterDelta.describes, label: "\(place.cloud.rawValue) \(place.account)",
                hour: CounterDelta.hour(of: now)))
        guard gaveState, !place.account.isEmpty else { return }
        transaction.accounts.append(StoredAccount(cloud: place.cloud, id: place.account, lastRead: now))
    }

    /// Must be looked at again, once the burst is over; where nobody gave us the account it never is.
    mutating func markDirty(_ resource: ResourceID, context: ResourceContext, reason: String) {
        guard policy.covers(context.cloud, context.account) else { return }
        transaction.dirty.append(
            DirtyResource(
                resource: resource, context: context, priority: policy.priority(of: resource.type), since: now,
                notBefore: now + policy.limits.settleTime, reason: reason))
    }
}

extension DeadLetter {
    /// What is kept of a record that could not be decoded.
    package static let byteLimit = 65_536
}

extension ResourceView {
    /// A read says something else than the read before it, and no event since has touched the place: somebody changed
    /// it and no event told.
    fileprivate func missed(_ item: EvidenceItem) -> Bool {
        guard case .set(let path, let value) = item.change,
            let last = applied.last(where: { $0.path?.overlaps(path) ?? true }), last.source == .observed,
            case .set(path, let known) = last.change
        else { return false }
        return known != value
    }
}

extension PropertyPath {
    fileprivate func overlaps(_ other: PropertyPath) -> Bool { hasPrefix(other) || other.hasPrefix(self) }
}
