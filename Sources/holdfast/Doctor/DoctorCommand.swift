import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import HoldfastKafka

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Try everything that a configuration needs, and say what fails and what to do about it.",
        discussion: """
            It changes nothing: sources are asked and not read from, groups are not joined, of each type the first \
            page is listed and the first resource read. Of accounts with a write-role in mode remediate that role is \
            taken on, and no call is made with it. It may run beside the service. Exit code 1: something fails.
            """)

    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?
    @Flag(help: "Send each prompt channel a test message.") var send = false
    @Option(help: "In how many accounts permissions are tried, in the configuration's order.") var accounts = 10
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let found = Findings(isText: format == .text)
        if let configuration = readConfiguration(found) { try await examine(configuration, found) }
        if format == .json {
            let all: JSON = [
                "healthy": .bool(!found.hasFailure), "diagnoses": .array(found.all.map(\.json)),
            ]
            Output.line(Output.pretty(all))
        } else if found.hasFailure {
            Output.line("\(found.all.count { $0.state == .fails }) of \(found.all.count) fail")
        } else {
            Output.line("all \(found.all.count) are well")
        }
        if found.hasFailure { throw ExitCode.failure }
    }

    /// What was found, told as it is found.
    final class Findings {
        private(set) var all: [Diagnosis] = []
        private let isText: Bool
        var hasFailure: Bool { all.contains { $0.state == .fails } }

        init(isText: Bool) { self.isText = isText }

        func add(_ diagnoses: [Diagnosis]) {
            all += diagnoses
            if isText { for diagnosis in diagnoses { Output.line(diagnosis.lines) } }
        }
    }

    private func readConfiguration(_ found: Findings) -> Configuration? {
        let usual = ConfigurationFile.exists ? ConfigurationFile.standard : nil
        guard let path = config ?? usual else {
            found.add([
                .fails(
                    "configuration", "", "there is no ./\(ConfigurationFile.standard), and no --config FILE",
                    do: "`holdfast init` writes one")
            ])
            return nil
        }
        let (configuration, problems) = ConfigurationFile.load(path)
        found.add(
            problems.map {
                .fails("configuration", "", $0.description, do: "mend it; docs/configuration.md has every key")
            })
        guard problems.isEmpty, let configuration else { return nil }
        found.add([.ok("configuration", path, "it can be read")])
        return configuration
    }

    private func examine(_ configuration: Configuration, _ found: Findings) async throws {
        let data: DataSet
        do { data = try DataSet.read(configuration) } catch {
            return found.add([.fails("data files", "", "\(error)", do: "name the folders under data:")])
        }
        found.add(Self.diagnoses(data))
        found.add(MachineCheckup(configuration).diagnoses())
        found.add([Self.library])
        let sources = SourceCheckup(configuration)
        for source in configuration.sources { found.add(await sources.diagnoses(source)) }
        found.add(await CloudCheckup(data, accountLimit: accounts).diagnoses { found.add($0) })
        let http = Serving.client(configuration)
        found.add(await PeopleCheckup(configuration, http, sends: send).diagnoses())
        await http.close()
    }

    private static func diagnoses(_ data: DataSet) -> [Diagnosis] {
        guard data.problems.isEmpty else {
            return data.problems.map {
                .fails("data files", "", $0.description, do: "mend it; what it says is left out")
            }
        }
        let text = "\(data.baseline.rules.count) rules, \(data.playbooks.all.count) playbooks"
        guard !data.baseline.rules.isEmpty else {
            return [.fails("data files", "", text, do: "name folders with rules under data: baseline:")]
        }
        return [.ok("data files", "", text)]
    }

    private static var library: Diagnosis {
        .note(
            "librdkafka", KafkaLibrary.version,
            "it rules out " + KafkaLibrary.ruledOut.joined(separator: "; "))
    }
}

extension ConfigurationFile {
    /// Whether `./holdfast.yaml` is there.
    static var exists: Bool { FileStatus(standard).isThere }
}
