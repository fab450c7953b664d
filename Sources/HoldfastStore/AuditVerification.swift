internal import GRDB
package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine

extension SQLiteJournal {
    /// Makes what was committed durable, and writes both logs' heads to an anchor, unless the anchor's last line has
    /// them already. For once a minute and at the end of a process.
    @discardableResult
    package func checkpoint(to anchor: AuditAnchor, at: Timestamp) throws(JournalError) -> AuditCheckpoint {
        let heads = try read { db in try SQLiteJournal.heads(db, at: at) }
        if let last = try anchor.last(), last.hasSameHeads(as: heads) { return last }
        // The anchor must never be ahead of the journal, or a power cut would look like a cut tail.
        let checkpoint = try write(durable: true, "write a checkpoint to") { db in
            try self.beforeStep("checkpoint")
            let heads = try SQLiteJournal.heads(db, at: at)
            try db.prepared(
                "INSERT INTO checkpoints (at, audit, audit_digest, batch, batch_seal) VALUES (?, ?, ?, ?, ?)"
            ).run([
                .time(at), .int(heads.auditSequence), .text(heads.auditDigest), .int(heads.batchSequence),
                .text(heads.batchSeal),
            ])
            try self.beforeStep("commit")
            return heads
        }
        try anchor.append(checkpoint)
        return checkpoint
    }

    private static func heads(_ db: Database, at: Timestamp) throws -> AuditCheckpoint {
        let audit = try db.prepared("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1").first([]) {
            (try $0.int(0), try $0.text(1))
        }
        let batch = try db.prepared("SELECT sequence, seal FROM batches ORDER BY sequence DESC LIMIT 1").first([]) {
            (try $0.int(0), try $0.bytes(1))
        }
        return AuditCheckpoint(
            at: at, auditSequence: audit?.0 ?? 0, auditDigest: audit?.1 ?? AuditLink.first,
            batchSequence: batch?.0 ?? 0, batchSeal: hexText(batch?.1 ?? EvidenceSeal.first))
    }

    /// Reads both logs from their first row to their last, and compares them with an anchor where one is given.
    ///
    /// - Throws: where a log or the anchor cannot be read at all; what was tampered with is in the report.
    package func verifyAudit(anchor: AuditAnchor? = nil) throws(JournalError) -> AuditReport {
        // The anchor's end first: what it has by now, the journal has too.
        let end = try anchor?.length() ?? 0
        return try readOneMoment { db in
            var report = AuditReport()
            try SQLiteJournal.walkAudit(db, into: &report)
            try SQLiteJournal.walkEvidence(db, into: &report)
            if let anchor {
                report.anchor = anchor.path
                try SQLiteJournal.compare(db, with: anchor, upTo: end, into: &report)
            }
            return report
        }
    }

    private static func walkAudit(_ db: Database, into report: inout AuditReport) throws {
        var expected: Int64 = 1
        // A row follows the one before it by the digest that stands there, or by the one that should.
        var before = [AuditLink.first]
        let select = try db.prepared(
            "SELECT sequence, epoch, kind, at, previous, digest, body FROM audit ORDER BY sequence")
        let cursor = try Row.fetchCursor(select.statement)
        while let row = try cursor.next().map(StoredRow.init) {
            report.entries += 1
            let sequence = try row.int(0)
            let previous = String(decoding: try row.bytes(4), as: UTF8.self)
            let digest = String(decoding: try row.bytes(5), as: UTF8.self)
            let link = AuditLink(
                sequence: sequence, epoch: try row.int(1), kind: try row.storedText(2), at: try row.time(3),
                bodyDigest: sha256(try row.bytes(6)).description, previous: previous)
            let computed = link.digest
            guard let isNext = report.expect(sequence, &expected, in: .audit) else { continue }
            if computed != digest {
                report.add(.edited, .audit, sequence, "audit entry \(sequence) was edited: its digest does not fit it")
            } else if isNext, !before.contains(previous) {
                report.add(
                    .broken, .audit, sequence,
                    "audit entry \(sequence) does not follow entry \(sequence - 1): one of "
                        + "them was replaced")
            }
            before = [digest, computed]
        }
    }

