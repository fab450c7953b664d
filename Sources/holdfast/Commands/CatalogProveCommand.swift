import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastFiles

extension CatalogCommand {
    struct Prove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold the catalog against the providers' published models, and write what it takes from them.",
            discussion: """
                The models come with packages from PyPI: botocore (AWS), google-api-python-client (Google Cloud) and
                azure-mgmt-* (Azure). DIR is the folder that pip installed them in, or any folder above. Written are
                operations.tsv of each cloud, and how AWS's calls travel: aws/endpoints.json and aws/wire/*.json.
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
            let proof = catalog.proof(from: try ModelFolder.read(folders, neededBy: catalog))
            for cloud in Cloud.allCases {
                guard let text = proof.operations[cloud] else { continue }
                let path = "\(folder)/\(cloud.rawValue)/operations.tsv"
                try Data(text.utf8).write(to: URL(filePath: path))
                Output.line("\(path): \(text.split(separator: "\n").count - 1) operations")
            }
            try writeWireFiles(proof.wire, of: catalog, in: folder)
            for problem in proof.problems { Output.error(problem.description) }
            guard proof.problems.isEmpty else { throw ExitCode.failure }
            Output.line("\(catalog.callNames.count) calls and \(catalog.actions.count) operations stand")
        }

        /// Files of services that no call of the catalog needs any more go.
        private func writeWireFiles(_ files: [String: String], of catalog: Catalog, in folder: String) throws {
            try FileManager.default.createDirectory(atPath: "\(folder)/aws/wire", withIntermediateDirectories: true)
            for (path, text) in files.sorted(by: { $0.key < $1.key }) {
                try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(path)"))
                Output.line("\(folder)/\(path): \(text.utf8.count) bytes")
            }
            let needed = Set(catalog.calls.values.filter(\.isAWS).map { "aws/wire/\($0.model)" })
            for file in DataFolder.readWire([folder]).files
            where file.name.hasPrefix("aws/wire/") && !needed.contains(file.name) {
                try FileManager.default.removeItem(atPath: file.path)
            }
        }
    }
}
