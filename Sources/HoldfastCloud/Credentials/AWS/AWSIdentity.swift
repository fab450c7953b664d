package import HoldfastCore
package import HoldfastCrypto
package import HoldfastHTTP

/// AWS keys with what is known of them.
package struct AWSCredentials: Sendable, Equatable {
    package var keys: AWSKeys
    /// By our clock; `nil` for keys that don't end.
    package var expires: Timestamp?
    /// The account that they belong to, where whoever gave them said so.
    package var account: String?

    package init(keys: AWSKeys, expires: Timestamp? = nil, account: String? = nil) {
        self.keys = keys
        self.expires = expires
        self.account = account
    }
}

/// A role to be taken on, and how.
package struct AssumedRole: Sendable, Hashable {
    package var arn: String
    package var externalID: String?
    /// Shown in CloudTrail as the end of the caller's ARN.
    package var sessionName: String
    /// `nil`: an hour, by AWS's default.
    package var seconds: Int?
    /// The most that the session may do, as an IAM policy; `nil`: all that the role may.
    package var policy: String?

    package static let sessionName = "holdfast"

    package init(
        arn: String, externalID: String? = nil, sessionName: String = AssumedRole.sessionName, seconds: Int? = nil,
        policy: String? = nil
    ) {
        self.arn = arn
        self.externalID = externalID
        self.sessionName = sessionName
        self.seconds = seconds
        self.policy = policy
    }
}

/// Where AWS credentials come from, decided; nothing has been asked yet.
package indirect enum AWSIdentity: Sendable, Equatable {
    /// - Parameter source: for messages: `the environment`, `the profile x of /home/…`.
    case keys(AWSCredentials, source: String)
    case role(AssumedRole, from: AWSIdentity)
    case webIdentity(AssumedRole, tokenFile: String)
    /// A program that prints credentials; the words of its command line.
    case program([Secret], profile: String)
    case container(url: Secret, authorization: Secret?, authorizationFile: String?)
    case instance(endpoint: String)
}
