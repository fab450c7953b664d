import ArgumentParser
import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import HoldfastStore

struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Read everything in the accounts and say what does not meet the baseline.",
        discussion: """
            Without a configuration file it uses the provider's standard environment (AWS_ACCESS_KEY_ID, AWS_REGION, \
            AWS_ENDPOINT_URL; AZURE_*; GOOGLE_APPLICATION_CREDENTIALS) and keeps nothing. With one it fills the \
            configured journal, and goes on where an interrupted scan stopped. Findings come the most critical first. \
            Exit code 1: something could not be read. Nothing is ever written to a cloud.
            """)

    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?
    @Option(help: "Only this cloud: aws, azure or gcp. Needed where no configuration names accounts.") var cloud: Cloud?
    @Option(parsing: .upToNextOption, help: "Only these accounts, subscriptions or projects.") var account: [String] =
        []
    @Option(parsing: .upToNextOption, help: "Regions of AWS. Default: the configured ones, or AWS_REGION.")
    var region: [String] = []
    @Option(parsing: .upToNextOption, help: "Only these types.") var type: [String] = []
    @Flag(help: "Scan everything anew, also what an interrupted scan has done.") var again = false
    @Flag(help: "No progress.") var quiet = false
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() async throws {
        let configuration = try ConfigurationFile.read(config)
        let data = try DataSet.load(configuration)
        for name in type where data.catalog.type(name) == nil {
            throw Failure("unknown type \"\(name)\"\(suggestion(for: name, among: data.catalog.typeNames))")
        }
        let isKept = config != nil || FileManager.default.fileExists(atPath: ConfigurationFile.standard)
        let journal = try SQLiteJournal(isKept ? .file(configuration.sqlitePath) : .inMemory)
        let clock = SystemWallClock()
        let clouds = Clouds(catalog: data.catalog, configuration.knowing(try journal.accounts()))
        let limits = data.policy().limits
        let keeper = try Keeper(
            journal: journal, policy: data.policy(found: try journal.accounts()), limits: limits)
        let enrolment = Enrolment(data, keeper: keeper, journal: journal, clouds: clouds, clock: clock)
        try await enrolment.discover()
        let policy = data.policy(found: try journal.accounts())
        let units = try await accounts(try await enrolment.configuration(), clouds).flatMap { $0.units(policy) }
            .filter { type.isEmpty || type.contains($0.type) }
        guard !units.isEmpty else { throw Failure("there is nothing to scan: no type of these accounts can be listed") }
        try await keeper.forgetDenials(now: clock.wallTime())
        let show = ScanShow(quiet: quiet, began: SystemWallClock.now)
        let scan = Scan(keeper: keeper, lister: clouds.reader, clock: clock, units: units) { show.tell($0) }
        let since = again ? SystemWallClock.now : SystemWallClock.now - Span(seconds: 86_400)
        let progress = try await scan.run(skippingDoneSince: since)
        show.end()
        for (unit, error) in progress.failures { Output.error("\(unit): not listed: \(error.message)") }
        try printFindings(journal)
        try await Metering(clouds: clouds, keeper: keeper, clock: clock).write()
        let codes = [NoticeCode.readDenied, .discoveryFailing].map(\.rawValue)
        let notices = try journal.openNotices().filter { codes.contains($0.code) }
        for notice in notices { Output.error("\(notice.code): \(notice.text)") }
        await clouds.http.close()
        try journal.close()
        if !progress.failures.isEmpty || !notices.isEmpty { throw ExitCode.failure }
    }

    private func printFindings(_ journal: any Journal) throws {
        let found = try journal.findings(states: [Finding.State.open.rawValue, Finding.State.stale.rawValue])
            .compactMap { Finding(json: $0.body) }
            .sorted { ($1.severity, $0.resource, $0.rule) < ($0.severity, $1.resource, $1.rule) }
        let items = found.map { finding -> JSON in
            [
                "rule": .string(finding.rule), "id": .string(finding.resource.id),
                "type": .string(finding.resource.type), "account": .string(finding.context.account),
                "region": .string(finding.context.region), "severity": .string(finding.severity.rawValue),
                "offending": .array(finding.offending.map { .string($0.path.description) }),
            ]
        }
        Output.list(items, as: format, header: ["SEVERITY", "RULE", "RESOURCE", "OFFENDING"]) { json in
            [
                Output.coloured(severity: json["severity"]?.string ?? ""), json["rule"]?.string ?? "",
                json["id"]?.string ?? "",
                (json["offending"]?.array ?? []).compactMap(\.string).joined(separator: ", "),
            ]
        }
    }

    // MARK: Accounts

    /// The configured accounts, or those of the environment's credentials.
    private func accounts(_ configuration: Configuration, _ clouds: Clouds) async throws -> [ScanAccount] {
        var found = try clouds.scanAccounts(configuration, regions: region)
        if found.isEmpty {
            let own = try clouds.credentials.ownRegion().map { [$0] } ?? []
            found = [try await environmentAccount(clouds, region.isEmpty ? own : region)]
        }
        found = found.filter { cloud == nil || $0.cloud == cloud }.filter { account.isEmpty || account.contains($0.id) }
        guard !found.isEmpty else { throw Failure("no account is left to scan; look at --cloud and --account") }
        if found.contains(where: { $0.cloud == .aws && $0.regions.isEmpty }) {
            throw Failure("no region of AWS is named: give --region, or set AWS_REGION")
        }
        return found
    }

    private func environmentAccount(_ clouds: Clouds, _ regions: [String]) async throws -> ScanAccount {
        let environment = ProcessInfo.processInfo.environment
        func named(_ variables: [String]) throws -> String {
            if let id = account.first ?? variables.lazy.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) {
                return id
            }
            throw Failure(
                "which account is to be scanned? Give --account, or set \(variables.joined(separator: " or "))")
        }
        switch cloud {
        case .aws?: return ScanAccount(cloud: .aws, id: try await clouds.credentials.ownAccount(), regions: regions)
        case .azure?:
            return ScanAccount(cloud: .azure, id: try named(["AZURE_SUBSCRIPTION_ID"]).lowercased(), regions: [])
        case .gcp?:
            return ScanAccount(
                cloud: .gcp, id: try named(["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"]),
                regions: [])
        case nil: throw Failure("which cloud is to be scanned? Give --cloud, or name accounts in a configuration file")
        }
    }
}

extension Cloud: ExpressibleByArgument {}

/// Shows how a scan goes: one line that moves on a terminal, a line now and then in a log.
private final class ScanShow: Sendable {
    private let quiet: Bool
    private let began: Timestamp

    init(quiet: Bool, began: Timestamp) {
        self.quiet = quiet
        self.began = began
    }

    func tell(_ progress: ScanProgress) {
        guard !quiet else { return }
        let spent = SystemWallClock.now.since(began).nanoseconds
        let left = spent / Int64(max(progress.unitsDone, 1)) * Int64(progress.units - progress.unitsDone)
        let line =
            "\(progress.unitsDone) of \(progress.units) lists, \(progress.resources) resources, "
            + "about \(left / 1_000_000_000) s left; \(progress.lastUnit.map(\.description) ?? "")"
        let bytes = Output.errorIsTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n"
        guard Output.errorIsTerminal || progress.unitsDone % 25 == 0 || progress.unitsDone == progress.units else {
            return
        }
        FileHandle.standardError.write(Data(bytes.utf8))
    }

    func end() { if Output.errorIsTerminal, !quiet { Output.error("") } }
}
