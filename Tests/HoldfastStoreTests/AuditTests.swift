import Foundation
import GRDB
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON
import Testing

@testable import HoldfastStore

/// A journal on disk with four audit entries and four batches.
struct Logged {
    let bench: Bench
    let journal: SQLiteJournal
    var anchor: FileAnchor { FileAnchor(path: bench.folder.file("anchor.jsonl")) }

    init() throws {
        bench = try Bench(JournalKind.all[0])
        journal = try #require(bench.journal as? SQLiteJournal)
        for number in 1...4 { try add(number) }
    }

    func add(_ number: Int, note: String = "") throws {
        try bench.commit {
            $0.audit = [
                AuditEntry(kind: "plan", at: Sample.at(Int64(number)), body: ["n": .string("é\(number)\(note)")])
            ]
            $0.batch = Array("batch \(number)\(note)".utf8)
        }
    }

    func sql(_ text: String, _ arguments: StatementArguments = []) throws {
        try journal.queue.writeWithoutTransaction { try $0.execute(sql: text, arguments: arguments) }
    }

    /// The faults, as `kind log sequence`.
    func faults(anchored: Bool = false) throws -> [String] {
        try journal.verify(anchored ? anchor : nil).faults.map { "\($0.kind) \($0.log) \($0.sequence)" }
    }

    /// Makes rows anew from one on, with digests that fit, as one who can write to the file and knows the form would.
    func rewriteAudit(from first: Int64, body: String) throws {
        let last = try #require(try journal.auditEntries(after: 0, limit: 99).last?.sequence)
        for sequence in first...last {
            let before = try journal.auditEntries(after: sequence - 2, limit: 1)
            let row = try #require(try journal.auditEntries(after: sequence - 1, limit: 1).first)
            let bytes = sequence == first ? Array(body.utf8) : row.entry.body.canonicalBytes
            let link = AuditLink(
                sequence: sequence, epoch: row.epoch, kind: row.entry.kind, at: row.entry.at,
                bodyDigest: sha256(bytes).description, previous: sequence == 1 ? AuditLink.first : before[0].digest)
            try sql(
                "UPDATE audit SET body = ?, previous = ?, digest = ? WHERE sequence = ?",
                [String(decoding: bytes, as: UTF8.self), link.previous, link.digest, sequence])
        }
    }
}

extension SQLiteJournal {
    /// A checkpoint, handed to an anchor.
    @discardableResult
    func checkpoint(to anchor: FileAnchor, at: Timestamp) throws -> AuditCheckpoint {
        let checkpoint = try checkpoint(at: at) { $0 }
        try anchor.append(checkpoint)
        return checkpoint
    }

    func verify(_ anchor: FileAnchor? = nil, keys: [CheckpointKey] = []) throws -> AuditReport {
        try verifyAudit(anchors: try anchor.map { [try AnchorContent(path: $0.path)] } ?? [], keys: keys)
    }
}

@Suite("The audit log and the evidence log")
struct AuditTests {
    @Test("Untouched logs are intact, and without an anchor the report says that it cannot see a cut tail")
    func intact() throws {
        let logged = try Logged()
        let alone = try logged.journal.verifyAudit()
        #expect(alone.isIntact)
        #expect(alone.entries == 4)
        #expect(alone.batches == 4)
        #expect(alone.blindSpots.count == 1)
        #expect(alone.blindSpots.first?.contains("without an anchor") == true)

        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        let anchored = try logged.journal.verify(logged.anchor)
        #expect(anchored.isIntact)
        #expect(anchored.blindSpots.map { $0.contains("1 of 1 checkpoints are not signed") } == [true])
        #expect(anchored.witnesses[0].checkpoints == 1)
        try logged.add(5)
        let ahead = try logged.journal.verify(logged.anchor)
        #expect(ahead.isIntact)
        #expect(ahead.witnesses[0].entries == 4)
        #expect(ahead.blindSpots.map { $0.contains("after 4 are not anchored") } == [true, true, false])
    }

    @Test("Empty logs are intact, and an anchor of them vouches for nothing yet")
    func empty() throws {
        let journal = try SQLiteJournal(.inMemory)
        #expect(try journal.verifyAudit().isIntact)
        let folder = try TemporaryFolder()
        let report = try journal.verify(FileAnchor(path: folder.file("none")))
        #expect(report.isIntact)
        #expect(report.blindSpots.first?.contains("vouches for nothing") == true)
    }

