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
