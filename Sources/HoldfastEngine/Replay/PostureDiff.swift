package import HoldfastCore
package import HoldfastJSON

/// What changed between two moments, by what a journal knows: resources, what can be reached, findings.
package struct PostureDiff {
    private let journal: any Journal
    private let policy: Policy
    private let from: Timestamp
    private let to: Timestamp
    private let account: String?

    package init(journal: any Journal, policy: Policy, from: Timestamp, to: Timestamp, account: String? = nil) {
        self.journal = journal
        self.policy = policy
        self.from = from
        self.to = to
        self.account = account
    }

    /// `{"from", "to", "resources": [...], "findings": [...], "summary"}`; each list in the order of types and ids.
    package func json() throws(JournalError) -> JSON {
        var resources: [JSON] = []
        var findings: [JSON] = []
        var counts: [String: Int] = [:]
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 500)
            guard let end = page.last else { break }
            for stored in page where account.map({ $0 == stored.context.account }) ?? true {
                if let difference = try difference(of: stored) {
                    counts[difference["change"]?.string ?? "", default: 0] += 1
                    resources.append(difference)
                }
                for finding in try findingDifferences(of: stored.resource) {
                    counts["findings \(finding["change"]?.string ?? "")", default: 0] += 1
                    findings.append(finding)
                }
            }
            last = end.resource
        }
        let summary = counts.sorted { $0.key < $1.key }.map { ($0.key, JSON.number(JSONNumber($0.value))) }
        return [
            "from": .string(from.description), "to": .string(to.description), "resources": .array(resources),
            "findings": .array(findings), "summary": .object(JSONObject(summary)),
        ]
    }

    /// The resource as it was by a moment; `nil` where nothing was heard of it by then, or it was gone.
    private func view(_ stored: StoredResource, at moment: Timestamp) throws(JournalError) -> ResourceView? {
        let history = try journal.history(of: stored.resource, upTo: moment)
        guard !history.isEmpty else { return nil }
        var evidence = EvidenceSet(resolution: policy.resolution(for: stored.resource.type))
        for entry in history { evidence.merge(try entry.items()) }
        let view = ResourceView(of: evidence, keys: policy.listKeys(for: stored.resource.type))
        return view.isDeleted ? nil : view
    }

    private func difference(of stored: StoredResource) throws(JournalError) -> JSON? {
        let history = try journal.history(of: stored.resource, upTo: to)
        guard history.contains(where: { $0.happened > from }) else { return nil }
        let before = try view(stored, at: from), after = try view(stored, at: to)
        let change: String
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, _?): change = "appeared"
        case (_?, nil): change = "gone"
        case (let old?, let new?):
            if old.document == new.document { return nil }
            change = "changed"
        }
        let diff = StateDiff(from: before?.document ?? .absent, to: after?.document ?? .absent)
        let context = FacetContext(id: stored.resource.id)
        func exposure(_ view: ResourceView?) -> Exposure {
            view.map { Exposure(of: $0.document, type: stored.resource.type, context: context) } ?? .none
        }
        let (old, new) = (exposure(before), exposure(after))
        let actors = history.filter { $0.happened > from && !$0.actor.isEmpty }.map(\.actor)
        var seen: Set<String> = []
        return [
            "change": .string(change), "type": .string(stored.resource.type), "id": .string(stored.resource.id),
            "account": .string(stored.context.account), "region": .string(stored.context.region),
            "changes": change == "changed" ? diff.json : .array([]),
            "opened": .array(new.opened(since: old).map { .string($0.text) }),
            "closed": .array(old.opened(since: new).map { .string($0.text) }),
            "actors": .array(actors.filter { seen.insert($0).inserted }.map(JSON.string)),
        ]
    }

    private func findingDifferences(of resource: ResourceID) throws(JournalError) -> [JSON] {
        var found: [JSON] = []
        for stored in try journal.findings(of: resource) {
            let rows = try journal.findingChanges(of: stored.id)
            let before = rows.last { $0.happened <= from }.flatMap { Finding(json: $0.body) }
            let after = rows.last { $0.happened <= to }.flatMap { Finding(json: $0.body) }
            let wasOpen = before.map { $0.state == .open || $0.state == .stale } ?? false
            let isOpen = after.map { $0.state == .open || $0.state == .stale } ?? false
            guard wasOpen != isOpen, let finding = after else { continue }
            found.append([
                "change": .string(isOpen ? "opened" : "ended"), "id": .string(finding.id),
                "rule": .string(finding.rule),
                "severity": .string(finding.severity.rawValue), "resource": .string(finding.resource.id),
                "actor": .string(finding.cause.actor), "chain": .array(finding.cause.chain.map(JSON.string)),
            ])
        }
        return found
    }
}
