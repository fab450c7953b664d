internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// An account of AWS in which somebody keeps changing things: the truth that the service must come to know. Each
/// change is a CloudTrail record as AWS writes it, and each read answers in the catalog's paths.
actor FakeCloud {
    static let account = "111122223333"
    static let region = "eu-west-1"

    /// What a resource really is; absent where it does not exist.
    private(set) var truth: [ResourceID: JSON] = [:]
    /// Every resource that ever was.
    private(set) var everSeen: Set<ResourceID> = []
    private var random: SeededRandom
    private var nextEvent = 0
    private var nextName = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// One change with the record that tells of it.
    struct Change: Sendable {
        var eventID: String
        var time: Timestamp
        var record: [UInt8]
        var resource: ResourceID
    }

    /// Somebody does something. CloudTrail's times are whole seconds.
    func act(at now: Timestamp) -> Change {
        let second = Timestamp(seconds: now.nanoseconds / 1_000_000_000)
        let living = truth.keys.sorted()
        guard let resource = living.randomElement(using: &random), living.count >= 3, !random.once(in: 6) else {
            return create(at: second)
        }
        if random.once(in: 7) { return delete(resource, at: second) }
        switch resource.type {
        case Kind.bucket: return changeBucket(resource, at: second)
        case Kind.group: return changeGroup(resource, at: second)
        default: return changeTrail(resource, at: second)
        }
    }

    /// Everything that there can be, as a scan goes over it. Buckets are listed for the whole account.
    static let units = [(Kind.bucket, ""), (Kind.group, "eu-west-1"), (Kind.trail, "eu-west-1")].map { type, region in
        ScanUnit(type: type, place: ResourceContext(cloud: .aws, account: account, region: region))
    }

    enum Kind {
        static let bucket = "AWS::S3::Bucket"
        static let group = "AWS::EC2::SecurityGroup"
        static let trail = "AWS::CloudTrail::Trail"
    }

    // MARK: Creation and deletion

    private func create(at time: Timestamp) -> Change {
        // Some names come again: a creation after a deletion is another resource of the same id.
        nextName += 1
        let number = random.once(in: 3) ? Int.random(in: 1...nextName, using: &random) : nextName
        let kind = [Kind.bucket, Kind.group, Kind.trail].randomElement(using: &random) ?? Kind.bucket
        let resource = FakeCloud.resource(kind, number)
        guard truth[resource] == nil else { return act(at: time) }
        everSeen.insert(resource)
        let name = FakeCloud.name(of: resource)
        switch kind {
        case Kind.bucket:
            truth[resource] = ["BucketName": .string(name), "PublicAccessBlockConfiguration": FakeCloud.block(true)]
            return change(resource, "s3.amazonaws.com", "CreateBucket", ["bucketName": .string(name)], nil, time)
        case Kind.group:
            truth[resource] = ["GroupId": .string(name), "GroupName": "web", "SecurityGroupIngress": []]
            return change(
                resource, "ec2.amazonaws.com", "CreateSecurityGroup",
                ["groupName": "web", "groupDescription": "web", "vpcId": "vpc-1"],
                ["groupId": .string(name), "_return": true], time)
        default:
            truth[resource] = ["TrailName": .string(name), "IsLogging": true]
            return change(
                resource, "cloudtrail.amazonaws.com", "CreateTrail",
                ["name": .string(name), "s3BucketName": "logs"],
                ["name": .string(name), "s3BucketName": "logs", "trailARN": .string(resource.id)], time)
        }
    }

    private func delete(_ resource: ResourceID, at time: Timestamp) -> Change {
        truth[resource] = nil
        let name = JSON.string(FakeCloud.name(of: resource))
        switch resource.type {
        case Kind.bucket: return change(resource, "s3.amazonaws.com", "DeleteBucket", ["bucketName": name], nil, time)
        case Kind.group:
            return change(
                resource, "ec2.amazonaws.com", "DeleteSecurityGroup", ["groupId": name], ["_return": true], time)
        default: return change(resource, "cloudtrail.amazonaws.com", "DeleteTrail", ["name": name], nil, time)
        }
    }

    // MARK: Changes

    private func changeBucket(_ resource: ResourceID, at time: Timestamp) -> Change {
        let isClosed = !random.once(in: 2)
        truth[resource] = setting("PublicAccessBlockConfiguration", to: FakeCloud.block(isClosed), in: truth[resource])
        return change(
            resource, "s3.amazonaws.com", "PutBucketPublicAccessBlock",
            [
                "bucketName": .string(FakeCloud.name(of: resource)),
                "PublicAccessBlockConfiguration": FakeCloud.block(isClosed),
            ], nil, time)
    }

    private func changeGroup(_ resource: ResourceID, at time: Timestamp) -> Change {
        var rules = truth[resource]?["SecurityGroupIngress"]?.array ?? []
        let group = JSON.string(FakeCloud.name(of: resource))
        if !rules.isEmpty, random.once(in: 2) {
            let gone = rules.remove(at: Int.random(in: 0..<rules.count, using: &random))
            truth[resource] = setting("SecurityGroupIngress", to: .array(rules), in: truth[resource])
            let id = gone["SecurityGroupRuleId"] ?? .null
            return change(
                resource, "ec2.amazonaws.com", "RevokeSecurityGroupIngress",
                ["groupId": group, "securityGroupRuleIds": ["items": [["securityGroupRuleId": id]]]],
                ["_return": true, "revokedSecurityGroupRuleSet": ["items": [["securityGroupRuleId": id]]]], time)
        }
        nextName += 1
        let id = JSON.string("sgr-\(String(nextName, radix: 16))")
        let port = JSON.number(JSONNumber([22, 443, 3389].randomElement(using: &random) ?? 22))
        let range: JSON = random.once(in: 2) ? "0.0.0.0/0" : "10.0.0.0/8"
        rules.append([
            "SecurityGroupRuleId": id, "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": range,
        ])
        truth[resource] = setting("SecurityGroupIngress", to: .array(rules), in: truth[resource])
        let set: JSON = [
            "items": [
                [
                    "groupId": group, "securityGroupRuleId": id, "isEgress": false, "ipProtocol": "tcp",
                    "fromPort": port, "toPort": port, "cidrIpv4": range,
                ]
            ]
        ]
        return change(
            resource, "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress",
            [
                "groupId": group,
                "ipPermissions": [
                    "items": [
                        [
                            "ipProtocol": "tcp", "fromPort": port, "toPort": port,
                            "ipRanges": ["items": [["cidrIp": range]]],
                        ]
                    ]
                ],
            ], ["_return": true, "securityGroupRuleSet": set], time)
    }

    private func changeTrail(_ resource: ResourceID, at time: Timestamp) -> Change {
        let isLogging = truth[resource]?["IsLogging"]?.bool == false
        truth[resource] = setting("IsLogging", to: .bool(isLogging), in: truth[resource])
        return change(
            resource, "cloudtrail.amazonaws.com", isLogging ? "StartLogging" : "StopLogging",
            ["name": .string(resource.id)], nil, time)
    }

    private func setting(_ name: String, to value: JSON, in json: JSON?) -> JSON {
        var object = json?.object ?? JSONObject()
        object[name] = value
        return .object(object)
    }

    // MARK: Records

    private func change(
        _ resource: ResourceID, _ source: String, _ name: String, _ request: JSON, _ response: JSON?, _ time: Timestamp
    ) -> Change {
        nextEvent += 1
        let id = "event-\(nextEvent)"
        let record: JSON = [
            "eventVersion": "1.08", "eventTime": .string(time.description), "eventSource": .string(source),
            "eventName": .string(name), "awsRegion": .string(FakeCloud.region), "sourceIPAddress": "192.0.2.1",
            "userAgent": "aws-cli/2.0", "requestParameters": request, "responseElements": response ?? .null,
            "eventID": .string(id), "readOnly": false, "eventType": "AwsApiCall",
            "recipientAccountId": .string(FakeCloud.account),
            "userIdentity": [
                "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/someone",
                "accountId": .string(FakeCloud.account), "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            ],
        ]
        return Change(eventID: id, time: time, record: record.canonicalBytes, resource: resource)
    }

    private static func block(_ on: Bool) -> JSON {
        let value = JSON.bool(on)
        return [
            "BlockPublicAcls": value, "BlockPublicPolicy": value, "IgnorePublicAcls": value,
            "RestrictPublicBuckets": value,
        ]
    }

    private static func resource(_ kind: String, _ number: Int) -> ResourceID {
        switch kind {
        case Kind.bucket: ResourceID(type: kind, id: "arn:aws:s3:::bucket-\(number)")
        case Kind.group:
            ResourceID(
                type: kind, id: "arn:aws:ec2:\(region):\(account):security-group/sg-\(String(number, radix: 16))")
        default: ResourceID(type: kind, id: "arn:aws:cloudtrail:\(region):\(account):trail/trail-\(number)")
        }
    }

    private static func name(of resource: ResourceID) -> String {
        resource.id.split(whereSeparator: { $0 == ":" || $0 == "/" }).last.map(String.init) ?? ""
    }

    /// What a read says now: everything, or that it is gone.
    func read(_ resource: ResourceID) -> Description.Result {
        guard let configuration = truth[resource] else { return .gone }
        return .sections([(path: PropertyPath(), value: configuration)])
    }
}