    private static func walkEvidence(_ db: Database, into report: inout AuditReport) throws {
        var expected: Int64 = 1
        var before = [EvidenceSeal.first]
        let select = try db.prepared("SELECT sequence, digest, seal, bytes FROM batches ORDER BY sequence")
        let cursor = try Row.fetchCursor(select.statement)
        while let row = try cursor.next().map(StoredRow.init) {
            report.batches += 1
            let sequence = try row.int(0)
            let seal = try row.bytes(2)
            let computed = sha256(try row.bytes(3)).bytes
            let seals = before.map { EvidenceSeal.after($0, digest: computed) }
            guard let isNext = report.expect(sequence, &expected, in: .evidence) else { continue }
            if try computed != row.bytes(1) {
                report.add(.edited, .evidence, sequence, "batch \(sequence) was edited: its digest does not fit it")
            } else if isNext, !seals.contains(seal) {
                report.add(
                    .broken, .evidence, sequence,
                    "batch \(sequence) does not follow batch \(sequence - 1): one of them was replaced")
            }
            before = isNext ? [seal] + seals : [seal]
        }
    }

    private static func compare(
        _ db: Database, with anchor: AuditAnchor, upTo end: Int64, into report: inout AuditReport
    ) throws {
        var audit = AnchorComparison(.audit, name: "audit entry")
        var evidence = AnchorComparison(.evidence, name: "batch")
        let entry = try db.prepared("SELECT digest FROM audit WHERE sequence = ?")
        let batch = try db.prepared("SELECT seal FROM batches WHERE sequence = ?")
        let head = try heads(db, at: .distantPast)
        var number: Int64 = 0
        var failure: (any Error)?
        try anchor.lines(upTo: end) { line in
            number += 1
            guard failure == nil else { return }
            guard let checkpoint = AuditCheckpoint(line: line) else {
                report.add(
                    .anchor, .audit, number,
                    "line \(number) of the anchor is no checkpoint: it was edited, or a crash cut it short")
                return
            }
            report.checkpoints += 1
            do {
                let digest = try entry.first([.int(checkpoint.auditSequence)]) { try $0.text(0) }
                let seal = try batch.first([.int(checkpoint.batchSequence)]) { hexText(try $0.bytes(0)) }
                audit.see(
                    checkpoint.at, checkpoint.auditSequence, checkpoint.auditDigest, digest, head.auditSequence)
                evidence.see(
                    checkpoint.at, checkpoint.batchSequence, checkpoint.batchSeal, seal, head.batchSequence)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        report.anchoredEntries = audit.vouched
        report.anchoredBatches = evidence.vouched
        audit.tell(&report)
        evidence.tell(&report)
    }
}

/// One log against the checkpoints of an anchor, in their order.
private struct AnchorComparison {
    let log: AuditReport.Log
    let name: String
    /// The last row that a checkpoint fits.
    var vouched: Int64 = 0
    private var rewritten: (sequence: Int64, at: Timestamp, after: Int64)?
    private var cut: (head: Int64, seen: Int64, at: Timestamp)?

    init(_ log: AuditReport.Log, name: String) {
        self.log = log
        self.name = name
    }

    /// - Parameters:
    ///   - found: the digest that the journal has at `sequence`.
    ///   - head: the journal's last row.
    mutating func see(_ at: Timestamp, _ sequence: Int64, _ digest: String, _ found: String?, _ head: Int64) {
        if sequence == 0 || found == digest {
            vouched = max(vouched, sequence)
        } else if sequence > head {
            if sequence > cut?.seen ?? 0 { cut = (head, sequence, at) }
        } else if found != nil, rewritten == nil {
            rewritten = (sequence, at, vouched)
        }
    }

    func tell(_ report: inout AuditReport) {
        if let rewritten {
            report.add(
                .rewritten, log, rewritten.sequence,
                "\(name) \(rewritten.sequence) is not the one that the anchor saw at \(rewritten.at): it was made "
                    + "anew, and with it all or some after \(rewritten.after)")
        }
        if let cut {
            report.add(
                .cut, log, cut.head + 1,
                "\(name) \(cut.head) is the last, and the anchor saw \(name) \(cut.seen) at \(cut.at): "
                    + "\(cut.seen - cut.head) were cut off")
        }
    }
}

extension AuditReport {
    /// Whether a row is the next or comes after a gap, which is reported; `nil`, reported too, where it has no place.
    fileprivate mutating func expect(_ sequence: Int64, _ expected: inout Int64, in log: Log) -> Bool? {
        let name = log == .audit ? "audit entries" : "batches"
        defer { expected = max(expected, sequence + 1) }
        if sequence < expected {
            add(.edited, log, sequence, "\(name) begin at 1, and there is one with \(sequence)")
            return nil
        }
        if sequence > expected {
            add(.gap, log, expected, "\(name) \(expected) to \(sequence - 1) are missing")
        }
        return sequence == expected
    }
}

extension StoredRow {
    /// A text of which every stored byte counts: no two contents give one text.
    fileprivate func storedText(_ column: Int) throws -> String {
        let bytes = try bytes(column)
        return String(validating: bytes, as: UTF8.self) ?? "not UTF-8: \(hexText(bytes))"
    }
}
