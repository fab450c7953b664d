import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// The playbooks that are shipped, against the catalog and the baseline that are shipped.
@Suite struct PlaybookFilesTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let shipped: (playbooks: Playbooks, problems: [Problem]) = {
        func files(_ folder: String) -> [DataFile] { DataFolder.read([root.appending(path: folder).path]).files }
        let catalog = Catalog.load(files("catalog").map { ($0.name, $0.node) }, operations: nil).catalog
        let baselineFiles = files("baseline").compactMap { file in
            BaselineFile.place(ofPath: file.name).map { BaselineFile(kind: $0.kind, name: $0.name, node: file.node) }
        }
        let baseline = Baseline.load(baselineFiles, catalog: catalog, now: RuleTest.defaultNow).baseline
        let vocabulary = PlaybookVocabulary(catalog: catalog, baseline: baseline)
        return Playbooks.load(files("playbooks").map { ($0.name, $0.node) }, vocabulary: vocabulary)
    }()

    @Test("The shipped playbooks load without a problem")
    func filesLoad() {
        #expect(Self.shipped.problems.map(\.description) == [])
        #expect(Self.shipped.playbooks.all.count >= 20)
    }

    @Test("The tests in the shipped playbooks hold")
    func testsHold() {
        let report = Self.shipped.playbooks.runTests()
        #expect(report.problems.map(\.description) == [])
        #expect(report.count >= Self.shipped.playbooks.all.count)
    }

    @Test("Each shipped playbook has a test with exact calls")
    func testsAreExact() {
        #expect(Self.shipped.playbooks.all.filter { !$0.hasExactTest }.map(\.id) == [])
    }
}
