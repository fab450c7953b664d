internal import GRDB
internal import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

extension Commit {
    func write(accounts: [StoredAccount]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO accounts (cloud, account, event, read, write, write_denied, listed_by, listed, gone, facts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (cloud, account) DO UPDATE SET
                event = max(coalesce(event, excluded.event), coalesce(excluded.event, event)),
                read = max(coalesce(read, excluded.read), coalesce(excluded.read, read)),
                write = max(coalesce(write, excluded.write), coalesce(excluded.write, write)),
                write_denied = max(
                    coalesce(write_denied, excluded.write_denied), coalesce(excluded.write_denied, write_denied)),
                listed = CASE WHEN excluded.listed_by IS NULL THEN listed ELSE excluded.listed END,
                gone = CASE WHEN excluded.listed_by IS NULL THEN gone ELSE excluded.gone END,
                facts = coalesce(excluded.facts, facts), listed_by = coalesce(excluded.listed_by, listed_by)
            """)
        for account in accounts {
            try beforeStep("account")
            let listing = account.listing
            let facts = listing.map { listing in
                JSON.object(JSONObject(listing.facts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
            }
            try upsert.run([
                .text(account.cloud.rawValue), .text(account.id), .optionalTime(account.lastEvent),
                .optionalTime(account.lastRead), .optionalTime(account.lastWrite),
                .optionalTime(account.lastWriteDenied), listing.map { .text($0.discovery) } ?? .null,
                .optionalTime(listing?.listed), .optionalTime(listing?.left), facts.map { .json($0) } ?? .null,
            ])
        }
    }
}

extension DatabaseValue {
    fileprivate static func optionalTime(_ time: Timestamp?) -> DatabaseValue { time.map { .time($0) } ?? .null }
}

extension SQLiteJournal {
    package func accounts() throws(JournalError) -> [StoredAccount] {
        try read { db in
            try db.prepared(
                """
                SELECT cloud, account, event, read, write, write_denied, listed_by, listed, gone, facts
                FROM accounts ORDER BY cloud, account
                """
            ).rows([]) { row in
                var account = StoredAccount(
                    cloud: try row.choice(0, Cloud.self), id: try row.text(1), lastEvent: try row.optionalTime(2),
                    lastRead: try row.optionalTime(3), lastWrite: try row.optionalTime(4),
                    lastWriteDenied: try row.optionalTime(5))
                guard !row.isNull(6) else { return account }
                let facts = (try row.json(9)).object?.members.map { ($0.name, $0.value.string ?? "") } ?? []
                account.listing = StoredAccount.Listing(
                    discovery: try row.text(6), facts: Dictionary(facts) { first, _ in first },
                    listed: try row.time(7), left: try row.optionalTime(8))
                return account
            }
        }
    }

    package func accountCounts() throws(JournalError) -> [AccountCounts] {
        let rows = try readOneMoment { db in
            let resources = try db.prepared(
                "SELECT cloud, account, '', count(*) FROM resources WHERE deleted = 0 GROUP BY cloud, account"
            ).rows([], SQLiteJournal.count)
            // The few live findings lead; each looks up its resource.
            let findings = try db.prepared(
                """
                SELECT r.cloud, r.account, f.severity, count(*)
                FROM findings f CROSS JOIN resources r ON r.key = f.resource
                WHERE f.state IN ('open', 'stale') GROUP BY r.cloud, r.account, f.severity
                """
            ).rows([], SQLiteJournal.count)
            return resources + findings
        }
        var counts: [AccountCounts] = []
        for row in rows.sorted(by: { ($0.cloud, $0.id, $0.severity) < ($1.cloud, $1.id, $1.severity) }) {
            if counts.last?.id != row.id || counts.last?.cloud.rawValue != row.cloud {
                guard let cloud = Cloud(rawValue: row.cloud) else { continue }
                counts.append(AccountCounts(cloud: cloud, id: row.id))
            }
            if let severity = Severity(rawValue: row.severity) {
                counts[counts.count - 1].findings[severity] = row.amount
            } else {
                counts[counts.count - 1].resources = row.amount
            }
        }
        return counts
    }

    private static func count(
        _ row: StoredRow
    ) throws -> (cloud: String, id: String, severity: String, amount: Int) {
        (try row.text(0), try row.text(1), try row.text(2), Int(try row.int(3)))
    }
}
