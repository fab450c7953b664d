internal import HoldfastCore
package import HoldfastCrypto

/// Tokens for programs: 256 random bits each, of which the configuration has the digest.
package enum APIToken {
    static let prefix = "hf_"
    /// `hf_` and 43 digits in base64url.
    private static let length = 46

    /// A new token with its digest. The token is shown once and kept nowhere.
    package static func make() -> (token: Secret, sha256: String) {
        let token = prefix + base64URLText(randomBytes(32))
        return (Secret(token), sha256(token.utf8).description)
    }

    /// Whether a bearer's text is meant to be one.
    static func isOne(_ text: String) -> Bool { text.hasPrefix(prefix) && text.utf8.count == length }

    /// Who presents a token.
    ///
    /// - Throws: 401 where no token has this digest, or it has expired. Each digest is compared in whole.
    static func caller(
        presenting text: Secret, among tokens: [ServerSettings.Token], people: People, now: Timestamp
    ) throws(Refusal) -> Caller {
        let digest = Array(sha256(text.revealed.utf8).description.utf8)
        var found: ServerSettings.Token?
        for token in tokens where constantTimeEqual(Array(token.sha256.utf8), digest) { found = token }
        guard let found else { throw .unauthenticated("this token is not one of those under `server: tokens:`") }
        guard now < found.expires else {
            throw .unauthenticated(
                "the token \(found.name) ended at \(found.expires); make another with `holdfast token`")
        }
        // A token never gives more than its person has.
        let held = people.roles(of: found.person) + ["viewer"]
        return Caller(Person(name: found.person, roles: found.roles.filter(held.contains), via: "token"))
    }
}

/// Bytes that nobody can guess.
func randomBytes(_ count: Int) -> [UInt8] {
    var source = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &source) }
}
