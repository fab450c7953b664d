import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct ApprovalsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals",
        abstract: "What waits for people: read plans one after the other, and approve or refuse.",
        discussion: """
            On a terminal it asks for each plan: a to approve, r to refuse, h to hold until a time, s to skip, q to \
            leave. Elsewhere, or with --format, it lists them.
            """,
        subcommands: [Read.self, Open.self], defaultSubcommand: Read.self)

    struct Read: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read what waits, and decide (the default).")
        @OptionGroup var desk: DeskOptions
        @Option(help: "text, json or jsonl: list, and ask nothing.") var format: ListFormat?

        func run() async throws {
            let client = try await desk.client()
            let waiting = try await client.get(["approvals"])["items"]?.array ?? []
            guard format == nil, isatty(STDOUT_FILENO) == 1, isatty(STDIN_FILENO) == 1 else {
                return Output.list(waiting, as: format ?? .text, header: ["SEVERITY", "ENVIRONMENT", "WHAT", "DIGEST"])
                {
                    [
                        $0["severity"]?.string ?? $0["kind"]?.string ?? "", $0["environment"]?.string ?? "",
                        Terminal.plain(ApprovalText.sentence($0)), $0["digest"]?.string ?? "",
                    ]
                }
            }
            try await Reading(client: client).all(waiting)
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a link that signs your browser in, once, within two minutes.")
        @OptionGroup var desk: DeskOptions

        func run() async throws {
            let answer = try await desk.client().post(["links"], [:])
            Output.error(answer["done"]?.string ?? "")
            Output.line(answer["url"]?.string ?? "")
        }
    }
}

/// Goes through what waits, one after the other, and asks.
private struct Reading {
    let client: ServerClient

    func all(_ waiting: [JSON]) async throws {
        guard !waiting.isEmpty else { return Output.line("nothing waits") }
        for (index, item) in waiting.enumerated() {
            let digest = item["digest"]?.string ?? ""
            Output.line("")
            Output.line(Output.bold("\(index + 1) of \(waiting.count)"))
            // Read again: it may have changed since the list was made.
            guard let plan = try? await client.get(["plans", digest]) else {
                Output.line("it no longer waits")
                continue
            }
            Output.line(ApprovalText.whole(plan))
            guard try await decide(digest) else { return }
        }
    }

    /// - Returns: whether to go on.
    private func decide(_ digest: String) async throws -> Bool {
        while true {
            switch ask("a approve, r refuse, h hold until, s skip, q leave: ") {
            case "a", "approve":
                try await say([
                    "word": "approve", "digests": [.string(digest)], "reason": .string(ask("Reason (may be empty): ")),
                ])
                return true
            case "r", "refuse":
                let reason = ask("Reason: ")
                guard !reason.isEmpty else { continue }
                try await say(["word": "refuse", "digests": [.string(digest)], "reason": .string(reason)])
                return true
            case "h", "hold":
                let until = ask("Until (RFC 3339, or a time such as 8h): ")
                let reason = ask("Reason: ")
                guard let moment = HoldUntil.moment(until), !reason.isEmpty else { continue }
                try await say([
                    "word": "hold", "digests": [.string(digest)], "reason": .string(reason),
                    "until": .string(moment.description),
                ])
                return true
            case "s", "skip": return true
            case "q", "quit", "leave": return false
            default: continue
            }
        }
    }

    private func say(_ wish: JSON) async throws {
        do {
            Output.line(try await client.post(["words"], wish)["done"]?.string ?? "done")
        } catch let failure as Failure {
            // The next plan may still be decided.
            Output.error(failure.description)
        }
    }

    /// At the end of the input it is as if somebody left.
    private func ask(_ question: String) -> String {
        FileHandle.standardOutput.write(Data(question.utf8))
        return readLine()?.trimmingCharacters(in: .whitespaces) ?? "q"
    }
}

enum HoldUntil {
    /// A moment, or a time from now on.
    static func moment(_ text: String) -> Timestamp? {
        Timestamp(text) ?? Span(text).map { SystemWallClock.now + $0 }
    }
}

struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Approve plans or campaigns that wait.",
        discussion: "An approval is for one plan: where the plan changes before it is carried out, it is asked anew.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "Digests, or as much of each as tells it from the others, or campaigns' ids.") var digest: [String]
    @Option(help: "Why; kept in the audit log.") var reason = ""

    func run() async throws {
        try await desk.post(
            ["words"],
            ["word": "approve", "digests": .array(digest.map(JSON.string)), "reason": .string(reason)])
    }
}

struct RefuseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refuse", abstract: "Refuse plans or campaigns that wait. One refusal is enough.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "Digests, or as much of each as tells it from the others, or campaigns' ids.") var digest: [String]
    @Option(help: "Why; kept in the audit log.") var reason: String

    func run() async throws {
        try await desk.post(
            ["words"], ["word": "refuse", "digests": .array(digest.map(JSON.string)), "reason": .string(reason)])
    }
}

struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Put off plans that wait: they are asked again when the time comes.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "Digests, or as much of each as tells it from the others.") var digest: [String]
    @Option(help: "Until when (RFC 3339), or for how long: 8h.") var until: String
    @Option(help: "Why; kept in the audit log.") var reason: String

    func run() async throws {
        guard let moment = HoldUntil.moment(until) else {
            throw Failure("--until \(until) is neither a moment nor a time such as 8h")
        }
        try await desk.post(
            ["words"],
            [
                "word": "hold", "digests": .array(digest.map(JSON.string)), "reason": .string(reason),
                "until": .string(moment.description),
            ])
    }
}

extension DeskOptions {
    /// Asks for something, and prints what was done.
    func post(_ path: [String], _ wish: JSON) async throws {
        Output.line(try await client().post(path, wish)["done"]?.string ?? "done")
    }
}
