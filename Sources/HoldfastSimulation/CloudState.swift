internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// Who set what, with the event that tells of it.
struct Touch: Sendable {
    var event: String
    var time: Timestamp
    var hand: FakeCloud.Hand
    /// `PublicAccessBlockConfiguration`, `IsLogging`, `Tags`, or the id of a security group's rule.
    var place: String
    /// It made drift, or took it away.
    var isBad: Bool
}

/// The truth, and how it changes.
struct CloudState: Sendable {
    var random: SeededRandom
    /// What is good of each type, by the catalog.
    let samples: [String: JSON]
    /// What a resource really is; absent where it does not exist.
    var truth: [ResourceID: JSON] = [:]
    var accounts: [ResourceID: String] = [:]
    /// Since the resource was made.
    var touches: [ResourceID: [Touch]] = [:]
    /// Bad since before anybody could see it become so, or since before the service was to mend it: `resource place`
    /// to the event by which the service can know it; empty where it knows anyway.
    var backlog: [String: String] = [:]
    /// What was sent and has not had its effect yet.
    var underWay: [Sent] = []
    var told: [FakeCloud.Change] = []
    /// Answers of calls that were accepted as long operations, by token.
    var operations: [String: WriteAnswer] = [:]
    var nextEvent = 0
    var nextName = 0
    /// What the controller looks after.
    var fought: ResourceID?

    init(random: SeededRandom, samples: [String: JSON]) {
        self.random = random
        self.samples = samples
    }

    /// CloudTrail's times are whole seconds.
    static func second(_ time: Timestamp) -> Timestamp { Timestamp(seconds: time.nanoseconds / 1_000_000_000) }

    /// Somebody does something; `nil` where there was nothing to do.
    mutating func act(at now: Timestamp) -> FakeCloud.Change? {
        if let fought, truth[fought] != nil, !isBad(fought), touches[fought]?.last?.hand == .holdfast {
            return spoil(fought, by: .controller, at: now)
        }
        let living = truth.keys.sorted()
        guard living.count >= 4, !random.once(in: 12) else { return create(at: now) }
        let good = living.filter { !isBad($0) }
        let some = random.once(in: 3) || good.isEmpty ? living : good
        guard let resource = some.randomElement(using: &random) else { return nil }
        if random.once(in: 16) { return delete(resource, at: now) }
        return meddle(resource, at: now)
    }

    mutating func meddle(_ resource: ResourceID, at now: Timestamp) -> FakeCloud.Change? {
        guard truth[resource] != nil else { return nil }
        let hand = someone()
        if random.once(in: 9) { return retag(resource, by: hand, at: now) }
        // What is good is mostly made bad, and what is bad mostly stays so until it is mended.
        if isBad(resource), !random.once(in: 3) { return nil }
        if hand == .controller, fought == nil { fought = resource }
        return isBad(resource) && random.once(in: 2)
            ? mend(resource, by: hand, at: now) : spoil(resource, by: hand, at: now)
    }

    private mutating func someone() -> FakeCloud.Hand {
        let hands: [FakeCloud.Hand] = [.ada, .ada, .ben, .ben, .stranger, .stranger, .stranger, .pipeline, .controller]
        return hands.randomElement(using: &random) ?? .ada
    }

    /// Whether what the playbooks mend is broken.
    func isBad(_ resource: ResourceID) -> Bool {
        guard let truth = truth[resource] else { return false }
        switch resource.type {
        case FakeCloud.Kind.bucket: return truth["PublicAccessBlockConfiguration"] != CloudState.block(true)
        case FakeCloud.Kind.trail: return truth["IsLogging"]?.bool == false
        default: return (truth["SecurityGroupIngress"]?.array ?? []).contains(where: CloudState.isOpening)
        }
    }

    /// A rule that lets the internet in at a port that some rule names.
    static func isOpening(_ rule: JSON) -> Bool {
        rule["CidrIp"]?.string == "0.0.0.0/0" && watchedPorts.contains(rule["FromPort"]?.int ?? 0)
    }

    /// Of administration, of databases, and of services whose rule is only on trial.
    static let watchedPorts = [22, 3389, 5432, 445]

    static func block(_ on: Bool) -> JSON {
        let value = JSON.bool(on)
        return [
            "BlockPublicAcls": value, "BlockPublicPolicy": value, "IgnorePublicAcls": value,
            "RestrictPublicBuckets": value,
        ]
    }

    mutating func set(_ name: String, to value: JSON, of resource: ResourceID) {
        var object = truth[resource]?.object ?? JSONObject()
        object[name] = value
        truth[resource] = .object(object)
    }

    /// What is bad about a resource is backlog from now on.
    ///
    /// - Parameter isKnown: the service has seen that it is bad; where not, it may never hear of it.
    mutating func becomeBacklog(_ resource: ResourceID, isKnown: Bool) {
        guard isBad(resource) else { return }
        for (place, touches) in Dictionary(grouping: touches[resource] ?? [], by: \.place) {
            guard let first = touches.reversed().prefix(while: \.isBad).last else { continue }
            backlog["\(resource) \(place)"] = isKnown ? "" : first.event
        }
    }

    mutating func touch(
        _ resource: ResourceID, _ place: String, isBad: Bool, by hand: FakeCloud.Hand, _ change: FakeCloud.Change
    ) {
        touches[resource, default: []].append(
            Touch(event: change.eventID, time: change.time, hand: hand, place: place, isBad: isBad))
        if !isBad { backlog["\(resource) \(place)"] = nil }
    }

    // MARK: Reads

    /// What a read says now: everything, or that it is gone; and the answers of its calls.
    func read(_ resource: ResourceID) -> (result: Description.Result, answers: [RawAnswer]) {
        guard let configuration = truth[resource] else { return (.gone, []) }
        return (.sections([(path: PropertyPath(), value: configuration)]), answers(resource, configuration))
    }

    /// What the calls of the read gave, as the provider gives it. Of the others every undo is a call of its own.
    private func answers(_ resource: ResourceID, _ configuration: JSON) -> [RawAnswer] {
        guard resource.type == FakeCloud.Kind.bucket else { return [] }
        let block = configuration["PublicAccessBlockConfiguration"] ?? .null
        return [
            RawAnswer(
                call: "s3.GetPublicAccessBlock",
                parameters: JSONObject([("Bucket", configuration["BucketName"] ?? .null)]),
                outcome: block.isNull
                    ? .absent(code: "NoSuchPublicAccessBlockConfiguration")
                    : .answer(["PublicAccessBlockConfiguration": block]))
        ]
    }
}
