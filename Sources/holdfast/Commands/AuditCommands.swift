import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The audit log.", subcommands: [List.self, Verify.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List audit entries, the oldest first: decisions, approvals, calls, loads of data files.")
        @OptionGroup var ask: AskOptions
        @Option(parsing: .upToNextOption, help: "Only entries of these kinds: data-loaded, plan, …") var kind: [String] = []
        @Option(help: "text, json or jsonl; jsonl is what exports take.") var format: ListFormat = .text

        func run() async throws {
            Output.list(
                try await ask.list(.audit(kinds: kind)), as: format, header: ["SEQUENCE", "AT", "KIND", "WHAT"]
            ) { json in
                [
                    json["sequence"]?.scalarText ?? "", json["at"]?.string ?? "", json["kind"]?.string ?? "",
                    String((json["body"]?.canonicalText ?? "").prefix(160)),
                ]
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the audit chain and the evidence log for edits, cuts and rewrites.")
        @OptionGroup var store: StoreOptions
        @Option(help: "The anchor file that the service wrote checkpoints to; without one a cut tail can't be seen.")
        var anchor: String?
        @Option(help: "text or json.") var format: OutputFormat = .text

        func run() throws {
            let path = try ConfigurationFile.read(store.config).sqlitePath
            guard FileManager.default.fileExists(atPath: path) else { throw Failure("there is no journal at \(path)") }
            let journal = try SQLiteJournal(.file(path), access: .readOnly)
            let report = try journal.verifyAudit(anchor: anchor.map { AuditAnchor(path: $0) })
            switch format {
            case .json: Output.line(Output.pretty(json(report)))
            case .text: printText(report)
            }
            if !report.isIntact { throw ExitCode.failure }
        }

        private func json(_ report: AuditReport) -> JSON {
            let faults = report.faults.map { fault -> JSON in
                [
                    "log": .string(fault.log.rawValue), "kind": .string(fault.kind.rawValue),
                    "sequence": .number(JSONNumber(Int(fault.sequence))), "message": .string(fault.message),
                ]
            }
            return [
                "intact": .bool(report.isIntact), "entries": .number(JSONNumber(Int(report.entries))),
                "batches": .number(JSONNumber(Int(report.batches))), "faults": .array(faults),
                "blind-spots": .array(report.blindSpots.map { .string($0) }),
            ]
        }

        private func printText(_ report: AuditReport) {
            for fault in report.faults { Output.line(fault.message) }
            Output.line(
                "\(report.entries) audit entries and \(report.batches) batches: "
                    + (report.isIntact ? "intact" : "\(report.faultCount) faults"))
            for spot in report.blindSpots { Output.line("not seen: \(spot)") }
        }
    }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Evaluate everything from scratch and compare: incremental must equal full.")
    @OptionGroup var store: StoreOptions
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let configuration = try ConfigurationFile.read(store.config)
        let policy = try DataSet.load(configuration).policy()
        let verification = try Verification.run(
            journal: try store.openToRead(), policy: policy, now: SystemWallClock.now
        ) { count in
            if Output.errorIsTerminal { FileHandle.standardError.write(Data("\r\(count) resources".utf8)) }
        }
        if Output.errorIsTerminal { Output.error("") }
        let json: JSON = [
            "resources": .number(JSONNumber(verification.resources)),
            "evaluations": .number(JSONNumber(verification.evaluations)),
            "disagreements": .array(verification.disagreements.map { .string($0) }),
        ]
        if format == .json {
            Output.line(Output.pretty(json))
        } else {
            for line in verification.disagreements { Output.line(line) }
            Output.line(
                "\(verification.resources) resources, \(verification.evaluations) evaluations, "
                    + "\(verification.disagreements.count) disagreements")
        }
        if !verification.disagreements.isEmpty { throw ExitCode.failure }
    }
}

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of a kind of data file, for editors.")

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case catalog, rule, framework, exemption, pin, tune, playbook, configuration
    }
    @Argument(help: "catalog, rule, framework, exemption, pin, tune, playbook or configuration.") var kind: Kind

    func run() throws {
        let schema: JSON =
            switch kind {
            case .catalog: Catalog.schemaShape.jsonSchema
            case .rule: BaselineFile.shape(of: .rules).jsonSchema
            case .framework: BaselineFile.shape(of: .frameworks).jsonSchema
            case .exemption: BaselineFile.shape(of: .exemptions).jsonSchema
            case .pin: BaselineFile.shape(of: .pins).jsonSchema
            case .tune: BaselineFile.shape(of: .tune).jsonSchema
            case .playbook: Playbooks.schema
            case .configuration: Configuration.shape.jsonSchema
            }
        var object = schema.object ?? JSONObject()
        object["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        object["title"] = .string("holdfast \(kind.rawValue)")
        Output.line(Output.pretty(.object(object)))
    }
}
