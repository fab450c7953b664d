import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

struct AccountsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "List all accounts: environment and why, reads, writes, events, coverage.",
        discussion: """
            Unclassified accounts come first, then the strictest environment. Reads: ok, denied (permissions lack, see \
            `holdfast notices`), never, off (no cloud of its kind is read). Writes: ok, denied, unused (it has a \
            write-role that never wrote), no-role. The last line is the share of all types that rules look at, in all \
            accounts, that was listed and read within two rounds of scans; of jsonl it is an object of its own.
            """)

    @OptionGroup var store: StoreOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .text

    func run() throws {
        let journal = try store.openToRead()
        let data = try DataSet.load(try ConfigurationFile.read(store.config))
        let stored = try journal.accounts()
        let policy = data.policy(found: stored)
        let regions = try Self.scannedRegions(journal)
        let report = try AccountsReport(
            journal: journal, policy: policy, configuration: data.configuration.knowing(stored),
            now: SystemWallClock.now
        ) { account in
            let own = account.regions.isEmpty ? regions[account.id] ?? Self.ownRegion : account.regions
            return ScanAccount(cloud: account.cloud, id: account.id, regions: own).units(policy)
        }
        switch format {
        case .json:
            var whole = report.summary.object ?? JSONObject()
            whole["accounts"] = .array(report.rows.map(\.json))
            Output.line(Output.pretty(.object(whole)))
        case .jsonl: for item in report.rows.map(\.json) + [report.summary] { Output.line(item.canonicalText) }
        case .text:
            Output.table(header: Self.header, rows: report.rows.map(Self.cells))
            Output.line(report.lastLine)
        }
    }

    private static let header = [
        "ACCOUNT", "NAME", "ENVIRONMENT", "READS", "WRITES", "LAST EVENT", "TYPES", "RESOURCES", "FINDINGS", "BECAUSE",
    ]

    private static func cells(_ row: AccountsReport.Row) -> [String] {
        let open = row.counts.findings.values.reduce(0, +)
        let critical = row.counts.findings[.critical] ?? 0
        let line = row.answer.place.map { "\($0.file):\($0.line): " } ?? ""
        let lacks = if case .denied(let lacks) = row.reads { " (\(lacks.count))" } else { "" }
        let kind =
            switch row.enrolment {
            case .configured: ""
            case .found(let discovery): "; found by \(discovery)"
            case .left, .stranger: "; \(row.enrolment.words)"
            }
        return [
            "\(row.cloud.rawValue) \(row.id)", row.name, row.answer.isClassified ? row.answer.environment : "unclassified",
            row.reads.word + lacks, row.writes.word, row.lastEvent?.description ?? "never",
            "\(row.typesCovered)/\(row.types)", "\(row.counts.resources)",
            critical > 0 ? "\(open) (\(critical) critical)" : "\(open)", line + row.answer.reason + kind,
        ]
    }

    /// AWS accounts whose regions nobody names were scanned in those of their service.
    private static func scannedRegions(_ journal: any Journal) throws -> [String: [String]] {
        var regions: [String: Set<String>] = [:]
        for unit in try journal.positions(source: ScanUnit.source).map(\.partition) {
            let parts = unit.split(separator: "/", maxSplits: 3).map(String.init)
            guard parts.count == 4, parts[0] == Cloud.aws.rawValue, parts[2] != ScanUnit.global else { continue }
            regions[parts[1], default: []].insert(parts[2])
        }
        return regions.mapValues { $0.sorted() }
    }

    private static var ownRegion: [String] {
        let environment = ProcessInfo.processInfo.environment
        return [environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1"]
    }
}

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the service does: events, reads, throttling, what waits.",
        discussion: """
            Describes are reads of single resources that events led to; scans are not among them. Throttles are answers \
            of a cloud that it was too much, also where the call went through later.
            """)

    @OptionGroup var store: StoreOptions
    @Option(help: "Count only what came in the last hours: 24h, 7d. Default: all.") var within: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let span = try within.map { text throws(ValidationError) -> Span in
            guard let span = Span(text) else {
                throw ValidationError("\"\(text)\" is no time; write it as in 24h or 7d")
            }
            return span
        }
        let journal = try store.openToRead()
        let now = SystemWallClock.now
        let report = try StatusReport(journal: journal, now: now, since: span.map { now - $0 })
        switch format {
        case .json: Output.line(Output.pretty(report.json))
        case .text: for line in report.lines { Output.line(line) }
        }
    }
}
