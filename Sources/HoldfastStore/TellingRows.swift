internal import GRDB
package import HoldfastCore
package import HoldfastEngine

extension Schema {
    /// What single people are told, and what they object to. occasion: when the finding was opened.
    static let tellings = """
        CREATE TABLE tellings (
            key INTEGER PRIMARY KEY, finding TEXT NOT NULL, person TEXT NOT NULL, occasion INTEGER NOT NULL,
            state TEXT NOT NULL, message TEXT NOT NULL, sent INTEGER, told INTEGER, body TEXT NOT NULL,
            UNIQUE (finding, person, occasion)
        ) STRICT;
        CREATE INDEX tellings_waiting ON tellings (key) WHERE state = 'waiting';
        CREATE INDEX tellings_by_message ON tellings (message);
        CREATE INDEX tellings_by_person ON tellings (person, sent);
        CREATE TABLE objections (
            key INTEGER PRIMARY KEY, finding TEXT NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL,
            at INTEGER NOT NULL, via TEXT NOT NULL, withdrawn INTEGER, UNIQUE (finding, person, at)
        ) STRICT;
        """
}

extension Commit {
    func write(tellings: [StoredTelling]) throws {
        let insert = try db.prepared(
            """
            INSERT INTO tellings (finding, person, occasion, state, message, body) VALUES (?, ?, ?, 'waiting', '', ?)
            ON CONFLICT (finding, person, occasion) DO NOTHING
            """)
        let update = try db.prepared(
            """
            UPDATE tellings SET state = ?, message = ?, told = ?, sent = coalesce(sent, ?)
            WHERE finding = ? AND person = ? AND occasion = ?
            """)
        for stored in tellings {
            try beforeStep("telling")
            let telling = stored.telling
            guard stored.state != .waiting else {
                try insert.run([
                    .text(telling.finding), .text(telling.person), .time(telling.occasion), .json(telling.json),
                ])
                continue
            }
            try update.run([
                .text(stored.state.rawValue), .text(stored.message), stored.told.map { .time($0) } ?? .null,
                stored.sent.map { .time($0) } ?? .null, .text(telling.finding), .text(telling.person),
                .time(telling.occasion),
            ])
        }
    }

    func write(objections: [Objection]) throws {
        let upsert = try db.prepared(
            """
            INSERT INTO objections (finding, person, reason, at, via, withdrawn) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (finding, person, at) DO UPDATE SET withdrawn = excluded.withdrawn
            """)
        for objection in objections {
            try beforeStep("objection")
            try upsert.run([
                .text(objection.finding), .text(objection.person), .text(objection.reason), .time(objection.at),
                .text(objection.via), objection.withdrawn.map { .time($0) } ?? .null,
            ])
        }
    }
}

extension SQLiteJournal {
    package func tellings(of finding: String, since: Timestamp) throws(JournalError) -> [StoredTelling] {
        try tellings("finding = ? AND occasion >= ?", [.text(finding), .time(since)])
    }

    package func tellings(in state: Telling.State, limit: Int) throws(JournalError) -> [StoredTelling] {
        try tellings("state = '\(state.rawValue)'", [], limit: limit)
    }

    package func tellings(inMessage id: String) throws(JournalError) -> [StoredTelling] {
        try tellings("message = ?", [.text(id)])
    }

    private func tellings(
        _ condition: String, _ values: [DatabaseValue], limit: Int = 1_000_000
    ) throws(JournalError) -> [StoredTelling] {
        try read { db in
            try db.prepared(
                "SELECT body, state, message, sent, told FROM tellings WHERE \(condition) ORDER BY key LIMIT ?"
            ).rows(values + [.int(limit)]) { row in
                guard let telling = Telling(json: try row.json(0)), let state = Telling.State(rawValue: try row.text(1))
                else { throw JournalError(.corrupt, "what a person is to be told is damaged in the journal") }
                return StoredTelling(
                    telling: telling, state: state, message: try row.text(2), sent: try row.optionalTime(3),
                    told: try row.optionalTime(4))
            }
        }
    }

    package func messages(to person: String, since: Timestamp) throws(JournalError) -> Int {
        try read { db in
            Int(
                try db.prepared("SELECT count(DISTINCT message) FROM tellings WHERE person = ? AND sent >= ?")
                    .integer([.text(person), .time(since)]) ?? 0)
        }
    }

    package func objections(to finding: String) throws(JournalError) -> [Objection] {
        try read { db in
            try db.prepared(
                "SELECT person, reason, at, via, withdrawn FROM objections WHERE finding = ? ORDER BY at, key"
            ).rows([.text(finding)]) { row in
                Objection(
                    finding: finding, person: try row.text(0), reason: try row.text(1), at: try row.time(2),
                    via: try row.text(3), withdrawn: try row.optionalTime(4))
            }
        }
    }
}
