/// A step that the journal has written down as begun, on the disk, with everything that guards it consumed. Made by
/// journals alone; each can be used once.
package struct Begun: ~Copyable, Sendable {
    package let run: String
    package let step: Int
    package let attempt: Int
    /// Digest of the call that was written down.
    package let callDigest: String
    package let planDigest: String
    package let epoch: Int64
    package let at: Timestamp

    /// For implementations of the journal only; a test looks through the sources for others.
    package init(
        run: String, step: Int, attempt: Int, callDigest: String, planDigest: String, epoch: Int64, at: Timestamp
    ) {
        self.run = run
        self.step = step
        self.attempt = attempt
        self.callDigest = callDigest
        self.planDigest = planDigest
        self.epoch = epoch
        self.at = at
    }
}

/// The right to make one call, once, for a short while. Only ``Guards`` make one, out of a decision that allows it and
/// a step that was begun.
package struct Permit: ~Copyable, Sendable {
    package let run: String
    package let step: Int
    package let attempt: Int
    package let epoch: Int64
    package let call: PlannedCall
    package let context: ResourceContext
    /// A call that was not made by then must not be made.
    package let expires: Timestamp

    fileprivate init(
        run: String, step: Int, attempt: Int, epoch: Int64, call: PlannedCall, context: ResourceContext,
        expires: Timestamp
    ) {
        self.run = run
        self.step = step
        self.attempt = attempt
        self.epoch = epoch
        self.call = call
        self.context = context
        self.expires = expires
    }
}

/// Why no permit was given. Nothing was written to a cloud.
package struct PermitRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    package var reason: String
    package var description: String { reason }
}

extension Guards {
    /// - Throws: where the decision does not allow it, or is about another plan or another call than was begun.
    package static func permit(
        _ decision: Decision, _ call: PlannedCall, in context: ResourceContext, expiry: Span, _ begun: consuming Begun
    ) throws(PermitRefusal) -> Permit {
        guard decision.outcome == .allow else {
            throw PermitRefusal(reason: decision.stopper?.reason ?? "the guards did not let it pass")
        }
        guard begun.planDigest == decision.planDigest else {
            throw PermitRefusal(reason: "what was begun is another plan")
        }
        guard begun.callDigest == call.digest else { throw PermitRefusal(reason: "what was begun is another call") }
        return Permit(
            run: begun.run, step: begun.step, attempt: begun.attempt, epoch: begun.epoch, call: call, context: context,
            expires: begun.at + expiry)
    }
}
