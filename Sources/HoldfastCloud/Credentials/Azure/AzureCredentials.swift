package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastHTTP
internal import HoldfastJSON

/// Azure credentials as azure-identity finds them, and tokens of Microsoft Entra with them.
package struct AzureCredentials: Sendable {
    let surroundings: Surroundings
    let requests: TokenRequests

    package init(
        surroundings: Surroundings, exchange: any HTTPExchange, now: @escaping @Sendable () -> Timestamp
    ) {
        self.surroundings = surroundings
        requests = TokenRequests(exchange: exchange, now: now)
    }

    /// Where tokens are asked for, without a slash at the end: `https://login.microsoftonline.com`, or
    /// `AZURE_AUTHORITY_HOST` of a sovereign cloud, with or without its scheme.
    package func authority() throws(CredentialFailure) -> String {
        var host = surroundings.value("AZURE_AUTHORITY_HOST") ?? "https://login.microsoftonline.com"
        while host.hasSuffix("/") { host.removeLast() }
        if !host.contains("://") { host = "https://" + host }
        guard let parts = AbsoluteURL(host), parts.scheme == "https" || parts.isLoopback else {
            throw .misconfigured("AZURE_AUTHORITY_HOST is not an https URL: secrets are sent there")
        }
        return host
    }

    /// A token.
    /// - Parameters:
    ///   - resource: what it is for: `https://management.azure.com`.
    ///   - tenant: in place of `AZURE_TENANT_ID`.
    ///   - client: whom to act as, in place of `AZURE_CLIENT_ID`.
    package func token(
        for resource: String, tenant: String?, client: String?
    ) async throws(CredentialFailure) -> BearerToken {
        let scope = ("scope", resource + "/.default")
        let grant = ("grant_type", "client_credentials")
        switch try identity(tenant: tenant, client: client) {
        case .secret(let client, let secret):
            let fields = [("client_id", client.id), grant, ("client_secret", secret.revealed), scope]
            let what = "the token of the client \(client.id), by its secret, at \(try tokenURL(client))"
            let answer = try await requests.object(form(client, fields), what, hiding: [secret])
            return try requests.token(answer.body, what)
        case .certificate(let client, let file):
            return try await certificateToken(client, file, [grant, scope])
        case .federated(let client, let file):
            let what = "the token of the client \(client.id), by workload identity, at \(try tokenURL(client))"
            let token = try surroundings.requiredFile(file, because: "AZURE_FEDERATED_TOKEN_FILE names it")
            let fields = [("client_id", client.id), grant, scope] + assertion(token)
            let answer = try await requests.object(form(client, fields), what, hiding: [token])
            return try requests.token(answer.body, what)
        case .appService(let endpoint, let header, let client):
            return try await managedToken(
                endpoint, version: "2019-08-01", resource, client,
                headers: ["X-IDENTITY-HEADER": header.revealed, "Metadata": "true"], hiding: [header])
        case .machine(let endpoint, let client):
            return try await managedToken(
                endpoint + "/metadata/identity/oauth2/token", version: "2018-02-01", resource, client,
                headers: ["Metadata": "true"], hiding: [])
        }
    }

    private func tokenURL(_ client: AzureClient) throws(CredentialFailure) -> String {
        "\(try authority())/\(client.tenant.percentEncoded())/oauth2/v2.0/token"
    }

    private func form(_ client: AzureClient, _ fields: [(String, String)]) throws(CredentialFailure) -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: try tokenURL(client),
            headers: HTTPHeaders([
                "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
            ]), body: formBody(fields))
    }

    private func assertion(_ token: Secret) -> [(String, String)] {
        [
            ("client_assertion", token.revealed),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ]
    }

    private func certificateToken(
        _ client: AzureClient, _ file: String, _ fields: [(String, String)]
    ) async throws(CredentialFailure) -> BearerToken {
        let pem = try certificate(file)
        let url = try tokenURL(client)
        let what = "the token of the client \(client.id), by the certificate \(file), at \(url)"
        let body = try await requests.asserted(what) { time throws(CredentialFailure) in
            let signed = try clientAssertion(client, pem, file: file, audience: url, at: time)
            return (try form(client, [("client_id", client.id)] + fields + assertion(signed)), [signed, pem])
        }
        return try requests.token(body, what)
    }

    private func certificate(_ file: String) throws(CredentialFailure) -> Secret {
        let advice =
            "AZURE_CLIENT_CERTIFICATE_PATH names a PEM file with the certificate and its key, without a password"
        guard surroundings.secret("AZURE_CLIENT_CERTIFICATE_PASSWORD") == nil else {
            throw .misconfigured("\(file): AZURE_CLIENT_CERTIFICATE_PASSWORD is not supported; \(advice)")
        }
        let text: Secret
        do {
            text = try surroundings.requiredFile(file, because: "AZURE_CLIENT_CERTIFICATE_PATH names it")
        } catch {
            guard file.hasSuffix(".pfx") || file.hasSuffix(".p12") else { throw error }
            throw .misconfigured(
                "\(error.message); a PKCS #12 file is turned into PEM by openssl pkcs12 -in \(file) -nodes -out"
                    + " FILE.pem")
        }
        guard text.revealed.contains("-----BEGIN") else { throw .misconfigured("\(file) is not PEM; \(advice)") }
        return text
    }

    /// What a client says of itself, signed with the key of its certificate, good for ten minutes. PS256 with the
    /// SHA-256 thumbprint is what Entra asks for; the older RS256 with SHA-1 (`x5t`) is still accepted by it.
    func clientAssertion(
        _ client: AzureClient, _ pem: Secret, file: String, audience: String, at seconds: Int64
    ) throws(CredentialFailure) -> Secret {
        let claims = JSONObject([
            ("aud", .string(audience)), ("iss", .string(client.id)), ("sub", .string(client.id)),
            ("jti", .string(hexText((0..<16).map { _ in UInt8.random(in: 0...255) }))),
            ("nbf", JSON(integerLiteral: Int(seconds))), ("iat", JSON(integerLiteral: Int(seconds))),
            ("exp", JSON(integerLiteral: Int(seconds) + 600)),
        ])
        do {
            let print = base64URLText(try CertificateThumbprints(pem: pem).sha256)
            return try signedWebToken(
                header: JSONObject([("x5t#S256", .string(print))]), claims: claims, key: try SigningKey(pem: pem),
                algorithm: .ps256)
        } catch {
            throw .misconfigured("\(file): \(error.message)")
        }
    }

    private func managedToken(
        _ endpoint: String, version: String, _ resource: String, _ client: String?,
        headers: KeyValuePairs<String, String>,
        hiding secrets: [Secret]
    ) async throws(CredentialFailure) -> BearerToken {
        let what = "the token of the managed identity\(client.map { " \($0)" } ?? "") at \(endpoint)"
        var url = "\(endpoint)?api-version=\(version)&resource=\(resource.percentEncoded())"
        if let client { url += "&client_id=\(client.percentEncoded())" }
        let request = HTTPRequest(method: "GET", url: url, headers: HTTPHeaders(headers), deadline: .seconds(5))
        let body: JSONObject
        do {
            body = try await requests.object(request, what, hiding: secrets).body
        } catch {
            throw managedFailure(error)
        }
        return try managedToken(body, what)
    }

    private func managedFailure(_ failure: CredentialFailure) -> CredentialFailure {
        var failure = failure
        if failure.kind == .unavailable, failure.status == 0 {
            failure.message =
                "no Azure credentials: neither AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH nor"
                + " AZURE_FEDERATED_TOKEN_FILE is set, and no managed identity answers (\(failure.message))"
        }
        // The service says these while it starts or is being updated.
        if failure.status == 404 || failure.status == 410 { failure.kind = .unavailable }
        return failure
    }

    /// `expires_in` in seconds from now, or `expires_on` in seconds since 1970: numbers, or texts of them.
    private func managedToken(_ body: JSONObject, _ what: String) throws(CredentialFailure) -> BearerToken {
        if body["expires_in"]?.scalarText.flatMap({ Int($0) }) != nil { return try requests.token(body, what) }
        guard let value = body["access_token"]?.string, !value.isEmpty,
            let end = body["expires_on"]?.scalarText.flatMap({ Int64($0) })
        else {
            throw CredentialFailure(
                .unavailable, code: "unreadable", "\(what): the answer has no access_token with expires_on")
        }
        return BearerToken(value: Secret(value), expires: Timestamp(seconds: min(end, 9_000_000_000)))
    }
}
