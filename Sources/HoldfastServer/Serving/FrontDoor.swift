internal import HTTPTypes
internal import HoldfastCore
internal import HoldfastJSON
internal import Hummingbird
internal import Logging
internal import NIOCore

/// What every request goes through: whom it is for, from where, how it is answered where it fails, and what is told
/// of it.
struct FrontDoor<Inner: HTTPResponder>: HTTPResponder where Inner.Context == Visit {
    let inner: Inner
    let hosts: Hosts
    let isBehindTLS: Bool
    let tally: RequestTally
    let errorPage: @Sendable (Refusal) -> String

    func respond(to request: Request, context: Visit) async throws -> Response {
        let began = ContinuousClock.now
        var visit = context
        visit.peer = client(await Peer.of(context.channel), request)
        var response: Response
        do {
            try checkHost(request, visit)
            response = try await inner.respond(to: request, context: visit)
            // The router's own answer says nothing.
            if response.status == .notFound, response.body.contentLength == 0 { throw HTTPError(.notFound) }
        } catch {
            response = answer(Self.refusal(for: error, request, visit), to: request)
        }
        secure(&response)
        let took = ContinuousClock.now - began
        await tally.count(status: response.status.code, took: took)
        tell(request, visit, response, took)
        return response
    }

    /// Behind what ends TLS, the address that it says it was asked from: the last that was added.
    private func client(_ peer: Peer, _ request: Request) -> Peer {
        guard isBehindTLS, case .address = peer, let forwarded = request.headers[.forwardedFor] else { return peer }
        let last = forwarded.split(separator: ",").last?.filter { !$0.isWhitespace } ?? ""
        return IPAddress(last) == nil ? peer : .address(last)
    }

    private func checkHost(_ request: Request, _ visit: Visit) throws(Refusal) {
        // The first is the request's authority; whoever is in front of us may have gone by another.
        if request.headers[.anotherHost] != nil { throw .malformed("the request names more than one Host") }
        guard case .address = visit.peer, !hosts.knows(request.head.authority) else { return }
        // What asks whether the service lives asks by an address.
        guard request.uri.path != "/healthz", request.uri.path != "/readyz" else { return }
        throw Refusal(
            421, "misdirected",
            "this server is not \(printable(request.head.authority ?? "named")); names that it answers to stand under "
                + "`server: url:` and `hosts:`")
    }

    // MARK: Failures

    private static func refusal(for error: any Error, _ request: Request, _ visit: Visit) -> Refusal {
        switch error {
        case let refusal as Refusal: return refusal
        case is NIOTooManyBytesError: return tooLarge
        case let error as any HTTPResponseError where error.status == .notFound:
            return .notFound("there is nothing at \(printable(request.uri.path))")
        case let error as any HTTPResponseError where error.status == .contentTooLarge: return tooLarge
        case let error as any HTTPResponseError:
            return Refusal(error.status.code, "malformed", "the request cannot be understood")
        default:
            visit.logger.error(
                "a request could not be answered",
                metadata: [LogKey.path.name: "\(printable(request.uri.path))", LogKey.error.name: "\(error)"])
            return Refusal(500, "failed", "the server could not do this; its log says why")
        }
    }

    private static var tooLarge: Refusal {
        Refusal(413, "too-large", "the request's body is larger than \(Visit.bodyLimit >> 10) KiB")
    }

    private func answer(_ refusal: Refusal, to request: Request) -> Response {
        let isPage = !request.uri.path.hasPrefix("/api/") && request.headers[.accept]?.contains("text/html") == true
        var response = isPage ? .page(errorPage(refusal)) : Response.json(refusal.json)
        response.status = HTTPResponse.Status(code: refusal.status)
        if refusal.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        if refusal.status == 413 { response.headers[.connection] = "close" }
        if let wait = refusal.retryAfter { response.headers[.retryAfter] = String(wait) }
        return response
    }

    /// Nothing is kept, framed, guessed or fetched from elsewhere.
    private func secure(_ response: inout Response) {
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        // With no-referrer browsers would not say where a form of ours comes from either.
        response.headers[.referrerPolicy] = "same-origin"
        response.headers[.frameOptions] = "DENY"
        response.headers[.crossOriginOpenerPolicy] = "same-origin"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
        if isBehindTLS { response.headers[.strictTransportSecurity] = "max-age=31536000" }
    }

    private static var policy: String {
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    }

    private func tell(_ request: Request, _ visit: Visit, _ response: Response, _ took: Duration) {
        // Reads that went well are nobody's news, and probes come every few seconds.
        let isRoutine = response.status.code < 400 && [.get, .head].contains(request.method)
        visit.logger.log(
            level: isRoutine ? .debug : .info, "a request was answered",
            metadata: [
                LogKey.method.name: "\(request.method.rawValue)", LogKey.status.name: "\(response.status.code)",
                LogKey.path.name: "\(visit.endpointPath ?? printable(request.uri.path))",
                LogKey.peer.name: "\(visit.peer.place)", LogKey.seconds.name: "\(took.inSeconds)",
            ])
    }
}

extension Refusal {
    var json: JSON {
        var error = JSONObject([("code", .string(code)), ("message", .string(message))])
        error["difference"] = difference
        return ["error": .object(error)]
    }
}

extension Response {
    static func json(_ json: JSON) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json.canonicalText + "\n")))
    }

    static func page(_ html: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }

    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// To a path of this server.
    static func found(_ path: String) -> Response { Response(status: .seeOther, headers: [.location: path]) }
}

extension Duration {
    /// With six digits behind the point.
    var inSeconds: Double {
        let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
        return Double(microseconds) / 1_000_000
    }
}

extension HTTPField.Name {
    fileprivate static func own(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header's name") }
        return name
    }
    static let forwardedFor = own("X-Forwarded-For")
    static let anotherHost = own("Host")
    static let frameOptions = own("X-Frame-Options")
    static let referrerPolicy = own("Referrer-Policy")
    static let crossOriginOpenerPolicy = own("Cross-Origin-Opener-Policy")
    static let fetchSite = own("Sec-Fetch-Site")
}
