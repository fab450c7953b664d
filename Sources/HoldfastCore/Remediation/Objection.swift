package import HoldfastJSON

/// Somebody said why a drift should stay as it is, for as long as it is this drift: until they take it back, or another
/// person approves the fix all the same, nothing is written over it.
package struct Objection: Sendable, Hashable {
    package var finding: String
    /// `first.last`.
    package var person: String
    package var reason: String
    package var at: Timestamp
    /// `unix-socket`, `oidc`, `token`, `session`.
    package var via: String
    package var withdrawn: Timestamp?

    package init(
        finding: String, person: String, reason: String, at: Timestamp, via: String, withdrawn: Timestamp? = nil
    ) {
        self.finding = finding
        self.person = person
        self.reason = reason
        self.at = at
        self.via = via
        self.withdrawn = withdrawn
    }

    /// For approvers.
    package var sentence: String { "\(person) objected at \(at): \(reason)" }

    package var json: JSON {
        [
            "finding": .string(finding), "person": .string(person), "reason": .string(reason),
            "at": .string(at.description), "via": .string(via),
            "withdrawn": withdrawn.map { .string($0.description) } ?? .null,
        ]
    }
}

extension GuardFacts {
    /// Whether those who may object to a fix have heard of it.
    package enum Hearing: Sendable, Hashable {
        /// There is nobody who could be told, or no channel took it.
        case nobody
        /// Somebody is to be told, and no channel has taken it yet.
        case pending
        /// From then on they could answer.
        case told(at: Timestamp)
    }

    /// The time in which a fix may be objected to.
    package enum Grace: Sendable, Hashable {
        /// It has none, or people are asked in any case.
        case none
        /// It begins when somebody was told.
        case unheard(Span)
        case until(Timestamp)
    }

    package var grace: Grace {
        guard let grace = plan.grace, campaign == nil, drill == nil, approvals.state == .notNeeded else { return .none }
        guard case .told(let at) = hearing else { return .unheard(grace) }
        return .until(max(at, opened ?? finding.since) + grace)
    }
}
