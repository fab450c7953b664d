import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON

/// Prints a replay. Rows go out one by one, so that memory does not grow with them.
struct ReplayOutput {
    private let done: ReplayRun.Done
    private let redaction: Redaction?
    private let write: ([UInt8]) throws -> Void

    /// - Parameter write: takes the text, piece by piece; standard output where none is given.
    init(
        _ done: ReplayRun.Done, redaction: Redaction? = nil,
        to write: @escaping ([UInt8]) throws -> Void = { Output.lines($0) }
    ) {
        self.done = done
        self.redaction = redaction
        self.write = write
    }

    func print(as format: ReplayFormat) throws {
        switch format {
        case .text: try ReplayText(done).write()
        case .json: try writeJSON()
        case .html: try write(Array(try ReplayPage(done, redaction: redaction).html().utf8))
        case .jsonl: try forEachRow { try write($0 + [UInt8(ascii: "\n")]) }
        }
    }

    /// One document: members in the order of their names, each row of the timeline on a line of its own.
    private func writeJSON() throws {
        try line("{")
        for member in done.report.members {
            if member.name == "versions" { try writeTimeline() }
            let comma = member.name == "window" ? "" : ","
            let value = redaction?.redact(member.value) ?? member.value
            try line("  \"\(member.name)\": \(Output.pretty(value, indent: "  "))\(comma)")
        }
        try line("}")
    }

    private func writeTimeline() throws {
        try write(Array("  \"timeline\": [".utf8))
        var isFirst = true
        try forEachRow { row in
            try write(Array((isFirst ? "\n    " : ",\n    ").utf8) + row)
            isFirst = false
        }
        try line(isFirst ? "]," : "\n  ],")
    }

    private func line(_ text: String) throws { try write(Array((text + "\n").utf8)) }

    private func forEachRow(_ body: ([UInt8]) throws -> Void) throws {
        var fault: (any Error)?
        try done.spool.forEach(in: .rows) { entry in
            guard fault == nil else { return }
            do { try body(try redaction?.redact(JSON.parse(entry.body)).canonicalBytes ?? entry.body) } catch {
                fault = error
            }
        }
        if let fault { throw fault }
    }
}
