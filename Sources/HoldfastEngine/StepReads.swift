internal import HoldfastCore
internal import HoldfastJSON

extension Step {
    /// A read, as observed evidence. It speaks for the moment it started less resolution and margin, so that it never
    /// covers an event that it may not have seen.
    mutating func observe(
        _ description: Description, resource: ResourceID, context: ResourceContext
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
            }
        let before = try subject(resource, context: context).after
        try merge(items, into: resource, context: context)
        guard try subject(resource, context: context).after != before else { return }
        transaction.history.append(
            HistoryEntry(
                resource: resource, eventID: description.id, happened: sure, known: now,
                evidence: JSON.array(items.map(\.json)).canonicalBytes, actor: "", action: "read"))
    }

    /// A read that started before it could be sure to see the newest event is read again when it can be.
    mutating func readAgainIfTooEarly(_ dirty: DirtyResource) throws(JournalError) {
        let subject = try subject(dirty.resource, context: dirty.context)
        // Items stand in order: a reported one that comes last came after all that was read.
        guard let newest = subject.view.applied.last, newest.source == .reported, !subject.view.isDeleted
        else { return }
        var again = dirty
        again.notBefore =
            newest.time + policy.resolution(for: dirty.resource.type)
            + policy.margin(for: dirty.resource.type) + Span(nanoseconds: 1)
        // One that was due then already cannot get better by repeating: a recorded state stays as old as it is.
        guard again.notBefore > dirty.notBefore else { return }
        again.attempts = 0
        again.reason = "read too early"
        transaction.dirty.append(again)
    }

    /// Must be looked at again, once the burst is over.
    mutating func markDirty(_ resource: ResourceID, context: ResourceContext, reason: String) {
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
