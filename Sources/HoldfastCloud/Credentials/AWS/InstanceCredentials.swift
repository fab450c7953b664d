internal import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// Credentials of the EC2 instance, by version 2 of its metadata service alone: version 1 answers anyone who can make
/// this process send a GET.
extension AWSCredentialChain {
    func instance() throws(CredentialFailure) -> AWSIdentity {
        guard surroundings.value("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else {
            throw CredentialFailure(
                .absent, code: "no-credentials",
                "no AWS credentials: AWS_ACCESS_KEY_ID is not set, no profile has any, neither web identity nor a"
                    + " container's endpoint is named, and AWS_EC2_METADATA_DISABLED forbids to ask the instance")
        }
        let version6 = surroundings.value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
        let usual = version6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
        var endpoint = surroundings.value("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? usual
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        return .instance(endpoint: endpoint)
    }

    func instanceCredentials(_ endpoint: String) async throws(CredentialFailure) -> AWSCredentials {
        let what = "AWS credentials of the instance at \(endpoint)"
        let token = try await instanceToken("\(endpoint)/latest/api/token", seconds: 21_600, what)
        let path = "\(endpoint)/latest/meta-data/iam/security-credentials/"
        let roles = try await instanceText(path, token, what)
        guard let role = roles.split(whereSeparator: \.isNewline).first else {
            throw CredentialFailure(.absent, code: "no-role", "\(what): no role is attached to the instance")
        }
        let text = try await instanceText(path + role, token, what)
        guard let body = (try? JSON.parse(text))?.object else {
            throw CredentialFailure(.unavailable, code: "unreadable", "\(what): the answer is not a JSON object")
        }
        if let code = body["Code"]?.string, code != "Success" {
            let said = body["Message"]?.string.map { ": \($0.prefix(TokenRequests.quoteLimit))" } ?? ""
            throw CredentialFailure(.denied, code: code, "\(what): the role \(role) gives none, \(code)\(said)")
        }
        return try read(body, token: "Token", answer: nil, what)
    }

    /// The session token that version 2 wants with each question.
    func instanceToken(_ url: String, seconds: Int, _ what: String) async throws(CredentialFailure) -> Secret {
        let request = HTTPRequest(
            method: "PUT", url: url, headers: HTTPHeaders(["x-aws-ec2-metadata-token-ttl-seconds": String(seconds)]),
            deadline: .seconds(2))
        let answer: HTTPResponse
        do {
            answer = try await requests.anyAnswer(request, what)
        } catch {
            guard error.kind == .unavailable else { throw error }
            throw CredentialFailure(
                .unavailable, code: "no-instance-metadata",
                "no AWS credentials: the environment and the profiles have none, and the instance's metadata service"
                    + " does not answer the token request (\(error.message)). On EC2 within a container its answer is"
                    + " lost on the way unless the instance allows a second hop: aws ec2"
                    + " modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2")
        }
        guard answer.status == 200 else { throw requests.refusal(answer, "\(what), token", hiding: []) }
        return Secret(String(decoding: answer.body, as: UTF8.self))
    }

    func instanceText(_ url: String, _ token: Secret?, _ what: String) async throws(CredentialFailure) -> String {
        var request = HTTPRequest(method: "GET", url: url, deadline: .seconds(2))
        if let token { request.headers["x-aws-ec2-metadata-token"] = token.revealed }
        let answer = try await requests.anyAnswer(request, what)
        if answer.status == 404 {
            throw CredentialFailure(
                .absent, code: "no-role", "\(what): no role is attached to the instance", status: 404)
        }
        guard answer.status == 200 else { throw requests.refusal(answer, what, hiding: token.map { [$0] } ?? []) }
        return String(decoding: answer.body, as: UTF8.self)
    }
}
