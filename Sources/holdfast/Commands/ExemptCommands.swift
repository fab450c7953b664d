import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

struct ExemptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exempt",
        abstract: "Propose an exemption and see what it would silence; agree to one, refuse it, or take it back.",
        discussion: """
            It goes through the server: one person proposes, another agrees with --approve, and from then on it \
            counts, until its end or --withdraw. Without a server, or with --output, it is written as a data file, \
            which silences nothing until it is reviewed, put under baseline/exemptions/ and loaded.
            """)

    @OptionGroup var desk: DeskOptions
    @Option(help: "The rule's id.") var rule: String?
    @Option(parsing: .upToNextOption, help: "Resource ids; * is any run of characters.") var resource: [String] = []
    @Option(help: "accepted, mitigated or false-positive.") var kind = "accepted"
    @Option(help: "Who answers for it. Through the server: you, where nobody is named.") var owner: String?
    @Option(help: "In a file: who agrees; another person than the owner.") var approver: String?
    @Option(help: "Why it may stay; or why it is refused or taken back.") var reason = ""
    @Option(help: "When it ends, at most a year from now: 2026-06-30.") var end: String?
    @Flag(help: "Only show what it would silence.") var preview = false
    @Option(help: "Write a data file here, and ask no server.") var output: String?
    @Option(help: "Agree to this proposed exemption.") var approve: String?
    @Option(help: "Refuse this proposed exemption.") var refuse: String?
    @Option(help: "Take this exemption back: what it silenced is open again.") var withdraw: String?

    func validate() throws {
        let words = [approve, refuse, withdraw].compactMap { $0 }
        guard words.count <= 1 else { throw ValidationError("one of --approve, --refuse and --withdraw at a time") }
        if words.isEmpty, rule == nil || resource.isEmpty {
            throw ValidationError("an exemption needs --rule and --resource; or give --approve, --refuse or --withdraw")
        }
    }

    func run() async throws {
        for (word, id) in [("approve", approve), ("refuse", refuse), ("withdraw", withdraw)] {
            if let id { return try await desk.post(["exemptions", id, word], ["reason": .string(reason)]) }
        }
        guard let rule else { return }
        guard output == nil, try desk.hasServer else {
            return try ExemptionFile(
                config: desk.config, rule: rule, resources: resource, kind: kind, owner: owner ?? "",
                approver: approver ?? "", reason: reason, end: end ?? "", output: output
            ).propose(previewOnly: preview)
        }
        var wish = JSONObject([("rule", .string(rule)), ("resources", .array(resource.map(JSON.string)))])
        guard !preview else { return show(try await desk.client().post(["exemptions", "preview"], .object(wish))) }
        guard let end else { throw Failure("an exemption needs --end; or give --preview only to look") }
        for (name, value) in [("kind", kind), ("reason", reason), ("end", end), ("owner", owner)] {
            wish[name] = value.map { .string($0) }
        }
        show(try await desk.client().post(["exemptions"], .object(wish)))
    }

    private func show(_ answer: JSON) {
        for finding in answer["silences"]?.array ?? [] {
            let cells = ["severity", "resource", "since", "id"].map { finding[$0]?.string ?? "" }
            Output.line(Terminal.plain("  \(cells.joined(separator: "  "))"))
        }
        Output.line(answer["done"]?.string ?? "done")
    }
}

/// A proposed exemption as a data file for review.
private struct ExemptionFile {
    var config: String?
    var rule: String
    var resources: [String]
    var kind: String
    var owner: String
    var approver: String
    var reason: String
    var end: String
    var output: String?

    func propose(previewOnly: Bool) throws {
        let set = try DataSet.load(try ConfigurationFile.read(config))
        guard set.baseline.rule(rule) != nil else {
            throw Failure("unknown rule \"\(rule)\"\(suggestion(for: rule, among: set.baseline.ruleIDs))")
        }
        let silenced = try silenced()
        Output.line("would silence \(silenced.count) finding\(silenced.count == 1 ? "" : "s"):")
        for finding in silenced {
            Output.line("  \(finding.severity.rawValue)  \(finding.resource.id)  since \(finding.since)  \(finding.id)")
        }
        if !previewOnly { try write() }
    }

    private func silenced() throws -> [Finding] {
        var store = StoreOptions()
        store.config = config
        return try store.openToRead().findings(states: [Finding.State.open.rawValue, Finding.State.stale.rawValue])
            .compactMap { Finding(json: $0.body) }
            .filter { finding in
                finding.rule == rule
                    && resources.contains { $0 == finding.resource.id || TextPattern($0).matches(finding.resource.id) }
            }
    }

    private func write() throws {
        let fields = [("owner", owner), ("approver", approver), ("reason", reason), ("end", end)]
        let missing = fields.filter { $0.1.isEmpty }.map { "--\($0.0)" }
        guard missing.isEmpty else {
            throw Failure("an exemption needs \(missing.joined(separator: ", ")); or give --preview only to look")
        }
        guard owner.lowercased() != approver.lowercased() else {
            throw Failure("\(owner) owns this exemption and cannot approve it; another person must")
        }
        let file = output ?? "exemption-\(rule.replacing("/", with: "-")).yaml"
        let list = resources.map { "  - \(JSON.string($0).canonicalText)" }.joined(separator: "\n")
        let lines = [("rule", rule), ("kind", kind)] + fields
        let text =
            "# Proposed: put it under baseline/exemptions/ once it is agreed.\n"
            + lines.map { "\($0.0): \(JSON.string($0.1).canonicalText)\n" }.joined() + "resources:\n\(list)\n"
        try Data(text.utf8).write(to: URL(filePath: file))
        Output.line("wrote \(file); nothing is silenced until it stands under baseline/exemptions/ and is loaded")
    }
}

struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Propose a pin: desired state for a resource, taken from what is known of it.")

    @OptionGroup var store: StoreOptions
    @Argument(help: "The resource's canonical id.") var id: String
    @Option(parsing: .upToNextOption, help: "The paths to pin.") var path: [PropertyPath]
    @Option(help: "Why it must stay so.") var why = "Pinned as it was known."
    @Option(help: "Where the proposed file goes.") var output: String?

    func run() throws {
        guard let found = try store.archive().resources(asOf: nil, where: { $0.resource.id == id }).first else {
            throw Failure("nothing is known of \(id); `holdfast resources` lists what is")
        }
        let desired = try path.map { path -> String in
            let value = found.view.document[path]
            if let reason = value.unknownReason {
                throw Failure("\(path) of \(id) is not known (\(reason)); it cannot be pinned")
            }
            return "  \(JSON.string(path.description).canonicalText): \(value.json.canonicalText)"
        }
        let name = id.split(whereSeparator: { $0 == "/" || $0 == ":" }).last.map(String.init) ?? "resource"
        let file = output ?? "pin-\(name).yaml"
        let text = """
            # Proposed: put it under baseline/pins/ once it is agreed.
            title: \(JSON.string("\(name) stays as it is").canonicalText)
            type: \(JSON.string(found.stored.resource.type).canonicalText)
            resources: [\(JSON.string(id).canonicalText)]
            why: \(JSON.string(why).canonicalText)
            desired:
            \(desired.joined(separator: "\n"))

            """
        try Data(text.utf8).write(to: URL(filePath: file))
        Output.line("wrote \(file)")
    }
}

extension PropertyPath: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
