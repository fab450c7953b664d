import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// The playbooks that are shipped, against the catalog and the baseline that are shipped.
@Suite struct PlaybookFilesTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func files(_ folder: String) -> [DataFile] {
        DataFolder.read([root.appending(path: folder).path]).files
    }

    static let vocabulary: PlaybookVocabulary = {
        let wire = DataFolder.readWire([root.appending(path: "catalog").path]).files
        let catalog = Catalog.load(files("catalog").map { ($0.name, $0.node) }, operations: nil, wire: wire).catalog
        let baselineFiles = files("baseline").compactMap { file in
            BaselineFile.place(ofPath: file.name).map { BaselineFile(kind: $0.kind, name: $0.name, node: file.node) }
        }
        let baseline = Baseline.load(baselineFiles, catalog: catalog, now: RuleTest.defaultNow).baseline
        return PlaybookVocabulary(catalog: catalog, baseline: baseline)
    }()
    static let shipped = Playbooks.load(files("playbooks").map { ($0.name, $0.node) }, vocabulary: vocabulary)

    @Test("A name within a parameter that the provider's model does not have is found when a playbook is loaded")
    func nestedNames() throws {
        let path = Self.root.appending(path: "playbooks/aws-s3-block-public-access.yaml")
        let text = try String(contentsOf: path, encoding: .utf8).replacing(
            "IgnorePublicAcls:", with: "IgnorePublicAcl:")
        let (_, problems) = Playbooks.load(
            [("x", try YAMLReader.read(text, file: "x.yaml"))], vocabulary: Self.vocabulary)
        let found = problems.map(\.message).first ?? ""
        let expected = "PublicAccessBlockConfiguration of s3.PutPublicAccessBlock has no \"IgnorePublicAcl\""
        #expect(found == "\(expected); did you mean \"IgnorePublicAcls\"?")
    }

    @Test("The shipped playbooks load without a problem")
    func filesLoad() {
        #expect(Self.shipped.problems.map(\.description) == [])
        #expect(Self.shipped.playbooks.all.count >= 20)
    }

    @Test("The tests in the shipped playbooks hold")
    func testsHold() {
        #expect(Self.shipped.playbooks.runTests().map(\.description) == [])
        #expect(Self.shipped.playbooks.testCount >= Self.shipped.playbooks.all.count)
    }

    @Test(
        "What a test says of the guards is held against what they decide",
        arguments: [
            ("in: dev, decides: allow", nil), ("in: dev, decides: refuse", "decide allow; expected refuse"),
            ("in: production, decides: needs-approval", nil),
            ("in: production, decides: allow", "decide needs-approval (approvals: it needs 1 of approver"),
            ("in: dev, tags: {holdfast:do-not-touch: yes}, decides: refuse", nil),
            ("in: dev, tags: {holdfast:do-not-touch: yes}, decides: allow", "decide refuse (exemption: "),
            ("in: elsewhere, decides: allow", "decide refuse (rollout: elsewhere is no environment"),
        ] as [(String, String?)])
    func guardsAreJudged(says: String, fault: String?) throws {
        let file = Self.root.appending(path: "playbooks/aws-s3-block-public-access.yaml")
        let text = try String(contentsOf: file, encoding: .utf8).replacing("in: dev, decides: allow", with: says)
        let node = try YAMLReader.read(text, file: "a.yaml")
        let (playbooks, problems) = Playbooks.load([("example", node)], vocabulary: Self.vocabulary)
        #expect(problems.map(\.description) == [])
        let found = playbooks.runTests().map(\.description)
        #expect(found.count == (fault == nil ? 0 : 1), "\(found)")
        if let fault { #expect(found.first?.contains(fault) == true, "\(found)") }
    }

    @Test("Each shipped playbook has a test with exact calls")
    func testsAreExact() {
        #expect(Self.shipped.playbooks.all.filter { !$0.hasExactTest }.map(\.id) == [])
    }

    @Test("Each playbook in the documentation loads, and its tests hold")
    func documentationHolds() throws {
        let text = try String(contentsOf: Self.root.appending(path: "docs/playbooks.md"), encoding: .utf8)
        let examples = text.components(separatedBy: "```yaml\n").dropFirst()
        #expect(examples.count >= 4)
        for (index, example) in examples.enumerated() {
            let yaml = try #require(example.components(separatedBy: "```").first)
            let node = try YAMLReader.read(yaml, file: "docs/playbooks.md example \(index + 1)")
            let (playbooks, problems) = Playbooks.load([("example", node)], vocabulary: Self.vocabulary)
            #expect(problems.map(\.description) == [])
            #expect(playbooks.testCount > 0 && playbooks.runTests().map(\.description) == [])
        }
    }
}
