import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import ServiceLifecycle

/// Reads everything in the clouds when the service starts, where that was not done lately, and again and again; what is
/// in accounts that were found meanwhile, at once, and what could not be listed, soon again. Events come in beside.
/// Accounts that no cloud is read of are left out.
struct Scanning: Part {
    /// `nil`: no cloud is read.
    let clouds: Clouds?
    let enrolment: Enrolment
    let policy: Policy
    let keeper: Keeper
    let every: Span
    let clock: SystemWallClock

    func run() async throws {
        guard let clouds else { return try await gracefulShutdown() }
        try await cancelWhenGracefulShutdown {
            var due = clock.wallTime()
            while !Task.isCancelled {
                let now = clock.wallTime()
                if now >= due { due = now + every }
                let progress = try await scan(clouds).run(skippingDoneSince: now - every)
                let soon = clock.wallTime() + Limits.longestBackoff
                await rest(until: progress.failures.isEmpty ? due : min(due, soon))
            }
        }
    }

    private func scan(_ clouds: Clouds) async throws -> Scan<SystemWallClock> {
        let configuration = try await enrolment.configuration()
        let accounts = try clouds.scanAccounts(configuration).filter { configuration.clouds.contains($0.cloud) }
        return Scan(
            keeper: keeper, lister: clouds.reader, clock: clock, units: accounts.flatMap { $0.units(policy) },
            unitsAtOnce: 4
        ) { progress in
            guard progress.unitsDone == progress.units else { return }
            Output.error(
                "the scan is through: \(progress.resources) resources, \(progress.failures.count) lists failed")
        }
    }

    /// Until then, or until accounts change.
    private func rest(until due: Timestamp) async {
        let wait = Duration.nanoseconds(max(0, due.since(clock.wallTime()).nanoseconds))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await clock.sleep(for: wait) }
            group.addTask { for await _ in enrolment.changes { return } }
            await group.next()
            group.cancelAll()
        }
    }
}
