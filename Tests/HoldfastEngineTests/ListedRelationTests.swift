import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

private let start = Timestamp(seconds: 1_780_000_000)
private let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
private let rule = "aws/vpc/flow-logs-on"

private func id(_ type: String, _ name: String) -> ResourceID {
    ResourceID(type: type, id: "arn:aws:ec2:eu-west-1:111122223333:\(name)")
}

/// Two networks, of which the first has a flow log.
private struct TwoNetworks: StateLister {
    static let listed: [ResourceID] = [
        id("AWS::EC2::VPC", "vpc/vpc-1"), id("AWS::EC2::VPC", "vpc/vpc-2"),
        id("AWS::EC2::FlowLog", "vpc-flow-log/fl-1"),
    ]

    func list(_ type: String, at place: ResourceContext) async throws(ReadError) -> [ListedResource] {
        Self.listed.filter { $0.type == type }.map { ListedResource(resource: $0, context: place, element: .null) }
    }

    func describe(_ listed: ListedResource) async throws(ReadError) -> Description {
        try await describe(listed.resource, context: listed.context)
    }

    func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        let state: JSON =
            resource.type == "AWS::EC2::VPC"
            ? ["VpcId": .string(String(resource.id.suffix(5)))]
            : [
                "Id": "fl-1", "ResourceId": "vpc-1", "ResourceType": "VPC", "Status": "ACTIVE", "TrafficType": "REJECT",
                "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow-logs", "LogFormat": .null,
                "DeliverLogsPermissionArn": .null, "MaxAggregationInterval": 60,
            ]
        // By properties, as a cloud's answers are.
        let sections = (state.object?.members ?? []).map { (PropertyPath([.name($0.name)]), $0.value) }
        return Description(result: .sections(sections), started: start, id: "read:\(resource.id)")
    }
}

@Suite("Relations that are known once all of a type was listed")
struct ListedRelationTests {
    private let journal: any Journal
    private let keeper: Keeper

    init() async throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
    }

    private func scan(_ types: String...) async throws {
        let units = types.map { ScanUnit(type: $0, place: place) }
        let scan = Scan(keeper: keeper, lister: TwoNetworks(), clock: StillClock(), units: units) { _ in }
        _ = try await scan.run(skippingDoneSince: start + Span(seconds: 60))
    }

    private func findings(_ state: String = "open") throws -> [Finding] {
        try journal.findings(states: [state]).compactMap { Finding(json: $0.body) }.filter { $0.rule == rule }
    }

    /// Of this rule's findings on a resource, as `holdfast resource ID --as-of` shows them.
    private func states(of resource: ResourceID, asOf: Timestamp) throws -> [String?] {
        let archive = Archive(journal: journal, policy: ShippedData.policy) { asOf }
        let query = Query.resource(id: resource.id, asOf: asOf, history: false)
        guard case .one(let shown) = try archive.answer(query) else { return [] }
        return (shown["findings"]?.array ?? []).filter { $0["rule"]?.string == rule }.map { $0["state"]?.string }
    }

    @Test("A network without a flow log drifts as soon as flow logs were listed, whichever was listed first")
    func listed() async throws {
        try await scan("AWS::EC2::VPC")
        #expect(try findings().isEmpty)
        try await scan("AWS::EC2::FlowLog")
        #expect(try findings().map(\.resource) == [id("AWS::EC2::VPC", "vpc/vpc-2")])
        #expect(try findings().map(\.origin) == [.backlog])
    }

    @Test("It drifts too where it is read after flow logs were listed")
    func listedBefore() async throws {
        try await scan("AWS::EC2::FlowLog")
        try await scan("AWS::EC2::VPC")
        #expect(try findings().map(\.resource) == [id("AWS::EC2::VPC", "vpc/vpc-2")])
    }

    @Test("Who deletes the only flow log of a network makes it drift, and is named; the plan makes that log again")
    func deleted() async throws {
        try await scan("AWS::EC2::FlowLog", "AWS::EC2::VPC")
        var estate = RandomEstate(seed: 1)
        let request: JSON = ["DeleteFlowLogsRequest": ["FlowLogId": ["tag": 1, "content": "fl-1"]]]
        var record = try #require(
            try JSON.parse(estate.record("ec2.amazonaws.com", "DeleteFlowLogs", request, nil, place.account)).object)
        record["awsRegion"] = "eu-west-1"
        record["eventTime"] = .string((start + Span(seconds: 600)).description)
        try await keeper.intake(
            RecordBatch(records: Records(records: [JSON.object(record).canonicalBytes]), positions: []), from: "test",
            now: start + Span(seconds: 601))
        let drift = try #require(try findings().first { $0.resource.id.hasSuffix("vpc-1") })
        #expect(drift.origin == .drift)
        #expect(try states(of: drift.resource, asOf: start + Span(seconds: 599)) == [])
        #expect(try states(of: drift.resource, asOf: start + Span(seconds: 600)) == ["open"])
        let plan = try #require(try journal.plan(finding: drift.id)).body
        let call = try #require(plan["plan"]?["steps"]?.array?.first, "\(plan)")
        #expect(call["call"] == "ec2.CreateFlowLogs")
        #expect(call["parameters"]?["TrafficType"] == "REJECT")
        #expect(call["parameters"]?["LogDestination"] == "arn:aws:s3:::flow-logs")
        #expect(drift.cause.json["action"]?.string?.hasSuffix("DeleteFlowLogs") == true, "\(drift.cause.json)")
    }
}

/// A clock that stands.
private struct StillClock: HoldfastClock {
    private let continuous = ContinuousClock()
    var now: ContinuousClock.Instant { continuous.now }
    var minimumResolution: Duration { continuous.minimumResolution }
    func wallTime() -> Timestamp { start }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
}
