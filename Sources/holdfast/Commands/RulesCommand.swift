import ArgumentParser
import HoldfastCore
import HoldfastFiles
import HoldfastJSON

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "The baseline's rules, as tuned.", subcommands: [List.self, Show.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the rules.")
        @OptionGroup var data: DataOptions
        @Option(help: "text, json or jsonl.") var format: ListFormat = .text

        func run() throws {
            let set = try data.load()
            let rows = set.baseline.rules.map { rule -> JSON in
                let effective = set.baseline.effective(rule)
                return [
                    "id": .string(rule.id), "title": .string(rule.title),
                    "types": .array(rule.types.map { .string($0) }),
                    "severity": .string(effective.severity.value.rawValue),
                    "maturity": .string(effective.maturity.value.rawValue),
                    "disabled": effective.disabled.map { .string($0.value) } ?? .null,
                    "controls": .array(set.baseline.controls(coveredBy: rule.id).map { .string($0) }),
                ]
            }
            Output.list(rows, as: format, header: ["SEVERITY", "MATURITY", "ID", "TITLE"]) { json in
                [
                    Output.coloured(severity: json["severity"]?.string ?? ""), json["maturity"]?.string ?? "",
                    json["id"]?.string ?? "", json["title"]?.string ?? "",
                ]
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a rule as it holds, with the file that set each value.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The rule's id.") var id: String
        @Option(help: "text or json.") var format: OutputFormat = .text

        func run() throws {
            let set = try data.load()
            guard let rule = set.baseline.rule(id) else {
                throw Failure("unknown rule \"\(id)\"\(suggestion(for: id, among: set.baseline.ruleIDs))")
            }
            let effective = set.baseline.effective(rule)
            func setting(_ value: JSON, _ place: SourcePlace) -> JSON {
                ["value": value, "set-by": .string(place.description)]
            }
            let remedies = rule.types.compactMap { type in
                set.playbooks.playbook(for: rule.id, type: type).map { JSON.string($0.id) }
            }
            let json: JSON = [
                "id": .string(rule.id), "title": .string(rule.title), "why": .string(rule.why),
                "types": .array(rule.types.map { .string($0) }),
                "severity": setting(.string(effective.severity.value.rawValue), effective.severity.place),
                "maturity": setting(.string(effective.maturity.value.rawValue), effective.maturity.place),
                "params": .object(
                    JSONObject(effective.params.map { ($0.key, setting($0.value.value, $0.value.place)) })),
                "disabled": effective.disabled.map { setting(.string($0.value), $0.place) } ?? .null,
                "reads": .array(rule.reads.paths.map { .string($0.description) }),
                "fix": .object(JSONObject(rule.fix.map { ($0.by, .string($0.text)) })),
                "controls": .array(set.baseline.controls(coveredBy: rule.id).map { .string($0) }),
                "playbooks": .array(remedies),
            ]
            Output.line(Output.pretty(json))
        }
    }
}
