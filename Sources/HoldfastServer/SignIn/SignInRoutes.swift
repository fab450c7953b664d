internal import HTTPTypes
internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine
internal import HoldfastJSON
internal import Hummingbird
internal import Logging

/// Signs browsers in: at the provider by authorization code with PKCE, or by a one-time link of the unix socket.
struct SignInRoutes: Sendable {
    let doorkeeper: Doorkeeper
    let settings: ServerSettings
    let cookies: Cookies
    /// The provider's secret for this service; `nil` for a public client.
    let clientSecret: Secret?
    let outbound: Outbound
    let moments: @Sendable () -> Moments

    func add(to router: Router<Visit>) {
        router.get("sign-in") { request, _ in page(destination(request)) }
        router.get("sign-in/oidc") { request, _ in try await begin(request) }
        router.get("sign-in/callback") { request, visit in try await finish(request, visit) }
        router.get("sign-in/link/:code") { _, visit in try await showLink(visit) }
        router.post("sign-in/link/:code") { _, visit in try await useLink(visit) }
    }

    /// A path of this server and nothing else, or the usual one.
    static func safe(_ destination: String?) -> String {
        guard let path = destination, path.hasPrefix("/"), !path.hasPrefix("//"), path.utf8.count <= 512,
            path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\\\"'<>`".utf8.contains($0) })
        else { return "/approvals" }
        return path
    }

    private func destination(_ request: Request) -> String {
        Self.safe((Address.pairs(request.uri.query ?? "") ?? []).first { $0.name == "to" }?.value)
    }

    private func page(_ destination: String) -> Response {
        let provider: HTML =
            settings.provider.map {
                """
                <p><a class="button" href="/sign-in/oidc?to=\(percentEncoded(destination))">\
                Sign in at \($0.issuer)</a></p>
                """
            } ?? .nothing
        return .page(
            Layout(moments: moments()).page(
                "Sign in", nil,
                """
                <h1>Sign in</h1>
                <section class="card">\(provider)
                <p>On the machine that Holdfast runs on, <code>holdfast approvals open</code> prints a link that \
                signs you in once.</p></section>
                """))
    }

    // MARK: At the provider

    /// As browsers reach this server: the configuration's URL, or what they asked for.
    private func base(_ request: Request) -> String {
        settings.url ?? "http://\(request.head.authority ?? "127.0.0.1")"
    }

    private func begin(_ request: Request) async throws(Refusal) -> Response {
        guard let provider = settings.provider else { throw .notFound("`server: oidc:` names no provider") }
        let places = try await doorkeeper.places()
        let (state, signIn) = await doorkeeper.beginSignIn(to: destination(request))
        let parameters = [
            ("response_type", "code"), ("client_id", provider.clientID),
            ("redirect_uri", "\(base(request))/sign-in/callback"),
            ("scope", (["openid"] + provider.scopes).joined(separator: " ")), ("state", state), ("nonce", signIn.nonce),
            ("code_challenge", base64URLText(sha256(signIn.verifier.utf8).bytes)), ("code_challenge_method", "S256"),
        ]
        // Who comes to decide something grave proves anew who they are (OpenID Connect Core 1.0, 3.1.2.1).
        let isFresh = (Address.pairs(request.uri.query ?? "") ?? []).contains { $0.name == "fresh" }
        let query = (parameters + (isFresh ? [("prompt", "login"), ("max_age", "0")] : [])).map {
            "\($0.0)=\(percentEncoded($0.1))"
        }.joined(separator: "&")
        var response = Response.found(places.authorization + (places.authorization.contains("?") ? "&" : "?") + query)
        cookies.set(binding: signIn.binding, on: &response)
        return response
    }

    private func finish(_ request: Request, _ visit: Visit) async throws(Refusal) -> Response {
        let parameters = Address.pairs(request.uri.query ?? "") ?? []
        func value(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
        let signIn = try await doorkeeper.takeSignIn(
            value("state") ?? "", binding: cookies.value(cookies.binding, in: request))
        guard let code = value("code") else {
            throw .unauthenticated("the provider signed nobody in: \(printable(value("error") ?? "it said no more"))")
        }
        let token = try await idToken(for: code, signIn, redirect: "\(base(request))/sign-in/callback")
        let person = try await doorkeeper.person(idToken: token, nonce: signIn.nonce)
        // A redirect from here would still be one that the provider began, and come without the cookie that is set.
        // The page goes on by itself, and then this site has begun it.
        var response = Response.page(onward(to: signIn.destination))
        cookies.set(session: await doorkeeper.begin(person), lasting: settings.sessionLength, on: &response)
        cookies.clear(cookies.binding, on: &response)
        visit.logger.notice(
            "a person signed in", metadata: [LogKey.person.name: "\(person.name)", LogKey.via.name: "oidc"])
        return response
    }

    private func idToken(
        for code: String, _ signIn: Doorkeeper.SignIn, redirect: String
    ) async throws(Refusal) -> String {
        guard let provider = settings.provider else { throw .notFound("`server: oidc:` names no provider") }
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect),
            ("client_id", provider.clientID), ("code_verifier", signIn.verifier),
        ]
        if let clientSecret { form.append(("client_secret", clientSecret.revealed)) }
        let places = try await doorkeeper.places()
        let answer: OutboundAnswer
        do throws(OutboundFailure) {
            answer = try await outbound(
                OutboundRequest(
                    method: "POST", url: places.token,
                    headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")],
                    body: OAuthAnswer.form(form)))
        } catch {
            throw Refusal(503, "provider-unreachable", "\(provider.issuer) does not answer: \(error.message)")
        }
        let json = (try? JSON.parse(answer.body)) ?? .null
        guard answer.status == 200, let token = json["id_token"]?.string else {
            throw .unauthenticated("\(provider.issuer) gave no token: \(OAuthAnswer.problem(json))")
        }
        return token
    }

    /// A page that goes on to another of this server at once.
    func onward(to path: String) -> String {
        let html: HTML = """
            <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Holdfast</title>
            <meta http-equiv="refresh" content="0;url=\(path)"></head>
            <body><p><a href="\(path)">Go on</a></p></body></html>
            """
        return html.source
    }

    // MARK: By a link

    /// Asks first: what looks at links before people do must not use them up, and nobody is signed in as somebody else
    /// without seeing as whom.
    private func showLink(_ visit: Visit) async throws(Refusal) -> Response {
        let code = try visit.parameters.require("code")
        let person = try await doorkeeper.look(link: code, peer: visit.peer)
        return .page(
            Layout(moments: moments()).page(
                "Sign in", nil,
                """
                <h1>Sign in as \(person.name)?</h1>
                <section class="card"><p>The link was made on the machine that Holdfast runs on, for \
                \(person.name). What you decide here is decided in that name.</p>
                <form method="post" action="/sign-in/link/\(percentEncoded(code))">
                <div class="buttons"><button class="good">Sign in as \(person.name)</button></div></form></section>
                """))
    }

    private func useLink(_ visit: Visit) async throws(Refusal) -> Response {
        let person = try await doorkeeper.take(link: try visit.parameters.require("code"), peer: visit.peer)
        var response = Response.found("/approvals")
        cookies.set(session: await doorkeeper.begin(person), lasting: settings.sessionLength, on: &response)
        visit.logger.notice(
            "a person signed in", metadata: [LogKey.person.name: "\(person.name)", LogKey.via.name: "link"])
        return response
    }
}
