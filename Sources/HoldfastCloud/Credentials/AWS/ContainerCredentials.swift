internal import HoldfastCrypto
internal import HoldfastHTTP
internal import HoldfastJSON

/// Credentials from the container's endpoint: ECS tasks and EKS pod identity.
extension AWSCredentialChain {
    /// Addresses that may be asked over plain HTTP: of ECS, and of EKS pod identity.
    static let containerHosts: Set<String> = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]

    /// `nil` where the environment names no endpoint.
    func container() throws(CredentialFailure) -> AWSIdentity? {
        let url: String
        if let path = surroundings.value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2\(path)"
        } else if let full = surroundings.value("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            url = full
        } else {
            return nil
        }
        guard let parts = AbsoluteURL(url),
            parts.scheme == "https" || parts.isLoopback || Self.containerHosts.contains(parts.host)
        else {
            throw .misconfigured(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or name this machine or one of"
                    + " \(Self.containerHosts.sorted().joined(separator: ", ")): over plain HTTP anyone on the way"
                    + " could take the credentials")
        }
        return .container(
            url: Secret(url), authorization: surroundings.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
            authorizationFile: surroundings.value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    }

    func containerCredentials(
        _ url: String, _ authorization: Secret?, _ file: String?
    ) async throws(CredentialFailure) -> AWSCredentials {
        let what = "AWS credentials of the container at \(AbsoluteURL(url)?.authority ?? "")"
        // The file changes while the container runs, so it goes before the variable.
        var token = authorization
        if let file {
            token = try surroundings.requiredFile(file, because: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names it")
        }
        var request = HTTPRequest(
            method: "GET", url: url, headers: HTTPHeaders(["Accept": "application/json"]), deadline: .seconds(5))
        if let token {
            guard !token.revealed.contains(where: \.isNewline) else {
                throw .misconfigured("\(what): the authorization token has more than one line, and no header may")
            }
            request.headers["Authorization"] = token.revealed
        }
        let (body, answer) = try await requests.object(request, what, hiding: token.map { [$0] } ?? [])
        return try read(body, token: "Token", answer: answer, what)
    }
}
