internal import HoldfastCore

/// What a playbook makes again what is gone from.
extension Step {
    /// `nil` where the rule's playbook needs nothing. The resource as it last was read, before what is reported of it;
    /// or, where another type is needed, what hung on the resource and went last, as that last was read.
    func lastObserved(_ subject: Subject, for rule: String) throws(JournalError) -> PlanRequest.LastObserved? {
        let type = subject.resource.type
        guard let needed = policy.playbooks.playbook(for: rule, type: type)?.neededType else { return nil }
        if needed == type { return observed(subject.after.items, of: type) }
        guard let relation = policy.relations(readBy: rule).first(where: { $0.isReverse && $0.type == needed }) else {
            return nil
        }
        let reference = StoredResource.Reference(path: relation.by.description, value: subject.resource.id)
        var last: (went: Timestamp, read: PlanRequest.LastObserved)?
        for gone in try gone(needed, at: subject.context) {
            let items = try items(of: gone)
            guard let read = observed(items, of: needed),
                policy.references(of: gone, context: subject.context, document: read.state).contains(reference)
            else { continue }
            let went = items.last { $0.change == .deleted }?.time ?? now
            if went > last?.went ?? .distantPast { last = (went, read) }
        }
        return last?.read
    }

    private func observed(_ items: [EvidenceItem], of type: String) -> PlanRequest.LastObserved? {
        let read = items.filter { $0.source == .observed && !$0.isBoundary }
        guard let last = read.last else { return nil }
        let view = ResourceView(
            uncompacted: read, resolution: policy.resolution(for: type), keys: policy.listKeys(for: type))
        return PlanRequest.LastObserved(state: view.document, at: last.time)
    }

    /// Resources of a type that were in an account and region and are no longer, this step's included.
    private func gone(_ type: String, at place: ResourceContext) throws(JournalError) -> [ResourceID] {
        var found: [ResourceID] = []
        var last = ResourceID(type: type, id: "")
        while true {
            let page = try journal.resources(after: last, limit: 200).filter { $0.resource.type == type }
            guard let end = page.last else { return found }
            for row in page where row.context.account == place.account && row.context.region == place.region {
                if subjects[row.resource]?.view.isDeleted ?? row.isDeleted { found.append(row.resource) }
            }
            last = end.resource
        }
    }

    /// All that was said of a resource since it was last made, as it happened.
    private func items(of resource: ResourceID) throws(JournalError) -> [EvidenceItem] {
        var items: [EvidenceItem] = []
        for entry in try journal.history(of: resource, upTo: .distantFuture) { items += try entry.items() }
        items.sort()
        return Array(items[(items.lastIndex { $0.change == .created } ?? 0)...])
    }
}
