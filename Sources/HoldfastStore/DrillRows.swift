internal import GRDB
package import HoldfastCore
package import HoldfastEngine

extension Schema {
    static let drills = """
        CREATE TABLE drills (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, playbook TEXT NOT NULL, digest TEXT NOT NULL,
            resource TEXT NOT NULL, environment TEXT NOT NULL, phase TEXT NOT NULL, ended INTEGER, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX drills_open ON drills (key) WHERE ended IS NULL;
        CREATE INDEX drills_by_standing ON drills (digest, phase, environment, ended);
        """
}

extension Commit {
    func write(drills: [Drill]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO drills (id, playbook, digest, resource, environment, phase, ended, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, ended = excluded.ended, body = excluded.body
            """)
        for drill in drills {
            try beforeStep("drill")
            try upsert.run([
                .text(drill.id), .text(drill.playbook), .text(drill.playbookDigest), .text(drill.resource.id),
                .text(drill.environment), .text(drill.phase.rawValue), drill.ended.map { .time($0) } ?? .null,
                .json(drill.json),
            ])
        }
    }
}

extension SQLiteJournal {
    package func openDrills() throws(JournalError) -> [Drill] {
        try drills("WHERE ended IS NULL ORDER BY key", [])
    }

    package func drills(limit: Int) throws(JournalError) -> [Drill] {
        try drills("ORDER BY key DESC LIMIT ?", [.int(limit)])
    }

    package func drill(id: String) throws(JournalError) -> Drill? {
        try drills("WHERE id = ?", [.text(id)]).first
    }

    package func lastDrill(playbook: String, resource: String) throws(JournalError) -> Drill? {
        try drills(
            "WHERE playbook = ? AND resource = ? ORDER BY key DESC LIMIT 1", [.text(playbook), .text(resource)]
        ).first
    }

    package func drillsPassed(
        playbookDigest: String, environment: String, since: Timestamp
    ) throws(JournalError) -> Int {
        try read { db in
            Int(
                try db.prepared(
                    """
                    SELECT count(*) FROM drills
                    WHERE digest = ? AND phase = 'passed' AND environment = ? AND ended > ?
                    """
                ).integer([.text(playbookDigest), .text(environment), .time(since)]) ?? 0)
        }
    }

    private func drills(_ sql: String, _ values: [DatabaseValue]) throws(JournalError) -> [Drill] {
        try read { db in
            try db.prepared("SELECT body FROM drills \(sql)").rows(values) { row in
                guard let drill = Drill(json: try row.json(0)) else {
                    throw JournalError(.corrupt, "a drill in the journal is damaged")
                }
                return drill
            }
        }
    }
}
