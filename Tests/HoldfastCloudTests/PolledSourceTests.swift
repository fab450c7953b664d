import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import Testing

/// One of the three logs.
struct LogKind: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var partition: String
    var feed: @Sendable () -> any LogFeed
    /// By the seed's number, how much later than its time the log shows an event, at most.
    var latest: Int

    static let all = [
        LogKind(
            testDescription: "LookupEvents", partition: "012345670123/eu-west-1",
            feed: {
                LookupEventsFeed(
                    account: "012345670123", region: "eu-west-1", overlap: Span(seconds: 900), every: Span(seconds: 30))
            }, latest: 900),
        LogKind(
            testDescription: "Activity Log", partition: "0b1f",
            feed: {
                ActivityLogFeed(subscription: "0b1f", overlap: Span(seconds: 1800), every: Span(seconds: 60))
            }, latest: 1800),
        LogKind(
            testDescription: "entries:list", partition: "projects/my-project",
            feed: {
                LogEntriesFeed(resource: "projects/my-project", overlap: Span(seconds: 300), every: Span(seconds: 60))
            }, latest: 2400),
    ]
}

/// A source, its journal and its log.
private struct LogBench {
    static let start = time("2026-11-22T12:00:00Z")
    let kind: LogKind
    let clock: PassingClock
    let logs: FakeLogs
    let budgets: Budgets<PassingClock>
    var committed = Committed()
    var told: [SourceError] = []

    init(_ kind: LogKind, seed: UInt64 = 0, faultEvery: Int = 0, at start: Timestamp = start) {
        self.kind = kind
        clock = PassingClock(start)
        logs = FakeLogs(clock: clock, seed: seed, faultEvery: faultEvery)
        budgets = Budgets(clock: clock)
    }

    func source() -> PolledSource<PassingClock> {
        let feed = kind.feed()
        return PolledSource(
            name: "log", feed: feed, call: .named(feed.call), sender: logs, budgets: budgets, clock: clock,
            began: Self.start)
    }

    /// Reads until a moment, committing what comes, and starts anew where `crashes` says so.
    mutating func run(until end: Timestamp, crashes: (RecordBatch) -> Crash = { _ in .none }) async throws {
        var source = source()
        await source.resume(from: committed.all)
        while clock.wallTime() < end {
            do throws(SourceError) {
                guard let batch = try await source.nextBatch() else { return }
                #expect(batch.records.count <= 500)
                let crash = crashes(batch)
                if crash != .before { committed.commit(batch) }
                if crash == .none {
                    await source.committed(batch.positions)
                } else {
                    source = self.source()
                    await source.resume(from: committed.all)
                }
            } catch {
                told.append(error)
                guard case .after(let wait) = error.retry else { return }
                clock.pass(.nanoseconds(wait.nanoseconds))
                await source.resume(from: committed.all)
            }
        }
    }

    enum Crash { case none, before, after }

    /// The events' ids, as the records hold them.
    var ids: [String] {
        committed.records.compactMap { text in
            let json = try? JSON.parse(text)
            return (json?["EventId"] ?? json?["eventDataId"] ?? json?["insertId"])?.string
        }
    }
}

@Suite("Polled logs")
struct PolledSourceTests {
    @Test(
        "Late, faulty, throttled and crashing, every event reaches the journal once", arguments: LogKind.all,
        0..<12 as Range<UInt64>)
    func exactlyOnce(kind: LogKind, seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        var bench = LogBench(kind, seed: seed, faultEvery: 12)
        let events = (0..<random.number(0...250)).map { number in
            let time = LogBench.start.plus(random.number(0...600) * 1000)
            let late = random.once(in: 4) ? random.number(0...kind.latest * 1000) : random.number(0...4000)
            return LoggedEvent(number: number, time: time, shows: time.plus(late))
        }
        await bench.logs.put(events, in: kind.partition)
        let end = LogBench.start + Span(seconds: 600 + kind.latest + 2400)
        try await bench.run(until: end) { _ in
            random.once(in: 6) ? (random.once(in: 2) ? .before : .after) : .none
        }
        #expect(bench.ids.sorted() == events.map(\.id).sorted())
        #expect(bench.told.isEmpty)
    }

