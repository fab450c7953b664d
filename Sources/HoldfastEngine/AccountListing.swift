package import HoldfastCore
internal import HoldfastJSON

/// What an organisation said of its accounts, against what the journal knows: what changes by it.
package struct AccountListing: Sendable {
    /// Accounts that are new, or of which something else is said, or that are no longer there; by id.
    package private(set) var changed: [StoredAccount] = []
    /// It says that it has none, and it had some: rather a fault than the truth.
    package private(set) var isImplausible = false
    /// What came and went, for the audit log.
    package private(set) var audit: [AuditEntry] = []

    /// - Parameters:
    ///   - isWhole: all of the organisation was listed; else nothing is said of accounts that are not among the found.
    ///   - known: all that the journal knows.
    package init(
        _ found: [DiscoveredAccount], isWhole: Bool, of discovery: Configuration.Discovery, known: [StoredAccount],
        now: Timestamp
    ) {
        let old = Dictionary(grouping: known.filter { $0.cloud == discovery.cloud }, by: \.id)
        let own = known.filter { $0.listing?.discovery == discovery.name && $0.listing?.left == nil }
        let listed = found.filter { !discovery.except.contains($0.id) }
        for account in listed {
            let before = old[account.id]?.first?.listing
            let facts = AccountListing.facts(of: account, before: before?.facts ?? [:])
            if let before, before.facts == facts, before.left == nil, before.discovery == discovery.name { continue }
            if before == nil || before?.left != nil { tell("account-enrolled", account.id, facts, discovery, now) }
            changed.append(
                StoredAccount(
                    cloud: account.cloud, id: account.id,
                    listing: .init(discovery: discovery.name, facts: facts, listed: now)))
        }
        guard isWhole else { return }
        isImplausible = found.isEmpty && !own.isEmpty
        guard !isImplausible else { return }
        let there = Set(found.map(\.id))
        for account in own where !there.contains(account.id) {
            guard var listing = account.listing else { continue }
            listing.left = now
            tell("account-left", account.id, listing.facts, discovery, now)
            changed.append(StoredAccount(cloud: account.cloud, id: account.id, listing: listing))
        }
        changed.sort { $0.id.precedesInUTF8($1.id) }
    }

    /// Tags that cannot be read now stay what they were, where they were ever read.
    private static func facts(of account: DiscoveredAccount, before: [String: String]) -> [String: String] {
        guard account.facts[Classification.unread] != nil, !before.isEmpty, before[Classification.unread] == nil
        else { return account.facts }
        var facts = account.facts
        facts[Classification.unread] = nil
        return facts.merging(before.filter { $0.key.hasPrefix("tag:") }) { now, _ in now }
    }

    private mutating func tell(
        _ kind: String, _ id: String, _ facts: [String: String], _ discovery: Configuration.Discovery, _ now: Timestamp
    ) {
        let said = facts.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        audit.append(
            AuditEntry(
                kind: kind, at: now,
                body: [
                    "cloud": .string(discovery.cloud.rawValue), "account": .string(id),
                    "discovery": .string(discovery.name), "facts": .object(JSONObject(said)),
                ]))
    }
}
