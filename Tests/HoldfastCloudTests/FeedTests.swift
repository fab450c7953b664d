import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import Testing

@testable import HoldfastCloud

@Suite("What is particular to each log")
struct FeedTests {
    private static let window = PollWindow(from: time("2026-11-22T12:00:00Z"), to: time("2026-11-22T12:10:00Z"))
    private static let minute = Span(seconds: 60)
    private static let lookup = LookupEventsFeed(
        account: "012345670123", region: "eu-west-1", overlap: minute, every: minute)
    private static let activity = ActivityLogFeed(subscription: "0b1f", overlap: minute, every: minute)
    private static let entries = LogEntriesFeed(resource: "folders/7", overlap: minute, every: minute)

    @Test("LookupEvents is asked by seconds, and an account id keeps its zeros")
    func lookupParameters() {
        let parameters = Self.lookup.parameters(Self.window, token: "t")
        #expect(
            JSON.object(parameters)
                == ["StartTime": 1_795_348_800, "EndTime": 1_795_349_400, "MaxResults": 50, "NextToken": "t"])
        #expect(Self.lookup.partition == "012345670123/eu-west-1")
    }

    @Test(
        "A row's time is read as a number, as the SDKs print it and as RFC 3339, and a row without id has one all the same",
        arguments: [
            JSON.number(JSONNumber(unchecked: "1795348800.0")), "2026-11-22T12:00:00Z", "2026-11-22 13:00:00+01:00",
        ])
    func lookupRows(at moment: JSON) throws {
        let page = try Self.lookup.page([
            "Events": [["EventId": "a", "EventTime": moment], ["EventTime": moment]], "NextToken": "",
        ])
        #expect(page.events.map(\.time) == [Self.window.from, Self.window.from])
        #expect(page.events.first?.id == "a" && page.events.last?.id.hasPrefix("sha256:") == true)
        #expect(page.token == nil)
    }

    @Test("Azure's link leads on by its parameters alone: its host, version and filter are ours")
    func nextLink() throws {
        let link = "https://elsewhere.example/steal?api-version=1999-01-01&%24filter=x&%24skipToken=a%2Bb+c%3D"
        let page = try Self.activity.page(["value": [], "nextLink": .string(link)])
        let parameters = Self.activity.parameters(Self.window, token: page.token)
        #expect(
            JSON.object(parameters)
                == [
                    "subscriptionId": "0b1f", "$skipToken": "a+b+c=",
                    "$filter":
                        "eventTimestamp ge '2026-11-22T12:00:00Z' and eventTimestamp le '2026-11-22T12:10:00Z'",
                ])
    }

    @Test("Google's entries are asked for by when Logging had them, and are one by log, time and insertId")
    func entryParameters() throws {
        let body = Self.entries.parameters(Self.window, token: nil)["body"]
        #expect(body?["resourceNames"] == ["folders/7"])
        #expect(
            body?["filter"]
                == .string(
                    "logName:\"cloudaudit.googleapis.com\" AND receiveTimestamp>=\"2026-11-22T12:00:00Z\" AND "
                        + "receiveTimestamp<=\"2026-11-22T12:10:00Z\" AND timestamp>=\"2026-11-21T12:00:00Z\""))
        let page = try Self.entries.page([
            "entries": [
                [
                    "logName": "l", "timestamp": "2026-11-22T11:00:00Z", "insertId": "i",
                    "receiveTimestamp": "2026-11-22T12:00:00Z",
                ]
            ]
        ])
        #expect(page.events.first?.id == "l|2026-11-22T11:00:00Z|i")
        #expect(page.events.first?.time == Self.window.from)
        #expect(try Self.entries.page([:]).events.isEmpty)
    }

    @Test("An answer that is none of the log's is told as one that cannot be read")
    func oddAnswers() {
        for feed in [Self.lookup, Self.activity, Self.entries] as [any LogFeed] {
            #expect(throws: PageFault.self) { try feed.page("no") }
        }
        #expect(throws: PageFault.self) { try Self.activity.page([:]) }
    }

    @Test("What was seen comes back from its bytes, without what lies before the floor and the oldest of too many")
    func seen() {
        var seen = SeenIDs()
        for second in 0..<20_000 { _ = seen.insert("e\(second)", at: Timestamp(seconds: Int64(second))) }
        var again = SeenIDs(bytes: seen.bytes)
        #expect(again.count == SeenIDs.encodedLimit)
        #expect(!again.contains("e3615") && again.contains("e3616") && again.contains("e19999"))
        again.forget(before: Timestamp(seconds: 19_990).plus(500))
        #expect(again.count == 10)
        #expect(SeenIDs(bytes: again.bytes.dropLast(1)).count == 9)
        #expect(SeenIDs(bytes: again.bytes) == again)
    }

    @Test("Files that were read and begun come back from their bytes, and the oldest are forgotten")
    func files() {
        var memory = FileMemory()
        for number in 0..<5000 { memory.finish("f\(number)") }
        memory.stands("g", at: 500)
        memory.stands("h", at: 1000)
        let again = FileMemory(count: memory.count, bytes: memory.bytes)
        #expect(again.bytes == memory.bytes && again.count == 5000)
        #expect(!again.isFinished("f903") && again.isFinished("f904") && again.isFinished("f4999"))
        #expect(again.next(of: "g") == 500 && again.next(of: "h") == 1000 && again.next(of: "i") == 0)
    }
}

