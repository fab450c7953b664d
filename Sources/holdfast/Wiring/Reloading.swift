import Dispatch
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore
import ServiceLifecycle
import UnixSignals

/// SIGHUP: data files are read again; what is broken keeps the old ones in force.
struct Reloading: ServiceLifecycle.Service {
    let config: String
    let keeper: Keeper
    let enrolment: Enrolment
    let clock: SystemWallClock

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            try await reload()
        }
    }

    private func reload() async throws {
        do {
            let data = try DataSet.loadWhole(try ConfigurationFile.read(config))
            let changes = try await enrolment.adopt(data)
            let text = FindingChange.allCases.compactMap { change in
                changes[change].map { "\($0) \(change.rawValue)" }
            }
            Output.error("reloaded: \(text.isEmpty ? "no finding changed" : text.joined(separator: ", "))")
        } catch let failure as Failure {
            Output.error("the reload was refused and the old data files stay in force:\n\(failure)")
            try await keeper.note(notices: [
                Notice(
                    code: NoticeCode.reloadRefused.rawValue, subject: config,
                    text: "a reload was refused: \(failure.description.split(separator: "\n").first ?? "")",
                    raised: clock.wallTime())
            ])
        }
    }
}

/// Checkpoints of the audit log go to the anchors once a minute, and when the service stops.
struct Anchoring: ServiceLifecycle.Service {
    let journal: SQLiteJournal
    let paths: [String]
    let clock: SystemWallClock

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try await clock.sleep(for: .seconds(60))
                try Anchoring.write(journal, paths, clock)
            }
        }
    }

    static func write(_ journal: SQLiteJournal, _ paths: [String], _ clock: SystemWallClock) throws {
        for path in paths { _ = try journal.checkpoint(to: AuditAnchor(path: path), at: clock.wallTime()) }
    }
}
