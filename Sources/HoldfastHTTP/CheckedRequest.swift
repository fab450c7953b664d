/// A request that can be sent as it is.
struct CheckedRequest: Sendable {
    var method: String
    var url: String
    var target: RequestTarget
    /// Lines as libcurl takes them.
    var headerLines: [String]
    var body: [UInt8]
    var deadline: Duration
    var bodyLimit: Int
    /// Whether the client asks for gzip and unpacks it. A request that says what it accepts gets that as it came.
    var decodes: Bool

    /// `GET https://host/path`, for messages.
    var name: String { "\(method) \(target.place)" }

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    /// What belongs to the connection, and so to the client.
    private static let ownHeaders = [
        "connection", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    init(_ request: HTTPRequest, _ options: HTTPClientOptions) throws(HTTPFailure) {
        guard Self.methods.contains(request.method) else {
            throw Self.invalid("the method is none of \(Self.methods.joined(separator: ", "))")
        }
        method = request.method
        url = request.url
        do throws(RequestTarget.InvalidURL) { target = try RequestTarget(url: request.url) } catch {
            throw Self.invalid("\(request.method): the URL cannot be used: \(error.reason)")
        }
        body = request.body
        deadline = request.deadline
        bodyLimit = request.bodyLimit
        decodes = request.headers["Accept-Encoding"] == nil && request.method != "HEAD"
        headerLines = []
        headerLines = try lines(of: request.headers)
        guard method != "HEAD" || body.isEmpty else { throw Self.invalid("\(name): HEAD has no body") }
        let isPrivate = options.socket != nil || target.isLocal || Self.contains(options.plainHosts, target.host)
        guard target.scheme == "https" || isPrivate else {
            let message =
                "\(name): not sent without TLS: \(target.host) is neither this machine nor a metadata service of a "
                + "cloud; use https, or list the host among those that may be spoken to plainly"
            throw .notSent(code: "plain-http", message: message)
        }
    }

    private static func contains(_ hosts: [String], _ host: String) -> Bool {
        hosts.contains { $0.lowercased() == host || "[\($0.lowercased())]" == host }
    }

    private static func invalid(_ message: String) -> HTTPFailure {
        .notSent(code: "invalid-request", message: message)
    }

    private func lines(of headers: HTTPHeaders) throws(HTTPFailure) -> [String] {
        var lines: [String] = []
        for (index, field) in headers.fields.enumerated() {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(Self.isToken) else {
                throw Self.invalid("\(name): header \(index + 1) has a name that is none")
            }
            guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw Self.invalid("\(name): the header \(field.name) has a line break or another control character")
            }
            let lower = field.name.lowercased()
            guard !Self.ownHeaders.contains(lower) else {
                throw Self.invalid("\(name): the header \(field.name) is the client's own")
            }
            if lower == "content-length" {
                guard field.value == "\(body.count)" else {
                    throw Self.invalid("\(name): the header \(field.name) is not the body's length, \(body.count)")
                }
                continue
            }
            // To libcurl "Name:" takes a header away, and "Name;" sends it empty.
            lines.append(field.value.allSatisfy(\.isWhitespace) ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        // What libcurl adds by itself otherwise: the request goes as it was signed.
        for own in ["Accept", "Content-Type", "User-Agent"] where headers[own] == nil { lines.append("\(own):") }
        return lines + ["Expect:"]
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
