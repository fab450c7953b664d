import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

/// A replay for a terminal.
struct ReplayText {
    private let done: ReplayRun.Done

    init(_ done: ReplayRun.Done) { self.done = done }

    func write() throws {
        let report = done.report
        Output.line(Output.bold("COVERAGE"))
        for strip in report.coverage.strips(report.window) {
            Output.line("\(strip.source)  \(strip.cloud) \(strip.account)  \(strip.region)")
            for stretch in strip.stretches {
                Output.line(
                    "  \(stretch.from) to \(stretch.to)  \(stretch.state.rawValue)  \(stretch.events) events  "
                        + stretch.known)
            }
        }
        Output.line(Output.bold("TIMELINE"))
        try done.spool.forEach(in: .rows) { entry in
            if let row = try? JSON.parse(entry.body) { print(row) }
        }
        Output.line(Output.bold("FINDINGS"))
        for story in report.stories {
            let finding = story.finding
            Output.line(
                "\(Output.coloured(severity: finding.severity.rawValue))  \(finding.rule)  \(finding.resource.id)")
            for opening in story.openings {
                let end = opening.to.map { "to \($0)" } ?? "and open at the end"
                Output.line("  from \(opening.from) \(end)  \(opening.action)  \(opening.actor)")
            }
        }
    }

    private func print(_ row: JSON) {
        func text(_ name: String) -> String { row[name]?.string ?? "" }
        var line = "\(text("time"))  \(text("kind"))  \(text("action"))"
        if let count = row["count"]?.int { line += " x\(count)" }
        Output.line(line)
        let chain = row["chain"]?.array?.compactMap(\.string) ?? []
        if !text("actor").isEmpty {
            Output.line("    by \(([text("actor")] + chain).joined(separator: " <- "))  \(text("source-ip"))")
        }
        for resource in row["resources"]?.array ?? [] {
            Output.line("    \(resource["effect"]?.string ?? "") \(resource["id"]?.string ?? "")")
            for change in resource["changes"]?.array ?? [] {
                Output.line(
                    "      \(change["path"]?.string ?? ""): \(change["before"]?.canonicalText ?? "") -> "
                        + "\(change["after"]?.canonicalText ?? "")")
            }
            for way in resource["opened"]?.array ?? [] { Output.line("      opened: \(way["way"]?.string ?? "")") }
        }
        for finding in row["findings"]?.array ?? [] {
            Output.line(
                "    \(finding["change"]?.string ?? "") \(finding["severity"]?.string ?? "") "
                    + "\(finding["rule"]?.string ?? "") on \(finding["resource"]?.string ?? "")")
        }
        for note in row["notes"]?.array ?? [] { Output.line("    note: \(note.string ?? "")") }
    }
}
