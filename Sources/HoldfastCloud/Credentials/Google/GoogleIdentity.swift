internal import HoldfastCore
package import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// Where Google credentials come from, decided; nothing has been asked yet.
package indirect enum GoogleIdentity: Sendable, Equatable {
    case serviceAccount(GoogleServiceAccount)
    /// What `gcloud auth application-default login` leaves: a person's.
    case person(clientID: String, clientSecret: Secret, refreshToken: Secret, tokenURL: String)
    case federated(GoogleFederation)
    /// - Parameters:
    ///   - url: of `generateAccessToken`.
    ///   - seconds: how long the token shall live.
    case impersonated(url: String, delegates: [String], seconds: Int, by: GoogleIdentity)
    /// The metadata server of the machine.
    case machine(host: String)
}

/// The key of a service account, as its JSON file has it.
package struct GoogleServiceAccount: Sendable, Equatable {
    package var email: String
    package var keyID: String
    package var privateKey: Secret
    package var tokenURL: String
}

/// Workload identity federation: a token of another identity provider, exchanged for Google's.
package struct GoogleFederation: Sendable, Equatable {
    /// Where the other provider's token comes from.
    package enum Source: Sendable, Equatable {
        /// - Parameter field: of the JSON object that the file is; `nil` where the file is the token.
        case file(path: String, field: String?)
        case url(Secret, headers: [String: Secret], field: String?)
        /// A signed `GetCallerIdentity`; the URLs are of the instance's metadata, where there is one.
        case aws(verificationURL: String, regionURL: String?, credentialsURL: String?, sessionURL: String?)
    }
    package var audience: String
    package var subjectTokenType: String
    package var tokenURL: String
    package var source: Source
    package var clientID: String?
    package var clientSecret: Secret?
    /// Of workforce pools: the project that pays.
    package var userProject: String?
}

/// Reads the JSON files of Application Default Credentials.
struct GoogleFile {
    let path: String
    let object: JSONObject
    let universe: String

    init(_ text: Secret, path: String) throws(CredentialFailure) {
        guard let object = (try? JSON.parse(text.revealed))?.object else {
            throw .misconfigured("\(path) is not a JSON object; a service account's key file is one")
        }
        self.init(object, path: path)
    }

    private init(_ object: JSONObject, path: String) {
        self.path = path
        self.object = object
        universe = object["universe_domain"]?.string ?? "googleapis.com"
    }

    var quotaProject: String? { object["quota_project_id"]?.string }

    func identity() throws(CredentialFailure) -> GoogleIdentity {
        let type = object["type"]?.string ?? ""
        switch type {
        case "service_account":
            return .serviceAccount(
                GoogleServiceAccount(
                    email: try text("client_email"), keyID: object["private_key_id"]?.string ?? "",
                    privateKey: Secret(try text("private_key")),
                    tokenURL: try url("token_uri", usual: "https://oauth2.googleapis.com/token")))
        case "authorized_user":
            return .person(
                clientID: try text("client_id"), clientSecret: Secret(try text("client_secret")),
                refreshToken: Secret(try text("refresh_token")),
                tokenURL: try url("token_uri", usual: "https://oauth2.googleapis.com/token"))
        case "external_account": return try external()
        case "impersonated_service_account": return try impersonated()
        default:
            let known = "service_account, authorized_user, external_account and impersonated_service_account"
            throw .misconfigured("\(path): unknown type \(JSON.string(type).canonicalText); there are \(known)")
        }
    }

    private func impersonated() throws(CredentialFailure) -> GoogleIdentity {
        guard let source = object["source_credentials"]?.object else { throw missing("source_credentials") }
        return .impersonated(
            url: try url("service_account_impersonation_url"),
            delegates: object["delegates"]?.array?.compactMap(\.string) ?? [], seconds: 3600,
            by: try GoogleFile(source, path: "\(path), source_credentials").identity())
    }

    private func external() throws(CredentialFailure) -> GoogleIdentity {
        guard let source = object["credential_source"]?.object else { throw missing("credential_source") }
        let federation = GoogleFederation(
            audience: try text("audience"), subjectTokenType: try text("subject_token_type"),
            tokenURL: try url("token_url", usual: "https://sts.\(universe)/v1/token"), source: try subject(source),
            clientID: object["client_id"]?.string, clientSecret: (object["client_secret"]?.string).map { Secret($0) },
            userProject: object["workforce_pool_user_project"]?.string)
        guard object["service_account_impersonation_url"] != nil else { return .federated(federation) }
        let lifetime = object["service_account_impersonation"]?["token_lifetime_seconds"]?.int ?? 3600
        return .impersonated(
            url: try url("service_account_impersonation_url"), delegates: [], seconds: lifetime,
            by: .federated(federation))
    }

    private func subject(_ source: JSONObject) throws(CredentialFailure) -> GoogleFederation.Source {
        if let environment = source["environment_id"]?.string {
            guard environment == "aws1" else {
                throw .misconfigured("\(path): credential_source has the environment_id \(environment); aws1 is known")
            }
            guard let verification = source["regional_cred_verification_url"]?.string,
                AbsoluteURL(verification.replacing("{region}", with: "region"))?.scheme == "https"
            else { throw missing("credential_source.regional_cred_verification_url, an https URL") }
            return .aws(
                verificationURL: verification, regionURL: source["region_url"]?.string,
                credentialsURL: source["url"]?.string, sessionURL: source["imdsv2_session_token_url"]?.string)
        }
        let field = try subjectField(source["format"])
        if let file = source["file"]?.string { return .file(path: file, field: field) }
        if let url = source["url"]?.string {
            let headers = source["headers"]?.object?.members ?? []
            return .url(
                Secret(url), headers: Dictionary(headers.map { ($0.name, Secret($0.value.string ?? "")) }) { $1 },
                field: field)
        }
        throw .misconfigured(
            "\(path): credential_source is none of file, url and aws; programs and client certificates as a source are"
                + " not supported")
    }

    private func subjectField(_ format: JSON?) throws(CredentialFailure) -> String? {
        guard let type = format?["type"]?.string, type != "text" else { return nil }
        guard type == "json", let field = format?["subject_token_field_name"]?.string else {
            throw .misconfigured(
                "\(path): credential_source.format is text, or json with subject_token_field_name")
        }
        return field
    }

    private func text(_ name: String) throws(CredentialFailure) -> String {
        guard let value = object[name]?.string, !value.isEmpty else { throw missing(name) }
        return value
    }

    /// A URL that secrets are sent to: https, or on this machine.
    private func url(_ name: String, usual: String? = nil) throws(CredentialFailure) -> String {
        guard let written = object[name]?.string ?? usual else { throw missing(name) }
        guard let parts = AbsoluteURL(written), parts.scheme == "https" || parts.isLoopback else {
            throw .misconfigured("\(path): \(name) is not an https URL")
        }
        return written
    }

    private func missing(_ name: String) -> CredentialFailure { .misconfigured("\(path) has no \(name)") }
}
