package import HoldfastCore

/// What somebody may do. Roles give it.
package enum Permission: String, Sendable, CaseIterable {
    /// Read findings, plans, runs and the audit log.
    case read
    /// Approve, refuse and hold plans.
    case decide
    /// Halt, resume, undo, take findings on, start campaigns.
    case operate
    /// Open rollouts, exempt.
    case administer

    /// The roles that give it, beside those that the approvals' chain names for ``decide``.
    package var roles: [String] {
        switch self {
        case .read: ["viewer", "approver", "operator", "admin"]
        case .decide: ["approver", "admin"]
        case .operate: ["operator", "admin"]
        case .administer: ["admin"]
        }
    }

    /// For sentences: "may not …".
    var phrase: String {
        switch self {
        case .read: "read this"
        case .decide: "approve or refuse plans"
        case .operate: "halt, resume, undo or take on findings"
        case .administer: "open rollouts or exempt"
        }
    }
}

/// Whom a request comes from, once that is known.
package struct Caller: Sendable, Hashable {
    /// Somebody who decides; `nil` where nobody is to be named.
    package var person: Person?
    /// For logs: `first.last`, or `uid 1000`.
    package var name: String
    package var roles: [String]
    /// Why nobody is to be named; empty where somebody is.
    package var anonymity: String

    package init(_ person: Person) {
        self.person = person
        name = person.name
        roles = person.roles
        anonymity = ""
    }

    /// Somebody of this machine who may read and is no person that the configuration knows.
    init(unnamed name: String, because anonymity: String) {
        self.name = name
        self.anonymity = anonymity
        roles = ["viewer"]
    }
}

/// Who may do what.
package struct AccessRules: Sendable {
    package var people: People
    /// Roles that are asked for approvals beside the usual one.
    package var deciding: [String]
    /// Production, and all that nobody has classified.
    package var lastEnvironment: String

    package init(people: People, deciding: [String] = [], lastEnvironment: String = "") {
        self.people = people
        self.deciding = deciding
        self.lastEnvironment = lastEnvironment
    }

    /// The roles that give a permission.
    func roles(for permission: Permission) -> [String] {
        let more = permission == .decide ? deciding : permission == .read ? deciding : []
        return permission.roles + more.filter { !permission.roles.contains($0) }
    }

    /// - Throws: 403 where the caller's roles do not give the permission.
    func check(_ caller: Caller, _ permission: Permission) throws(Refusal) {
        let wanted = roles(for: permission)
        guard !may(caller, permission) else { return }
        throw .forbidden(
            "\(caller.name) may not \(permission.phrase): that takes the role \(wanted.joined(separator: " or ")); "
                + "`approvals: roles:` names people by role")
    }

    func may(_ caller: Caller, _ permission: Permission) -> Bool {
        caller.roles.contains(where: roles(for: permission).contains)
    }

    /// Somebody whom the configuration knows, whatever their roles.
    ///
    /// - Throws: 403 where nobody is to be named.
    func named(_ caller: Caller) throws(Refusal) -> Person {
        guard let person = caller.person else { throw .forbidden(caller.anonymity) }
        return person
    }

    /// Who decides.
    ///
    /// - Throws: 403 where nobody is to be named, or their roles do not give the permission.
    func person(_ caller: Caller, _ permission: Permission) throws(Refusal) -> Person {
        let person = try named(caller)
        try check(caller, permission)
        return person
    }
}
