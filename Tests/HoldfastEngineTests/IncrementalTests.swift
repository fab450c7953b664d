import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastStore
import Testing

private let policy = ShippedData.policy

@Suite("Incremental evaluation")
struct IncrementalTests {
    private static let now = Timestamp(seconds: 1_780_000_000)

    /// 10,000 sequences: 100 journals, each taking 100 estates of their own in one go.
    @Test("On random estates, reordered and doubled events leave the findings of a full evaluation: 10,000 sequences")
    func equalsFull() async throws {
        var random = RandomEstate(seed: 11)
        var judged = 0
        for _ in 0..<100 {
            let journal = try SQLiteJournal(.inMemory)
            let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
            _ = try await keeper.positions(of: "test")
            var records: [[UInt8]] = []
            for estate in 0..<100 { records += random.sequence(account: String(100_000_000_000 + estate)) }
            records.shuffle(using: &random.random)
            for start in stride(from: 0, to: records.count, by: 60) {
                let batch = RecordBatch(
                    records: Records(records: Array(records[start..<min(start + 60, records.count)])), positions: [])
                try await keeper.intake(batch, from: "test", now: Self.now)
            }
            let verification = try Verification.run(journal: journal, policy: policy, now: Self.now)
            judged += verification.evaluations
            #expect(verification.disagreements.isEmpty, "\(verification.disagreements.prefix(3))")
            if !verification.disagreements.isEmpty { return }
        }
        #expect(judged > 20_000)
    }

    @Test("Any order of the same events leaves the same states")
    func anyOrder() async throws {
        var random = RandomEstate(seed: 5)
        for _ in 0..<40 {
            let records = random.sequence(account: "111122223333")
            var states: Set<[StoredResource]> = []
            for _ in 0..<3 {
                let journal = try SQLiteJournal(.inMemory)
                let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
                _ = try await keeper.positions(of: "test")
                for record in records.shuffled(using: &random.random) {
                    let batch = RecordBatch(records: Records(records: [record]), positions: [])
                    try await keeper.intake(batch, from: "test", now: Self.now)
                }
                states.insert(try journal.resources(after: nil, limit: 1000))
            }
            #expect(states.count == 1)
        }
    }

    @Test("One changed property evaluates the rules that read it, and no others")
    func evaluatesOnlyWhatReads() async throws {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
        var random = RandomEstate(seed: 1)
        let record = random.record("cloudtrail.amazonaws.com", "StopLogging", ["name": "trail-1"], nil, "111122223333")
        let batch = RecordBatch(records: Records(records: [record]), positions: [])
        try await keeper.intake(batch, from: "test", now: Self.now)
        let all = policy.baseline.index.rules(of: "AWS::CloudTrail::Trail").count
        let made = await keeper.totals.evaluations
        #expect(made > 0 && made < all, "\(made) of \(all)")
    }

    @Test("A recorded state older than the event is read once, and the run ends")
    func oldRecordedState() async throws {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
        var random = RandomEstate(seed: 1)
        let record = random.record("cloudtrail.amazonaws.com", "StopLogging", ["name": "trail-1"], nil, "111122223333")
        let batch = RecordBatch(records: Records(records: [record]), positions: [])
        try await keeper.intake(batch, from: "test", now: Self.now)
        let later = Self.now + Span(seconds: 60)
        for _ in 0..<3 {
            for dirty in try await keeper.claim(now: later, limit: 10) {
                let old = Description(
                    result: .sections([(path: PropertyPath(names: "IsLogging"), value: .bool(true))]),
                    started: Timestamp(seconds: 1_700_000_000), id: "recorded:1")
                try await keeper.settle(dirty, old, now: later)
            }
        }
        #expect(try journal.dirtySummary().count == 0)
        #expect(await keeper.totals.described <= 2)
    }

    @Test("An event seen twice is journaled once")
    func once() async throws {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
        var random = RandomEstate(seed: 1)
        let record = random.record("cloudtrail.amazonaws.com", "StopLogging", ["name": "trail-1"], nil, "111122223333")
        for _ in 0..<3 {
            let batch = RecordBatch(records: Records(records: [record, record]), positions: [])
            try await keeper.intake(batch, from: "test", now: Self.now)
        }
        #expect(await keeper.totals.events == 1)
        #expect(await keeper.totals.duplicates == 5)
        #expect(try journal.recentEventIDs(limit: 10).count == 1)
    }

