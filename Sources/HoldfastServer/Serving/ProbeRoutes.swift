internal import HoldfastCore
internal import HoldfastJSON
internal import Hummingbird

/// `/healthz`, `/readyz` and `/metrics`: for machines that watch this one.
struct ProbeRoutes: Sendable {
    let missing: @Sendable () async -> [String]
    let measure: @Sendable () async throws -> Measured
    let requests: RequestTally
    let doorkeeper: Doorkeeper
    /// Other machines may come through what ends TLS, and would look like this one.
    let metricsNeedReader: Bool

    func add(to router: Router<Visit>) {
        router.get("healthz") { _, _ in Response.text("alive\n") }
        router.get("readyz") { _, _ in await self.ready() }
        router.get("metrics") { request, visit in try await self.metrics(request, visit) }
    }

    private func ready() async -> Response {
        let missing = await missing()
        guard !missing.isEmpty else { return .text("ready\n") }
        var response = Response.text(missing.map { "\($0)\n" }.joined())
        response.status = .serviceUnavailable
        return response
    }

    private func metrics(_ request: Request, _ visit: Visit) async throws -> Response {
        if metricsNeedReader {
            let caller = try await doorkeeper.caller(authorization: request.headers[.authorization], peer: visit.peer)
            try doorkeeper.rules.check(caller, .read)
        }
        var exposition = try await measure().exposition
        let answered = await requests.answered
        exposition.add(
            "holdfast_http_requests_total", .counter, "Requests that were answered, by the kind of their status.",
            (1...5).map { .init(answered[$0] ?? 0, [("status", "\($0)xx")]) })
        exposition.add(
            "holdfast_http_request_seconds_total", .counter, "Time from a request's header to its answer.",
            [.init(await requests.seconds)])
        return .text(exposition.text, type: Exposition.mediaType)
    }
}
