import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

struct ResourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource", abstract: "Show what is known of a resource, now or as of a moment.")

    @OptionGroup var store: StoreOptions
    @Argument(help: "The resource's canonical id.") var id: String
    @Option(name: .customLong("as-of"), help: "A moment (RFC 3339): what had happened by then.") var asOf: Timestamp?
    @Flag(help: "Also what happened to it, event by event.") var history = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let desk = try ResourceDesk(store)
        let found = try desk.resources(asOf: asOf).filter { $0.stored.resource.id == id }
        guard !found.isEmpty else {
            throw Failure("nothing is known of \(id); `holdfast resources` lists what is")
        }
        let shown = try found.map { resource -> JSON in
            var json = resource.json
            json["findings"] = .array(try desk.findings(of: resource.stored.resource, asOf: asOf))
            if history { json["history"] = .array(try desk.history(of: resource.stored.resource, upTo: asOf)) }
            return .object(json)
        }
        switch format {
        case .json: Output.line(Output.pretty(shown.count == 1 ? shown[0] : .array(shown)))
        case .text: for json in shown { printText(json) }
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

struct ResourcesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resources", abstract: "List known resources, by type, account, label or what they are set to.")

    @OptionGroup var store: StoreOptions
    @Option(help: "Only of this type.") var type: String?
    @Option(help: "Only of this account.") var account: String?
    @Option(help: "Only with this label or tag: NAME or NAME=VALUE.") var label: String?
    @Option(name: .customLong("where"), help: "Only where a path has this value: PATH=VALUE.") var condition: String?
    @Option(name: .customLong("as-of"), help: "A moment (RFC 3339): what had happened by then.") var asOf: Timestamp?
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() throws {
        let wanted = try condition.map(PathCondition.init(argument:))
        let desk = try ResourceDesk(store)
        let found = try desk.resources(asOf: asOf).filter { resource in
            (type.map { $0 == resource.stored.resource.type } ?? true)
                && (account.map { $0 == resource.stored.context.account } ?? true)
                && (wanted.map { $0.holds(in: resource.view.document) } ?? true)
                && (label.map { resource.hasLabel($0) } ?? true)
                && !resource.view.isDeleted
        }
        Output.list(
            found.map { .object($0.json) }, as: format, header: ["TYPE", "ID", "ACCOUNT", "REGION", "STATE"]
        ) { json in
            ["type", "id", "account", "region", "state"].map { json[$0]?.string ?? "" }
        }
    }
}

/// `PATH=VALUE`
struct PathCondition {
    var path: PropertyPath
    var value: String

    init(argument: String) throws {
        guard let equals = argument.firstIndex(of: "="), let path = PropertyPath(argument[..<equals]) else {
            throw Failure("--where takes PATH=VALUE, such as PubliclyAccessible=true; \"\(argument)\" is not that")
        }
        self.path = path
        value = String(argument[argument.index(after: equals)...])
    }

    func holds(in document: StateValue) -> Bool {
        guard case .scalar(let json) = document[path] else { return false }
        return json.scalarText == value
    }
}

extension Timestamp: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
