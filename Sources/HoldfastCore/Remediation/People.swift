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
    /// E-mail addresses.
    package var email: [String] = []
    /// Patterns of owners' names, as accounts have them, that this person answers for.
    package var owns: [String] = []
    /// `nil`: nothing is told to this person alone.
    package var reach: Reach?

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

/// How a person is told something that is for them.
package struct Reach: Sendable, Hashable {
    package var channel: String
    /// As the channel has it.
    package var address: String
    package init(channel: String, address: String) {
        self.channel = channel
        self.address = address
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

    /// The people who answer for what an owner's name stands for, sorted: their own name, or one that they own.
    package func people(owning owner: String) -> [String] {
        guard !owner.isEmpty else { return [] }
        let found = identities.filter { identity in
            identity.person == owner.lowercased() || identity.owns.contains { TextPattern($0).matches(owner) }
        }
        return found.map(\.person).sorted()
    }

    package func reach(of person: String) -> Reach? { identities.first { $0.person == person }?.reach }

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
