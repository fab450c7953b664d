package import HoldfastJSON

/// What a role must be allowed, and nothing more: of the calls that read what rules look at, and of those that
/// playbooks make.
package struct Permissions: Sendable {
    /// Sorted, each once.
    package let read: [Cloud: [String]]
    package let write: [Cloud: [String]]
    /// Of whoever lists organisations, which is no member account.
    package let discover: [Cloud: [String]]
    /// Of whoever keeps the audit log's checkpoints.
    package let audit: [Cloud: [String]]

    /// - Parameters:
    ///   - polled: calls that configured sources make beside.
    ///   - discovery: calls by which organisations are asked for their accounts.
    ///   - audit: calls that put checkpoints where they are kept.
    package init(
        catalog: Catalog, baseline: Baseline, playbooks: Playbooks, polled: [String] = [], discovery: [String] = [],
        audit: [String] = []
    ) {
        var reading: Set<String> = Set(polled)
        for type in baseline.typesRead.compactMap({ catalog.type($0) }) {
            reading.formUnion(type.read.map(\.call))
            if let list = type.list { reading.insert(list.call) }
        }
        read = Permissions.byCloud(reading, catalog)
        discover = Permissions.byCloud(Set(discovery), catalog)
        self.audit = Permissions.byCloud(Set(audit), catalog)
        let writing = playbooks.all + playbooks.all.compactMap(\.planting)
        write = Permissions.byCloud(Set(writing.flatMap(\.calls.keys)), catalog)
    }

    private static func byCloud(_ calls: Set<String>, _ catalog: Catalog) -> [Cloud: [String]] {
        var found: [Cloud: Set<String>] = [:]
        for call in calls.compactMap({ catalog.call($0) }) {
            guard let cloud = Cloud(rawValue: String(call.service.prefix { $0 != "/" })) else { continue }
            found[cloud, default: []].formUnion([call.permission] + call.alsoNeeds)
        }
        return found.mapValues { $0.sorted { $0.precedesInUTF8($1) } }
    }
}

extension Permissions {
    /// Characters that a managed policy of IAM may have, white space not counted (IAM's quotas).
    package static let mostPolicyCharacters = 6_144

    /// Policies for AWS: one, or as many as its limit of size asks for.
    package static func awsPolicies(_ actions: [String], id: String) -> [JSON] {
        var parts: [[String]] = [[]]
        for action in actions {
            let last = parts[parts.count - 1] + [action]
            if document(last, id: "\(id)\(parts.count)").canonicalText.count > mostPolicyCharacters {
                parts.append([action])
            } else {
                parts[parts.count - 1] = last
            }
        }
        return parts.enumerated().map { document($0.element, id: parts.count == 1 ? id : "\(id)\($0.offset + 1)") }
    }

    private static func document(_ actions: [String], id: String) -> JSON {
        [
            "Version": "2012-10-17",
            "Statement": [
                ["Sid": .string(id), "Effect": "Allow", "Action": .array(actions.map(JSON.string)), "Resource": "*"]
            ],
        ]
    }

    /// A custom role of Azure.
    ///
    /// - Parameter scopes: where it can be assigned: ids of subscriptions and management groups.
    package static func azureRole(_ actions: [String], name: String, scopes: [String]) -> JSON {
        [
            "Name": .string(name), "IsCustom": true, "Description": "What Holdfast needs, and nothing more",
            "Actions": .array(actions.map(JSON.string)), "NotActions": [],
            "AssignableScopes": .array(scopes.map(JSON.string)),
        ]
    }

    /// A custom role of Google Cloud, as the file that `gcloud iam roles create --file` takes.
    package static func googleRole(_ permissions: [String], title: String) -> String {
        let list = permissions.map { "- \($0)" }.joined(separator: "\n")
        return """
            title: \(title)
            description: What Holdfast needs, and nothing more
            stage: GA
            includedPermissions:
            \(list)
            """
    }
}
