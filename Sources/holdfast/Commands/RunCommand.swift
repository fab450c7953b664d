import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import HoldfastKafka
import HoldfastStore
import Logging
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the always-on service: events in, findings and dry-run plans out.",
        discussion: """
            SIGTERM and SIGINT drain and commit. SIGHUP reloads the data files, as `holdfast reload` does; a broken \
            reload keeps the old ones and says so. With sources that end (files, standard input) it stops when they \
            have ended.
            """)

    @Option(name: .customLong("config"), help: "The configuration file.") var config: String
    @Flag(help: "Print the summary only.") var quiet = false

    func run() async throws {
        let configuration = try ConfigurationFile.read(config)
        guard !configuration.sources.isEmpty else {
            throw Failure("\(config) names no sources: add `sources:` with file, kafka, stdin or one that is polled")
        }
        let data = try DataSet.load(configuration)
        let journal = try SQLiteJournal(.file(configuration.sqlitePath))
        let known = configuration.knowing(try journal.accounts())
        let policy = data.policy(found: try journal.accounts())
        let clock = SystemWallClock()
        let logger = Logs.begin(configuration.log)
        let began = clock.wallTime()
        let keeper = try Keeper(
            journal: journal, policy: policy, limits: policy.limits, tools: try Remediating.tools(configuration))
        try await noteStart(keeper, data, clock)
        try await keeper.forgetDenials(now: clock.wallTime())
        try await keeper.noteModes(now: clock.wallTime())
        let recorded = try readRecorded(data, clock)
        let clouds = reach(known, data.catalog)
        let read = configuration.clouds.isEmpty ? nil : clouds
        let reader = read?.reader as (any StateReader)? ?? RecordedStateReader.orNone(recorded)
        try await firstScan(keeper, journal, recorded, clock)
        let enrolment = Enrolment(
            data, keeper: keeper, journal: journal, clouds: clouds,
            polling: clouds.map { Polling($0, catalog: data.catalog, clock: clock, began: began) }, clock: clock)
        let sources =
            configuration.sources.compactMap { Wiring.source($0, configuration: configuration, clock: clock) }
            + (try await enrolment.newSources())
        let anchoring = try Anchoring(configuration, data, keeper, clock)
        let service = Service(
            keeper: keeper, sources: sources, arrivals: enrolment.arrivals, reader: reader, clock: clock,
            limits: policy.limits, tell: telling(configuration.log, logger))
        let http = Serving.client(configuration)
        let channels = try Messaging.channels(configuration, http, keeper)
        try await keeper.beginRouting(now: clock.wallTime())
        let prompting = try Prompting(configuration, http, channels)
        let lane = RemediationLane(
            keeper: keeper, reader: reader, writer: clouds?.writer, notifiers: prompting.notifiers, clock: clock,
            runsAtOnce: configuration.runsAtOnce)
        let metering = Metering(clouds: clouds, keeper: keeper, clock: clock)
        let parts: [any Part] = [
            Reloading(
                config: config, desk: ReloadDesk(path: configuration.sqlitePath), keeper: keeper, enrolment: enrolment,
                clock: clock),
            anchoring,
            Discovering(
                enrolment: enrolment, every: configuration.discoverEvery, isOn: !configuration.discover.isEmpty,
                clock: clock),
            Scanning(
                clouds: read, enrolment: enrolment, policy: policy, keeper: keeper, every: configuration.scanEvery,
                clock: clock),
            Remediating(lane: lane), metering,
            Messaging(lane: MessageLane(keeper: keeper, channels: channels, clock: clock)),
            try Serving(
                configuration, keeper, journal, sources: sources.map(\.name), prompts: prompting.tally,
                slack: try Messaging.slack(configuration, channels), http: http,
                clock, logger),
        ]
        try await group(Running(service: service), parts, logger).run()
        try await metering.write()
        await clouds?.http.close()
        try await anchoring.end()
        let writes = configuration.remediation.highest == .remediate
        for line in try Summary(journal: journal, totals: await keeper.totals, writes: writes).lines {
            Output.line(line)
        }
        try journal.close()
    }

    /// What reaches the clouds; `nil` where nothing does. Only where a scope is in mode remediate can it write.
    private func reach(_ configuration: Configuration, _ catalog: Catalog) -> Clouds? {
        let reaches =
            configuration.sources.contains(where: \.isPolled) || !configuration.clouds.isEmpty
            || !configuration.discover.isEmpty
        let mayWrite = configuration.remediation.highest == .remediate
        return reaches ? Clouds(catalog: catalog, configuration, mayWrite: mayWrite) : nil
    }

    private func telling(_ log: LogSettings, _ logger: Logger) -> @Sendable (Happening) -> Void {
        let progress = Progress(quiet: quiet)
        return { log.format == .text ? progress.tell($0) : Logs.tell($0, to: logger) }
    }

    /// All parts, which end with the engine.
    private func group(_ engine: Running, _ parts: [any Part], _ logger: Logger) -> ServiceGroup {
        ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: engine, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                ] + parts.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    }

    private func noteStart(_ keeper: Keeper, _ data: DataSet, _ clock: SystemWallClock) async throws {
        let notices =
            data.problems.isEmpty
            ? []
            : [
                Notice(
                    code: NoticeCode.dataBroken.rawValue, subject: "data files",
                    text: "\(data.problems.count) problems in data files; what they stand in is left out",
                    raised: clock.wallTime())
            ]
        try await keeper.note(
            notices: notices,
            audit: [
                AuditEntry(
                    kind: "data-loaded", at: clock.wallTime(),
                    body: [
                        "program": .string(Version.text), "catalog": .string(data.catalogDigest),
                        "baseline": .string(data.baselineDigest), "playbook-files": .string(data.playbooksDigest),
                        "rules": .number(JSONNumber(data.baseline.rules.count)),
                        "playbooks": .number(JSONNumber(data.playbooks.all.count)),
                        "mode": .string(data.configuration.mode.rawValue),
                    ])
            ])
    }

    private func readRecorded(_ data: DataSet, _ clock: SystemWallClock) throws -> [RecordedResource] {
        try data.configuration.recorded.flatMap { path -> [RecordedResource] in
            let read = try StateFile.read(
                data.configuration.resolve(path), catalog: data.catalog, now: clock.wallTime())
            for problem in read.problems { Output.error(problem) }
            return read.resources
        }
    }

    /// What was recorded before the first event is the first scan: its findings are backlog.
    private func firstScan(
        _ keeper: Keeper, _ journal: any Journal, _ recorded: [RecordedResource], _ clock: SystemWallClock
    ) async throws {
        guard !recorded.isEmpty, try journal.resources(after: nil, limit: 1).isEmpty else { return }
        try await keeper.scan(recorded, now: clock.wallTime())
    }
}

