import Foundation
import HoldfastJSON
import Testing

@testable import HoldfastCore

/// How steps are taken back: of the shipped playbooks, by what was captured and by what stands there now.
@Suite struct UndoTests {
    private static let vocabulary = PlaybookFilesTests.vocabulary
    private static var catalog: Catalog { vocabulary.catalog }
    private static let us = "arn:aws:iam::111122223333:root"

    /// The plan of a shipped playbook for a state, by one of its rules.
    ///
    /// - Parameter sample: of the catalog; the state's properties stand in place of its own.
    func plan(
        _ playbook: String, _ state: JSON, over sample: String? = nil, lists: [String: [String]] = [:]
    ) throws -> Plan {
        let playbook = try #require(PlaybookFilesTests.shipped.playbooks[playbook])
        let rule = try #require(Self.vocabulary.baseline.rule(playbook.remedies[0]))
        let type = playbook.type
        var whole = sample.flatMap { type.samples[$0]?.object } ?? JSONObject()
        for member in state.object?.members ?? [] { whole[member.name] = member.value }
        let document = StateValue(snapshot: .object(whole)).keyed(by: type)
        let resource = ResourceID(type: type.name, id: type.example)
        let place = ResourceContext(cloud: type.cloud, account: "111122223333", region: "eu-west-1")
        let context = EvaluationContext(
            now: RuleTest.defaultNow, environment: "dev", place: place, labels: .absent, lists: lists
        ) { _ in RelatedResources([]) }
        let verdict = rule.evaluate(document, of: resource, params: rule.params, in: context).verdict
        #expect(verdict.outcome == .drift, "\(verdict.reason)")
        let outcome = playbook.plan(
            PlanRequest(
                finding: "f", rule: rule.id, resource: resource, incarnation: "-", context: place, document: document,
                offending: verdict.offending, ruleReads: rule.reads.paths, params: rule.params, lists: lists,
                now: RuleTest.defaultNow))
        return try #require(outcome.plan, "\(outcome.summary)")
    }

    func undo(_ plan: Plan, step: Int = 0) -> StepUndo {
        let step = plan.steps[step]
        return StepUndo(
            step.call, writes: step.writes, undo: step.undo, of: plan.resource.type,
            catalog: Self.catalog)
    }

    private func object(_ json: JSON) -> JSONObject { json.object ?? JSONObject() }

    private func state(_ json: JSON) -> StateValue { StateValue(snapshot: json) }

    private func call(_ action: UndoAction) throws -> PlannedCall {
        guard case .call(let call) = action else { throw PlaybookFault("no call: \(action)") }
        return call
    }

    private func refusal(_ body: () throws(UndoFault) -> UndoAction) -> UndoFault? {
        do throws(UndoFault) {
            _ = try body()
            return nil
        } catch { return error }
    }

    // MARK: Exact bytes

    /// With spaces and an order that no writer of ours would choose.
    static let policyText = """
        {"Version" : "2012-10-17", "Statement":[ {"Sid":"Ours","Effect":"Allow","Principal":{"AWS":"\(us)"},\
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::my-bucket/*"}, {"Sid":"All","Effect":"Allow",\
        "Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::my-bucket/*"} ] }
        """

    func bucketPlan() throws -> (plan: Plan, captured: [RawAnswer], policy: JSON) {
        let policy = try JSON.parse(Self.policyText)
        let plan = try plan("aws-s3-remove-public-statements", ["Policy": policy], over: "bucket-public")
        let answer = RawAnswer(
            call: "s3.GetBucketPolicy", parameters: JSONObject([("Bucket", "my-bucket")]),
            outcome: .answer(["Policy": .string(Self.policyText)]))
        return (plan, [answer], policy)
    }

    @Test("Where what was written still stands, a policy is put back byte for byte")
    func bytes() throws {
        let (plan, captured, policy) = try bucketPlan()
        let left: JSON = ["Version": "2012-10-17", "Statement": .array([policy["Statement"]?.array?[0] ?? .null])]
        let action = try undo(plan).action(captured: captured, now: state(["Policy": left]))
        let call = try call(action)
        #expect(call.name == "s3.PutBucketPolicy")
        #expect(call.parameters == JSONObject([("Bucket", "my-bucket"), ("Policy", .string(Self.policyText))]))
        #expect(call.permission == "s3:PutBucketPolicy")
    }

