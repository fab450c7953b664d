import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Undo a run, and keep its rule off the resource for a while.",
        discussion: """
            Neither a halt nor a mode keeps a person from undoing. Where others changed since what the run wrote, \
            and putting back what was before would take their work away, it shows the difference (before, written, \
            now) and asks; without a terminal it writes nothing until --accept names just that difference.
            """)
    @OptionGroup var desk: DeskOptions
    @Argument(help: "The run's id, as `holdfast runs` lists it.") var run: String
    @Option(help: "Why; kept in the audit log.") var reason: String
    @Option(help: "The digest of the difference that was shown and may be written over.") var accept: String?

    /// Between two looks at how far the run is.
    private static let pause = Duration.milliseconds(500)
    /// How long somebody at a terminal is kept waiting for its end.
    private static let patience = 60

    func run() async throws {
        let client = try await desk.client()
        do {
            try await ask(client, accept)
            guard isInteractive, let difference = try await end(client) else { return }
            try await settle(difference, client, "run \(run) is stuck")
        } catch let failure as Failure {
            guard let difference = failure.difference else { throw failure }
            try await settle(difference, client, failure.description)
        }
    }

    private var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    private func ask(_ client: ServerClient, _ accept: String?) async throws {
        var wish = JSONObject([("reason", .string(reason))])
        wish["accept"] = accept.map { .string($0) }
        Output.line(try await client.post(["runs", run, "undo"], .object(wish))["done"]?.string ?? "done")
    }

    /// Waits until the run has ended.
    ///
    /// - Returns: what it is stuck over, where a person's word lets it go on.
    private func end(_ client: ServerClient) async throws -> JSON? {
        for _ in 0..<Self.patience * 2 {
            let found = try await client.get(["runs", run])
            if let phase = found["phase"]?.string.flatMap(Run.Phase.init), phase.isEnd {
                let reason = found["reason"]?.string ?? ""
                Output.line(Terminal.plain("run \(run) is \(phase.rawValue)\(reason.isEmpty ? "" : ": \(reason)")"))
                return phase == .stuck ? found["conflict"] : nil
            }
            try await SystemWallClock().sleep(for: Self.pause)
        }
        return nil
    }

    /// Shows a difference, and asks where somebody is there to answer.
    private func settle(_ difference: JSON, _ client: ServerClient, _ why: String) async throws {
        guard let conflict = UndoConflict(json: difference) else { throw Failure(why) }
        for row in conflict.differences {
            Output.line(Terminal.plain("\(row.isOthers ? "!" : " ") \(row.path)"))
            for (name, value) in [("before ", row.before), ("written", row.written), ("now    ", row.now)] {
                Output.line(Terminal.plain("    \(name)  \(value?.canonicalText ?? "nothing")"))
            }
        }
        guard conflict.call != nil else { throw Failure("\(why); nothing was written") }
        guard isInteractive else {
            throw Failure(
                "\(why); nothing was written. To write what was before over it: holdfast undo \(run) --reason … "
                    + "--accept \(conflict.digest)")
        }
        Output.line("What is marked with ! others changed since; it would be lost.")
        FileHandle.standardOutput.write(Data("Write back what was before? [y/N] ".utf8))
        guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
            throw Failure("run \(run) stays as it is; nothing was written")
        }
        try await ask(client, conflict.digest)
        _ = try await end(client)
    }
}
