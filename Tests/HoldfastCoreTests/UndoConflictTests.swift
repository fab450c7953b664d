import HoldfastJSON
import Testing

@testable import HoldfastCore

/// What a person is shown where others changed since what a step wrote.
@Suite struct UndoConflictTests {
    private let tests = UndoTests()

    private func state(_ json: JSON) -> StateValue { StateValue(snapshot: json) }

    /// What an undo asks on a state; `nil` where it needs no word.
    private func conflict(
        _ undo: StepUndo, _ captured: [RawAnswer], written: JSON? = nil, now: JSON
    ) -> UndoConflict? {
        do throws(UndoFault) {
            _ = try undo.action(captured: captured, written: written, now: state(now))
            return nil
        } catch {
            return undo.conflict(error, step: 0, captured: captured, written: written, now: state(now))
        }
    }

    private func changed(_ policy: JSON, action: String) -> JSON {
        let other: JSON = [
            "Sid": "All", "Effect": "Allow", "Principal": "*", "Action": .string(action), "Resource": "*",
        ]
        return ["Policy": ["Version": "2012-10-17", "Statement": [policy["Statement"]?.array?[0] ?? .null, other]]]
    }

    @Test("A document is shown by its elements: what was before, what was written, what is now")
    func document() throws {
        let (plan, captured, policy) = try tests.bucketPlan()
        let asked = try #require(conflict(tests.undo(plan), captured, now: changed(policy, action: "s3:*")))
        #expect(asked.reason.contains("was changed by others since"))
        #expect(asked.differences.map(\.path) == ["Policy.Statement[All]"])
        let row = asked.differences[0]
        #expect(row.before == policy["Statement"]?.array?[1])
        #expect(row.written == nil)
        #expect(row.now?["Action"] == "s3:*")
        #expect(row.isOthers)
        // What is written over it is what was there, byte for byte.
        #expect(asked.call?.name == "s3.PutBucketPolicy")
        #expect(asked.call?.parameters["Policy"] == .string(UndoTests.policyText))
    }

    @Test("A document that is gone is shown as nothing")
    func gone() throws {
        let (plan, captured, _) = try tests.bucketPlan()
        let asked = try #require(conflict(tests.undo(plan), captured, now: ["Policy": .null]))
        #expect(asked.differences.count == 1)
        #expect(asked.differences[0].path == "Policy")
        #expect(asked.differences[0].now == nil)
        #expect(asked.differences[0].before?["Statement"]?.array?.count == 2)
        #expect(asked.differences[0].written?["Statement"]?.array?.count == 1)
    }

    @Test("A section is shown by its members, and only those that differ")
    func section() throws {
        let plan = try tests.plan(
            "aws-s3-block-public-access",
            [
                "BucketName": "my-bucket",
                "PublicAccessBlockConfiguration": [
                    "BlockPublicAcls": true, "IgnorePublicAcls": false, "BlockPublicPolicy": false,
                    "RestrictPublicBuckets": false,
                ],
            ])
        let before: JSON = [
            "BlockPublicAcls": true, "IgnorePublicAcls": false, "BlockPublicPolicy": false,
            "RestrictPublicBuckets": false,
        ]
        let captured = RawAnswer(
            call: "s3.GetPublicAccessBlock", parameters: JSONObject([("Bucket", "my-bucket")]),
            outcome: .answer(["PublicAccessBlockConfiguration": before]))
        let now: JSON = [
            "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": false,
            "RestrictPublicBuckets": true,
        ]
        let asked = try #require(
            conflict(tests.undo(plan), [captured], now: ["PublicAccessBlockConfiguration": now]))
        #expect(
            asked.differences.map(\.path) == [
                "PublicAccessBlockConfiguration.BlockPublicPolicy", "PublicAccessBlockConfiguration.IgnorePublicAcls",
                "PublicAccessBlockConfiguration.RestrictPublicBuckets",
            ])
        #expect(asked.differences.map(\.isOthers) == [true, false, false])
        #expect(asked.differences[0].before == false)
        #expect(asked.differences[0].written == true)
        #expect(asked.differences[0].now == false)
        #expect(asked.call?.parameters["PublicAccessBlockConfiguration"] == before)
    }

    @Test("A word is for one difference: any other has another digest")
    func digest() throws {
        let (plan, captured, policy) = try tests.bucketPlan()
        let undo = tests.undo(plan)
        let first = try #require(conflict(undo, captured, now: changed(policy, action: "s3:*")))
        let same = try #require(conflict(undo, captured, now: changed(policy, action: "s3:*")))
        let other = try #require(conflict(undo, captured, now: changed(policy, action: "s3:Get*")))
        let uncaptured = try #require(conflict(undo, [], now: changed(policy, action: "s3:*")))
        #expect(first.digest == same.digest)
        #expect(Set([first.digest, other.digest, uncaptured.digest]).count == 3)
        #expect(uncaptured.call == nil)
        let kept = try #require(UndoConflict(json: try JSON.parse(first.json.canonicalText)))
        #expect(kept == first)
        #expect(kept.digest == first.digest)
    }

    @Test("Where nothing of others is in the way there is nothing to ask")
    func quiet() throws {
        let (plan, captured, policy) = try tests.bucketPlan()
        let statements = policy["Statement"]?.array ?? []
        let theirs: JSON = ["Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"]
        let beside: JSON = ["Policy": ["Version": "2012-10-17", "Statement": [statements[0], theirs]]]
        #expect(conflict(tests.undo(plan), captured, now: beside) == nil)
        // What is not known is no difference that anybody could be shown.
        #expect(conflict(tests.undo(plan), captured, now: [:]) == nil)
    }
}