    @Test("Where somebody added a statement meanwhile, the one taken out goes back beside it")
    func besideOthers() throws {
        let (plan, captured, policy) = try bucketPlan()
        let statements = policy["Statement"]?.array ?? []
        let theirs: JSON = ["Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"]
        let now: JSON = ["Version": "2012-10-17", "Statement": [statements[0], theirs]]
        let call = try call(try undo(plan).action(captured: captured, now: state(["Policy": now])))
        let written = try JSON.parse(call.parameters["Policy"]?.string ?? "")
        #expect(written["Statement"] == [statements[0], statements[1], theirs])
    }

    @Test("A document that somebody took away, or whose element somebody put back changed, is not guessed at")
    func doesNotApply() throws {
        let (plan, captured, policy) = try bucketPlan()
        let undo = undo(plan)
        let gone = refusal { () throws(UndoFault) in
            try undo.action(captured: captured, now: state(["Policy": .null]))
        }
        #expect(gone == UndoFault(.changedSince, "there is no Policy any more"))
        let other: JSON = ["Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"]
        let changed: JSON = [
            "Version": "2012-10-17", "Statement": [policy["Statement"]?.array?[0] ?? .null, other],
        ]
        let fault = refusal { () throws(UndoFault) in
            try undo.action(captured: captured, now: state(["Policy": changed]))
        }
        #expect(fault?.kind == .changedSince)
        #expect(fault?.description.hasPrefix("Policy.Statement[1] was changed by others since; it is now {") == true)
    }

    @Test("What is already as it was asks for no call")
    func nothing() throws {
        let (plan, captured, policy) = try bucketPlan()
        let action = try undo(plan).action(captured: captured, now: state(["Policy": policy]))
        #expect(action == .nothing("Policy already is without what s3.PutBucketPolicy did to it"))
    }

    @Test("A policy that the fix took away is put back; one that the fix made is taken away")
    func wholeDocuments() throws {
        let all: JSON = ["Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"]
        let only: JSON = ["Version": "2012-10-17", "Statement": [all]]
        let text = #"{ "Version":"2012-10-17","Statement":[{"Effect":"Allow"}] }"#
        let answer = RawAnswer(
            call: "s3.GetBucketPolicy", parameters: JSONObject([("Bucket", "my-bucket")]),
            outcome: .answer(["Policy": .string(text)]))
        let deleting = try plan("aws-s3-remove-public-statements", ["Policy": only], over: "bucket-public")
        #expect(deleting.steps.map(\.call.name) == ["s3.DeleteBucketPolicy"])
        let put = try call(
            try undo(deleting).action(captured: [answer], written: ["Policy": .null], now: state(["Policy": .null])))
        #expect(put.name == "s3.PutBucketPolicy")
        #expect(put.parameters["Policy"] == .string(text))

        let making = try plan("aws-s3-require-tls", ["BucketName": "my-bucket", "Policy": .null])
        let none = RawAnswer(
            call: "s3.GetBucketPolicy", parameters: JSONObject([("Bucket", "my-bucket")]),
            outcome: .absent(code: "NoSuchBucketPolicy"))
        let made = making.edits[0].after
        for captured in [[none], []] {
            let delete = try call(try undo(making).action(captured: captured, now: state(["Policy": made])))
            #expect(delete.name == "s3.DeleteBucketPolicy")
            #expect(delete.parameters == JSONObject([("Bucket", "my-bucket")]))
        }
        // With a statement of somebody else's in it the policy stays.
        let joined: JSON = [
            "Version": "2012-10-17", "Statement": .array((made["Statement"]?.array ?? []) + [["Sid": "Theirs"]]),
        ]
        let kept = try call(try undo(making).action(captured: [none], now: state(["Policy": joined])))
        #expect(kept.name == "s3.PutBucketPolicy")
        #expect(kept.parameters["Policy"] == #"{"Statement":[{"Sid":"Theirs"}],"Version":"2012-10-17"}"#)
    }

