/// Somebody, or the breaker, has stopped all writes of a part of the world.
package struct Halt: Sendable, Hashable {
    /// The part: everything, a cloud, an account, an environment or a playbook.
    package enum Part: Sendable, Hashable, CustomStringConvertible {
        case all
        case cloud(Cloud)
        case account(String)
        case environment(String)
        case playbook(String)

        /// `all`, `cloud:aws`, `account:111122223333`, `environment:production`, `playbook:aws-sg-close-openings`.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            switch (parts.first, parts.count) {
            case ("all", 1): self = .all
            case ("cloud", 2):
                guard let cloud = Cloud(rawValue: parts[1]) else { return nil }
                self = .cloud(cloud)
            case ("account", 2): self = .account(parts[1])
            case ("environment", 2): self = .environment(parts[1])
            case ("playbook", 2): self = .playbook(parts[1])
            default: return nil
            }
        }

        package var description: String {
            switch self {
            case .all: "all"
            case .cloud(let cloud): "cloud:\(cloud.rawValue)"
            case .account(let id): "account:\(id)"
            case .environment(let name): "environment:\(name)"
            case .playbook(let id): "playbook:\(id)"
            }
        }

        /// How a part is written, for messages.
        package static let forms = "all, cloud:CLOUD, account:ID, environment:NAME or playbook:ID"
    }

    package var part: Part
    package var by: String
    package var reason: String
    package var at: Timestamp

    package init(part: Part, by: String, reason: String, at: Timestamp) {
        self.part = part
        self.by = by
        self.reason = reason
        self.at = at
    }

    /// The parts that a plan belongs to: a halt of any of them stops it.
    package static func parts(of context: ResourceContext, environment: String, playbook: String) -> [Part] {
        [
            .all, .cloud(context.cloud), .account(context.account), .environment(environment), .playbook(playbook),
        ]
    }
}

/// A rule is kept off a resource for a while, because somebody undid its fix.
package struct Hold: Sendable, Hashable {
    package var finding: String
    package var by: String
    package var reason: String
    package var until: Timestamp
    package init(finding: String, by: String, reason: String, until: Timestamp) {
        self.finding = finding
        self.by = by
        self.reason = reason
        self.until = until
    }
}
