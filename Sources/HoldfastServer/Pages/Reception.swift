internal import HTTPTypes
internal import HoldfastCore
internal import HoldfastEngine
internal import Hummingbird

/// Lets browsers in that are signed in, and forms that come from pages of theirs.
struct Reception: RouterMiddleware {
    let doorkeeper: Doorkeeper
    let cookies: Cookies
    let hosts: Hosts
    let signIn: SignInRoutes

    func handle(
        _ request: Request, context: Visit, next: @concurrent (Request, Visit) async throws -> Response
    ) async throws -> Response {
        var visit = context
        guard let session = await doorkeeper.session(cookies.value(cookies.session, in: request)) else {
            return try stranger(request)
        }
        visit.session = session
        visit.caller = Caller(session.person)
        try doorkeeper.rules.check(Caller(session.person), .read)
        if request.method == .post { visit.form = try await form(request, session) }
        return try await next(request, visit)
    }

    private func stranger(_ request: Request) throws(Refusal) -> Response {
        guard [.get, .head].contains(request.method) else {
            throw .unauthenticated("your sign-in has ended; sign in and say it again")
        }
        let path = SignInRoutes.safe(request.uri.description)
        // A link from elsewhere comes without the cookie. Asked again from here it comes with it, where there is one.
        if request.headers[.fetchSite] == "cross-site" { return .page(signIn.onward(to: path)) }
        return .found("/sign-in?to=\(percentEncoded(path))")
    }

    /// The fields of a form, where a page of this session sent it.
    private func form(_ request: Request, _ session: Sessions.Session) async throws -> Form {
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased() }
        guard type == "application/x-www-form-urlencoded" else {
            throw Refusal(415, "malformed", "the body must be a form")
        }
        if let origin = request.headers[.origin], !hosts.isOwn(origin: origin, authority: request.head.authority) {
            throw Refusal.forbidden("this form comes from \(printable(origin)), which is not this server")
        }
        if let site = request.headers[.fetchSite], site != "same-origin" {
            throw Refusal.forbidden("this form comes from another site")
        }
        let body = try await request.body.collect(upTo: Visit.bodyLimit)
        guard let fields = Address.pairs(String(decoding: body.readableBytesView, as: UTF8.self)) else {
            throw Refusal.malformed("the form is not in percent-encoded UTF-8")
        }
        let form = Form(fields: fields)
        guard form.isFrom(session) else {
            throw Refusal.forbidden("this form is not from a page of your sign-in; open the page anew and say it again")
        }
        return form
    }
}

/// What a form posts.
struct Form: Sendable {
    let fields: Query.Parameters

    func text(_ name: String) -> String { fields.first { $0.name == name }?.value ?? "" }
    func texts(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// - Throws: 400 where it is longer than reasons are.
    func reason(_ name: String = "reason") throws(Refusal) -> String {
        // Browsers end lines with CR LF.
        let text = text(name).replacing("\r\n", with: "\n")
        guard text.count <= Wish.longest else { throw .malformed("the reason is longer than \(Wish.longest) letters") }
        return text
    }

    func isFrom(_ session: Sessions.Session) -> Bool {
        Sessions.areEqual(text("form"), session.formToken)
    }
}
