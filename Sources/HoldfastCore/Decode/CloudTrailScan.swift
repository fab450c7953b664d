internal import HoldfastJSON

/// CloudTrail records read in place: nine of ten are reads, and of those only counters want to know; most of the rest
/// concern nobody. It never disagrees with ``CloudTrailRecord``; where it is not sure it decides nothing.
///
/// All functions take the slots of ``paths``, of which the first is at `first`, and the text that they count from.
enum CloudTrailScan {
    /// The members that decide what becomes of a record, in the order of ``Field``.
    static let paths: [[String]] =
        [
            "eventSource", "eventName", "eventTime", "readOnly", "errorCode", "recipientAccountId", "responseElements",
            "eventID", "awsRegion", "sourceIPAddress", "userAgent", "eventType", "sessionCredentialFromConsole",
            "userIdentity", "requestParameters", "resources",
        ].map { [$0] }
        + [
            "arn", "accountId", "principalId", "invokedBy", "userName", "type", "accessKeyId", "onBehalfOf",
        ].map { ["userIdentity", $0] } + [["userIdentity", "sessionContext", "sourceIdentity"]]

    /// The order in which the service writes the members of its records.
    static let usual: [[String]] =
        [
            "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
            "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources",
            "eventType", "managementEvent", "recipientAccountId", "eventCategory", "tlsDetails",
        ].map { [$0] }
        + ["type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext"].map { ["userIdentity", $0] }
        + ["sessionIssuer", "webIdFederationData", "attributes"].map { ["userIdentity", "sessionContext", $0] }

    private enum Field: Int {
        case source, name, time, readOnly, errorCode, recipient, answer
        case id, region, sourceIP, userAgent, eventType, fromConsole, identity, request, resources
        case arn, account, principal, invokedBy, userName, type, accessKey, onBehalfOf, sourceIdentity
    }

    /// How a record is to be read.
    enum Kind {
        case ordinary
        /// One of ``CloudTrailSession/operations``.
        case session
        /// Not in place.
        case tree
    }

    static func kind(_ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>) -> Kind {
        let source = slots[first + Field.source.rawValue]
        let name = slots[first + Field.name.rawValue]
        guard isPlain(source), isPlain(name), isPlain(slots[first + Field.time.rawValue]) else { return .tree }
        let range = source.range
        let letter = text[range.lowerBound]
        // What the event sources of Lambda write is no event of CloudTrail.
        if range.count > 4, letter == UInt8(ascii: "a"), text[range.lowerBound + 3] == UInt8(ascii: ":") {
            return .tree
        }
        guard range.count < 64, lengths[Int(letter)] & 1 << UInt64(range.count) != 0 else { return .ordinary }
        for service in CloudTrailSession.operations
        where service.source.utf8.count == range.count && service.source.utf8.first == letter {
            guard source.equals(service.source, in: text) else { continue }
            // The sign-in service says in its answers how an operation ended.
            if service.source == CloudTrailSession.signIn { return .tree }
            // One that failed gave no answer, and opened nothing.
            guard !isNothing(slots[first + Field.answer.rawValue]) else { return .ordinary }
            return service.names.contains { name.equals($0, in: text) } ? .session : .ordinary
        }
        return .ordinary
    }

    /// The lengths of the names of services that open sessions, a bit for each, by their first letters: nearly all
    /// others are told apart by these.
    private static let lengths: [UInt64] = CloudTrailSession.operations.reduce(into: Array(repeating: 0, count: 256)) {
        $0[Int($1.source.utf8.first ?? 0)] |= 1 << UInt64($1.source.utf8.count)
    }

    /// What counters name of a record that is dropped.
    struct Drop {
        let reason: DropReason
        let account: JSONSlice
        let actor: JSONSlice
        let time: Timestamp
    }

