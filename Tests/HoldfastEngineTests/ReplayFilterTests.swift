import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

@Suite("What of a replay is shown")
struct ReplayFilterTests {
    private static let records = [
        Trail.block("a", true, at: 0, id: "e-1"), Trail.block("a", false, at: 10, id: "e-2"),
        Trail.block("b", false, at: 20, id: "e-3", identity: Trail.user("bob")),
        Trail.record("StopLogging", at: 30, id: "e-4", source: "cloudtrail", request: ["name": "t"]),
    ]

    private func events(_ change: (inout ReplayFilter) -> Void) throws -> [String] {
        var filter = ReplayFilter()
        change(&filter)
        let none = ReplayInclusion(reads: .none, failures: .none, sessions: .none)
        return try Replayed(Self.records, filter: filter, inclusion: none).rows.compactMap { $0["event"]?.string }
    }

    @Test("By account, address and actor")
    func who() throws {
        #expect(try events { $0.accounts = ["444455556666"] }.isEmpty)
        #expect(try events { $0.accounts = [Trail.account] }.count == 4)
        #expect(try events { $0.sourceIP = "192.0.2." }.count == 4)
        #expect(try events { $0.sourceIP = "192.0.2" }.isEmpty)
        #expect(try events { $0.actor = "bob" } == ["e-3"])
        #expect(try events { $0.actor = "ob" }.isEmpty)
        #expect(try events { $0.actor = "arn:aws:iam::\(Trail.account):user/alice" }.count == 3)
    }

    @Test("By resource, by its id or the end of it")
    func resource() throws {
        #expect(try events { $0.resource = "arn:aws:s3:::a" } == ["e-1", "e-2"])
        #expect(try events { $0.resource = "trail/t" } == ["e-4"])
    }

    @Test("By rule, folder of rules and severity")
    func rule() throws {
        #expect(try events { $0.rule = "aws/cloudtrail/trail-is-logging" } == ["e-4"])
        #expect(try events { $0.rule = "aws/cloudtrail/" } == ["e-4"])
        #expect(try events { $0.severity = .critical }.contains("e-4"))
        #expect(try !events { $0.severity = .critical }.contains("e-1"))
    }

    @Test("Only what made something more reachable")
    func opened() throws {
        #expect(try events { $0.openedOnly = true } == ["e-2", "e-3"])
    }

    @Test("Neighbours along relations are shown with a resource")
    func neighbours() throws {
        let records = [
            Trail.record(
                "RunInstances", at: 0, id: "e-1", source: "ec2", request: .null,
                response: [
                    "instancesSet": [
                        "items": [
                            [
                                "instanceId": "i-0a1b", "imageId": "ami-1", "subnetId": "subnet-1", "vpcId": "vpc-1",
                                "groupSet": ["items": [["groupId": "sg-0a1b"]]],
                            ]
                        ]
                    ]
                ]),
            Trail.record(
                "AuthorizeSecurityGroupIngress", at: 5, id: "e-2", source: "ec2", request: ["groupId": "sg-0a1b"],
                response: [
                    "securityGroupRuleSet": [
                        "items": [
                            [
                                "groupId": "sg-0a1b", "securityGroupRuleId": "sgr-1", "isEgress": false,
                                "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0",
                            ]
                        ]
                    ]
                ]),
        ]
        var filter = ReplayFilter()
        filter.resource = "instance/i-0a1b"
        let events = try Replayed(records, filter: filter).rows.compactMap { $0["event"]?.string }
        #expect(events == ["e-1", "e-2"])
        filter.resource = "instance/i-ffff"
        #expect(try Replayed(records, filter: filter).rows.isEmpty)
    }
}

@Suite("Back-tests, comparisons and differences")
struct ReplayAnswersTests {
    private static let records = [
        Trail.block("a", true, at: 0, id: "e-1"), Trail.block("a", false, at: 4000, id: "e-2"),
        Trail.block("a", true, at: 8000, id: "e-3"),
    ]

    @Test("A replay that is held against itself has neither new nor vanished findings")
    func backtest() throws {
        let outcome = try Replayed(Self.records).report.outcome
        let json = Backtest(current: outcome, candidate: outcome).json
        #expect(json["new"] == [] && json["vanished"] == [] && json["changed"] == [])
        #expect(json["rules"]?.array?.isEmpty == false)
    }

    /// A service that heard of the records, each in a batch of its own, as they happened.
    private func service(_ records: [[UInt8]]) async throws -> SQLiteJournal {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
        for (number, record) in records.enumerated() {
            try await keeper.intake(
                RecordBatch(records: Records(records: [record]), positions: []), from: "test",
                now: Timestamp(seconds: 1_780_000_000 + Int64(number) * 4000 + 30))
        }
        return journal
    }

    @Test("What two moments differ in: a resource, its ways in, a finding")
    func difference() async throws {
        let journal = try await service(Self.records)
        func diff(_ from: Int64, _ to: Int64) throws -> JSON {
            try PostureDiff(
                journal: journal, policy: ShippedData.policy, from: Timestamp(seconds: 1_780_000_000 + from),
                to: Timestamp(seconds: 1_780_000_000 + to)
            ).json()
        }
        let opened = try diff(100, 5000)
        #expect(opened["resources"]?.array?.first?["change"] == "changed")
        #expect(opened["resources"]?.array?.first?["opened"]?.array?.isEmpty == false)
        #expect(opened["findings"]?.array?.first?["change"] == "opened")
        #expect(try diff(5000, 9000)["findings"]?.array?.first?["change"] == "ended")
        #expect(try diff(100, 9000)["resources"] == [])
        #expect(try diff(-10, 100)["resources"]?.array?.first?["change"] == "appeared")
    }

    @Test("A replay of a journal finds what the service found, from the state when the window began")
    func journalReplay() async throws {
        let journal = try await service(Self.records)
        let window = ReplayWindow(from: Timestamp(seconds: 1_780_000_100), to: Timestamp(seconds: 1_780_009_000))
        let spool = try SQLiteSpool()
        var replay = try Replay(
            policy: ShippedData.policy, journal: SQLiteJournal(.temporary), spool: spool, window: window,
            filter: ReplayFilter())
        var reading = JournalReading(journal: journal, window: window)
        try reading.read(into: &replay)
        try replay.run()
        let opening = try #require(replay.outcome.stories.first?.openings.first)
        #expect(opening.from == Timestamp(seconds: 1_780_004_000) && opening.to == Timestamp(seconds: 1_780_008_000))
        #expect(replay.outcome.resourcesAtStart == 1)
        let comparison = try ReplayComparison(replay, journal: journal, versions: []).json()
        #expect(comparison["differences"] == [])
    }
}
