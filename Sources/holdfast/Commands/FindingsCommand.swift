import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct FindingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "findings", abstract: "List findings: what drifted, since when, and who did it.")

    @OptionGroup var store: StoreOptions
    @Flag(help: "Only those that are open or stale.") var open = false
    @Option(parsing: .upToNextOption, help: "Only these severities: low, medium, high, critical.")
    var severity: [Severity] = []
    @Option(help: "Only those of a resource: its id, or a part of it.") var resource: String?
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() throws {
        let journal = try store.openToRead()
        let states: [Finding.State] = open ? [.open, .stale] : Finding.State.allCases
        let found = try journal.findings(states: states.map(\.rawValue))
            .compactMap { Finding(json: $0.body) }
            .filter { severity.isEmpty || severity.contains($0.severity) }
            .filter { finding in resource.map { finding.resource.id.contains($0) } ?? true }
            .sorted { ($1.severity, $0.since, $0.id) < ($0.severity, $1.since, $1.id) }
        Output.list(
            found.map(\.json), as: format, header: ["SEVERITY", "STATE", "RULE", "RESOURCE", "SINCE", "BY", "ID"]
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

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what would be done about a finding: exact calls, undo, digest. Dry-run.")

    @OptionGroup var store: StoreOptions
    @Argument(help: "The finding's id, as `holdfast findings` lists it.") var finding: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let journal = try store.openToRead()
        guard let stored = try journal.finding(id: finding) else {
            throw Failure("there is no finding \(finding); `holdfast findings` lists them")
        }
        guard let plan = try journal.plan(finding: finding) else {
            let state = stored.state
            throw Failure(
                "there is no plan for \(finding) (\(stored.rule), \(state)): no playbook remedies this rule for "
                    + "\(stored.resource.type), or its state was not known well enough to write exact calls")
        }
        switch format {
        case .json: Output.line(Output.pretty(plan.body))
        case .text: Output.line(plan.body["text"]?.string ?? plan.body.canonicalText)
        }
    }
}

struct NoticesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notices", abstract: "List what waits for a person. Each notice has a page in runbooks/.")

    @OptionGroup var store: StoreOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() throws {
        let notices = try store.openToRead().openNotices().map { notice -> JSON in
            [
                "code": .string(notice.code), "subject": .string(notice.subject), "text": .string(notice.text),
                "raised": .string(notice.raised.description), "runbook": .string("runbooks/\(notice.code).md"),
            ]
        }
        Output.list(notices, as: format, header: ["CODE", "SINCE", "WHAT"]) { json in
            [json["code"]?.string ?? "", json["raised"]?.string ?? "", json["text"]?.string ?? ""]
        }
    }
}
