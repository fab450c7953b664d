import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore

/// Makes a replay out of the command's options: sources, private journal, spool.
struct ReplayRun {
    private let options: ReplayOptions
    private let window: ReplayWindow
    private let data: DataSet

    init(_ options: ReplayOptions) throws {
        self.options = options
        window = try options.window(now: SystemWallClock.now)
        data = try DataSet.load(try ConfigurationFile.read(options.config))
    }

    /// What a replay gave, with the spool that holds its rows.
    struct Done {
        var report: ReplayReport
        var spool: SQLiteSpool
    }

    func perform() async throws -> Done {
        let spool = try SQLiteSpool()
        var intake = ReplayIntake(window: window, spool: spool)
        let progress = ReplayProgress()
        try await readFiles(into: &intake, progress)
        let policy = data.policy()
        var replay = try Replay(
            policy: policy, journal: SQLiteJournal(.temporary), spool: spool, window: window, filter: options.filter)
        let recorded = try recordedStates(intake.coverage.first)
        try replay.begin(with: recorded.resources, at: recorded.at)
        try replay.run { progress.replayed($0, of: intake.totals.writes + intake.totals.sessions) }
        progress.end()
        let report = ReplayReport(
            window: window, coverage: intake.coverage, start: options.state == nil ? .empty : .snapshot,
            totals: intake.totals, outcome: replay.outcome, filter: options.filter, versions: versions)
        return Done(report: report, spool: spool)
    }

    private var versions: [(name: String, value: String)] {
        [("program", Version.text), ("catalog", data.catalogDigest)]
    }

    private func readFiles(into intake: inout ReplayIntake, _ progress: ReplayProgress) async throws {
        guard !options.paths.isEmpty else { throw Failure("name the files or folders that hold the events") }
        for entry in EventFiles.list(options.paths) {
            if let delivery = TrailDelivery(name: entry.path) { intake.coverage.add(delivery, of: "file") }
            progress.expect(entry.size)
        }
        let source = FileSource(paths: options.paths) {}
        try await intake.read(source, as: "file") { progress.read($0) }
    }

    /// What a snapshot does not date was so when the window began.
    private func recordedStates(_ first: Timestamp?) throws -> (resources: [RecordedResource], at: Timestamp) {
        let at = window.from ?? first ?? Timestamp(seconds: 0)
        guard let path = options.state else { return ([], at) }
        let read = try StateFile.read(path, catalog: data.catalog, now: at)
        for problem in read.problems { Output.error(problem) }
        return (read.resources, at)
    }
}

/// How far a replay has come, on standard error: a line that moves on a terminal, one now and then elsewhere.
final class ReplayProgress {
    private let began = SystemWallClock.now
    private var last = SystemWallClock.now
    private var expected: Int64 = 0

    func expect(_ bytes: Int64) { expected += bytes }

    func read(_ totals: ReplayIntake.Totals) {
        tell { elapsed in
            let rate = Int(Double(totals.events) / elapsed)
            var text = "\(totals.events) events read, \(rate) a second"
            if expected > totals.bytes, totals.bytes > 0 {
                let left = Double(expected - totals.bytes) / (Double(totals.bytes) / elapsed)
                text += ", about \(Int(left.rounded(.up))) s to go"
            }
            return text
        }
    }

    func replayed(_ count: Int, of total: Int) {
        tell { _ in "\(count) of \(total) replayed" }
    }

    func end() { if Output.errorIsTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }

    private func tell(_ text: (Double) -> String) {
        let now = SystemWallClock.now
        let pause: Int64 = Output.errorIsTerminal ? 200_000_000 : 5_000_000_000
        guard now.since(last).nanoseconds >= pause else { return }
        last = now
        let line = text(max(Double(now.since(began).nanoseconds) / 1e9, 0.001))
        FileHandle.standardError.write(Data((Output.errorIsTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n").utf8))
    }
}
