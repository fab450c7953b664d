import Foundation
import GRDB
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON
import Testing

@testable import HoldfastStore

/// Made by `openssl genpkey` and `openssl pkey -pubout`.
enum Keys {
    static let ed25519 = Secret(
        """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIKNRWpbSHq1IzUWyK15vYMqX6BiI1EkHMRwE1/ugnd9F
        -----END PRIVATE KEY-----
        """)
    static let ed25519Public = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAfWdv08ElEd3CvXEwmx+SLeyqFJHFH0TbTkIFBjrhUe8=
        -----END PUBLIC KEY-----
        """
    static let p256 = Secret(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIBKDiaC9aXD3k4mM
        uzKptJZZ1UQ6I+QmYt6NO8Sk13ehRANCAAQXVnriwVHfX07IUt6rCqE8Y933gM0m
        MveeRg4qzp+FwJt9TEPDxNtu8EW0tu9rM1LDMAIwcRB2X1Z1WpqeF8kO
        -----END PRIVATE KEY-----
        """)
    static let p256Public = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEF1Z64sFR319OyFLeqwqhPGPd94DN
        JjL3nkYOKs6fhcCbfUxDw8TbbvBFtLbvazNSwzACMHEQdl9WdVqanhfJDg==
        -----END PUBLIC KEY-----
        """
}

extension Logged {
    func signed(at: Timestamp, by key: Secret = Keys.ed25519) throws {
        let signer = try CheckpointSigner(pem: key)
        try anchor.append(try journal.checkpoint(at: at) { try signer.sign($0) })
    }

    func kinds(_ keys: String...) throws -> [String] {
        let keys = try keys.map { try CheckpointKey(pem: $0) }
        return try journal.verify(anchor, keys: keys).faults.map { "\($0.kind) \($0.log)" }
    }

    func editAnchor(_ edit: (String) -> String) throws {
        let text = try String(contentsOfFile: anchor.path, encoding: .utf8)
        try edit(text).write(toFile: anchor.path, atomically: true, encoding: .utf8)
    }
}

@Suite("Checkpoints that are signed")
struct CheckpointTests {
    @Test(
        "A signed checkpoint is good by its own key, and by no other",
        arguments: [
            (Keys.ed25519, Keys.ed25519Public, Keys.p256Public), (Keys.p256, Keys.p256Public, Keys.ed25519Public),
        ])
    func signature(key: Secret, right: String, wrong: String) throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60), by: key)
        #expect(try logged.kinds(right) == [])
        // The anchor's checkpoint, and the journal's own.
        #expect(try logged.kinds(wrong) == ["forged audit", "forged audit"])
        let report = try logged.journal.verify(logged.anchor, keys: [try CheckpointKey(pem: right)])
        #expect(report.witnesses.map(\.signed) == [1, 1])
        #expect(report.blindSpots == [])
        let blind = try logged.journal.verify(logged.anchor).blindSpots
        #expect(blind.map { $0.contains("no signature was checked") } == [true])
    }

    @Test("A checkpoint that was changed, or lost its signature, is found")
    func forged() throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60))
        try logged.add(5)
        try logged.signed(at: Sample.at(120))
        let whole = try String(contentsOfFile: logged.anchor.path, encoding: .utf8)
        try logged.editAnchor { $0.replacingOccurrences(of: "\"sequence\":5", with: "\"sequence\":4") }
        #expect(try logged.kinds(Keys.ed25519Public) == ["forged audit"])
        try logged.editAnchor { _ in whole }
        let lines = whole.split(separator: "\n")
        var bare = try #require(AuditCheckpoint(line: Array(lines[1].utf8)))
        bare.signature = nil
        let stripped = lines[0] + "\n" + String(decoding: bare.line, as: UTF8.self) + "\n"
        try logged.editAnchor { _ in String(stripped) }
        #expect(try logged.kinds(Keys.ed25519Public) == ["forged audit"])
    }

    @Test("Checkpoints from before there was a key are told of, and vouch for nothing")
    func beforeKey() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        try logged.add(5)
        try logged.signed(at: Sample.at(120))
        let report = try logged.journal.verify(logged.anchor, keys: [try CheckpointKey(pem: Keys.ed25519Public)])
        #expect(report.isIntact)
        #expect(report.witnesses[0].unsigned == 1)
        #expect(report.witnesses[0].signed == 1)
        #expect(report.blindSpots.contains { $0.contains("2 of 4 checkpoints are not signed") })
    }

    @Test("After a change of keys both are given")
    func rotated() throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60))
        try logged.add(5)
        try logged.signed(at: Sample.at(120), by: Keys.p256)
        #expect(try logged.kinds(Keys.ed25519Public, Keys.p256Public) == [])
        #expect(try logged.kinds(Keys.p256Public) == ["forged audit", "forged audit"])
    }

    @Test("A chain that was made anew is found by the journal's own signed checkpoints, without any anchor")
    func rewrittenWithoutAnchor() throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60))
        try logged.rewriteAudit(from: 2, body: #"{"n":"nothing happened"}"#)
        #expect(try logged.faults() == [])
        let report = try logged.journal.verify(keys: [try CheckpointKey(pem: Keys.ed25519Public)])
        #expect(report.faults.map(\.kind) == [.rewritten])
        #expect(report.blindSpots.first?.contains("cut off") == true)
        #expect(report.blindSpots.first?.contains("made anew") == false)
    }

    @Test("A key that cannot sign is refused with what it should be")
    func badKey() throws {
        for text in ["", "nothing", Keys.ed25519Public] {
            #expect(throws: CryptoFailure.self) { try CheckpointSigner(pem: Secret(text)) }
        }
        #expect(throws: CryptoFailure.self) { try CheckpointKey(pem: "-----BEGIN PUBLIC KEY-----") }
    }
}

@Suite("Evidence whose time is over")
struct RetentionTests {
    /// Six batches; those up to `sealed` have gone.
    private func pruned(through sealed: Int64 = 3) throws -> Logged {
        let logged = try Logged()
        try logged.add(5)
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        try logged.add(6)
        let segment = try #require(try logged.journal.evidenceSegment(before: Sample.at(60)))
        #expect(segment.first == 1)
        #expect(segment.last == 5)
        var shorter = segment
        shorter.last = sealed
        shorter.count = sealed
        shorter.root = try #require(
            try logged.journal.queue.read {
                try Data.fetchOne($0, sql: "SELECT seal FROM batches WHERE sequence = \(sealed)").map { hexText($0) }
            })
        try logged.seal(shorter)
        while try logged.journal.dropSealedEvidence(limit: 2) == 2 {}
        return logged
    }

    @Test("A record stands for what was deleted, and both logs are still whole")
    func sealed() throws {
        let logged = try pruned(through: 5)
        let report = try logged.journal.verify(logged.anchor)
        #expect(report.faults == [])
        #expect(report.batches == 1)
        #expect(report.sealedBatches == 5)
        // The checkpoint named the last batch that went: its seal is in the record.
        #expect(report.witnesses[0].batches == 5)
        try logged.add(7)
        #expect(try logged.faults(anchored: true) == [])
        #expect(try logged.journal.evidenceSegment(before: Sample.at(60)) == nil)
    }

    @Test("What is deleted in part is whole too, as after a crash")
    func half() throws {
        let logged = try Logged()
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        try logged.seal(try #require(try logged.journal.evidenceSegment(before: Sample.at(60))))
        #expect(try logged.faults(anchored: true) == [])
        #expect(try logged.journal.dropSealedEvidence(limit: 1) == 1)
        #expect(try logged.faults(anchored: true) == [])
    }

    @Test("Deleting more than the record says, or another record, is found")
    func tampered() throws {
        let more = try pruned()
        try more.sql("DELETE FROM batches WHERE sequence = 4")
        #expect(try more.faults() == ["gap evidence 4"])

        let edited = try pruned()
        try edited.sql("UPDATE batches SET bytes = x'00' WHERE sequence = 4")
        #expect(try edited.faults() == ["edited evidence 4"])

        let replaced = try pruned()
        let select = "SELECT root FROM segments"
        let root = try #require(try replaced.journal.queue.read { try String.fetchOne($0, sql: select) })
        let other = String(repeating: "0", count: 64)
        try replaced.sql("UPDATE audit SET body = replace(body, ?, ?) WHERE kind = 'evidence-sealed'", [root, other])
        #expect(try replaced.faults() == ["edited audit 7", "broken evidence 4"])

        let invented = try pruned()
        try invented.seal(EvidenceSegment(first: 5, last: 5, count: 1, root: other))
        #expect(try invented.faults().first == "broken evidence 8")
    }

    @Test("Only what a checkpoint covers that is old enough is sealed, and never what was tampered with")
    func bounds() throws {
        let logged = try Logged()
        #expect(try logged.journal.evidenceSegment(before: .distantFuture) == nil)
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        #expect(try logged.journal.evidenceSegment(before: Sample.at(59)) == nil)
        // The newest batch stays: the next is chained to it.
        #expect(try logged.journal.evidenceSegment(before: Sample.at(60))?.last == 3)
        try logged.sql("UPDATE batches SET digest = zeroblob(32) WHERE sequence = 2")
        #expect(try logged.journal.evidenceSegment(before: Sample.at(60)) == nil)
    }

    @Test("The history of resources outlives the evidence")
    func history() throws {
        let logged = try Logged()
        let bucket = Sample.bucket("a")
        try logged.bench.commit {
            $0.resources = [Sample.stored(bucket)]
            $0.history = [
                HistoryEntry(
                    resource: bucket, eventID: "e1", happened: Sample.at(1), known: Sample.at(2), evidence: [1],
                    actor: "ada", action: "CreateBucket")
            ]
            $0.batch = [1, 2, 3]
        }
        try logged.journal.checkpoint(to: logged.anchor, at: Sample.at(60))
        try logged.add(9)
        try logged.seal(try #require(try logged.journal.evidenceSegment(before: Sample.at(60))))
        _ = try logged.journal.dropSealedEvidence(limit: 100)
        #expect(try logged.journal.history(of: bucket, upTo: Sample.at(5)).map(\.eventID) == ["e1"])
    }
}

extension Logged {
    fileprivate func seal(_ segment: EvidenceSegment) throws {
        try bench.commit {
            $0.sealedEvidence = segment
            $0.audit = [AuditEntry(kind: EvidenceSegment.auditKind, at: Sample.at(90), body: segment.json)]
        }
    }
}

@Suite("Exports of the audit log")
struct AuditExportTests {
    private func export(_ logged: Logged, from: Int64? = nil, to: Int64? = nil) throws -> String {
        let path = logged.bench.folder.file("export.jsonl")
        var lines: [UInt8] = []
        try logged.journal.exportAudit(
            from: from.map { Sample.at($0) } ?? .distantPast, to: to.map { Sample.at($0) } ?? .distantFuture
        ) { lines += $0 + [UInt8(ascii: "\n")] }
        try Data(lines).write(to: URL(filePath: path))
        return path
    }

    private func verify(_ path: String, _ logged: Logged? = nil, keys: String...) throws -> AuditReport {
        try AuditExportFile(path: path).verify(
            anchors: try logged.map { [try AnchorContent(path: $0.anchor.path)] } ?? [],
            keys: try keys.map { try CheckpointKey(pem: $0) })
    }

    private func edit(_ path: String, _ edit: (String) -> String) throws {
        try edit(try String(contentsOfFile: path, encoding: .utf8)).write(
            toFile: path, atomically: true, encoding: .utf8)
    }

    @Test("An export is verified by itself, with its checkpoints and with an anchor's")
    func whole() throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60))
        try logged.add(5)
        let path = try export(logged)
        let report = try verify(path, logged, keys: Keys.ed25519Public)
        #expect(report.faults == [])
        #expect(report.entries == 5)
        #expect(report.witnesses.map(\.checkpoints) == [1, 1])
        #expect(report.witnesses.map(\.entries) == [4, 4])
        #expect(report.witnesses.map(\.signed) == [1, 1])
        #expect(try verify(path).blindSpots.contains { $0.contains("after audit entry 5") })
    }

    @Test("A part of the log is verified from its first entry on")
    func part() throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60))
        let report = try verify(try export(logged, from: 2, to: 3))
        #expect(report.faults == [])
        #expect(report.entries == 2)
        #expect(report.blindSpots.contains { $0.contains("before audit entry 2") })
    }

    @Test("Edited, missing and replaced lines are found")
    func tampered() throws {
        let logged = try Logged()
        try logged.signed(at: Sample.at(60))
        func kinds(_ change: (String) -> String) throws -> [String] {
            let path = try export(logged)
            try edit(path, change)
            return try verify(path, logged, keys: Keys.ed25519Public).faults.map { "\($0.kind) \($0.sequence)" }
        }
        #expect(try kinds { $0 } == [])
        #expect(try kinds { $0.replacingOccurrences(of: "é2", with: "é9") } == ["edited 2"])
        #expect(
            try kinds { $0.split(separator: "\n").filter { !$0.contains("é3") }.joined(separator: "\n") + "\n" }
                == ["gap 3"])
        #expect(try kinds { "nonsense\n" + $0 } == ["unreadable 1"])
        // Made anew from the second entry on, with digests that fit.
        try logged.rewriteAudit(from: 2, body: #"{"n":"x"}"#)
        #expect(try kinds { $0 } == ["rewritten 4", "rewritten 4"])
    }
}
