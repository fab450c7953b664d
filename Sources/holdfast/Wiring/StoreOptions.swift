import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastStore

/// Which journal a command reads: the configuration's.
struct StoreOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?

    func openToRead() throws -> any Journal {
        let path = try ConfigurationFile.read(config).sqlitePath
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure("there is no journal at \(path); `holdfast run` makes it, or give --config FILE")
        }
        return try SQLiteJournal(.file(path), access: .readOnly)
    }
}

enum ConfigurationFile {
    static let standard = "holdfast.yaml"

    /// The named file, or `./holdfast.yaml`, or defaults alone.
    static func read(_ path: String?) throws -> Configuration {
        guard let path = path ?? (FileManager.default.fileExists(atPath: standard) ? standard : nil) else {
            return Configuration(folder: ".")
        }
        let (configuration, problems) = load(path)
        guard problems.isEmpty, let configuration else {
            throw Failure(problems.map(\.description).joined(separator: "\n"))
        }
        return configuration
    }

    /// The file with everything that is wrong with it.
    static func load(_ path: String) -> (configuration: Configuration?, problems: [Problem]) {
        do throws(Problem) {
            let node = try DataFolder.readFile(path)
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            let (configuration, problems) = Configuration.load(node, folder: folder.isEmpty ? "/" : folder)
            return (configuration, problems)
        } catch {
            return (nil, [error])
        }
    }
}

extension Configuration {
    /// A path of the configuration file, from the working directory.
    func resolve(_ path: String) -> String {
        path.hasPrefix("/") || folder == "." ? path : "\(folder)/\(path)"
    }

    var sqlitePath: String { resolve(sqlite) }
}
