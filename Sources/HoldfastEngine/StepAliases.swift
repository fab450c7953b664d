internal import HoldfastCore
internal import HoldfastJSON

/// Resources that events call by a name that is not their id: a security group's, a secret's.
///
/// What is said of a name is in the name's history, whole and in any order. A resource that bears the name (by what
/// an event, a scan or a read says of it) takes all of that, marked as said by name; which of it counts is for the
/// resource's own creation and deletion to say, so that the order of arrival does not matter. While nobody is known to
/// bear the name, it is a resource itself, an alias, dirty until a read says whose it is.
extension Step {
    /// What an event says of a resource: evidence, history, and a mark that it must be read.
    mutating func report(_ items: [EvidenceItem], _ entry: HistoryEntry, context: ResourceContext) throws(JournalError)
    {
        transaction.history.append(entry)
        let bearers = entry.resource.isAlias ? try bearers(of: entry.resource) : []
        for bearer in bearers { try pass([entry], to: bearer.resource, context: bearer.context) }
        if bearers.isEmpty {
            try merge(items, into: entry.resource, context: context)
            markDirty(entry.resource, context: context, reason: entry.action)
        }
    }

    /// What was said of a name is said of the resource that a read found to bear it.
    ///
    /// - Returns: what ends the alias.
    mutating func identify(
        _ alias: ResourceID, as known: ResourceID, at place: ResourceContext, context: ResourceContext,
        origin: EvidenceOrigin, time: Timestamp
    ) throws(JournalError) -> [EvidenceItem] {
        try pass(try entries(of: alias), to: known, context: place)
        markDirty(known, context: place, reason: "was named by an alias")
        return [ending(try subject(alias, context: context), origin: origin, time: time)]
    }

    /// What other names of a resource bring with them as it gets or loses them.
    mutating func follow(from before: ResourceView, to subject: Subject) throws(JournalError) {
        let old = aliases(of: subject, before)
        let new = aliases(of: subject, subject.view)
        for alias in new where !old.contains(alias) { try take(alias, by: subject) }
        for alias in old where !new.contains(alias) { try release(alias, by: subject) }
    }

    private func aliases(of subject: Subject, _ view: ResourceView) -> [ResourceID] {
        guard policy.hasAliases(subject.resource.type) else { return [] }
        return policy.catalog.aliases(
            of: subject.resource, context: subject.context, configuration: view.document.json)
    }

    /// The resource bears a name from now on.
    private mutating func take(_ alias: ResourceID, by subject: Subject) throws(JournalError) {
        let said = try entries(of: alias)
        guard !said.isEmpty else { return }
        try pass(said, to: subject.resource, context: subject.context)
        guard let known = try known(alias) else { return }
        let origin = EvidenceOrigin(event: "named:\(subject.resource.id)")
        let end = ending(known, origin: origin, time: .distantPast)
        try merge([end], into: alias, context: known.context)
        transaction.history.append(
            HistoryEntry(
                resource: alias, eventID: "\(origin.event)@\(end.time.nanoseconds)", happened: end.time, known: now,
                evidence: JSON.array([end.json]).canonicalBytes, actor: "", action: "named"))
    }

    /// The resource bears a name no more, for it is gone: what was said of the name since then is another's.
    private mutating func release(_ alias: ResourceID, by subject: Subject) throws(JournalError) {
        guard let end = subject.after.items.last(where: \.isBoundary)?.time, try bearers(of: alias).isEmpty else {
            return
        }
        let context = subject.context
        for entry in try entries(of: alias) where entry.happened >= end {
            try merge(entry.reported, into: alias, context: context)
            markDirty(alias, context: context, reason: entry.action)
        }
    }

    /// Takes what was said of a name into a resource that bears it.
    private mutating func pass(
        _ entries: [HistoryEntry], to bearer: ResourceID, context: ResourceContext
    ) throws(JournalError) {
        let before = try subject(bearer, context: context).after
        var last = ""
        for entry in entries {
            // What comes into being under a name is another resource than the one that is known.
            let items = entry.reported.filter { $0.change != .created }.map(\.saidByName)
            guard !items.isEmpty else { continue }
            var own = entry
            own.resource = bearer
            own.known = now
            own.evidence = JSON.array(items.map(\.json)).canonicalBytes
            transaction.history.append(own)
            try merge(items, into: bearer, context: context)
            last = entry.action
        }
        guard try subject(bearer, context: context).after != before else { return }
        markDirty(bearer, context: context, reason: last)
    }

    /// Those that bear a name and are there.
    private func bearers(of alias: ResourceID) throws(JournalError) -> [Subject] {
        try holders(type: alias.type, path: Policy.aliasPath, value: alias.id)
    }

    /// All that was ever said of a name, by this step too.
    private func entries(of alias: ResourceID) throws(JournalError) -> [HistoryEntry] {
        let own = transaction.history.filter { $0.resource == alias }
        return try journal.history(of: alias, upTo: .distantFuture) + own
    }

    /// Evidence that ends an alias: it comes after all that was said of it.
    private func ending(_ alias: Subject, origin: EvidenceOrigin, time: Timestamp) -> EvidenceItem {
        let last = alias.after.items.last.map { $0.time + Span(nanoseconds: 1) } ?? time
        return EvidenceItem(.deleted, source: .observed, time: max(time, last), origin: origin)
    }
}

extension HistoryEntry {
    /// What the event said.
    fileprivate var reported: [EvidenceItem] {
        let items = (try? JSON.parse(evidence))?.array ?? []
        return items.compactMap(EvidenceItem.init(json:)).filter { $0.source == .reported }
    }
}

extension EvidenceItem {
    fileprivate var saidByName: EvidenceItem {
        var item = self
        item.origin.isByName = true
        return item
    }
}
