internal import GRDB
internal import HoldfastCore
package import HoldfastEngine

extension Schema {
    /// Exemptions that were asked for through the server.
    static let exemptions = """
        CREATE TABLE exemptions (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
        """
}

extension Commit {
    func write(exemptions: [ExemptionRecord]) throws {
        let upsert = try db.prepared(
            "INSERT INTO exemptions (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body")
        for record in exemptions {
            try beforeStep("exemption")
            try upsert.run([.text(record.id), .json(record.json)])
        }
    }
}

extension SQLiteJournal {
    package func exemptions() throws(JournalError) -> [ExemptionRecord] {
        try read { db in
            try db.prepared("SELECT id, body FROM exemptions ORDER BY key").rows([]) { row in
                guard let record = ExemptionRecord(json: try row.json(1)) else {
                    throw JournalError(.corrupt, "the exemption \(try row.text(0)) in the journal cannot be read")
                }
                return record
            }
        }
    }
}
