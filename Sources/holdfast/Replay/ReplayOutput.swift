import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

/// Prints a replay. Rows go out one by one, so that memory does not grow with them.
struct ReplayOutput {
    private let done: ReplayRun.Done
    private let format: ReplayFormat

    init(_ done: ReplayRun.Done, format: ReplayFormat) {
        self.done = done
        self.format = format
    }

    func write() throws {
        switch format {
        case .text: try ReplayText(done).write()
        case .json: try writeJSON()
        case .html: Output.lines(Array(try ReplayPage(done).html().utf8))
        case .jsonl: try forEachRow { Output.lines($0 + [UInt8(ascii: "\n")]) }
        }
    }

    /// One document: members in the order of their names, each row of a list on a line of its own.
    private func writeJSON() throws {
        Output.line("{")
        for member in done.report.members {
            if member.name == "versions" { try writeTimeline() }
            let comma = member.name == "window" ? "" : ","
            Output.line("  \"\(member.name)\": \(Output.pretty(member.value, indent: "  "))\(comma)")
        }
        Output.line("}")
    }

    private func writeTimeline() throws {
        Output.lines(Array("  \"timeline\": [".utf8))
        var isFirst = true
        try forEachRow { row in
            Output.lines(Array((isFirst ? "\n    " : ",\n    ").utf8) + row)
            isFirst = false
        }
        Output.line(isFirst ? "]," : "\n  ],")
    }

    private func forEachRow(_ body: ([UInt8]) -> Void) throws {
        try done.spool.forEach(in: .rows) { body($0.body) }
    }
}
