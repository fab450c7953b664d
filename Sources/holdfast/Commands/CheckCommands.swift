import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load catalog, baseline, playbooks, tuning and configuration; print every problem.",
        discussion:
            "Given PATHs are checked for broken YAML and unknown keys where they stand, with the data they belong to.")

    @Argument(help: "Data files or folders to add to what is checked: catalog, baseline or playbooks folders.")
    var paths: [String] = []
    @OptionGroup var data: DataOptions

    func run() throws {
        let configuration = try ConfigurationFile.checked(data.config, adding: paths)
        let set = try DataSet.read(configuration)
        for problem in set.problems { Output.error(problem.description) }
        guard set.problems.isEmpty else {
            Output.error("\(set.problems.count) problem\(set.problems.count == 1 ? "" : "s")")
            throw ExitCode.failure
        }
        Output.line(
            "ok: \(set.catalog.types.count) types, \(set.catalog.actions.count) operations, "
                + "\(set.baseline.rules.count) rules, \(set.playbooks.all.count) playbooks")
    }
}

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run every tests: block of catalog, baseline and playbooks.")

    @Argument(help: "Data files or folders to add: catalog, baseline or playbooks folders.") var paths: [String] = []
    @OptionGroup var data: DataOptions

    func run() throws {
        let set = try DataSet.load(try ConfigurationFile.checked(data.config, adding: paths))
        let failures =
            set.catalog.runTests() + set.baseline.runTests(catalog: set.catalog) + set.playbooks.runTests()
        for failure in failures { Output.error(failure.description) }
        let count = set.catalog.testCount + set.baseline.testCount + set.playbooks.testCount
        Output.line("\(count - failures.count) passed, \(failures.count) failed")
        if !failures.isEmpty { throw ExitCode.failure }
    }
}

extension ConfigurationFile {
    /// The configuration with folders or files of data added where their content says they belong.
    static func checked(_ path: String?, adding paths: [String]) throws -> Configuration {
        var configuration = try read(path)
        for path in paths { try configuration.add(data: path) }
        return configuration
    }
}

extension Configuration {
    /// A folder is what its name or its subfolders say; a file belongs to the folder that it lies in.
    fileprivate mutating func add(data path: String) throws {
        let absolute = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        let parts = URL(filePath: absolute).standardizedFileURL.pathComponents
        guard let kind = parts.last(where: { ["catalog", "baseline", "playbooks", "tune"].contains($0) }),
            let index = parts.lastIndex(of: kind)
        else {
            throw Failure(
                "\(path) lies in none of catalog/, baseline/, playbooks/, tune/; those names say what data files are")
        }
        let folder = "/" + parts[1...index].joined(separator: "/")
        switch kind {
        case "catalog": catalog = with(folder, "catalog", catalog)
        case "baseline": baseline = with(folder, "baseline", baseline)
        case "playbooks": playbooks = with(folder, "playbooks", playbooks)
        default: tune.append(folder)
        }
    }

    /// Beside the shipped folder, unless it is the shipped one.
    private func with(_ folder: String, _ kind: String, _ named: [String]) -> [String] {
        let present = named.isEmpty ? [ShippedData.folder(kind)].compactMap { $0 } : named
        let known = present.map { URL(filePath: $0).standardizedFileURL.path }
        return known.contains(folder) ? named : present + [folder]
    }
}
