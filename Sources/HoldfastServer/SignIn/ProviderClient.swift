package import HoldfastCore
package import HoldfastEngine
package import HoldfastJSON

/// Signs a person in at a provider from the command line, and keeps them signed in.
package struct ProviderClient: Sendable {
    /// What a server says of the provider whose tokens it takes.
    package struct Offer: Sendable, Hashable {
        package var issuer: String
        package var clientID: String
        package var audience: String
        package var scopes: [String]

        package init(issuer: String, clientID: String, audience: String, scopes: [String]) {
            self.issuer = issuer
            self.clientID = clientID
            self.audience = audience
            self.scopes = scopes
        }

        /// As `GET /api/v1/sign-in` says it; `nil` where a part is missing.
        package init?(json: JSON) {
            guard let issuer = json["issuer"]?.string, let client = json["client-id"]?.string,
                let audience = json["audience"]?.string
            else { return nil }
            self.init(
                issuer: issuer, clientID: client, audience: audience,
                scopes: json["scopes"]?.array?.compactMap(\.string) ?? [])
        }

        package var json: JSON {
            [
                "issuer": .string(issuer), "client-id": .string(clientID), "audience": .string(audience),
                "scopes": .array(scopes.map(JSON.string)),
            ]
        }
    }

    private let offer: Offer
    private let fetch: Outbound
    private let now: @Sendable () -> Timestamp
    private let keys: ProviderKeys

    package init(_ offer: Offer, fetch: @escaping Outbound, now: @escaping @Sendable () -> Timestamp) {
        self.offer = offer
        self.fetch = fetch
        self.now = now
        keys = ProviderKeys(issuer: offer.issuer, fetch: fetch, now: now)
    }

    /// - Parameters:
    ///   - tell: shows the person where to go and what to type.
    ///   - sleep: waits; what it throws ends the flow.
    package func signIn(
        tell: (DeviceFlow.Code) -> Void, sleep: (Span) async throws -> Void
    ) async throws -> TokenSet {
        let places = try await keys.discover()
        guard let device = places.device else {
            throw SignInFailure("\(offer.issuer) has no device flow; use a token (`holdfast token`) in HOLDFAST_TOKEN")
        }
        let scopes = (["openid"] + offer.scopes).joined(separator: " ")
        let begun = try await post(device, [("client_id", offer.clientID), ("scope", scopes)])
        let code = try DeviceFlow.Code((try? JSON.parse(begun.body)) ?? .null)
        tell(code)
        var flow = DeviceFlow(code, now: now())
        var action = flow.first
        while true {
            switch action {
            case .done(let tokens): return tokens
            case .failed(let why): throw SignInFailure(why)
            case .ask(let wait):
                try await sleep(wait)
                let answer = try? await post(
                    places.token,
                    [
                        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code.device),
                        ("client_id", offer.clientID),
                    ])
                action = flow.next(after: answer, now: now())
            }
        }
    }

    /// Other tokens for those that end.
    package func refresh(_ token: String) async throws -> TokenSet {
        let places = try await keys.discover()
        let answer = try await post(
            places.token,
            [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", offer.clientID)])
        let json = (try? JSON.parse(answer.body)) ?? .null
        guard answer.status == 200, var tokens = TokenSet(json, now: now()) else {
            throw SignInFailure("\(offer.issuer) wants a new sign-in (\(OAuthAnswer.problem(json))): `holdfast login`")
        }
        tokens.refresh = tokens.refresh ?? token
        return tokens
    }

    private func post(_ url: String, _ form: [(String, String)]) async throws(OutboundFailure) -> OutboundAnswer {
        try await fetch(
            OutboundRequest(
                method: "POST", url: url,
                headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")],
                body: OAuthAnswer.form(form)))
    }
}
