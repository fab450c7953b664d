/// A resource of a cloud: its type in the cloud's own words and its one canonical id by the catalog.
package struct ResourceID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// `AWS::S3::Bucket`, `Microsoft.Storage/storageAccounts`, `storage.googleapis.com/Bucket`.
    package let type: String
    /// The catalog's canonical form; ARM ids in lower case. An unresolved alias is
    /// `alias:KIND/VALUE@ACCOUNT/REGION`, which is described and never dropped.
    package let id: String

    package init(type: String, id: String) {
        self.type = type
        self.id = id
    }
    package var description: String { "\(type) \(id)" }
    package var isAlias: Bool { id.hasPrefix("alias:") }
    package static func < (a: ResourceID, b: ResourceID) -> Bool { (a.type, a.id) < (b.type, b.id) }
}

/// Where a resource stands, beside its id: what scopes and classification look at.
package struct ResourceContext: Sendable, Hashable {
    package var cloud: Cloud
    package var account: String
    /// Empty for a global resource.
    package var region: String
    package init(cloud: Cloud, account: String, region: String) {
        self.cloud = cloud
        self.account = account
        self.region = region
    }
}

/// How severe a finding is; compared by what comes first on call.
package enum Severity: String, Sendable, Hashable, CaseIterable, Comparable {
    case low, medium, high, critical

    package static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    /// 0 for `low` to 3 for `critical`.
    package var rank: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        case .critical: 3
        }
    }
}
