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
