import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import Testing

@Suite("Prompts")
struct PromptTests {
    /// What was sent, and what is answered.
    private struct Line: Sendable {
        var sent: [OutboundRequest] = []
        var status = 200
        var isCut = false
    }

    private func notifier(_ bench: DeskBench, _ line: Shared<Line>, _ tally: PromptTally) -> CountedNotifier {
        let clock = bench.server.clock
        let webhook = WebhookNotifier(
            name: "webhook 1", url: "https://chat.example.com/hook/secret", key: Secret("0123456789abcdef"),
            link: { "https://holdfast.example.com/plans/\($0)" }, now: { clock.now }
        ) { (request) async throws(OutboundFailure) in
            line.change { $0.sent.append(request) }
            if line.value.isCut { throw OutboundFailure("no answer") }
            return OutboundAnswer(status: line.value.status, body: [])
        }
        return CountedNotifier(webhook, tally: tally)
    }

    @Test("A prompt goes out signed, with its sentence and a link to its page")
    func delivered() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let line = Shared(Line())
        let tally = PromptTally(["webhook 1"])
        try await notifier(bench, line, tally).deliver(ask.prompt)
        let request = try #require(line.value.sent.first)
        let json = try JSON.parse(request.body)
        #expect(json["prompt"]?["sentence"]?.string == ask.prompt.sentence)
        #expect(json["url"]?.string == "https://holdfast.example.com/plans/\(ask.digest)")
        let headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { $1 }
        let stamp = try #require(headers["Holdfast-Timestamp"])
        // RFC 2104 by hand: SHA-256 has blocks of 64 bytes.
        let key = Array("0123456789abcdef".utf8) + Array(repeating: 0, count: 48)
        let inner = sha256(key.map { $0 ^ 0x36 } + Array("\(stamp).".utf8) + request.body).bytes
        #expect(headers["Holdfast-Signature"] == "v1=\(sha256(key.map { $0 ^ 0x5C } + inner))")
        #expect(await tally.all.map(\.count) == [1, 0])
    }

    @Test("What does not take a prompt is a failure, counted, and told without the URL")
    func undelivered() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let line = Shared(Line(status: 500))
        let tally = PromptTally(["webhook 1"])
        let notifier = notifier(bench, line, tally)
        let refused = await #expect(throws: DeliveryError.self) { try await notifier.deliver(ask.prompt) }
        #expect(refused?.message == "it answers 500")
        line.change { $0.isCut = true }
        let cut = await #expect(throws: DeliveryError.self) { try await notifier.deliver(ask.prompt) }
        #expect(cut?.message == "no answer")
        #expect(await tally.all.map(\.count) == [0, 2])
    }
}
