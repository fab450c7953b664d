internal import GRDB
internal import HoldfastCore
package import HoldfastEngine

extension Schema {
    /// Who looks after a finding; and plans are found by their digest.
    static let care = """
        CREATE TABLE cares (
            finding TEXT PRIMARY KEY, acknowledged_by TEXT NOT NULL, acknowledged INTEGER, assignee TEXT NOT NULL,
            note TEXT NOT NULL
        ) STRICT;
        CREATE INDEX plans_by_digest ON plans (digest);
        """
}

extension Commit {
    func write(cares: [Care]) throws {
        let upsert = try db.prepared(
            """
            INSERT OR REPLACE INTO cares (finding, acknowledged_by, acknowledged, assignee, note) VALUES (?, ?, ?, ?, ?)
            """)
        for care in cares {
            try beforeStep("care")
            try upsert.run([
                .text(care.finding), .text(care.acknowledgedBy), care.acknowledged.map { .time($0) } ?? .null,
                .text(care.assignee), .text(care.note),
            ])
        }
    }
}

extension SQLiteJournal {
    package func care(of finding: String) throws(JournalError) -> Care? {
        try read { db in
            try db.prepared("SELECT acknowledged_by, acknowledged, assignee, note FROM cares WHERE finding = ?").first([
                .text(finding)
            ]) { row in
                Care(
                    finding: finding, acknowledgedBy: try row.text(0), acknowledged: try row.optionalTime(1),
                    assignee: try row.text(2), note: try row.text(3))
            }
        }
    }

    package func plans(
        beginning digest: String, limit: Int
    ) throws(JournalError) -> [(digest: String, finding: String)] {
        try read { db in
            // Digests are hexadecimal digits, so that `g` comes after all that begin so.
            try db.prepared(
                """
                SELECT p.digest, f.id FROM plans p JOIN findings f ON f.key = p.finding
                WHERE p.digest >= ? AND p.digest < ? AND p.digest <> '' GROUP BY p.digest, f.id
                ORDER BY max(p.sequence) DESC LIMIT ?
                """
            ).rows([.text(digest), .text(digest + "g"), .int(limit)]) {
                (digest: try $0.text(0), finding: try $0.text(1))
            }
        }
    }
}