@Suite("Trouble with a poll")
struct PollTroubleTests {
    private static let start = time("2026-11-22T12:00:00Z")

    private func failure(_ kind: CallFailure.Kind, retryAfter: Duration? = nil) -> CallFailure {
        CallFailure(kind: kind, code: "x", message: "x", retryAfter: retryAfter)
    }

    private func expect(
        _ answer: PollTrouble.Answer, _ wanted: PollTrouble.Answer, _ place: SourceLocation = #_sourceLocation
    ) { #expect(answer == wanted, sourceLocation: place) }

    @Test("What passes is waited out for longer each time, up to a minute, and told after five")
    func passing() {
        var trouble = PollTrouble()
        var now = Self.start
        var waits: [Int64] = []
        while case .wait(let span) = trouble.failed(failure(.unavailable), hasToken: false, now: now) {
            waits.append(span.nanoseconds / 1_000_000_000)
            now = now + span
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
        expect(trouble.failed(failure(.notSent), hasToken: false, now: now), .wait(Span(seconds: 1)))
    }

    @Test("Throttling waits as long as it is told to, and is told after half an hour of it")
    func throttling() {
        var trouble = PollTrouble()
        let throttled = failure(.throttled, retryAfter: .seconds(20))
        expect(trouble.failed(throttled, hasToken: false, now: Self.start), .wait(Span(seconds: 20)))
        let later = Self.start + Span(seconds: 1799)
        expect(trouble.failed(throttled, hasToken: true, now: later), .wait(Span(seconds: 20)))
        let end = Self.start + Span(seconds: 1800)
        expect(
            trouble.failed(throttled, hasToken: false, now: end), .tell(code: "throttled", retry: Span(seconds: 20)))
    }

    @Test("A token that is not taken restarts its window, twice; a window that is refused, and a denial, are told")
    func refusals() {
        var trouble = PollTrouble()
        let told = PollTrouble.Answer.tell(code: "refused", retry: Span(seconds: 60))
        expect(trouble.failed(failure(.refused), hasToken: true, now: Self.start), .restart)
        trouble.succeeded(isLast: false)
        expect(trouble.failed(failure(.refused), hasToken: true, now: Self.start), .restart)
        trouble.succeeded(isLast: false)
        expect(trouble.failed(failure(.refused), hasToken: true, now: Self.start), told)
        expect(trouble.failed(failure(.refused), hasToken: false, now: Self.start), told)
        expect(
            trouble.failed(failure(.denied), hasToken: true, now: Self.start),
            .tell(code: "not-allowed", retry: Span(seconds: 60)))
        expect(trouble.failed(failure(.cancelled), hasToken: true, now: Self.start), .cancelled)
    }
}
