internal import HoldfastJSON

/// What decides that a CloudTrail record is dropped, read in place: nine records of ten are reads, and of those only
/// counters want to know. It never decides against ``CloudTrailRecord``; where it is not sure it decides nothing.
struct CloudTrailScan {
    /// The members that are looked at; the order is that of the places below.
    static let paths: [[String]] = [
        ["eventSource"], ["eventName"], ["eventTime"], ["readOnly"], ["errorCode"], ["recipientAccountId"],
        ["userIdentity", "accountId"], ["userIdentity", "arn"], ["userIdentity", "principalId"],
        ["userIdentity", "invokedBy"], ["userIdentity", "userName"],
    ]
    private enum Place {
        static let source = 0
        static let name = 1
        static let time = 2
        static let readOnly = 3
        static let errorCode = 4
        static let accounts = 5...6
        static let actors = 7...10
    }

    /// The record when it is surely a read or a failure, as the tree would give it; else `nil`.
    ///
    /// - Parameter first: the slot of the first of ``paths``.
    static func drop(
        _ slots: [JSONSlice], from first: Int, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> DroppedRecord? {
        let source = slots[first + Place.source]
        let name = slots[first + Place.name]
        guard isPlain(source), isPlain(name), !opensSessions(source, in: text),
            let reason = reason(slots, from: first, in: text, pool: &pool),
            isPlain(slots[first + Place.time]),
            let time = pool.time(text.extracting(slots[first + Place.time].range)),
            let account = firstText(slots, Place.accounts, from: first, in: text, pool: &pool),
            let actor = firstText(slots, Place.actors, from: first, in: text, pool: &pool)
        else { return nil }
        return DroppedRecord(
            reason, cloud: .aws, account: account, actor: actor,
            action: pool.path(text.extracting(source.range), text.extracting(name.range)), time: time)
    }

    private static func reason(
        _ slots: [JSONSlice], from first: Int, in text: Swift.Span<UInt8>, pool: inout TextPool
    ) -> DropReason? {
        let code = slots[first + Place.errorCode]
        if isPlain(code) { return .failed(pool.text(text.extracting(code.range))) }
        guard code.isAbsent || code.kind == .null else { return nil }
        return slots[first + Place.readOnly].kind == .true ? .readOnly : nil
    }

    /// The first of these that is a text; `nil` where none is, or where one before it is no plain text.
    private static func firstText(
        _ slots: [JSONSlice], _ places: ClosedRange<Int>, from first: Int, in text: Swift.Span<UInt8>,
        pool: inout TextPool
    ) -> String? {
        for place in places {
            let slot = slots[first + place]
            if isPlain(slot) { return pool.text(text.extracting(slot.range)) }
            guard slot.isAbsent || slot.kind == .null else { return nil }
        }
        return nil
    }

    /// A text without escapes that is not empty.
    private static func isPlain(_ slot: JSONSlice) -> Bool {
        slot.kind == .string && !slot.isEscaped && !slot.range.isEmpty
    }

    /// Also what the event sources of Lambda write there: none of it is CloudTrail's.
    private static func opensSessions(_ source: JSONSlice, in text: Swift.Span<UInt8>) -> Bool {
        let start = source.range.lowerBound
        if source.range.count > 4, text[start] == UInt8(ascii: "a"), text[start + 3] == UInt8(ascii: ":") { return true }
        return CloudTrailSession.sources.contains { source.equals($0, in: text) }
    }
}
