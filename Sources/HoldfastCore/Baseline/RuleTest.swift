package import HoldfastJSON

/// A test that a rule's file carries.
package struct RuleTest: Sendable {
    package enum Given: Sendable, Hashable {
        /// A sample of the catalog.
        case sample(String)
        case body(JSON)
    }
    package var given: Given
    /// Set in the given state, in the order of the file.
    package var with: [(path: PropertyPath, value: JSON)]
    /// Made unknown.
    package var without: [PropertyPath]
    package var verdict: Verdict.Outcome
    /// The offending elements by path or key, sorted; `nil` where the test does not say.
    package var offending: [String]?
    package var params: [String: JSON]
    package var now: Timestamp
    /// Where the resource stands.
    package var account: String
    package var environment: String
    /// `nil`: read from the given state.
    package var tags: [String: String]?
    package var lists: [String: [String]]
    /// Relation -> resources at its other end; what is not named here is not known.
    package var related: [String: [Given]]
    /// The type of a given body, where the rule has several.
    package var type: String?
    package var place: SourcePlace

    /// The moment of tests that do not give one.
    package static let defaultNow = Timestamp(seconds: 1_767_225_600)  // 2026-01-01T00:00:00Z
}
