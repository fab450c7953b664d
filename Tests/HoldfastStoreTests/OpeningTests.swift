import Foundation
import GRDB
import HoldfastCore
import HoldfastEngine
import Testing

@testable import HoldfastStore

@Suite("Opening a journal")
struct OpeningTests {
    private func expect(
        _ code: JournalError.Code, _ phrases: [String], _ body: () throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: JournalError.self, sourceLocation: sourceLocation, performing: body)
        #expect(error?.code == code, sourceLocation: sourceLocation)
        for phrase in phrases {
            #expect(error?.message.contains(phrase) == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        }
    }

    @Test("A journal of an older version is brought up to date and keeps what it has")
    func migration() throws {
        let folder = try TemporaryFolder()
        let place = SQLiteJournal.Place.file(folder.file("holdfast.db"))
        let before: [String] = try {
            let journal = try SQLiteJournal(place)
            let lease = try journal.acquire(part: "shards")
            try journal.commit(with([lease], Sample.everything(round: 1)))
            return try contentsOf(journal)
        }()
        let later: Schema.Migration = { db in
            try db.execute(sql: "ALTER TABLE findings ADD COLUMN owner TEXT NOT NULL DEFAULT 'nobody'")
        }
        let broken: Schema.Migration = { db in
            try db.execute(sql: "CREATE TABLE half (a INTEGER)")
            try db.execute(sql: "ALTER TABLE no_such_table ADD COLUMN a INTEGER")
        }
        func open(_ more: [Schema.Migration], access: SQLiteJournal.Access = .readWrite) throws -> SQLiteJournal {
            try SQLiteJournal(place, access: access, beforeStep: { _ in }, migrations: Schema.migrations + more)
        }
        let version = Schema.migrations.count
        expect(.failed, ["version \(version)", "reads \(version + 1)", "holdfast run"]) {
            _ = try open([later], access: .readOnly)
        }
        expect(.failed, ["no_such_table"]) { _ = try open([later, broken]) }
        for _ in 1...2 {
            let journal = try open([later])
            #expect(try contentsOf(journal) == before)
            let owners = try journal.queue.read { db in
                try String.fetchAll(db, sql: "SELECT DISTINCT owner FROM findings")
            }
            #expect(owners == ["nobody"])
            #expect(try journal.queue.read { try $0.tableExists("half") } == false)
        }
        expect(.newerSchema, ["version \(version + 1)", "up to \(version)", "newer holdfast"]) {
            _ = try SQLiteJournal(place)
        }
        expect(.newerSchema, ["version \(version + 1)"]) { _ = try SQLiteJournal(place, access: .readOnly) }
    }

    @Test("Files that are no journal are refused and left alone")
    func otherFiles() throws {
        let folder = try TemporaryFolder()
        let text = folder.file("text.db")
        let bytes = Data(repeating: UInt8(ascii: "x"), count: 40_000)
        try bytes.write(to: URL(filePath: text))
        expect(.corrupt, [text, "not a database"]) { _ = try SQLiteJournal(.file(text)) }
        #expect(try Data(contentsOf: URL(filePath: text)) == bytes)

        let other = folder.file("other.db")
        try DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE songs (title TEXT)") }
        expect(.corrupt, [other, "another program"]) { _ = try SQLiteJournal(.file(other)) }

        let nowhere = folder.file("no/such/folder/holdfast.db")
        expect(.failed, [nowhere, "folder must exist"]) { _ = try SQLiteJournal(.file(nowhere)) }
    }

    @Test("A damaged journal is reported as corrupt, not read as something else")
    func damage() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("holdfast.db")
        try {
            let journal = try SQLiteJournal(.file(path))
            let lease = try journal.acquire(part: "shards")
            try journal.commit(with([lease], Sample.everything(round: 1)))
            try journal.close()
        }()
        var bytes = try Data(contentsOf: URL(filePath: path))
        for index in 4096..<bytes.count { bytes[index] = 0xAA }
        try bytes.write(to: URL(filePath: path))
        expect(.corrupt, [path, "restore it"]) {
            let journal = try SQLiteJournal(.file(path))
            _ = try contentsOf(journal)
        }
    }

    @Test("One process writes: a second one is told who does, and may come when the first has gone")
    func instances() throws {
        let folder = try TemporaryFolder()
        let place = SQLiteJournal.Place.file(folder.file("holdfast.db"))
        try {
            let first = try SQLiteJournal(place)
            expect(.busy, ["process \(ProcessInfo.processInfo.processIdentifier)", "stop that one"]) {
                _ = try SQLiteJournal(place)
            }
            #expect(throws: Never.self) { try first.acquire(part: "shards") }
        }()
        #expect(throws: Never.self) { try SQLiteJournal(place).acquire(part: "shards") }
    }

    @Test("A command reads beside the service: what is committed, and no writes")
    func reading() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("holdfast.db")
        expect(.failed, [path]) { _ = try SQLiteJournal(.file(path), access: .readOnly) }
        #expect(!FileManager.default.fileExists(atPath: path))

        let writer = try SQLiteJournal(.file(path))
        let lease = try writer.acquire(part: "shards")
        try writer.commit(with([lease], Sample.everything(round: 1)))
        let reader = try SQLiteJournal(.file(path), access: .readOnly)
        #expect(try contentsOf(reader) == contentsOf(writer))
        try writer.commit(with([lease], Sample.everything(round: 2)))
        #expect(try contentsOf(reader) == contentsOf(writer))
        expect(.failed, ["only read"]) { try reader.commit(with([lease], Sample.everything(round: 1))) }
        expect(.failed, ["only read"]) { _ = try reader.acquire(part: "shards") }
    }

    @Test("A journal that another process holds in a transaction is busy, not broken")
    func held() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("holdfast.db")
        let journal = try SQLiteJournal(.file(path))
        let lease = try journal.acquire(part: "shards")
        try journal.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 1") }
        let other = try DatabaseQueue(path: path)
        try other.inTransaction(.immediate) { _ in
            expect(.busy, [path, "another process"]) {
                try journal.commit(with([lease], Sample.everything(round: 1)))
            }
            return .rollback
        }
        #expect(throws: Never.self) { try journal.commit(with([lease], Sample.everything(round: 1))) }
    }

    @Test("Values that the schema does not allow are a corrupt journal, never a trap")
    func tamperedValues() throws {
        let bench = try Bench(JournalKind.all[0])
        let journal = try #require(bench.journal as? SQLiteJournal)
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 1)) }
        for sql in [
            "UPDATE findings SET severity = 'awful'", "UPDATE resources SET cloud = 'fog'",
            "UPDATE findings SET body = '{'", "UPDATE resources SET refs = x'ff000000'",
            "UPDATE event_ids SET ids = x'01'",
        ] {
            try journal.queue.inTransaction { db in
                try db.execute(sql: sql)
                return .commit
            }
            expect(.corrupt, []) { _ = try contentsOf(journal) }
            try journal.queue.writeWithoutTransaction { db in
                try db.execute(sql: "UPDATE findings SET severity = 'high', body = '{}'")
                try db.execute(sql: "UPDATE resources SET cloud = 'aws', refs = x''")
                try db.execute(sql: "UPDATE event_ids SET ids = x''")
            }
            #expect(throws: Never.self) { try contentsOf(journal) }
        }
    }
}
