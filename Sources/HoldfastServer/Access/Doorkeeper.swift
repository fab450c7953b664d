internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine

/// Knows who calls. Owns what is remembered of callers: sessions, one-time links, sign-ins under way, failures.
actor Doorkeeper {
    nonisolated let rules: AccessRules
    private let settings: ServerSettings
    private let keys: ProviderKeys?
    private let now: @Sendable () -> Timestamp
    private var failures = FailureLimiter()
    private var sessions: Sessions
    private var links = OneTimes<Person>(lasting: Span(seconds: 120))
    private var signIns = OneTimes<SignIn>(lasting: Span(seconds: 600))

    /// A sign-in at the provider that has begun.
    struct SignIn: Sendable, Hashable {
        /// Of RFC 7636.
        var verifier: String
        var nonce: String
        /// Where the browser wanted to go.
        var destination: String
        /// Known to the browser that began it alone.
        var binding: String
    }

    init(settings: ServerSettings, rules: AccessRules, fetch: @escaping Outbound, now: @escaping @Sendable () -> Timestamp)
    {
        self.settings = settings
        self.rules = rules
        self.now = now
        keys = settings.provider.map { ProviderKeys(issuer: $0.issuer, fetch: fetch, now: now) }
        sessions = Sessions(idle: settings.sessionIdle, length: settings.sessionLength)
    }

    // MARK: Programs and the command line

    /// Whom a request of the API comes from.
    ///
    /// - Throws: 401 and 403 with the reason, 429 after too many failures from one place.
    func caller(authorization: String?, peer: Peer) async throws(Refusal) -> Caller {
        guard let authorization else {
            guard case .user(let id, let name) = peer else {
                throw .unauthenticated("sign in first: `holdfast login`, or a token in HOLDFAST_TOKEN")
            }
            return local(id, name)
        }
        try checkPatience(peer)
        do throws(Refusal) {
            return try await bearer(authorization)
        } catch {
            if error.status == 401 { failures.fail(peer.place, now: now()) }
            throw error
        }
    }

    private func checkPatience(_ peer: Peer) throws(Refusal) {
        guard let wait = failures.wait(peer.place, now: now()) else { return }
        throw Refusal(429, "too-many-failures", "too many failed sign-ins from \(peer.place)", retryAfter: wait)
    }

    private func local(_ id: UInt32, _ name: String?) -> Caller {
        if let person = rules.people.person(local: [name, String(id)].compactMap { $0 }) {
            return Caller(Person(name: person, roles: rules.people.roles(of: person) + ["viewer"], via: "unix-socket"))
        }
        let shown = name ?? "uid \(id)"
        if id == 0 {
            return Caller(
                unnamed: shown,
                because: "root is nobody: whoever can become root would be the same person, so that four eyes could "
                    + "not be told from two. Run this as the user you log in as, who stands under identities: local:")
        }
        return Caller(
            unnamed: shown,
            because: "\(shown) is no person that the configuration knows: add `local: \(shown)` to somebody under "
                + "identities:")
    }

    private func bearer(_ authorization: String) async throws(Refusal) -> Caller {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw .unauthenticated("the Authorization header is not `Bearer TOKEN`")
        }
        let text = String(parts[1])
        if APIToken.isOne(text) {
            return try APIToken.caller(
                presenting: Secret(text), among: settings.tokens, people: rules.people, now: now())
        }
        guard let provider = settings.provider, let keys else {
            throw .unauthenticated("this is no token of Holdfast's, and `server: oidc:` names no provider of others")
        }
        let token = try CompactToken(text)
        try await keys.verify(token)
        return try TokenRules(provider: provider, people: rules.people).caller(
            token.claims, .bearer, via: "oidc", now: now())
    }

    // MARK: Browsers

    func session(_ id: String?) -> Sessions.Session? { id.flatMap { sessions.use($0, now: now()) } }

    func begin(_ person: Person) -> String {
        var person = person
        person.via = "session"
        return sessions.begin(person, now: now())
    }

    func end(_ id: String) { sessions.end(id) }

    /// A code by which a browser signs in as this person, once, within two minutes.
    func link(for person: Person) -> String { links.put(person, now: now()) }

    /// Whom a link is for. The link stays: whatever looks at links before people do must not use them up.
    func look(link code: String, peer: Peer) throws(Refusal) -> Person {
        try checkPatience(peer)
        guard let person = links.look(code, now: now()) else { throw spent(peer) }
        return person
    }

    func take(link code: String, peer: Peer) throws(Refusal) -> Person {
        try checkPatience(peer)
        guard let person = links.take(code, now: now()) else { throw spent(peer) }
        return person
    }

    private func spent(_ peer: Peer) -> Refusal {
        failures.fail(peer.place, now: now())
        return .unauthenticated("this link was used or is older than two minutes; `holdfast approvals open` makes another")
    }

    // MARK: Sign-in at the provider

    /// - Returns: the state that the provider hands back, and the sign-in itself.
    func beginSignIn(to destination: String) -> (state: String, signIn: SignIn) {
        func random() -> String { base64URLText(randomBytes(32)) }
        let signIn = SignIn(verifier: random(), nonce: random(), destination: destination, binding: random())
        return (signIns.put(signIn, now: now()), signIn)
    }

    func takeSignIn(_ state: String, binding: String?) throws(Refusal) -> SignIn {
        guard let signIn = signIns.take(state, now: now()),
            constantTimeEqual(Array(signIn.binding.utf8), Array((binding ?? "").utf8))
        else {
            throw .unauthenticated(
                "this sign-in was not begun in this browser, or longer than ten minutes ago; begin again")
        }
        return signIn
    }

    func places() async throws(Refusal) -> ProviderKeys.Places {
        guard let keys else { throw .notFound("`server: oidc:` names no provider") }
        return try await keys.discover()
    }

    /// Who has signed in, by the ID token that the provider gave for it.
    func person(idToken: String, nonce: String) async throws(Refusal) -> Person {
        guard let provider = settings.provider, let keys else { throw .notFound("`server: oidc:` names no provider") }
        let token = try CompactToken(idToken)
        try await keys.verify(token)
        let caller = try TokenRules(provider: provider, people: rules.people).caller(
            token.claims, .signIn(nonce: nonce), via: "session", now: now())
        guard let person = caller.person else { throw .forbidden(caller.anonymity) }
        return person
    }
}