    @Test("After two days of absence a busy log is caught up in order, within its rate", arguments: LogKind.all)
    func catchingUp(kind: LogKind) async throws {
        var bench = LogBench(kind)
        let from = LogBench.start - Span(seconds: 2 * 86_400)
        var position = SourcePosition(source: "log", partition: kind.partition, next: from.nanoseconds)
        position.note = []
        bench.committed.positions["log \(kind.partition)"] = position
        // A burst of 2,600 within half a minute, of which 600 are in one second, and little beside.
        let events = (0..<3000).map { number in
            let second = number < 600 ? 90_000 : number < 2600 ? 90_000 + number % 30 : number * 55 % 172_000
            let time = from + Span(seconds: second)
            return LoggedEvent(number: number, time: time, shows: time)
        }
        await bench.logs.put(events, in: kind.partition)
        var floors: [Int64] = []
        try await bench.run(until: LogBench.start + Span(seconds: 1800)) { batch in
            floors += batch.positions.map(\.next)
            return .none
        }
        #expect(bench.ids.sorted() == events.map(\.id).sorted())
        #expect(floors == floors.sorted())
        #expect(floors.filter { $0 < LogBench.start.nanoseconds }.count > 8)
        #expect(await bench.logs.throttled == 0)
    }

    @Test("A log that is not allowed is told by name, and read from where it stood once it is", arguments: LogKind.all)
    func denied(kind: LogKind) async throws {
        var bench = LogBench(kind)
        let events = (0..<100).map { number in
            let time = LogBench.start + Span(seconds: number * 36)
            return LoggedEvent(number: number, time: time, shows: time)
        }
        await bench.logs.put(events, in: kind.partition)
        await bench.logs.deny(kind.partition, LogBench.start.plus(600_000)...LogBench.start.plus(3_000_000))
        try await bench.run(until: LogBench.start + Span(seconds: 7200))
        #expect(bench.ids.sorted() == events.map(\.id).sorted())
        #expect(!bench.told.isEmpty && bench.told.allSatisfy { $0.code == "not-allowed" })
        let place = kind.feed().title
        #expect(bench.told.allSatisfy { $0.message.contains(place) && $0.retry == .after(Span(seconds: 60)) })
    }

    @Test("What the log no longer has is told once, with account, region and times, and reading goes on behind it")
    func gap() async throws {
        var bench = LogBench(LogKind.all[0])
        let partition = LogKind.all[0].partition
        bench.committed.positions["log"] = SourcePosition(
            source: "log", partition: partition, next: time("2026-08-01T00:00:00Z").nanoseconds)
        await bench.logs.put([LoggedEvent(number: 1, time: LogBench.start, shows: LogBench.start)], in: partition)
        try await bench.run(until: LogBench.start + Span(seconds: 1800))
        #expect(bench.told.map(\.code) == [SourceError.gap])
        let message = bench.told.first?.message ?? ""
        for part in ["012345670123", "eu-west-1", "2026-08-01T00:00:00Z", "2026-08-24T12:10:00Z"] {
            #expect(message.contains(part), "\(message)")
        }
        #expect(bench.ids.count == 1)
    }

    @Test("Failures that pass are not told before five minutes of them")
    func patience() async throws {
        var bench = LogBench(LogKind.all[0], faultEvery: 1)
        try await bench.run(until: LogBench.start + Span(seconds: 1))
        #expect(bench.told.map(\.code) == ["unavailable"])
        #expect(bench.clock.wallTime() > LogBench.start + Span(seconds: 300))
    }

    @Test("A service that is stopped stops its sources at once, also while they wait", .timeLimit(.minutes(30)))
    func cancellation() async throws {
        let bench = LogBench(LogKind.all[0])
        let source = bench.source()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            while try await source.nextBatch() != nil {}
        }
        let error = await #expect(throws: SourceError.self) { try await task.value }
        #expect(error?.code == SourceError.cancelled)
    }

    @Test("Where our clock is ahead of the provider's by more than the overlap, nothing is lost and looks stay rare")
    func clockAhead() async throws {
        var bench = LogBench(LogKind.all[0])
        let partition = LogKind.all[0].partition
        let ahead = Span(seconds: 3600)
        let provider = PassingClock(LogBench.start - ahead)
        let theirs = FakeLogs(clock: provider, seed: 1)
        let events = (0..<50).map { number in
            let time = LogBench.start - ahead + Span(seconds: number * 20)
            return LoggedEvent(number: number, time: time, shows: time.plus(60_000))
        }
        await theirs.put(events, in: partition)
        let clock = bench.clock
        let sender = ClosureSender { call, parameters, scope async throws(CallFailure) in
            provider.pass(clock.now.offset - provider.now.offset)
            return try await theirs.send(call, parameters: parameters, in: scope)
        }
        let feed = LogKind.all[0].feed()
        let source = PolledSource(
            name: "log", feed: feed, call: .named(feed.call), sender: sender, budgets: bench.budgets, clock: clock,
            began: LogBench.start - ahead)
        while clock.wallTime() < LogBench.start + Span(seconds: 3600), let batch = try await source.nextBatch() {
            bench.committed.commit(batch)
        }
        #expect(bench.ids.sorted() == events.map(\.id).sorted())
        #expect(await theirs.answered < 400)
    }
}
