/// How people and machines reach the service, and how it knows them.
package struct ServerSettings: Sendable, Hashable {
    /// A provider of identities by OpenID Connect.
    package struct Provider: Sendable, Hashable {
        /// `https://id.example.com`, exactly as its tokens say it.
        package var issuer: String
        package var clientID: String
        /// `env:NAME` or `file:PATH`; `nil` for a public client.
        package var clientSecret: String?
        /// Who access tokens must be meant for; ID tokens are always meant for the client.
        package var audience: String
        /// The claim that lists groups.
        package var rolesClaim: String?
        /// Role -> groups in that claim.
        package var roles: [String: [String]]
        package var scopes: [String]

        package init(
            issuer: String, clientID: String, clientSecret: String? = nil, audience: String, rolesClaim: String? = nil,
            roles: [String: [String]] = [:], scopes: [String] = ["profile"]
        ) {
            self.issuer = issuer
            self.clientID = clientID
            self.clientSecret = clientSecret
            self.audience = audience
            self.rolesClaim = rolesClaim
            self.roles = roles
            self.scopes = scopes
        }
    }

    /// A token for a program, as its digest.
    package struct Token: Sendable, Hashable {
        package var name: String
        /// SHA-256 of the token, in hexadecimal digits.
        package var sha256: String
        package var person: String
        package var roles: [String]
        package var expires: Timestamp

        package init(name: String, sha256: String, person: String, roles: [String], expires: Timestamp) {
            self.name = name
            self.sha256 = sha256
            self.person = person
            self.roles = roles
            self.expires = expires
        }
    }

    /// `nil`: not by TCP.
    package var listen: ListenAddress?
    /// Path of the unix socket; `nil`: none.
    package var socket: String?
    /// 0o600, or 0o660 for a group.
    package var socketMode: UInt32 = 0o600
    /// How browsers reach it, without a slash at its end; `nil`: by the address that it listens on.
    package var url: String?
    /// Something in front of it ends TLS, and is the only one to reach it.
    package var isBehindTLS = false
    /// Names beside that of ``url`` that requests may be for.
    package var hosts: [String] = []
    package var provider: Provider?
    package var tokens: [Token] = []
    package var sessionIdle = Span(seconds: 1800)
    package var sessionLength = Span(seconds: 12 * 3600)

    /// Loopback and a socket beside the configuration.
    package init() {
        listen = .usual
        socket = "./holdfast.sock"
    }
}

/// A host and a port to listen on.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An address or a name; IPv6 without brackets.
    package var host: String
    package var port: Int

    package static let usual = ListenAddress(host: "127.0.0.1", port: 8484)

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `127.0.0.1:8484`, `[::1]:8484`; `nil` where a part is missing or is none.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    package var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool {
        switch IPAddress(host) {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        case nil: host == "localhost"
        }
    }
}
