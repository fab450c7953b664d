import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

private let begin = Timestamp(seconds: 1_779_000_000)
private let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
private let group = ResourceID(
    type: "AWS::EC2::SecurityGroup", id: "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1")

/// A security group that is read and spoken of, in whatever order.
private struct Bench {
    let journal: any Journal
    let keeper: Keeper
    private var events = 0

    init() async throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
    }

    /// What a read that starts at a second shows: port 22 open to this range.
    func read(_ cidr: String, at second: Int) async throws {
        let started = begin + Span(seconds: second)
        let rules: JSON = [
            [
                "SecurityGroupRuleId": "sgr-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                "CidrIp": .string(cidr),
            ]
        ]
        let description = Description(
            result: .sections([(PropertyPath(names: "SecurityGroupIngress"), rules)]), started: started,
            id: "read@\(second)")
        let listed = ListedResource(resource: group, context: place, element: .null)
        _ = try await keeper.scan([(listed, description)], unread: [], now: started)
    }

    /// An event of a second that arrives at another; `opens` port 22 to everybody, or does not say what it changes.
    mutating func hear(_ name: String, at second: Int, arrives: Int, opens: Bool = false) async throws {
        events += 1
        let rule: JSON = [
            "groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": false, "ipProtocol": "tcp", "fromPort": 22,
            "toPort": 22, "cidrIpv4": "0.0.0.0/0",
        ]
        let record: JSON = [
            "eventTime": .string((begin + Span(seconds: second)).description), "eventSource": "ec2.amazonaws.com",
            "eventName": .string(name), "awsRegion": "eu-west-1", "eventID": .string("e-\(events)"), "readOnly": false,
            "recipientAccountId": "111122223333",
            "userIdentity": ["type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"],
            "requestParameters": ["groupId": "sg-1"],
            "responseElements": name == "CreateSecurityGroup"
                ? ["groupId": "sg-1"] : opens ? ["securityGroupRuleSet": ["items": [rule]]] : .null,
        ]
        try await keeper.intake(
            RecordBatch(records: Records(records: [record.canonicalBytes]), positions: []), from: "test",
            now: begin + Span(seconds: arrives))
    }

    func finding() throws -> Finding {
        let open = try journal.findings(states: ["open"]).compactMap { Finding(json: $0.body) }
        return try #require(open.first { $0.rule == "any/network/admin-ports-not-open" })
    }

    /// Drift by an event of this second; `nil`: backlog, with no event as its cause.
    func expect(driftBy second: Int?, _ why: Comment) throws {
        let finding = try finding()
        #expect(finding.origin == (second == nil ? .backlog : .drift), why)
        #expect(finding.cause.isBaseline == (second == nil), why)
        guard let second else { return }
        #expect(finding.cause.actor.contains("ann") && finding.since == begin + Span(seconds: second), why)
    }
}

@Suite("What a read shows before its event arrives")
struct CauseTests {
    private let authorize = "AuthorizeSecurityGroupIngress"
    /// Does not say to what.
    private let silent = "RevokeSecurityGroupIngress"

    @Test("An event that comes after the read that showed its work makes backlog drift, with its actor")
    func late() async throws {
        var bench = try await Bench()
        try await bench.read("10.0.0.0/8", at: 100)
        try await bench.read("0.0.0.0/0", at: 300)
        try bench.expect(driftBy: nil, "no event is known")
        try await bench.hear(authorize, at: 200, arrives: 900, opens: true)
        try bench.expect(driftBy: 200, "the event explains it")
        let changes = try bench.journal.findingChanges(of: try bench.finding().id).map(\.change)
        #expect(changes == ["opened", "changed"])
    }

    @Test("So does an event that happened just before the read, within the margin by which reads are dated back")
    func margin() async throws {
        var bench = try await Bench()
        try await bench.read("10.0.0.0/8", at: 100)
        try await bench.read("0.0.0.0/0", at: 300)
        try await bench.hear(authorize, at: 299, arrives: 301, opens: true)
        try bench.expect(driftBy: 299, "the read is dated before the event")
    }

    @Test("Of two events that a rule fails by, the older one is the cause, though it comes last")
    func older() async throws {
        var bench = try await Bench()
        try await bench.read("10.0.0.0/8", at: 100)
        try await bench.hear(authorize, at: 200, arrives: 210, opens: true)
        try bench.expect(driftBy: 200, "it is the first that is known")
        try await bench.hear(authorize, at: 150, arrives: 220, opens: true)
        try bench.expect(driftBy: 150, "it was so already")
    }

    @Test("An event from before the state that was good, or after the read that was not, explains nothing")
    func unrelated() async throws {
        var bench = try await Bench()
        try await bench.read("10.0.0.0/8", at: 100)
        try await bench.read("0.0.0.0/0", at: 300)
        try await bench.hear(authorize, at: 50, arrives: 310, opens: true)
        try bench.expect(driftBy: nil, "it was good after that event")
        try await bench.hear(authorize, at: 400, arrives: 410, opens: true)
        try bench.expect(driftBy: nil, "it was bad before that event")
    }

    @Test("What was never seen good stays backlog, whatever is told of it later")
    func neverGood() async throws {
        var bench = try await Bench()
        try await bench.read("0.0.0.0/0", at: 300)
        try await bench.hear(authorize, at: 200, arrives: 310, opens: true)
        try bench.expect(driftBy: nil, "nobody knows what it was before that event")
    }

    @Test("An event that does not say to what it changed the resource is the cause of what the next read shows")
    func silence() async throws {
        var bench = try await Bench()
        try await bench.read("10.0.0.0/8", at: 100)
        try await bench.hear(silent, at: 200, arrives: 210)
        try await bench.read("0.0.0.0/0", at: 300)
        try bench.expect(driftBy: 200, "between a good state and a bad one stands that event alone")
    }

    @Test("A resource whose making is told after the read that found it was good when it was made")
    func creation() async throws {
        var bench = try await Bench()
        try await bench.read("0.0.0.0/0", at: 300)
        try bench.expect(driftBy: nil, "it may have been so for years")
        try await bench.hear("CreateSecurityGroup", at: 200, arrives: 310)
        try bench.expect(driftBy: nil, "it was made without rules, and nobody told of this one")
        try await bench.hear(authorize, at: 250, arrives: 320, opens: true)
        try bench.expect(driftBy: 250, "it was made a moment before, without that rule")
    }
}
