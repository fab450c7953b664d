internal import GRDB
internal import HoldfastEngine

/// The tables, as the changes that made them. A change that has been shipped is never edited; a new one is added.
enum Schema {
    typealias Migration = @Sendable (Database) throws -> Void

    /// `HOLD`: tells a journal from another program's SQLite file.
    static let applicationID: Int64 = 0x484F_4C44

    /// The version of a journal is how many of these it has been through.
    static let migrations: [Migration] = [
        { db in try db.execute(sql: version1) }, { db in try db.execute(sql: positionNotes) },
        { db in try db.execute(sql: remediation) },
        { db in try db.execute(sql: accounts) },
        { db in try db.execute(sql: care) },
        { db in try db.execute(sql: sealing) },
        { db in try db.execute(sql: messages) },
        { db in try db.execute(sql: runStandings) },
        { db in try db.execute(sql: exemptions) },
        { db in try db.execute(sql: tellings) },
        { db in try db.execute(sql: drills) },
    ]

    /// Row ids are integers in the order of writing: a hash as a primary key costs 1.5 to 4 times as much. `WITHOUT
    /// ROWID` only where a row is its key and a number. Fat columns stand last, so that the others are read without
    /// them.
    private static let version1 = """
        CREATE TABLE parts (part TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE positions (
            source TEXT NOT NULL, part TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (source, part)
        ) STRICT, WITHOUT ROWID;

        -- One row a batch. through: how many ids were ever written, up to and with this row.
        CREATE TABLE event_ids (sequence INTEGER PRIMARY KEY, through INTEGER NOT NULL, ids BLOB NOT NULL) STRICT;
        -- The evidence log. seal: SHA-256 over the seal before it and this digest.
        CREATE TABLE batches (
            sequence INTEGER PRIMARY KEY, digest BLOB NOT NULL, seal BLOB NOT NULL, bytes BLOB NOT NULL
        ) STRICT;

        -- Every resource that was ever named has a number here.
        CREATE TABLE names (key INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (type, id)) STRICT;
        CREATE TABLE resources (
            key INTEGER PRIMARY KEY, shard INTEGER NOT NULL, cloud TEXT NOT NULL, account TEXT NOT NULL,
            region TEXT NOT NULL, deleted INTEGER NOT NULL, incarnation TEXT NOT NULL, catalog TEXT NOT NULL,
            refs BLOB NOT NULL, evidence BLOB NOT NULL
        ) STRICT;
        CREATE TABLE resource_references (
            path TEXT NOT NULL, value TEXT NOT NULL, resource INTEGER NOT NULL, PRIMARY KEY (path, value, resource)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE history (
            sequence INTEGER PRIMARY KEY, resource INTEGER NOT NULL, event TEXT NOT NULL, happened INTEGER NOT NULL,
            known INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, evidence BLOB NOT NULL,
            UNIQUE (resource, event)
        ) STRICT;

        CREATE TABLE findings (
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, resource INTEGER NOT NULL,
            state TEXT NOT NULL, severity TEXT NOT NULL, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX findings_by_resource ON findings (resource);
        CREATE INDEX findings_by_state ON findings (state, id);
        CREATE TABLE finding_changes (
            sequence INTEGER PRIMARY KEY, finding INTEGER NOT NULL, change TEXT NOT NULL, happened INTEGER NOT NULL,
            known INTEGER NOT NULL, cause TEXT NOT NULL, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX finding_changes_by_finding ON finding_changes (finding);
        CREATE TABLE plans (
            sequence INTEGER PRIMARY KEY, finding INTEGER NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX plans_by_finding ON plans (finding);

        -- latest: since of the mark that came last.
        CREATE TABLE dirty (
            resource INTEGER PRIMARY KEY, shard INTEGER NOT NULL, cloud TEXT NOT NULL, account TEXT NOT NULL,
            region TEXT NOT NULL, priority INTEGER NOT NULL, since INTEGER NOT NULL, latest INTEGER NOT NULL,
            not_before INTEGER NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL, generation INTEGER NOT NULL
        ) STRICT;
        -- The whole order of claims: a sweep marks all resources at one moment, and these must not be sorted each time.
        CREATE INDEX dirty_in_order ON dirty (priority, since, resource, not_before);
        CREATE INDEX dirty_by_due ON dirty (not_before);
        CREATE TABLE dirty_generation (one INTEGER PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL) STRICT;
        INSERT INTO dirty_generation VALUES (1, 0);

        CREATE TABLE timers (
            key INTEGER PRIMARY KEY, resource INTEGER NOT NULL, rule TEXT NOT NULL, due INTEGER NOT NULL,
            UNIQUE (resource, rule)
        ) STRICT;
        CREATE INDEX timers_by_due ON timers (due);
        CREATE TABLE sessions (
            key INTEGER PRIMARY KEY, session TEXT NOT NULL UNIQUE, opened INTEGER NOT NULL, caller TEXT NOT NULL,
            caller_type TEXT NOT NULL, caller_session TEXT NOT NULL
        ) STRICT;
        CREATE TABLE counters (
            name TEXT NOT NULL, label TEXT NOT NULL, hour INTEGER NOT NULL, amount INTEGER NOT NULL,
            PRIMARY KEY (name, label, hour)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dead_letters (
            key INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE, source TEXT NOT NULL, reason TEXT NOT NULL,
            received INTEGER NOT NULL, bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE notices (
            key INTEGER PRIMARY KEY, code TEXT NOT NULL, subject TEXT NOT NULL, raised INTEGER NOT NULL,
            closed INTEGER, text TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX notices_open ON notices (code, subject) WHERE closed IS NULL;

        CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
            previous TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL
        ) STRICT;
        -- What was written to an anchor, and when.
        CREATE TABLE checkpoints (
            key INTEGER PRIMARY KEY, at INTEGER NOT NULL, audit INTEGER NOT NULL, audit_digest TEXT NOT NULL,
            batch INTEGER NOT NULL, batch_seal TEXT NOT NULL
        ) STRICT;
        """

