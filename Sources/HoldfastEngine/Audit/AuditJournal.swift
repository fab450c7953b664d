package import HoldfastCore

/// What the journal knows of its two logs, and does for them.
package protocol AuditJournal: AnyObject, Sendable {
    func auditEntries(after sequence: Int64, limit: Int) throws(JournalError) -> [AuditRecord]

    /// Makes what was committed durable, and writes down how far both logs are; where nothing was logged since the last
    /// checkpoint it gives that one.
    ///
    /// - Parameter sign: puts a signature on what is to be written.
    func checkpoint(
        at: Timestamp, sign: (AuditCheckpoint) throws -> AuditCheckpoint
    ) throws(JournalError) -> AuditCheckpoint
    /// The oldest evidence that a checkpoint from before a moment covers, to be sealed; `nil` where there is none.
    func evidenceSegment(before: Timestamp) throws(JournalError) -> EvidenceSegment?
    /// Deletes batches that segments stand for, the oldest first, at most `limit`.
    ///
    /// - Returns: how many.
    func dropSealedEvidence(limit: Int) throws(JournalError) -> Int
}

/// An audit entry as chained: `digest` covers the previous digest, sequence, epoch, kind, time and body.
package struct AuditRecord: Sendable, Hashable {
    /// 1, 2, 3, … without gaps.
    package var sequence: Int64
    /// Of the lease under which it was written: the transaction's first on shards, else its first.
    package var epoch: Int64
    package var entry: AuditEntry
    package var previous: String
    package var digest: String
    package init(sequence: Int64, epoch: Int64, entry: AuditEntry, previous: String, digest: String) {
        self.sequence = sequence
        self.epoch = epoch
        self.entry = entry
        self.previous = previous
        self.digest = digest
    }
}
