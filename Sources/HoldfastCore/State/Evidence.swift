package import HoldfastJSON

/// Where a piece of evidence comes from.
package enum EvidenceSource: String, Sendable, Hashable {
    /// An audit event says so.
    case reported
    /// A read of the resource says so.
    case observed
}

/// One thing that one piece of evidence says of a resource.
package enum EvidenceChange: Sendable, Hashable {
    /// The resource came into being; what it was before is another incarnation.
    case created
    case deleted
    /// The property has this value, all of it; null: it is absent. The root path: the whole configuration.
    case set(PropertyPath, JSON)
    /// The list has this element under this key.
    case put(list: PropertyPath, key: String, JSON)
    /// The list has no element under this key.
    case remove(list: PropertyPath, key: String)
    /// Something here changed and the event does not say to what.
    case touched(PropertyPath)
}

/// A change with the resource that it is about: what the catalog makes of an event.
package struct ResourceChange: Sendable, Hashable {
    package var resource: ResourceID
    package var context: ResourceContext
    package var effect: Effect
    package var changes: [EvidenceChange]

    package init(resource: ResourceID, context: ResourceContext, effect: Effect, changes: [EvidenceChange]) {
        self.resource = resource
        self.context = context
        self.effect = effect
        self.changes = changes
    }
}

/// What an event does to a resource.
package enum Effect: String, Sendable, Hashable, CaseIterable {
    case creates, changes, deletes
    /// It is named by the event, and another resource changes.
    case relates
}

/// Who and what stands behind a piece of evidence; a finding names it as its cause.
package struct EvidenceOrigin: Sendable, Hashable {
    /// The event's id, or the read's: unique.
    package var event: String
    /// The actor's name, followed to a person or workload where that is known; empty for a read.
    package var actor: String
    package var action: String
    /// The key of the actor's session (see ``Principal``), or empty.
    package var session: String
    /// The event names the resource by something that another may bear after it (a group's name): said of one that is
    /// gone by then, it is said of another.
    package var isByName: Bool

    package init(
        event: String, actor: String = "", action: String = "", session: String = "", isByName: Bool = false
    ) {
        self.event = event
        self.actor = actor
        self.action = action
        self.session = session
        self.isByName = isByName
    }
}

/// One change at one moment. Items have one total order, and a resource's state is the fold of its items in that
/// order: a function of the set, whatever the order of arrival.
package struct EvidenceItem: Sendable, Hashable, Comparable {
    package var change: EvidenceChange
    package var source: EvidenceSource
    /// Of an event: when it happened. Of a read: when it STARTED, less the resolution of the source's times and the
    /// service's consistency margin, so that a read supersedes only what it is sure to have seen.
    package var time: Timestamp
    package var origin: EvidenceOrigin
    /// The change's place among those of one event.
    package var index: Int

    package init(
        _ change: EvidenceChange, source: EvidenceSource, time: Timestamp, origin: EvidenceOrigin, index: Int = 0
    ) {
        self.change = change
        self.source = source
        self.time = time
        self.origin = origin
        self.index = index
    }

    /// Time, then kind of evidence, then event id: reads before what is reported at the same time, creation before
    /// changes, deletion last.
    package static func < (a: EvidenceItem, b: EvidenceItem) -> Bool {
        if a.time != b.time { return a.time < b.time }
        if a.rank != b.rank { return a.rank < b.rank }
        if a.origin.event != b.origin.event { return a.origin.event.precedesInUTF8(b.origin.event) }
        return a.index < b.index
    }

    private var rank: Int {
        let kind =
            switch change {
            case .created: 0
            case .touched: 1
            case .set: 2
            case .put: 3
            case .remove: 4
            case .deleted: 5
            }
        return kind + (source == .observed ? 0 : 10)
    }

    /// The path that the change is about; `nil` for creation and deletion.
    package var path: PropertyPath? {
        switch change {
        case .created, .deleted: nil
        case .set(let path, _), .touched(let path): path
        case .put(let list, _, _), .remove(let list, _): list
        }
    }

    /// The element that the change is about.
    package var key: String? {
        switch change {
        case .put(_, let key, _), .remove(_, let key): key
        case .created, .deleted, .set, .touched: nil
        }
    }
}
