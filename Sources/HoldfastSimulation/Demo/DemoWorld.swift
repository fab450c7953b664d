internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastStore
internal import Synchronization

/// The made-up estate of a demo with the service that keeps it.
actor DemoWorld {
    /// The person wants no more.
    struct Left: Error {}

    static let you = Person(name: "you", roles: ["approver"], via: "terminal")
    static let resources = 12

    let policy: Policy
    let clock: VirtualClock
    let cloud: FakeCloud
    let stage: any DemoStage
    let store: SQLiteJournal
    let keeper: Keeper
    let inbox = DemoInbox()
    private let broker = FakeBroker()
    private let faults = FaultPlan(seed: 1)
    private let courier: Courier
    private let ledger: Ledger

    init(policy: Policy, clock: VirtualClock, stage: any DemoStage) throws {
        let setup = Setup.demo
        faults.stop()
        self.policy = setup.policy(policy)
        self.clock = clock
        self.stage = stage
        let samples = [FakeCloud.Kind.bucket: "bucket-private", FakeCloud.Kind.group: "sg-internal"]
        cloud = FakeCloud(
            seed: 1, clock: clock, samples: samples.compactMapValues { policy.catalog.sample($0)?.configuration })
        courier = Courier(cloud: cloud, clock: clock, faults: faults)
        ledger = Ledger(cloud: cloud, clock: clock, setup: setup)
        store = try SQLiteJournal(.inMemory)
        // Captures stay in the memory of this process, so that they need no key.
        let tools = RemediationTools(seal: { $0 }, open: { $0 })
        keeper = try Keeper(journal: store, policy: self.policy, limits: setup.limits, tools: tools)
    }

    func run() async throws {
        cloud.with { state, _ in
            for number in 1...DemoWorld.resources {
                let account = number % 3 == 0 ? FakeCloud.Account.production : FakeCloud.Account.dev
                state.place(CloudState.resource(FakeCloud.Kind.bucket, number, account), in: account)
                state.place(CloudState.resource(FakeCloud.Kind.group, number, account), in: account)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.serve() }
            group.addTask { try await self.carry() }
            group.addTask { try await self.play() }
            // The first to end is the play, or what must not end.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The service as `holdfast run` has it, but for its ends: events, reads and writes are the fake cloud's.
    private nonisolated func serve() async throws {
        let reader = FakeReader(cloud: cloud, clock: clock, faults: faults, courier: courier, ledger: ledger)
        let writer = FakeWriter(
            cloud: cloud, clock: clock, faults: faults, courier: courier, ledger: ledger, catalog: policy.catalog)
        try await keeper.noteModes(now: clock.wallTime())
        let scan = Scan(keeper: keeper, lister: reader, clock: clock, units: FakeCloud.units) { _ in }
        _ = try await scan.run(skippingDoneSince: .distantPast)
        let service = Service(
            keeper: keeper, sources: [FakeSource(broker: broker, clock: clock, faults: faults)], reader: reader,
            clock: clock, limits: policy.limits
        ) { _ in }
        let lane = RemediationLane(keeper: keeper, reader: reader, writer: writer, notifiers: [inbox], clock: clock)
        inbox.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await lane.run() }
            try await group.waitForAll()
        }
    }

    /// Takes what the cloud tells to the broker.
    private func carry() async throws {
        while true {
            for parcel in courier.arriving(all: false) { await broker.produce(parcel.record, partition: 0) }
            try await clock.sleep(for: .milliseconds(20))
        }
    }

    /// Somebody does something; its record finds its way.
    func act(_ body: @Sendable (inout CloudState, Timestamp) -> FakeCloud.Change?) {
        if let change = cloud.with(body) { courier.take(change) }
    }
}

/// Where prompts arrive: the person who watches the demo.
final class DemoInbox: Notifier {
    let name = "terminal"
    private let state = Mutex((isOpen: false, prompts: [Prompt]()))

    func deliver(_ prompt: Prompt) async throws(DeliveryError) { state.withLock { $0.prompts.append(prompt) } }

    /// The service runs from now on.
    func open() { state.withLock { $0.isOpen = true } }
    var isOpen: Bool { state.withLock { $0.isOpen } }
    func prompt(for finding: String) -> Prompt? {
        state.withLock { state in state.prompts.last { $0.finding == finding } }
    }
}

extension Setup {
    /// What a demo is configured with: both environments are fixed, production with the approval of one.
    static var demo: Setup {
        var setup = Setup(seed: 0)
        setup.exemptions = []
        setup.limits.settleTime = Span(nanoseconds: 500_000_000)
        // The fake cloud's reads see each change at once.
        setup.limits.margin = Span(nanoseconds: 0)
        setup.remediation = RemediationSettings()
        setup.remediation.environments = ["dev", "production"]
        setup.remediation.mode = .remediate
        setup.remediation.budgets.typePercent = 100
        setup.remediation.ownPrincipals = ["arn:aws:sts::*:assumed-role/holdfast-write/*"]
        setup.people.identities += [Identity(person: "you")]
        setup.people.roles = ["approver": ["ada", "cleo", "you"]]
        return setup
    }
}
