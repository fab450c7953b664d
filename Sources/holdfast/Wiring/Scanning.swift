import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import ServiceLifecycle

/// Reads everything in the clouds when the service starts, where that was not done lately, and again and again: events
/// come in meanwhile. Accounts that no cloud is read of are left out.
struct Scanning: ServiceLifecycle.Service {
    private let scan: Scan<SystemWallClock>?
    private let every: Span
    private let clock: SystemWallClock

    init(
        _ clouds: Clouds?, _ configuration: Configuration, _ policy: Policy, _ keeper: Keeper, _ clock: SystemWallClock
    ) throws {
        every = configuration.scanEvery
        self.clock = clock
        guard let clouds else {
            scan = nil
            return
        }
        let accounts = try clouds.scanAccounts(configuration).filter { configuration.clouds.contains($0.cloud) }
        scan = Scan(
            keeper: keeper, lister: clouds.reader, clock: clock, units: accounts.flatMap { $0.units(policy) },
            unitsAtOnce: 4
        ) { progress in
            guard progress.unitsDone == progress.units else { return }
            Output.error(
                "the scan is through: \(progress.resources) resources, \(progress.failures.count) lists failed")
        }
    }

    func run() async throws {
        guard let scan else { return try await gracefulShutdown() }
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                _ = try await scan.run(skippingDoneSince: clock.wallTime() - every)
                guard (try? await clock.sleep(for: .nanoseconds(every.nanoseconds))) != nil else { return }
            }
        }
    }
}