    /// What is dropped of a record that is surely a read or a failure; else `nil`. Not for one that has opened a
    /// session.
    static func drop(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> Drop? {
        let reason: DropReason
        let code = slots[first + Field.errorCode.rawValue]
        if isPlain(code) {
            reason = .failed(pool.text(text, code.range))
        } else {
            guard isNothing(code), case .true = slots[first + Field.readOnly.rawValue].kind else { return nil }
            reason = .readOnly
        }
        var account = slots[first + Field.recipient.rawValue]
        if isNothing(account) { account = slots[first + Field.account.rawValue] }
        // In the order in which they are asked for who acted.
        var actor = slots[first + Field.arn.rawValue]
        if isNothing(actor) { actor = slots[first + Field.principal.rawValue] }
        if isNothing(actor) { actor = slots[first + Field.invokedBy.rawValue] }
        if isNothing(actor) { actor = slots[first + Field.userName.rawValue] }
        guard isPlain(account), account.range.count <= 64, isPlain(actor),
            let time = pool.time(text, slots[first + Field.time.rawValue].range)
        else { return nil }
        return Drop(reason: reason, account: account, actor: actor, time: time)
    }

    private static func region(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, _ pool: inout TextPool
    ) -> String {
        let slot = slots[first + Field.region.rawValue]
        return isPlain(slot) ? pool.text(text, slot.range) : ""
    }

    static func record(
        of drop: Drop, _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> DroppedRecord {
        // Most sessions have names of their own: keeping them for the next event costs more than making them.
        DroppedRecord(
            drop.reason, cloud: .aws, account: pool.text(text, drop.account.range),
            region: region(slots, first, in: text, &pool), actor: TextPool.made(text, drop.actor.range),
            action: action(slots, first, in: text, pool: &pool),
            time: drop.time)
    }

    static func action(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> String {
        pool.path(text, slots[first + Field.source.rawValue].range, slots[first + Field.name.rawValue].range)
    }

    /// A text without escapes that is not empty.
    private static func isPlain(_ slot: JSONSlice) -> Bool {
        if case .string = slot.kind { !slot.isEscaped && !slot.range.isEmpty } else { false }
    }

    private static func isNothing(_ slot: JSONSlice) -> Bool {
        switch slot.kind {
        case .absent, .null: true
        default: false
        }
    }
}

extension CloudTrailScan {
    /// Members of `responseElements`.
    private static let answer = FieldSet(paths: [
        ["credentials", "accessKeyId"], ["assumedRoleUser", "arn"], ["federatedUser", "arn"], ["credentialSet"],
    ])

    /// What a record of kind `session` opened; `nil` where it opened none, or says so in an unusual way.
    static func opening(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, scratch: inout [JSONSlice],
        pool: inout TextPool
    ) -> SessionOpening? {
        func plain(_ field: Field) -> String? {
            let slot = slots[first + field.rawValue]
            return isPlain(slot) ? slot.string(in: text) : nil
        }
        guard isNothing(slots[first + Field.errorCode.rawValue]),
            answer.scan(slots[first + Field.answer.rawValue], in: text, into: &scratch) == .fields,
            scratch[3].isAbsent, let time = pool.time(text, slots[first + Field.time.rawValue].range),
            let arn = plain(.arn), let type = plain(.type)
        else { return nil }
        let key = scratch[0].string(in: text) ?? ""
        let role = scratch[1].string(in: text) ?? ""
        let name = role.isEmpty ? scratch[2].string(in: text) ?? "" : role
        guard !key.isEmpty || !name.isEmpty else { return nil }
        let sessions = key.isEmpty ? [name] : name.isEmpty ? [key] : [key, name]
        let caller = CloudTrailFields.Identity(type: type, arn: arn, accessKey: plain(.accessKey)).actor
        return SessionOpening(
            sessions: sessions, caller: caller, account: plain(.recipient) ?? plain(.account) ?? "",
            region: region(slots, first, in: text, &pool), action: action(slots, first, in: text, pool: &pool),
            opened: time)
    }

    /// An event that succeeded; `nil` where the record is anything else, or leaves something out that its envelope may
    /// say.
    ///
    /// - Parameter body: what is kept of the record itself.
    static func event(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, action: String, body: EventBody,
        pool: inout TextPool
    ) -> ChangeEvent? {
        guard let time = pool.time(text, slots[first + Field.time.rawValue].range),
            isNothing(slots[first + Field.onBehalfOf.rawValue])
        else { return nil }
        func scalar(_ field: Field) -> String? {
            let slot = slots[first + field.rawValue]
            switch slot.kind {
            case .absent, .null, .array, .object: return nil
            case .string where isPlain(slot): return TextPool.made(text, slot.range)
            case .string, .true, .false, .number:
                return (try? slot.tree(in: text))?.scalarText.flatMap { $0.isEmpty ? nil : $0 }
            }
        }
        let id = slots[first + Field.id.rawValue]
        guard isPlain(id) else { return nil }
        let recipient = scalar(.recipient)
        let arn = scalar(.arn)
        var identity = CloudTrailFields.Identity(type: scalar(.type), arn: arn, accessKey: scalar(.accessKey))
        if arn == nil || recipient == nil {
            // These name the actor where there is no ARN, and the account where there is no recipient.
            (identity.principal, identity.userName) = (scalar(.principal), scalar(.userName))
            identity.account = scalar(.account)
        }
        let invokedBy = scalar(.invokedBy)
        identity.invokedBy = invokedBy
        guard let region = scalar(.region), let account = recipient ?? identity.account else { return nil }
        let userAgent = slots[first + Field.userAgent.rawValue]
        let agent: (text: String, agent: UserAgent)
        if isPlain(userAgent) {
            agent = pool.agent(text, userAgent.range)
        } else {
            let text = scalar(.userAgent) ?? ""
            agent = (text, UserAgent(text))
        }
        let via = agent.agent.via(
            invokedBy: invokedBy ?? "", eventType: scalar(.eventType) ?? "",
            isConsoleSession: scalar(.fromConsole) == "true")
        return ChangeEvent(
            id: TextPool.made(text, id.range), cloud: .aws, time: time, account: account, region: region,
            actor: identity.actor,
            callers: scalar(.sourceIdentity).map { [Principal(name: $0, type: CloudTrailFields.sourceIdentity)] } ?? [],
            sourceIP: scalar(.sourceIP) ?? "", action: action, outcome: .success, readOnly: false, via: via,
            userAgent: agent.text, body: body)
    }

    /// Whether the record says outright that it changed something and did not fail.
    static func isChange(_ slots: [JSONSlice], _ first: Int) -> Bool {
        slots[first + Field.readOnly.rawValue].kind == .false && isNothing(slots[first + Field.errorCode.rawValue])
    }
}
