internal import GRDB
package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

extension SQLiteJournal {
    /// Batches that one record stands for at most.
    static let longestSegment: Int64 = 10_000

    package func checkpoint(
        at: Timestamp, sign: (AuditCheckpoint) throws -> AuditCheckpoint
    ) throws(JournalError) -> AuditCheckpoint {
        if let last = try lastCheckpoint(), last.hasSameHeads(as: try read { try SQLiteJournal.heads($0, at: at) }) {
            return last
        }
        // An anchor must never be ahead of the journal, or a power cut would look like a cut tail.
        return try write(durable: true, "write a checkpoint to") { db in
            try self.beforeStep("checkpoint")
            let heads = try sign(try SQLiteJournal.heads(db, at: at))
            try db.prepared(
                "INSERT INTO checkpoints (at, audit, audit_digest, batch, batch_seal, signature) "
                    + "VALUES (?, ?, ?, ?, ?, ?)"
            ).run([
                .time(at), .int(heads.auditSequence), .text(heads.auditDigest), .int(heads.batchSequence),
                .text(heads.batchSeal), .text(heads.signature?.json.canonicalText ?? ""),
            ])
            try self.beforeStep("commit")
            return heads
        }
    }

    private func lastCheckpoint() throws(JournalError) -> AuditCheckpoint? {
        try read { db in
            let select = "\(SQLiteJournal.checkpointColumns) ORDER BY key DESC LIMIT 1"
            return try db.prepared(select).first([]) { try $0.checkpoint() }
        }
    }

    /// Checkpoints after one, in the order in which they were written.
    ///
    /// - Parameter key: 0 begins with the first; each row's own key leads to those after it.
    func checkpoints(after key: Int64, limit: Int) throws(JournalError) -> [(key: Int64, checkpoint: AuditCheckpoint)] {
        try read { db in
            try db.prepared("\(SQLiteJournal.checkpointColumns) WHERE key > ? ORDER BY key LIMIT ?").rows([
                .int(key), .int(limit),
            ]) { (try $0.int(6), try $0.checkpoint()) }
        }
    }

    static let checkpointColumns =
        "SELECT at, audit, audit_digest, batch, batch_seal, signature, key FROM checkpoints"

    static func heads(_ db: Database, at: Timestamp) throws -> AuditCheckpoint {
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

    // MARK: Evidence whose time is over

    package func evidenceSegment(before: Timestamp) throws(JournalError) -> EvidenceSegment? {
        try read { (db) -> EvidenceSegment? in
            let reached = try db.prepared("SELECT batch FROM checkpoints WHERE at <= ? ORDER BY at DESC LIMIT 1")
                .integer([.time(before)])
            let newest = try db.prepared("SELECT max(sequence) FROM batches").integer([])
            guard let reached, let newest else { return nil }
            let before = try SQLiteJournal.lastSegment(db)
            let first = (before?.last ?? 0) + 1
            // The newest batch stays: the next one is chained to it.
            let last = min(reached, newest - 1, first + SQLiteJournal.longestSegment - 1)
            guard last >= first else { return nil }
            return try SQLiteJournal.segment(db, first...last, after: before?.root ?? hexText(EvidenceSeal.first))
        }
    }

    /// `nil` where the batches are not the ones that were logged: what was tampered with is kept as it is.
    private static func segment(
        _ db: Database, _ range: ClosedRange<Int64>, after root: String
    ) throws -> EvidenceSegment? {
        let rows = try db.prepared(
            "SELECT digest, seal FROM batches WHERE sequence BETWEEN ? AND ? ORDER BY sequence"
        ).rows([.int(range.lowerBound), .int(range.upperBound)]) { (try $0.bytes(0), try $0.bytes(1)) }
        guard rows.count == range.count, var seal = bytes(hex: root) else { return nil }
        for (digest, stored) in rows {
            seal = EvidenceSeal.after(seal, digest: digest)
            guard seal == stored else { return nil }
        }
        return EvidenceSegment(
            first: range.lowerBound, last: range.upperBound, count: Int64(rows.count), root: hexText(seal))
    }

    static func lastSegment(_ db: Database) throws -> EvidenceSegment? {
        try db.prepared("SELECT first, last, count, root FROM segments ORDER BY last DESC LIMIT 1").first([]) {
            EvidenceSegment(first: try $0.int(0), last: try $0.int(1), count: try $0.int(2), root: try $0.text(3))
        }
    }

    package func dropSealedEvidence(limit: Int) throws(JournalError) -> Int {
        guard let last = try read({ try SQLiteJournal.lastSegment($0)?.last }),
            let first = try read({ try $0.prepared("SELECT min(sequence) FROM batches").integer([]) }), first <= last
        else { return 0 }
        return try write(durable: false, "drop evidence from") { db in
            try self.beforeStep("drop-evidence")
            let end = min(last, first + Int64(limit) - 1)
            try db.prepared("DELETE FROM batches WHERE sequence <= ?").run([.int(end)])
            let count = db.changesCount
            try self.beforeStep("commit")
            return count
        }
    }
}

extension StoredRow {
    /// Of the columns of ``SQLiteJournal/checkpointColumns``.
    func checkpoint() throws -> AuditCheckpoint {
        var checkpoint = AuditCheckpoint(
            at: try time(0), auditSequence: try int(1), auditDigest: try text(2), batchSequence: try int(3),
            batchSeal: try text(4))
        if try !text(5).isEmpty { checkpoint.signature = CheckpointSignature(json: try json(5)) }
        return checkpoint
    }
}
