internal import Foundation
package import HoldfastCore
package import HoldfastCrypto
package import HoldfastEngine
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// What people and machines reach over HTTP.
package struct Server: Sendable {
    /// What the server is made of, beside its settings.
    package struct Parts: Sendable {
        package var version: String
        /// The journal and the policy as they are now.
        package var archive: @Sendable () async -> Archive
        /// What the service lacks to do its work; empty where it is ready.
        package var missing: @Sendable () async -> [String]
        package var measure: @Sendable () async throws -> Measured
        /// How the provider of identities is reached.
        package var outbound: Outbound
        package var keeper: Keeper
        /// The provider's secret for this service; `nil` for a public client.
        package var clientSecret: Secret?
        /// `nil` where Slack's requests are not taken.
        package var slack: SlackApp?
        package var now: @Sendable () -> Timestamp
        package var logger: Logger

        package init(
            version: String, archive: @escaping @Sendable () async -> Archive,
            missing: @escaping @Sendable () async -> [String], measure: @escaping @Sendable () async throws -> Measured,
            outbound: @escaping Outbound, keeper: Keeper, clientSecret: Secret? = nil,
            slack: SlackApp? = nil, now: @escaping @Sendable () -> Timestamp, logger: Logger
        ) {
            self.version = version
            self.archive = archive
            self.missing = missing
            self.measure = measure
            self.outbound = outbound
            self.keeper = keeper
            self.clientSecret = clientSecret
            self.slack = slack
            self.now = now
            self.logger = logger
        }
    }

    private let settings: ServerSettings
    private let parts: Parts
    private let rules: AccessRules
    private let socket: SocketFile?
    private let listening: @Sendable (String) async -> Void
    private let place = ListeningPlace()

    /// Connections at one time, for each of the places that are listened at.
    static let connections = 256
    /// After so long without a byte a connection ends.
    static let idle = TimeAmount.seconds(60)

    /// - Parameters:
    ///   - socketPath: the socket of the settings, from the working directory.
    ///   - listening: called with each place once it is listened at: `http://127.0.0.1:8484`, `unix:./holdfast.sock`.
    /// - Throws: ``ServerFailure`` where the socket cannot be made safely.
    package init(
        settings: ServerSettings, socketPath: String?, rules: AccessRules, parts: Parts,
        listening: @escaping @Sendable (String) async -> Void = { _ in }
    ) throws {
        self.settings = settings
        self.parts = parts
        self.rules = rules
        self.listening = listening
        socket = try socketPath.map { try SocketFile($0, mode: settings.socketMode) }
    }

    package func run() async throws {
        let door = makeDoor()
        try socket?.prepare()
        defer { socket?.remove() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let listen = settings.listen {
                let application = application(door, .hostname(listen.host, port: listen.port)) { channel in
                    let port = channel.localAddress?.port ?? listen.port
                    let url = "http://\(ListenAddress(host: listen.host, port: port))"
                    await place.note(url)
                    await listening(url)
                }
                group.addTask { try await application.run() }
            }
            if let socket {
                let application = application(door, .unixDomainSocket(path: socket.nursery)) { channel in
                    do {
                        try socket.publish()
                        await listening("unix:\(socket.path)")
                    } catch {
                        parts.logger.error(
                            "the socket cannot be opened to others", metadata: [LogKey.error.name: "\(error)"])
                        channel.close(promise: nil)
                    }
                }
                group.addTask { try await application.run() }
            }
            // One that ends takes the other with it.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func application(
        _ door: FrontDoor<RouterResponder<Visit>>, _ address: BindAddress,
        running: @escaping @Sendable (any Channel) async -> Void
    ) -> some ApplicationProtocol {
        var quiet = parts.logger
        // Hummingbird's own lines say nothing that people act on.
        quiet.logLevel = max(parts.logger.logLevel, .error)
        return Application(
            responder: Logged(inner: door, logger: parts.logger),
            server: .http1(
                configuration: .init(
                    idleTimeout: Self.idle,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: address, availableConnectionsDelegate: MaximumAvailableConnections(Self.connections)),
            onServerRunning: running, logger: quiet)
    }

    private func makeDoor() -> FrontDoor<RouterResponder<Visit>> {
        let tally = RequestTally()
        let doorkeeper = Doorkeeper(settings: settings, rules: rules, fetch: parts.outbound, now: parts.now)
        let router = Router(context: Visit.self, options: .autoGenerateHeadEndpoints)
        ProbeRoutes(
            missing: parts.missing, measure: parts.measure, requests: tally, doorkeeper: doorkeeper,
            metricsNeedReader: settings.isBehindTLS
        ).add(to: router)
        router.get(RouterPath(Style.path)) { _, _ in
            var response = Response.text(Style.text, type: "text/css; charset=utf-8")
            response.headers[.cacheControl] = "public, max-age=31536000, immutable"
            return response
        }
        let desk = Desk(keeper: parts.keeper, archive: parts.archive, rules: rules, now: parts.now)
        if let app = parts.slack { SlackRoutes(app: app, desk: desk).add(to: router) }
        addAPI(to: router, desk, doorkeeper)
        addPages(to: router, desk, doorkeeper)
        return FrontDoor(
            inner: router.buildResponder(), hosts: Hosts(settings), isBehindTLS: settings.isBehindTLS, tally: tally,
            errorPage: Layout.refusal)
    }

    private func addAPI(to router: Router<Visit>, _ desk: Desk, _ doorkeeper: Doorkeeper) {
        let api = router.group("api/v1")
        let offer = settings.provider.map {
            ProviderClient.Offer(issuer: $0.issuer, clientID: $0.clientID, audience: $0.audience, scopes: $0.scopes)
        }
        api.get("sign-in") { _, _ in
            guard let offer else { throw Refusal.notFound("`server: oidc:` names no provider") }
            return Response.json(offer.json)
        }
        let admitted = api.add(middleware: Admission(doorkeeper: doorkeeper))
        ReadRoutes(archive: parts.archive).add(to: admitted)
        DeskRoutes(desk: desk, doorkeeper: doorkeeper, url: { () throws(Refusal) in try await place.url(settings) })
            .add(to: admitted)
    }

    private func addPages(to router: Router<Visit>, _ desk: Desk, _ doorkeeper: Doorkeeper) {
        let cookies = Cookies(isSecure: settings.isBehindTLS)
        let signIn = SignInRoutes(
            doorkeeper: doorkeeper, settings: settings, cookies: cookies, clientSecret: parts.clientSecret,
            outbound: parts.outbound, moments: { Moments(now: parts.now()) })
        signIn.add(to: router)
        let pages = router.group("").add(
            middleware: Reception(doorkeeper: doorkeeper, cookies: cookies, hosts: Hosts(settings), signIn: signIn))
        PageRoutes(desk: desk, doorkeeper: doorkeeper, cookies: cookies).add(to: pages)
    }
}

/// Where the server listens for browsers, once it does.
private actor ListeningPlace {
    private var place: String?

    func note(_ place: String) { self.place = place }

    /// How a browser on this machine, or through what ends TLS, reaches it.
    func url(_ settings: ServerSettings) throws(Refusal) -> String {
        guard let url = settings.url ?? place else {
            throw .conflict("no browser reaches this server: `server: listen:` is none")
        }
        return url
    }
}

/// Gives requests the service's own logger in place of Hummingbird's.
private struct Logged: HTTPResponder {
    let inner: FrontDoor<RouterResponder<Visit>>
    let logger: Logger

    func respond(to request: Request, context: Visit) async throws -> Response {
        var visit = context
        visit.coreContext = CoreRequestContextStorage(
            source: ApplicationRequestContextSource(channel: context.channel, logger: logger))
        return try await inner.respond(to: request, context: visit)
    }
}

/// Lets those in who may read, and tells the routes behind it who they are.
struct Admission: RouterMiddleware {
    let doorkeeper: Doorkeeper

    func handle(
        _ request: Request, context: Visit, next: @concurrent (Request, Visit) async throws -> Response
    ) async throws -> Response {
        var visit = context
        let caller = try await doorkeeper.caller(authorization: request.headers[.authorization], peer: context.peer)
        try doorkeeper.rules.check(caller, .read)
        visit.caller = caller
        return try await next(request, visit)
    }
}
