internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastHTTP

/// The profiles of the shared configuration and credentials files.
struct AWSProfiles: Sendable {
    let surroundings: Surroundings
    let configurationPath: String
    let credentialsPath: String
    private var configured: [String: ProfileText.Section] = [:]
    private var credentialed: [String: ProfileText.Section] = [:]

    init(_ surroundings: Surroundings) throws(CredentialFailure) {
        self.surroundings = surroundings
        configurationPath = surroundings.expanded(surroundings.value("AWS_CONFIG_FILE") ?? "~/.aws/config")
        credentialsPath = surroundings.expanded(
            surroundings.value("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials")
        if let text = try surroundings.file(configurationPath) {
            for section in try ProfileText(text, path: configurationPath).sections {
                if let name = Self.profileName(section.name) { configured[name] = section.values }
            }
        }
        if let text = try surroundings.file(credentialsPath) {
            for section in try ProfileText(text, path: credentialsPath).sections {
                credentialed[section.name] = section.values
            }
        }
    }

    /// `default` of `[default]`, `a b` of `[profile "a b"]`; `nil` for sections that are no profile.
    private static func profileName(_ section: String) -> String? {
        if section == "default" { return section }
        guard section.hasPrefix("profile"), let words = shellWords(section), words.count == 2 else { return nil }
        return words[1]
    }

    /// The profile that is chosen, and whether somebody chose it.
    var chosen: (name: String, isNamed: Bool) {
        let name = surroundings.value("AWS_PROFILE") ?? surroundings.value("AWS_DEFAULT_PROFILE")
        return (name ?? "default", name != nil)
    }

    func exists(_ profile: String) -> Bool { configured[profile] != nil || credentialed[profile] != nil }

    /// A value of a profile: the credentials file goes before the configuration file.
    func value(_ key: String, of profile: String) -> Secret? {
        credentialed[profile]?[key] ?? configured[profile]?[key]
    }

    private func text(_ key: String, of profile: String) -> String? {
        value(key, of: profile).flatMap { $0.isEmpty ? nil : $0.revealed }
    }

    var region: String? { text("region", of: chosen.name) }
    var endpoint: String? { text("endpoint_url", of: chosen.name) }

    private func hasKeys(_ profile: String) -> Bool {
        value("aws_access_key_id", of: profile) != nil || value("aws_secret_access_key", of: profile) != nil
    }

    /// Whether the profile takes on a role with the credentials of another.
    private func takesRole(_ profile: String) -> Bool {
        value("role_arn", of: profile) != nil && value("web_identity_token_file", of: profile) == nil
    }

    /// Credentials of the chosen profile. The environment may name the web identity, which then goes before the
    /// profile's.
    /// - Returns: `nil` where the profile has nothing to do with credentials, or does not exist.
    func identity(named source: (String) throws(CredentialFailure) -> AWSIdentity) throws(CredentialFailure)
        -> AWSIdentity?
    {
        let profile = chosen.name
        if takesRole(profile) { return try assumed(profile, visited: [profile], named: source) }
        return try plain(profile, reading: surroundings)
    }

    /// Everything but `role_arn`, in the order of the SDKs.
    /// - Parameter environment: `nil` for profiles that others name as their source: the environment is not theirs.
    private func plain(_ profile: String, reading environment: Surroundings?) throws(CredentialFailure) -> AWSIdentity?
    {
        if let identity = try webIdentity(profile, environment) { return identity }
        try refuseSignIn(profile)
        if let keys = try keys(credentialed[profile], profile, path: credentialsPath) { return keys }
        if let command = value("credential_process", of: profile), !command.isEmpty {
            guard let words = shellWords(command.revealed), !words.isEmpty else {
                throw .misconfigured("the profile \(profile): credential_process has a quote that does not end")
            }
            return .program(words.map { Secret($0) }, profile: profile)
        }
        return try keys(configured[profile], profile, path: configurationPath)
    }

    private func webIdentity(
        _ profile: String, _ environment: Surroundings?
    ) throws(CredentialFailure) -> AWSIdentity? {
        func either(_ name: String, _ key: String) -> String? { environment?.value(name) ?? text(key, of: profile) }
        guard let file = either("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else { return nil }
        guard let arn = either("AWS_ROLE_ARN", "role_arn") else {
            throw .misconfigured(
                "a web identity token file is named, and no role: set AWS_ROLE_ARN, or role_arn in the profile"
                    + " \(profile)")
        }
        let name = either("AWS_ROLE_SESSION_NAME", "role_session_name") ?? AssumedRole.sessionName
        return .webIdentity(
            AssumedRole(arn: arn, sessionName: name, seconds: try seconds(profile)),
            tokenFile: surroundings.expanded(file))
    }

    /// Profiles that need a person with a browser.
    private func refuseSignIn(_ profile: String) throws(CredentialFailure) {
        for key in ["sso_session", "sso_start_url", "sso_account_id", "login_session"]
        where value(key, of: profile) != nil {
            throw .misconfigured(
                "the profile \(profile) signs in through a browser (\(key)), and a service has none; give it a role"
                    + " (role_arn with credential_source, or web identity), or for a while"
                    + " credential_process = aws configure export-credentials --profile \(profile)")
        }
    }

    private func keys(
        _ section: ProfileText.Section?, _ profile: String, path: String
    ) throws(CredentialFailure) -> AWSIdentity? {
        guard let section, let id = section["aws_access_key_id"] else { return nil }
        guard let secret = section["aws_secret_access_key"], !secret.isEmpty, !id.isEmpty else {
            throw .misconfigured(
                "\(path): the profile \(profile) has aws_access_key_id and no aws_secret_access_key beside it")
        }
        let token = section["aws_security_token"] ?? section["aws_session_token"]
        let keys = AWSKeys(accessKeyID: id.revealed, secretKey: secret, sessionToken: token)
        return .keys(
            AWSCredentials(keys: keys, account: section["aws_account_id"]?.revealed),
            source: "the profile \(profile) of \(path)")
    }

    /// A role of a profile, with the credentials of another profile or of a place.
    /// - Parameter visited: the profiles that led here, this one last.
    private func assumed(
        _ profile: String, visited: [String], named source: (String) throws(CredentialFailure) -> AWSIdentity
    ) throws(CredentialFailure) -> AWSIdentity {
        let role = try role(profile)
        switch (text("source_profile", of: profile), text("credential_source", of: profile)) {
        case (_?, _?):
            throw .misconfigured("the profile \(profile) has both source_profile and credential_source; keep one")
        case (nil, nil):
            throw .misconfigured(
                "the profile \(profile) has role_arn, and neither source_profile nor credential_source")
        case (nil, let place?):
            return .role(role, from: try source(place))
        case (let next?, nil):
            return .role(role, from: try base(next, of: profile, visited: visited, named: source))
        }
    }

    private func base(
        _ next: String, of profile: String, visited: [String],
        named source: (String) throws(CredentialFailure) -> AWSIdentity
    ) throws(CredentialFailure) -> AWSIdentity {
        guard exists(next) else {
            throw .misconfigured("the profile \(profile) has source_profile \(next), which does not exist")
        }
        // A profile may name itself, where it has both keys and the role to take on with them.
        if visited.contains(next), !(next == profile && hasKeys(next)) {
            throw .misconfigured("source_profile goes in a circle: \((visited + [next]).joined(separator: " -> "))")
        }
        if !hasKeys(next), takesRole(next) { return try assumed(next, visited: visited + [next], named: source) }
        guard let identity = try plain(next, reading: nil) else {
            throw .misconfigured("the profile \(next), which \(profile) has as source_profile, has no credentials")
        }
        return identity
    }

    private func role(_ profile: String) throws(CredentialFailure) -> AssumedRole {
        guard value("mfa_serial", of: profile) == nil else {
            throw .misconfigured(
                "the profile \(profile) has mfa_serial: somebody would have to type a code at each renewal; use a role"
                    + " that a service may take on")
        }
        return AssumedRole(
            arn: text("role_arn", of: profile) ?? "", externalID: text("external_id", of: profile),
            sessionName: text("role_session_name", of: profile) ?? AssumedRole.sessionName,
            seconds: try seconds(profile))
    }

    private func seconds(_ profile: String) throws(CredentialFailure) -> Int? {
        guard let written = text("duration_seconds", of: profile) else { return nil }
        guard let seconds = Int(written), (900...43_200).contains(seconds) else {
            throw .misconfigured("the profile \(profile): duration_seconds is a number from 900 to 43200")
        }
        return seconds
    }
}
