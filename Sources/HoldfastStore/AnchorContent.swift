internal import Foundation
internal import Glibc
package import HoldfastEngine

/// What an anchor holds, to verify the logs against: its file, what was exported of a topic or of syslog, or a folder
/// of downloaded objects, each with one checkpoint a line.
package struct AnchorContent: Sendable, Hashable {
    package let name: String
    private let files: [FileAnchor]
    /// In place of files.
    private let held: [[UInt8]]

    /// What is in memory.
    package init(name: String, lines: [[UInt8]]) {
        self.name = name
        files = []
        held = lines
    }

    /// - Parameter path: a file, or a folder whose files are read in the order of their names.
    /// - Throws: where it cannot be read.
    package init(path: String) throws(JournalError) {
        name = path
        held = []
        var status = stat()
        guard stat(path, &status) == 0 || errno == ENOENT else { throw AnchorContent.failure(path, systemReason()) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            files = [FileAnchor(path: path)]
            return
        }
        do {
            let names = try FileManager.default.subpathsOfDirectory(atPath: path).map { "\(path)/\($0)" }
            files = names.filter { isPlainFile($0) }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { FileAnchor(path: $0) }
        } catch {
            throw AnchorContent.failure(path, error.localizedDescription)
        }
    }

    private static func failure(_ path: String, _ why: String) -> JournalError {
        JournalError(.failed, "the anchor \(path) cannot be read: \(why)")
    }

    /// How far each file goes by now.
    func lengths() throws(JournalError) -> [Int64] {
        var lengths: [Int64] = []
        for file in files {
            do throws(AnchorError) { lengths.append(try file.length()) } catch {
                throw JournalError(.failed, "the anchor \(error)")
            }
        }
        return lengths
    }

    /// Lends each line with its number, counted over all files; what is not ended by a line feed is none.
    func lines(upTo lengths: [Int64], _ body: (Int64, [UInt8]) throws -> Void) throws {
        var number: Int64 = 0
        for line in held {
            number += 1
            try body(number, line)
        }
        for (file, length) in zip(files, lengths) {
            var failure: (any Error)?
            do throws(AnchorError) {
                try file.lines(upTo: length) { line in
                    number += 1
                    guard failure == nil, !line.isEmpty else { return }
                    do { try body(number, line) } catch { failure = error }
                }
            } catch {
                throw JournalError(.failed, "the anchor \(error)")
            }
            if let failure { throw failure }
        }
    }
}

private func isPlainFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
