import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

struct CatalogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "What each cloud event means, and what is missing.",
        subcommands: [List.self, Show.self, Missing.self, Prove.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the types of resources.")
        @OptionGroup var data: DataOptions
        @Option(help: "text, json or jsonl.") var format: ListFormat = .text

        func run() throws {
            let catalog = try data.load().catalog
            let rows = catalog.typeNames.compactMap { catalog.type($0) }.map { type -> JSON in
                [
                    "type": .string(type.name), "cloud": .string(type.cloud.rawValue),
                    "service": .string(type.service), "id": .string(type.id.description),
                    "operations": .number(JSONNumber(catalog.actions(changing: type.name).count)),
                ]
            }
            Output.list(rows, as: format, header: ["TYPE", "OPERATIONS", "ID"]) { json in
                [json["type"]?.string ?? "", json["operations"]?.scalarText ?? "", json["id"]?.string ?? ""]
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a type: its id, properties and operations.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The type's name, such as AWS::S3::Bucket.") var type: String
        @Option(help: "text or json.") var format: OutputFormat = .text

        func run() throws {
            let catalog = try data.load().catalog
            guard let found = catalog.type(type) else {
                throw Failure("unknown type \"\(type)\"\(suggestion(for: type, among: catalog.typeNames))")
            }
            let json: JSON = [
                "type": .string(found.name), "id": .string(found.id.description), "example": .string(found.example),
                "scope": .string(found.scope.rawValue), "properties": .array(found.paths.sorted().map { .string($0) }),
                "read": .array(found.read.map { .string($0.call) }),
                "operations": .array(catalog.actions(changing: found.name).map { .string($0) }),
                "file": .string(found.place.description),
            ]
            Output.line(format == .json ? Output.pretty(json) : text(json))
        }

        private func text(_ json: JSON) -> String {
            let object = json.object ?? JSONObject()
            return object.members.map { member in
                let values = member.value.array?.compactMap(\.string) ?? [member.value.string ?? ""]
                return values.count == 1
                    ? "\(member.name): \(values[0])"
                    : "\(member.name):\n" + values.map { "  \($0)" }.joined(separator: "\n")
            }.joined(separator: "\n")
        }
    }

    struct Missing: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List operations that came in events and are not in the catalog, with how often.")
        @OptionGroup var store: StoreOptions
        @Option(help: "text, json or jsonl.") var format: ListFormat = .text

        func run() throws {
            let counters = try store.openToRead().counters(name: "operation.unknown")
            let rows = counters.sorted { ($1.amount, $0.label) < ($0.amount, $1.label) }.map { counter -> JSON in
                let parts = counter.label.split(separator: " ", maxSplits: 1).map(String.init)
                return [
                    "cloud": .string(parts[0]), "operation": .string(parts.count > 1 ? parts[1] : ""),
                    "count": .number(JSONNumber(Int(counter.amount))),
                ]
            }
            Output.list(rows, as: format, header: ["COUNT", "CLOUD", "OPERATION"]) { json in
                ["count", "cloud", "operation"].map { json[$0]?.scalarText ?? "" }
            }
        }
    }
}
