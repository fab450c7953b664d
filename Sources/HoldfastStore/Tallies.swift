internal import GRDB
package import HoldfastEngine

/// Sums for metrics, and whether the journal can be written at all.
extension SQLiteJournal {
    /// Reads every finding's row once: for a look every few seconds.
    package func tallies() throws(JournalError) -> JournalTallies {
        try read { db in
            let findings = try db.prepared(
                """
                SELECT state, severity, coalesce(json_extract(body, '$.environment'), '') AS environment, count(*)
                FROM findings GROUP BY state, severity, environment ORDER BY state, severity, environment
                """
            ).rows([]) { row in
                JournalTallies.Findings(
                    state: try row.text(0), severity: try row.text(1), environment: try row.text(2),
                    count: Int(try row.int(3)))
            }
            let counters = try db.prepared("SELECT name, sum(amount) FROM counters GROUP BY name ORDER BY name").rows(
                []
            ) { (name: try $0.text(0), amount: try $0.int(1)) }
            let resources = try db.prepared("SELECT count(*) FROM resources WHERE deleted = 0").first([]) {
                Int(try $0.int(0))
            }
            let deadLetters = try db.prepared("SELECT count(*) FROM dead_letters").first([]) { Int(try $0.int(0)) }
            return JournalTallies(
                findings: findings, counters: counters, resources: resources ?? 0, deadLetters: deadLetters ?? 0)
        }
    }

    /// Writes what is there already, so that a full disk, a lost file system or another writer shows.
    package func probe() throws(JournalError) {
        try write(durable: false, "probe") { db in try db.execute(sql: "UPDATE dirty_generation SET value = value") }
    }

    /// The version of a journal's tables, and the newest that this program knows.
    package func schemaVersion() throws(JournalError) -> (own: Int, newest: Int) {
        let own = try read { db in try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 }
        return (own, Schema.migrations.count)
    }
}
