internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine
internal import HoldfastJSON
internal import HoldfastStore
internal import Synchronization

/// Everything of one run: the cloud, the broker, the service with its journal, and what is known of all of them.
actor World {
    private let policy: Policy
    private let sabotage: Sabotage?
    private let seed: UInt64
    private let clock: VirtualClock
    private let executor: SeededExecutor
    private let cloud: FakeCloud
    private let broker = FakeBroker()
    private let faults: FaultPlan
    private let trace = Trace()
    private var random: SeededRandom
    private var delivered: [String] = []
    private var judgements = Judgements()

    init(policy: Policy, sabotage: Sabotage?, seed: UInt64, clock: VirtualClock, executor: SeededExecutor) {
        self.policy = policy
        self.sabotage = sabotage
        self.seed = seed
        self.clock = clock
        self.executor = executor
        cloud = FakeCloud(seed: seed)
        faults = FaultPlan(seed: seed)
        random = SeededRandom(seed: seed &+ 99)
    }

    func run(changes: Int) async -> Simulation.Result {
        do {
            try await live(changes: changes)
        } catch {
            judgements.judge(.converges, false, "the run failed: \(error)")
        }
        judgements.judge(.oneThread, trace.threads == 1, "\(trace.threads) threads took part")
        return Simulation.Result(
            seed: seed, violations: judgements.violations, judged: judgements.judged, fired: faults.fired,
            traceHash: trace.hash, jobs: executor.jobs)
    }

    private func live(changes: Int) async throws {
        let crashes = CrashPlan(faults: faults, trace: trace)
        let store = try SQLiteJournal(.inMemory) { step in try crashes.pass(step) }
        let journal = SabotagedJournal(store, sabotage: sabotage)
        crashes.arm()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.serve(journal) }
            for change in 0..<changes { try await act(change, journal: store, crashes: crashes) }
            try await settle(journal: store, crashes: crashes)
            group.cancelAll()
        }
        for row in try store.resources(after: nil, limit: 10_000) {
            trace.note("\(row.resource) \(String(decoding: row.evidence, as: UTF8.self))")
            for finding in try store.findings(of: row.resource) { trace.note(finding.body.canonicalText) }
        }
        let end = EndOfRun(truth: await cloud.truth, delivered: delivered)
        try judgements.checkAlways(journal: store, policy: policy, now: clock.wallTime())
        try judgements.checkEnd(end, journal: store, policy: policy)
    }

    // MARK: The service

    /// Runs the service, and again after each crash, until the task is cancelled.
    private nonisolated func serve(_ journal: any Journal) async {
        let reads = ReadCounter()
        while !Task.isCancelled {
            do {
                var limits = policy.limits
                if sabotage == .dedupe { limits.knownEvents = 1 }
                let keeper = try Keeper(journal: journal, policy: policy, limits: limits)
                let source = FakeSource(broker: broker, clock: clock, faults: faults)
                let reader = FakeReader(cloud: cloud, clock: clock, faults: faults, reads: reads)
                await alive(Scan(keeper: keeper, lister: reader, clock: clock, units: FakeCloud.units) { _ in })
                try await Service(
                    keeper: keeper, sources: [source], reader: reader, clock: clock, limits: limits
                ) { [trace] in trace.note($0) }.run()
            } catch {
                trace.note("down: \(error)")
                try? await clock.sleep(for: .milliseconds(500))
            }
        }
    }

    // MARK: The world

    /// Somebody changes something, and its record finds its way to the broker, or does not.
    private func act(_ number: Int, journal: any Journal, crashes: CrashPlan) async throws {
        if !faults.fires(.sameSecond) {
            try await clock.sleep(for: .milliseconds(Int64.random(in: 300...4000, using: &random)))
        }
        let change = await cloud.act(at: clock.wallTime())
        trace.note("change \(change.eventID) \(change.resource)")
        if faults.fires(.lost) { return }
        if faults.fires(.malformed) { await broker.produce(Array(change.record.dropLast(7)), partition: number % 2) }
        var wait = 0
        if faults.fires(.late) { wait = faults.number(5_000...60_000) }
        if faults.fires(.outOfOrder) { wait = faults.number(200...5_000) }
        let copies = faults.fires(.doubled) ? 2 : 1
        for copy in 0..<copies { deliver(change, after: wait + copy * faults.number(0...3_000)) }
        try await flush()
        if random.once(in: 8) {
            try judgements.checkAlways(journal: journal, policy: policy, now: clock.wallTime())
        }
    }

    /// Records on their way: due at a time, delivered in order of it.
    private var underWay: [(due: Timestamp, record: [UInt8], id: String)] = []

    private func deliver(_ change: FakeCloud.Change, after milliseconds: Int) {
        let due = clock.wallTime() + Span(nanoseconds: Int64(milliseconds) * 1_000_000)
        underWay.append((due, change.record, change.eventID))
    }

    private func flush(all: Bool = false) async throws {
        let now = clock.wallTime()
        let due = underWay.filter { all || $0.due <= now }.sorted { ($0.due, $0.id) < ($1.due, $1.id) }
        underWay.removeAll { all || $0.due <= now }
        for item in due {
            await broker.produce(item.record, partition: Int.random(in: 0..<FakeBroker.partitions, using: &random))
            delivered.append(item.id)
        }
    }

    /// Faults stop; everything is delivered, swept and read, within a bound of virtual time.
    private func settle(journal: any Journal, crashes: CrashPlan) async throws {
        faults.stop()
        crashes.disarm()
        try await flush(all: true)
        for round in 0..<2 {
            try await untilQuiet(journal)
            guard round == 0 else { continue }
            // Before the sweep, which would heal what the marks forgot.
            try judgements.checkRead(journal: journal, policy: policy)
            _ = try await sweep?.run(skippingDoneSince: .distantFuture)
        }
    }

    /// The slow sweep of the service that is alive.
    private var sweep: Scan<VirtualClock>?
    private func alive(_ sweep: Scan<VirtualClock>) { self.sweep = sweep }

    private func untilQuiet(_ journal: any Journal) async throws {
        let deadline = clock.wallTime() + Span(seconds: 3600)
        while clock.wallTime() < deadline {
            try await clock.sleep(for: .seconds(5))
            var isCaughtUp = try journal.dirtySummary().count == 0
            for position in try journal.positions(source: "broker") {
                guard let partition = Int(position.partition) else { continue }
                if await broker.end(partition) > position.next { isCaughtUp = false }
            }
            if isCaughtUp { return }
        }
    }
}
