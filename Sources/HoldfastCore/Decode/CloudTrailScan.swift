internal import HoldfastJSON

/// A CloudTrail record read in place: nine records of ten are reads, and of those only counters want to know; most of
/// the rest concern nobody. It never disagrees with ``CloudTrailRecord``; where it is not sure it decides nothing.
enum CloudTrailScan {
    /// The members that decide whether a record is dropped; each slot is that of its index here.
    static let paths: [[String]] = [
        ["eventSource"], ["eventName"], ["eventTime"], ["readOnly"], ["errorCode"], ["recipientAccountId"],
        ["userIdentity", "accountId"], ["userIdentity", "arn"], ["userIdentity", "principalId"],
        ["userIdentity", "invokedBy"], ["userIdentity", "userName"],
    ]
    private enum Slot {
        static let source = 0
        static let name = 1
        static let time = 2
        static let readOnly = 3
        static let errorCode = 4
        static let accounts = 5...6
        static let actors = 7...10
    }

    /// The record when it is surely a read or a failure; else `nil`.
    ///
    /// - Parameter slots: of ``paths``.
    static func drop(
        _ slots: ArraySlice<JSONSlice>, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> DroppedRecord? {
        let first = slots.startIndex
        let source = slots[first + Slot.source]
        let name = slots[first + Slot.name]
        let moment = slots[first + Slot.time]
        guard isPlain(source), isPlain(name), isPlain(moment), !isSpecial(source, in: text),
            let reason = reason(slots, in: text, pool: &pool),
            let account = firstText(
                slots[(first + Slot.accounts.lowerBound)...(first + Slot.accounts.upperBound)], in: text),
            let actor = firstText(slots[(first + Slot.actors.lowerBound)...(first + Slot.actors.upperBound)], in: text),
            let time = pool.time(text.extracting(moment.range))
        else { return nil }
        return DroppedRecord(
            reason, cloud: .aws, account: account, actor: actor,
            action: pool.path(text.extracting(source.range), text.extracting(name.range)), time: time)
    }

    private static func reason(
        _ slots: ArraySlice<JSONSlice>, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> DropReason? {
        let code = slots[slots.startIndex + Slot.errorCode]
        if isPlain(code) { return .failed(pool.text(text.extracting(code.range))) }
        guard code.isAbsent || code.kind == .null else { return nil }
        return slots[slots.startIndex + Slot.readOnly].kind == .true ? .readOnly : nil
    }

    /// The first of these that is a text; `nil` where none is, or where one before it is no plain text.
    private static func firstText(_ slots: ArraySlice<JSONSlice>, in text: Swift.Span<UInt8>) -> String? {
        for slot in slots {
            if isPlain(slot) { return slot.string(in: text) }
            guard slot.isAbsent || slot.kind == .null else { return nil }
        }
        return nil
    }

    /// A text without escapes that is not empty.
    private static func isPlain(_ slot: JSONSlice) -> Bool {
        slot.kind == .string && !slot.isEscaped && !slot.range.isEmpty
    }

    /// Services whose events open sessions, and the event sources of Lambda, which are no events of CloudTrail.
    private static func isSpecial(_ source: JSONSlice, in text: Swift.Span<UInt8>) -> Bool {
        let start = source.range.lowerBound
        if source.range.count > 4, text[start] == UInt8(ascii: "a"), text[start + 3] == UInt8(ascii: ":") {
            return true
        }
        return CloudTrailSession.sources.contains { source.equals($0, in: text) }
    }
}

extension CloudTrailScan {
    /// The members that an event is made of; each slot is that of its index here.
    private static let event = FieldSet(paths: [
        ["eventSource"], ["eventName"], ["eventTime"], ["readOnly"], ["errorCode"], ["recipientAccountId"], ["eventID"],
        ["awsRegion"], ["sourceIPAddress"], ["userAgent"], ["eventType"], ["sessionCredentialFromConsole"],
        ["userIdentity", "type"], ["userIdentity", "arn"], ["userIdentity", "principalId"],
        ["userIdentity", "invokedBy"], ["userIdentity", "userName"], ["userIdentity", "accountId"],
        ["userIdentity", "accessKeyId"], ["userIdentity", "sessionContext", "sourceIdentity"],
        ["userIdentity", "onBehalfOf", "userId"],
    ])

    /// A write that succeeded, its body left as text; `nil` where the record is anything else, or leaves something out
    /// that its envelope may say.
    ///
    /// - Parameters:
    ///   - record: the record alone.
    ///   - slots: scratch.
    static func event(
        _ record: Swift.Span<UInt8>, slots: inout [JSONSlice], pool: inout TextPool
    ) -> ChangeEvent? {
        guard event.scan(record, into: &slots) == .fields, isPlain(slots[0]), isPlain(slots[1]), isPlain(slots[2]),
            !isSpecial(slots[0], in: record), slots[3].kind == .false
        else { return nil }
        func text(_ slot: Int) -> String? {
            switch slots[slot].kind {
            case .absent, .null, .array, .object: nil
            case .string where slots[slot].range.isEmpty: nil
            case .string: slots[slot].string(in: record)
            case .true: "true"
            case .false: "false"
            case .number: (try? slots[slot].tree(in: record))?.scalarText
            }
        }
        var fields = CloudTrailFields()
        (fields.readOnly, fields.errorCode, fields.recipient, fields.id) = ("false", text(4), text(5), text(6))
        (fields.region, fields.sourceIP, fields.userAgent) = (text(7), text(8), text(9))
        (fields.eventType, fields.fromConsole) = (text(10), text(11))
        fields.identity = CloudTrailFields.Identity(
            type: text(12), arn: text(13), principal: text(14), invokedBy: text(15), userName: text(16),
            account: text(17), accessKey: text(18), sourceIdentity: text(19), user: text(20))
        guard let id = fields.id, fields.errorCode == nil, fields.region != nil,
            fields.recipient ?? fields.identity.account != nil,
            let time = pool.time(record.extracting(slots[2].range))
        else { return nil }
        return fields.event(
            id: id, time: time, action: pool.path(record.extracting(slots[0].range), record.extracting(slots[1].range)),
            outcome: .success, facts: EnvelopeFacts(), body: .text(copy(record)))
    }

    private static func copy(_ record: Swift.Span<UInt8>) -> [UInt8] {
        unsafe record.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
