import Foundation
import Testing

/// A Swift file of the repository, by its path from the top.
struct SourceFile: Sendable, CustomTestStringConvertible {
    var path: String
    var lines: [String]
    var testDescription: String { path }

    /// The target that the file belongs to: `HoldfastCore`.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// The modules that it imports, however they are imported.
    var imports: [String] {
        lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index + 1 < words.count, index <= 2,
                words[..<index].allSatisfy({ $0.hasPrefix("@") || ["package", "internal", "private"].contains($0) })
            else { return nil }
            return String(words[index + 1].split(separator: ".")[0])
        }
    }

    /// Lines without comments and string literals, numbered from 1: what banned calls are looked for in.
    var code: [(number: Int, text: String)] {
        lines.enumerated().map { index, line in
            var text = line.replacing(/"(\\.|[^"\\])*"/, with: "\"\"")
            if let comment = text.firstRange(of: "//") { text = String(text[..<comment.lowerBound]) }
            return (index + 1, text)
        }
    }
}

enum House {
    /// The top of the repository.
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func files(under folder: String, ending: String) -> [String] {
        let root = top.appending(path: folder)
        let found = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(ending) && !$0.contains(".build") }.sorted().map { "\(folder)/\($0)" }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: top.appending(path: path), encoding: .utf8)
    }

    static let sources = swift(under: "Sources")
    static let all = sources + swift(under: "Tests") + swift(under: "Benchmarks")

    private static func swift(under folder: String) -> [SourceFile] {
        files(under: folder, ending: ".swift").compactMap { path in
            guard let text = try? text(path) else { return nil }
            return SourceFile(path: path, lines: text.components(separatedBy: "\n"))
        }
    }
}
