import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct ResourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource", abstract: "Show what is known of a resource, now or as of a moment.")

    @OptionGroup var ask: AskOptions
    @Argument(help: "The resource's canonical id.") var id: String
    @Option(name: .customLong("as-of"), help: "A moment (RFC 3339): what had happened by then.") var asOf: Timestamp?
    @Flag(help: "Also what happened to it, event by event.") var history = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let shown = try await ask.one(.resource(id: id, asOf: asOf, history: history))
        switch format {
        case .json: Output.line(Output.pretty(shown))
        case .text: for json in shown.array ?? [shown] { printText(json) }
        }
    }

    private func printText(_ json: JSON) {
        Output.line(Output.bold("\(json["type"]?.string ?? "") \(json["id"]?.string ?? "")"))
        for name in ["account", "region", "state", "incarnation"] {
            if let text = json[name]?.string, !text.isEmpty { Output.line("\(name): \(text)") }
        }
        Output.line("configuration: \(Output.pretty(json["configuration"] ?? .null))")
        if let unknown = json["unknown"]?.string { Output.line("not known: \(unknown)") }
        for finding in json["findings"]?.array ?? [] {
            Output.line(
                "finding: \(finding["state"]?.string ?? "") \(finding["severity"]?.string ?? "") "
                    + "\(finding["rule"]?.string ?? "") since \(finding["since"]?.string ?? "")")
        }
        for entry in json["history"]?.array ?? [] {
            Output.line(
                "\(entry["happened"]?.string ?? "")  \(entry["action"]?.string ?? "")  "
                    + "\(entry["actor"]?.string ?? "")  \(entry["event"]?.string ?? "")")
        }
    }
}

struct ResourcesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resources", abstract: "List known resources, by type, account, label or what they are set to.")

    @OptionGroup var ask: AskOptions
    @Option(help: "Only of this type.") var type: String?
    @Option(help: "Only of this account.") var account: String?
    @Option(help: "Only with this label or tag: NAME or NAME=VALUE.") var label: String?
    @Option(name: .customLong("where"), help: "Only where a path has this value: PATH=VALUE.") var condition: PathCondition?
    @Option(name: .customLong("as-of"), help: "A moment (RFC 3339): what had happened by then.") var asOf: Timestamp?
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        var filter = ResourceFilter()
        filter.type = type
        filter.account = account
        filter.label = label
        filter.condition = condition
        filter.asOf = asOf
        Output.list(
            try await ask.list(.resources(filter)), as: format, header: ["TYPE", "ID", "ACCOUNT", "REGION", "STATE"]
        ) { json in
            ["type", "id", "account", "region", "state"].map { json[$0]?.string ?? "" }
        }
    }
}

extension PathCondition: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Timestamp: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
