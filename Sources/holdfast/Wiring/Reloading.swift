import Dispatch
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import ServiceLifecycle
import UnixSignals

/// SIGHUP and `holdfast reload`: data files are read again and evaluated beside those in force. What is broken keeps
/// the old ones; what would change much waits for a person.
struct Reloading: Part {
    let config: String
    let desk: ReloadDesk
    let keeper: Keeper
    let enrolment: Enrolment
    let clock: SystemWallClock

    func run() async throws {
        // Of before the start, which has read the files anyway.
        _ = desk.takeRequest()
        let (asked, ask) = AsyncStream.makeStream(of: ReloadDesk.Request.self, bufferingPolicy: .bufferingOldest(8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
                    ask.yield(ReloadDesk.Request(id: "SIGHUP"))
                }
                ask.finish()
            }
            group.addTask {
                try? await cancelWhenGracefulShutdown {
                    while !Task.isCancelled {
                        if let request = desk.takeRequest() { ask.yield(request) }
                        try await clock.sleep(for: .milliseconds(500))
                    }
                }
            }
            for await request in asked { try await reload(request) }
            group.cancelAll()
        }
    }

    private func reload(_ request: ReloadDesk.Request) async throws {
        do {
            let configuration = try ConfigurationFile.read(config)
            let data = try DataSet.loadWhole(configuration)
            let digest = try desk.digest(of: data, config: config)
            let preview = try await enrolment.preview(data)
            if preview.needsConfirmation, request.confirm != digest {
                return try await hold(preview, digest, request)
            }
            _ = try await enrolment.adopt(data)
            for code in [NoticeCode.reloadWaits, .reloadRefused] {
                try await keeper.end(code, subject: config, now: clock.wallTime())
            }
            tell(
                .init(
                    id: request.id, outcome: .adopted, digest: digest,
                    lines: ["reloaded: \(preview.summary)"] + preview.lines))
        } catch let failure as Failure {
            try await note(
                .reloadRefused, "a reload was refused: \(failure.description.split(separator: "\n").first ?? "")")
            let text = "the reload was refused and the old data files stay in force:\n\(failure)"
            tell(.init(id: request.id, outcome: .refused, digest: "", lines: [text]))
        }
    }

    private func hold(_ preview: ReloadPreview, _ digest: String, _ request: ReloadDesk.Request) async throws {
        let why =
            request.confirm == nil
            ? "that is more than \(ReloadPreview.mostPercent) %" : "what was confirmed is not what the files say by now"
        try await note(.reloadWaits, "a reload waits for `holdfast reload --confirm`: \(preview.summary)")
        tell(
            .init(
                id: request.id, outcome: .waits, digest: digest,
                lines: ["the reload waits, and the old data files stay in force: \(preview.summary)"] + preview.lines
                    + ["\(why); `holdfast reload --confirm` brings them in"]))
    }

    private func note(_ code: NoticeCode, _ text: String) async throws {
        try await keeper.note(notices: [
            Notice(code: code.rawValue, subject: config, text: text, raised: clock.wallTime())
        ])
    }

    private func tell(_ answer: ReloadDesk.Answer) {
        for line in answer.lines { Output.error(line) }
        do { try desk.put(answer) } catch { Output.error("\(error)") }
    }
}
