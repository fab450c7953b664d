internal import Foundation
package import HoldfastCore

/// Folders with the packages of the providers' models, as pip installs them.
package enum ModelFolder {
    /// The files below some folders that the proof of a catalog needs, without their compression.
    package static func read(_ folders: [String], neededBy catalog: Catalog) throws(Problem) -> [ModelFile] {
        var files: [ModelFile] = []
        for folder in folders {
            guard let found = FileManager.default.enumerator(atPath: folder) else {
                throw Problem("there is no such folder", at: SourcePlace(file: folder, line: 1, column: 1))
            }
            for path in found.compactMap({ $0 as? String }).sorted() where catalog.needsModel(at: path) {
                files.append(ModelFile(path: path, bytes: try bytes(of: "\(folder)/\(path)")))
            }
        }
        return files
    }

    private static let largestModel: Int64 = 256 << 20

    private static func bytes(of path: String) throws(Problem) -> [UInt8] {
        let place = SourcePlace(file: path, line: 1, column: 1)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Problem("the file cannot be read; may this user read it?", at: place)
        }
        let raw = [UInt8](data)
        guard path.hasSuffix(".gz") else { return raw }
        do throws(GzipError) {
            return try GzipReader.inflate(whole: raw, limit: largestModel)
        } catch {
            throw Problem("the file \(error)", at: place)
        }
    }
}
