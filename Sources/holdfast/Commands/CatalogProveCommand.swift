import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastFiles

extension CatalogCommand {
    struct Prove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold the catalog against the providers' published models, and write operations.tsv.",
            discussion: """
                The models come with packages from PyPI: botocore (AWS), google-api-python-client (Google Cloud) and
                azure-mgmt-* (Azure). DIR is the folder that pip installed them in, or any folder above.
                """)
        @Option(name: .customLong("models"), help: "A folder with the providers' packages. May be given again.")
        var folders: [String]
        @Option(name: .customLong("catalog"), help: "The catalog's folder. Default: the shipped one.")
        var catalogFolder: String?

        func run() throws {
            guard let folder = catalogFolder ?? ShippedData.folder("catalog") else {
                throw Failure("there is no catalog folder here or above the program; name one with --catalog")
            }
            // Without the old lists of operations: the new ones come from this.
            let (files, reading) = DataFolder.read([folder])
            let (catalog, loading) = Catalog.load(files.map { ($0.name, $0.node) }, operations: nil)
            guard reading.isEmpty, loading.isEmpty else {
                throw Failure((reading + loading).map(\.description).joined(separator: "\n"))
            }
            let proof = catalog.proof(from: try models(neededBy: catalog))
            for cloud in Cloud.allCases {
                guard let text = proof.operations[cloud] else { continue }
                let path = "\(folder)/\(cloud.rawValue)/operations.tsv"
                try Data(text.utf8).write(to: URL(filePath: path))
                Output.line("\(path): \(text.split(separator: "\n").count - 1) operations")
            }
            for problem in proof.problems { Output.error(problem.description) }
            guard proof.problems.isEmpty else { throw ExitCode.failure }
            Output.line("\(catalog.callNames.count) calls and \(catalog.actions.count) operations stand")
        }

        private func models(neededBy catalog: Catalog) throws -> [ModelFile] {
            var files: [ModelFile] = []
            for folder in folders {
                guard let found = FileManager.default.enumerator(atPath: folder) else {
                    throw Failure("\(folder): there is no such folder")
                }
                for path in found.compactMap({ $0 as? String }).sorted() where catalog.needsModel(at: path) {
                    files.append(ModelFile(path: path, bytes: try bytes(of: "\(folder)/\(path)")))
                }
            }
            return files
        }

        private func bytes(of path: String) throws -> [UInt8] {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw Failure("\(path) cannot be read; may this user read it?")
            }
            let raw = [UInt8](data)
            guard path.hasSuffix(".gz") else { return raw }
            do throws(GzipError) {
                return try GzipReader.inflate(whole: raw, limit: 256 << 20)
            } catch {
                throw Failure("\(path) \(error)")
            }
        }
    }
}
