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
}

extension PlannedCall {
    /// Over name, request and every parameter.
    package var digest: String { sha256(json.canonicalBytes).description }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let name = json["call"]?.string, let request = json["request"]?.string,
            let permission = json["permission"]?.string, let parameters = json["parameters"]?.object
        else { return nil }
        self.init(name: name, request: request, permission: permission, parameters: parameters)
    }
}
