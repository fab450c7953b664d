import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// The catalog as it is shipped.
enum ShippedCatalog {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "catalog")

    /// Of each cloud that has a list.
    static let operations: [Cloud: Set<String>] = {
        var operations: [Cloud: Set<String>] = [:]
        for cloud in Cloud.allCases {
            let path = folder.appending(path: "\(cloud.rawValue)/operations.tsv")
            guard let text = try? String(contentsOf: path, encoding: .utf8) else { continue }
            operations[cloud] = Set(
                text.split(separator: "\n").compactMap { $0.split(separator: "\t").first }.map(String.init))
        }
        return operations
    }()

    static let loaded: (catalog: Catalog, problems: [Problem]) = {
        let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        var files: [(name: String, node: Node)] = []
        var problems: [Problem] = []
        for path in paths.sorted() where path.hasSuffix(".yaml") {
            do throws(Problem) {
                let text = (try? String(contentsOf: folder.appending(path: path), encoding: .utf8)) ?? ""
                files.append((String(path.dropLast(5)), try YAMLReader.read(text, file: "catalog/\(path)")))
            } catch {
                problems.append(error)
            }
        }
        let (wire, reading) = DataFolder.readWire([folder.path])
        let (catalog, more) = Catalog.load(files, operations: operations, wire: wire)
        return (catalog, problems + reading + more)
    }()
}

@Suite("The shipped catalog")
struct ShippedCatalogTests {
    @Test("It loads with no problem")
    func loads() {
        #expect(ShippedCatalog.loaded.problems.isEmpty, "\(lines(ShippedCatalog.loaded.problems))")
        #expect(!ShippedCatalog.loaded.catalog.typeNames.isEmpty)
    }

    @Test("Every test in its files passes")
    func testsPass() {
        let problems = ShippedCatalog.loaded.catalog.runTests()
        #expect(problems.isEmpty, "\(lines(problems))")
        #expect(ShippedCatalog.loaded.catalog.testCount > 0)
    }

    @Test("Every event that changes something has a test")
    func eventsAreTested() {
        let untested = ShippedCatalog.loaded.catalog.untestedActions
        #expect(untested.isEmpty, "\(untested.joined(separator: "\n"))")
    }

    private func lines(_ problems: [Problem]) -> String { problems.map(\.description).joined(separator: "\n") }
}
