internal import CCurl

/// Where a request goes, as libcurl reads its URL, so that what is checked here is what is connected to.
struct RequestTarget: Sendable, Equatable {
    var scheme: String
    /// In small letters; an IPv6 address in brackets.
    var host: String
    var port: Int
    var path: String

    /// What connections are shared by.
    var origin: String { "\(scheme)://\(host):\(port)" }
    /// What messages name: without the query, and without user and password, which are refused.
    var place: String {
        let isUsual = port == (scheme == "https" ? 443 : 80)
        let shown = path.count <= 200 ? path : path.prefix(200) + "…"
        return "\(scheme)://\(host)\(isUsual ? "" : ":\(port)")\(shown)"
    }

    /// - Throws: what is wrong with the URL, in words that do not repeat any of it.
    init(url: String) throws(InvalidURL) {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw InvalidURL("it has characters that must be percent-encoded")
        }
        let parts = TargetParts()
        try parts.parse(url)
        scheme = try parts.get(CURLUPART_SCHEME).lowercased()
        guard scheme == "https" || scheme == "http" else {
            throw InvalidURL("its scheme is neither https nor http")
        }
        host = try parts.get(CURLUPART_HOST).lowercased()
        port = Int(try parts.get(CURLUPART_PORT)) ?? 0
        path = try parts.get(CURLUPART_PATH)
    }

    struct InvalidURL: Error {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// The metadata services of the clouds, which have no TLS: EC2 (both families), ECS and EKS tasks, Azure, Google.
    private static let metadataHosts = [
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]",
        "metadata.google.internal",
    ]

    /// Whether the host is this machine or a service that is reached from this machine only.
    var isLocal: Bool {
        if host == "localhost" || host == "[::1]" || Self.metadataHosts.contains(host) { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }
}

/// Owns one `CURLU`, libcurl's reader of URLs.
private struct TargetParts: ~Copyable {
    private let pointer: OpaquePointer?
    init() { pointer = curl_url() }
    deinit { curl_url_cleanup(pointer) }

    func parse(_ url: String) throws(RequestTarget.InvalidURL) {
        let flags = UInt32(CURLU_DISALLOW_USER | CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME)
        let code = curl_url_set(pointer, CURLUPART_URL, url, flags)
        guard code == CURLUE_OK else { throw Self.invalid(code) }
    }

    func get(_ part: CURLUPart) throws(RequestTarget.InvalidURL) -> String {
        var text: UnsafeMutablePointer<CChar>?
        let code = curl_url_get(pointer, part, &text, UInt32(CURLU_DEFAULT_PORT))
        guard code == CURLUE_OK, let text else { throw Self.invalid(code) }
        defer { curl_free(text) }
        return String(cString: text)
    }

    private static func invalid(_ code: CURLUcode) -> RequestTarget.InvalidURL {
        if code == CURLUE_USER_NOT_ALLOWED {
            return .init("it has a user or password in it; credentials belong in a header")
        }
        return .init(curl_url_strerror(code).map { String(cString: $0) } ?? "it cannot be read")
    }
}
