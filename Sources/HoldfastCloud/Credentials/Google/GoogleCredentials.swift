package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastHTTP
internal import HoldfastJSON

/// Google credentials as the client libraries find them (Application Default Credentials): the file that
/// `GOOGLE_APPLICATION_CREDENTIALS` names, gcloud's own file, the machine's metadata server.
package struct GoogleCredentials: Sendable {
    /// What tokens are asked for. What they may do is decided by IAM alone.
    package static let scope = "https://www.googleapis.com/auth/cloud-platform"
    /// What the token is asked for with which another service account's is asked for, and nothing else.
    static let impersonationScope = "https://www.googleapis.com/auth/iam"
    /// The audience of assertions; the same whatever host the token endpoint has.
    static let assertionAudience = "https://oauth2.googleapis.com/token"

    let surroundings: Surroundings
    let requests: TokenRequests
    /// For federation with AWS as the other provider.
    let aws: AWSCredentialChain

    package init(
        surroundings: Surroundings, exchange: any HTTPExchange, now: @escaping @Sendable () -> Timestamp
    ) {
        self.surroundings = surroundings
        requests = TokenRequests(exchange: exchange, now: now)
        aws = AWSCredentialChain(surroundings: surroundings, exchange: exchange, now: now)
    }

    /// Where credentials come from, and the project that pays for calls; empty where nobody says so.
    package func identity() throws(CredentialFailure) -> (identity: GoogleIdentity, quotaProject: String) {
        let file = try file()
        let quota = surroundings.value("GOOGLE_CLOUD_QUOTA_PROJECT") ?? file?.quotaProject ?? ""
        if let file { return (try file.identity(), quota) }
        guard surroundings.value("NO_GCE_CHECK") != "true" else {
            throw CredentialFailure(
                .absent, code: "no-credentials",
                "no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, gcloud has left none, and"
                    + " NO_GCE_CHECK forbids to ask the metadata server")
        }
        let host = surroundings.value("GCE_METADATA_HOST") ?? surroundings.value("GCE_METADATA_ROOT")
        return (.machine(host: host ?? "metadata.google.internal"), quota)
    }

    private func file() throws(CredentialFailure) -> GoogleFile? {
        if let path = surroundings.value("GOOGLE_APPLICATION_CREDENTIALS") {
            let text = try surroundings.requiredFile(path, because: "GOOGLE_APPLICATION_CREDENTIALS names it")
            return try GoogleFile(text, path: surroundings.expanded(path))
        }
        let folder = surroundings.value("CLOUDSDK_CONFIG") ?? "~/.config/gcloud"
        let path = surroundings.expanded("\(folder)/application_default_credentials.json")
        guard let text = try surroundings.file(path) else { return nil }
        return try GoogleFile(text, path: path)
    }

    /// A token.
    /// - Parameter account: the email of a service account to act as; `nil`: whoever the credentials are.
    package func token(actingAs account: String?) async throws(CredentialFailure) -> BearerToken {
        let (identity, quotaProject) = try identity()
        var token: BearerToken
        if let account {
            let name = account.percentEncoded(keeping: "@")
            let url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\(name):generateAccessToken"
            token = try await self.token(
                of: .impersonated(url: url, delegates: [], seconds: 3600, by: identity), Self.scope)
        } else {
            token = try await self.token(of: identity, Self.scope)
        }
        token.quotaProject = quotaProject
        return token
    }

    private func token(of identity: GoogleIdentity, _ scope: String) async throws(CredentialFailure) -> BearerToken {
        switch identity {
        case .serviceAccount(let account): try await token(of: account, scope)
        case .person(let id, let secret, let refresh, let url):
            try await oauth(
                url,
                [
                    ("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret.revealed),
                    ("refresh_token", refresh.revealed),
                ], "the token of a person, by the client \(id) at \(url)", hiding: [secret, refresh])
        case .federated(let federation): try await token(of: federation, scope)
        case .impersonated(let url, let delegates, let seconds, let base):
            try await impersonate(
                url, delegates, seconds, scope, bearer: try await token(of: base, Self.impersonationScope).value)
        case .machine(let host): try await machineToken(host, scope)
        }
    }

    private func token(of account: GoogleServiceAccount, _ scope: String) async throws(CredentialFailure) -> BearerToken
    {
        let what = "the token of the service account \(account.email) at \(account.tokenURL)"
        let body = try await requests.asserted(what) { time throws(CredentialFailure) in
            let assertion = try assertion(account, scope, at: time)
            let request = formRequest(
                account.tokenURL,
                [
                    ("assertion", assertion.revealed), ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ])
            return (request, [assertion, account.privateKey])
        }
        return try requests.token(body, what)
    }

    /// What a service account says of itself, signed with its key, good for an hour.
    private func assertion(
        _ account: GoogleServiceAccount, _ scope: String, at seconds: Int64
    ) throws(CredentialFailure) -> Secret {
        let claims = JSONObject([
            ("iss", .string(account.email)), ("scope", .string(scope)), ("aud", .string(Self.assertionAudience)),
            ("iat", JSON(integerLiteral: Int(seconds))), ("exp", JSON(integerLiteral: Int(seconds) + 3600)),
        ])
        var header = JSONObject()
        if !account.keyID.isEmpty { header["kid"] = .string(account.keyID) }
        do {
            let key = try SigningKey(pem: account.privateKey)
            return try signedWebToken(header: header, claims: claims, key: key, algorithm: .rs256)
        } catch {
            throw .misconfigured("the private_key of the service account \(account.email): \(error.message)")
        }
    }

    func oauth(
        _ url: String, _ fields: [(String, String)], _ what: String, hiding secrets: [Secret]
    ) async throws(CredentialFailure) -> BearerToken {
        let answer = try await requests.object(formRequest(url, fields), what, hiding: secrets)
        return try requests.token(answer.body, what)
    }

    func formRequest(_ url: String, _ fields: [(String, String)]) -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: url, headers: HTTPHeaders(["Content-Type": "application/x-www-form-urlencoded"]),
            body: formBody(fields))
    }

    private func impersonate(
        _ url: String, _ delegates: [String], _ lifetime: Int, _ scope: String, bearer: Secret
    ) async throws(CredentialFailure) -> BearerToken {
        let what = "the token of another service account at \(url)"
        let body: JSON = [
            "delegates": delegates.isEmpty ? .null : .array(delegates.map { .string($0) }), "scope": [.string(scope)],
            "lifetime": .string("\(lifetime)s"),
        ]
        let request = HTTPRequest(
            method: "POST", url: url,
            headers: HTTPHeaders([
                "Content-Type": "application/json", "Authorization": "Bearer \(bearer.revealed)",
            ]), body: body.canonicalBytes)
        let (said, answer) = try await requests.object(request, what, hiding: [bearer])
        guard let value = said["accessToken"]?.string, !value.isEmpty,
            let end = (said["expireTime"]?.string).flatMap({ Timestamp($0) })
        else {
            throw CredentialFailure(
                .unavailable, code: "unreadable", "\(what): the answer has no accessToken with expireTime")
        }
        return BearerToken(value: Secret(value), expires: requests.ours(end, in: answer))
    }

    private func machineToken(_ host: String, _ scope: String) async throws(CredentialFailure) -> BearerToken {
        let what = "the token of this machine's service account at \(host)"
        let request = HTTPRequest(
            method: "GET",
            url: "http://\(host)/computeMetadata/v1/instance/service-accounts/default/token"
                + "?scopes=\(scope.percentEncoded())",
            headers: HTTPHeaders(["Metadata-Flavor": "Google"]), deadline: .seconds(3))
        let answer: HTTPResponse
        do {
            answer = try await requests.send(request, what, hiding: [])
        } catch {
            guard error.kind == .unavailable, error.status == 0 else { throw error }
            throw CredentialFailure(
                .unavailable, code: error.code,
                "no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, gcloud has left none, and there is"
                    + " no metadata server (\(error.message))")
        }
        guard answer.headers["Metadata-Flavor"] == "Google", let body = (try? JSON.parse(answer.body))?.object else {
            throw CredentialFailure(
                .denied, code: "not-google", "\(what): who answers is not Google's metadata server")
        }
        return try requests.token(body, what)
    }
}
