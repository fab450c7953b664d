internal import HoldfastCore
internal import HoldfastEngine

/// The checkpoints of one place, in their order, held against the logs.
struct CheckpointComparison {
    private var witness: AuditReport.Witness
    private let keys: [CheckpointKey]
    private var audit = LogComparison(.audit, name: "audit entry")
    private var evidence = LogComparison(.evidence, name: "batch")

    init(_ name: String, isAnchor: Bool, keys: [CheckpointKey]) {
        witness = AuditReport.Witness(name: name, isAnchor: isAnchor)
        self.keys = keys
    }

    /// What the logs have where a checkpoint looks.
    struct Found {
        var entry: String?
        var seal: String?
        /// The logs' last rows.
        var lastEntry: Int64
        var lastBatch: Int64
    }

    /// Counts a checkpoint, and compares it where it is to be believed: with keys only what they have signed.
    ///
    /// - Parameter number: its line, for messages.
    mutating func take(
        _ checkpoint: AuditCheckpoint, _ number: Int64, into report: inout AuditReport, look: () throws -> Found
    ) rethrows {
        witness.checkpoints += 1
        if checkpoint.signature == nil { witness.unsigned += 1 }
        guard isBelieved(checkpoint, number, &report) else { return }
        let found = try look()
        audit.see(checkpoint.at, checkpoint.auditSequence, checkpoint.auditDigest, found.entry, found.lastEntry)
        evidence.see(checkpoint.at, checkpoint.batchSequence, checkpoint.batchSeal, found.seal, found.lastBatch)
    }

    private mutating func isBelieved(
        _ checkpoint: AuditCheckpoint, _ number: Int64, _ report: inout AuditReport
    ) -> Bool {
        guard !keys.isEmpty else { return true }
        let what = "checkpoint \(number) of \(witness.name), of \(checkpoint.at),"
        guard let signature = checkpoint.signature else {
            // From before there was a key; afterwards somebody took the signature off.
            if witness.signed > 0 {
                report.add(.forged, .audit, number, "\(what) has no signature, and others before it have one")
            }
            return false
        }
        guard keys.contains(where: { $0.hasSigned(checkpoint) }) else {
            let isOfAnother = !keys.contains { $0.id == signature.key }
            report.add(
                .forged, .audit, number,
                isOfAnother
                    ? "\(what) is signed with the key \(signature.key), which was not given"
                    : "\(what) is not what was signed: it was changed since")
            return false
        }
        witness.signed += 1
        return true
    }

    consuming func finish(_ report: inout AuditReport) {
        witness.entries = audit.vouched
        witness.batches = evidence.vouched
        audit.tell(&report, by: witness.name)
        evidence.tell(&report, by: witness.name)
        report.witnesses.append(witness)
    }
}

/// One log against the checkpoints of a place, in their order.
private struct LogComparison {
    let log: AuditReport.Log
    let name: String
    /// The last row that a checkpoint fits.
    private(set) var vouched: Int64 = 0
    private var rewritten: (sequence: Int64, at: Timestamp, after: Int64)?
    private var cut: (head: Int64, seen: Int64, at: Timestamp)?

    init(_ log: AuditReport.Log, name: String) {
        self.log = log
        self.name = name
    }

    /// - Parameters:
    ///   - found: the digest that the journal has at `sequence`; `nil` where it has none or it is sealed.
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

    func tell(_ report: inout AuditReport, by witness: String) {
        if let rewritten {
            report.add(
                .rewritten, log, rewritten.sequence,
                "\(name) \(rewritten.sequence) is not the one that \(witness) saw at \(rewritten.at): it was made "
                    + "anew, and with it all or some after \(rewritten.after)")
        }
        if let cut {
            report.add(
                .cut, log, cut.head + 1,
                "\(name) \(cut.head) is the last, and \(witness) saw \(name) \(cut.seen) at \(cut.at): "
                    + "\(cut.seen - cut.head) were cut off")
        }
    }
}
