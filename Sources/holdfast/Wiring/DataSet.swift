import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles

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
