import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastKafka

/// The sources that are no cloud's: files and Kafka.
struct SourceCheckup {
    private let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// Empty for a source that is polled: ``CloudCheckup`` asks those.
    func diagnoses(_ source: Configuration.Source) async -> [Diagnosis] {
        switch source {
        case .file(let paths, let follow): paths.map { file(configuration.resolve($0), follow) }
        case .stdin: [.ok("source", "stdin", "events on standard input")]
        case .kafka(let brokers, let topics, let group, let options):
            await kafka(brokers, topics, group, options)
        case .cloudTrailLookup, .cloudTrailQueue, .cloudTrailBucket, .azureActivity, .googleLogging: []
        }
    }

    private func file(_ path: String, _ follow: Bool) -> Diagnosis {
        guard !path.contains(where: { "*?[".contains($0) }) else {
            return .ok("source", "file \(path)", "a pattern: it is looked for when the service runs")
        }
        let status = FileStatus(path)
        guard status.isThere else {
            let text = "\(status.reason)\(follow && status.code == ENOENT ? "; the service waits for it" : "")"
            return .fails("source", "file \(path)", text, do: "correct paths:, or let this user see it")
        }
        guard access(path, status.isFolder ? R_OK | X_OK : R_OK) == 0 else {
            return .fails("source", "file \(path)", "this user may not read it", do: "chmod or chown it")
        }
        return .ok("source", "file \(path)", status.isFolder ? "the folder can be read" : "it can be read")
    }

    private func kafka(
        _ brokers: String, _ topics: [String], _ group: String, _ options: [String: String]
    ) async -> [Diagnosis] {
        let subject = "kafka \(brokers)"
        let unset = options.values.filter { $0.hasPrefix("env:") && Wiring.fromEnvironment($0).isEmpty }.sorted()
        guard unset.isEmpty else {
            return unset.map {
                .fails(
                    "source", subject, "the environment has no \($0.dropFirst(4))",
                    do: "set it where the service starts, such as in its EnvironmentFile")
            }
        }
        let settings = KafkaConfiguration(
            brokers: brokers, topics: topics, group: group, options: options.mapValues(Wiring.fromEnvironment))
        do {
            let found = try await KafkaProbe().look(settings, name: "kafka:\(group)")
            return found.map {
                .ok("source", subject, "the topic \($0.topic) has \($0.partitions) partitions; the group is \(group)")
            }
        } catch {
            return [.fails("source", subject, error.message, do: Self.remedy(error))]
        }
    }

    private static func remedy(_ error: SourceError) -> String {
        switch error.code {
        case "broker-down": "try `nc -z HOST PORT` from here; then the address, firewalls, and security.protocol"
        case "no-such-topic": "make the topic, or correct topics:; Holdfast makes none"
        case "authentication-failed": "look at sasl.* and ssl.* under options:, and at the credentials' end"
        case "not-allowed": "give this user READ on the topics and the group"
        default: "correct options:"
        }
    }
}
