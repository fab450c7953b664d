internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// What people, pipelines and controllers do.
extension CloudState {
    typealias Change = FakeCloud.Change
    typealias Hand = FakeCloud.Hand

    // MARK: Creation and deletion

    mutating func create(at now: Timestamp) -> Change? {
        // Some names come again: a creation after a deletion is another resource of the same id.
        nextName += 1
        let number = random.once(in: 3) ? Int.random(in: 1...nextName, using: &random) : nextName
        let kind = FakeCloud.Kind.all.randomElement(using: &random) ?? FakeCloud.Kind.bucket
        // A bucket's name is known to all accounts, so that each keeps its numbers.
        let account = FakeCloud.Account.all[[0, 0, 1, 1, 2][number % 5]]
        let resource = CloudState.resource(kind, number, account)
        guard truth[resource] == nil else { return nil }
        place(resource, in: account)
        let name = FakeCloud.name(of: resource)
        let hand: Hand = random.once(in: 2) ? .ada : .stranger
        switch kind {
        case FakeCloud.Kind.bucket:
            return record(resource, "s3.amazonaws.com", "CreateBucket", ["bucketName": .string(name)], nil, hand, now)
        case FakeCloud.Kind.group:
            return record(
                resource, "ec2.amazonaws.com", "CreateSecurityGroup",
                ["groupName": "internal", "groupDescription": "inside only", "vpcId": "vpc-0a1b"],
                ["groupId": .string(name), "_return": true], hand, now)
        default:
            return record(
                resource, "cloudtrail.amazonaws.com", "CreateTrail",
                ["name": .string(name), "s3BucketName": "my-logs"],
                [
                    "name": .string(name), "s3BucketName": "my-logs", "trailARN": .string(resource.id),
                    "isMultiRegionTrail": true, "isOrganizationTrail": false, "includeGlobalServiceEvents": true,
                    "logFileValidationEnabled": true,
                ], hand, now)
        }
    }

    /// It is there, and good; nobody is told.
    mutating func place(_ resource: ResourceID, in account: String) {
        accounts[resource] = account
        touches[resource] = []
        truth[resource] = whole(resource, account)
    }

    /// As the catalog's sample of what is good, with a name of its own.
    private func whole(_ resource: ResourceID, _ account: String) -> JSON {
        let name = FakeCloud.name(of: resource)
        var object = samples[resource.type]?.object ?? JSONObject()
        object["Tags"] = []
        switch resource.type {
        case FakeCloud.Kind.bucket:
            object["BucketName"] = .string(name)
            object["AccountId"] = .string(account)
            let policy = object["Policy"]?.canonicalText.replacing("my-bucket", with: name) ?? ""
            object["Policy"] = (try? JSON.parse(Array(policy.utf8))) ?? .null
        case FakeCloud.Kind.group:
            object["GroupId"] = .string(name)
            object["SecurityGroupIngress"] = []
        default:
            object["TrailName"] = .string(name)
            object["Arn"] = .string(resource.id)
        }
        return .object(object)
    }

    mutating func delete(_ resource: ResourceID, at now: Timestamp) -> Change? {
        truth[resource] = nil
        backlog = backlog.filter { !$0.key.hasPrefix("\(resource) ") }
        let name = JSON.string(FakeCloud.name(of: resource))
        switch resource.type {
        case FakeCloud.Kind.bucket:
            return record(resource, "s3.amazonaws.com", "DeleteBucket", ["bucketName": name], nil, .ada, now)
        case FakeCloud.Kind.group:
            return record(
                resource, "ec2.amazonaws.com", "DeleteSecurityGroup", ["groupId": name], ["_return": true], .ada, now)
        default:
            return record(resource, "cloudtrail.amazonaws.com", "DeleteTrail", ["name": name], nil, .ada, now)
        }
    }

    static func resource(_ kind: String, _ number: Int, _ account: String) -> ResourceID {
        let region = FakeCloud.region
        return switch kind {
        case FakeCloud.Kind.bucket: ResourceID(type: kind, id: "arn:aws:s3:::bucket-\(number)")
        case FakeCloud.Kind.group:
            ResourceID(
                type: kind, id: "arn:aws:ec2:\(region):\(account):security-group/sg-\(String(number, radix: 16))")
        default: ResourceID(type: kind, id: "arn:aws:cloudtrail:\(region):\(account):trail/trail-\(number)")
        }
    }

