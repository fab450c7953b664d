internal import GRDB
internal import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

extension SQLiteJournal {
    /// Reads both logs from their first row to their last, and holds them against anchors and, with keys, against the
    /// journal's own signed checkpoints.
    ///
    /// - Parameter keys: those of which one has signed each checkpoint that counts; none: signatures are not checked.
    /// - Throws: where a log or an anchor cannot be read at all; what was tampered with is in the report.
    package func verifyAudit(
        anchors: [AnchorContent] = [], keys: [CheckpointKey] = []
    ) throws(JournalError) -> AuditReport {
        // The anchors' ends first: what they have by now, the journal has too.
        var ends: [[Int64]] = []
        for anchor in anchors { ends.append(try anchor.lengths()) }
        return try readOneMoment { db in
            var report = AuditReport()
            report.hasKeys = !keys.isEmpty
            let segments = try SQLiteJournal.walkAudit(db, into: &report)
            try SQLiteJournal.walkEvidence(db, after: segments, into: &report)
            let roots = Dictionary(segments.map { ($0.last, $0.root) }) { $1 }
            for (anchor, end) in zip(anchors, ends) {
                var comparison = CheckpointComparison(anchor.name, isAnchor: true, keys: keys)
                try anchor.checkpoints(upTo: end, into: &report) { checkpoint, number, report in
                    try comparison.take(checkpoint, number, into: &report) {
                        try SQLiteJournal.look(db, for: checkpoint, roots)
                    }
                }
                comparison.finish(&report)
            }
            if !keys.isEmpty { try SQLiteJournal.compareOwn(db, keys, roots, into: &report) }
            return report
        }
    }

    /// Without a key the journal's own checkpoints say nothing: who rewrites the logs rewrites them too.
    private static func compareOwn(
        _ db: Database, _ keys: [CheckpointKey], _ roots: [Int64: String], into report: inout AuditReport
    ) throws {
        var comparison = CheckpointComparison("the journal itself", isAnchor: false, keys: keys)
        let cursor = try Row.fetchCursor(try db.prepared("\(checkpointColumns) ORDER BY key").statement)
        while let row = try cursor.next().map(StoredRow.init) {
            let number = try row.int(6)
            let checkpoint: AuditCheckpoint
            do { checkpoint = try row.checkpoint() } catch {
                report.add(.unreadable, .audit, number, "checkpoint \(number) of the journal cannot be read")
                continue
            }
            try comparison.take(checkpoint, number, into: &report) { try look(db, for: checkpoint, roots) }
        }
        comparison.finish(&report)
    }

    private static func look(
        _ db: Database, for checkpoint: AuditCheckpoint, _ roots: [Int64: String]
    ) throws -> CheckpointComparison.Found {
        let entry = try db.prepared("SELECT digest FROM audit WHERE sequence = ?")
            .first([.int(checkpoint.auditSequence)]) { try $0.text(0) }
        let seal = try db.prepared("SELECT seal FROM batches WHERE sequence = ?")
            .first([.int(checkpoint.batchSequence)]) { hexText(try $0.bytes(0)) }
        let head = try heads(db, at: .distantPast)
        return CheckpointComparison.Found(
            entry: entry, seal: seal ?? roots[checkpoint.batchSequence], lastEntry: head.auditSequence,
            lastBatch: max(head.batchSequence, roots.keys.max() ?? 0))
    }

    /// - Returns: the records that stand for deleted evidence, in their order.
    private static func walkAudit(_ db: Database, into report: inout AuditReport) throws -> [EvidenceSegment] {
        var walk = AuditChainWalk()
        var segments: [EvidenceSegment] = []
        let select = try db.prepared(
            "SELECT sequence, epoch, kind, at, previous, digest, body FROM audit ORDER BY sequence")
        let cursor = try Row.fetchCursor(select.statement)
        while let row = try cursor.next().map(StoredRow.init) {
            let body = try row.bytes(6)
            let link = AuditLink(
                sequence: try row.int(0), epoch: try row.int(1), kind: try row.storedText(2), at: try row.time(3),
                bodyDigest: sha256(body).description, previous: String(decoding: try row.bytes(4), as: UTF8.self))
            walk.take(link, digest: String(decoding: try row.bytes(5), as: UTF8.self), into: &report)
            guard link.kind == EvidenceSegment.auditKind else { continue }
            guard let segment = (try? JSON.parse(body)).flatMap({ EvidenceSegment(json: $0) }),
                segment.first == (segments.last?.last ?? 0) + 1, segment.count == segment.last - segment.first + 1
            else {
                report.add(
                    .broken, .evidence, link.sequence,
                    "audit entry \(link.sequence) does not stand for the evidence after what was sealed before it")
                continue
            }
            segments.append(segment)
        }
        return segments
    }

    private static func walkEvidence(
        _ db: Database, after segments: [EvidenceSegment], into report: inout AuditReport
    ) throws {
        let floor = segments.last?.last ?? 0
        let root = segments.last.flatMap { bytes(hex: $0.root) } ?? EvidenceSeal.first
        report.sealedBatches = floor
        report.lastBatch = floor
        var expected = floor + 1
        var before = [root]
        let select = try db.prepared("SELECT sequence, digest, seal, bytes FROM batches ORDER BY sequence")
        let cursor = try Row.fetchCursor(select.statement)
        while let row = try cursor.next().map(StoredRow.init) {
            report.batches += 1
            let sequence = try row.int(0)
            // Sealed, and not deleted yet: nothing is lost with it, and the record has its seal.
            if sequence >= 1, sequence <= floor { continue }
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
            report.lastBatch = max(report.lastBatch, sequence)
        }
    }
}

/// Follows the chain of audit entries, from the journal or from an export.
struct AuditChainWalk {
    private var expected: Int64 = 1
    /// A row follows the one before it by the digest that stands there, or by the one that should; `nil`: by any.
    private var before: [String]? = [AuditLink.first]

    /// Of the entry taken last.
    private(set) var lastDigest: String?

    /// - Parameter first: the entry that the walk begins with, where what is before it is not there.
    init(from first: Int64 = 1) {
        expected = first
        if first > 1 { before = nil }
    }

    mutating func take(_ link: AuditLink, digest: String, into report: inout AuditReport) {
        report.entries += 1
        let sequence = link.sequence
        let computed = link.digest
        guard let isNext = report.expect(sequence, &expected, in: .audit) else { return }
        report.lastEntry = max(report.lastEntry, sequence)
        if computed != digest {
            report.add(.edited, .audit, sequence, "audit entry \(sequence) was edited: its digest does not fit it")
        } else if isNext, before?.contains(link.previous) == false {
            report.add(
                .broken, .audit, sequence,
                "audit entry \(sequence) does not follow entry \(sequence - 1): one of them was replaced")
        }
        before = [digest, computed]
        lastDigest = digest
    }
}

extension AnchorContent {
    /// Lends each checkpoint with its line's number; what is none is reported.
    func checkpoints(
        upTo lengths: [Int64], into report: inout AuditReport,
        _ body: (AuditCheckpoint, Int64, inout AuditReport) throws -> Void
    ) throws {
        try lines(upTo: lengths) { number, line in
            guard let checkpoint = AuditCheckpoint(line: line) else {
                report.add(
                    .unreadable, .audit, number,
                    "line \(number) of the anchor \(name) is no checkpoint: it was edited, or a crash cut it short")
                return
            }
            try body(checkpoint, number, &report)
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
