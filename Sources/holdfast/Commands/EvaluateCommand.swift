import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Evaluate recorded resource states, without a service.",
        discussion: """
            Each line of the file is {"type", "id", "account", "region", "labels", "configuration"}. A top-level \
            property \
            that a configuration does not name is unknown; one that is null is absent. Prints {rule, id, verdict, \
            offending, reason} for each rule that applies.
            """)

    @Option(help: "The states, one JSON object a line; - is standard input.") var state: String
    @OptionGroup var data: DataOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .jsonl

    func run() throws {
        let set = try data.load()
        let policy = set.policy()
        let states = try StateFile.read(state, catalog: set.catalog, now: SystemWallClock.now)
        for problem in states.problems { Output.error(problem) }
        let verdicts = try RecordedEvaluation(policy: policy, resources: states.resources, now: SystemWallClock.now)
            .verdicts(in: SQLiteJournal(.inMemory))
        let rows = verdicts.map { rule, resource, verdict -> JSON in
            [
                "rule": .string(rule), "id": .string(resource.id), "verdict": .string(verdict.outcome.rawValue),
                "offending": .array(verdict.offending.map { .string($0.path.description) }),
                "reason": .string(verdict.reason),
            ]
        }
        Output.list(rows, as: format, header: ["VERDICT", "RULE", "RESOURCE", "WHY"]) { json in
            ["verdict", "rule", "id", "reason"].map { json[$0]?.string ?? "" }
        }
        if !states.problems.isEmpty { throw ExitCode.failure }
    }
}

/// Reads resource states, one JSON object a line.
enum StateFile {
    static func read(
        _ path: String, catalog: Catalog, now: Timestamp
    ) throws -> (resources: [RecordedResource], problems: [String]) {
        let bytes: Data
        if path == "-" {
            bytes = FileHandle.standardInput.readDataToEndOfFile()
        } else {
            guard let read = FileManager.default.contents(atPath: path) else {
                throw Failure("\(path) cannot be read; is it there, and may this user read it?")
            }
            bytes = read
        }
        var resources: [RecordedResource] = []
        var problems: [String] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.allSatisfy({ $0 <= 0x20 }) { continue }
            let place = "\(path):\(index + 1)"
            do throws(LineFault) {
                resources.append(try resource(Array(line), place: place, catalog: catalog, now: now))
            } catch {
                problems.append("\(place): \(error.reason)")
            }
        }
        return (resources, problems)
    }

    private struct LineFault: Error {
        var reason: String
    }

    private static func resource(
        _ line: [UInt8], place: String, catalog: Catalog, now: Timestamp
    ) throws(LineFault) -> RecordedResource {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(line, limits: JSONLimits(rejectsDuplicateKeys: true))
        } catch {
            throw LineFault(reason: "\(error)")
        }
        guard let name = json["type"]?.string, let id = json["id"]?.string else {
            throw LineFault(reason: "a state has \"type\" and \"id\", both texts")
        }
        guard let type = catalog.type(name) else {
            throw LineFault(reason: "unknown type \"\(name)\"\(suggestion(for: name, among: catalog.typeNames))")
        }
        guard let configuration = json["configuration"], configuration.object != nil else {
            throw LineFault(reason: "a state has \"configuration\", a map")
        }
        let context = ResourceContext(
            cloud: type.cloud, account: json["account"]?.scalarText ?? "", region: json["region"]?.string ?? "")
        let canonical = catalog.resource(type: name, named: id, in: context) ?? ResourceID(type: name, id: id)
        let recorded = json["recorded"]?.string.flatMap { Timestamp($0) } ?? now
        return RecordedResource(
            resource: canonical, context: context,
            configuration: withLabels(json["labels"]?.object, in: configuration, of: type), recorded: recorded,
            place: place)
    }

    /// Labels stand where the type keeps them, unless the configuration says them itself.
    private static func withLabels(_ labels: JSONObject?, in configuration: JSON, of type: ResourceType) -> JSON {
        guard let labels, var object = configuration.object, let path = Labels.path(in: type), path.steps.count == 1,
            let property = path.property, object[property] == nil
        else { return configuration }
        object[property] =
            type.cloud == .aws
            ? .array(labels.members.map { ["Key": .string($0.name), "Value": $0.value] }) : .object(labels)
        return .object(object)
    }
}
