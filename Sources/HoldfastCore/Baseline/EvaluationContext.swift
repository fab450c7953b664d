/// The resources at the other end of a relation.
package struct RelatedResources: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var id: ResourceID
        /// Its configuration; `unknown` where it was never read.
        package var document: StateValue
        package init(id: ResourceID, document: StateValue) {
            self.id = id
            self.document = document
        }
    }
    package var members: [Member]
    /// `nil` where these are all; else why there may be others.
    package var openBecause: String?

    package init(_ members: [Member] = [], openBecause: String? = nil) {
        self.members = members
        self.openBecause = openBecause
    }
}

/// Everything beside a resource's own configuration that a rule may read.
package struct EvaluationContext: Sendable {
    package var now: Timestamp
    /// By ``Classification``.
    package var environment: String
    package var place: ResourceContext
    /// Tags or labels: a map from name to text, open or unknown where they were not read.
    package var labels: StateValue
    /// `our-accounts`, `our-networks` and the configuration's other lists; a list that is missing is not known.
    package var lists: [String: [String]]
    /// Follows a relation from the resource that is evaluated.
    package var related: @Sendable (RelatedRead) -> RelatedResources

    package init(
        now: Timestamp, environment: String, place: ResourceContext, labels: StateValue,
        lists: [String: [String]] = [:],
        related: @escaping @Sendable (RelatedRead) -> RelatedResources = { _ in
            RelatedResources(openBecause: "related resources were not read")
        }
    ) {
        self.now = now
        self.environment = environment
        self.place = place
        self.labels = labels
        self.lists = lists
        self.related = related
    }
}

/// A verdict, and when time alone may make it another.
package struct Evaluation: Sendable, Hashable {
    package var verdict: Verdict
    /// The next moment at which the verdict may change though nothing of the resource does; `nil`: never.
    package var nextChange: Timestamp?

    package init(_ verdict: Verdict, nextChange: Timestamp? = nil) {
        self.verdict = verdict
        self.nextChange = nextChange
    }
}
