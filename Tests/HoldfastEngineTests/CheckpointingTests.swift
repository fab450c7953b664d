import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Synchronization
import Testing

private final class FickleAnchor: Anchor {
    let name: String
    let isDown = Mutex(false)
    let taken = Mutex<[AuditCheckpoint]>([])

    init(_ name: String) { self.name = name }

    func put(_ checkpoint: AuditCheckpoint) async throws(AnchorError) {
        if isDown.withLock({ $0 }) { throw AnchorError("nobody answers") }
        taken.withLock { $0.append(checkpoint) }
    }
    var count: Int { taken.withLock { $0.count } }
}

/// Time is what the test says, and nobody waits.
private final class HandClock: HoldfastClock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }
    let time = Mutex(Timestamp(seconds: 1_780_000_000))
    var now: Instant { Instant() }
    var minimumResolution: Duration { .nanoseconds(1) }
    func wallTime() -> Timestamp { time.withLock { $0 } }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws { try Task.checkCancellation() }
    func pass(_ span: Span) { time.withLock { $0 = $0 + span } }
}

@Suite("Checkpoints and their anchors")
struct CheckpointingTests {
    let journal: SQLiteJournal
    let keeper: Keeper
    private let clock = HandClock()
    private let first = FickleAnchor("first")
    private let second = FickleAnchor("second")

    init() throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: try Self.policy(retention: Span(seconds: 3600)), limits: Limits())
    }

    private static func policy(retention: Span?) throws -> Policy {
        let shipped = ShippedData.policy
        var limits = shipped.limits
        limits.evidenceRetention = retention
        return shipped.with(
            remediation: shipped.remediation, people: shipped.people, classification: shipped.classification,
            limits: limits)
    }

    private func log(_ kind: String) async throws {
        try await keeper.note(audit: [AuditEntry(kind: kind, at: clock.wallTime(), body: [:])])
    }

    @Test("Each anchor takes a checkpoint when something was logged, and none when nothing was")
    func quiet() async throws {
        let checkpointing = Checkpointing(keeper: keeper, anchors: [first, second], signer: nil, clock: clock)
        try await log("one")
        for _ in 0..<3 { try await checkpointing.turn() }
        #expect([first.count, second.count] == [1, 1])
        try await log("two")
        try await checkpointing.turn()
        #expect([first.count, second.count] == [2, 2])
    }

    @Test("An anchor that fails raises a notice, is tried again, and holds up no other")
    func failing() async throws {
        let checkpointing = Checkpointing(keeper: keeper, anchors: [first, second], signer: nil, clock: clock)
        first.isDown.withLock { $0 = true }
        try await log("one")
        try await checkpointing.turn()
        #expect([first.count, second.count] == [0, 1])
        let notices = try journal.openNotices()
        #expect(notices.map(\.code) == ["anchor-failing"])
        #expect(notices.map(\.subject) == ["first"])
        #expect(notices[0].text.contains("nobody answers"))
        try await checkpointing.turn()
        first.isDown.withLock { $0 = false }
        try await checkpointing.turn()
        #expect([first.count, second.count] == [1, 1])
        #expect(try journal.openNotices() == [])
    }

    @Test("Evidence is sealed and dropped after its retention, and a legal hold keeps it")
    func retention() async throws {
        let lease = try journal.acquire(part: "source:test")
        for batch in 1...3 as ClosedRange<UInt8> {
            var transaction = JournalTransaction()
            transaction.leases = [lease]
            transaction.batch = [batch]
            try journal.commit(transaction)
        }
        _ = try journal.checkpoint(at: clock.wallTime()) { $0 }
        clock.pass(Span(seconds: 7200))
        let checkpointing = Checkpointing(keeper: keeper, anchors: [first], signer: nil, clock: clock)
        _ = try await keeper.adopt(try Self.policy(retention: nil), now: clock.wallTime())
        try await checkpointing.turn()
        #expect(try journal.verifyAudit().batches == 3)

        _ = try await keeper.adopt(try Self.policy(retention: Span(seconds: 3600)), now: clock.wallTime())
        clock.pass(Span(seconds: 3600))
        try await checkpointing.turn()
        let report = try journal.verifyAudit(
            anchors: [AnchorContent(name: "first", lines: first.taken.withLock { $0.map(\.line) })])
        #expect(report.faults == [])
        #expect(report.batches == 1)
        #expect(report.sealedBatches == 2)
    }
}
