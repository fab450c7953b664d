import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastKafka

/// One source of a replay: how it is read, and read again for what belongs to the timeline beside its writes.
struct ReplayInput {
    /// As coverage calls it.
    var name: String
    var first: any EventSource
    var again: any EventSource
    /// What the source can say of the time that it covers, after it was read.
    var claims: @Sendable () async -> [Coverage.Claim] = { [] }
    /// Bytes that are to be read, where that is known.
    var size: Int64 = 0
}

/// Makes the sources that a command names.
struct ReplayInputs {
    let options: ReplayOptions
    let configuration: Configuration
    let catalog: Catalog
    let window: ReplayWindow
    /// Of copies; removed by the caller.
    let temporary: URL

    func make() throws -> [ReplayInput] {
        switch options.source {
        case .file: [try files()]
        case .kafka: [try kafka()]
        case .s3: try polled { if case .cloudTrailBucket = $0 { true } else { false } }
        case .api:
            try polled {
                switch $0 {
                case .cloudTrailLookup, .azureActivity, .googleLogging: true
                case .file, .kafka, .stdin, .cloudTrailQueue, .cloudTrailBucket: false
                }
            }
        case .journal: []
        }
    }

    private func files() throws -> ReplayInput {
        guard !options.paths.isEmpty else {
            throw Failure(
                "name the files, folders or patterns that hold the events: holdfast replay --source file PATH…")
        }
        return ReplayInput(
            name: "file", first: FileSource(paths: options.paths) {}, again: FileSource(paths: options.paths) {},
            size: EventFiles.list(options.paths).reduce(0) { $0 + $1.size })
    }

    // MARK: Kafka

    private func kafka() throws -> ReplayInput {
        guard let from = window.from else {
            throw Failure("--source kafka needs --from: topics are read from a moment on")
        }
        var settings: KafkaConfiguration?
        for case .kafka(let brokers, let topics, _, let given) in configuration.sources {
            settings = KafkaConfiguration(
                brokers: brokers, topics: topics, group: Self.group, options: given.mapValues(Wiring.fromEnvironment))
            break
        }
        if let brokers = options.brokers {
            settings = KafkaConfiguration(
                brokers: brokers, topics: settings?.topics ?? [], group: Self.group, options: settings?.options ?? [:])
        }
        if !options.topic.isEmpty { settings?.topics = options.topic }
        guard let settings, !settings.topics.isEmpty else {
            throw Failure(
                "--source kafka needs a kafka source in the configuration, or --brokers HOST:PORT and --topic NAME")
        }
        let until = try window.to.flatMap { end in try options.lateness.map { end + $0 } }
        let source = KafkaWindowSource(
            settings, name: "kafka:\(settings.topics.joined(separator: ","))", from: from - Self.lookBack, until: until)
        let window = window
        return ReplayInput(
            name: source.name, first: source, again: source,
            claims: { await Self.claims(source.coverage(), window) })
    }

    /// A group of its own, that nothing is ever committed for.
    private static let group = "holdfast-replay"
    /// Sessions that were opened before the window lead back to people; most are an hour long at most.
    private static let lookBack = Span(seconds: 3600)

    private static func claims(_ parts: [KafkaCoverage], _ window: ReplayWindow) -> [Coverage.Claim] {
        guard let from = window.from else { return [] }
        let read = parts.reduce(0) { $0 + $1.read }
        let skipped = parts.reduce(0) { $0 + $1.skipped }
        let late = parts.compactMap(\.beginsLate).max().map { max($0, from) }
        let end = window.to ?? .distantFuture
        var claims: [Coverage.Claim] = []
        if let late, late > from {
            claims.append(
                Coverage.Claim(
                    basis: .offsets, from: from, to: min(late, end), state: .missing,
                    known: "Offsets: the log of a partition begins at \(late); what came before was deleted."))
        }
        if late ?? from < end {
            let known =
                "Offsets: \(parts.count) partitions were read from the window's first to its last, \(read) messages"
            claims.append(
                Coverage.Claim(
                    basis: .offsets, from: late ?? from, to: end, state: skipped == 0 ? .complete : .partial,
                    known: skipped == 0
                        ? "\(known), none left out; that the topic got every event is for its writer to say."
                        : "\(known); \(skipped) offsets hold nothing (compaction, or marks of transactions)."))
        }
        return claims
    }

    // MARK: Polled logs

    private func polled(_ isWanted: (Configuration.Source) -> Bool) throws -> [ReplayInput] {
        guard let from = window.from else {
            throw Failure("--source \(options.source.rawValue) needs --from: a cloud's log is read from a moment on")
        }
        let wanted = configuration.sources.filter(isWanted)
        guard !wanted.isEmpty else {
            throw Failure(
                "--source \(options.source.rawValue) reads the configuration's sources, and it has none of the kind: "
                    + (options.source == .s3
                        ? "add `- cloudtrail-s3: {bucket: …}`" : "add cloudtrail-lookup, azure-activity or gcp-logging")
            )
        }
        let until = window.to ?? SystemWallClock.now
        let polling = Polling(
            Clouds(catalog: catalog, configuration), catalog: catalog, clock: SystemWallClock(), began: from,
            until: until)
        let sources = try wanted.flatMap { try polling.sources(for: $0, configuration: configuration) ?? [] }
        return sources.enumerated().map { index, source in
            let copy = temporary.appending(path: "source-\(index)").path
            let claim = Coverage.Claim(
                basis: .offsets, from: from, to: until, state: .complete,
                known: options.source == .s3
                    ? "The bucket was listed to its end, and every file that it names was read; no digest was checked."
                    : "The cloud's own log was asked for this time and read to its last page.")
            return ReplayInput(
                name: source.name, first: CopyingSource(source, to: copy), again: FileSource(paths: [copy]) {},
                claims: { [claim] })
        }
    }
}
