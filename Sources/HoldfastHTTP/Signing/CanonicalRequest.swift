internal import HoldfastCrypto

/// What AWS's Signature Version 4 is made over: the request in one agreed spelling.
/// Source: "Create a signed AWS API request", IAM User Guide.
struct CanonicalRequest {
    /// Headers that are not signed: proxies and HTTP libraries change or add them on the way. As botocore has them.
    static let unsigned: Set<String> = [
        "authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    ]
    var text: String
    /// Names in lower case, sorted, with semicolons between.
    var signedHeaders: String

    /// - Parameter query: pairs as ``queryPairs(_:)`` has them, in any order.
    init(method: String, path: String, query: [(String, String)], headers: HTTPHeaders, host: String, payload: String) {
        let lines = Self.headerLines(headers, host: host)
        signedHeaders = lines.map(\.name).joined(separator: ";")
        let sorted = query.sorted { a, b in
            a.0 != b.0 ? precedes(a.0, b.0) : precedes(a.1, b.1)
        }
        text =
            ([method.uppercased(), path, sorted.map { "\($0.0)=\($0.1)" }.joined(separator: "&")]
            + lines.map { "\($0.name):\($0.value)" } + ["", signedHeaders, payload]).joined(separator: "\n")
    }

    /// One line a name, sorted by name; values of one name in their order, with commas between.
    private static func headerLines(_ headers: HTTPHeaders, host: String) -> [(name: String, value: String)] {
        var values: [String: [String]] = headers["host"] == nil ? ["host": [host]] : [:]
        for field in headers.fields {
            let name = field.name.lowercased()
            guard !unsigned.contains(name) else { continue }
            values[name, default: []].append(folded(field.value))
        }
        return values.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
            .sorted { precedes($0.name, $1.name) }
    }

    /// Without white space at the ends, and with one space where there is more within: also where a value goes on in
    /// the next line.
    private static func folded(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" || $0 == "\r\n" }.joined(separator: " ")
    }

    /// The pairs of a query, decoded and encoded again, so that each has the one agreed spelling; what has no `=` has
    /// an empty value.
    static func queryPairs(_ query: String?) -> [(String, String)] {
        (query ?? "").split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (recoded(String(parts[0])), recoded(parts.count > 1 ? String(parts[1]) : ""))
        }
    }

    private static func recoded(_ text: String) -> String {
        percentEncoded(text.percentDecodedBytes)
    }

    /// Without `.`, `..` and empty segments. RFC 3986 (section 5.2.4) would end `/a/.` with a slash; AWS's SDKs don't.
    static func normalized(_ path: String) -> String {
        var kept: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." { _ = kept.popLast() } else { kept.append(segment) }
        }
        return "/" + kept.joined(separator: "/") + (path.hasSuffix("/") && !kept.isEmpty ? "/" : "")
    }
}

/// Order by bytes, as AWS sorts.
private func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
