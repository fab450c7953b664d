package import HoldfastJSON

/// One line of `holdfast explain`: what an event is, what it affects, and why it is dropped where it is.
///
/// - Parameter reason: why the event goes no further; `nil` where it does.
package func explanation(of event: ChangeEvent, affected: [ResourceChange], dropped reason: String?) -> JSON {
    let resources = affected.map { change -> JSON in
        [
            "type": .string(change.resource.type), "id": .string(change.resource.id),
            "effect": .string(change.effect.rawValue),
        ]
    }
    return [
        "id": .string(event.id), "cloud": .string(event.cloud.rawValue), "time": .string(event.time.description),
        "account": .string(event.account), "region": .string(event.region), "actor": .string(event.actor.name),
        "actorType": .string(event.actor.type), "sourceIP": .string(event.sourceIP), "action": .string(event.action),
        "outcome": event.outcome.isSuccess ? "success" : "failure", "readOnly": .bool(event.readOnly),
        "affected": .array(resources), "dropped": reason.map(JSON.string) ?? .null,
    ]
}

extension DecodedItem {
    /// The event in here, where there is one; of what is dropped only when decoded in full.
    package var event: ChangeEvent? {
        switch self {
        case .event(let event): event
        case .session(let session): session.event
        case .dropped(let record): record.event
        case .undecodable: nil
        }
    }

    /// The line of `holdfast explain` for an item that was decoded in full; `nil` for a dead letter. An event that
    /// opened a session is kept for the identity index, and still called a read where the cloud calls it one.
    package func explanation(affected: [ResourceChange] = []) -> JSON? {
        switch self {
        case .undecodable: return nil
        case .event(let event): return HoldfastCore.explanation(of: event, affected: affected, dropped: nil)
        case .session(let session):
            guard let event = session.event else { return nil }
            let reason = event.readOnly ? DropReason.readOnly.description : nil
            return HoldfastCore.explanation(of: event, affected: affected, dropped: reason)
        case .dropped(let record):
            if let event = record.event {
                return HoldfastCore.explanation(of: event, affected: affected, dropped: record.reason.description)
            }
            return record.bareExplanation
        }
    }
}

extension DroppedRecord {
    /// Of what is no event: the same members, empty where there is nothing to say.
    fileprivate var bareExplanation: JSON {
        [
            "id": "", "cloud": .string(cloud?.rawValue ?? ""), "time": time.map { .string($0.description) } ?? .null,
            "account": .string(account), "region": "", "actor": .string(actor), "actorType": "", "sourceIP": "",
            "action": .string(action), "outcome": "success", "readOnly": false, "affected": [],
            "dropped": .string(reason.description),
        ]
    }
}
