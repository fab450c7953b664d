import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
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

extension DataSet {
    /// What could be read; what is broken is said on standard error and left out, and the rest goes on.
    static func load(_ configuration: Configuration) throws -> DataSet {
        let data = try read(configuration)
        for problem in data.problems { Output.error(problem.description) }
        return data
    }

    /// - Throws: ``Failure`` with every problem, where there is one: for a reload, which keeps the old data then.
    static func loadWhole(_ configuration: Configuration) throws -> DataSet {
        let data = try read(configuration)
        guard data.problems.isEmpty else { throw Failure(data.problems.map(\.description).joined(separator: "\n")) }
        return data
    }

    /// What could be read, with everything that is wrong.
    ///
    /// - Throws: ``Failure`` where the configuration names no data and none is shipped.
    static func read(_ configuration: Configuration) throws -> DataSet {
        let folders = DataFolders(
            catalog: try folders(configuration, \.catalog, "catalog"),
            baseline: try folders(configuration, \.baseline, "baseline"),
            playbooks: try folders(configuration, \.playbooks, "playbooks"),
            tune: configuration.tune.map(configuration.resolve))
        return DataSet(folders, configuration: configuration, now: SystemWallClock.now)
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
