/// How much of a record is read.
package enum DecodeDetail: Sendable, Hashable {
    /// What the intake lane needs: of a record that is dropped, only what counters name.
    case intake
    /// Everything: what is dropped carries its event too.
    case full
}

/// What became of one record. Every record of the input becomes at least one of these.
package enum DecodedItem: Sendable {
    /// A write that succeeded. From ``DecodeDetail/intake`` its body may be text.
    case event(ChangeEvent)
    /// Someone opened a session: a role assumed, a token issued, a sign-in to the console.
    indirect case session(SessionOpening)
    /// Understood, and of no further use.
    case dropped(DroppedRecord)
    /// Not understood: a dead letter.
    indirect case undecodable(UndecodableRecord)
}

/// Why a record is dropped. The texts are part of the product: counters and `explain` show them.
package enum DropReason: Sendable, Hashable, CustomStringConvertible {
    /// `read-only`
    case readOnly
    /// `failed: CODE`, with the cloud's error code
    case failed(String)
    /// `start-row`: Azure says that an operation has begun; the row that says how it ended follows.
    case startRow
    /// `operation-not-finished`: the first of the two rows that a long operation of Google Cloud writes
    case operationNotFinished
    /// `not-an-audit-event: WHAT`, such as `GuardDuty Finding` or `AWS Config item`
    case notAnAuditEvent(String)
    /// `no-records`: an envelope, or a page of a listing, that holds nothing
    case noRecords

    package var description: String {
        switch self {
        case .readOnly: "read-only"
        case .failed(let code): "failed: \(code)"
        case .startRow: "start-row"
        case .operationNotFinished: "operation-not-finished"
        case .notAnAuditEvent(let what): "not-an-audit-event: \(what)"
        case .noRecords: "no-records"
        }
    }
}

/// A record that is dropped, with what counters name.
package struct DroppedRecord: Sendable {
    package var reason: DropReason
    /// `nil` where an empty envelope does not say.
    package var cloud: Cloud?
    /// As in ``ChangeEvent``; empty where the record says none.
    package var account: String
    package var region: String
    /// The name of ``ChangeEvent/actor``; empty where the record says none.
    package var actor: String
    /// As in ``ChangeEvent``; empty where what is no audit event names none.
    package var action: String
    /// `nil` where what is no audit event says none.
    package var time: Timestamp?
    /// The event, where the record is one and was decoded in full.
    package private(set) var event: ChangeEvent?

    init(
        _ reason: DropReason, cloud: Cloud?, account: String = "", region: String = "", actor: String = "",
        action: String = "", time: Timestamp? = nil
    ) {
        self.reason = reason
        self.cloud = cloud
        self.account = account
        self.region = region
        self.actor = actor
        self.action = action
        self.time = time
    }

    init(_ reason: DropReason, _ event: ChangeEvent, detail: DecodeDetail) {
        self.init(
            reason, cloud: event.cloud, account: event.account, region: event.region, actor: event.actor.name,
            action: event.action,
            time: event.time)
        if detail == .full { self.event = event }
    }

    /// What is known and no audit event; much of it says too little for an event.
    static func foreign(_ what: String, _ cloud: Cloud, _ event: ChangeEvent?, detail: DecodeDetail) -> DroppedRecord {
        guard let event else { return DroppedRecord(.notAnAuditEvent(what), cloud: cloud) }
        return DroppedRecord(.notAnAuditEvent(what), event, detail: detail)
    }
}

/// What the identity index keeps of an event that opened a session.
package struct SessionOpening: Sendable {
    /// What later events name the session by, the most exact first: the access key id that was issued, the session's
    /// ARN. Never empty. A user's sign-in to the console is named by the user's own ARN.
    package var sessions: [String]
    /// Who asked for the session; its own session key leads further back.
    package var caller: Principal
    /// As in ``ChangeEvent``; empty where the record says none.
    package var account: String
    package var region: String
    /// As in ``ChangeEvent``.
    package var action: String
    package var opened: Timestamp
    /// The event that says so; `nil` from ``DecodeDetail/intake``, which asks for no more than the above.
    package var event: ChangeEvent?

    init(
        sessions: [String], caller: Principal, account: String, region: String, action: String, opened: Timestamp
    ) {
        self.sessions = sessions
        self.caller = caller
        self.account = account
        self.region = region
        self.action = action
        self.opened = opened
    }

    init(sessions: [String], caller: Principal, event: ChangeEvent) {
        self.init(
            sessions: sessions, caller: caller, account: event.account, region: event.region, action: event.action,
            opened: event.time)
        self.event = event
    }
}

/// A record, or a part of one, that could not be understood.
package struct UndecodableRecord: Error, Sendable, Hashable {
    /// What is wrong and what would do, as a sentence without its subject: "ends in the middle of a value, at byte 7".
    package var reason: String
    /// Where in the record, from its outside in: `Records[3]`, `Records[0].body.Message`; empty for the whole record.
    package var place: String
    /// What stands there, at most its first 64 KiB.
    package var bytes: [UInt8]

    /// The most of a broken record that is kept.
    static let mostBytes = 64 << 10

    init(_ reason: String, place: String, bytes: [UInt8]) {
        self.reason = reason
        self.place = place
        self.bytes = bytes
    }

    package init(_ reason: String, place: String, copying bytes: Swift.Span<UInt8>) {
        self.init(reason, place: place, bytes: [])
        let kept = bytes.extracting(first: min(bytes.count, Self.mostBytes))
        self.bytes.reserveCapacity(kept.count)
        for index in kept.indices { self.bytes.append(kept[index]) }
    }
}
