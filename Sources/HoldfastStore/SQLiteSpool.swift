internal import Foundation
internal import GRDB
internal import HoldfastCore
package import HoldfastEngine

/// A replay's spool in a temporary database of SQLite's own: in memory while it is small, in a file without a name that
/// goes with the object once it is not.
package final class SQLiteSpool: ReplaySpool {
    private let queue: DatabaseQueue

    /// Pages in memory, 64 MiB; what is more goes to the temporary folder (`SQLITE_TMPDIR`, `TMPDIR`).
    private static let cacheKiB = 65_536

    package init() throws(JournalError) {
        do {
            var configuration = Configuration()
            configuration.label = "holdfast.spool"
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA page_size = 8192; PRAGMA cache_size = -\(Self.cacheKiB)")
                try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA temp_store = FILE")
                // No index while entries come: one sort at the end costs less than keeping order all along.
                for list in SpoolList.allCases {
                    try db.execute(
                        sql: """
                            CREATE TABLE list\(list.rawValue) (
                                sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, rank INTEGER NOT NULL,
                                id TEXT NOT NULL, body BLOB NOT NULL
                            ) STRICT
                            """)
                }
            }
            queue = try DatabaseQueue(path: "", configuration: configuration)
        } catch {
            throw spoolError(error, "be opened")
        }
    }

    package func append(_ entries: [SpoolEntry], to list: SpoolList) throws(JournalError) {
        guard !entries.isEmpty else { return }
        do {
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "BEGIN")
                let insert = try db.prepared(
                    "INSERT INTO list\(list.rawValue) (time, rank, id, body) VALUES (?, ?, ?, ?)")
                for entry in entries {
                    try insert.run([.time(entry.time), .int(entry.rank), .text(entry.id), .bytes(entry.body)])
                }
                try db.execute(sql: "COMMIT")
            }
        } catch {
            throw spoolError(error, "be written")
        }
    }

    package func page(
        of list: SpoolList, after: SpoolPlace?, limit: Int
    ) throws(JournalError) -> (entries: [SpoolEntry], next: SpoolPlace?) {
        let name = "list\(list.rawValue)"
        do {
            return try queue.writeWithoutTransaction { db in
                if after == nil {
                    try db.execute(
                        sql: "CREATE INDEX IF NOT EXISTS \(name)_in_order ON \(name) (time, rank, id)")
                }
                let rows = try db.prepared(
                    """
                    SELECT time, rank, id, sequence, body FROM \(name)
                    WHERE (time, rank, id, sequence) > (?, ?, ?, ?) ORDER BY time, rank, id, sequence LIMIT ?
                    """
                ).rows([
                    .int(after?.time.nanoseconds ?? .min), .int(after?.rank ?? -1), .text(after?.id ?? ""),
                    .int(after?.sequence ?? -1), .int(limit),
                ]) { row in
                    let place = SpoolPlace(
                        time: .init(nanoseconds: try row.int(0)), rank: Int(try row.int(1)), id: try row.text(2),
                        sequence: try row.int(3))
                    let entry = SpoolEntry(
                        time: place.time, rank: place.rank, id: place.id, body: try row.bytes(4))
                    return (entry: entry, place: place)
                }
                return (rows.map(\.entry), rows.count < limit ? nil : rows.last?.place)
            }
        } catch {
            throw spoolError(error, "be read")
        }
    }
}

private func spoolError(_ error: any Error, _ what: String) -> JournalError {
    JournalError(
        .failed,
        "the replay's temporary store cannot \(what): \(error); is there room in the temporary folder (TMPDIR)?")
}
