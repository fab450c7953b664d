import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Sign in at a server's provider of identities, with a browser anywhere.",
        discussion: """
            The token is kept in $XDG_STATE_HOME/holdfast/tokens.json (~/.local/state), which only you may read, and \
            made new when it ends. HOLDFAST_TOKEN goes before it.
            """)

    @Option(help: "The server: https://HOST.") var server: String

    func run() async throws {
        let base = server.hasSuffix("/") ? String(server.dropLast()) : server
        guard base.hasPrefix("https://") || base.hasPrefix("http://") else {
            throw Failure("\"\(server)\" is no URL; by the unix socket nobody has to sign in")
        }
        var options = HTTPClientOptions()
        options.authorities = ProcessInfo.processInfo.environment["HOLDFAST_AUTHORITIES"]
        let http = HTTPClient(options)
        let said = try await http.send(HTTPRequest(method: "GET", url: "\(base)/api/v1/sign-in"))
        guard said.status == 200, let json = try? JSON.parse(said.body), let offer = ProviderClient.Offer(json: json)
        else {
            throw Failure("\(base) names no provider to sign in at (`server: oidc:` in its configuration)")
        }
        let client = ProviderClient(offer, fetch: Serving.outbound(http), now: { SystemWallClock.now })
        let tokens = try await client.signIn { code in
            Output.line("Open \(code.completePlace ?? code.place)")
            Output.line("and confirm the code \(code.user) at \(offer.issuer).")
        } sleep: { span in
            try await Task.sleep(for: .nanoseconds(span.nanoseconds))
        }
        try StoredTokens.keep(StoredTokens.Entry(offer: offer, tokens: tokens), for: base)
        Output.line("signed in at \(offer.issuer) for \(base)")
    }
}

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make a token for a program, and the lines of the configuration for it.",
        discussion: "The token is shown once and kept nowhere; the configuration has its digest.")

    @Option(help: "What logs call it.") var name: String
    @Option(help: "Who answers for what is done with it: one of identities.") var person: String
    @Option(parsing: .upToNextOption, help: "viewer, approver, operator, admin.") var role: [String] = ["viewer"]
    @Option(help: "How long it lasts, at most 365d.") var lasts = "90d"

    func run() throws {
        guard let span = Span(lasts), span.nanoseconds <= Span(seconds: 365 * 86_400).nanoseconds else {
            throw Failure("--lasts \(lasts) is no time up to 365d, such as 90d")
        }
        let (token, digest) = APIToken.make()
        let expires = Timestamp(seconds: (SystemWallClock.now + span).nanoseconds / 1_000_000_000)
        let names = [name, person] + role
        let quoted = names.map { JSON.string($0).canonicalText }
        Output.line("HOLDFAST_TOKEN=\(token.revealed)")
        Output.error("the token above is shown this once; add under `server: tokens:`")
        Output.line(
            "- {name: \(quoted[0]), person: \(quoted[1]), roles: [\(quoted[2...].joined(separator: ", "))], "
                + "sha256: \(digest), expires: \(expires)}")
    }
}