    @Test("A finding opened by an event names the event, the actor and who opened the actor's session")
    func causeAndChain() async throws {
        let journal = try SQLiteJournal(.inMemory)
        let keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
        let role = "arn:aws:sts::111122223333:assumed-role/deployer/late"
        let assume: JSON = [
            "eventTime": "2026-05-01T08:00:00Z", "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole",
            "eventID": "a-1", "readOnly": true, "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
            "userIdentity": ["type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice"],
            "requestParameters": ["roleArn": "arn:aws:iam::111122223333:role/deployer"],
            "responseElements": [
                "credentials": ["accessKeyId": "ASIA1"], "assumedRoleUser": ["arn": .string(role)],
            ],
        ]
        let stop: JSON = [
            "eventTime": "2026-05-01T08:01:00Z", "eventSource": "cloudtrail.amazonaws.com",
            "eventName": "StopLogging", "eventID": "a-2", "readOnly": false, "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333",
            "userIdentity": ["type": "AssumedRole", "arn": .string(role), "accessKeyId": "ASIA1"],
            "requestParameters": ["name": "trail-1"],
        ]
        let batch = RecordBatch(
            records: Records(records: [assume.canonicalBytes, stop.canonicalBytes]), positions: [])
        try await keeper.intake(batch, from: "test", now: Self.now)
        let finding = try #require(
            try journal.findings(states: ["open"]).compactMap { Finding(json: $0.body) }
                .first { $0.rule == "aws/cloudtrail/trail-is-logging" })
        #expect(finding.cause.event == "a-2")
        #expect(finding.cause.actor == role)
        #expect(finding.cause.chain == ["arn:aws:iam::111122223333:user/alice"])
        #expect(finding.origin == .backlog, "nobody has seen the trail logging")
    }
}

/// Small random estates of AWS and what is done to them.
struct RandomEstate {
    var random: Seeded
    private var number = 0

    init(seed: UInt64) { random = Seeded(seed: seed) }

    /// 2 to 5 events about few resources of one account, some of them doubled, in few seconds.
    mutating func sequence(account: String) -> [[UInt8]] {
        var records: [[UInt8]] = []
        for _ in 0..<Int.random(in: 2...5, using: &random) {
            let record = event(account)
            records.append(record)
            if Int.random(in: 0..<4, using: &random) == 0 { records.append(record) }
        }
        return records
    }

    private mutating func event(_ account: String) -> [UInt8] {
        let name = "\(account)-\(Int.random(in: 1...2, using: &random))"
        let bucket = JSON.string("bucket-\(name)")
        let trail = JSON.string("trail-\(name)")
        let group = JSON.string("sg-0\(account)")
        let isOn = JSON.bool(Bool.random(using: &random))
        let port = JSON.number(JSONNumber([22, 443].randomElement(using: &random) ?? 22))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return record("s3.amazonaws.com", "CreateBucket", ["bucketName": bucket], nil, account)
        case 1: return record("s3.amazonaws.com", "DeleteBucket", ["bucketName": bucket], nil, account)
        case 2:
            let block: JSON = [
                "BlockPublicAcls": isOn, "BlockPublicPolicy": isOn, "IgnorePublicAcls": isOn,
                "RestrictPublicBuckets": isOn,
            ]
            return record(
                "s3.amazonaws.com", "PutBucketPublicAccessBlock",
                ["bucketName": bucket, "PublicAccessBlockConfiguration": block], nil, account)
        case 3: return record("cloudtrail.amazonaws.com", "StopLogging", ["name": trail], nil, account)
        case 4: return record("cloudtrail.amazonaws.com", "StartLogging", ["name": trail], nil, account)
        case 5:
            return record(
                "ec2.amazonaws.com", "CreateSecurityGroup", ["groupName": "web", "vpcId": "vpc-1"],
                ["groupId": group], account)
        default:
            let rule: JSON = [
                "groupId": group, "securityGroupRuleId": .string("sgr-\(Int.random(in: 1...3, using: &random))"),
                "isEgress": false, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv4": "0.0.0.0/0",
            ]
            return record(
                "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", ["groupId": group],
                ["securityGroupRuleSet": ["items": [rule]]], account)
        }
    }

    mutating func record(
        _ source: String, _ name: String, _ request: JSON, _ response: JSON?, _ account: String
    ) -> [UInt8] {
        number += 1
        let second = Int64.random(in: 0...5, using: &random)
        let record: JSON = [
            "eventTime": .string((Timestamp(seconds: 1_779_000_000 + second)).description),
            "eventSource": .string(source), "eventName": .string(name), "awsRegion": "eu-west-1",
            "eventID": .string("e-\(number)"), "readOnly": false, "recipientAccountId": .string(account),
            "userIdentity": ["type": "IAMUser", "arn": .string("arn:aws:iam::\(account):user/someone")],
            "requestParameters": request, "responseElements": response ?? .null,
        ]
        return record.canonicalBytes
    }
}

/// SplitMix64: the same sequence on every machine.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
