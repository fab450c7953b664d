import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct FindingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "findings", abstract: "List findings: what drifted, since when, and who did it.")

    @OptionGroup var ask: AskOptions
    @Flag(help: "Only those that are open or stale.") var open = false
    @Option(parsing: .upToNextOption, help: "Only these severities: low, medium, high, critical.")
    var severity: [Severity] = []
    @Option(help: "Only those of a resource: its id, or a part of it.") var resource: String?
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        var filter = FindingFilter()
        filter.open = open
        filter.severities = severity
        filter.resource = resource
        Output.list(
            try await ask.list(.findings(filter)), as: format,
            header: ["SEVERITY", "STATE", "RULE", "RESOURCE", "SINCE", "BY", "ID"]
        ) { json in
            [
                Output.coloured(severity: json["severity"]?.string ?? ""), json["state"]?.string ?? "",
                json["rule"]?.string ?? "", json["resource"]?.string ?? "", json["since"]?.string ?? "",
                json["cause"]?["actor"]?.string ?? "baseline", json["id"]?.string ?? "",
            ]
        }
    }
}

extension Severity: ExpressibleByArgument {}

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what would be done about a finding: exact calls, undo, digest. Dry-run.")

    @OptionGroup var ask: AskOptions
    @Argument(help: "The finding's id, as `holdfast findings` lists it.") var finding: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let plan = try await ask.one(.plan(finding: finding))
        switch format {
        case .json: Output.line(Output.pretty(plan))
        case .text: Output.line(plan["text"]?.string ?? plan.canonicalText)
        }
    }
}

struct NoticesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notices", abstract: "List what waits for a person. Each notice has a page in runbooks/.")

    @OptionGroup var ask: AskOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        Output.list(try await ask.list(.notices), as: format, header: ["CODE", "SINCE", "WHAT"]) { json in
            [json["code"]?.string ?? "", json["raised"]?.string ?? "", json["text"]?.string ?? ""]
        }
    }
}

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "List records that could not be decoded, the newest first.",
        discussion: "At most 1000. Their bytes stay in the journal; here they are a number and a digest.")

    @OptionGroup var ask: AskOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        Output.list(
            try await ask.list(.deadLetters), as: format, header: ["RECEIVED", "SOURCE", "PLACE", "WHY"]
        ) { json in
            ["received", "source", "place", "reason"].map { json[$0]?.string ?? "" }
        }
    }
}

struct CountersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters", abstract: "Show a counter of the journal, by label and hour: who read how often.")

    @OptionGroup var ask: AskOptions
    @Argument(help: "The counter's name, as /metrics lists them.") var name: String
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        Output.list(try await ask.list(.counters(name)), as: format, header: ["HOUR", "LABEL", "COUNT"]) { json in
            [json["hour"]?.string ?? "", json["label"]?.string ?? "", json["amount"]?.scalarText ?? ""]
        }
    }
}
