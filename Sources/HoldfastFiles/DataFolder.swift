internal import Foundation
package import HoldfastCore
internal import HoldfastJSON

/// A data file, read but not yet understood.
package struct DataFile: Sendable {
    /// The path below its folder without the extension: `aws/s3`, `any/network/admin-ports-not-open`.
    package var name: String
    /// As given and as places show it.
    package var path: String
    package var node: HoldfastCore.Node
}

/// Reads folders of YAML data files.
package enum DataFolder {
    /// Every `.yaml` and `.yml` file below some folders (or the files themselves), in the order of their names.
    ///
    /// - Returns: the files that could be read, and a problem for each that could not.
    package static func read(_ paths: [String]) -> (files: [DataFile], problems: [Problem]) {
        var files: [DataFile] = []
        var problems: [Problem] = []
        for path in paths {
            for (name, file) in yamlFiles(at: path, &problems) {
                do throws(Problem) {
                    files.append(DataFile(name: name, path: file, node: try readFile(file)))
                } catch {
                    problems.append(error)
                }
            }
        }
        return (files, problems)
    }

    /// The facts from the providers' models below some catalog folders, `aws/endpoints.json` and `aws/wire/*.json`;
    /// of two of one name the last folder's counts.
    package static func readWire(_ paths: [String]) -> (files: [WireFile], problems: [Problem]) {
        var files: [String: WireFile] = [:]
        var problems: [Problem] = []
        for path in paths {
            let wire = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/aws/wire")) ?? []
            let names = ["aws/endpoints.json"] + wire.filter { $0.hasSuffix(".json") }.map { "aws/wire/\($0)" }
            for name in names.sorted() {
                let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
                guard let bytes = FileManager.default.contents(atPath: file) else { continue }
                do throws(JSONError) {
                    let short = withoutExtension(name)
                    files[short] = WireFile(name: short, path: file, json: try JSON.parse([UInt8](bytes)))
                } catch {
                    problems.append(Problem(error.description, at: SourcePlace(file: file, line: 1, column: 1)))
                }
            }
        }
        return (files.values.sorted { $0.name < $1.name }, problems)
    }

    /// One file.
    package static func readFile(_ path: String) throws(Problem) -> HoldfastCore.Node {
        let start = SourcePlace(file: path, line: 1, column: 1)
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw Problem("the file cannot be read; is it there, and may this user read it?", at: start)
        }
        guard bytes.count <= largestFile else {
            throw Problem("the file has \(bytes.count) bytes; a data file has at most \(largestFile)", at: start)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Problem("the file is not UTF-8; save it as UTF-8", at: start)
        }
        return try YAMLReader.read(text, file: path)
    }

    private static let largestFile = 4 << 20

    private static func yamlFiles(at path: String, _ problems: inout [Problem]) -> [(name: String, path: String)] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            problems.append(
                Problem("there is no such file or folder", at: SourcePlace(file: path, line: 1, column: 1)))
            return []
        }
        guard isFolder.boolValue else {
            let last = path.split(separator: "/").last.map(String.init) ?? path
            return [(withoutExtension(last), path)]
        }
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { (withoutExtension($0), path.hasSuffix("/") ? path + $0 : "\(path)/\($0)") }
    }

    private static func withoutExtension(_ path: String) -> String {
        path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
    }
}
