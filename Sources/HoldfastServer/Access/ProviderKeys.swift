internal import Foundation
internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import JWTKit

/// What a provider says of itself, and the keys that it signs with: fetched when needed, kept, and fetched again where
/// a token names a key that is not among them.
actor ProviderKeys {
    /// Where a provider does what (OpenID Connect Discovery, RFC 8628).
    struct Places: Sendable {
        var keys: String
        var authorization: String
        var token: String
        var device: String?
    }

    private struct Key {
        var algorithm: CompactToken.Algorithm
        var verifier: any JWTAlgorithm
    }

    private let issuer: String
    private let fetch: Outbound
    private let now: @Sendable () -> Timestamp
    private var places: Places?
    /// By key id; the empty id for a key without one.
    private var keys: [String: Key] = [:]
    private var keysSince = Timestamp.distantPast
    private var triedAt = Timestamp.distantPast
    private var isFetching = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Between two fetches for keys that are not known: a stranger's token must not make us hammer the provider.
    static let pause = Span(seconds: 30)
    /// Keys older than this are fetched again; where that fails they are used on for a day.
    static let fresh = Span(seconds: 3600)
    static let usable = Span(seconds: 86_400)

    init(issuer: String, fetch: @escaping Outbound, now: @escaping @Sendable () -> Timestamp) {
        self.issuer = issuer
        self.fetch = fetch
        self.now = now
    }

    /// - Throws: 401 where the signature is not the provider's; 503 where the provider cannot be asked for its keys.
    func verify(_ token: CompactToken) async throws(Refusal) {
        let key = try await key(for: token)
        let isGenuine = (try? key.verifier.verify(token.signature, signs: token.signed)) ?? false
        guard isGenuine else { throw CompactToken.refused("has a signature that is not \(issuer)'s") }
    }

    private func key(for token: CompactToken) async throws(Refusal) -> Key {
        if keysSince + Self.fresh <= now() || find(token) == nil { try await refresh() }
        guard let key = find(token) else {
            throw CompactToken.refused("is signed with a key that \(issuer) does not list")
        }
        return key
    }

    /// A token without a key id is taken where there is one key only of its algorithm.
    private func find(_ token: CompactToken) -> Key? {
        guard let id = token.keyID else {
            let fitting = keys.values.filter { $0.algorithm == token.algorithm }
            return fitting.count == 1 ? fitting[0] : nil
        }
        return keys[id].flatMap { $0.algorithm == token.algorithm ? $0 : nil }
    }

    // MARK: Fetching

    /// One fetch at a time; who comes meanwhile waits for it.
    private func refresh() async throws(Refusal) {
        if isFetching {
            await withCheckedContinuation { waiting.append($0) }
        } else if triedAt + Self.pause <= now() {
            isFetching = true
            triedAt = now()
            let failure = await fetchAll()
            isFetching = false
            for waiter in waiting { waiter.resume() }
            waiting = []
            if let failure, keysSince + Self.usable <= now() { throw failure }
        }
        guard keysSince + Self.usable > now() else {
            throw Refusal(503, "provider-unreachable", "the keys of \(issuer) are not known yet", retryAfter: 30)
        }
    }

    private func fetchAll() async -> Refusal? {
        do throws(Refusal) {
            let places = try await discover()
            let listed = try await document(places.keys)
            let found = try await read(listed)
            guard !found.isEmpty else { throw unreachable("lists no key that RS256 or ES256 is verified with") }
            keys = found
            keysSince = now()
            return nil
        } catch {
            // It may have moved them.
            places = nil
            return error
        }
    }

    /// - Throws: 503 where the provider cannot be asked, or says of itself what cannot be meant.
    func discover() async throws(Refusal) -> Places {
        if let places { return places }
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let said = try await document("\(base)/.well-known/openid-configuration")
        guard said["issuer"]?.string == issuer else {
            throw unreachable("calls itself \(printable(said["issuer"]?.string ?? "nothing"))")
        }
        guard let keys = said["jwks_uri"]?.string, let authorization = said["authorization_endpoint"]?.string,
            let token = said["token_endpoint"]?.string
        else { throw unreachable("does not say where its keys, its sign-in and its tokens are") }
        let device = said["device_authorization_endpoint"]?.string
        for place in [keys, authorization, token, device ?? keys]
        where !place.hasPrefix("https://") && !issuer.hasPrefix("http://") {
            throw unreachable("has places without TLS")
        }
        let found = Places(keys: keys, authorization: authorization, token: token, device: device)
        places = found
        return found
    }

    private func document(_ url: String) async throws(Refusal) -> JSON {
        let answer: OutboundAnswer
        do throws(OutboundFailure) {
            answer = try await fetch(OutboundRequest(url: url, headers: [("Accept", "application/json")]))
        } catch {
            throw unreachable("does not answer: \(error.message)")
        }
        guard answer.status == 200, let json = try? JSON.parse(answer.body, limits: JSONLimits(depth: 16)) else {
            throw unreachable("answers \(answer.status) at \(url)")
        }
        return json
    }

    private func unreachable(_ what: String) -> Refusal {
        Refusal(503, "provider-unreachable", "\(issuer) \(what)", retryAfter: 30)
    }

    /// Keys that verify signatures; what else is listed is passed over.
    private func read(_ listed: JSON) async throws(Refusal) -> [String: Key] {
        var found: [String: Key] = [:]
        for json in (listed["keys"]?.array ?? []).prefix(64) {
            guard json["use"]?.string ?? "sig" == "sig", let algorithm = algorithm(of: json) else { continue }
            // Only what makes the key: no private part, no certificate, whatever else is in there.
            var plain = JSONObject([("kid", "k"), ("alg", .string(algorithm.rawValue))])
            for name in ["kty", "n", "e", "crv", "x", "y"] { plain[name] = json[name] }
            guard let jwk = try? JWK(json: JSON.object(plain).canonicalText),
                let verifier = try? await JWTKeyCollection().add(jwk: jwk).getKey(for: "k", alg: algorithm.rawValue)
            else { continue }
            found[json["kid"]?.string ?? ""] = Key(algorithm: algorithm, verifier: verifier)
        }
        return found
    }

    private func algorithm(of json: JSON) -> CompactToken.Algorithm? {
        let algorithm: CompactToken.Algorithm
        switch json["kty"]?.string {
        // 342 digits of base64url are 2048 bits.
        case "RSA" where (json["n"]?.string?.utf8.count ?? 0) >= 342: algorithm = .rs256
        case "EC" where json["crv"]?.string == "P-256": algorithm = .es256
        default: return nil
        }
        return json["alg"] == nil || json["alg"]?.string == algorithm.rawValue ? algorithm : nil
    }
}
