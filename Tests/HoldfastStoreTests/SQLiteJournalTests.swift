import Foundation
import GRDB
import HoldfastCore
import HoldfastEngine
import Synchronization
import Testing

@testable import HoldfastStore

@Suite("The journal on SQLite")
struct SQLiteJournalTests {
    static let disk = JournalKind.all[0]

    /// What is on the disk at this moment, as another process would find it after a kill: the file and its log.
    private func copy(of bench: Bench, to name: String, logBytes: Int? = nil) throws -> String {
        let path = bench.folder.file("holdfast.db")
        let target = bench.folder.file(name)
        for ending in ["", "-wal"] { try? FileManager.default.removeItem(atPath: target + ending) }
        try FileManager.default.copyItem(atPath: path, toPath: target)
        var log = try Data(contentsOf: URL(filePath: path + "-wal"))
        if let logBytes { log = log.prefix(logBytes) }
        try log.write(to: URL(filePath: target + "-wal"))
        return target
    }

    private func contents(at path: String) throws -> [String] {
        let journal = try SQLiteJournal(.file(path))
        let contents = try contentsOf(journal)
        try journal.close()
        return contents
    }

    @Test("A journal opened again has what was committed, and goes on from there")
    func reopening() throws {
        let folder = try TemporaryFolder()
        let place = SQLiteJournal.Place.file(folder.file("holdfast.db"))
        let (lease, before) = try {
            let first = try SQLiteJournal(place)
            let lease = try first.acquire(part: "shards")
            try first.commit(with([lease], Sample.everything(round: 1)))
            let before = try contentsOf(first)
            try first.close()
            return (lease, before)
        }()
        let second = try SQLiteJournal(place)
        #expect(try contentsOf(second) == before)
        #expect(throws: Never.self) { try second.commit(with([lease], Sample.everything(round: 2))) }
        #expect(try second.acquire(part: "shards").epoch == lease.epoch + 1)
        #expect(try second.auditEntries(after: 0, limit: 9).map(\.sequence) == [1, 2])
    }

    @Test("A process killed at any write of a commit leaves the state before it")
    func killedInCommit() throws {
        let bench = try Bench(Self.disk)
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 1)) }
        let before = try bench.contents()
        let copies = Mutex<[String]>([])
        bench.crash.observe { step in
            let name = copies.withLock { names in "killed-\(names.count)-\(step).db" }
            let path = try copy(of: bench, to: name)
            copies.withLock { $0.append(path) }
        }
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 2)) }
        bench.crash.observe(nil)
        let paths = copies.withLock(\.self)
        #expect(paths.count >= 25)
        for path in paths { #expect(try contents(at: path) == before, "\(path)") }
        #expect(try contents(at: copy(of: bench, to: "after.db")) == bench.contents())
    }

    @Test("A power cut that takes the end of the log leaves one of the committed states")
    func cutLog() throws {
        let bench = try Bench(Self.disk)
        var states = [try bench.contents()]
        for round in 1...3 as ClosedRange<Int64> {
            try bench.commit { $0 = with($0.leases, Sample.everything(round: round)) }
            states.append(try bench.contents())
        }
        let size = try Data(contentsOf: URL(filePath: bench.folder.file("holdfast.db-wal"))).count
        var found = Set<Int>()
        var dice = SplitMix(state: 7)
        for _ in 0..<60 {
            let path = try copy(of: bench, to: "cut.db", logBytes: Int(dice.next() % UInt64(size)))
            let index = states.firstIndex(of: try contents(at: path))
            #expect(index != nil, "a state that was never committed")
            if let index { found.insert(index) }
        }
        #expect(found.count >= 3)
    }

    @Test("Durable transactions, and only those, wait for the disk")
    func durability() throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(.file(folder.file("holdfast.db")))
        let lease = try journal.acquire(part: "shards")
        let statements = Mutex<[String]>([])
        func trace(_ durable: Bool) throws -> [String] {
            statements.withLock { $0 = [] }
            var transaction = with([lease], Sample.everything(round: 1))
            transaction.mustBeDurable = durable
            try journal.commit(transaction)
            return statements.withLock { $0.filter { $0.contains("synchronous") || $0.hasPrefix("COMMIT") } }
        }
        journal.queue.writeWithoutTransaction { db in
            db.trace(options: .statement) { event in statements.withLock { $0.append("\(event)") } }
        }
        #expect(try trace(false).map { $0.prefix(6) } == ["COMMIT"])
        #expect(
            try trace(true).map { $0.prefix(22) } == [
                "PRAGMA synchronous = F", "COMMIT TRANSACTION", "PRAGMA synchronous = N",
            ])
        func level() throws -> Int? {
            try journal.queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        }
        #expect(try level() == 1)
        #expect(throws: JournalError.self) {
            var transaction = JournalTransaction()
            transaction.mustBeDurable = true
            try journal.commit(transaction)
        }
        #expect(try level() == 1)
        #expect(try journal.queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA page_size") } == 4096)
    }

    @Test("A full disk refuses the transaction whole, and the journal goes on when there is space again")
    func fullDisk() throws {
        let bench = try Bench(Self.disk)
        let journal = try #require(bench.journal as? SQLiteJournal)
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 1)) }
        let before = try bench.contents()
        func limit(pages: String) throws {
            try journal.queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA max_page_count = \(pages)")
            }
        }
        try limit(pages: "1")
        let error = #expect(throws: JournalError.self) {
            try bench.commit {
                $0 = with($0.leases, Sample.everything(round: 2))
                $0.batch = [UInt8](repeating: 7, count: 1_000_000)
            }
        }
        #expect(error?.code == .full)
        #expect(error?.message.contains("free space") == true)
        #expect(try bench.contents() == before)
        try limit(pages: "4294967294")
        try bench.commit { $0 = with($0.leases, Sample.everything(round: 2)) }
        #expect(try bench.contents() != before)
    }

    @Test("Event ids beyond the window are dropped as new ones come")
    func eventWindow() throws {
        let bench = try Bench(Self.disk)
        let journal = try #require(bench.journal as? SQLiteJournal)
        try bench.commit { $0.eventIDs = ["old-1", "old-2"] }
        try bench.commit { $0.eventIDs = ["kept"] }
        // As if almost a window's worth of ids had come since the first batch.
        try journal.queue.writeWithoutTransaction { db in
            try db.execute(
                sql: "UPDATE event_ids SET through = through + ? WHERE sequence > 1",
                arguments: [SQLiteJournal.keptEventIDs - 2])
        }
        #expect(try journal.recentEventIDs(limit: 9) == ["old-1", "old-2", "kept"])
        try bench.commit { $0.eventIDs = ["new"] }
        #expect(try journal.recentEventIDs(limit: 9) == ["kept", "new"])
    }
}
