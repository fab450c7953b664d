import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// The data files that the project ships.
enum Shipped {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Paths below a folder of the project, sorted.
    static func files(_ folder: String) -> [String] {
        let path = top.appending(path: folder).resolvingSymlinksInPath().path
        let found = FileManager.default.enumerator(atPath: path)
        return (found?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    static func node(_ path: String) throws -> Node {
        let text = try String(contentsOf: top.appending(path: path), encoding: .utf8)
        return try YAMLReader.read(text, file: path)
    }

    static let catalog: Result<(catalog: Catalog, problems: [Problem]), any Error> = Result {
        let loaded = try files("catalog").map { (name: String($0.dropLast(5)), node: try node("catalog/\($0)")) }
        return Catalog.load(loaded, operations: nil)
    }

    static let baseline: Result<(baseline: Baseline, problems: [Problem]), any Error> = Result {
        let loaded = try files("baseline").map { path in
            let place = try #require(BaselineFile.place(ofPath: path), "\(path) lies in no folder that is known")
            return BaselineFile(kind: place.kind, name: place.name, node: try node("baseline/\(path)"))
        }
        return Baseline.load(loaded, catalog: try catalog.get().catalog, now: RuleTest.defaultNow)
    }
}

@Suite("The baseline that is shipped")
struct BaselineFilesTests {
    @Test("It loads without a problem")
    func loads() throws {
        let (baseline, problems) = try Shipped.baseline.get()
        #expect(problems.map(\.description).joined(separator: "\n") == "")
        #expect(baseline.rules.count >= 60)
    }

    @Test("Every rule's own tests pass")
    func tests() throws {
        let failed = try Shipped.baseline.get().baseline.runTests(catalog: Shipped.catalog.get().catalog)
        #expect(failed.map(\.description).joined(separator: "\n") == "")
    }

    @Test("Every rule shows a pass, and a drift with what offends")
    func testsOfRules() throws {
        for rule in try Shipped.baseline.get().baseline.rules {
            #expect(rule.tests.count >= 2, "\(rule.id)")
            #expect(rule.tests.contains { $0.verdict == .pass }, "\(rule.id) has no test that passes")
            #expect(
                rule.tests.contains { $0.verdict == .drift && $0.offending?.isEmpty == false },
                "\(rule.id) has no test of a drift with its offending elements")
            #expect(rule.why.count > 60, "\(rule.id) does not say why")
            #expect(rule.fix.count >= 2, "\(rule.id) does not say what to do")
        }
    }

    @Test("A rule's id begins with its cloud, and its title is a sentence without a stop")
    func names() throws {
        for rule in try Shipped.baseline.get().baseline.rules {
            let cloud = rule.id.split(separator: "/").first.map(String.init)
            let catalog = try Shipped.catalog.get().catalog
            let clouds = Set(try rule.types.map { try #require(catalog.type($0)?.cloud.rawValue) })
            #expect(clouds.count > 1 ? cloud == "any" : cloud == clouds.first, "\(rule.id) is of \(clouds.sorted())")
            #expect(!rule.title.hasSuffix("."), "\(rule.id)")
        }
    }

    @Test("Every framework has controls that rules cover, and each control's number once")
    func frameworks() throws {
        let frameworks = try Shipped.baseline.get().baseline.frameworks
        #expect(frameworks.map(\.id) == ["cis-aws", "cis-azure", "cis-gcp"])
        for framework in frameworks {
            #expect(framework.controls.contains { !$0.rules.isEmpty })
            #expect(Set(framework.controls.map(\.id)).count == framework.controls.count, "\(framework.id)")
        }
    }
}
