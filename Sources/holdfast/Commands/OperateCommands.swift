import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct HaltCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt", abstract: "Stop all writes, or those of a part, before the next one.",
        discussion: "A file /etc/holdfast/HALT (`halt-file:`) does the same where no server answers.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "all, cloud:CLOUD, account:ID, environment:NAME or playbook:ID.") var scope = "all"
    @Option(help: "Why; everybody sees it.") var reason: String

    func run() async throws {
        try await desk.post(["halts"], ["part": .string(scope), "reason": .string(reason)])
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "End a halt. Without --reason it lists what is halted.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "all, cloud:CLOUD, account:ID, environment:NAME or playbook:ID.") var scope = "all"
    @Option(help: "Why it may go on; kept in the audit log.") var reason: String?

    func run() async throws {
        if let reason {
            return try await desk.post(["halts", "resume"], ["part": .string(scope), "reason": .string(reason)])
        }
        let halts = try await desk.client().get(["halts"])["items"]?.array ?? []
        Output.list(halts, as: .text, header: ["WHAT", "BY", "SINCE", "WHY"]) { json in
            ["part", "by", "at", "reason"].map { Terminal.plain(json[$0]?.string ?? "") }
        }
    }
}

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List what was carried out, the newest first, or show one run.")
    @OptionGroup var ask: AskOptions
    @Argument(help: "Only this run, in full.") var run: String?
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        if let run { return Output.line(Output.pretty(try await ask.one(.run(run)))) }
        Output.list(
            try await ask.list(.runs), as: format,
            header: ["RUN", "STATE", "PLAYBOOK", "RESOURCE", "ENVIRONMENT", "BEGUN", "WHY"]
        ) { json in
            ["id", "phase", "playbook", "resource", "environment", "opened", "reason"].map {
                Terminal.plain(json[$0]?.string ?? "")
            }
        }
    }
}

struct RolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout", abstract: "Where each playbook stands in each environment, and what it lacks.",
        subcommands: [Show.self, Open.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show where each playbook stands (the default).")
        @OptionGroup var ask: AskOptions
        @Option(help: "text, json or jsonl.") var format: ListFormat = .text

        func run() async throws {
            let rows = try await ask.list(.rollout)
            guard format == .text else { return Output.list(rows, as: format, header: []) { _ in [] } }
            let cells = rows.flatMap { row -> [[String]] in
                (row["environments"]?.array ?? []).map { place in
                    [
                        row["playbook"]?.string ?? "", place["environment"]?.string ?? "",
                        place["open"] == true ? "open" : "closed", place["verified"]?.scalarText ?? "",
                        place["lacks"]?.string ?? "",
                    ]
                }
            }
            Output.table(header: ["PLAYBOOK", "ENVIRONMENT", "STATE", "VERIFIED", "LACKS"], rows: cells)
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open an environment to a playbook as it is now; two people must.")
        @OptionGroup var desk: DeskOptions
        @Argument(help: "The playbook's id.") var playbook: String
        @Argument(help: "The environment.") var environment: String
        @Option(help: "Why; kept in the audit log.") var reason: String

        func run() async throws {
            try await desk.post(
                ["rollout"],
                [
                    "playbook": .string(playbook), "environment": .string(environment), "reason": .string(reason),
                ])
        }
    }
}

struct CampaignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "campaign",
        abstract: "Propose to fix the backlog of a playbook as one list, which another approves.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "The playbook's id.") var playbook: String
    @Option(help: "Where: environment:NAME, account:ID, type:TYPE, label:NAME=PATTERN, with commas between.")
    var scope: String
    @Option(help: "How many are fixed before the next begin, 1 to 100.") var wave = 5
    @Option(help: "Why; who approves reads it.") var reason: String

    func run() async throws {
        try await desk.post(
            ["campaigns"],
            [
                "playbook": .string(playbook), "scope": .string(scope), "wave": .number(JSONNumber(wave)),
                "reason": .string(reason),
            ])
    }
}

struct CampaignsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "campaigns", abstract: "List campaigns.")
    @OptionGroup var ask: AskOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        Output.list(
            try await ask.list(.campaigns), as: format,
            header: ["ID", "STATE", "PLAYBOOK", "SCOPE", "PLANS", "BY", "WHY"]
        ) { json in
            let count = String(json["items"]?.array?.count ?? 0)
            return ["id", "state", "playbook", "scope"].map { json[$0]?.string ?? "" }
                + [count, json["proposed-by"]?.string ?? "", Terminal.plain(json["reason"]?.string ?? "")]
        }
    }
}

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Why something, or nothing, is done about a finding: its cause and what each guard says.")
    @OptionGroup var ask: AskOptions
    @Argument(help: "The finding's id, as `holdfast findings` lists it.") var finding: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let json = try await ask.one(.why(finding: finding))
        guard format == .text else { return Output.line(Output.pretty(json)) }
        guard let found = json["finding"].flatMap(Finding.init(json:)) else {
            throw Failure("\(finding) cannot be read")
        }
        let title = json["rule"]?["title"]?.string ?? found.rule
        var lines = [
            "\(found.resource.id): \(title)",
            "  \(found.severity.rawValue), \(found.environment), \(found.state.rawValue)",
        ]
        lines.append(
            found.cause.isBaseline
                ? "  no event says who made it so; known since \(found.since)"
                : "  \(([found.cause.actor] + found.cause.chain).joined(separator: ", a session of ")) did "
                    + "\(found.cause.action) at \(found.cause.time)")
        for line in lines { Output.line(Terminal.plain(line)) }
        guard let decision = json["decision"].flatMap(Decision.init(json:)) else {
            let why = json["plan"]?["reason"]?.string ?? "there is no plan for it"
            return Output.line(Terminal.plain("nothing is decided: \(why)"))
        }
        for line in PeopleText.lines(json) { Output.line(Terminal.plain("  \(line)")) }
        for answer in decision.answers {
            let mark = answer.word == .pass ? "✓" : answer.word == .refuse ? "✗" : "…"
            let name = answer.name.rawValue + String(repeating: " ", count: 10 - answer.name.rawValue.count)
            Output.line(Terminal.plain("  \(mark) \(name)  \(answer.reason)"))
        }
        guard let way = decision.wayOn else { return Output.line("all of them let it pass") }
        Output.line(Terminal.plain("the first thing that would let it go on: \(way)"))
    }
}

struct AcknowledgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: "Say that you have seen a finding.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "The finding's id.") var finding: String
    @Option(help: "What others should know.") var note = ""

    func run() async throws {
        try await desk.post(["findings", finding, "acknowledge"], ["note": .string(note)])
    }
}

struct AssignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assign", abstract: "Ask somebody to mend a finding.")
    @OptionGroup var desk: DeskOptions
    @Argument(help: "The finding's id.") var finding: String
    @Argument(help: "One of identities; without one it is nobody's.") var person = ""
    @Option(help: "What they should know.") var note = ""

    func run() async throws {
        try await desk.post(["findings", finding, "assign"], ["to": .string(person), "note": .string(note)])
    }
}
