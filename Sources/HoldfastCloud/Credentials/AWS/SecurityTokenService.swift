internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastHTTP

/// AWS's Security Token Service: one form out, a little XML back.
struct SecurityTokenService: Sendable {
    let requests: TokenRequests
    /// Empty: the global endpoint, which is in us-east-1.
    let region: String
    /// In place of AWS's.
    let endpoint: String?

    var url: String {
        if let endpoint { return endpoint.hasSuffix("/") ? endpoint : endpoint + "/" }
        return "https://sts.\(region.isEmpty ? "" : region + ".")\(awsDomain(region))/"
    }

    func assume(_ role: AssumedRole, with keys: AWSKeys) async throws(CredentialFailure) -> AWSCredentials {
        var fields = [("RoleArn", role.arn), ("RoleSessionName", role.sessionName)]
        if let seconds = role.seconds { fields.append(("DurationSeconds", String(seconds))) }
        if let id = role.externalID { fields.append(("ExternalId", id)) }
        if let policy = role.policy { fields.append(("Policy", policy)) }
        let what = "sts.AssumeRole of \(role.arn) by the key \(keys.accessKeyID) at \(url)"
        let answer = try await signed(form("AssumeRole", fields), keys, what)
        return try credentials(answer, what)
    }

    func assume(_ role: AssumedRole, webIdentity token: Secret) async throws(CredentialFailure) -> AWSCredentials {
        var fields = [
            ("RoleArn", role.arn), ("RoleSessionName", role.sessionName), ("WebIdentityToken", token.revealed),
        ]
        if let seconds = role.seconds { fields.append(("DurationSeconds", String(seconds))) }
        let what = "sts.AssumeRoleWithWebIdentity of \(role.arn) at \(url)"
        let answer = try await requests.send(form("AssumeRoleWithWebIdentity", fields), what, hiding: [token])
        return try credentials(answer, what)
    }

    /// The account that keys belong to: a text of 12 digits.
    func account(of keys: AWSKeys) async throws(CredentialFailure) -> String {
        let what = "sts.GetCallerIdentity of the key \(keys.accessKeyID) at \(url)"
        let answer = try await signed(form("GetCallerIdentity", []), keys, what)
        guard let account = (try? XMLReader.read(answer.body))?.firstText("Account") else {
            throw CredentialFailure(.unavailable, code: "unreadable", "\(what): the answer names no Account")
        }
        return account
    }

    private func form(_ action: String, _ fields: [(String, String)]) -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: url,
            headers: HTTPHeaders(["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"]),
            body: formBody([("Action", action), ("Version", "2011-06-15")] + fields))
    }

    /// Signs and sends; where the answer shows that our clock is off, once more by the server's.
    private func signed(
        _ request: HTTPRequest, _ keys: AWSKeys, _ what: String
    ) async throws(CredentialFailure) -> HTTPResponse {
        let signer = AWSSigner(keys: keys, region: region.isEmpty ? "us-east-1" : region, service: "sts")
        let hidden = [keys.secretKey] + (keys.sessionToken.map { [$0] } ?? [])
        var clocks = ClockOffsets()
        while true {
            let now = requests.now().nanoseconds / 1_000_000_000
            let answer = try await requests.anyAnswer(
                signer.sign(request, at: now + clocks.offset(for: url)), what)
            if answer.status == 200 { return answer }
            let refusal = requests.refusal(answer, what, hiding: hidden)
            let received = requests.now().nanoseconds / 1_000_000_000
            guard clocks.learn(host: url, code: refusal.code, date: answer.headers["Date"], now: received) else {
                throw refusal
            }
        }
    }

    private func credentials(_ answer: HTTPResponse, _ what: String) throws(CredentialFailure) -> AWSCredentials {
        let document = (try? XMLReader.read(answer.body)) ?? XMLElement()
        guard let id = document.firstText("AccessKeyId"), let secret = document.firstText("SecretAccessKey"),
            let token = document.firstText("SessionToken"),
            let end = document.firstText("Expiration").flatMap({ Timestamp($0) })
        else {
            throw CredentialFailure(.unavailable, code: "unreadable", "\(what): the answer has no whole Credentials")
        }
        let keys = AWSKeys(accessKeyID: id, secretKey: Secret(secret), sessionToken: Secret(token))
        // arn:aws:sts::012345670123:assumed-role/…
        let account = document.firstText("Arn")?.split(separator: ":", omittingEmptySubsequences: false)
        return AWSCredentials(
            keys: keys, expires: requests.ours(end, in: answer),
            account: account.flatMap { $0.count > 4 ? String($0[4]) : nil })
    }
}

/// The domain of AWS's endpoints in the region's partition.
func awsDomain(_ region: String) -> String {
    let domains = [
        ("cn-", "amazonaws.com.cn"), ("us-iso-", "c2s.ic.gov"), ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"), ("us-isof-", "csp.hci.ic.gov"), ("eusc-", "amazonaws.eu"),
    ]
    return domains.first { region.hasPrefix($0.0) }?.1 ?? "amazonaws.com"
}

/// The region that global services of the region's partition are signed for.
func awsGlobalRegion(_ region: String) -> String {
    let regions = [
        ("cn-", "cn-north-1"), ("us-gov-", "us-gov-west-1"), ("us-iso-", "us-iso-east-1"),
        ("us-isob-", "us-isob-east-1"), ("eu-isoe-", "eu-isoe-west-1"), ("us-isof-", "us-isof-south-1"),
        ("eusc-", "eusc-de-east-1"),
    ]
    return regions.first { region.hasPrefix($0.0) }?.1 ?? "us-east-1"
}
