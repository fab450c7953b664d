import HoldfastCore
import HoldfastFiles
import Testing

@Suite("The configuration of the server")
struct ServerConfigurationTests {
    private func load(_ text: String) throws -> (configuration: Configuration, problems: [String]) {
        let node = try YAMLReader.read(text, file: "holdfast.yaml")
        let (configuration, problems) = Configuration.load(node, folder: "/etc/holdfast")
        return (configuration, problems.map { "\($0.place.line): \($0.message)" })
    }

    @Test("Without a word of it nothing listens; with an empty one, loopback and a socket of the owner's do")
    func defaults() throws {
        #expect(try load("mode: dry-run").configuration.server == nil)
        let server = try #require(try load("server: {}").configuration.server)
        #expect(server.listen == ListenAddress(host: "127.0.0.1", port: 8484))
        #expect(server.socket == "./holdfast.sock" && server.socketMode == 0o600)
    }

    @Test("Everything is read")
    func whole() throws {
        let (configuration, problems) = try load(
            """
            server:
              listen: "0.0.0.0:8484"
              socket: /run/holdfast/socket
              socket-access: group
              url: https://holdfast.example.com/
              behind-tls: true
              hosts: [Holdfast.internal]
              oidc: {issuer: https://id.example.com, client-id: hf, client-secret: env:SECRET, roles-claim: groups,
                     roles: {approver: [sre, sec]}}
              tokens:
                - {name: ci, sha256: \(String(repeating: "a", count: 64)), person: ann.lee, roles: [viewer],
                   expires: 2027-01-01T00:00:00Z}
              session: {idle: 10m, length: 8h}
            identities: [{person: ann.lee, local: ann, oidc: s-1, aws: "arn:aws:iam::*:user/ann", slack: U1}]
            approvals: {roles: {viewer: [ann.lee]}, prompts: [{webhook: {url: https://a.example.com/x, secret: env:K}}]}
            log: {format: json, level: warning}
            """)
        #expect(problems.isEmpty, "\(problems)")
        let server = try #require(configuration.server)
        #expect(server.url == "https://holdfast.example.com" && server.hosts == ["holdfast.internal"])
        #expect(server.socketMode == 0o660 && server.isBehindTLS)
        #expect(server.provider?.audience == "hf" && server.provider?.roles == ["approver": ["sre", "sec"]])
        #expect(server.tokens.map(\.name) == ["ci"] && server.sessionIdle == Span(seconds: 600))
        #expect(configuration.people.person(local: ["ann"]) == "ann.lee")
        #expect(configuration.people.person(oidc: "s-1") == "ann.lee")
        #expect(configuration.people.people(behind: "arn:aws:iam::111122223333:user/ann") == ["ann.lee"])
        #expect(configuration.log.format == .json && configuration.log.level == .warning)
        #expect(configuration.webhooks.map(\.secret) == ["env:K"])
    }

    @Test(
        "What other machines reach without TLS, or with nobody who could sign in, is refused with what would do",
        arguments: [
            ("listen: \"0.0.0.0:8484\"", "behind-tls: true"), ("listen: \"[::]:8484\"", "behind-tls: true"),
            ("listen: \"10.0.0.1:8484\"", "nobody could sign in"),
            ("listen: \"0.0.0.0:8484\"\n  behind-tls: true\n  url: https://a.example", "nobody could sign in"),
            ("behind-tls: true\n  tokens: []", "say under url:"),
            ("url: https://a.example", "behind-tls: true"), ("listen: none\n  socket: none", "listens nowhere"),
            ("listen: localhost", "is no address"), ("listen: \":8484\"", "is no address"),
            ("url: \"https://user@a.example\"", "not how browsers reach"), ("url: a.example", "not how browsers reach"),
            ("oidc: {issuer: \"http://id.example.com\", client-id: x}", "has no TLS"),
            ("oidc: {issuer: https://id.example.com, client-id: x, client-secret: hunter2}", "env:NAME or file:PATH"),
            ("oidc: {issuer: https://id.example.com, client-id: x, roles: {admin: [a]}}", "roles-claim"),
            ("tokens: [{name: a, sha256: abc, person: ann.lee, roles: [], expires: 2027-01-01T00:00:00Z}]", "64 hexa"),
            ("session: {length: 30d}", "more than 7d"), ("lisen: none", "did you mean \"listen\"?"),
        ])
    func refused(line: String, message: String) throws {
        let (_, problems) = try load("server:\n  \(line)")
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test(
        "One name is one person, and nobody is everybody",
        arguments: [
            ("[{person: a.b, oidc: x}, {person: c.d, oidc: x}]", "oidc: x is a.b already"),
            ("[{person: a.b, local: [x, y]}, {person: c.d, local: y}]", "local: y is a.b already"),
            ("[{person: a.b}, {person: a.b}]", "is here twice"), ("[{person: A.B}]", "no person's name"),
            ("[{person: a.b, aws: \"*\"}]", "is everybody"), ("[{person: a.b, gcp: [\"**\"]}]", "is everybody"),
        ])
    func people(identities: String, message: String) throws {
        let (_, problems) = try load("identities: \(identities)")
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test("A prompt that others could read on its way is refused", arguments: ["http://chat.example.com/x", "chat"])
    func webhook(url: String) throws {
        let (_, problems) = try load("approvals: {prompts: [{webhook: {url: \"\(url)\", secret: env:K}}]}")
        #expect(problems.contains { $0.contains("has no TLS") }, "\(problems)")
    }

    @Test(
        "Loopback is told from what only looks like it",
        arguments: [
            ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("[::1]:1", true), ("localhost:1", true),
            ("[::ffff:127.0.0.1]:1", false), ("localhost.example.com:1", false), ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("128.0.0.1:1", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(ListenAddress(text)).isLoopback == isLoopback)
    }
}
