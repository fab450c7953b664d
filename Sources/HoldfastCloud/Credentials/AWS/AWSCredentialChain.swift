package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastHTTP
internal import HoldfastJSON

/// AWS credentials as the SDKs find them: the environment, profiles, web identity, the container's endpoint, the
/// instance's. Where they come from is decided anew each time: files and variables may have changed.
package struct AWSCredentialChain: Sendable {
    let surroundings: Surroundings
    let requests: TokenRequests
    let runProgram: ProgramRunner

    package init(
        surroundings: Surroundings, exchange: any HTTPExchange, now: @escaping @Sendable () -> Timestamp,
        runProgram: @escaping ProgramRunner = CredentialProgram.run
    ) {
        self.surroundings = surroundings
        requests = TokenRequests(exchange: exchange, now: now)
        self.runProgram = runProgram
    }

    /// The region that calls without one go to: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's.
    package func region() throws(CredentialFailure) -> String? {
        if let region = surroundings.value("AWS_REGION") ?? surroundings.value("AWS_DEFAULT_REGION") { return region }
        return try AWSProfiles(surroundings).region
    }

    /// Where AWS's calls go in place of AWS, for one service: `AWS_ENDPOINT_URL_STS`, else `AWS_ENDPOINT_URL`, else
    /// the profile's `endpoint_url`.
    /// - Parameter service: as the variable has it, in capitals with underscores: `STS`.
    package func endpoint(of service: String) throws(CredentialFailure) -> String? {
        guard surroundings.value("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.lowercased() != "true" else { return nil }
        if let url = surroundings.value("AWS_ENDPOINT_URL_\(service)") ?? surroundings.value("AWS_ENDPOINT_URL") {
            return url
        }
        return try AWSProfiles(surroundings).endpoint
    }

    func tokenService() throws(CredentialFailure) -> SecurityTokenService {
        SecurityTokenService(requests: requests, region: try region() ?? "", endpoint: try endpoint(of: "STS"))
    }

    /// Credentials, from wherever they are found first.
    package func credentials() async throws(CredentialFailure) -> AWSCredentials {
        try await credentials(of: identity())
    }

    // MARK: Deciding

    /// Where credentials come from.
    package func identity() throws(CredentialFailure) -> AWSIdentity {
        if let keys = try environmentKeys() { return keys }
        let profiles = try AWSProfiles(surroundings)
        let chosen = profiles.chosen
        if chosen.isNamed, !profiles.exists(chosen.name) {
            throw .misconfigured(
                "AWS_PROFILE names the profile \(chosen.name), which is neither in \(profiles.configurationPath) nor in"
                    + " \(profiles.credentialsPath)")
        }
        let found = try profiles.identity(named: { place throws(CredentialFailure) in try self.source(place) })
        if let found { return found }
        if let container = try container() { return container }
        return try instance()
    }

    private func environmentKeys() throws(CredentialFailure) -> AWSIdentity? {
        guard let id = surroundings.value("AWS_ACCESS_KEY_ID") else { return nil }
        guard let secret = surroundings.secret("AWS_SECRET_ACCESS_KEY") else {
            throw .misconfigured("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
        }
        let token = surroundings.secret("AWS_SECURITY_TOKEN") ?? surroundings.secret("AWS_SESSION_TOKEN")
        var expires: Timestamp?
        if let written = surroundings.value("AWS_CREDENTIAL_EXPIRATION") {
            guard let time = Timestamp(written) else {
                throw .misconfigured("AWS_CREDENTIAL_EXPIRATION is not a time like 2026-11-22T08:00:00Z")
            }
            expires = time
        }
        let keys = AWSKeys(accessKeyID: id, secretKey: secret, sessionToken: token)
        let credentials = AWSCredentials(keys: keys, expires: expires, account: surroundings.value("AWS_ACCOUNT_ID"))
        return .keys(credentials, source: "the environment")
    }

    /// A place by its name in `credential_source`.
    private func source(_ place: String) throws(CredentialFailure) -> AWSIdentity {
        switch place {
        case "Environment":
            if let keys = try environmentKeys() { return keys }
            throw .misconfigured("credential_source is Environment, and AWS_ACCESS_KEY_ID is not set")
        case "EcsContainer":
            if let container = try container() { return container }
            throw .misconfigured(
                "credential_source is EcsContainer, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor"
                    + " AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
        case "Ec2InstanceMetadata": return try instance()
        default:
            throw .misconfigured(
                "unknown credential_source \(place); there are Environment, Ec2InstanceMetadata and EcsContainer")
        }
    }

    // MARK: Asking

    package func credentials(of identity: AWSIdentity) async throws(CredentialFailure) -> AWSCredentials {
        switch identity {
        case .keys(let credentials, let source):
            if let end = credentials.expires, end <= requests.now() {
                throw CredentialFailure(.denied, code: "expired", "the AWS credentials of \(source) ended at \(end)")
            }
            return credentials
        case .role(let role, let base):
            return try await tokenService().assume(role, with: try await credentials(of: base).keys)
        case .webIdentity(let role, let file):
            let token = try surroundings.requiredFile(file, because: "it is named as the web identity token file")
            return try await tokenService().assume(role, webIdentity: token)
        case .program(let words, let profile):
            return try await programCredentials(words, profile: profile)
        case .container(let url, let authorization, let file):
            return try await containerCredentials(url.revealed, authorization, file)
        case .instance(let endpoint):
            return try await instanceCredentials(endpoint)
        }
    }

    /// Credentials in the form that programs, containers and instances give them.
    func read(
        _ body: JSONObject, token: String, answer: HTTPResponse?, _ what: String
    ) throws(CredentialFailure) -> AWSCredentials {
        guard let id = body["AccessKeyId"]?.string, let secret = body["SecretAccessKey"]?.string, !id.isEmpty,
            !secret.isEmpty
        else {
            throw CredentialFailure(
                .unavailable, code: "unreadable", "\(what): the answer has no AccessKeyId with SecretAccessKey")
        }
        var expires: Timestamp?
        if let written = body["Expiration"]?.string {
            guard let time = Timestamp(written) else {
                throw CredentialFailure(.unavailable, code: "unreadable", "\(what): Expiration is not a time")
            }
            expires = answer.map { requests.ours(time, in: $0) } ?? time
        }
        let keys = AWSKeys(
            accessKeyID: id, secretKey: Secret(secret), sessionToken: (body[token]?.string).map { Secret($0) })
        return AWSCredentials(keys: keys, expires: expires, account: body["AccountId"]?.string)
    }
}
