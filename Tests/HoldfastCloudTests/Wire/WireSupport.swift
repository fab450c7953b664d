import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON

/// Sends nothing.
struct NoExchange: HTTPExchange {
    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        throw .notSent(code: "none", message: "nothing is sent here")
    }
}

/// Authorises nothing.
struct NoAuthority: RequestAuthority {
    func authorize(
        _ request: HTTPRequest, signingName: String, in scope: CallScope
    ) async throws(CallFailure) -> HTTPRequest { request }
}

/// A clock that stands, and whose waits are over at once.
struct StillClock: HoldfastClock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }
    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
    /// After the start of 2026.
    var past = Span(seconds: 0)
    func wallTime() -> Timestamp { Timestamp(seconds: 1_767_225_600) + past }
}

/// The members of a JSON literal.
func object(_ json: JSON) -> JSONObject { json.object ?? JSONObject() }
