import ArgumentParser
import Foundation
import HoldfastEngine
import HoldfastJSON
import HoldfastStore

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the running service read its data files again, and see what that changes.",
        discussion: """
            The service evaluates the new files beside the old ones and says what opens and ends by rule. Where more \
            than 5 % of the resources change it waits: --confirm brings in what was shown, and nothing else. Fails \
            where the files were refused or wait.
            """)

    @Option(name: .customLong("config"), help: "The service's configuration file. Default: ./holdfast.yaml.")
    var config: String?
    @Flag(help: "Bring in what waits, if it is still what was shown.") var confirm = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let path = try ConfigurationFile.read(config).sqlitePath
        let desk = ReloadDesk(path: path)
        guard SQLiteJournal.isOwned(path: path) else {
            throw Failure("no holdfast runs on \(path); `holdfast run` reads the data files when it starts")
        }
        var request = ReloadDesk.Request(id: UUID().uuidString)
        if confirm {
            guard let last = desk.answer(), last.outcome == .waits else {
                throw Failure("nothing waits to be confirmed; `holdfast reload` shows what would change")
            }
            request.confirm = last.digest
        }
        try desk.put(request)
        let answer = try await wait(for: request, at: desk, path)
        switch format {
        case .text: for line in answer.lines { Output.line(line) }
        case .json:
            Output.line(
                Output.pretty([
                    "outcome": .string(answer.outcome.rawValue), "digest": .string(answer.digest),
                    "lines": .array(answer.lines.map { .string($0) }),
                ]))
        }
        if answer.outcome != .adopted { throw ExitCode.failure }
    }

    private func wait(
        for request: ReloadDesk.Request, at desk: ReloadDesk, _ path: String
    ) async throws -> ReloadDesk.Answer {
        let clock = SystemWallClock()
        // To ask who has the lock is to try it for a moment: now and then will do.
        repeat {
            for _ in 0..<25 {
                if let answer = desk.answer(), answer.id == request.id { return answer }
                try await clock.sleep(for: .milliseconds(200))
            }
        } while SQLiteJournal.isOwned(path: path)
        desk.withdraw()
        throw Failure("the holdfast that ran on \(path) has ended without an answer")
    }
}
