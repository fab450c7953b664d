internal import HoldfastCore

/// Why a rule fails, where a read was the first to show it: the event behind it may say nothing of the content, or
/// arrive after the read.
extension Step {
    /// Looks for the event that took the resource from a state that was good to one that is not; where it is found, the
    /// finding is drift. What no event is known of, and what was not known to be good, stays backlog.
    ///
    /// - Parameter old: the finding so far. Where it is open, only an event of this step can be news to it.
    /// - Returns: whether one is found.
    func explain(_ candidate: inout Finding, _ subject: Subject, old: Finding?) throws(JournalError) -> Bool {
        let isOpen = old?.hasEnded == false
        guard isOpen ? isOpenToNews(old, subject) : candidate.origin == .backlog && subject.changed,
            let event = try breaking(candidate.rule, subject),
            !isOpen || subject.heard.contains(where: { $0.origin.event == event.origin.event })
        else { return false }
        candidate.origin = .drift
        if isOpen || candidate.cause.isBaseline {
            candidate.cause = try cause(event)
            candidate.since = event.time
        }
        return true
    }

    /// Rules whose findings an event of this step may explain.
    mutating func explainable(of subject: Subject) throws(JournalError) -> [String] {
        // Most events come in order, onto what is known: no finding need be looked at.
        guard subject.wasThere, subject.heard.contains(where: { isOvertaken($0, subject) }) else { return [] }
        _ = try finding("", of: subject.resource)
        return (findings[subject.resource] ?? [:]).values.filter { isOpenToNews($0, subject) }.map(\.rule)
    }

    /// An event of this step is older than what the finding was opened by: a read that can have seen its work, or
    /// another event.
    private func isOpenToNews(_ finding: Finding?, _ subject: Subject) -> Bool {
        guard let finding, !finding.hasEnded else { return false }
        return subject.heard.contains { event in
            if finding.origin == .drift { return event.time < finding.since }
            return finding.cause.isBaseline
                && subject.after.items.contains { $0.source == .observed && event.time <= started($0, subject) }
        }
    }

    /// Something else is known of a later moment, or was read when the event's work could be seen.
    private func isOvertaken(_ event: EvidenceItem, _ subject: Subject) -> Bool {
        subject.after.items.contains { item in
            item.origin.event != event.origin.event
                && event.time <= (item.source == .observed ? started(item, subject) : item.time)
        }
    }

    private func breaking(_ rule: String, _ subject: Subject) throws(JournalError) -> EvidenceItem? {
        let pieces = try pieces(of: subject.resource)
        guard pieces.contains(where: { $0[0].source == .reported }) else { return nil }
        for count in (0..<pieces.count).reversed() {
            let next = pieces[count]
            if count == 0 { return next[0].change == .created && next[0].source == .reported ? next[0] : nil }
            guard try isGood(rule, subject, after: pieces[..<count]) else { continue }
            if next[0].source == .reported { return next[0] }
            return behind(next[0], in: pieces[count...], rule, subject)
        }
        return nil
    }

    /// A read is dated earlier than it was made, so what it shows may be the work of an event that is dated later.
    private func behind(
        _ read: EvidenceItem, in later: ArraySlice<[EvidenceItem]>, _ rule: String, _ subject: Subject
    ) -> EvidenceItem? {
        let paths = policy.pathsRead(by: rule)
        return later.joined().last {
            $0.source == .reported && $0.time <= started(read, subject) && $0.isAbout(paths)
        }
    }

    /// When a read was made; see ``EvidenceItem/time``.
    private func started(_ read: EvidenceItem, _ subject: Subject) -> Timestamp {
        read.time + policy.resolution(for: subject.resource.type) + policy.margin(for: subject.resource.type)
    }

    /// What was said of a resource last, an event or a read each, in order.
    private func pieces(of resource: ResourceID) throws(JournalError) -> [[EvidenceItem]] {
        let own = transaction.history.filter { $0.resource == resource }
        var items: [EvidenceItem] = []
        for entry in try journal.history(of: resource, upTo: .distantFuture).suffix(Step.longestSearch) + own {
            items += try entry.items()
        }
        items.sort()
        var pieces: [[EvidenceItem]] = []
        for item in items {
            if pieces.last?[0].origin.event == item.origin.event {
                pieces[pieces.count - 1].append(item)
            } else {
                pieces.append([item])
            }
        }
        return pieces
    }

    /// Events and reads among which the one is looked for.
    private static let longestSearch = 64

    private func isGood(
        _ rule: String, _ subject: Subject, after pieces: ArraySlice<[EvidenceItem]>
    ) throws(JournalError) -> Bool {
        let type = subject.resource.type
        var earlier = subject
        earlier.view = ResourceView(
            uncompacted: Array(pieces.joined()), resolution: policy.resolution(for: type),
            keys: policy.listKeys(for: type))
        if earlier.view.isDeleted { return true }
        return try freshVerdict(rule, earlier).outcome == .pass
    }
}

extension EvidenceItem {
    /// Whether it says something of one of these paths.
    fileprivate func isAbout(_ paths: [PropertyPath]) -> Bool {
        guard let path else { return true }
        return paths.contains { $0.hasPrefix(path) || path.hasPrefix($0) }
    }
}
