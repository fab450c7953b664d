/// A request to another service, for those who may not know how requests are sent.
package struct OutboundRequest: Sendable, Hashable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    package static func == (a: OutboundRequest, b: OutboundRequest) -> Bool {
        a.method == b.method && a.url == b.url && a.body == b.body && a.headers.elementsEqual(b.headers, by: ==)
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(url)
        hasher.combine(body)
    }
}

/// What came back, of whatever status.
package struct OutboundAnswer: Sendable, Hashable {
    package var status: Int
    package var body: [UInt8]
    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Nothing came back. Says where it should have gone and why not, and nothing of what was sent.
package struct OutboundFailure: Error, Sendable, CustomStringConvertible {
    package var message: String
    package init(_ message: String) { self.message = message }
    package var description: String { message }
}

/// Sends one request once. Redirects are not followed, answers have a bound.
package typealias Outbound = @Sendable (OutboundRequest) async throws(OutboundFailure) -> OutboundAnswer