    @Test(
        "Every changed bit of a row is seen, in that row",
        arguments: [
            ("audit", "body"), ("audit", "kind"), ("audit", "previous"), ("audit", "digest"), ("batches", "bytes"),
            ("batches", "digest"), ("batches", "seal"),
        ])
    func bits(table: String, column: String) throws {
        let logged = try Logged()
        let log = table == "audit" ? "audit" : "evidence"
        let type = table == "audit" ? "TEXT" : "BLOB"
        for row in [1, 2, 4] {
            let select = "SELECT CAST(\(column) AS BLOB) FROM \(table) WHERE sequence = \(row)"
            let update = "UPDATE \(table) SET \(column) = CAST(? AS \(type)) WHERE sequence = \(row)"
            let original = try #require(try logged.journal.queue.read { try Data.fetchOne($0, sql: select) })
            for index in original.indices {
                for bit in 0..<8 {
                    var changed = original
                    changed[index] ^= 1 << bit
                    try logged.sql(update, [changed])
                    let faults = try logged.faults()
                    #expect(faults.count == 1, "\(table).\(column) \(row): byte \(index), bit \(bit): \(faults)")
                    #expect(faults.first?.hasSuffix("\(log) \(row)") == true)
                }
            }
            try logged.sql(update, [original])
        }
        #expect(try logged.faults() == [])
    }

    @Test("Every changed bit of an entry's time and epoch is seen", arguments: ["at", "epoch"])
    func numberBits(column: String) throws {
        let logged = try Logged()
        for bit in 0..<64 {
            let original = try logged.journal.queue.read { db in
                try Int64.fetchOne(db, sql: "SELECT \(column) FROM audit WHERE sequence = 3") ?? 0
            }
            try logged.sql("UPDATE audit SET \(column) = ? WHERE sequence = 3", [original ^ (1 << bit)])
            #expect(try logged.faults() == ["edited audit 3"], "bit \(bit)")
            try logged.sql("UPDATE audit SET \(column) = ? WHERE sequence = 3", [original])
        }
    }

    @Test("Removed, swapped, inserted and moved rows are seen")
    func rows() throws {
        for (sql, expected) in [
            ("DELETE FROM audit WHERE sequence = 2", ["gap audit 2"]),
            ("DELETE FROM audit WHERE sequence IN (1, 2)", ["gap audit 1"]),
            ("DELETE FROM batches WHERE sequence = 3", ["gap evidence 3"]),
            ("UPDATE audit SET sequence = 9 WHERE sequence = 4", ["gap audit 4", "edited audit 9"]),
            (
                "INSERT INTO audit SELECT 0, epoch, kind, at, previous, digest, body FROM audit WHERE sequence = 1",
                ["edited audit 0"]
            ),
            (
                "INSERT INTO batches SELECT -3, digest, seal, bytes FROM batches WHERE sequence = 1",
                ["edited evidence -3"]
            ),
            (
                "UPDATE batches SET bytes = (SELECT bytes FROM batches WHERE sequence = 1) WHERE sequence = 2",
                ["edited evidence 2"]
            ),
            (
                "UPDATE batches SET (bytes, digest) = (SELECT bytes, digest FROM batches b WHERE b.sequence = 1) "
                    + "WHERE sequence = 2", ["broken evidence 2"]
            ),
        ] {
            let logged = try Logged()
            try logged.sql(sql)
            #expect(try logged.faults() == expected, "\(sql)")
        }
    }

    @Test("A row made anew with a digest that fits breaks the chain after it")
    func replaced() throws {
        let logged = try Logged()
        let row = try #require(try logged.journal.auditEntries(after: 1, limit: 1).first)
        let link = AuditLink(
            sequence: 2, epoch: row.epoch, kind: row.entry.kind, at: row.entry.at,
            bodyDigest: sha256("{}".utf8).description, previous: row.previous)
        try logged.sql("UPDATE audit SET body = '{}', digest = ? WHERE sequence = 2", [link.digest])
        #expect(try logged.faults() == ["broken audit 3"])
    }

