import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

struct ExemptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exempt",
        abstract: "Propose an exemption: shows what it would silence, and writes a data file for review.",
        discussion: "Nothing is silenced until the file is reviewed, put under baseline/exemptions/ and loaded.")

    @OptionGroup var store: StoreOptions
    @Option(help: "The rule's id.") var rule: String
    @Option(parsing: .upToNextOption, help: "Resource ids; * is any run of characters.") var resource: [String]
    @Option(help: "accepted, mitigated or false-positive.") var kind = "accepted"
    @Option(help: "Who answers for it.") var owner = ""
    @Option(help: "Who agrees; another person than the owner.") var approver = ""
    @Option(help: "Why it may stay.") var reason = ""
    @Option(help: "When it ends, at most a year from now: 2026-06-30.") var end = ""
    @Flag(help: "Only show what it would silence.") var preview = false
    @Option(help: "Where the proposed file goes.") var output: String?

    func run() throws {
        let set = try DataSet.load(try ConfigurationFile.read(store.config))
        guard set.baseline.rule(rule) != nil else {
            throw Failure("unknown rule \"\(rule)\"\(suggestion(for: rule, among: set.baseline.ruleIDs))")
        }
        let silenced = try silenced()
        Output.line("would silence \(silenced.count) finding\(silenced.count == 1 ? "" : "s"):")
        for finding in silenced {
            Output.line("  \(finding.severity.rawValue)  \(finding.resource.id)  since \(finding.since)  \(finding.id)")
        }
        guard !preview else { return }
        try write()
    }

    private func silenced() throws -> [Finding] {
        try store.openToRead().findings(states: [Finding.State.open.rawValue, Finding.State.stale.rawValue])
            .compactMap { Finding(json: $0.body) }
            .filter { finding in
                finding.rule == rule
                    && resource.contains { $0 == finding.resource.id || TextPattern($0).matches(finding.resource.id) }
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
        let resources = resource.map { "  - \(JSON.string($0).canonicalText)" }.joined(separator: "\n")
        let lines = [("rule", rule), ("kind", kind)] + fields
        let text =
            "# Proposed: put it under baseline/exemptions/ once it is agreed.\n"
            + lines.map { "\($0.0): \(JSON.string($0.1).canonicalText)\n" }.joined() + "resources:\n\(resources)\n"
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
