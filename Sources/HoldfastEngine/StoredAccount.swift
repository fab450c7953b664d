package import HoldfastCore
internal import HoldfastJSON

/// An account, as text that is not mistaken for a number: `aws`, `012345670123`.
package struct AccountName: Sendable, Hashable, Comparable {
    package var cloud: Cloud
    /// Of Azure in lower case.
    package var id: String
    package init(cloud: Cloud, id: String) {
        self.cloud = cloud
        self.id = cloud == .azure ? id.lowercased() : id
    }
    package static func < (a: AccountName, b: AccountName) -> Bool {
        (a.cloud.rawValue, a.id) < (b.cloud.rawValue, b.id)
    }
}

/// What the journal holds of an account: what its organisation says of it, and when we last had to do with it.
package struct StoredAccount: Sendable, Hashable {
    /// What the organisation said when it last was asked.
    package struct Listing: Sendable, Hashable {
        /// The configuration's name of the organisation: `aws-organization 111122223333`.
        package var discovery: String
        /// As ``Classification`` reads them.
        package var facts: [String: String]
        /// Since when it says so.
        package var listed: Timestamp
        /// When the organisation no longer had it; its facts stay what they were.
        package var left: Timestamp?
        package init(discovery: String, facts: [String: String], listed: Timestamp, left: Timestamp? = nil) {
            self.discovery = discovery
            self.facts = facts
            self.listed = listed
            self.left = left
        }
    }
    package var cloud: Cloud
    /// Text: `012345670123`.
    package var id: String
    /// `nil`: no organisation was found to have it. In a transaction: as before.
    package var listing: Listing?
    /// The cloud's time of the newest event of it. This and the others: the latest counts.
    package var lastEvent: Timestamp?
    /// When something of it was last read.
    package var lastRead: Timestamp?
    /// When something in it was last written, by us.
    package var lastWrite: Timestamp?
    /// When its write-role was last refused.
    package var lastWriteDenied: Timestamp?

    package init(
        cloud: Cloud, id: String, listing: Listing? = nil, lastEvent: Timestamp? = nil, lastRead: Timestamp? = nil,
        lastWrite: Timestamp? = nil, lastWriteDenied: Timestamp? = nil
    ) {
        self.cloud = cloud
        self.id = id
        self.listing = listing
        self.lastEvent = lastEvent
        self.lastRead = lastRead
        self.lastWrite = lastWrite
        self.lastWriteDenied = lastWriteDenied
    }
}

/// What is known in one account, counted.
package struct AccountCounts: Sendable, Hashable {
    package var cloud: Cloud
    package var id: String
    /// Those that are there.
    package var resources = 0
    /// Open or stale, by severity.
    package var findings: [Severity: Int] = [:]
    package init(cloud: Cloud, id: String) {
        self.cloud = cloud
        self.id = id
    }
}

extension Configuration {
    /// The same with the accounts that organisations have, as the journal knows of them.
    package func knowing(_ stored: [StoredAccount]) -> Configuration {
        knowing(
            stored.compactMap { account in
                guard let listing = account.listing, listing.left == nil else { return nil }
                return (listing.discovery, account.cloud, account.id, listing.facts["name"] ?? "")
            })
    }
}
