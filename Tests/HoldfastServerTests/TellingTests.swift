import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import Testing

@Suite("What single people are told")
struct TellingTests {
    private func bench() async throws -> ServerBench {
        let node = try YAMLReader.read(
            """
            channels: {chat: {slack: {token: env:T, conversation: C1}, per-hour: 2}}
            identities: [{person: ann.lee, slack: U1, reached-by: chat}, {person: bo.ray}]
            """, file: "holdfast.yaml")
        let (configuration, problems) = Configuration.load(node, folder: ShippedData.top)
        try #require(problems.isEmpty, "\(problems)")
        let bench = try ServerBench(policy: ShippedData.policy(configuration))
        _ = try await bench.keeper.positions(of: "test")
        return bench
    }

    private func queue(_ count: Int, for person: String, from first: Int = 0, in bench: ServerBench) async throws {
        let now = bench.clock.now
        var transaction = JournalTransaction()
        transaction.leases = [try bench.journal.acquire(part: "test")]
        transaction.messages.tellings = (first..<first + count).map { number in
            let finding = Finding(
                rule: "r", resource: ResourceID(type: "AWS::S3::Bucket", id: "arn:aws:s3:::b-\(number)"),
                context: DeskBench.place, incarnation: "-", state: .open, severity: .high, severityReason: "",
                origin: .drift, since: now,
                cause: .init(event: "e", actor: "ann", action: "s3/Put", chain: [], time: now - Span(seconds: 40)),
                offending: [], reason: "", evidence: .observed, environment: "dev")
            return StoredTelling(
                telling: Telling(
                    finding, to: person, isActor: true, isOwner: false, occasion: now, fix: "Close it",
                    fate: .grace(Span(seconds: 600)), queued: now))
        }
        try bench.journal.commit(transaction)
    }

    private func waiting(_ bench: ServerBench) throws -> [Message] {
        try bench.journal.outgoing(by: "chat", limit: 100).map(\.message)
    }

    @Test("A thousand drifts by one hand are one message; an hour has as many as the channel takes, and none is lost")
    func paced() async throws {
        let bench = try await bench()
        try await queue(1000, for: "ann.lee", in: bench)
        try await bench.keeper.tell(now: bench.clock.now)
        #expect(try waiting(bench).isEmpty, "what comes together is not gathered")
        for round in 0..<4 {
            bench.clock.move(seconds: 11)
            try await bench.keeper.tell(now: bench.clock.now)
            try await queue(3, for: "ann.lee", from: 1000 + round * 3, in: bench)
        }
        #expect(try waiting(bench).map(\.count) == [1000, 3])
        bench.clock.move(seconds: 3600)
        try await bench.keeper.tell(now: bench.clock.now)
        let messages = try waiting(bench)
        #expect(messages.map(\.count) == [1000, 3, 9] && Set(messages.map(\.id)).count == 3)
        #expect(messages.allSatisfy { $0.to == .init(person: "ann.lee", address: "U1") })
        #expect(messages[0].title.hasPrefix("You did s3/Put on arn:aws:s3:::b-0 and 999 more (111122223333, dev), at "))
        #expect(messages[0].title.contains(" s ago; at ") && messages[0].title.hasSuffix("why it should stay."))
        #expect(Message(json: messages[0].json) == messages[0])
    }

    @Test("What is for one person goes to that person alone, by chat and by mail")
    func addressed() async throws {
        var message = Message(
            id: "m-1", channel: "chat", kind: .personal, severity: .high, title: "You did it.", lines: ["Say why."],
            findings: [], count: 1, at: ServerBench.start)
        message.to = .init(person: "ann.lee", address: "U1")
        let sent = Shared<[JSON]>([])
        let slack = SlackChannel(
            name: "chat", url: "https://slack.example.com/api", token: Secret("token"), conversation: "C1",
            pages: .init(base: nil, canSignInAnew: false), isInteractive: true,
            mustBeDecidedOnPage: { _, _ in false }, posted: { _ in }, now: { ServerBench.start }
        ) { (request) async throws(OutboundFailure) in
            sent.change { $0.append((try? JSON.parse(request.body)) ?? .null) }
            return OutboundAnswer(status: 200, body: Array(#"{"ok":true}"#.utf8))
        }
        try await slack.deliver(message)
        #expect(sent.value.map { $0["channel"] } == ["U1"])

        let letters = Shared<[Letter]>([])
        let mail = MailChannel(
            name: "mail", from: "a@b.c", to: ["all@b.c"], base: nil, now: { ServerBench.start }
        ) { (letter) async throws(OutboundFailure) in letters.change { $0.append(letter) } }
        message.to = .init(person: "ann.lee", address: "ann@b.c")
        try await mail.deliver(message)
        #expect(letters.value.map(\.to) == [["ann@b.c"]])
        #expect(String(decoding: letters.value[0].text, as: UTF8.self).contains("To: ann@b.c\r\n"))
    }

    @Test("A drift is told once, and whom nothing reaches counts as not told")
    func once() async throws {
        let bench = try await bench()
        try await queue(1, for: "ann.lee", in: bench)
        try await queue(1, for: "ann.lee", in: bench)
        try await queue(1, for: "bo.ray", in: bench)
        bench.clock.move(seconds: 11)
        try await bench.keeper.tell(now: bench.clock.now)
        let message = try #require(try waiting(bench).first)
        #expect(try waiting(bench).count == 1 && message.count == 1)
        #expect(try bench.journal.tellings(in: .failed, limit: 10).map(\.telling.person) == ["bo.ray"])
        try await bench.keeper.told(message, now: bench.clock.now)
        let told = try bench.journal.tellings(of: message.findings[0], since: .distantPast).filter { $0.told != nil }
        #expect(told.map(\.telling.person) == ["ann.lee"] && told.map(\.told) == [bench.clock.now])
        #expect(try bench.journal.candidates(dueAt: bench.clock.now, limit: 10).map(\.finding) == message.findings)
        try await bench.keeper.tell(now: bench.clock.now)
        #expect(try waiting(bench).isEmpty)
    }
}
