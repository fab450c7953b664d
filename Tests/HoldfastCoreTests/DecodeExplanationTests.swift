import HoldfastCore
import HoldfastJSON
import Testing

@Suite("Explaining decoded records")
struct DecodeExplanationTests {
    private let keys = [
        "account", "action", "actor", "actorType", "affected", "cloud", "dropped", "id", "outcome", "readOnly",
        "region",
        "sourceIP", "time",
    ]

    private func line(_ text: String, affected: [ResourceChange] = []) throws -> JSON {
        let items = decode(text)
        try #require(items.count == 1)
        return try #require(items[0].explanation(affected: affected))
    }

    @Test("An event's line has exactly its thirteen members")
    func event() throws {
        let change = ResourceChange(
            resource: ResourceID(type: "AWS::S3::Bucket", id: "arn:aws:s3:::a"),
            context: ResourceContext(cloud: .aws, account: "111122223333", region: ""), effect: .changes, changes: [])
        let expected: JSON = [
            "id": "11111111-2222-3333-4444-555555555555", "cloud": "aws", "time": "2026-01-02T03:04:05Z",
            "account": "111122223333", "region": "eu-west-1", "actor": "arn:aws:iam::111122223333:user/ann",
            "actorType": "IAMUser", "sourceIP": "198.51.100.7", "action": "s3.amazonaws.com/PutBucketPolicy",
            "outcome": "success", "readOnly": false,
            "affected": [["type": "AWS::S3::Bucket", "id": "arn:aws:s3:::a", "effect": "changes"]], "dropped": .null,
        ]
        #expect(try line(trail(), affected: [change]) == expected)
    }

    @Test(
        "What is dropped has the same members, and says why",
        arguments: [
            (trail(["readOnly": true]), "read-only", "success", true),
            (trail(["errorCode": "AccessDenied"]), "failed: AccessDenied", "failure", false),
            (azureRow(["resultType": "Start"]), "start-row", "success", false),
            (googleEntry(["operation": ["id": "o", "first": true]]), "operation-not-finished", "success", false),
            (azureRow(["category": "Alert"]), "not-an-audit-event: Azure Alert record", "success", false),
            (#"{"Event":"s3:TestEvent"}"#, "not-an-audit-event: S3 test event", "success", false),
            (#"{"Records":[]}"#, "no-records", "success", false),
        ])
    func dropped(text: String, reason: String, outcome: String, readOnly: Bool) throws {
        let line = try line(text)
        #expect(line.object?.names == keys)
        #expect(line["dropped"] == .string(reason))
        #expect(line["outcome"] == .string(outcome))
        #expect(line["readOnly"] == .bool(readOnly))
        #expect(line["affected"] == [])
    }

    @Test("An event that opened a session is dropped where the cloud calls it a read, and kept where not")
    func session() throws {
        func assumed(readOnly: Bool) throws -> JSON? {
            try line(
                trail([
                    "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "readOnly": .bool(readOnly),
                    "responseElements": ["credentials": ["accessKeyId": "ASIA1"]],
                ]))["dropped"]
        }
        #expect(try assumed(readOnly: true) == "read-only")
        #expect(try assumed(readOnly: false) == .null)
    }

    @Test("A dead letter has no line")
    func deadLetter() {
        #expect(decode("{").first?.explanation() == nil)
    }
}
