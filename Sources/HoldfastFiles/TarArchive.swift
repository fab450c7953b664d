internal import Foundation

/// Writes and reads tar archives (POSIX ustar) in which nothing tells when or by whom they were made: the same files
/// give the same bytes.
package enum TarArchive {
    /// Why an archive cannot be read or written, with what would do.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    private static let block = 512
    private static let chunk = 1 << 20

    /// Writes the files of a folder, in the order of their names.
    ///
    /// - Parameters:
    ///   - names: paths below the folder; at most 100 bytes each.
    ///   - folder: the name that they stand under in the archive.
    package static func write(_ names: [String], in source: String, as folder: String, to path: String) throws(Fault) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        guard let output = FileHandle(forWritingAtPath: path) else {
            throw Fault(description: "\(path) cannot be written; is its folder there, and may this user write to it?")
        }
        do {
            for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
                guard let input = FileHandle(forReadingAtPath: "\(source)/\(name)") else {
                    throw Fault(description: "\(source)/\(name) cannot be read")
                }
                let size = try input.seekToEnd()
                try input.seek(toOffset: 0)
                try output.write(contentsOf: Data(try header("\(folder)/\(name)", size: Int64(size))))
                while let data = try input.read(upToCount: chunk), !data.isEmpty { try output.write(contentsOf: data) }
                try output.write(contentsOf: Data(count: padding(Int64(size))))
                try input.close()
            }
            try output.write(contentsOf: Data(count: 2 * block))
            try output.close()
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(description: "\(path) cannot be written: \(error)")
        }
    }

    private static func padding(_ size: Int64) -> Int { Int((Int64(block) - size % Int64(block)) % Int64(block)) }

    private static func header(_ name: String, size: Int64) throws(Fault) -> [UInt8] {
        guard name.utf8.count <= 100 else {
            throw Fault(description: "the name \(name) is longer than the 100 bytes that a tar archive has for it")
        }
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
        }
        func octal(_ value: Int64, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        put("0000644\0" + "0000000\0" + "0000000\0" + octal(size, 11) + "\0" + "00000000000\0", at: 100)
        put("        0", at: 148)
        put("ustar\u{0}00", at: 257)
        let sum = bytes.reduce(0) { $0 + Int64($1) }
        put(octal(sum, 6) + "\0 ", at: 148)
        return bytes
    }

    /// Takes an archive apart into a folder that is there and empty.
    package static func extract(_ path: String, into folder: String) throws(Fault) {
        guard let input = FileHandle(forReadingAtPath: path) else {
            throw Fault(description: "\(path) cannot be read; is it there?")
        }
        do {
            while let data = try input.read(upToCount: block), data.count == block, data.contains(where: { $0 != 0 }) {
                let header = [UInt8](data)
                let name = text(header[0..<100])
                guard let size = Int64(text(header[124..<136]).trimmingCharacters(in: .whitespaces), radix: 8),
                    size >= 0
                else { throw Fault(description: "\(path) is no tar archive, or is damaged") }
                // A name that leads out of the folder is no file of a pack.
                guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
                    throw Fault(description: "\(path) has a file with the name \"\(name)\", which leads elsewhere")
                }
                try copy(input, size: size, to: "\(folder)/\(name)")
                try input.seek(toOffset: try input.offset() + UInt64(padding(size)))
            }
            try input.close()
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(description: "\(path) cannot be read: \(error)")
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func copy(_ input: FileHandle, size: Int64, to path: String) throws {
        let parent = URL(filePath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        guard let output = FileHandle(forWritingAtPath: path) else {
            throw Fault(description: "\(path) cannot be written")
        }
        var rest = size
        while rest > 0 {
            guard let data = try input.read(upToCount: Int(min(rest, Int64(chunk)))), !data.isEmpty else {
                throw Fault(description: "the archive ends in the middle of a file")
            }
            try output.write(contentsOf: data)
            rest -= Int64(data.count)
        }
        try output.close()
    }
}
