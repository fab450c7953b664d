import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import Testing

/// The hand clock as the engine takes clocks; nothing waits on it.
private struct StillClock: HoldfastClock {
    let hand: HandClock
    private let real = ContinuousClock()
    init(_ hand: HandClock) { self.hand = hand }
    var now: ContinuousClock.Instant { real.now }
    var minimumResolution: Duration { real.minimumResolution }
    func wallTime() -> Timestamp { hand.now }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await real.sleep(until: deadline, tolerance: tolerance)
    }
}

@Suite("Prompts")
struct PromptTests {
    /// What was sent, and what is answered.
    private struct Line: Sendable {
        var sent: [OutboundRequest] = []
        var status = 200
        var isCut = false
    }

    private func lane(_ bench: DeskBench, _ line: Shared<Line>) -> PromptLane<StillClock> {
        let clock = bench.server.clock
        let notifier = WebhookNotifier(
            name: "webhook 1", url: "https://chat.example.com/hook/secret", key: Secret("0123456789abcdef"),
            link: { "https://holdfast.example.com/plans/\($0)" }, now: { clock.now }
        ) { (request) async throws(OutboundFailure) in
            line.change { $0.sent.append(request) }
            if line.value.isCut { throw OutboundFailure("no answer") }
            return OutboundAnswer(status: line.value.status, body: [])
        }
        return PromptLane(keeper: bench.server.keeper, notifiers: [notifier], clock: StillClock(clock))
    }

    private func notices(_ bench: DeskBench) throws -> [String] {
        try bench.server.journal.openNotices().filter { $0.code == NoticeCode.promptFailed.rawValue }.map(\.text)
    }

    @Test("A plan that waits is told of once, signed, with its sentence and a link to its page")
    func delivered() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let line = Shared(Line())
        let lane = lane(bench, line)
        try await lane.round()
        try await lane.round()
        let request = try #require(line.value.sent.first)
        #expect(line.value.sent.count == 1)
        let json = try JSON.parse(request.body)
        #expect(json["prompt"]?["sentence"]?.string == ask.prompt.sentence)
        #expect(json["url"]?.string == "https://holdfast.example.com/plans/\(ask.digest)")
        let headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { $1 }
        let stamp = try #require(headers["Holdfast-Timestamp"])
        // RFC 2104 by hand: SHA-256 has blocks of 64 bytes.
        let key = Array("0123456789abcdef".utf8) + Array(repeating: 0, count: 48)
        let inner = sha256(key.map { $0 ^ 0x36 } + Array("\(stamp).".utf8) + request.body).bytes
        #expect(headers["Holdfast-Signature"] == "v1=\(sha256(key.map { $0 ^ 0x5C } + inner))")
        #expect(await lane.counts.map(\.count) == [1, 0])
        #expect(try bench.server.journal.asks().first?.mustPrompt == false)
    }

    @Test("A prompt that reaches nobody is tried again with waits that double, told of, and never an approval")
    func undelivered() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let line = Shared(Line(status: 500))
        let lane = lane(bench, line)
        var attempts: [Int] = []
        for _ in 0..<40 {
            try await lane.round()
            attempts.append(line.value.sent.count)
            bench.server.clock.move(seconds: 1)
        }
        // At 0, 5, 15 and 35 seconds.
        #expect(attempts.last == 4)
        #expect(try notices(bench).first?.contains("webhook 1: it answers 500") == true)
        #expect(try notices(bench).first?.contains("secret") == false)
        line.change { $0.isCut = true }
        bench.server.clock.move(seconds: 300)
        try await lane.round()
        #expect(try notices(bench).first?.contains("no answer") == true)
        #expect(try bench.server.journal.approvals(of: ask.digest).isEmpty)
        line.change {
            $0.isCut = false
            $0.status = 204
        }
        bench.server.clock.move(seconds: 300)
        try await lane.round()
        #expect(try notices(bench).isEmpty)
        #expect(await lane.counts.map(\.count) == [1, 5])
    }
}
