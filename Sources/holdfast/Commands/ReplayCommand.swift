import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay a window of events: who changed what, what drifted, what would have been done.",
        discussion: """
            Runs the engine over a window with a clock that follows the events. Nothing is read from or written to a \
            cloud's resources. The same input gives the same bytes. Times are RFC 3339 with a zone (2026-11-22T08:00:00Z), \
            a date, or before now (-2h, -7d).
            """)

    @OptionGroup var options: ReplayOptions

    func run() async throws {
        let run = try ReplayRun(options)
        let done = try await run.perform()
        try ReplayOutput(done, format: options.format).write()
    }
}

enum ReplayFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl
}

enum ReplaySource: String, ExpressibleByArgument, CaseIterable {
    case file
}

struct ReplayOptions: ParsableArguments {
    @Option(help: "Where the events come from: file.") var source: ReplaySource = .file
    @Argument(help: "Files, folders or patterns of a file source.") var paths: [String] = []
    @Option(help: "Replay from this moment on.") var from: String?
    @Option(help: "Replay up to this moment.") var to: String?
    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?
    @Option(help: "The state at the window's beginning, in the format of `evaluate`.") var state: String?
    @Option(help: "Only this account, subscription or project. May be given again.") var account: [String] = []
    @Option(help: "Only this resource and its neighbours: its id, or the end of it.") var resource: String?
    @Option(help: "Only what this actor did, themselves or through roles: a name, or the end of one.")
    var actor: String?
    @Option(name: .customLong("source-ip"), help: "Only from this address, or a beginning of one (203.0.113.).")
    var sourceIP: String?
    @Option(help: "Only what this rule is about; a folder of rules ends in a slash.") var rule: String?
    @Option(help: "Only findings of this severity or worse: low, medium, high, critical.") var severity: Severity?
    @Flag(help: "Only changes that made something more reachable, with or without a rule.") var opened = false
    @Option(help: "text, json or jsonl (the rows alone).") var format: ReplayFormat = .text

    var filter: ReplayFilter {
        var filter = ReplayFilter()
        filter.accounts = account
        filter.resource = resource
        filter.actor = actor
        filter.sourceIP = sourceIP
        filter.rule = rule
        filter.severity = severity
        filter.openedOnly = opened
        return filter
    }

    func window(now: Timestamp) throws -> ReplayWindow {
        let window = ReplayWindow(from: try moment(from, "--from", now), to: try moment(to, "--to", now))
        if let from = window.from, let to = window.to, to <= from {
            throw Failure("--to (\(to)) lies before --from (\(from)); the window is empty")
        }
        return window
    }

    private func moment(_ text: String?, _ option: String, _ now: Timestamp) throws -> Timestamp? {
        guard let text else { return nil }
        guard let moment = ReplayWindow.moment(text, now: now) else {
            throw Failure(
                "\(option) \"\(text)\" is no moment: give RFC 3339 with a zone (2026-11-22T08:00:00Z or …+01:00), a date "
                    + "(2026-11-22, from 00:00 UTC), or a time before now (-90s, -15m, -2h, -7d)")
        }
        return moment
    }
}

