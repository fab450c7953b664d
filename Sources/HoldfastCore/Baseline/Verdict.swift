package import HoldfastJSON

/// What a rule says of a resource.
package struct Verdict: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable, CaseIterable {
        case pass, drift, unknown
        /// The rule's `where:` leaves the resource out.
        case notApplicable = "not-applicable"
    }
    package var outcome: Outcome
    /// What made it drift: what a fix must remove or change, and nothing else. Sorted by path.
    package var offending: [Offending]
    /// Why it is unknown, or what was expected, as a phrase.
    package var reason: String

    package init(_ outcome: Outcome, offending: [Offending] = [], reason: String = "") {
        self.outcome = outcome
        self.offending = offending
        self.reason = reason
    }
}

/// A property or an element of a list that made a rule drift.
package struct Offending: Sendable, Hashable {
    /// Where it stands in the resource: `SecurityGroupIngress[0]`, `PubliclyAccessible`.
    package var path: PropertyPath
    /// The element's key in its list (`sgr-0a1b`), where it has one: that outlives a reordering.
    package var key: String?
    /// What stands there now.
    package var actual: JSON
    /// What was expected there, as a phrase: `one of [Enabled]`, `not reachable from the internet on 22`.
    package var expected: String

    package init(path: PropertyPath, key: String? = nil, actual: JSON, expected: String) {
        self.path = path
        self.key = key
        self.actual = actual
        self.expected = expected
    }
}
