import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load catalog, baseline, playbooks, tuning and configuration; print every problem.",
        discussion: """
            Given PATHs are checked for broken YAML and unknown keys where they stand, with the data they belong to. \
            Where there is a configuration it says in sentences what that would ingest, read and write, and who would \
            agree to it.
            """)

    @Argument(help: "Data files or folders to add to what is checked: catalog, baseline or playbooks folders.")
    var paths: [String] = []
    @OptionGroup var data: DataOptions
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let path = data.config ?? (ConfigurationFile.exists ? ConfigurationFile.standard : nil)
        let problems = path.map { ConfigurationFile.load($0).problems } ?? []
        guard problems.isEmpty else { return try report(problems, nil) }
        let set = try DataSet.read(try ConfigurationFile.checked(data.config, adding: paths))
        try report(set.problems, set)
    }

    /// - Parameter set: `nil` where the configuration itself is broken.
    private func report(_ problems: [Problem], _ set: DataSet?) throws {
        let isConfigured = data.config != nil || ConfigurationFile.exists
        let summary = (isConfigured ? set : nil).map {
            ConfigurationSummary($0.configuration, playbooks: $0.playbooks.all.count).parts
        }
        switch format {
        case .json:
            Output.line(Output.pretty(json(problems, set, summary ?? [])))
        case .text:
            for problem in problems { Output.error(problem.description) }
            if !problems.isEmpty { Output.error("\(problems.count) problem\(problems.count == 1 ? "" : "s")") }
            if let set, problems.isEmpty { Output.line("ok: \(Self.counted(set))") }
            for part in summary ?? [] {
                Output.line("\n\(part.name.prefix(1).uppercased() + part.name.dropFirst())")
                for sentence in part.sentences { Output.line("  \(sentence)") }
            }
        }
        if !problems.isEmpty { throw ExitCode.failure }
    }

    private static func counted(_ set: DataSet) -> String {
        "\(set.catalog.types.count) types, \(set.catalog.actions.count) operations, "
            + "\(set.baseline.rules.count) rules, \(set.playbooks.all.count) playbooks"
    }

    private func json(_ problems: [Problem], _ set: DataSet?, _ summary: [ConfigurationSummary.Part]) -> JSON {
        var members: [(String, JSON)] = [
            (
                "problems",
                .array(problems.map { ["place": .string($0.place.description), "message": .string($0.message)] })
            )
        ]
        if let set {
            members += [
                ("types", .number(JSONNumber(set.catalog.types.count))),
                ("rules", .number(JSONNumber(set.baseline.rules.count))),
                ("playbooks", .number(JSONNumber(set.playbooks.all.count))),
            ]
        }
        members += summary.map { ($0.name, .array($0.sentences.map(JSON.string))) }
        return .object(JSONObject(members))
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
