import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The audit log.", subcommands: [List.self, Verify.self, Export.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List audit entries, the oldest first: decisions, approvals, calls, loads of data files.")
        @OptionGroup var ask: AskOptions
        @Option(parsing: .upToNextOption, help: "Only entries of these kinds: data-loaded, plan, …") var kind:
            [String] = []
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
            abstract: "Check the audit chain and the evidence log for edits, cuts and rewrites.",
            discussion: """
                Where the service has `keys: audit:`, its checkpoints are signed. The key is made, and its public half \
                taken out for whoever verifies, by
                  openssl genpkey -algorithm ed25519 -out audit.key
                  openssl pkey -in audit.key -pubout -out audit.pub
                An anchor is read as a file of lines: the file itself, what was exported of a topic or of syslog, or a \
                folder of objects that were downloaded from S3.
                """)
        @OptionGroup var store: StoreOptions
        @Option(
            help: """
                What an anchor holds: a file or a folder; several times for several. Without one a cut tail can't be \
                seen.
                """)
        var anchor: [String] = []
        @Option(help: "A public key in PEM by which checkpoints must be signed; several times after a change of keys.")
        var key: [String] = []
        @Option(help: "Verify this file of `audit export` in place of the journal.") var file: String?
        @Option(help: "text or json.") var format: OutputFormat = .text

        func run() throws {
            let anchors = try anchor.map { try AnchorContent(path: $0) }
            let keys = try key.map { try Self.key($0) }
            let report =
                try file.map { try AuditExportFile(path: $0).verify(anchors: anchors, keys: keys) }
                ?? store.openAudit().verifyAudit(anchors: anchors, keys: keys)
            switch format {
            case .json: Output.line(Output.pretty(report.json))
            case .text: printText(report)
            }
            if !report.isIntact { throw ExitCode.failure }
        }

        private static func key(_ path: String) throws -> CheckpointKey {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw Failure("\(path) cannot be read, or is no text")
            }
            do { return try CheckpointKey(pem: text) } catch { throw Failure("\(path): \(error)") }
        }

        private func printText(_ report: AuditReport) {
            for fault in report.faults { Output.line(fault.message) }
            let sealed = report.sealedBatches > 0 ? ", and records for \(report.sealedBatches) that were deleted" : ""
            Output.line(
                "\(report.entries) audit entries and \(report.batches) batches\(sealed): "
                    + (report.isIntact ? "intact" : "\(report.faultCount) faults"))
            for witness in report.witnesses {
                let signed = report.hasKeys ? ", \(witness.signed) with a good signature" : ""
                Output.line("\(witness.name): \(witness.checkpoints) checkpoints\(signed)")
            }
            for spot in report.blindSpots { Output.line("not seen: \(spot)") }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write audit entries and checkpoints as lines of JSON, which `audit verify --file` checks.")
        @OptionGroup var store: StoreOptions
        @Option(help: "Only entries from this moment on (RFC 3339).") var from: Timestamp?
        @Option(help: "Only entries until this moment (RFC 3339).") var to: Timestamp?
        @Option(help: "jsonl.") var format: ExportFormat = .jsonl

        enum ExportFormat: String, ExpressibleByArgument { case jsonl }

        func run() throws {
            try store.openAudit().exportAudit(from: from ?? .distantPast, to: to ?? .distantFuture) { line in
                try FileHandle.standardOutput.write(contentsOf: line + [UInt8(ascii: "\n")])
            }
        }
    }
}

extension StoreOptions {
    /// The journal, for its two logs.
    fileprivate func openAudit() throws -> SQLiteJournal {
        let path = try ConfigurationFile.read(config).sqlitePath
        guard FileManager.default.fileExists(atPath: path) else { throw Failure("there is no journal at \(path)") }
        return try SQLiteJournal(.file(path), access: .readOnly)
    }
}

extension AuditReport {
    fileprivate var json: JSON {
        let faults = faults.map { fault -> JSON in
            [
                "log": .string(fault.log.rawValue), "kind": .string(fault.kind.rawValue),
                "sequence": .number(JSONNumber(Int(fault.sequence))), "message": .string(fault.message),
            ]
        }
        let witnesses = witnesses.map { witness -> JSON in
            [
                "name": .string(witness.name), "checkpoints": .number(JSONNumber(Int(witness.checkpoints))),
                "signed": .number(JSONNumber(Int(witness.signed))),
                "unsigned": .number(JSONNumber(Int(witness.unsigned))),
                "entries": .number(JSONNumber(Int(witness.entries))),
                "batches": .number(JSONNumber(Int(witness.batches))),
            ]
        }
        return [
            "intact": .bool(isIntact), "entries": .number(JSONNumber(Int(entries))),
            "batches": .number(JSONNumber(Int(batches))),
            "sealed-batches": .number(JSONNumber(Int(sealedBatches))), "faults": .array(faults),
            "checkpoints": .array(witnesses), "blind-spots": .array(blindSpots.map { .string($0) }),
        ]
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
