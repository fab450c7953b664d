import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastCrypto
import HoldfastFiles
import HoldfastJSON

/// Where a command takes its data files from.
struct DataOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?

    func load() throws -> DataSet {
        try DataSet.load(try ConfigurationFile.read(config))
    }
}

/// The folders that ship with the program: beside the working directory or above the program itself.
enum ShippedData {
    static func folder(_ name: String) -> String? {
        let manager = FileManager.default
        var places = [manager.currentDirectoryPath]
        var above = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        if let real = try? manager.destinationOfSymbolicLink(atPath: "/proc/self/exe") { above = URL(filePath: real) }
        while above.path != "/" {
            above.deleteLastPathComponent()
            places += [above.path, above.appending(path: "share/holdfast").path]
        }
        return places.first { place in
            ["catalog", "baseline", "playbooks"].allSatisfy { manager.fileExists(atPath: "\(place)/\($0)") }
        }.map { $0 == manager.currentDirectoryPath ? name : "\($0)/\(name)" }
    }
}

/// All data files of a configuration, loaded and checked against each other.
struct DataSet {
    var configuration: Configuration
    var catalog: Catalog
    var baseline: Baseline
    var playbooks: Playbooks
    var problems: [Problem]
    /// SHA-256 over names and contents of the catalog's files.
    var catalogDigest: String

    /// - Throws: ``Failure`` with every problem, where there is one.
    static func load(_ configuration: Configuration) throws -> DataSet {
        let data = try read(configuration)
        guard data.problems.isEmpty else { throw Failure(data.problems.map(\.description).joined(separator: "\n")) }
        return data
    }

    /// What could be read, with everything that is wrong.
    ///
    /// - Throws: ``Failure`` where the configuration names no data and none is shipped.
    static func read(_ configuration: Configuration) throws -> DataSet {
        let catalogFolders = try folders(configuration, \.catalog, "catalog")
        let (catalogFiles, catalogReading) = DataFolder.read(catalogFolders)
        var problems = catalogReading
        let (operations, operationProblems) = OperationList.read(catalogFolders)
        problems += operationProblems
        let (catalog, catalogProblems) = Catalog.load(
            catalogFiles.map { ($0.name, $0.node) }, operations: operations.isEmpty ? nil : operations)
        problems += catalogProblems

        let baselineFolders = try folders(configuration, \.baseline, "baseline")
        let baselineFiles = try readBaseline(baselineFolders, tune: configuration.tune, configuration, &problems)
        let (baseline, baselineProblems) = Baseline.load(
            baselineFiles, catalog: catalog, lists: Set(configuration.lists.keys),
            environments: configuration.environments, now: SystemWallClock.now)
        problems += baselineProblems

        let (playbookFiles, playbookReading) = DataFolder.read(try folders(configuration, \.playbooks, "playbooks"))
        problems += playbookReading
        let rules = Dictionary(baseline.rules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let lists = Baseline.configurationLists.union(configuration.lists.keys)
        let (playbooks, playbookProblems) = Playbooks.load(
            playbookFiles.map { ($0.name, $0.node) },
            vocabulary: PlaybookVocabulary(catalog: catalog, rules: rules, lists: lists))
        problems += playbookProblems
        return DataSet(
            configuration: configuration, catalog: catalog, baseline: baseline, playbooks: playbooks,
            problems: problems, catalogDigest: digest(catalogFiles))
    }

    private static func folders(
        _ configuration: Configuration, _ path: KeyPath<Configuration, [String]>, _ shipped: String
    ) throws -> [String] {
        let named = configuration[keyPath: path]
        if !named.isEmpty { return named.map(configuration.resolve) }
        guard let folder = ShippedData.folder(shipped) else {
            throw Failure("there is no \(shipped) folder here or above the program; name one under data: \(shipped):")
        }
        return [folder]
    }

    private static func readBaseline(
        _ folders: [String], tune: [String], _ configuration: Configuration, _ problems: inout [Problem]
    ) throws -> [BaselineFile] {
        let (files, reading) = DataFolder.read(folders)
        let (tunes, tuneReading) = DataFolder.read(tune.map(configuration.resolve))
        problems += reading + tuneReading
        var found = tunes.map { BaselineFile(kind: .tune, name: $0.name, node: $0.node) }
        for file in files {
            if let (kind, name) = BaselineFile.place(ofPath: file.name) {
                found.append(BaselineFile(kind: kind, name: name, node: file.node))
            } else {
                let kinds = BaselineFile.Kind.allCases.map { "\($0.rawValue)/" }.joined(separator: ", ")
                problems.append(Problem("a baseline file lies in one of \(kinds)", at: file.node.place))
            }
        }
        return found
    }

    private static func digest(_ files: [DataFile]) -> String {
        let text = files.map { "\($0.name)\n\($0.node.json.canonicalText)\n" }.joined()
        return sha256(text.utf8).description
    }

    /// What the engine runs by.
    func policy() -> Policy {
        var limits = Limits()
        limits.knownEvents = configuration.knownEvents
        limits.describesAtOnce = configuration.describesAtOnce
        limits.settleTime = configuration.settleTime
        limits.clockTolerance = configuration.clockTolerance
        limits.dirtyAge = configuration.dirtyAge
        return Policy(
            catalog: catalog, baseline: baseline, playbooks: playbooks, classification: classification,
            lists: lists, limits: limits, plansAreMade: configuration.mode == .dryRun, catalogDigest: catalogDigest)
    }

    private var classification: Classification {
        let accounts = configuration.accounts.compactMap { account in
            account.environment.map { Classification.Account(cloud: account.cloud, id: account.id, environment: $0) }
        }
        let facts = configuration.accounts.map { account in
            ("\(account.cloud.rawValue)/\(account.id)", account.name.isEmpty ? [:] : ["name": account.name])
        }
        return Classification(
            environments: configuration.environments, accounts: accounts,
            lines: configuration.classify.map { .init(match: ["name": $0.name], environment: $0.environment) },
            trustsLabels: configuration.trustsLabels, facts: Dictionary(facts, uniquingKeysWith: { $1 }))
    }

    /// The configuration's lists; `our-accounts` is its accounts where it does not say otherwise.
    private var lists: [String: [String]] {
        var lists = configuration.lists
        if lists["our-accounts"] == nil, !configuration.accounts.isEmpty {
            lists["our-accounts"] = configuration.accounts.map(\.id)
        }
        return lists
    }
}

/// `operations.tsv` of each cloud: the names of the operations that the cloud logs.
enum OperationList {
    static func read(_ folders: [String]) -> (operations: [Cloud: Set<String>], problems: [Problem]) {
        var operations: [Cloud: Set<String>] = [:]
        for folder in folders {
            for cloud in Cloud.allCases {
                let path = "\(folder)/\(cloud.rawValue)/operations.tsv"
                guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
                let names = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
                    .compactMap { $0.split(separator: "\t").first.map(String.init) }
                operations[cloud, default: []].formUnion(names)
            }
        }
        return (operations, [])
    }
}

/// The machine's clock, for commands and for the service.
struct SystemWallClock: HoldfastClock {
    typealias Instant = ContinuousClock.Instant
    private let continuous = ContinuousClock()

    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    var now: Instant { continuous.now }
    var minimumResolution: Duration { continuous.minimumResolution }
    func wallTime() -> Timestamp { Self.now }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await continuous.sleep(until: deadline, tolerance: tolerance)
    }
}
