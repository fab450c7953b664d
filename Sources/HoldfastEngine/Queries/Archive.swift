package import HoldfastCore
package import HoldfastJSON

/// Reads a journal for people: as it is, or as it was.
package struct Archive: Sendable {
    package let journal: any Journal
    private let policy: Policy

    package init(journal: any Journal, policy: Policy) {
        self.journal = journal
        self.policy = policy
    }

    /// A resource with everything that is known of it.
    package struct Known: Sendable {
        package var stored: StoredResource
        package var view: ResourceView

        /// As `holdfast resource --format json` prints it.
        package var json: JSONObject {
            JSONObject([
                ("type", .string(stored.resource.type)), ("id", .string(stored.resource.id)),
                ("cloud", .string(stored.context.cloud.rawValue)), ("account", .string(stored.context.account)),
                ("region", .string(stored.context.region)), ("incarnation", .string(view.incarnation)),
                ("state", .string(view.isDeleted ? "deleted" : "present")), ("configuration", view.document.json),
                ("unknown", view.document.unknownReason.map { .string($0) } ?? .null),
            ])
        }

        /// A label or tag: `NAME` or `NAME=VALUE`, in any of the shapes that clouds write them in.
        func hasLabel(_ label: String) -> Bool {
            let parts = label.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first else { return false }
            for property in ["Tags", "tags", "labels"] {
                let tags = view.document[PropertyPath(names: property)].json
                let pairs =
                    tags.array?.map { ($0["Key"]?.string ?? "", $0["Value"]?.scalarText ?? "") }
                    ?? tags.object?.members.map { ($0.name, $0.value.scalarText ?? "") } ?? []
                if pairs.contains(where: { $0.0 == name && (parts.count == 1 || $0.1 == parts[1]) }) { return true }
            }
            return false
        }
    }

    /// Resources after one, in the order (type, id), until `limit` of them are wanted.
    ///
    /// - Parameter isWanted: asked before the state is read.
    package func resources(
        asOf: Timestamp?, after: ResourceID? = nil, limit: Int = .max,
        where isWanted: (StoredResource) -> Bool = { _ in true }, and fits: (Known) -> Bool = { _ in true }
    ) throws(JournalError) -> [Known] {
        var found: [Known] = []
        var last = after
        while found.count < limit {
            let page = try journal.resources(after: last, limit: 500)
            for stored in page where isWanted(stored) && found.count < limit {
                if let known = try view(of: stored, asOf: asOf), fits(known) { found.append(known) }
            }
            guard let end = page.last else { break }
            last = end.resource
        }
        return found
    }

    /// `nil` where nothing had happened to it by then.
    private func view(of stored: StoredResource, asOf: Timestamp?) throws(JournalError) -> Known? {
        var evidence = EvidenceSet(resolution: policy.resolution(for: stored.resource.type))
        if let asOf {
            let entries = try journal.history(of: stored.resource, upTo: asOf)
            guard !entries.isEmpty else { return nil }
            for entry in entries { evidence.merge(try items(entry.evidence)) }
        } else {
            evidence.merge(try items(stored.evidence))
        }
        return Known(
            stored: stored,
            view: ResourceView(of: evidence, keys: policy.catalog.type(stored.resource.type)?.keys ?? ListKeys()))
    }

    private func items(_ bytes: [UInt8]) throws(JournalError) -> [EvidenceItem] {
        do throws(JSONError) {
            return try JSON.parse(bytes).array?.compactMap(EvidenceItem.init(json:)) ?? []
        } catch {
            throw JournalError(.corrupt, "evidence in the journal cannot be read: \(error)")
        }
    }

    func history(of resource: ResourceID, upTo: Timestamp?) throws(JournalError) -> [JSON] {
        var rows: [JSON] = []
        for entry in try journal.history(of: resource, upTo: upTo ?? .distantFuture) {
            rows.append([
                "event": .string(entry.eventID), "happened": .string(entry.happened.description),
                "known": .string(entry.known.description), "actor": .string(entry.actor),
                "action": .string(entry.action),
                "changes": .array(try items(entry.evidence).compactMap { $0.json["c"] }),
            ])
        }
        return rows
    }
}
