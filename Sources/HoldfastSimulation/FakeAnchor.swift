internal import HoldfastEngine
internal import HoldfastStore
internal import Synchronization

/// Keeps checkpoints, and sometimes does not answer.
final class FakeAnchor: Anchor {
    let name = "vault"
    private let faults: FaultPlan
    private let kept = Mutex<[[UInt8]]>([])

    init(faults: FaultPlan) { self.faults = faults }

    func put(_ checkpoint: AuditCheckpoint) async throws(AnchorError) {
        if faults.fires(.anchorDown) { throw AnchorError("nobody answers") }
        kept.withLock { $0.append(checkpoint.line) }
    }

    var content: AnchorContent { AnchorContent(name: name, lines: kept.withLock { $0 }) }
}

extension Judgements {
    /// Both logs are what they were, whatever died and was sealed meanwhile.
    mutating func checkAudit(_ store: SQLiteJournal, _ anchor: FakeAnchor) throws(JournalError) {
        let report = try store.verifyAudit(anchors: [anchor.content])
        judge(.auditIsWhole, report.isIntact, report.faults.first?.message ?? "")
        for witness in report.witnesses where witness.checkpoints > 0 {
            judge(.auditIsWhole, witness.entries > 0, "the anchor vouches for no entry")
        }
    }
}
