package import HoldfastCrypto

/// A pair of AWS keys, with the token that temporary ones have.
package struct AWSKeys: Sendable, Equatable {
    /// Names the pair; not a secret.
    package var accessKeyID: String
    package var secretKey: Secret
    package var sessionToken: Secret?

    package init(accessKeyID: String, secretKey: Secret, sessionToken: Secret? = nil) {
        self.accessKeyID = accessKeyID
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

/// Signs requests by AWS's Signature Version 4. Signing again, for another attempt, replaces the earlier signature and
/// its date.
package struct AWSSigner: Sendable {
    /// The services of the S3 family take the path as it is sent. The signature's own definition excepts them from
    /// encoding twice and from removing dots; all others want both.
    package static let pathAsSent: Set<String> = ["s3", "s3-object-lambda", "s3-outposts", "s3express"]

    package var keys: AWSKeys
    package var region: String
    /// The service's name in the credential scope (`s3`, `ec2`, `iam`).
    package var service: String
    /// Whether `.` and `..` are removed from the path that is signed. Not for S3.
    package var normalizesPath: Bool
    /// Whether the path is percent-encoded once more. Not for S3.
    package var encodesPathAgain: Bool
    /// Whether `x-amz-content-sha256` is sent. S3 wants it always.
    package var sendsPayloadHash: Bool
    /// Whether the session token is one of the signed headers; a few services want it added afterwards.
    package var signsSessionToken = true

    package init(keys: AWSKeys, region: String, service: String) {
        self.keys = keys
        self.region = region
        self.service = service
        let isS3 = Self.pathAsSent.contains(service)
        normalizesPath = !isS3
        encodesPathAgain = !isS3
        sendsPayloadHash = isS3
    }

    /// The request with `X-Amz-Date`, `Authorization`, and where they apply `X-Amz-Security-Token` and
    /// `X-Amz-Content-SHA256`. A URL that is none is given back unsigned: the client will not send it either.
    /// - Parameter seconds: the time since 1970 that the signature bears; AWS allows 5 minutes (S3: 15) to either side.
    package func sign(_ request: HTTPRequest, at seconds: Int64) -> HTTPRequest {
        guard let url = AbsoluteURL(request.url) else { return request }
        var signed = request
        for name in ["Authorization", "Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256"] {
            signed.headers[name] = nil
        }
        let time = AmazonTime(seconds)
        let hash = sha256(request.body).description
        signed.headers["X-Amz-Date"] = time.text
        if sendsPayloadHash { signed.headers["X-Amz-Content-SHA256"] = hash }
        if signsSessionToken { signed.headers["X-Amz-Security-Token"] = keys.sessionToken?.revealed }
        let canonical = CanonicalRequest(
            method: request.method, path: canonicalPath(url.path), query: CanonicalRequest.queryPairs(url.query),
            headers: signed.headers, host: url.authority, payload: hash)
        if !signsSessionToken { signed.headers["X-Amz-Security-Token"] = keys.sessionToken?.revealed }
        signed.headers["Authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(keys.accessKeyID)/\(scope(time)), SignedHeaders=\(canonical.signedHeaders)"
            + ", Signature=\(signature(of: canonical.text, at: time))"
        return signed
    }

    /// The request with the signature in its query: whoever has the URL may send it, until it ends. S3 takes any body;
    /// elsewhere the body is signed.
    /// - Parameter lifetime: in seconds, at most 7 days by AWS's rule.
    package func presign(_ request: HTTPRequest, at seconds: Int64, lifetime: Int) -> HTTPRequest {
        guard let url = AbsoluteURL(request.url) else { return request }
        let time = AmazonTime(seconds)
        let isS3 = Self.pathAsSent.contains(service)
        let hash = isS3 ? "UNSIGNED-PAYLOAD" : sha256(request.body).description
        let names = CanonicalRequest(
            method: request.method, path: "", query: [], headers: request.headers, host: url.authority, payload: hash
        ).signedHeaders
        var added = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(keys.accessKeyID)/\(scope(time))"),
            ("X-Amz-Date", time.text), ("X-Amz-SignedHeaders", names), ("X-Amz-Expires", String(lifetime)),
        ]
        let token = keys.sessionToken.map { [("X-Amz-Security-Token", $0.revealed)] } ?? []
        if signsSessionToken { added += token }
        let canonical = CanonicalRequest(
            method: request.method, path: canonicalPath(url.path),
            query: CanonicalRequest.queryPairs(url.query) + added.map { ($0.0, $0.1.percentEncoded()) },
            headers: request.headers, host: url.authority, payload: hash)
        if !signsSessionToken { added += token }
        added.append(("X-Amz-Signature", signature(of: canonical.text, at: time)))
        var signed = request
        let query = added.map { "\($0.0)=\($0.1.percentEncoded())" }.joined(separator: "&")
        if url.query == nil { signed.url += "?" } else if url.query != "" { signed.url += "&" }
        signed.url += query
        return signed
    }

    /// The path as it is signed.
    private func canonicalPath(_ path: String) -> String {
        let whole = path.isEmpty ? "/" : path
        let clean = normalizesPath ? CanonicalRequest.normalized(whole) : whole
        return clean.percentEncoded(keeping: encodesPathAgain ? "/" : "/%")
    }

    private func scope(_ time: AmazonTime) -> String { "\(time.day)/\(region)/\(service)/aws4_request" }

    private func signature(of canonical: String, at time: AmazonTime) -> String {
        var key = Array("AWS4\(keys.secretKey.revealed)".utf8)
        for part in [time.day, region, service, "aws4_request"] { key = hmacSHA256(key: key, Array(part.utf8)).bytes }
        let digest = sha256(canonical.utf8).description
        let text = ["AWS4-HMAC-SHA256", time.text, scope(time), digest].joined(separator: "\n")
        return hmacSHA256(key: key, Array(text.utf8)).description
    }
}
