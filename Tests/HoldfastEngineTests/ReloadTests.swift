import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore
import Testing

private let now = Timestamp(seconds: 1_780_000_000)

/// A policy of one rule on trails.
private func policy(_ rules: String...) throws -> Policy {
    let catalog = ShippedData.policy.catalog
    let files = try rules.enumerated().map { index, expectation in
        let node = try YAMLReader.read(
            """
            type: AWS::CloudTrail::Trail
            title: A rule
            severity: high
            maturity: stable
            expect: \(expectation)
            why: It is a test.
            fix: {console: Nothing.}
            tests:
              - {given: {}, verdict: unknown}
            """, file: "rules/test/rule-\(index).yaml")
        return BaselineFile(kind: .rules, name: "aws/test/rule-\(index)", node: node)
    }
    let (baseline, problems) = Baseline.load(
        files, catalog: catalog, lists: [], environments: ["dev", "production"], now: now)
    try #require(problems.isEmpty, "\(problems)")
    return Policy(
        catalog: catalog, baseline: baseline, playbooks: ShippedData.policy.playbooks,
        classification: ShippedData.policy.classification,
        lists: [:], limits: Limits(), plansAreMade: false, catalogDigest: "")
}

private struct Trails {
    let journal: SQLiteJournal
    let keeper: Keeper

    /// - Parameter stopped: how many of a hundred trails do not log.
    init(stopped: Int, policy: Policy) async throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
        let found = (0..<100).map { number -> (resource: ListedResource, description: Description) in
            let resource = ResourceID(
                type: "AWS::CloudTrail::Trail", id: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t-\(number)")
            let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
            let sections: [(path: PropertyPath, value: JSON)] = [
                (PropertyPath(names: "IsLogging"), .bool(number >= stopped)),
                (PropertyPath(names: "IsMultiRegionTrail"), true),
            ]
            return (
                ListedResource(resource: resource, context: place, element: .null),
                Description(
                    result: .sections(sections), started: Timestamp(seconds: 1_778_000_000), id: "scan-\(number)")
            )
        }
        _ = try await keeper.scan(found, unread: [], now: now)
    }
}

@Suite("Reloads")
struct ReloadTests {
    @Test("A preview says by rule what a reload then does, and writes nothing")
    func previewIsWhatHappens() async throws {
        let old = try policy("{IsMultiRegionTrail: true}")
        let new = try policy("{IsMultiRegionTrail: false}", "{IsLogging: true}")
        let trails = try await Trails(stopped: 7, policy: old)
        let preview = try await ReloadPreview.make(journal: trails.journal, policy: new, now: now)
        #expect(try trails.journal.findings(states: ["open"]).isEmpty)
        #expect(
            preview.lines == ["aws/test/rule-0: 100 opened", "aws/test/rule-1: 7 opened"], "\(preview.lines)")
        let changes = try await trails.keeper.adopt(new, now: now)
        #expect(changes == [.opened: 107])
        let back = try await ReloadPreview.make(journal: trails.journal, policy: old, now: now)
        #expect(back.byRule["aws/test/rule-0"] == [.resolved: 100])
    }

    @Test("More than five in a hundred changed resources wait for a person, five do not", arguments: [0, 5, 6])
    func share(stopped: Int) async throws {
        let trails = try await Trails(stopped: stopped, policy: try policy("{IsMultiRegionTrail: true}"))
        let preview = try await ReloadPreview.make(
            journal: trails.journal, policy: try policy("{IsMultiRegionTrail: true}", "{IsLogging: true}"), now: now)
        #expect(preview.resources == 100)
        #expect(preview.changedResources == stopped)
        #expect(preview.needsConfirmation == (stopped > 5))
    }

    @Test("Evaluations are counted in the journal, those that changes led to apart from the others")
    func evaluationsAreCounted() async throws {
        let trails = try await Trails(stopped: 1, policy: try policy("{IsLogging: true}"))
        _ = try await trails.keeper.positions(of: "test")
        var estate = RandomEstate(seed: 1)
        let record = estate.record("cloudtrail.amazonaws.com", "StopLogging", ["name": "t-50"], nil, "111122223333")
        try await trails.keeper.intake(
            RecordBatch(records: Records(records: [record]), positions: []), from: "test", now: now)
        let counters = try trails.journal.counters(name: CounterDelta.evaluations)
        #expect(counters.map(\.label) == ["events", "state"])
        #expect(counters.map(\.amount) == [1, 100])
        let status = try StatusReport(journal: trails.journal, now: now)
        #expect(status.evaluationsPerEvent == 1)
        #expect(status.lines.contains { $0 == "evaluations: 1, 1.0 for each event" })
    }
}
