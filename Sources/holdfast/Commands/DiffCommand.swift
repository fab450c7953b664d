import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show how the posture changed between two moments, by the journal.",
        discussion: "Times as `holdfast replay` takes them: RFC 3339, a date, or before now (-2h).")

    @OptionGroup var store: StoreOptions
    // Unconditional: "-2h" is a value.
    @Option(parsing: .unconditional, help: "The earlier moment.") var from: String
    @Option(parsing: .unconditional, help: "The later moment. Default: now.") var to: String = "now"
    @Option(help: "Only this account, subscription or project.") var account: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let now = SystemWallClock.now
        let (start, end) = (try moment(from, "--from", now), try moment(to, "--to", now))
        guard start < end else { throw Failure("--to (\(end)) does not lie behind --from (\(start))") }
        let policy = try DataSet.load(try ConfigurationFile.read(store.config)).policy()
        let json = try PostureDiff(
            journal: try store.openToRead(), policy: policy, from: start, to: end, account: account
        ).json()
        switch format {
        case .json: Output.line(Output.pretty(json))
        case .text: printText(json)
        }
    }

    private func moment(_ text: String, _ option: String, _ now: Timestamp) throws -> Timestamp {
        guard let moment = ReplayWindow.moment(text, now: now) else {
            throw Failure(ReplayOptions.noMoment(option, text))
        }
        return moment
    }

    private func printText(_ json: JSON) {
        Output.line(Output.bold("\(json["from"]?.string ?? "") to \(json["to"]?.string ?? "")"))
        for resource in json["resources"]?.array ?? [] {
            Output.line("\(resource["change"]?.string ?? "")  \(resource["id"]?.string ?? "")")
            for change in resource["changes"]?.array ?? [] {
                Output.line(
                    "    \(change["path"]?.string ?? ""): \(change["before"]?.canonicalText ?? "") -> "
                        + "\(change["after"]?.canonicalText ?? "")")
            }
            for (name, word) in [("opened", "more reachable"), ("closed", "less reachable"), ("actors", "by")] {
                for text in resource[name]?.array ?? [] { Output.line("    \(word): \(text.string ?? "")") }
            }
        }
        for finding in json["findings"]?.array ?? [] {
            Output.line(
                "finding \(finding["change"]?.string ?? "")  "
                    + "\(Output.coloured(severity: finding["severity"]?.string ?? ""))  "
                    + "\(finding["rule"]?.string ?? "")  \(finding["resource"]?.string ?? "")")
        }
    }
}
