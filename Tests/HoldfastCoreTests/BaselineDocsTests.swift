import Foundation
import HoldfastCore
import HoldfastFiles
import Testing

@Suite("The page about the baseline")
struct BaselineDocsTests {
    @Test("Every file on the page loads, and its tests pass")
    func examples() throws {
        let page = try String(contentsOf: Shipped.top.appending(path: "docs/baseline.md"), encoding: .utf8)
        var files: [BaselineFile] = []
        for block in page.components(separatedBy: "```yaml\n").dropFirst() {
            let text = block.components(separatedBy: "```")[0]
            let path = try #require(text.split(separator: "\n").first?.dropFirst(2), "a block names its file first")
            let place = try #require(BaselineFile.place(ofPath: String(path)), "\(path)")
            let node = try YAMLReader.read(text, file: String(path))
            files.append(BaselineFile(kind: place.kind, name: place.name, node: node))
        }
        #expect(Set(files.map(\.kind)) == Set(BaselineFile.Kind.allCases))
        let catalog = try Shipped.catalog.get().catalog
        let (baseline, problems) = Baseline.load(files, catalog: catalog, now: RuleTest.defaultNow)
        #expect(problems.map(\.description) == [])
        #expect(baseline.runTests(catalog: catalog).map(\.description) == [])
        #expect(baseline.testCount == 5)
    }

    @Test("The page names every operator")
    func operators() throws {
        let page = try String(contentsOf: Shipped.top.appending(path: "docs/baseline.md"), encoding: .utf8)
        for word in RuleWords.operators + RuleWords.views {
            #expect(
                page.contains("`\(word)`") || page.contains("{\(word): ") || page.contains("`\(word): "),
                "\(word) is not explained")
        }
    }
}
