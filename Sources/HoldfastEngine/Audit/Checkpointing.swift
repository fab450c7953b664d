internal import HoldfastCore
internal import HoldfastJSON

/// Writes a checkpoint each minute in which something was logged, and hands it to the anchors. An anchor that fails is
/// tried again each minute, with the newest checkpoint, and holds up neither the others nor the service.
package actor Checkpointing<C: HoldfastClock> {
    /// How often.
    package static var every: Duration { .seconds(60) }
    /// How often evidence that is older than its retention is sealed.
    static var sealing: Span { Span(seconds: 3600) }

    private let keeper: Keeper
    private let anchors: [any Anchor]
    private let signer: CheckpointSigner?
    private let clock: C
    /// What each anchor has, as far as this process knows.
    private var taken: [String: AuditCheckpoint] = [:]
    private var sealed: Timestamp?

    package init(keeper: Keeper, anchors: [any Anchor], signer: CheckpointSigner?, clock: C) {
        self.keeper = keeper
        self.anchors = anchors
        self.signer = signer
        self.clock = clock
    }

    /// Until the task is cancelled.
    ///
    /// - Throws: ``JournalError`` where the journal fails.
    package func run() async throws {
        while (try? await clock.sleep(for: Self.every)) != nil { try await turn() }
    }

    /// One checkpoint, for all anchors; also at the end of a process.
    package func turn() async throws {
        let checkpoint = try await keeper.checkpoint(by: signer, now: clock.wallTime())
        let late = anchors.filter { taken[$0.name] != checkpoint }
        let failures = await withTaskGroup(of: (String, AnchorError?).self) { group in
            for anchor in late { group.addTask { await Self.hand(checkpoint, to: anchor) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for anchor in late {
            let failure = failures[anchor.name] ?? nil
            if failure == nil { taken[anchor.name] = checkpoint }
            try await keeper.note(failure, of: anchor.name, now: clock.wallTime())
        }
        try await seal()
    }

    private static func hand(_ checkpoint: AuditCheckpoint, to anchor: any Anchor) async -> (String, AnchorError?) {
        do throws(AnchorError) {
            try await anchor.put(checkpoint)
            return (anchor.name, nil)
        } catch {
            return (anchor.name, error)
        }
    }

    private func seal() async throws {
        let now = clock.wallTime()
        if sealed.map({ now >= $0 + Self.sealing }) ?? true {
            sealed = now
            while try await keeper.sealEvidence(now: now) {}
        }
        // A part at a time, so that intake comes in between.
        while try await keeper.dropSealedEvidence() {}
    }
}

extension Keeper {
    /// How many batches are deleted in one transaction.
    private static let droppedAtOnce = 500

    /// How far both logs are by now, on the disk and signed; the last checkpoint where nothing was logged since.
    func checkpoint(by signer: CheckpointSigner?, now: Timestamp) throws(JournalError) -> AuditCheckpoint {
        try journal.checkpoint(at: now) { checkpoint in try signer?.sign(checkpoint) ?? checkpoint }
    }

    /// Raises the notice of an anchor, or ends it.
    func note(_ failure: AnchorError?, of anchor: String, now: Timestamp) throws(JournalError) {
        guard let failure else { return try end(.anchorFailing, subject: anchor, now: now) }
        let text = "the anchor \(anchor) does not take checkpoints of the audit log: \(failure)"
        try note(notices: [
            Notice(code: NoticeCode.anchorFailing.rawValue, subject: anchor, text: text, raised: now)
        ])
    }

    /// Lets a record in the audit log stand for the oldest evidence that is older than its retention.
    ///
    /// - Returns: whether there was any.
    func sealEvidence(now: Timestamp) throws(JournalError) -> Bool {
        guard let retention = policy.limits.evidenceRetention,
            let segment = try journal.evidenceSegment(before: now - retention)
        else { return false }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.sealedEvidence = segment
        step.transaction.audit = [AuditEntry(kind: EvidenceSegment.auditKind, at: now, body: segment.json)]
        try commit(step, lease: nil)
        return true
    }

    /// - Returns: whether there may be more.
    func dropSealedEvidence() throws(JournalError) -> Bool {
        guard policy.limits.evidenceRetention != nil else { return false }
        return try journal.dropSealedEvidence(limit: Self.droppedAtOnce) == Self.droppedAtOnce
    }
}
