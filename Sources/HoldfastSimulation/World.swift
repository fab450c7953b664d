internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastEngine
internal import HoldfastJSON
internal import HoldfastStore
internal import Synchronization

/// Everything of one run: the cloud, the broker, the service with its journal, and what is known of all of them.
actor World {
    let setup: Setup
    let policy: Policy
    let sabotage: Sabotage?
    let seed: UInt64
    let clock: VirtualClock
    let executor: SeededExecutor
    let cloud: FakeCloud
    let broker = FakeBroker()
    let courier: Courier
    let ledger: Ledger
    let anchor: FakeAnchor
    let faults: FaultPlan
    let trace: Trace
    let crashes: CrashPlan
    var random: SeededRandom
    var delivered: [String] = []
    var judgements = Judgements()
    /// Of the process that is alive.
    var keeper: Keeper?
    private var sweep: Scan<VirtualClock>?
    /// What the process that starts next is configured with.
    var policyNow: Policy
    /// Digests that some plan once had.
    var seenDigests: [String] = []
    var isSettling = false

    init(
        policy: Policy, sabotage: Sabotage?, seed: UInt64, clock: VirtualClock, executor: SeededExecutor,
        keepsTrace: Bool
    ) {
        trace = Trace(keepsLines: keepsTrace)
        setup = Setup(seed: seed)
        self.policy = setup.policy(policy)
        policyNow = self.policy
        self.sabotage = sabotage
        self.seed = seed
        self.clock = clock
        self.executor = executor
        faults = FaultPlan(seed: seed)
        let samples = [
            FakeCloud.Kind.bucket: "bucket-private", FakeCloud.Kind.group: "sg-internal",
            FakeCloud.Kind.trail: "trail-on",
        ]
        cloud = FakeCloud(
            seed: seed, clock: clock, samples: samples.compactMapValues { policy.catalog.sample($0)?.configuration })
        ledger = Ledger(cloud: cloud, clock: clock, setup: setup)
        anchor = FakeAnchor(faults: faults)
        courier = Courier(cloud: cloud, clock: clock, faults: faults)
        crashes = CrashPlan(faults: faults, trace: trace)
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
            traceHash: trace.hash, trace: trace.lines, jobs: executor.jobs)
    }

    private func live(changes: Int) async throws {
        let store = try SQLiteJournal(.inMemory) { [crashes] step in try crashes.pass(step) }
        begin()
        crashes.arm()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.serve(store) }
            group.addTask { await self.crowd(store) }
            for _ in 0..<changes { try await act(journal: store) }
            try await settle(journal: store)
            group.cancelAll()
        }
        for row in try store.resources(after: nil, limit: 10_000) {
            trace.note("\(row.resource) \(String(decoding: row.evidence, as: UTF8.self))")
            for finding in try store.findings(of: row.resource) { trace.note(finding.body.canonicalText) }
        }
        let end = EndOfRun(truth: cloud.truth, delivered: delivered)
        try judgements.checkAlways(journal: store, policy: policyNow, now: clock.wallTime())
        try judgements.checkEnd(end, journal: store, policy: policyNow)
        try await judgeRemediation(store)
        try judgements.checkAudit(store, anchor)
    }

    /// What is there before the service starts, some of it bad: backlog.
    private func begin() {
        cloud.with { state, now in
            for number in 0..<10 {
                _ = state.create(at: now)
                guard number % 4 == 0, let resource = state.truth.keys.sorted().last(where: { !state.isBad($0) })
                else { continue }
                _ = state.spoil(resource, by: .stranger, at: now)
                state.becomeBacklog(resource, isKnown: true)
            }
        }
    }

    // MARK: The service

    /// Runs the service, and again after each crash, until the task is cancelled.
    private nonisolated func serve(_ store: SQLiteJournal) async {
        while !Task.isCancelled {
            do {
                try await live(store)
            } catch {
                trace.note("down: \(error)")
                let died = crashes.restart()
                await fell(died || Task.isCancelled, "\(error)")
                try? await clock.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Whatever ends the process but its death is a fault of it.
    private func fell(_ isExpected: Bool, _ why: String) {
        judgements.judge(.stands, isExpected, "the service fell over: \(why)")
    }

    private nonisolated func live(_ store: SQLiteJournal) async throws {
        var limits = policy.limits
        if sabotage == .dedupe { limits.knownEvents = 1 }
        let journal = SabotagedJournal(store, sabotage: sabotage, crashes: crashes, ledger: ledger)
        var tools = RemediationTools(
            haltFile: { [ledger] in ledger.haltFile }, seal: { $0.map { $0 ^ 0x5A } }, open: { $0.map { $0 ^ 0x5A } })
        tools.spoil(sabotage)
        let keeper = try Keeper(journal: journal, policy: await policyNow, limits: limits, tools: tools)
        let source = FakeSource(broker: broker, clock: clock, faults: faults)
        let reader = FakeReader(cloud: cloud, clock: clock, faults: faults, courier: courier, ledger: ledger)
        let writer = FakeWriter(
            cloud: cloud, clock: clock, faults: faults, courier: courier, ledger: ledger, catalog: policy.catalog)
        try await keeper.noteModes(now: clock.wallTime())
        let scan = Scan(keeper: keeper, lister: reader, clock: clock, units: FakeCloud.units) { _ in }
        await alive(keeper, scan)
        let service = Service(keeper: keeper, sources: [source], reader: reader, clock: clock, limits: limits) {
            [trace] in trace.note($0)
        }
        let lane = RemediationLane(
            keeper: keeper, reader: reader, writer: setup.hasWriter ? writer : nil,
            notifiers: [FakeNotifier(faults: faults)], clock: clock, runsAtOnce: 4, idle: Span(seconds: 1))
        let checkpointing = Checkpointing(keeper: keeper, anchors: [anchor], signer: nil, clock: clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await lane.run() }
            group.addTask { try await checkpointing.run() }
            // What the scan before has done is not done again after a crash.
            _ = try await scan.run(skippingDoneSince: .distantPast)
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func alive(_ keeper: Keeper, _ sweep: Scan<VirtualClock>) {
        self.keeper = keeper
        self.sweep = sweep
    }

    // MARK: The world

    /// Somebody changes something.
    private func act(journal: any Journal) async throws {
        if !faults.fires(.sameSecond) {
            try await clock.sleep(for: .milliseconds(Int64.random(in: 300...6000, using: &random)))
        }
        if faults.fires(.clockForward) { clock.jump(by: Span(seconds: faults.number(30...200))) }
        if faults.fires(.clockBack) { clock.jump(by: Span(seconds: -faults.number(30...200))) }
        if let change = cloud.act() {
            trace.note("change \(change.eventID) \(change.resource)")
            courier.take(change)
        }
        try await flush()
        if random.once(in: 30) {
            try judgements.checkAlways(journal: journal, policy: policyNow, now: clock.wallTime())
        }
    }

    private func flush(all: Bool = false) async throws {
        for parcel in courier.arriving(all: all) {
            await broker.produce(parcel.record, partition: Int.random(in: 0..<FakeBroker.partitions, using: &random))
            if let id = parcel.id { delivered.append(id) }
        }
    }

    /// Faults stop; everything is delivered, swept and read, within a bound of virtual time.
    private func settle(journal: any Journal) async throws {
        faults.stop()
        crashes.disarm()
        isSettling = true
        // A process that died with the last fault comes back first: it finds out with the next record that it takes in.
        if crashes.isDown { await broker.produce(Array("{".utf8), partition: 0) }
        while crashes.isDown { try await clock.sleep(for: .seconds(1)) }
        ledger.put(haltFile: false)
        try await endHalts(journal)
        try await flush(all: true)
        for round in 0..<2 {
            try await untilQuiet(journal, within: Span(seconds: round == 0 ? 200 : 60))
            guard round == 0 else { continue }
            // Before the sweep, which would heal what the marks forgot.
            try judgements.checkRead(journal: journal, policy: policyNow)
            _ = try await sweep?.run(skippingDoneSince: .distantFuture)
        }
    }

    private func endHalts(_ journal: any Journal) async throws {
        for halt in try journal.halts() {
            try? await keeper?.resume(halt.part, by: World.person("cleo"), reason: "all is well", now: clock.wallTime())
        }
    }

    /// Until nothing is to be done that time alone would not bring.
    private func untilQuiet(_ journal: any Journal, within bound: Span) async throws {
        let deadline = clock.cloudTime() + bound + clock.wentBack
        var quiet = 0
        while clock.cloudTime() < deadline, quiet < 2 {
            try await clock.sleep(for: .seconds(5))
            // What failed before the faults stopped may open a breaker now.
            try await endHalts(journal)
            try await flush(all: true)
            let isIdle = try isIdle(journal)
            let isCaughtUp = await isCaughtUp(try journal.positions(source: "broker"))
            quiet = isIdle && isCaughtUp ? quiet + 1 : 0
        }
    }

    /// Whether nothing waits to be read, carried out or decided.
    private func isIdle(_ journal: any Journal) throws -> Bool {
        let asked = Set(try journal.asks().map(\.finding))
        let soon = clock.wallTime() + Span(seconds: 100)
        let due = try journal.candidates(dueAt: soon, limit: 1000).filter { !asked.contains($0.finding) }
        let isRead = try journal.dirtySummary().count == 0
        let isDone = try journal.openRuns().isEmpty
        return due.isEmpty && isRead && isDone
    }

    /// Whether everything that the broker has was taken.
    private func isCaughtUp(_ positions: [SourcePosition]) async -> Bool {
        for position in positions {
            guard let partition = Int(position.partition) else { continue }
            if await broker.end(partition) > position.next { return false }
        }
        return true
    }
}

/// Tells people of prompts, and sometimes cannot.
struct FakeNotifier: Notifier {
    let name = "page"
    let faults: FaultPlan

    func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        if faults.fires(.promptLost) { throw DeliveryError("nobody answers") }
    }
}