    @Test("A cut tail is seen with an anchor, and only with one")
    func cutTail() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        try logged.sql("DELETE FROM audit WHERE sequence > 2; DELETE FROM batches WHERE sequence > 1")
        #expect(try logged.faults() == [])
        let report = try logged.journal.verify(logged.anchor)
        #expect(try logged.faults(anchored: true) == ["cut audit 3", "cut evidence 2"])
        #expect(report.faults.first?.message.contains("2 were cut off") == true)
        #expect(report.faults.last?.message.contains("3 were cut off") == true)
    }

    @Test("A tail that was cut and grew again is seen with an anchor")
    func regrown() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        try logged.sql("DELETE FROM audit WHERE sequence > 2; DELETE FROM batches WHERE sequence > 2")
        for number in 3...6 { try logged.add(number, note: "!") }
        #expect(try logged.faults() == [])
        #expect(try logged.faults(anchored: true) == ["rewritten audit 4", "rewritten evidence 4"])
    }

    @Test("A chain that was made anew is seen with an anchor, from the checkpoint that still fits")
    func rewritten() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        for number in 5...6 { try logged.add(number) }
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(120))
        for number in 7...8 { try logged.add(number) }
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(180))
        try logged.rewriteAudit(from: 5, body: #"{"n":"nothing happened"}"#)
        #expect(try logged.faults() == [])
        let report = try logged.journal.verify(logged.anchor)
        #expect(try logged.faults(anchored: true) == ["rewritten audit 6"])
        #expect(report.witnesses[0].entries == 4)
        #expect(report.faults.first?.message.contains("after 4") == true)
        #expect(report.faults.first?.message.contains(Sample.at(120).description) == true)
    }

    @Test("An anchor takes a line when the logs have moved, and none when they have not")
    func quietAnchor() throws {
        let logged = try Logged()
        let first = try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        #expect(try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(120)) == first)
        #expect(try logged.journal.verify(logged.anchor).witnesses[0].checkpoints == 1)
        try logged.add(5)
        #expect(try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(180)).auditSequence == 5)
        #expect(try logged.journal.verify(logged.anchor).witnesses[0].checkpoints == 2)
        let other = FileAnchor(path: logged.bench.folder.file("second.jsonl"))
        try logged.journal.checkpoint(to: other, at: Sample.at(240))
        #expect(try logged.journal.verify(other).witnesses[0].checkpoints == 1)
    }

    @Test("An anchor's broken line is reported, and the lines after it count")
    func brokenAnchor() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        let path = logged.anchor.path
        // A crash in the middle of a line.
        try Data(contentsOf: URL(filePath: path)).dropLast(20).write(to: URL(filePath: path))
        #expect(try logged.faults(anchored: true) == [])
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(120))
        #expect(try logged.faults(anchored: true) == ["unreadable audit 1"])
        #expect(try logged.journal.verify(logged.anchor).witnesses[0].entries == 4)
        // An edited digest.
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let digest = try #require(try logged.journal.auditEntries(after: 3, limit: 1).first?.digest)
        let edited = text.replacingOccurrences(of: digest, with: String(digest.reversed()))
        try edited.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try logged.faults(anchored: true) == ["unreadable audit 1", "rewritten audit 4"])
    }

    @Test("An anchor that cannot be written says where and why")
    func unwritableAnchor() throws {
        let logged = try Logged()
        let anchor = FileAnchor(path: logged.bench.folder.file("no/such/anchor"))
        let error = #expect(throws: AnchorError.self) {
            try logged.journal.checkpoint(to: anchor, at: Sample.at(60))
        }
        #expect(error?.description.contains("no/such/anchor") == true)
        #expect(error?.description.contains("folder must exist") == true)
    }

    @Test("Logs are verified beside a running service")
    func besideService() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        let reader = try SQLiteJournal(.file(logged.bench.folder.file("holdfast.db")), access: .readOnly)
        try logged.add(5)
        let report = try reader.verify(logged.anchor)
        #expect(report.isIntact)
        #expect(report.entries == 5)
    }

    @Test("The digest of an entry is the one that its documentation says")
    func documentedDigest() throws {
        let logged = try Logged()
        let record = try #require(try logged.journal.auditEntries(after: 0, limit: 1).first)
        let body = sha256(#"{"n":"é1"}"#.utf8)
        let form = """
            {"at":1760000001000000000,"body":"\(body)","epoch":1,"kind":"plan",\
            "previous":"\(String(repeating: "0", count: 64))","sequence":1}
            """
        #expect(record.digest == sha256(form.utf8).description)
    }
}
