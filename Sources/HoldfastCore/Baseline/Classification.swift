internal import HoldfastJSON

/// Which environment a resource counts to. What nobody has classified counts to the strictest.
package struct Classification: Sendable {
    /// An account that the configuration names.
    package struct Account: Sendable, Hashable {
        package var cloud: Cloud
        package var id: String
        package var environment: String
        package init(cloud: Cloud, id: String, environment: String) {
            self.cloud = cloud
            self.id = id
            self.environment = environment
        }
    }
    /// What an account must be like to get an environment: patterns with `*`, all of which must fit.
    package struct Line: Sendable, Hashable {
        /// `name`, `ou`, `management-group`, `folder`, `tag:NAME` -> pattern.
        package var match: [String: String]
        package var environment: String
        package init(match: [String: String], environment: String) {
            self.match = match
            self.environment = environment
        }
    }
    /// An environment, and why it is this one.
    package struct Answer: Sendable, Hashable {
        package var environment: String
        package var reason: String
    }

    /// In rollout order: the later, the stricter. Never empty.
    package var environments: [String]
    package var accounts: [Account]
    package var lines: [Line]
    /// A label may also loosen.
    package var trustsLabels: Bool
    /// What is known of accounts beside their id, by `cloud/id`: `name`, `ou`, …
    package var facts: [String: [String: String]]

    package init(
        environments: [String] = ["dev", "staging", "production"], accounts: [Account] = [], lines: [Line] = [],
        trustsLabels: Bool = false, facts: [String: [String: String]] = [:]
    ) {
        self.environments = environments.isEmpty ? ["production"] : environments
        self.accounts = accounts
        self.lines = lines
        self.trustsLabels = trustsLabels
        self.facts = facts
    }

    /// Names of the tag or label that a resource may state its environment with, in any letter case.
    package static let labelNames = ["holdfast:environment", "holdfast-environment", "environment"]

    /// - Parameter labels: a map from name to text; what is not known there changes nothing.
    package func environment(of place: ResourceContext, labels: StateValue = .absent) -> Answer {
        let byAccount = environment(ofAccount: place)
        guard let (name, text) = label(in: labels),
            let position = environments.firstIndex(where: { $0.lowercased() == text }),
            let current = environments.firstIndex(of: byAccount.environment), position != current
        else { return byAccount }
        let stated = environments[position]
        if position > current {
            return Answer(environment: stated, reason: "label \(name); its account counts as \(byAccount.environment)")
        }
        if trustsLabels { return Answer(environment: stated, reason: "label \(name), which is trusted") }
        return Answer(
            environment: byAccount.environment,
            reason: "\(byAccount.reason); label \(name) says \(stated), and labels may not loosen")
    }

    private func environment(ofAccount place: ResourceContext) -> Answer {
        if let account = accounts.first(where: { $0.cloud == place.cloud && $0.id == place.account }) {
            return Answer(environment: account.environment, reason: "account \(place.account) is configured so")
        }
        let facts = facts["\(place.cloud.rawValue)/\(place.account)"] ?? [:]
        for line in lines {
            let fits = line.match.allSatisfy { name, pattern in
                facts[name].map { TextPattern(pattern).matches($0) } ?? false
            }
            guard fits, !line.match.isEmpty else { continue }
            let words = line.match.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return Answer(environment: line.environment, reason: "the account fits \(words)")
        }
        let strictest = environments[environments.count - 1]
        return Answer(
            environment: strictest, reason: "account \(place.account) is not classified, so it counts as \(strictest)")
    }

    private func label(in labels: StateValue) -> (name: String, value: String)? {
        guard case .map(let map) = labels else { return nil }
        for name in Classification.labelNames {
            for member in map.members where member.name.lowercased() == name {
                if case .scalar(let json) = member.value, let text = json.scalarText {
                    return (member.name, text.lowercased())
                }
            }
        }
        return nil
    }
}