    // MARK: Drift

    mutating func spoil(_ resource: ResourceID, by hand: Hand, at now: Timestamp) -> Change? {
        switch resource.type {
        case FakeCloud.Kind.bucket: return setBlock(resource, false, by: hand, at: now)
        case FakeCloud.Kind.trail: return setLogging(resource, false, by: hand, at: now)
        default:
            let port = (CloudState.watchedPorts + [443]).randomElement(using: &random) ?? 22
            let range = random.once(in: 5) ? "10.0.0.0/8" : "0.0.0.0/0"
            return authorize(resource, port: port, range: range, by: hand, at: now)
        }
    }

    mutating func mend(_ resource: ResourceID, by hand: Hand, at now: Timestamp) -> Change? {
        switch resource.type {
        case FakeCloud.Kind.bucket: return setBlock(resource, true, by: hand, at: now)
        case FakeCloud.Kind.trail: return setLogging(resource, true, by: hand, at: now)
        default:
            let open = (truth[resource]?["SecurityGroupIngress"]?.array ?? []).filter(CloudState.isOpening)
            guard let id = open.randomElement(using: &random)?["SecurityGroupRuleId"]?.string else { return nil }
            return revoke(resource, id, by: hand, at: now)
        }
    }

    mutating func setBlock(_ resource: ResourceID, _ isClosed: Bool, by hand: Hand, at now: Timestamp) -> Change? {
        let name = JSON.string(FakeCloud.name(of: resource))
        // Opened by setting all to false, or by taking it away.
        let isGone = !isClosed && random.once(in: 2)
        let value = isGone ? JSON.null : CloudState.block(isClosed)
        set("PublicAccessBlockConfiguration", to: value, of: resource)
        let change =
            isGone
            ? record(
                resource, "s3.amazonaws.com", "DeleteBucketPublicAccessBlock", ["bucketName": name], nil, hand, now)
            : record(
                resource, "s3.amazonaws.com", "PutBucketPublicAccessBlock",
                ["bucketName": name, "PublicAccessBlockConfiguration": value], nil, hand, now)
        touch(resource, "PublicAccessBlockConfiguration", isBad: !isClosed, by: hand, change)
        return change
    }

    mutating func setLogging(_ resource: ResourceID, _ isOn: Bool, by hand: Hand, at now: Timestamp) -> Change? {
        set("IsLogging", to: .bool(isOn), of: resource)
        let change = record(
            resource, "cloudtrail.amazonaws.com", isOn ? "StartLogging" : "StopLogging",
            ["name": .string(resource.id)], nil, hand, now)
        touch(resource, "IsLogging", isBad: !isOn, by: hand, change)
        return change
    }

    /// - Returns: `nil` where there is such a rule already.
    mutating func authorize(
        _ resource: ResourceID, port: Int, range: String, by hand: Hand, at now: Timestamp
    ) -> Change? {
        var rules = truth[resource]?["SecurityGroupIngress"]?.array ?? []
        let number = JSON.number(JSONNumber(port))
        guard !rules.contains(where: { $0["FromPort"] == number && $0["CidrIp"]?.string == range }) else { return nil }
        nextName += 1
        let group = JSON.string(FakeCloud.name(of: resource))
        let id = "sgr-\(String(nextName, radix: 16))"
        rules.append([
            "SecurityGroupRuleId": .string(id), "IpProtocol": "tcp", "FromPort": number, "ToPort": number,
            "CidrIp": .string(range),
        ])
        set("SecurityGroupIngress", to: .array(rules), of: resource)
        let made: JSON = [
            "groupId": group, "securityGroupRuleId": .string(id), "isEgress": false, "ipProtocol": "tcp",
            "fromPort": number, "toPort": number, "cidrIpv4": .string(range),
        ]
        let asked: JSON = [
            "ipProtocol": "tcp", "fromPort": number, "toPort": number,
            "ipRanges": ["items": [["cidrIp": .string(range)]]],
        ]
        let change = record(
            resource, "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress",
            ["groupId": group, "ipPermissions": ["items": [asked]]],
            ["_return": true, "securityGroupRuleSet": ["items": [made]]], hand, now)
        touch(resource, id, isBad: rules.last.map(CloudState.isOpening) ?? false, by: hand, change)
        return change
    }

