package import HoldfastCore
package import HoldfastHTTP
package import HoldfastJSON

/// Where a call is made, and with which of the account's two roles.
package struct CallScope: Sendable, Hashable {
    package enum Access: String, Sendable, Hashable {
        case read, write
    }
    package var cloud: Cloud
    /// AWS account id, Azure subscription, Google project: text. Empty: whatever the credentials belong to.
    package var account: String
    /// `eu-west-1`; empty for global services and where the cloud's endpoints have no region.
    package var region: String
    package var access: Access
    /// AWS: an IAM policy that narrows what the write role's session may do; empty: all that the role may.
    package var sessionPolicy: String

    package init(
        cloud: Cloud, account: String, region: String = "", access: Access = .read, sessionPolicy: String = ""
    ) {
        self.cloud = cloud
        self.account = account
        self.region = region
        self.access = access
        self.sessionPolicy = sessionPolicy
    }
}

/// What a call gave.
package struct CallAnswer: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    /// The answer in the shape of the cloud's own API, as its SDKs show it: of XML protocols lists are arrays, numbers
    /// numbers, times RFC 3339 texts. Null where there is none.
    package var body: JSON
    /// The payload of an answer that is no document, as it came: an object of S3. Empty for all others.
    package var bytes: [UInt8]
    /// When the call began, by the provider's `Date` header less the time that the call took; ours where there is none.
    package var started: Timestamp

    package init(status: Int, headers: HTTPHeaders, body: JSON, bytes: [UInt8] = [], started: Timestamp) {
        self.status = status
        self.headers = headers
        self.body = body
        self.bytes = bytes
        self.started = started
    }
}

/// Why a call gave no answer.
package struct CallFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// The cloud says no: 401, 403, an expired or missing credential.
        case denied
        /// Too many calls; ``retryAfter`` where the cloud says for how long.
        case throttled
        /// Another refusal: 4xx with an error code that catalog files know (`NoSuchBucketPolicy`).
        case refused
        /// 5xx, or an answer that cannot be read.
        case unavailable
        /// Nothing was sent.
        case notSent
        /// Sent, and no whole answer: a write may have been done.
        case unknownOutcome
        case cancelled
    }
    package var kind: Kind
    package var status: Int
    /// The cloud's own code: `InvalidGroup.NotFound`, `ResourceNotFound`, `notFound`; else one word of ours.
    package var code: String
    /// What was called, where, and what the cloud said; never a secret.
    package var message: String
    package var retryAfter: Duration?

    package init(
        kind: Kind, status: Int = 0, code: String, message: String, retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
    package var description: String { message }
}

/// Makes the calls that catalog files describe. One call is one page; retries are within, as far as the call allows.
package protocol CallSender: Sendable {
    /// - Parameter parameters: by the names of the provider's own API (AWS: members of the input; Azure and Google: the
    ///   names in the request's braces, query parameters, and `body`).
    func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer
}

/// Adds to a request what proves who sends it: an AWS signature, a bearer token.
package protocol RequestAuthority: Sendable {
    /// - Parameter signingName: AWS's name of the service in the credential scope (`s3`, `ec2`, `iam`); else empty.
    func authorize(
        _ request: HTTPRequest, signingName: String, in scope: CallScope
    ) async throws(CallFailure) -> HTTPRequest

    /// Learns from a refusal of a request that it has authorized: that clocks differ, that a token ended early. Asked
    /// once per call; a second refusal stands.
    /// - Parameter code: the cloud's own code of the refusal; empty where the answer has none.
    /// - Returns: whether the request is worth authorizing anew and sending once more: it was refused, so nothing was
    ///   done.
    func learn(
        from answer: HTTPResponse, code: String, to request: HTTPRequest, in scope: CallScope
    ) async -> Bool
}

extension RequestAuthority {
    package func learn(
        from answer: HTTPResponse, code: String, to request: HTTPRequest, in scope: CallScope
    ) async -> Bool { false }
}
