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
            "userIdentity",
        ].map { [$0] }
        + ["arn", "accountId", "principalId", "invokedBy", "userName", "type", "accessKeyId"].map {
            ["userIdentity", $0]
        }

    /// The order in which the service writes the members of its records.
    static let usual: [[String]] =
        [
            "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
            "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources",
            "eventType", "managementEvent", "recipientAccountId", "eventCategory", "tlsDetails",
        ].map { [$0] }
        + ["type", "principalId", "arn", "accountId", "accessKeyId"].map { ["userIdentity", $0] }

    private enum Field: Int {
        case source, name, time, readOnly, errorCode, recipient, answer
        case id, region, sourceIP, userAgent, eventType, fromConsole, identity
        case arn, account, principal, invokedBy, userName, type, accessKey
    }
    /// In the order in which they are asked for who acted.
    private static let actors: [Field] = [.arn, .principal, .invokedBy, .userName]

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
        for mark in marks where mark.count == range.count && mark.letter == letter {
            let service = CloudTrailSession.operations[mark.index]
            guard source.equals(service.source, in: text) else { continue }
            // The sign-in service says in its answers how an operation ended.
            if service.source == CloudTrailSession.signIn { return .tree }
            // One that failed gave no answer, and opened nothing.
            guard !isNothing(slots[first + Field.answer.rawValue]) else { return .ordinary }
            return service.names.contains { name.equals($0, in: text) } ? .session : .ordinary
        }
        return .ordinary
    }

    /// The lengths and first letters of the services that open sessions, to tell nearly all others apart from them.
    private static let marks: [(count: Int, letter: UInt8, index: Int)] =
        CloudTrailSession.operations.enumerated().map { index, service in
            (service.source.utf8.count, service.source.utf8.first ?? 0, index)
        }

    /// The record when it is surely a read or a failure; else `nil`. Not for one that has opened a session.
    static func drop(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> DroppedRecord? {
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
        var actor = JSONSlice.absent
        for field in actors where isNothing(actor) { actor = slots[first + field.rawValue] }
        guard isPlain(account), isPlain(actor),
            let time = pool.time(text, slots[first + Field.time.rawValue].range)
        else { return nil }
        // Most sessions have names of their own: keeping them for the next event costs more than making them.
        return DroppedRecord(
            reason, cloud: .aws, account: pool.text(text, account.range), region: region(slots, first, in: text, &pool),
            actor: TextPool.made(text, actor.range), action: action(slots, first, in: text, pool: &pool), time: time)
    }

    private static func region(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, _ pool: inout TextPool
    ) -> String {
        let slot = slots[first + Field.region.rawValue]
        return isPlain(slot) ? pool.text(text, slot.range) : ""
    }

    private static func action(
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
    /// Rare members of `userIdentity`.
    private static let identity = FieldSet(paths: [["sessionContext", "sourceIdentity"], ["onBehalfOf", "userId"]])
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
        let sessions = [key, name].filter { !$0.isEmpty }
        guard !sessions.isEmpty else { return nil }
        let caller = CloudTrailFields.Identity(type: type, arn: arn, accessKey: plain(.accessKey)).actor
        return SessionOpening(
            sessions: sessions, caller: caller, account: plain(.recipient) ?? plain(.account) ?? "",
            region: region(slots, first, in: text, &pool), action: action(slots, first, in: text, pool: &pool),
            opened: time)
    }

    /// An event that succeeded, its body left as text; `nil` where the record is anything else, or leaves something
    /// out that its envelope may say.
    ///
    /// - Parameter record: where the record stands.
    static func event(
        _ slots: [JSONSlice], _ first: Int, in text: Swift.Span<UInt8>, _ record: JSONSlice,
        scratch: inout [JSONSlice], pool: inout TextPool
    ) -> ChangeEvent? {
        guard let readOnly = slots[first + Field.readOnly.rawValue].bool,
            isNothing(slots[first + Field.errorCode.rawValue]),
            let time = pool.time(text, slots[first + Field.time.rawValue].range)
        else { return nil }
        func scalar(_ field: Field) -> String? {
            let slot = slots[first + field.rawValue]
            switch slot.kind {
            case .absent, .null, .array, .object: return nil
            case .string where isPlain(slot): return pool.text(text, slot.range)
            case .string, .true, .false, .number:
                return (try? slot.tree(in: text))?.scalarText.flatMap { $0.isEmpty ? nil : $0 }
            }
        }
        let id = slots[first + Field.id.rawValue]
        guard isPlain(id) else { return nil }
        var sourceIdentity: String?
        let whole = slots[first + Field.identity.rawValue]
        if case .object = whole.kind {
            guard identity.scan(whole, in: text, into: &scratch) == .fields, isNothing(scratch[1]),
                isNothing(scratch[0]) || isPlain(scratch[0])
            else { return nil }
            sourceIdentity = scratch[0].string(in: text)
        }
        var fields = CloudTrailFields()
        fields.readOnly = readOnly ? "true" : "false"
        fields.recipient = scalar(.recipient)
        (fields.region, fields.sourceIP) = (scalar(.region), scalar(.sourceIP))
        (fields.eventType, fields.fromConsole) = (scalar(.eventType), scalar(.fromConsole))
        fields.identity = CloudTrailFields.Identity(
            type: scalar(.type), arn: scalar(.arn), principal: scalar(.principal),
            invokedBy: scalar(.invokedBy), userName: scalar(.userName), account: scalar(.account),
            accessKey: scalar(.accessKey), sourceIdentity: sourceIdentity)
        var agent: UserAgent?
        let userAgent = slots[first + Field.userAgent.rawValue]
        if isPlain(userAgent) {
            let known = pool.agent(text, userAgent.range)
            (fields.userAgent, agent) = (known.text, known.agent)
        } else {
            fields.userAgent = scalar(.userAgent)
        }
        guard fields.region != nil, fields.recipient ?? fields.identity.account != nil else { return nil }
        let body = EventBody.text(TextPool.copied(text, record.range))
        return fields.event(
            id: TextPool.made(text, id.range), time: time, action: action(slots, first, in: text, pool: &pool),
            outcome: .success, facts: EnvelopeFacts(), body: body, agent: agent)
    }
}
