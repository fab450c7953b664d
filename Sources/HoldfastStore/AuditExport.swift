package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

extension SQLiteJournal {
    /// Lends the audit entries of a time as lines of JSON, `{"entry": {…}}`, each checkpoint, `{"checkpoint": {…}}`,
    /// after the entry that it names. The entries have no gap between them, so that a file of them can be verified by
    /// itself.
    ///
    /// - Parameters:
    ///   - from: the first entry is the first from then on.
    ///   - to: the last is the last until then.
    package func exportAudit(
        from: Timestamp = .distantPast, to: Timestamp = .distantFuture, _ line: ([UInt8]) throws -> Void
    ) throws(JournalError) {
        let range = try read { db in
            let first = try db.prepared("SELECT min(sequence) FROM audit WHERE at >= ?").integer([.time(from)])
            let last = try db.prepared("SELECT max(sequence) FROM audit WHERE at <= ?").integer([.time(to)])
            return (first: first, last: last)
        }
        guard let first = range.first, let last = range.last, first <= last else { return }
        var checkpoints = CheckpointPages(self)
        var after = first - 1
        while after < last {
            let page = try auditEntries(after: after, limit: Int(min(1000, last - after)))
            guard let newest = page.last else { return }
            for record in page {
                try write(["entry": record.json], line)
                while let checkpoint = try checkpoints.next(upTo: record.sequence) {
                    if checkpoint.auditSequence == record.sequence { try write(["checkpoint": checkpoint.json], line) }
                }
            }
            after = newest.sequence
        }
    }

    private func write(_ json: JSON, _ line: ([UInt8]) throws -> Void) throws(JournalError) {
        do { try line(json.canonicalBytes) } catch {
            throw JournalError(.failed, "the export cannot be written: \(error)")
        }
    }
}

/// The journal's checkpoints in their order, a page at a time.
private struct CheckpointPages {
    private let journal: SQLiteJournal
    private var key: Int64 = 0
    private var page: ArraySlice<(key: Int64, checkpoint: AuditCheckpoint)> = []
    private var hasEnded = false

    init(_ journal: SQLiteJournal) { self.journal = journal }

    /// The next one, unless it names a later entry.
    mutating func next(upTo sequence: Int64) throws(JournalError) -> AuditCheckpoint? {
        if page.isEmpty, !hasEnded {
            page = try journal.checkpoints(after: key, limit: 1000)[...]
            if let last = page.last { key = last.key } else { hasEnded = true }
        }
        guard let first = page.first, first.checkpoint.auditSequence <= sequence else { return nil }
        page.removeFirst()
        return first.checkpoint
    }
}

extension AuditRecord {
    fileprivate var json: JSON {
        [
            "sequence": .number(JSONNumber(Int(sequence))), "epoch": .number(JSONNumber(Int(epoch))),
            "kind": .string(entry.kind), "at": .string(entry.at.description), "body": entry.body,
            "previous": .string(previous), "digest": .string(digest),
        ]
    }

    fileprivate init?(json: JSON) {
        guard let sequence = json["sequence"]?.int, let epoch = json["epoch"]?.int, let kind = json["kind"]?.string,
            let at = json["at"]?.string.flatMap({ Timestamp($0) }), let body = json["body"],
            let previous = json["previous"]?.string, let digest = json["digest"]?.string
        else { return nil }
        self.init(
            sequence: Int64(sequence), epoch: Int64(epoch), entry: AuditEntry(kind: kind, at: at, body: body),
            previous: previous, digest: digest)
    }
}

/// A file of exported audit entries and checkpoints, verified without the journal.
package struct AuditExportFile {
    private let content: AnchorContent

    /// - Throws: where it cannot be read.
    package init(path: String) throws(JournalError) { content = try AnchorContent(path: path) }

    /// Follows the chain of entries, and holds it against the checkpoints in the file and those of anchors.
    package func verify(
        anchors: [AnchorContent] = [], keys: [CheckpointKey] = []
    ) throws(JournalError) -> AuditReport {
        var report = AuditReport()
        report.isExport = true
        report.hasKeys = !keys.isEmpty
        do {
            let wanted = try checkpoints(of: anchors, &report)
            var walk: AuditChainWalk?
            var digests: [Int64: String] = [:]
            var own: [(Int64, AuditCheckpoint)] = []
            try content.lines(upTo: try content.lengths()) { number, line in
                let json = try? JSON.parse(line)
                if let record = json?["entry"].flatMap(AuditRecord.init(json:)) {
                    if walk == nil {
                        report.firstEntry = record.sequence
                        walk = AuditChainWalk(from: record.sequence)
                    }
                    walk?.take(record.link, digest: record.digest, into: &report)
                    digests[record.sequence] = wanted.sequences.contains(record.sequence) ? record.digest : nil
                } else if let checkpoint = json?["checkpoint"].flatMap(AuditCheckpoint.init(json:)) {
                    own.append((number, checkpoint))
                    // Checkpoints come after the entry that they name.
                    if checkpoint.auditSequence == report.lastEntry { digests[report.lastEntry] = walk?.lastDigest }
                } else {
                    report.add(.unreadable, .audit, number, "line \(number) is neither an entry nor a checkpoint")
                }
            }
            for (anchor, found) in wanted.byAnchor + [("the export's own checkpoints", own)] {
                let isAnchor = anchors.contains { $0.name == anchor }
                var comparison = CheckpointComparison(anchor, isAnchor: isAnchor, keys: keys)
                let last = report.lastEntry
                for (number, checkpoint) in found where isInside(checkpoint, report) {
                    comparison.take(checkpoint, number, into: &report) {
                        CheckpointComparison.Found(
                            entry: digests[checkpoint.auditSequence], seal: checkpoint.batchSeal,
                            lastEntry: last, lastBatch: .max)
                    }
                }
                comparison.finish(&report)
            }
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(.failed, "the export \(content.name) cannot be read: \(error)")
        }
        return report
    }

    private func isInside(_ checkpoint: AuditCheckpoint, _ report: AuditReport) -> Bool {
        (report.firstEntry...max(report.firstEntry, report.lastEntry)).contains(checkpoint.auditSequence)
    }

    private struct Wanted {
        var byAnchor: [(String, [(Int64, AuditCheckpoint)])] = []
        var sequences: Set<Int64> = []
    }

    private func checkpoints(of anchors: [AnchorContent], _ report: inout AuditReport) throws -> Wanted {
        var wanted = Wanted()
        for anchor in anchors {
            var found: [(Int64, AuditCheckpoint)] = []
            try anchor.checkpoints(upTo: try anchor.lengths(), into: &report) { checkpoint, number, _ in
                found.append((number, checkpoint))
                wanted.sequences.insert(checkpoint.auditSequence)
            }
            wanted.byAnchor.append((anchor.name, found))
        }
        return wanted
    }
}

extension AuditRecord {
    fileprivate var link: AuditLink {
        AuditLink(
            sequence: sequence, epoch: epoch, kind: entry.kind, at: entry.at,
            bodyDigest: sha256(entry.body.canonicalBytes).description, previous: previous)
    }
}
