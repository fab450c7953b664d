internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// How the cloud answers a call.
enum WriteAnswer: Sendable {
    case done(requestID: String)
    case error(code: String)
}

/// A call on its way: it has its effect when it is due, whether or not anybody still waits for it.
struct Sent: Sendable {
    var call: PlannedCall
    var context: ResourceContext
    var requestID: String
    var due: Timestamp
    /// Where the answer of a long operation is kept.
    var token: String?
}

/// What calls do.
extension CloudState {
    mutating func catchUp(_ now: Timestamp) {
        guard underWay.contains(where: { $0.due <= now }) else { return }
        let due = underWay.filter { $0.due <= now }.sorted { ($0.due, $0.requestID) < ($1.due, $1.requestID) }
        underWay.removeAll { $0.due <= now }
        for sent in due {
            let answer = apply(sent, at: sent.due)
            if let token = sent.token { operations[token] = answer }
        }
    }

    /// The call has its effect now, and its event is told.
    mutating func apply(_ sent: Sent, at now: Timestamp) -> WriteAnswer {
        guard let resource = resource(of: sent) else { return .error(code: "NoSuchThing") }
        guard truth[resource] != nil else { return .error(code: "NotFound") }
        let name = JSON.string(FakeCloud.name(of: resource))
        let parameters = JSON.object(sent.call.parameters)
        func tell(_ source: String, _ event: String, _ request: JSON, _ response: JSON? = nil) -> FakeCloud.Change {
            record(resource, source, event, request, response, .holdfast, now, requestID: sent.requestID)
        }
        var change: FakeCloud.Change?
        switch sent.call.name {
        case "s3.PutPublicAccessBlock":
            let block = parameters["PublicAccessBlockConfiguration"] ?? .null
            set("PublicAccessBlockConfiguration", to: block, of: resource)
            let made = tell(
                "s3.amazonaws.com", "PutBucketPublicAccessBlock",
                ["bucketName": name, "PublicAccessBlockConfiguration": block])
            touch(resource, "PublicAccessBlockConfiguration", isBad: isBad(resource), by: .holdfast, made)
            change = made
        case "s3.DeletePublicAccessBlock":
            set("PublicAccessBlockConfiguration", to: .null, of: resource)
            let made = tell("s3.amazonaws.com", "DeleteBucketPublicAccessBlock", ["bucketName": name])
            touch(resource, "PublicAccessBlockConfiguration", isBad: true, by: .holdfast, made)
            change = made
        case "cloudtrail.StartLogging", "cloudtrail.StopLogging":
            let isOn = sent.call.name == "cloudtrail.StartLogging"
            set("IsLogging", to: .bool(isOn), of: resource)
            let made = tell(
                "cloudtrail.amazonaws.com", isOn ? "StartLogging" : "StopLogging", ["name": .string(resource.id)])
            touch(resource, "IsLogging", isBad: !isOn, by: .holdfast, made)
            change = made
        case "ec2.RevokeSecurityGroupIngress": change = revoke(resource, parameters, at: now, sent.requestID)
        case "ec2.AuthorizeSecurityGroupIngress": change = authorize(resource, parameters, at: now)
        default: return .error(code: "UnknownOperation")
        }
        guard let change else {
            return .error(
                code: sent.call.name.contains("Revoke")
                    ? "InvalidSecurityGroupRuleId.NotFound" : "InvalidPermission.Duplicate")
        }
        told.append(change)
        return .done(requestID: sent.requestID)
    }

    private mutating func revoke(
        _ resource: ResourceID, _ parameters: JSON, at now: Timestamp, _ requestID: String
    ) -> FakeCloud.Change? {
        guard let id = parameters["SecurityGroupRuleIds"]?.array?.first?.string else { return nil }
        return revoke(resource, id, by: .holdfast, at: now)
    }

    private mutating func authorize(
        _ resource: ResourceID, _ parameters: JSON, at now: Timestamp
    ) -> FakeCloud.Change? {
        guard let permission = parameters["IpPermissions"]?.array?.first, let port = permission["FromPort"]?.int,
            let range = permission["IpRanges"]?.array?.first?["CidrIp"]?.string
        else { return nil }
        return authorize(resource, port: port, range: range, by: .holdfast, at: now)
    }

    private func resource(of sent: Sent) -> ResourceID? {
        let parameters = sent.call.parameters
        if let bucket = parameters["Bucket"]?.string {
            return ResourceID(type: FakeCloud.Kind.bucket, id: "arn:aws:s3:::\(bucket)")
        }
        if let group = parameters["GroupId"]?.string {
            let id = "arn:aws:ec2:\(sent.context.region):\(sent.context.account):security-group/\(group)"
            return ResourceID(type: FakeCloud.Kind.group, id: id)
        }
        return parameters["Name"]?.string.map { ResourceID(type: FakeCloud.Kind.trail, id: $0) }
    }
}
