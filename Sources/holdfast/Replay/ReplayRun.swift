import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore

/// Makes a replay out of the command's options: sources, private journal, spool.
struct ReplayRun {
    let options: ReplayOptions
    let window: ReplayWindow
    let configuration: Configuration
    private let progress = ReplayProgress()
    private let signing: (key: Secret, certificate: String)?

    init(_ options: ReplayOptions) throws {
        self.options = options
        window = try options.window(now: SystemWallClock.now)
        configuration = try ConfigurationFile.read(options.config)
        signing = try options.signing
    }

    /// What a replay gave, with the spool that holds its rows.
    struct Done {
        var report: ReplayReport
        var spool: SQLiteSpool
    }

    func perform() async throws -> Done {
        let temporary = FileManager.default.temporaryDirectory.appending(path: "holdfast-replay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: temporary, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: temporary) }
        let data = try DataSet.load(options.candidate(configuration))
        let spool = try SQLiteSpool()
        var replay = try Replay(
            policy: data.policy(), journal: SQLiteJournal(.temporary), spool: spool, window: window,
            filter: options.filter)
        let inputs = try ReplayInputs(
            options: options, configuration: configuration, catalog: data.catalog, window: window,
            temporary: temporary
        ).make()
        let read = try await read(inputs, spool, into: &replay)
        let start = try begin(&replay, data, read)
        try replay.run { progress.replayed($0, of: read.totals.writes + read.totals.sessions) }
        try await readAgain(inputs, &replay)
        var report = ReplayReport(
            window: window, coverage: read.coverage, start: start, totals: read.totals, outcome: replay.outcome,
            filter: options.filter, versions: versions(of: data))
        if options.isBacktest {
            let current = try runCurrent(spool, read)
            report.backtest = Backtest(current: current, candidate: replay.outcome).json
        }
        if options.compare {
            report.comparison = try ReplayComparison(
                replay, journal: try openJournal(), versions: versions(of: data)
            ).json()
        }
        progress.end()
        return Done(report: report, spool: spool)
    }

    /// The same window by the data files in force.
    private func runCurrent(
        _ spool: SQLiteSpool, _ read: (coverage: Coverage, totals: ReplayIntake.Totals)
    ) throws -> ReplayOutcome {
        let data = try DataSet.load(configuration)
        var replay = try Replay(
            policy: data.policy(), journal: SQLiteJournal(.temporary), spool: spool, window: window,
            filter: options.filter, writesRows: false)
        _ = try begin(&replay, data, read)
        try replay.run { progress.replayed($0, of: read.totals.writes + read.totals.sessions) }
        return replay.outcome
    }

    private func versions(of data: DataSet) -> [(name: String, value: String)] {
        [
            ("program", Version.text), ("catalog", data.catalogDigest), ("baseline", data.baselineDigest),
            ("playbooks", data.playbooksDigest),
        ]
    }

    // MARK: Reading

    private func read(
        _ inputs: [ReplayInput], _ spool: SQLiteSpool, into replay: inout Replay
    ) async throws -> (coverage: Coverage, totals: ReplayIntake.Totals) {
        if options.source == .journal {
            var reading = JournalReading(journal: try openJournal(), window: window)
            try reading.read(into: &replay)
            return (reading.coverage, reading.totals)
        }
        var intake = ReplayIntake(window: window, spool: spool, keepsReceived: options.bundle != nil)
        progress.expect(inputs.reduce(0) { $0 + $1.size })
        for input in inputs {
            try await intake.read(input.first, as: input.name) { progress.read($0) }
            for claim in await input.claims() { intake.coverage.add(claim, of: input.name) }
        }
        if options.source == .file {
            try DigestFiles(paths: options.paths, keys: options.digestKeys).check(
                &intake.coverage, source: "file", accounts: intake.fileAccounts)
        }
        return (intake.coverage, intake.totals)
    }

    private func readAgain(_ inputs: [ReplayInput], _ replay: inout Replay) async throws {
        let inclusion = try options.inclusion
        guard !inclusion.isNothing, !inputs.isEmpty else { return }
        var looks = ReplayLooks(after: replay, inclusion: inclusion)
        for input in inputs { try await looks.read(input.again) }
        replay.addRows(try looks.finish())
    }

    private func openJournal() throws -> any Journal {
        let path = configuration.sqlitePath
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure("there is no journal at \(path) to replay; `holdfast run` makes it, or give --config FILE")
        }
        return try SQLiteJournal(.file(path), access: .readOnly)
    }

    // MARK: The state at the start

    private func begin(
        _ replay: inout Replay, _ data: DataSet, _ read: (coverage: Coverage, totals: ReplayIntake.Totals)
    ) throws -> ReplayReport.Start {
        switch options.state {
        case "none": return .empty
        case "journal": break
        case let path?:
            // What a snapshot does not date was so when the window began.
            let start = window.from ?? read.coverage.first ?? Timestamp(seconds: 0)
            let states = try StateFile.read(path, catalog: data.catalog, now: start)
            for problem in states.problems { Output.error(problem) }
            try replay.begin(with: states.resources, at: start)
            return .snapshot
        case nil:
            guard options.source != .journal else {
                if replay.outcome.resourcesAtStart == 0 { break }
                return .journal
            }
            guard options.source != .file, FileManager.default.fileExists(atPath: configuration.sqlitePath) else {
                return .empty
            }
        }
        var reading = JournalReading(journal: try openJournal(), window: window)
        try reading.read(into: &replay, onlyStart: true)
        return .journal
    }
}
