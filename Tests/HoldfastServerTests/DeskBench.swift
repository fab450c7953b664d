import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import Synchronization
import Testing

/// A bucket in production that somebody opens to everybody, in a cloud that is kept in memory.
struct DeskBench: Sendable {
    var server: ServerBench
    private let cloud = Shared(SmallCloud())

    static let bucket = ResourceID(type: "AWS::S3::Bucket", id: "arn:aws:s3:::my-bucket")
    static let block = ResourceID(
        type: "AWS::S3::AccountPublicAccessBlock", id: "arn:aws:s3::111122223333:account-public-access-block")
    static let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")

    static let configuration = """
        mode: remediate
        accounts: [{aws: "111122223333", environment: production}]
        identities:
          - {person: ann.lee, oidc: subject-1, local: ann}
          - {person: bo.ray, oidc: subject-2, aws: "arn:aws:iam::111122223333:user/bo"}
          - {person: cy.fox, oidc: subject-3}
          - {person: dee.low, aws: "arn:aws:iam::111122223333:user/<*"}
        approvals: {roles: {viewer: [ann.lee, bo.ray, cy.fox], approver: [ann.lee, bo.ray], operator: [ann.lee], \
        admin: [cy.fox]}}
        keys: {captures: env:TEST}
        """

    /// Read once: it takes a second.
    private static let loaded = Result { () -> (people: People, policy: Policy) in
        let node = try YAMLReader.read(DeskBench.configuration, file: "holdfast.yaml")
        var (configuration, problems) = Configuration.load(node, folder: ShippedData.top)
        try #require(problems.isEmpty, "\(problems)")
        configuration.people.identities[0].local = [NSUserName()]
        // The only one, so that no runs in others are needed before.
        configuration.remediation.environments = ["production"]
        // There is one bucket, and it may be written to more than once a day.
        configuration.remediation.budgets.typePercent = 1000
        return (configuration.people, ShippedData.policy(configuration))
    }

    init() async throws {
        let (people, policy) = try Self.loaded.get()
        server = try ServerBench(policy: policy, tools: RemediationTools(seal: { $0 }, open: { $0 }))
        server.people = people
        _ = try await server.keeper.positions(of: "test")
    }

    /// Everything is good; then somebody opens the bucket, which is read, decided and asked about.
    func drift(by actor: String = "arn:aws:iam::111122223333:user/bo") async throws -> Ask {
        let keeper = server.keeper
        try await keeper.noteModes(now: server.clock.now)
        _ = try await keeper.scan(
            try [Self.bucket, Self.block].map {
                (
                    ListedResource(resource: $0, context: Self.place, element: .null),
                    try cloud.value.read($0, at: server.clock.now)
                )
            }, unread: [], now: server.clock.now)
        server.clock.move(seconds: 60)
        cloud.change { $0.policy = .open }
        try await keeper.intake(
            RecordBatch(records: OneRecord(record: event(actor)), positions: []), from: "test", now: server.clock.now)
        server.clock.move(seconds: 30)
        for dirty in try await keeper.claim(now: server.clock.now, limit: 10) {
            try await keeper.settle(
                dirty, try cloud.value.read(dirty.resource, at: server.clock.now), now: server.clock.now)
        }
        try await work()
        return try #require(try server.journal.asks().first, "nothing waits")
    }

    private func event(_ actor: String) -> [UInt8] {
        let record: JSON = [
            "eventVersion": "1.08", "eventTime": .string(server.clock.now.description),
            "eventSource": "s3.amazonaws.com",
            "eventName": "PutBucketPolicy", "awsRegion": "eu-west-1", "eventID": "e-1", "readOnly": false,
            "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "managementEvent": true,
            "userIdentity": ["type": "IAMUser", "arn": .string(actor), "accountId": "111122223333"],
            "requestParameters": ["bucketName": "my-bucket", "bucketPolicy": SmallCloud.Policy.open.json],
            "responseElements": .null,
        ]
        return record.canonicalBytes
    }

    /// Somebody else's hand, which no event has told of yet.
    func meddle(_ policy: SmallCloud.Policy) { cloud.change { $0.policy = policy } }

