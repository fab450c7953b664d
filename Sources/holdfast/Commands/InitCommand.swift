import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastFiles

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a first configuration, with a comment for each choice.",
        discussion: """
            Without a source among the options it asks, on a terminal. A file that is there already is never touched.

              holdfast init --files /var/log/cloudtrail
              holdfast init --kafka broker:9092 --topic cloudtrail
              holdfast init --poll --account gcp:my-project=dev
              holdfast init --poll --account aws:111122223333 --region us-east-1
            """)

    @Option(help: "The file to write.") var output = ConfigurationFile.standard
    @Option(help: "observe: findings; dry-run: plans too, none carried out.") var mode: StarterMode = .dryRun
    @Option(help: "Path of the journal, from the file's folder.") var store = "./holdfast.db"
    @Option(help: "Kafka's brokers: host:port, several with commas.") var kafka: String?
    @Option(parsing: .upToNextOption, help: "Topics of Kafka.") var topic: [String] = []
    @Option(help: "How the brokers are spoken with: plain, tls, scram, event-hubs or google-managed.")
    var kafkaKind: StarterConfiguration.KafkaKind = .plain
    @Option(parsing: .upToNextOption, help: "Files, folders or patterns of events.") var files: [String] = []
    @Flag(help: "Ask the logs of the accounts themselves.") var poll = false
    @Option(
        parsing: .upToNextOption,
        help: "Accounts: aws:ID, azure:SUBSCRIPTION or gcp:PROJECT, with =ENVIRONMENT where it is not production.")
    var account: [String] = []
    @Option(parsing: .upToNextOption, help: "Regions of AWS.") var region: [String] = []
    @Option(help: "The role to read AWS accounts as: arn:aws:iam::{account}:role/NAME. Default: own credentials.")
    var readRole: String?
    @Flag(inversion: .prefixedNo, help: "Read resources in the accounts' clouds.") var read = true
    @Option(parsing: .upToNextOption, help: "Who decides: first.last=USER, USER being theirs on this machine.")
    var approver: [String] = []

    func run() throws {
        guard !FileStatus(output).isThere else {
            throw Failure("\(output) is there already and is left as it is; give --output another path")
        }
        var starter = try fromOptions()
        if kafka == nil, files.isEmpty, !poll {
            guard isatty(STDIN_FILENO) == 1 else {
                throw Failure("where do events come from? Give --kafka, --files or --poll")
            }
            starter = try Questions().answers(starter)
        }
        try Self.check(starter, output)
        do {
            try Data(starter.text.utf8).write(to: URL(filePath: output), options: .withoutOverwriting)
        } catch {
            throw Failure("\(output) cannot be written: \((error as NSError).localizedDescription)")
        }
        Output.line("wrote \(output); next:")
        for next in ["check ", "doctor", "run   "] { Output.line("  holdfast \(next) --config \(output)") }
    }

    private func fromOptions() throws -> StarterConfiguration {
        var starter = StarterConfiguration()
        starter.store = store
        starter.mode = mode.meaning
        if let kafka {
            guard !topic.isEmpty else { throw Failure("which topics are read? Give --topic") }
            starter.kafka = .init(brokers: kafka, topics: topic, kind: kafkaKind)
        }
        starter.files = files
        starter.polls = poll
        starter.accounts = try account.map(Self.account)
        starter.regions = region
        starter.readRole = readRole
        starter.readsClouds = read
        starter.approvers = try approver.map(Self.approver)
        return starter
    }

    static func account(_ text: String) throws -> StarterConfiguration.Account {
        guard let account = StarterConfiguration.Account(text) else {
            throw Failure("\"\(text)\" is no account: aws:111122223333, azure:SUBSCRIPTION or gcp:PROJECT=dev")
        }
        return account
    }

    static func approver(_ text: String) throws -> StarterConfiguration.Approver {
        guard let approver = StarterConfiguration.Approver(text) else {
            throw Failure("\"\(text)\" is nobody: first.last=USER, such as ann.lee=ann")
        }
        return approver
    }

    /// What is written can be read.
    private static func check(_ starter: StarterConfiguration, _ output: String) throws {
        let clouds = Set(starter.accounts.map(\.cloud))
        guard !starter.polls || !clouds.isEmpty else { throw Failure("whose logs are polled? Give --account") }
        guard !clouds.contains(.aws) || !starter.regions.isEmpty || !(starter.polls || starter.readsClouds) else {
            throw Failure("which regions of AWS? Give --region")
        }
        let problems: [Problem]
        do throws(Problem) {
            problems = Configuration.load(try YAMLReader.read(starter.text, file: output), folder: ".").problems
        } catch {
            problems = [error]
        }
        guard problems.isEmpty else { throw Failure(problems.map(\.description).joined(separator: "\n")) }
    }
}

/// What a first configuration may do: it writes to no cloud.
enum StarterMode: String, ExpressibleByArgument, CaseIterable {
    case observe
    case dryRun = "dry-run"

    var meaning: Mode { self == .observe ? .observe : .dryRun }
}

extension StarterConfiguration.KafkaKind: ExpressibleByArgument {}

/// Asks on the terminal what the options do not say.
private struct Questions {
    func answers(_ options: StarterConfiguration) throws -> StarterConfiguration {
        var starter = options
        switch try ask("Where do events come from: kafka, files, or the clouds' own logs (poll)?", usual: "poll") {
        case "kafka":
            let brokers = try ask("Brokers (host:port, several with commas)?", usual: "localhost:9092")
            let topics = list(try ask("Topics?", usual: "cloudtrail"))
            let kinds = StarterConfiguration.KafkaKind.allCases.map(\.rawValue).joined(separator: ", ")
            let kind = try ask("How are they spoken with: \(kinds)?", usual: "plain")
            guard let kind = StarterConfiguration.KafkaKind(rawValue: kind) else {
                throw Failure("\(kind) is none of \(kinds)")
            }
            starter.kafka = .init(brokers: brokers, topics: topics, kind: kind)
        case "files": starter.files = list(try ask("Files, folders or patterns?", usual: "./events"))
        case "poll": starter.polls = true
        case let other: throw Failure("\"\(other)\" is none of kafka, files, poll")
        }
        if starter.accounts.isEmpty {
            starter.accounts = try list(
                try ask("Accounts (aws:ID, azure:SUBSCRIPTION, gcp:PROJECT; =dev or =staging behind it)?", usual: "")
            ).map(InitCommand.account)
        }
        if starter.regions.isEmpty, starter.accounts.contains(where: { $0.cloud == .aws }) {
            starter.regions = list(try ask("Regions of AWS?", usual: "us-east-1"))
        }
        if starter.approvers.isEmpty {
            let all = list(try ask("Who decides (first.last=USER, USER being theirs on this machine)?", usual: ""))
            starter.approvers = try all.map(InitCommand.approver)
        }
        return starter
    }

    private func ask(_ question: String, usual: String) throws -> String {
        let prompt = usual.isEmpty ? "\(question) [none] " : "\(question) [\(usual)] "
        FileHandle.standardOutput.write(Data(prompt.utf8))
        guard let line = readLine() else { throw Failure("the answers ended too soon; nothing was written") }
        let answer = line.trimmingCharacters(in: .whitespaces)
        return answer.isEmpty ? usual : answer
    }

    private func list(_ text: String) -> [String] {
        text.split { $0 == "," || $0 == " " }.map(String.init)
    }
}
