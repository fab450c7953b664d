import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore
import Testing

/// Reads nothing.
private struct NoReads: StateReader {
    func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        throw ReadError(code: "none", message: "nothing is read here", retry: .never)
    }
}

@Suite("Polled logs in the service")
struct PolledServiceTests {
    private static let start = time("2026-11-22T12:00:00Z")

    @Test("An account that is denied is told by name and stops no other; once it is allowed the notice ends")
    func oneDenied() async throws {
        let clock = PassingClock(Self.start)
        let logs = FakeLogs(clock: clock, seed: 1)
        let accounts = ["012345670123", "111122223333", "222233334444"]
        for (index, account) in accounts.enumerated() {
            let events = (0..<60).map { number in
                let time = Self.start + Span(seconds: number * 10)
                return LoggedEvent(number: index * 1000 + number, time: time, shows: time)
            }
            await logs.put(events, in: "\(account)/eu-west-1")
        }
        await logs.deny("\(accounts[1])/eu-west-1", Self.start...Self.start.plus(1_800_000))
        let journal = try SQLiteJournal(.inMemory)
        let policy = Shipped.data.policy()
        let keeper = try Keeper(journal: journal, policy: policy, limits: policy.limits)
        let sources = try PollingSources(
            catalog: policy.catalog, sender: logs, budgets: Budgets(clock: clock), clock: clock, began: Self.start
        ).cloudTrailLookup(
            accounts: accounts, regions: ["eu-west-1"], overlap: Span(seconds: 60), every: Span(seconds: 30))
        let service = Service(
            keeper: keeper, sources: sources, reader: NoReads(), clock: clock, limits: policy.limits
        ) { _ in }
        let running = Task { try await service.run() }
        func wait(until isReached: () throws -> Bool) async throws {
            while try !isReached() { await Task.yield() }
        }
        try await wait { try journal.recentEventIDs(limit: 1000).count >= 120 && !journal.openNotices().isEmpty }
        let notice = try journal.openNotices().first { $0.code == NoticeCode.sourceFailing.rawValue }
        #expect(notice?.subject == "cloudtrail-lookup:111122223333/eu-west-1")
        #expect(notice?.text.contains("CloudTrail of 111122223333 in eu-west-1 cannot be read") == true)
        try await wait { try journal.recentEventIDs(limit: 1000).count >= 180 }
        try await wait {
            try !journal.openNotices().contains { $0.code == NoticeCode.sourceFailing.rawValue }
        }
        running.cancel()
        _ = await running.result
        #expect(try journal.recentEventIDs(limit: 1000).count == 180)
        #expect(await keeper.totals.duplicates == 0)
    }

    @Test("A source that comes while the service runs is read like the others, and ended with them")
    func arrival() async throws {
        let clock = PassingClock(Self.start)
        let logs = FakeLogs(clock: clock, seed: 2)
        for account in ["012345670123", "111122223333"] {
            let events = (0..<20).map { number in
                let time = Self.start + Span(seconds: number * 10)
                return LoggedEvent(number: number + (account.hasPrefix("0") ? 0 : 1000), time: time, shows: time)
            }
            await logs.put(events, in: "\(account)/eu-west-1")
        }
        let journal = try SQLiteJournal(.inMemory)
        let policy = Shipped.data.policy()
        let keeper = try Keeper(journal: journal, policy: policy, limits: policy.limits)
        let sources = PollingSources(
            catalog: policy.catalog, sender: logs, budgets: Budgets(clock: clock), clock: clock, began: Self.start)
        func source(_ account: String) throws -> [any EventSource] {
            try sources.cloudTrailLookup(
                accounts: [account], regions: ["eu-west-1"], overlap: Span(seconds: 60), every: Span(seconds: 30))
        }
        let (arrivals, arrive) = AsyncStream<any EventSource>.makeStream()
        let service = Service(
            keeper: keeper, sources: [], arrivals: arrivals, reader: NoReads(), clock: clock, limits: policy.limits
        ) { _ in }
        let running = Task { try await service.run() }
        for (number, account) in ["012345670123", "111122223333"].enumerated() {
            for source in try source(account) { arrive.yield(source) }
            while try journal.recentEventIDs(limit: 100).count < 20 * (number + 1) { await Task.yield() }
        }
        #expect(try journal.accounts().map(\.id) == ["012345670123", "111122223333"])
        running.cancel()
        _ = await running.result
        #expect(try journal.recentEventIDs(limit: 100).count == 40)
    }
}
