import ArgumentParser
import Foundation
import HoldfastJSON

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl
}

/// What people and programs read. Results go to standard output, everything else to standard error.
enum Output {
    static let isTerminal = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    static let errorIsTerminal = isatty(STDERR_FILENO) == 1

    static func line(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func lines(_ bytes: [UInt8]) {
        FileHandle.standardOutput.write(Data(bytes))
    }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// A list in one of the formats; `row` makes the text form's cells.
    static func list(_ items: [JSON], as format: ListFormat, header: [String], row: (JSON) -> [String]) {
        switch format {
        case .json: line(pretty(.array(items)))
        case .jsonl: for item in items { line(item.canonicalText) }
        case .text: table(header: header, rows: items.map(row))
        }
    }

    /// Columns with two spaces between on a terminal, tabs in a pipe.
    static func table(header: [String], rows: [[String]]) {
        guard isTerminal else {
            for row in rows { line(row.joined(separator: "\t")) }
            return
        }
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        func padded(_ cells: [String]) -> String {
            zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
                .joined(separator: "  ")
        }
        line(bold(padded(header)))
        for row in rows { line(padded(row)) }
    }

    static func bold(_ text: String) -> String { isTerminal ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    static func coloured(severity: String) -> String {
        guard isTerminal else { return severity }
        let colour = ["critical": "35", "high": "31", "medium": "33"][severity] ?? "0"
        return "\u{1B}[\(colour)m\(severity)\u{1B}[0m"
    }

    /// JSON for people: two spaces a level, members sorted.
    static func pretty(_ json: JSON, indent: String = "") -> String {
        let inner = indent + "  "
        switch json {
        case .array(let elements) where !elements.isEmpty:
            let lines = elements.map { inner + pretty($0, indent: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let object) where !object.isEmpty:
            let lines = object.members.map { member in
                "\(inner)\(JSON.string(member.name).canonicalText): \(pretty(member.value, indent: inner))"
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default: return json.canonicalText
        }
    }
}

/// A failure that a person reads: one sentence or several lines, and exit code 1.
struct Failure: Error, CustomStringConvertible {
    var description: String
    /// Of a server's refusal to undo: what it asks about.
    var difference: JSON?
    init(_ description: String) { self.description = description }
}
