/// A place outside the journal that keeps checkpoints, so that what is cut off or rewritten in the journal afterwards
/// is found.
package protocol Anchor: Sendable {
    /// Unique among the configured ones: `file /var/lib/anchor.jsonl`, `kafka audit-anchor`.
    var name: String { get }
    /// Hands a checkpoint over, and waits until the place has it, for ``AnchorError/deadline`` at most.
    func put(_ checkpoint: AuditCheckpoint) async throws(AnchorError)
}

/// Why an anchor did not take a checkpoint.
package struct AnchorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What to do about it too.
    package var description: String
    package init(_ description: String) { self.description = description }

    /// How long one attempt takes at most.
    package static let deadline = Duration.seconds(10)
}
