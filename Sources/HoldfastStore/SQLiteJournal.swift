internal import GRDB
package import HoldfastEngine

/// The journal on SQLite: one process, one connection, one synchronous commit path.
///
/// A commit is one transaction. In the write-ahead log's `synchronous=NORMAL` a power cut may take the last commits
/// away, whole and from the end, positions with them, so that their records come again; a transaction that must be
/// durable is committed with `FULL`, and with it all before it.
package final class SQLiteJournal: Journal {
    package enum Place: Sendable, Hashable {
        /// Relative to the working directory or absolute. `-wal`, `-shm` and `.lock` stand beside it.
        case file(String)
        /// Gone with the object: for simulation and tests.
        case inMemory
    }

    package enum Access: Sendable, Hashable {
        /// The one process that writes; holds `PATH.lock` as long as it lives.
        case readWrite
        /// For commands beside a running service. Changes nothing, not even the schema.
        case readOnly
    }

    /// Called before each write of a commit with the write's name. What it throws rolls the commit back whole, as a
    /// crash at that point would. It must not call the journal.
    package typealias BeforeStep = @Sendable (_ step: String) throws -> Void

    /// Ids of events kept for the window of known events; older ones are dropped as new ones come.
    package static let keptEventIDs: Int64 = 4_000_000

    let queue: DatabaseQueue
    let place: Place
    let access: Access
    let beforeStep: BeforeStep
    private let lock: InstanceLock?

    /// Opens a journal, makes it where there is none, and brings its schema up to date.
    ///
    /// - Throws: `busy` where another process writes to it, `newerSchema`, `corrupt`, `full`, or `failed` with the
    ///   reason.
    package convenience init(
        _ place: Place, access: Access = .readWrite, beforeStep: @escaping BeforeStep = { _ in }
    ) throws(JournalError) {
        try self.init(place, access: access, beforeStep: beforeStep, migrations: Schema.migrations)
    }

    /// - Parameter migrations: other than the shipped ones in tests of upgrades.
    init(
        _ place: Place, access: Access, beforeStep: @escaping BeforeStep, migrations: [Schema.Migration]
    ) throws(JournalError) {
        self.place = place
        self.access = access
        self.beforeStep = beforeStep
        if case .file(let path) = place, access == .readWrite {
            lock = try InstanceLock(path: path)
        } else {
            lock = nil
        }
        do {
            queue = try SQLiteJournal.open(place, access: access)
            try queue.writeWithoutTransaction { db in
                try Schema.update(db, migrations: migrations, mayWrite: access == .readWrite)
            }
        } catch {
            throw journalError(error, place: place, during: "open")
        }
    }

    private static func open(_ place: Place, access: Access) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "holdfast.journal"
        configuration.readonly = access == .readOnly
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            // Pages of 4 KiB: rows are written here and there, and each takes its whole page to the log and back. With
            // 16 KiB a batch of 500 wrote 2.3 times the bytes. Set before the write-ahead log is on, fixed afterwards.
            try db.execute(sql: "PRAGMA page_size = 4096")
            // 32 MiB of pages in memory; the log is folded in at 16 MiB.
            try db.execute(sql: "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        switch place {
        case .inMemory:
            return try DatabaseQueue(configuration: configuration)
        case .file(let path):
            if access == .readWrite { configuration.journalMode = .wal }
            return try DatabaseQueue(path: path, configuration: configuration)
        }
    }

    /// Whether a process writes to the journal at a path.
    package static func isOwned(path: String) -> Bool { InstanceLock.isHeld(path: path) }

    /// Folds the write-ahead log in. The journal cannot be used afterwards; its lock goes with the object.
    package func close() throws(JournalError) {
        do {
            try queue.close()
        } catch {
            throw journalError(error, place: place, during: "close")
        }
    }

    package func acquire(part: String) throws(JournalError) -> Lease {
        try write(durable: true, "take \(part) in") { db in
            try self.beforeStep("part")
            try db.prepared(
                """
                INSERT INTO parts (part, epoch) VALUES (?, 1) ON CONFLICT (part) DO UPDATE SET epoch = epoch + 1
                """
            ).run([.text(part)])
            let epoch = try db.prepared("SELECT epoch FROM parts WHERE part = ?").integer([.text(part)])
            try self.beforeStep("commit")
            return Lease(part: part, epoch: epoch ?? 1)
        }
    }

    package func commit(_ transaction: JournalTransaction) throws(JournalError) {
        try write(durable: transaction.mustBeDurable, "write to") { db in
            var commit = Commit(db: db, beforeStep: self.beforeStep)
            try commit.write(transaction)
        }
    }

    /// Runs one transaction, whole or not at all.
    func write<T>(
        durable: Bool, _ doing: String, _ body: (Database) throws -> T
    ) throws(JournalError) -> T {
        do {
            return try queue.writeWithoutTransaction { db in
                // Not inside a transaction, where SQLite passes the pragma over. GRDB leaves NORMAL behind on opening.
                if durable { try db.execute(sql: "PRAGMA synchronous = FULL") }
                defer {
                    // Where this fails, later commits are safer than they need be.
                    if durable { try? db.execute(sql: "PRAGMA synchronous = NORMAL") }
                }
                var result: T?
                try db.inTransaction(.immediate) {
                    result = try body(db)
                    return .commit
                }
                guard let result else { throw JournalError(.failed, "the transaction was not run") }
                return result
            }
        } catch {
            throw journalError(error, place: place, during: doing)
        }
    }

    /// Runs one read.
    func read<T>(_ body: (Database) throws -> T) throws(JournalError) -> T {
        do {
            return try queue.unsafeRead(body)
        } catch {
            throw journalError(error, place: place, during: "read")
        }
    }

    /// Runs several reads that see one moment, also beside a process that writes.
    func readOneMoment<T>(_ body: (Database) throws -> T) throws(JournalError) -> T {
        do {
            return try queue.unsafeRead { db in
                var result: T?
                try db.inTransaction(.deferred) {
                    result = try body(db)
                    return .commit
                }
                guard let result else { throw JournalError(.failed, "the reads were not run") }
                return result
            }
        } catch {
            throw journalError(error, place: place, during: "read")
        }
    }
}