    /// What sources that read a part of a log again have had of it already.
    private static let positionNotes = "ALTER TABLE positions ADD COLUMN note BLOB NOT NULL DEFAULT x''"

    /// listed_by, facts, listed and gone: what the account's organisation says of it. facts: a JSON object of texts.
    private static let accounts = """
        CREATE TABLE accounts (
            cloud TEXT NOT NULL, account TEXT NOT NULL, event INTEGER, read INTEGER, write INTEGER,
            write_denied INTEGER, listed_by TEXT, listed INTEGER, gone INTEGER, facts TEXT,
            PRIMARY KEY (cloud, account)
        ) STRICT, WITHOUT ROWID;
        """

    /// segments: evidence whose batches were deleted, with the seal of the last; the audit log has the same.
    private static let sealing = """
        ALTER TABLE checkpoints ADD COLUMN signature TEXT NOT NULL DEFAULT '';
        CREATE INDEX checkpoints_by_time ON checkpoints (at);
        CREATE TABLE segments (
            last INTEGER PRIMARY KEY, first INTEGER NOT NULL, count INTEGER NOT NULL, root TEXT NOT NULL
        ) STRICT;
        """

    /// Brings a journal to the newest version, or says why it is not one.
    ///
    /// - Throws: ``JournalError`` `newerSchema`, `corrupt` for another program's file, or an error of SQLite.
    static func update(_ db: Database, migrations: [Migration], mayWrite: Bool) throws {
        let version = Int(try Int64.fetchOne(db, sql: "PRAGMA user_version") ?? 0)
        let application = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int64.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard application == applicationID || (application == 0 && version == 0 && tables == 0) else {
            throw JournalError(
                .corrupt, "it is an SQLite file of another program; give `store: sqlite:` the path of a new file")
        }
        guard version <= migrations.count else {
            throw JournalError(
                .newerSchema,
                "it has schema version \(version) and this holdfast knows up to \(migrations.count); "
                    + "run the newer holdfast that wrote it, or restore a copy from before its upgrade")
        }
        guard version < migrations.count else { return }
        guard mayWrite else {
            throw JournalError(
                .failed,
                "it has schema version \(version) and this holdfast reads \(migrations.count); "
                    + "start `holdfast run` once, which brings it up to date")
        }
        for (index, migration) in migrations.enumerated().dropFirst(version) {
            try db.inTransaction(.immediate) {
                try migration(db)
                try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
                return .commit
            }
        }
    }
}
