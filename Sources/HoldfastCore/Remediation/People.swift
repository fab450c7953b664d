/// Who a person is in each of the places where they act.
package struct Identity: Sendable, Hashable {
    /// `first.last`: what audit entries name.
    package var person: String
    /// Patterns of the names that clouds' logs give this person or the workloads they answer for.
    package var actors: [String]
    /// Subjects of OpenID Connect tokens.
    package var oidc: [String]
    package var slack: [String]
    /// Names of users of this machine.
    package var local: [String]

    package init(
        person: String, actors: [String] = [], oidc: [String] = [], slack: [String] = [], local: [String] = []
    ) {
        self.person = person
        self.actors = actors
        self.oidc = oidc
        self.slack = slack
        self.local = local
    }
}

/// The people that the configuration knows, and what each may do.
package struct People: Sendable, Hashable {
    package var identities: [Identity] = []
    /// Role -> people.
    package var roles: [String: [String]] = [:]

    package init() {}

    /// The people behind an actor's name, sorted; none where nobody is mapped.
    package func people(behind actor: String) -> [String] {
        let found = identities.filter { $0.actors.contains { TextPattern($0).matches(actor) } }.map(\.person)
        return Set(found).sorted()
    }

    package func roles(of person: String) -> [String] {
        roles.filter { $0.value.contains(person) }.keys.sorted()
    }
}

/// Somebody who was authenticated and decides something.
package struct Person: Sendable, Hashable {
    /// `first.last`.
    package var name: String
    package var roles: [String]
    /// How they were known: `unix-socket`, `oidc`, `token`, `session`.
    package var via: String

    package init(name: String, roles: [String], via: String) {
        self.name = name
        self.roles = roles
        self.via = via
    }
}
