package import HoldfastJSON

/// A change that a cloud has taken on and not yet made.
package struct AcceptedOperation: Sendable, Hashable {
    /// What asks for it, in the writer's own words: journaled, so that a restart goes on asking.
    package var token: JSON
    /// How long to wait before asking.
    package var askAfter: Span
    package init(token: JSON, askAfter: Span) {
        self.token = token
        self.askAfter = askAfter
    }
}

/// How a write ended.
package enum WriteOutcome: Sendable, Hashable {
    /// - Parameter requestID: the cloud's own, by which its event is known again; empty where there is none.
    case done(answer: JSON, requestID: String)
    /// A long operation: ``ChangeWriter/poll(_:context:)`` says how it ends.
    case accepted(AcceptedOperation, requestID: String)
    /// It was so already, by one of the catalog's codes.
    case alreadyDone(code: String)
    /// Surely not done: ``denied``, throttled, a failed precondition (`precondition`), another refusal.
    ///
    /// - Parameter retryAfter: `nil` where another attempt would not do better.
    case refused(code: String, message: String, retryAfter: Span?)
    /// Sent, and no whole answer: it may have been done.
    case unknown(message: String)

    /// The code of what the writing role may not do; the message has the cloud's own.
    package static let denied = "denied"

    /// For the audit log: what, without answers, which may hold secrets.
    package var json: JSON {
        switch self {
        case .done(_, let id): ["outcome": "done", "request": .string(id)]
        case .accepted(_, let id): ["outcome": "accepted", "request": .string(id)]
        case .alreadyDone(let code): ["outcome": "already-done", "code": .string(code)]
        case .refused(let code, let message, let wait):
            [
                "outcome": "refused", "code": .string(code), "message": .string(message),
                "retry": .bool(wait != nil),
            ]
        case .unknown(let message): ["outcome": "unknown", "message": .string(message)]
        }
    }

    package var requestID: String {
        switch self {
        case .done(_, let id), .accepted(_, let id): id
        case .alreadyDone, .refused, .unknown: ""
        }
    }
}
