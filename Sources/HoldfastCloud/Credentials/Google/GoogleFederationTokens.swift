internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// Tokens by workload identity federation (RFC 8693).
extension GoogleCredentials {
    func token(of federation: GoogleFederation, _ scope: String) async throws(CredentialFailure) -> BearerToken {
        let what = "the exchange of a token of \(federation.audience) at \(federation.tokenURL)"
        let subject = try await subjectToken(federation)
        var fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", federation.audience),
            ("scope", scope), ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", subject.revealed), ("subject_token_type", federation.subjectTokenType),
        ]
        if let project = federation.userProject, federation.clientID == nil {
            let options: JSON = ["userProject": .string(project)]
            fields.append(("options", options.canonicalText.percentEncoded()))
        }
        var request = formRequest(federation.tokenURL, fields)
        var secrets = [subject]
        if let id = federation.clientID {
            let secret = federation.clientSecret ?? Secret("")
            let both = Secret(base64Text("\(id):\(secret.revealed)".utf8))
            request.headers["Authorization"] = "Basic \(both.revealed)"
            secrets += [secret, both]
        }
        let answer = try await requests.object(request, what, hiding: secrets)
        return try requests.token(answer.body, what)
    }

    private func subjectToken(_ federation: GoogleFederation) async throws(CredentialFailure) -> Secret {
        switch federation.source {
        case .file(let path, let field):
            let text = try surroundings.requiredFile(path, because: "credential_source.file names it")
            return try subject(text, field, of: surroundings.expanded(path))
        case .url(let url, let headers, let field):
            // Its query may be a secret.
            let place = AbsoluteURL(url.revealed).map { $0.authority + $0.path }
            let what = "the subject token at \(place ?? "credential_source.url")"
            var request = HTTPRequest(method: "GET", url: url.revealed)
            for (name, value) in headers.sorted(by: { $0.key < $1.key }) { request.headers.add(name, value.revealed) }
            let answer = try await requests.send(request, what, hiding: headers.values.map { $0 })
            return try subject(Secret(String(decoding: answer.body, as: UTF8.self)), field, of: what)
        case .aws(let verificationURL, let regionURL, let credentialsURL, let sessionURL):
            let session = try await awsSession(sessionURL)
            let region = try await awsRegion(regionURL, session)
            let keys = try await awsKeys(credentialsURL, session)
            return awsSubject(
                verificationURL.replacing("{region}", with: region), region: region, keys: keys,
                audience: federation.audience)
        }
    }

    private func subject(_ text: Secret, _ field: String?, of place: String) throws(CredentialFailure) -> Secret {
        guard let field else {
            guard !text.isEmpty else { throw .misconfigured("\(place) is empty") }
            return text
        }
        guard let value = (try? JSON.parse(text.revealed))?[field]?.string, !value.isEmpty else {
            throw .misconfigured("\(place) is not a JSON object with \(field)")
        }
        return Secret(value)
    }

    /// The request that Google makes in our name to learn who we are in AWS: signed for this audience alone.
    func awsSubject(_ url: String, region: String, keys: AWSKeys, audience: String) -> Secret {
        let request = HTTPRequest(
            method: "POST", url: url, headers: HTTPHeaders(["x-goog-cloud-target-resource": audience]))
        let signed = AWSSigner(keys: keys, region: region, service: "sts")
            .sign(request, at: requests.now().nanoseconds / 1_000_000_000)
        var headers = signed.headers
        headers.add("host", AbsoluteURL(url)?.authority ?? "")
        let described: JSON = [
            "url": .string(url), "method": "POST",
            "headers": .array(headers.fields.map { ["key": .string($0.name), "value": .string($0.value)] }),
        ]
        return Secret(described.canonicalText.percentEncoded())
    }

    private func awsSession(_ url: String?) async throws(CredentialFailure) -> Secret? {
        guard let url, surroundings.value("AWS_ACCESS_KEY_ID") == nil || awsRegionIsUnknown else { return nil }
        return try await aws.instanceToken(url, seconds: 300, "AWS credentials for Google at \(url)")
    }

    private var awsRegionIsUnknown: Bool {
        surroundings.value("AWS_REGION") == nil && surroundings.value("AWS_DEFAULT_REGION") == nil
    }

    private func awsRegion(_ url: String?, _ session: Secret?) async throws(CredentialFailure) -> String {
        if let region = try aws.region() { return region }
        guard let url else {
            throw .misconfigured("the AWS region is not known: set AWS_REGION, or credential_source.region_url")
        }
        // An availability zone: the region and one letter.
        return String(try await aws.instanceText(url, session, "the AWS region at \(url)").dropLast())
    }

    private func awsKeys(_ url: String?, _ session: Secret?) async throws(CredentialFailure) -> AWSKeys {
        guard let url, surroundings.value("AWS_ACCESS_KEY_ID") == nil else { return try await aws.credentials().keys }
        let what = "AWS credentials for Google at \(url)"
        let role = try await aws.instanceText(url, session, what)
        let text = try await aws.instanceText("\(url)/\(role)", session, what)
        guard let body = (try? JSON.parse(text))?.object else {
            throw CredentialFailure(.unavailable, code: "unreadable", "\(what): the answer is not a JSON object")
        }
        return try aws.read(body, token: "Token", answer: nil, what).keys
    }
}
