internal import HoldfastCore
internal import HoldfastJSON

/// What a provider's token must say for its bearer to be let in.
struct TokenRules: Sendable {
    let provider: ServerSettings.Provider
    let people: People

    /// How far the provider's clock may be from ours.
    static let skew = Span(seconds: 60)

    /// Which token of the provider's it is.
    enum Kind: Sendable {
        /// Any that is meant for us, by who presents it.
        case bearer
        /// The ID token of a sign-in that was begun with this nonce.
        case signIn(nonce: String)
    }

    /// - Returns: who it is, by claims whose signature was checked.
    /// - Throws: 401 where the token says nothing to us or not now; 403 where the configuration knows nobody of it.
    func caller(_ claims: JSON, _ kind: Kind, via: String, now: Timestamp) throws(Refusal) -> Caller {
        guard claims["iss"]?.string == provider.issuer else {
            throw CompactToken.refused("is not from \(provider.issuer)")
        }
        try checkAudience(claims, kind)
        try checkTimes(claims, now)
        if case .signIn(let nonce) = kind, claims["nonce"]?.string != nonce {
            throw CompactToken.refused("belongs to another sign-in")
        }
        guard let subject = claims["sub"]?.string, !subject.isEmpty else {
            throw CompactToken.refused("names no subject")
        }
        guard let person = people.person(oidc: subject) else {
            throw .forbidden(
                "\(provider.issuer) knows you as \(printable(subject)), and nobody under identities: has this oidc:")
        }
        let roles = people.roles(of: person)
        let more = claimed(claims).filter { !roles.contains($0) }
        return Caller(Person(name: person, roles: roles + more, via: via))
    }

    private func checkAudience(_ claims: JSON, _ kind: Kind) throws(Refusal) {
        let audiences = claims["aud"]?.array?.compactMap(\.string) ?? [claims["aud"]?.string].compactMap { $0 }
        let wanted: [String] =
            switch kind {
            case .bearer: [provider.audience, provider.clientID]
            case .signIn: [provider.clientID]
            }
        guard audiences.contains(where: wanted.contains) else {
            throw CompactToken.refused("is not meant for \(wanted[0])")
        }
        // OpenID Connect Core, 3.1.3.7: a token for several names the one that it was given to.
        if case .signIn = kind, audiences.count > 1 || claims["azp"] != nil, claims["azp"]?.string != provider.clientID {
            throw CompactToken.refused("was given to another client")
        }
    }

    private func checkTimes(_ claims: JSON, _ now: Timestamp) throws(Refusal) {
        guard let expires = moment(claims["exp"]) else { throw CompactToken.refused("has no end") }
        guard now < expires + Self.skew else { throw CompactToken.refused("ended at \(expires)") }
        for name in ["nbf", "iat"] {
            guard let claim = claims[name] else { continue }
            guard let begins = moment(claim) else { throw CompactToken.refused("has an \(name) that is no time") }
            guard begins <= now + Self.skew else { throw CompactToken.refused("begins only at \(begins)") }
        }
    }

    /// Seconds since 1970, with or without a fraction.
    private func moment(_ claim: JSON?) -> Timestamp? {
        guard case .number(let number)? = claim, (0...9_000_000_000).contains(number.double) else { return nil }
        return Timestamp(seconds: Int64(number.double))
    }

    /// The roles that the groups of the claim give, in the order of their names.
    private func claimed(_ claims: JSON) -> [String] {
        guard let name = provider.rolesClaim else { return [] }
        // A claim's own name may have dots, as URLs have; a path is what is left to try.
        let claim = claims[name] ?? name.split(separator: ".").reduce(claims) { $0?[String($1)] }
        let groups = claim?.array?.compactMap(\.string) ?? claim?.string?.split(separator: " ").map(String.init) ?? []
        return provider.roles.filter { $0.value.contains(where: groups.contains) }.keys.sorted()
    }
}

/// Text that somebody else wrote, for a sentence: cut, and without what moves a cursor or turns text round.
func printable(_ text: String, limit: Int = 200) -> String {
    var out = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            out += "\\u{\(String(scalar.value, radix: 16))}"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return text.unicodeScalars.count > limit ? out + "…" : out
}
