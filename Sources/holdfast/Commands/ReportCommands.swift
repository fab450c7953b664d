import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "What would have been done, and which exemptions end.",
        subcommands: [DryRun.self, Exemptions.self])

    struct DryRun: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dry-run",
            abstract: "What would have been done were the mode remediate, and which guard would have stopped the rest.",
            discussion:
                "It is made of the decisions that the service took; what was not drift under its eyes is backlog.")
        @OptionGroup var ask: AskOptions
        @Option(help: "Only what was decided since this moment (RFC 3339), or for so long: 7d.") var since = "7d"
        @Option(help: "text or json.") var format: OutputFormat = .text

        func run() async throws {
            guard let moment = Timestamp(since) ?? Span(since).map({ SystemWallClock.now - $0 }) else {
                throw Failure("--since \(since) is neither a moment nor a time such as 7d")
            }
            let report = try await ask.one(.dryRun(since: moment))
            guard format == .text else { return Output.line(Output.pretty(report)) }
            let count = report["findings"]?.int ?? 0
            Output.line("\(count) finding\(count == 1 ? " was" : "s were") decided since \(moment)")
            Output.table(
                header: ["PLAYBOOK", "ENVIRONMENT", "FINDINGS", "DONE", "CALLS", "APPROVALS", "STOPPED BY"],
                rows: (report["by-playbook"]?.array ?? []).map(Self.cells))
            Output.table(
                header: ["SEVERITY", "RESOURCE", "FINDING", "WHAT"],
                rows: (report["rows"]?.array ?? []).map { row in
                    let stopped = row["stopped-by"]?.string.map { "\($0): \(row["reason"]?.string ?? "")" }
                    let done = row["needs-approval"] == true ? "after approval" : "without asking"
                    return [
                        Output.coloured(severity: row["severity"]?.string ?? ""), row["resource"]?.string ?? "",
                        row["finding"]?.string ?? "", Terminal.plain(stopped ?? done),
                    ]
                })
        }

        private static func cells(_ row: JSON) -> [String] {
            let stopped = (row["stopped-by"]?.object?.members ?? []).map { "\($0.name) \($0.value.scalarText ?? "")" }
            return ["playbook", "environment", "findings", "would-be-done", "calls", "need-approval"].map {
                row[$0]?.scalarText ?? ""
            } + [stopped.joined(separator: ", ")]
        }
    }

    struct Exemptions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Exemptions that end soon, and proposed ones, with what they silence: for the quarterly review.")
        @OptionGroup var ask: AskOptions
        @Option(help: "Those that end within this time.") var due = "90d"
        @Option(help: "text, json or jsonl.") var format: ListFormat = .text

        func run() async throws {
            guard let span = Span(due) else { throw Failure("--due \(due) is no length of time, such as 90d") }
            Output.list(
                try await ask.list(.exemptions(due: span)), as: format,
                header: ["END", "STATE", "RULE", "KIND", "OWNER", "APPROVER", "SILENCES", "WHERE"]
            ) { json in
                let place = json["id"]?.string ?? json["file"]?.string ?? ""
                let cells = ["end", "state", "rule", "kind", "owner", "approver"].map { json[$0]?.string ?? "" }
                return cells.map(Terminal.plain) + [String(json["silences"]?.array?.count ?? 0), place]
            }
        }
    }
}