    func read(_ resource: ResourceID) throws -> Description {
        try cloud.value.read(resource, at: server.clock.now)
    }

    /// Calls that reached the cloud.
    var calls: [String] { cloud.value.calls }

    func deny() { cloud.change { $0.denies = true } }

    /// Decides and carries out what is due, until there is nothing more for now.
    func work() async throws {
        let keeper = server.keeper
        for _ in 0..<10 {
            let now = server.clock.now
            let due = try await keeper.decideDue(now: now) + keeper.dueRuns(now: now)
            if due.isEmpty { return }
            for work in due { try await conduct(work) }
        }
    }

    private func conduct(_ work: Work) async throws {
        let keeper = server.keeper
        var move = try await keeper.begin(work)
        var current = work
        while true {
            switch move {
            case .rest: return
            case .read(let resource, _):
                let description = try cloud.value.read(resource, at: server.clock.now)
                move = try await keeper.took(description, for: current, now: server.clock.now)
            case .write(let run):
                current = .run(run)
                let permit = try await keeper.permit(for: run, now: server.clock.now)
                let outcome = cloud.change { $0.apply(permit.call) }
                move = try await keeper.took(outcome, for: run, now: server.clock.now)
            case .poll: return
            }
        }
    }
}

/// One bucket, and the account's block, which is off.
struct SmallCloud: Sendable {
    enum Policy: Sendable {
        case closed, open
        /// Somebody has made another statement under the name of the one that was taken out.
        case renamed

        var json: JSON {
            let partner: JSON = [
                "Sid": "Partner", "Effect": "Allow", "Principal": ["AWS": "arn:aws:iam::111122223333:root"],
                "Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-bucket/*",
            ]
            let everybody: JSON = [
                "Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::my-bucket/*",
            ]
            let other: JSON = [
                "Sid": "PublicRead", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
                "Resource": "arn:aws:s3:::my-bucket/*",
            ]
            let first: [JSON] = self == .open ? [everybody] : self == .renamed ? [other] : []
            return ["Version": "2012-10-17", "Statement": .array(first + [partner])]
        }
    }
    var policy = Policy.closed
    /// Calls that were made.
    var calls: [String] = []

    func read(_ resource: ResourceID, at now: Timestamp) throws -> Description {
        let policy = ShippedData.policy
        let sample = resource.type == "AWS::S3::Bucket" ? "bucket-public" : "account-block-off"
        var state = try #require(policy.catalog.type(resource.type)?.samples[sample]?.object)
        if resource.type == "AWS::S3::Bucket" {
            state["Policy"] = self.policy.json
            state["Acl"] = ["Grants": []]
        }
        let sections = state.members.map { (PropertyPath([.name($0.name)]), $0.value) }
        var description = Description(
            result: .sections(sections), started: now, id: "read@\(now.nanoseconds)", unread: [])
        if resource.type == "AWS::S3::Bucket" {
            description.answers = [
                RawAnswer(
                    call: "s3.GetBucketPolicy", parameters: JSONObject([("Bucket", "my-bucket")]),
                    outcome: .answer(["Policy": .string(self.policy.json.canonicalText)]))
            ]
        }
        return description
    }

    /// Whether it refuses every write.
    var denies = false

    mutating func apply(_ call: PlannedCall) -> WriteOutcome {
        calls.append(call.name)
        if denies { return .refused(code: WriteOutcome.denied, message: "not yours", retryAfter: nil) }
        let text = call.parameters["Policy"]?.string ?? ""
        policy = !text.contains("PublicRead") ? .closed : text.contains("DeleteObject") ? .renamed : .open
        return .done(answer: .null, requestID: "q-1")
    }
}

/// A value that is shared and changed.
final class Shared<Value: Sendable>: Sendable {
    private let inner: Mutex<Value>
    init(_ value: Value) { inner = Mutex(value) }
    var value: Value { inner.withLock { $0 } }
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { inner.withLock { body(&$0) } }
}

struct OneRecord: RecordStorage {
    var record: [UInt8]
    var count: Int { 1 }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R { body(record.span) }
    func place(at index: Int) -> String { "test@\(index)" }
}
