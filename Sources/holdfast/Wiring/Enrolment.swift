import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import ServiceLifecycle

/// Which accounts are read: the configured ones, and those that organisations were found to have. What is found goes
/// into the journal first; all else follows from that and the configuration, so that a restart knows it too.
actor Enrolment {
    private var data: DataSet
    private let keeper: Keeper
    private let journal: any Journal
    private let clouds: Clouds?
    private let polling: Polling?
    private let clock: SystemWallClock
    /// Names of the sources that run already.
    private var running: Set<String> = []
    /// Sources of accounts that were found while the service runs.
    nonisolated let arrivals: AsyncStream<any EventSource>
    private let arrive: AsyncStream<any EventSource>.Continuation
    /// Accounts have come or gone; several changes may be told as one.
    nonisolated let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(
        _ data: DataSet, keeper: Keeper, journal: any Journal, clouds: Clouds?, polling: Polling? = nil,
        clock: SystemWallClock
    ) {
        self.data = data
        self.keeper = keeper
        self.journal = journal
        self.clouds = clouds
        self.polling = polling
        self.clock = clock
        (arrivals, arrive) = AsyncStream.makeStream()
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// With every account that is known.
    func configuration() throws(JournalError) -> Configuration { data.configuration.knowing(try journal.accounts()) }

    /// The polled sources that are not running yet; they count as running from now on.
    func newSources() throws -> [any EventSource] {
        guard let polling else { return [] }
        let configuration = try configuration()
        return try configuration.sources.flatMap { source in
            try polling.sources(for: source, configuration: configuration) ?? []
        }.filter { running.insert($0.name).inserted }
    }

    /// Other data files: they are in force when this returns.
    func adopt(_ data: DataSet) async throws -> [FindingChange: Int] {
        self.data = data
        return try await bringIn("a reload")
    }

    /// What these data files would do to findings.
    func preview(_ data: DataSet) async throws -> ReloadPreview {
        let policy = data.policy(found: try journal.accounts())
        return try await ReloadPreview.make(journal: journal, policy: policy, now: clock.wallTime())
    }

    private func bringIn(_ what: String) async throws -> [FindingChange: Int] {
        let policy = data.policy(found: try journal.accounts())
        let changes = try await keeper.adopt(policy, because: what, now: clock.wallTime())
        try await keeper.noteModes(now: clock.wallTime())
        for account in try configuration().accounts { await clouds?.credentials.enrol(account.access) }
        for source in try newSources() { arrive.yield(source) }
        change.yield()
        return changes
    }

    // MARK: Discovery

    /// Asks every organisation for its accounts, and enrols those that are new.
    func discover() async throws {
        guard let clouds else { return }
        var differs = false
        for discovery in data.configuration.discover {
            guard let plan = data.catalog.discoveries[discovery.kind] else {
                try await fails(discovery, "the catalog does not say how accounts of \(discovery.kind) are found")
                continue
            }
            let found = await clouds.finder.find(
                plan, root: discovery.root, as: discovery.lister, wantsTags: data.configuration.classifiesByTags)
            if Task.isCancelled { return }
            if try await note(found.accounts, isWhole: found.isWhole, of: discovery) { differs = true }
            if let first = found.failures.first {
                try await fails(
                    discovery, "\(first.message); accounts may be missing, or be classified by what is not known")
            } else {
                try await keeper.end(.discoveryFailing, subject: discovery.name, now: clock.wallTime())
            }
        }
        if differs { _ = try await bringIn("a change of accounts") }
    }

    private func fails(_ discovery: Configuration.Discovery, _ text: String) async throws {
        let (subject, code) = (discovery.name, NoticeCode.discoveryFailing.rawValue)
        if try !journal.openNotices().contains(where: { $0.code == code && $0.subject == subject }) {
            Output.error("\(subject): \(text)")
        }
        try await keeper.note(notices: [Notice(code: code, subject: subject, text: text, raised: clock.wallTime())])
    }

    /// - Returns: whether anything is other than it was.
    private func note(
        _ found: [DiscoveredAccount], isWhole: Bool, of discovery: Configuration.Discovery
    ) async throws -> Bool {
        let outcome = AccountListing(
            found, isWhole: isWhole, of: discovery, known: try journal.accounts(), now: clock.wallTime())
        if outcome.isImplausible {
            try await fails(discovery, "\(discovery.name) says that it has no accounts any more; those known stay")
        }
        guard !outcome.changed.isEmpty else { return false }
        try await keeper.note(audit: outcome.audit, accounts: outcome.changed)
        let classification = data.policy(found: try journal.accounts()).classification
        for account in outcome.changed {
            let answer = classification.environment(
                of: ResourceContext(cloud: account.cloud, account: account.id, region: ""))
            let name = account.listing?.facts["name"] ?? ""
            let what = account.listing?.left == nil ? "enrolled" : "left"
            Output.error(
                "\(account.cloud.rawValue) \(account.id) (\(name)) \(what): \(answer.environment), for \(answer.reason)"
            )
        }
        return true
    }
}

/// Looks for new accounts at the start and again and again.
struct Discovering: Part {
    let enrolment: Enrolment
    let every: Span
    let isOn: Bool
    let clock: SystemWallClock

    func run() async throws {
        guard isOn else { return try await gracefulShutdown() }
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await enrolment.discover()
                guard (try? await clock.sleep(for: .nanoseconds(every.nanoseconds))) != nil else { return }
            }
        }
    }
}

/// Counts what clouds said of too many calls into the journal, now and then and at the end.
struct Metering: Part {
    let clouds: Clouds?
    let keeper: Keeper
    let clock: SystemWallClock

    func run() async throws {
        guard clouds != nil else { return try await gracefulShutdown() }
        try await cancelWhenGracefulShutdown {
            while (try? await clock.sleep(for: .seconds(15))) != nil { try await write() }
        }
    }

    func write() async throws {
        let hour = CounterDelta.hour(of: clock.wallTime())
        let throttles = await clouds?.budgets.takeThrottles() ?? []
        guard !throttles.isEmpty else { return }
        try await keeper.note(
            counters: throttles.map {
                CounterDelta(
                    name: CounterDelta.throttles, label: $0.key.description, hour: hour, amount: Int64($0.amount))
            })
    }
}