    /// - Returns: `nil` where there is no such rule.
    mutating func revoke(_ resource: ResourceID, _ id: String, by hand: Hand, at now: Timestamp) -> Change? {
        var rules = truth[resource]?["SecurityGroupIngress"]?.array ?? []
        guard let index = rules.firstIndex(where: { $0["SecurityGroupRuleId"]?.string == id }) else { return nil }
        rules.remove(at: index)
        set("SecurityGroupIngress", to: .array(rules), of: resource)
        let named: JSON = ["items": [["securityGroupRuleId": .string(id)]]]
        let change = record(
            resource, "ec2.amazonaws.com", "RevokeSecurityGroupIngress",
            ["groupId": .string(FakeCloud.name(of: resource)), "securityGroupRuleIds": named],
            ["_return": true, "revokedSecurityGroupRuleSet": named], hand, now)
        touch(resource, id, isBad: false, by: hand, change)
        return change
    }

    // MARK: Tags

    static let doNotTouch = "holdfast:do-not-touch"

    /// A tag comes or goes: mostly one that means nothing, sometimes the one that keeps everything off.
    mutating func retag(_ resource: ResourceID, by hand: Hand, at now: Timestamp) -> Change? {
        var tags = truth[resource]?["Tags"]?.array ?? []
        let tagged = tags.contains { $0["Key"]?.string == CloudState.doNotTouch }
        let key = tagged || random.once(in: 4) ? CloudState.doNotTouch : "team"
        let had = tags.firstIndex { $0["Key"]?.string == key }
        if let had { tags.remove(at: had) } else { tags.append(["Key": .string(key), "Value": "a"]) }
        set("Tags", to: .array(tags), of: resource)
        let name = JSON.string(FakeCloud.name(of: resource))
        let change: Change
        switch resource.type {
        case FakeCloud.Kind.bucket:
            let tagging: JSON = ["TagSet": ["Tag": .array(tags)]]
            change = record(
                resource, "s3.amazonaws.com", "PutBucketTagging", ["bucketName": name, "Tagging": tagging], nil, hand,
                now)
        case FakeCloud.Kind.group:
            change = record(
                resource, "ec2.amazonaws.com", had == nil ? "CreateTags" : "DeleteTags",
                [
                    "resourcesSet": ["items": [["resourceId": name]]],
                    "tagSet": ["items": [["key": .string(key), "value": "a"]]],
                ], ["_return": true], hand, now)
        default:
            change = record(
                resource, "cloudtrail.amazonaws.com", had == nil ? "AddTags" : "RemoveTags",
                ["resourceId": .string(resource.id), "tagsList": [["key": .string(key), "value": "a"]]], nil, hand, now)
        }
        touch(resource, "Tags", isBad: false, by: hand, change)
        return change
    }

    // MARK: Records

    mutating func record(
        _ resource: ResourceID, _ source: String, _ name: String, _ request: JSON, _ response: JSON?, _ hand: Hand,
        _ now: Timestamp, requestID: String? = nil
    ) -> Change {
        nextEvent += 1
        let id = "event-\(nextEvent)"
        let time = CloudState.second(now)
        let account = accounts[resource] ?? FakeCloud.Account.dev
        let arn = hand.arn(in: account)
        let record: JSON = [
            "eventVersion": "1.08", "eventTime": .string(time.description), "eventSource": .string(source),
            "eventName": .string(name), "awsRegion": .string(FakeCloud.region), "sourceIPAddress": "192.0.2.1",
            "userAgent": .string(hand.userAgent), "requestParameters": request, "responseElements": response ?? .null,
            "requestID": .string(requestID ?? "request-\(nextEvent)"), "eventID": .string(id), "readOnly": false,
            "eventType": "AwsApiCall", "recipientAccountId": .string(account),
            "userIdentity": [
                "type": .string(arn.hasPrefix("arn:aws:iam") ? "IAMUser" : "AssumedRole"), "arn": .string(arn),
                "accountId": .string(account), "accessKeyId": .string("AKIA\(hand.rawValue.uppercased())"),
            ],
        ]
        return Change(eventID: id, time: time, record: record.canonicalBytes, resource: resource)
    }
}
