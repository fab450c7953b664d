/// Header fields in the order in which they are sent or came. Names are compared without regard to letter case.
package struct HTTPHeaders: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String
    }
    package private(set) var fields: [Field] = []

    package init() {}

    package init(_ fields: KeyValuePairs<String, String>) {
        self.fields = fields.map { Field(name: $0.key, value: $0.value) }
    }

    /// The first value of this name; setting replaces all values, `nil` removes them.
    package subscript(name: String) -> String? {
        get { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
        set {
            fields.removeAll { $0.name.lowercased() == name.lowercased() }
            if let newValue { fields.append(Field(name: name, value: newValue)) }
        }
    }

    package mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Lengthens the value of the last field: for a header that is folded over several lines.
    mutating func appendToLast(_ text: String) {
        guard !fields.isEmpty else { return }
        fields[fields.count - 1].value += " " + text
    }
}

/// One request as it goes out: signed, complete, sent once.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Absolute and percent-encoded: `https://ec2.eu-west-1.amazonaws.com/`.
    package var url: String
    /// A client sends these as they are, and adds what the connection needs. Without an `Accept-Encoding` it asks for
    /// gzip and unpacks the answer; with one, it gives the answer as it came. Packed data that ends too soon in a whole
    /// answer gives a short body: libcurl 7.88 does not tell it from a whole one, and the body's parser must.
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// From the call to the last byte in, with waiting for a connection, name resolution and connecting.
    package var deadline: Duration
    /// Bytes of an answer's body, once unpacked, above which it is given up.
    package var bodyLimit: Int

    package init(
        method: String, url: String, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [],
        deadline: Duration = .seconds(30), bodyLimit: Int = 32 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.bodyLimit = bodyLimit
    }
}

/// A whole answer, of whatever status.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why there is no answer. The difference matters to writes: what was not sent can be sent again.
package enum HTTPFailure: Error, Sendable, CustomStringConvertible {
    /// Nothing reached the server: no such name, refused, TLS not verified, a proxy that says no. `code` is one word.
    case notSent(code: String, message: String)
    /// It was sent, wholly or in part, and there is no whole answer: the server may have acted on it.
    case unknownOutcome(code: String, message: String)
    /// The task was cancelled before anything was sent.
    case cancelled

    /// Without secrets: the method and the URL's host and path, never a query, header or body.
    package var description: String {
        switch self {
        case .notSent(_, let message), .unknownOutcome(_, let message): message
        case .cancelled: "cancelled"
        }
    }
}

/// Sends one request once, and gives the answer, whatever its status.
package protocol HTTPExchange: Sendable {
    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse
}
