internal import HoldfastHTTP

/// Why there are no credentials. Messages name variables, files, hosts and what a server said of them; never a secret.
package struct CredentialFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// Nothing is configured where credentials are looked for.
        case absent
        /// Something is configured, and wrong: asking again gives the same.
        case misconfigured
        /// The cloud refuses what it was shown.
        case denied
        /// No answer, or one that says "later": asking again may work.
        case unavailable
        case cancelled
    }
    package var kind: Kind
    /// The cloud's own code (`AccessDenied`, `invalid_grant`); else one word of ours.
    package var code: String
    package var message: String
    package var status: Int
    package var retryAfter: Duration?

    package init(_ kind: Kind, code: String, _ message: String, status: Int = 0, retryAfter: Duration? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
    }
    package var description: String { message }

    static func misconfigured(_ message: String) -> CredentialFailure {
        CredentialFailure(.misconfigured, code: "misconfigured", message)
    }

    /// What a caller sees whose call was not sent for want of credentials. Never an unknown outcome: whatever happened
    /// while asking for credentials, the call itself has not left.
    package var callFailure: CallFailure {
        switch kind {
        case .absent, .misconfigured, .denied:
            CallFailure(kind: .denied, status: status, code: code, message: message)
        case .unavailable where status == 429:
            CallFailure(kind: .throttled, status: status, code: code, message: message, retryAfter: retryAfter)
        case .unavailable:
            CallFailure(kind: .notSent, code: code, message: message, retryAfter: retryAfter)
        case .cancelled:
            CallFailure(kind: .cancelled, code: code, message: message)
        }
    }

    /// - Parameter what: what was being done: `sts.AssumeRole of arn:… at sts.amazonaws.com`.
    static func transport(_ failure: HTTPFailure, _ what: String) -> CredentialFailure {
        switch failure {
        case .cancelled: CredentialFailure(.cancelled, code: "cancelled", "\(what): cancelled")
        case .notSent(let code, let message), .unknownOutcome(let code, let message):
            CredentialFailure(.unavailable, code: code, "\(what): \(message)")
        }
    }
}
