package import HoldfastCore
package import HoldfastJSON

/// A resource's state as somebody recorded it: one line of `holdfast evaluate --state`.
package struct RecordedResource: Sendable {
    package var resource: ResourceID
    package var context: ResourceContext
    package var configuration: JSON
    /// When it was read.
    package var recorded: Timestamp
    /// `states.jsonl:12`
    package var place: String

    package init(
        resource: ResourceID, context: ResourceContext, configuration: JSON,
        recorded: Timestamp, place: String
    ) {
        self.resource = resource
        self.context = context
        self.configuration = configuration
        self.recorded = recorded
        self.place = place
    }

    /// As a read of each top-level property that the snapshot names; the others were not read.
    package var description: Description {
        let sections = (configuration.object?.members ?? []).map { member in
            (path: PropertyPath([.name(member.name)]), value: member.value)
        }
        return Description(result: .sections(sections), started: recorded, id: "recorded:\(place)")
    }
}

/// Answers reads from recorded states: what a deployment without cloud access, a replay and the tests read from.
package struct RecordedStateReader: StateReader {
    private let resources: [ResourceID: RecordedResource]

    /// Of two records of one resource the later recorded one counts.
    package init(_ resources: [RecordedResource]) {
        self.resources = Dictionary(
            resources.map { ($0.resource, $0) }, uniquingKeysWith: { $0.recorded < $1.recorded ? $1 : $0 })
    }

    package func describe(_ resource: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        guard let found = resources[resource] else {
            throw ReadError(
                code: "not-recorded", message: "\(resource) is not among the recorded states", retry: .never)
        }
        return found.description
    }
}