/// The engine as a service that SIGTERM shuts down.
private struct Running: Part {
    let service: HoldfastEngine.Service<SystemWallClock>

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await service.run() }
    }
}

extension RecordedStateReader {
    fileprivate static func orNone(_ recorded: [RecordedResource]) -> any StateReader {
        recorded.isEmpty ? NoReader() : RecordedStateReader(recorded)
    }
}

enum Wiring {
    /// `nil` for a source that is polled.
    static func source(
        _ source: Configuration.Source, configuration: Configuration, clock: SystemWallClock
    ) -> (any EventSource)? {
        switch source {
        case .file(let paths, let follow):
            FileSource(paths: paths.map(configuration.resolve), follow: follow) {
                try await clock.sleep(for: .milliseconds(500))
            }
        case .stdin: StdinSource { try await clock.sleep(for: .milliseconds(20)) }
        case .kafka(let brokers, let topics, let group, let options):
            KafkaSource(
                KafkaConfiguration(
                    brokers: brokers, topics: topics, group: group, options: options.mapValues(fromEnvironment)))
        case .cloudTrailLookup, .cloudTrailQueue, .cloudTrailBucket, .azureActivity, .googleLogging: nil
        }
    }

    /// `env:NAME` is the value of an environment variable, so that no secret stands in a file.
    static func fromEnvironment(_ value: String) -> String {
        guard value.hasPrefix("env:") else { return value }
        return ProcessInfo.processInfo.environment[String(value.dropFirst(4))] ?? ""
    }
}