    @Test("A block that was not there is deleted, one that was half on is put back, one changed since is left alone")
    func publicAccessBlock() throws {
        let plan = try plan(
            "aws-s3-block-public-access", ["BucketName": "my-bucket", "PublicAccessBlockConfiguration": .null])
        let parameters = JSONObject([("Bucket", "my-bucket")])
        let four: JSON = [
            "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
        ]
        let absent = RawAnswer(
            call: "s3.GetPublicAccessBlock", parameters: parameters,
            outcome: .absent(code: "NoSuchPublicAccessBlockConfiguration"))
        let now = state(["PublicAccessBlockConfiguration": four])
        let delete = try call(try undo(plan).action(captured: [absent], now: now))
        #expect(delete.name == "s3.DeletePublicAccessBlock")
        #expect(delete.parameters == parameters)
        let half: JSON = ["BlockPublicAcls": true, "IgnorePublicAcls": false]
        let present = RawAnswer(
            call: "s3.GetPublicAccessBlock", parameters: parameters,
            outcome: .answer(["PublicAccessBlockConfiguration": half]))
        let put = try call(try undo(plan).action(captured: [present], now: now))
        #expect(put.parameters["PublicAccessBlockConfiguration"] == half)
        let changed = refusal { () throws(UndoFault) in
            try undo(plan).action(captured: [present], now: state(["PublicAccessBlockConfiguration": half]))
        }
        #expect(
            changed?.description
                == "PublicAccessBlockConfiguration was changed by others since s3.PutPublicAccessBlock wrote it")
        let missing = refusal { () throws(UndoFault) in try undo(plan).action(captured: [], now: now) }
        #expect(missing?.kind == .unknownBefore)
        #expect(
            missing?.description
                == "what s3.GetPublicAccessBlock gave before s3.PutPublicAccessBlock was not captured")
        let unread = refusal { () throws(UndoFault) in try undo(plan).action(captured: [present], now: state([:])) }
        #expect(unread?.kind == .unknownNow)
    }

    // MARK: Calls that leave alone what they do not send

    @Test("Of a patch only what it sent is written back, though others changed what stands beside it")
    func patches() throws {
        let settings: JSON = [
            "settingsVersion": "7",
            "ipConfiguration": [
                "ipv4Enabled": true, "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "authorizedNetworks": [],
            ],
        ]
        let plan = try plan("gcp-sql-require-tls", ["settings": settings])
        let answer = RawAnswer(
            call: "sql.instances.get", parameters: JSONObject([("project", "my-project"), ("instance", "my-db")]),
            outcome: .answer(["name": "my-db", "settings": settings]))
        let now = state([
            "settings": [
                "settingsVersion": "9",
                "ipConfiguration": [
                    "ipv4Enabled": true, "sslMode": "ENCRYPTED_ONLY", "authorizedNetworks": [["value": "192.0.2.0/24"]],
                ],
            ]
        ])
        let call = try call(try undo(plan).action(captured: [answer], now: now))
        #expect(call.name == "sql.instances.patch")
        let mode: JSON = ["settings": ["ipConfiguration": ["sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"]]]
        #expect(call.parameters["body"] == mode)
        #expect(call.precondition == "9")
        let sent = try #require(Self.catalog.call(call.name)).parameters(of: call)
        #expect(sent["body"]?["settings"]?["settingsVersion"] == "9")
    }

    @Test("What Google had not set is set to null again; of Azure a default stands for what nobody had set")
    func notSetBefore() throws {
        let firewall: JSON = [
            "disabled": .null, "direction": "INGRESS", "sourceRanges": ["0.0.0.0/0"],
            "allowed": [["IPProtocol": "tcp", "ports": ["22"]]],
        ]
        let plan = try plan("gcp-firewall-disable", firewall, over: "firewall-open-ssh")
        let answer = RawAnswer(
            call: "compute.firewalls.get", parameters: JSONObject([("project", "my-project"), ("firewall", "ssh")]),
            outcome: .answer(firewall))
        var now = firewall.object ?? JSONObject()
        now["disabled"] = true
        let call = try call(try undo(plan).action(captured: [answer], now: state(.object(now))))
        #expect(call.parameters["body"] == ["disabled": .null])

        let account = try self.plan(
            "azure-storage-no-anonymous-blobs", ["properties": ["allowBlobPublicAccess": .null]])
        let names = JSONObject([
            ("subscriptionId", "s"), ("resourceGroupName", "rg"), ("accountName", "a"),
        ])
        let properties = RawAnswer(
            call: "storageAccounts.GetProperties", parameters: names, outcome: .answer(["properties": [:]]))
        let written = state(["properties": ["allowBlobPublicAccess": false]])
        let update = try self.call(try undo(account).action(captured: [properties], now: written))
        #expect(update.parameters["body"] == ["properties": ["allowBlobPublicAccess": true]])
        #expect(update.parameters["accountName"] == "a")
    }

    // MARK: Edits within elements

    @Test("A member taken out of a binding goes back into it wherever it now is, and other people's members stay")
    func members() throws {
        let bindings: JSON = [
            ["role": "roles/viewer", "members": ["user:a@example.com"]],
            ["role": "roles/editor", "members": ["allUsers", "user:b@example.com"]],
            ["role": "roles/browser", "members": ["allAuthenticatedUsers"]],
        ]
        let policy: JSON = ["etag": "BwX1", "version": 1, "bindings": bindings]
        let plan = try plan("gcp-project-remove-public-members", ["iamPolicy": policy])
        #expect(plan.steps[0].call.precondition == "BwX1")
        let now: JSON = [
            ["role": "roles/new", "members": ["user:c@example.com"]],
            ["role": "roles/editor", "members": ["user:b@example.com", "user:d@example.com"]],
            ["role": "roles/viewer", "members": ["user:a@example.com"]],
        ]
        let fresh = state(["iamPolicy": ["etag": "BwX9", "bindings": now]])
        let call = try call(try undo(plan).action(captured: [], now: fresh))
        #expect(
            call.parameters["body"]?["policy"]?["bindings"] == [
                ["role": "roles/new", "members": ["user:c@example.com"]],
                ["role": "roles/editor", "members": ["allUsers", "user:b@example.com", "user:d@example.com"]],
                ["role": "roles/browser", "members": ["allAuthenticatedUsers"]],
                ["role": "roles/viewer", "members": ["user:a@example.com"]],
            ])
        #expect(call.precondition == "BwX9")
        let sent = try #require(Self.catalog.call(call.name)).parameters(of: call)
        #expect(sent["body"]?["policy"]?["etag"] == "BwX9")
        let removed = state(["iamPolicy": ["etag": "BwX9", "bindings": [["role": "roles/viewer", "members": ["x"]]]]])
        let fault = refusal { () throws(UndoFault) in try undo(plan).action(captured: [], now: removed) }
        #expect(
            fault == UndoFault(.changedSince, "the element of iamPolicy.bindings that was at 1 is no longer there"))
    }

    @Test("A list that the fix left empty, and that the cloud then leaves out, gets its elements back")
    func emptied() throws {
        let network: JSON = ["name": "all", "value": "0.0.0.0/0"]
        let settings: JSON = ["settingsVersion": "7", "ipConfiguration": ["authorizedNetworks": [network]]]
        let plan = try plan("gcp-sql-close-networks", ["settings": settings])
        let now = state(["settings": ["settingsVersion": "8", "ipConfiguration": ["ipv4Enabled": true]]])
        let call = try call(try undo(plan).action(captured: [], now: now))
        #expect(
            call.parameters["body"] == ["settings": ["ipConfiguration": ["authorizedNetworks": [network]]]])
    }

    // MARK: Calls

    @Test("An undo that needs what the call answered gets it; without it there is none")
    func results() throws {
        let call = PlannedCall(
            name: "ec2.DeleteFlowLogs", request: "", permission: "ec2:DeleteFlowLogs",
            parameters: object(["FlowLogIds": ["$result": "FlowLogIds"]]))
        let undo = StepUndo(
            call, writes: [], undo: PlannedUndo(grade: .exact, means: .call(call)),
            of: "AWS::EC2::VPC",
            catalog: Self.catalog)
        let action = try undo.action(captured: [], answer: ["FlowLogIds": ["fl-1"]], now: state([:]))
        #expect(try self.call(action).parameters == object(["FlowLogIds": ["fl-1"]]))
        let fault = refusal { () throws(UndoFault) in try undo.action(captured: [], now: state([:])) }
        #expect(fault?.kind == .unknownBefore)
    }

    @Test("Purge protection, which nobody can turn off, is not undone")
    func irreversible() throws {
        let plan = try plan("azure-keyvault-purge-protection", ["properties": ["enablePurgeProtection": .null]])
        let fault = refusal { () throws(UndoFault) in try undo(plan).action(captured: [], now: state([:])) }
        #expect(fault?.kind == .irreversible)
    }

    @Test("What an undo needs survives the journal")
    func journaled() throws {
        let (plan, captured, _) = try bucketPlan()
        let document = try #require(plan.steps[0].undo.document)
        #expect(EditedDocument(json: try JSON.parse(document.json.canonicalText)) == document)
        #expect(document.place == PropertyPath(names: "Policy") && document.isText)
        let absent = RawAnswer(call: "x", parameters: JSONObject(), outcome: .absent(code: "No"))
        for answer in captured + [absent] {
            #expect(RawAnswer(json: try JSON.parse(answer.json.canonicalText)) == answer)
        }
    }

    @Test("IAM's documents, which come with percent escapes, are written back as they were written")
    func percentEscapes() throws {
        let text = #"{"Statement": [{"Sid": "50%", "Principal": {"AWS": "*"}, "Effect": "Allow"}]}"#
        let escaped = text.utf8.map { String(format: "%%%02X", $0) }.joined()
        let call = try #require(Self.catalog.call("iam.UpdateAssumeRolePolicy"))
        for given in [escaped, text] {
            let filled = call.restore?.filled(
                ["Role": ["AssumeRolePolicyDocument": .string(given)]], for: call, but: JSONObject())
            #expect(filled?["PolicyDocument"] == .string(text))
        }
    }
}
