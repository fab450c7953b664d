import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Replay a window of events, and check evidence packs.",
        subcommands: [ReplayRunCommand.self, ReplayVerifyCommand.self], defaultSubcommand: ReplayRunCommand.self)
}

struct ReplayRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "window",
        abstract: "Replay a window of events: who changed what, what drifted, what would have been done.",
        discussion: """
            Runs the engine over a window with a clock that follows the events. Nothing is read from or written to a \
            cloud's resources. The same input gives the same bytes. Times are RFC 3339 with a zone \
            (2026-11-22T08:00:00Z), a date, or before now (-2h, -7d).
            """)

    @OptionGroup var options: ReplayOptions

    func run() async throws {
        let run = try ReplayRun(options)
        let done = try await run.perform()
        try run.export(done)
        try ReplayOutput(done).print(as: options.format)
    }
}

enum ReplayFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl, html
}

enum ReplaySource: String, ExpressibleByArgument, CaseIterable {
    case file, kafka, s3, journal, api
}

struct ReplayOptions: ParsableArguments {
    @Option(
        help: """
            Where the events come from: file (CloudTrail, Azure and Google exports), kafka, s3 and api (the \
            configuration's sources that are polled), journal (what the service heard).
            """)
    var source: ReplaySource = .file
    @Argument(help: "Files, folders or patterns of a file source.") var paths: [String] = []
    // Unconditional: "-2h" is a value.
    @Option(parsing: .unconditional, help: "Replay from this moment on.") var from: String?
    @Option(parsing: .unconditional, help: "Replay up to this moment.") var to: String?
    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?
    @Option(
        help: """
            The state when the window began: a file in the format of `evaluate`, journal, or none. Default: none for \
            files, else the configuration's journal where there is one.
            """)
    var state: String?
    @Option(help: "Kafka: brokers, HOST:PORT. Default: the configuration's.") var brokers: String?
    @Option(help: "Kafka: a topic. May be given again. Default: the configuration's.") var topic: [String] = []
    @Option(help: "Kafka: how long behind --to events may have been written: 24h, or all to the topics' end.")
    var late: String = "24h"
    @Option(
        name: .customLong("digest-keys"),
        help: """
            CloudTrail's public keys, as `aws cloudtrail list-public-keys` prints them: digests among the files are \
            checked with them.
            """)
    var digestKeys: String?
    @Option(help: "Only this account, subscription or project. May be given again.") var account: [String] = []
    @Option(help: "Only this resource and its neighbours: its id, or the end of it.") var resource: String?
    @Option(help: "Only what this actor did, themselves or through roles: a name, or the end of one.")
    var actor: String?
    @Option(name: .customLong("source-ip"), help: "Only from this address, or a beginning of one (203.0.113.).")
    var sourceIP: String?
    @Option(help: "Only what this rule is about; a folder of rules ends in a slash.") var rule: String?
    @Option(help: "Only findings of this severity or worse: low, medium, high, critical.") var severity: Severity?
    @Flag(help: "Only changes that made something more reachable, with or without a rule.") var opened = false
    @Option(
        help: """
            Reads, failures and sessions beside the writes: of actors and resources in the timeline (timeline), none, \
            or all of some kinds (reads,failures,sessions).
            """)
    var include: String = "timeline"
    @Option(help: "Back-test: replay by the rules in this folder in place of the baseline in force, and compare.")
    var baseline: String?
    @Option(help: "Back-test: replay by the playbooks in this folder, and compare.") var playbooks: String?
    @Option(help: "Back-test: tune the baseline by this folder as well, and compare.") var tune: String?
    @Flag(
        help:
            "Also say where the replay differs from what the service recorded in the configuration's journal, and why.")
    var compare = false
    @Option(help: "Also write an evidence pack: a folder that is not there yet, or a file that ends in .tar.")
    var bundle: String?
    @Flag(help: "A second pack beside it, NAME-redacted, without names and without the records themselves.")
    var redact = false
    @Option(name: .customLong("sign-key"), help: "The pack's signing key, PEM, without a passphrase.") var signKey:
        String?
    @Option(name: .customLong("sign-certificate"), help: "The signing key's certificate, PEM.") var signCertificate:
        String?
    @Flag(help: "The pack is not signed.") var unsigned = false
    @Option(name: .customLong("exported-by"), help: "Who exports the pack. Default: the user's name on this machine.")
    var exportedBy: String?
    @Option(help: "text, json, jsonl (the rows alone) or html (one page that needs no network).") var format:
        ReplayFormat = .text

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

    var isBacktest: Bool { baseline != nil || playbooks != nil || tune != nil }

    /// The configuration with the data files that are to be tried.
    func candidate(_ configuration: Configuration) throws -> Configuration {
        var changed = configuration
        func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
        if let baseline { changed.baseline = [absolute(baseline)] }
        if let playbooks { changed.playbooks = [absolute(playbooks)] }
        if let tune { changed.tune.append(absolute(tune)) }
        return changed
    }

    /// `nil`: to the end of the log.
    var lateness: Span? {
        get throws {
            if late == "all" { return nil }
            guard let span = Span(late) else { throw Failure("--late \"\(late)\" is no time: give 24h, 90m, or all") }
            return span
        }
    }

    var inclusion: ReplayInclusion {
        get throws {
            switch include {
            case "timeline": return ReplayInclusion()
            case "none": return ReplayInclusion(reads: .none, failures: .none, sessions: .none)
            default: break
            }
            var inclusion = ReplayInclusion()
            for kind in include.split(separator: ",") {
                switch kind {
                case "reads": inclusion.reads = .all
                case "failures": inclusion.failures = .all
                case "sessions": inclusion.sessions = .all
                default:
                    throw Failure(
                        "--include \"\(kind)\" is unknown: give timeline, none, or some of reads,failures,sessions")
                }
            }
            return inclusion
        }
    }

    func window(now: Timestamp) throws -> ReplayWindow {
        let window = ReplayWindow(from: try moment(from, "--from", now), to: try moment(to, "--to", now))
        if let from = window.from, let to = window.to, to <= from {
            throw Failure("--to (\(to)) lies before --from (\(from)); the window is empty")
        }
        return window
    }

    static func noMoment(_ option: String, _ text: String) -> String {
        "\(option) \"\(text)\" is no moment: give RFC 3339 with a zone (2026-11-22T08:00:00Z or …+01:00), a date "
            + "(2026-11-22, from 00:00 UTC), or a time before now (-90s, -15m, -2h, -7d)"
    }

    private func moment(_ text: String?, _ option: String, _ now: Timestamp) throws -> Timestamp? {
        guard let text else { return nil }
        guard let moment = ReplayWindow.moment(text, now: now) else {
            throw Failure(Self.noMoment(option, text))
        }
        return moment
    }
}
