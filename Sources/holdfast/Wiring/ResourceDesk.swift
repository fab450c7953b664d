import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

/// Reads resources out of a journal for people: as they are, or as they were.
struct ResourceDesk {
    let journal: any Journal
    private let policy: Policy

    init(_ store: StoreOptions) throws {
        journal = try store.openToRead()
        policy = try DataSet.load(try ConfigurationFile.read(store.config)).policy()
    }

    struct Known {
        var stored: StoredResource
        var view: ResourceView

        var json: JSONObject {
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
            for property in ["Tags", "tags", "labels"] {
                let tags = view.document[PropertyPath(names: property)].json
                let pairs =
                    tags.array?.map { ($0["Key"]?.string ?? "", $0["Value"]?.scalarText ?? "") }
                    ?? tags.object?.members.map { ($0.name, $0.value.scalarText ?? "") } ?? []
                if pairs.contains(where: { $0.0 == parts[0] && (parts.count == 1 || $0.1 == parts[1]) }) { return true }
            }
            return false
        }
    }

    /// Every resource, in the order (type, id).
    func resources(asOf: Timestamp?) throws -> [Known] {
        var found: [Known] = []
        var last: ResourceID?
        while true {
            let page = try journal.resources(after: last, limit: 500)
            for stored in page {
                if let known = try view(of: stored, asOf: asOf) { found.append(known) }
            }
            guard let end = page.last else { return found }
            last = end.resource
        }
    }

    /// `nil` where nothing had happened to it by then.
    private func view(of stored: StoredResource, asOf: Timestamp?) throws -> Known? {
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

    private func items(_ bytes: [UInt8]) throws -> [EvidenceItem] {
        guard let elements = try JSON.parse(bytes).array else { return [] }
        return elements.compactMap(EvidenceItem.init(json:))
    }

    /// Findings as they are, or as they were at a moment.
    func findings(of resource: ResourceID, asOf: Timestamp?) throws -> [JSON] {
        try journal.findings(of: resource).compactMap { stored in
            guard let asOf else { return stored.body }
            return try journal.findingChanges(of: stored.id).last { $0.happened <= asOf }?.body
        }
    }

    func history(of resource: ResourceID, upTo: Timestamp?) throws -> [JSON] {
        try journal.history(of: resource, upTo: upTo ?? .distantFuture).map { entry in
            [
                "event": .string(entry.eventID), "happened": .string(entry.happened.description),
                "known": .string(entry.known.description), "actor": .string(entry.actor),
                "action": .string(entry.action),
                "changes": .array(try items(entry.evidence).compactMap { $0.json["c"] }),
            ]
        }
    }
}
