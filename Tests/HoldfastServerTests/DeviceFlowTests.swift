import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastServer
import Testing

@Suite("The device flow")
struct DeviceFlowTests {
    private let start = Timestamp(seconds: 1_780_000_000)

    private func flow(expires: Int = 60, interval: Int? = 5) throws -> DeviceFlow {
        var json: JSONObject = JSONObject([
            ("device_code", "d"), ("user_code", "ABCD"), ("verification_uri", "https://id.example.com/device"),
            ("expires_in", .number(JSONNumber(expires))),
        ])
        if let interval { json["interval"] = .number(JSONNumber(interval)) }
        return DeviceFlow(try DeviceFlow.Code(.object(json)), now: start)
    }

    private func answer(_ status: Int, _ json: JSON) -> OutboundAnswer {
        OutboundAnswer(status: status, body: json.canonicalBytes)
    }

    private func error(_ word: String) -> OutboundAnswer { answer(400, ["error": .string(word)]) }

    @Test("Pending asks again, slow_down asks less often from then on, silence half as often")
    func pace() throws {
        var flow = try flow()
        #expect(flow.first == .ask(after: Span(seconds: 5)))
        #expect(flow.next(after: error("authorization_pending"), now: start) == .ask(after: Span(seconds: 5)))
        #expect(flow.next(after: error("slow_down"), now: start) == .ask(after: Span(seconds: 10)))
        #expect(flow.next(after: error("authorization_pending"), now: start) == .ask(after: Span(seconds: 10)))
        #expect(flow.next(after: nil, now: start) == .ask(after: Span(seconds: 20)))
        #expect(flow.next(after: answer(502, "bad gateway"), now: start) == .ask(after: Span(seconds: 20)))
    }

    @Test("Without an interval it is five seconds, as RFC 8628 says")
    func usual() throws {
        #expect(try flow(interval: nil).first == .ask(after: Span(seconds: 5)))
    }

    @Test("What ends it is told in a sentence")
    func ends() throws {
        var flow = try flow()
        #expect(
            flow.next(after: error("access_denied"), now: start) == .failed("the sign-in was refused in the browser"))
        for last in [
            flow.next(after: error("expired_token"), now: start),
            flow.next(after: error("authorization_pending"), now: start + Span(seconds: 56)),
            flow.next(after: nil, now: start + Span(seconds: 60)),
        ] {
            guard case .failed(let why) = last else {
                Issue.record("it goes on: \(last)")
                continue
            }
            #expect(why.contains("in time"))
        }
        #expect(flow.next(after: error("invalid_client"), now: start) == .failed("invalid_client"))
    }

    @Test("The token that is meant for the server is the one it is shown")
    func tokens() throws {
        var flow = try flow()
        let answer = answer(
            200, ["access_token": "opaque", "id_token": "i.d.t", "refresh_token": "r", "expires_in": 300])
        guard case .done(let tokens) = flow.next(after: answer, now: start) else {
            Issue.record("nobody is signed in")
            return
        }
        #expect(tokens.bearer(for: "holdfast") == "i.d.t")
        #expect(tokens.refresh == "r" && tokens.expires == start + Span(seconds: 300))
    }
}
