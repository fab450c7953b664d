internal import HoldfastCrypto
package import HoldfastJSON

/// One step of a run.
package struct RunStep: Sendable, Hashable {
    package enum State: String, Sendable, Hashable {
        case pending, done, undone
    }
    package var call: PlannedCall
    package var writes: [PropertyPath]
    package var undo: PlannedUndo
    package var isIdempotent: Bool
    /// How long a long operation of the call may take.
    package var waitAtMost: Span?
    package var state = State.pending
    /// The call that went out last: the step's own, or that of its undo.
    package var lastCall: PlannedCall?
    package var lastCallIsIdempotent = false
    /// What the call gave, for undos that need what it made.
    package var answer = JSON.null
    /// What a read after the run showed of what the step wrote, by path.
    package var written: JSON?
    /// The cloud's ids of the requests: its events are known again by them.
    package var requests: [String] = []

    package init(
        call: PlannedCall, writes: [PropertyPath], undo: PlannedUndo, isIdempotent: Bool, waitAtMost: Span?
    ) {
        self.call = call
        self.writes = writes
        self.undo = undo
        self.isIdempotent = isIdempotent
        self.waitAtMost = waitAtMost
    }

    /// Whether a step of a plan that was made later is this one: the same call, or the same edit of a document in which
    /// something else has changed meanwhile.
    package func isSame(as planned: PlannedStep) -> Bool {
        if planned.call == call { return true }
        guard planned.call.name == call.name, case .inverseEdit(let name, let changes) = undo.means,
            case .inverseEdit(let other, let others) = planned.undo.means, name == other, changes.count == others.count
        else { return false }
        return zip(changes, others).allSatisfy { one, another in
            one.path.withoutIndexes == another.path.withoutIndexes && one.before == another.before
                && one.after == another.after
        }
    }
}

extension PlannedCall {
    /// Over name, request and every parameter.
    package var digest: String { sha256(json.canonicalBytes).description }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let name = json["call"]?.string, let request = json["request"]?.string,
            let permission = json["permission"]?.string, let parameters = json["parameters"]?.object
        else { return nil }
        self.init(
            name: name, request: request, permission: permission, parameters: parameters,
            precondition: json["precondition"])
    }
}
