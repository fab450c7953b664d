import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

private let start = Timestamp(seconds: 1_780_000_000)
private let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")

private func group(_ id: String) -> ResourceID {
    ResourceID(
        type: "AWS::EC2::SecurityGroup", id: "arn:aws:ec2:eu-west-1:111122223333:security-group/\(id)")
}

private func rules(_ cidr: String) -> JSON {
    [
        [
            "SecurityGroupRuleId": "sgr-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
            "CidrIp": .string(cidr),
        ]
    ]
}

/// As CloudTrail writes it.
private let openSSH: JSON = [
    "items": [["ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["items": [["cidrIp": "0.0.0.0/0"]]]]]
]

private func read(_ sections: [(String, JSON)], at time: Timestamp, unread: [Description.Unread] = []) -> Description {
    Description(
        result: .sections(sections.map { (PropertyPath(names: $0.0), $0.1) }), started: time,
        id: "read@\(time.nanoseconds)", unread: unread)
}

/// A keeper on a journal of its own, and events for it.
private struct Bench {
    let journal: any Journal
    let keeper: Keeper
    var random = RandomEstate(seed: 3)

    init() async throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
    }

    mutating func authorize(_ request: JSON, at now: Timestamp) async throws {
        let record = random.record(
            "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", request, nil, "111122223333")
        try await keeper.intake(
            RecordBatch(records: Records(records: [record]), positions: []), from: "test", now: now)
    }

    func mark(_ id: ResourceID, at now: Timestamp) async throws -> DirtyResource {
        _ = try await keeper.scan(
            [], unread: [(ListedResource(resource: id, context: place, element: .null), .passing)], now: now)
        return try #require(try await keeper.claim(now: now + Span(seconds: 20), limit: 10).first { $0.resource == id })
    }

    func open() throws -> [Finding] {
        try journal.findings(states: ["open"]).compactMap { Finding(json: $0.body) }
    }
}

extension ReadError {
    fileprivate static let passing = ReadError(code: "throttled", message: "later", retry: .after(Span(seconds: 1)))
    fileprivate static let denied = ReadError(
        code: "denied", message: "iam says no", retry: .after(Limits.longestBackoff),
        lacks: "ec2:DescribeSecurityGroupRules in 111122223333")
}

@Suite("Reads and what they say")
struct ReadingTests {
    @Test("A burst of 500 events on ten resources is read at most twenty times")
    func burst() async throws {
        var bench = try await Bench()
        var reads = 0
        for second in 0..<16 {
            let now = start + Span(seconds: second)
            if second < 10 {
                for event in 0..<50 {
                    try await bench.authorize(["groupId": .string("sg-\(event % 10)")], at: now)
                }
            }
            for dirty in try await bench.keeper.claim(now: now, limit: 50) {
                reads += 1
                try await bench.keeper.settle(dirty, read([("GroupName", "web")], at: now), now: now)
            }
        }
        #expect(await bench.keeper.totals.events == 500)
        #expect(reads >= 10 && reads <= 20, "\(reads) reads")
    }

    @Test("What may not be read stays unknown, a notice names the permission, and the rest counts")
    func denied() async throws {
        let bench = try await Bench()
        let dirty = try await bench.mark(group("sg-1"), at: start)
        let unread = Description.Unread(paths: [PropertyPath(names: "SecurityGroupIngress")], error: .denied)
        try await bench.keeper.settle(
            dirty,
            read([("GroupName", "default"), ("SecurityGroupEgress", rules("0.0.0.0/0"))], at: start, unread: [unread]),
            now: start)
        let notice = try #require(try bench.journal.openNotices().first { $0.code == "read-denied" })
        #expect(notice.subject == "ec2:DescribeSecurityGroupRules in 111122223333")
        #expect(notice.text.contains("SecurityGroupIngress"))
        #expect(try bench.open().contains { $0.rule.contains("default") }, "the part that was read is judged")
        #expect(!(try bench.open().contains { $0.rule == "any/network/admin-ports-not-open" }))
        #expect(try bench.journal.dirtySummary().count == 1, "it is tried again")
        // Another resource that lacks the same keeps the notice open; the last one that may be read ends it.
        let other = try await bench.mark(group("sg-2"), at: start)
        try await bench.keeper.park(other, .denied, now: start)
        let later = start + Span(seconds: 2000)
        let due = try await bench.keeper.claim(now: later, limit: 10).sorted { $0.resource < $1.resource }
        #expect(due.map(\.resource) == [group("sg-1"), group("sg-2")])
        for (again, isOpen) in zip(due, [true, false]) {
            try await bench.keeper.settle(again, read([("VpcId", "vpc-1")], at: later), now: later)
            #expect(try bench.journal.openNotices().contains { $0.code == "read-denied" } == isOpen)
        }
    }

    @Test("A resource that an event named by another name becomes the one it is, with all that was said of it")
    func alias() async throws {
        var bench = try await Bench()
        try await bench.authorize(["groupName": "web", "ipPermissions": openSSH], at: start)
        let later = start + Span(seconds: 3)
        let dirty = try #require(try await bench.keeper.claim(now: later, limit: 10).first)
        #expect(dirty.resource.isAlias)
        let found = Description(result: .identified(group("sg-9"), place), started: later, id: "list")
        try await bench.keeper.settle(dirty, found, now: later)
        let open = try bench.open()
        #expect(open.contains { $0.resource == group("sg-9") && $0.rule == "any/network/admin-ports-not-open" })
        #expect(!open.contains { $0.resource.isAlias })
    }

    @Test("A difference that no event explains is recorded as an unseen change, one that an event explains is not")
    func unseen() async throws {
        var bench = try await Bench()
        func settle(_ cidr: String, at time: Timestamp) async throws -> String {
            let dirty = try await bench.mark(group("sg-1"), at: time)
            let later = time + Span(seconds: 20)
            try await bench.keeper.settle(dirty, read([("SecurityGroupIngress", rules(cidr))], at: later), now: later)
            return try bench.journal.history(of: group("sg-1"), upTo: .distantFuture).last?.action ?? ""
        }
        // Events here happen from 1,779,000,000 on.
        let before = Timestamp(seconds: 1_778_000_000)
        #expect(try await settle("10.0.0.0/8", at: before) == "read")
        #expect(try await settle("0.0.0.0/0", at: before + Span(seconds: 100)) == "read: changed unseen")
        try await bench.authorize(["groupId": "sg-1", "ipPermissions": openSSH], at: start)
        #expect(try await settle("192.0.2.0/24", at: start + Span(seconds: 60)) == "read")
    }
}

@Suite("Scans")
struct ScanTests {
    @Test("A scan reads all there is, though a third of the answers fail, and marks what is gone")
    func complete() async throws {
        let bench = try await Bench()
        _ = try await bench.mark(group("sg-gone"), at: start)
        let lister = FlakyLister(count: 120, failsEvery: 3)
        let scan = Scan(
            keeper: bench.keeper, lister: lister, clock: InstantClock(),
            units: [ScanUnit(type: "AWS::EC2::SecurityGroup", place: place)]
        ) { _ in }
        let progress = try await scan.run(skippingDoneSince: start)
        #expect(progress.resources == 120 && progress.failures.isEmpty)
        #expect(try bench.open().count { $0.rule == "any/network/admin-ports-not-open" } == 12)
        #expect(try bench.open().allSatisfy { $0.origin == .backlog && $0.cause.isBaseline })
        let missing = try await bench.keeper.claim(now: .distantFuture, limit: 10).map(\.resource)
        #expect(missing.contains(group("sg-gone")) || missing.isEmpty, "\(missing)")
        #expect(try bench.journal.openNotices().contains { $0.code == "baseline-findings" })
    }

    @Test("An interrupted scan goes on after what it has done, and one that is through begins anew")
    func resumes() async throws {
        let bench = try await Bench()
        let units = ["AWS::EC2::SecurityGroup", "AWS::EC2::VPC"].map { ScanUnit(type: $0, place: place) }
        let lister = FlakyLister(count: 5, failsEvery: .max)
        let first = Scan(keeper: bench.keeper, lister: lister, clock: InstantClock(), units: [units[0]]) { _ in }
        _ = try await first.run(skippingDoneSince: start)
        let both = Scan(keeper: bench.keeper, lister: lister, clock: InstantClock(), units: units) { _ in }
        #expect(try await both.run(skippingDoneSince: start).resources == 5)
        #expect(try await both.run(skippingDoneSince: .distantFuture).resources == 10)
    }

    @Test("What may not be listed is told of, and the rest is scanned")
    func deniedList() async throws {
        let bench = try await Bench()
        let units = ["AWS::EC2::VPC", "AWS::EC2::SecurityGroup"].map { ScanUnit(type: $0, place: place) }
        let lister = FlakyLister(count: 5, failsEvery: .max, denied: "AWS::EC2::VPC")
        let scan = Scan(keeper: bench.keeper, lister: lister, clock: InstantClock(), units: units) { _ in }
        let progress = try await scan.run(skippingDoneSince: start)
        #expect(progress.failures.map(\.unit) == [units[0]])
        #expect(progress.resources == 5)
        #expect(try bench.journal.openNotices().contains { $0.code == "read-denied" })
    }
}

/// Groups of which every tenth is open; every so many reads fail once.
private actor FlakyLister: StateLister {
    private let count: Int
    private let failsEvery: Int
    private let denied: String
    private var calls = 0

    init(count: Int, failsEvery: Int, denied: String = "") {
        self.count = count
        self.failsEvery = failsEvery
        self.denied = denied
    }

    func list(_ type: String, at place: ResourceContext) async throws(ReadError) -> [ListedResource] {
        if type == denied { throw .denied }
        try fail()
        return (0..<count).map { number in
            let id = type == "AWS::EC2::VPC" ? "vpc/vpc-\(number)" : "security-group/sg-\(number)"
            let resource = ResourceID(type: type, id: "arn:aws:ec2:eu-west-1:111122223333:\(id)")
            return ListedResource(resource: resource, context: place, element: .number(JSONNumber(number)))
        }
    }

    func describe(_ listed: ListedResource) async throws(ReadError) -> Description {
        try fail()
        guard listed.resource.type == "AWS::EC2::SecurityGroup" else {
            return read([("CidrBlock", "10.0.0.0/16")], at: start)
        }
        let isOpen = listed.resource.id.hasSuffix("0")
        return read([("SecurityGroupIngress", rules(isOpen ? "0.0.0.0/0" : "10.0.0.0/8"))], at: start)
    }

    func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        read([], at: start)
    }

    private func fail() throws(ReadError) {
        calls += 1
        if calls.isMultiple(of: failsEvery) { throw .passing }
    }
}

/// A clock on which nothing takes time.
private struct InstantClock: HoldfastClock {
    private let continuous = ContinuousClock()
    var now: ContinuousClock.Instant { continuous.now }
    var minimumResolution: Duration { continuous.minimumResolution }
    func wallTime() -> Timestamp { start }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
}
