internal import HoldfastJSON

/// Which environment a resource counts to. What nobody has classified counts to the strictest.
package struct Classification: Sendable {
    /// An account that the configuration names.
    package struct Account: Sendable, Hashable {
        package var cloud: Cloud
        package var id: String
        package var environment: String
        /// Who is asked; empty where nobody is named.
        package var owner: String
        /// Where the configuration says so.
        package var place: SourcePlace?
        package init(cloud: Cloud, id: String, environment: String, owner: String = "", place: SourcePlace? = nil) {
            self.cloud = cloud
            self.id = id
            self.environment = environment
            self.owner = owner
            self.place = place
        }
    }
    /// What an account must be like to get an environment: patterns with `*`, all of which must fit.
    package struct Line: Sendable, Hashable {
        /// One of ``facts``, or `tag:NAME` -> pattern.
        package var match: [String: String]
        package var environment: String
        /// Who is asked; empty where nobody is named.
        package var owner: String
        package var place: SourcePlace?
        package init(match: [String: String], environment: String, owner: String = "", place: SourcePlace? = nil) {
            self.match = match
            self.environment = environment
            self.owner = owner
            self.place = place
        }
    }
    /// An environment, and why it is this one.
    package struct Answer: Sendable, Hashable {
        package var environment: String
        package var reason: String
        /// Some line of the configuration said so; else it counts as the strictest for want of one.
        package var isClassified = true
        /// That line.
        package var place: SourcePlace?
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

    /// What may be known of an account: its name, and its place in its organisation as a path of names
    /// (`Workloads/Dev`; empty at the top) and as the id of the last of these.
    package static let factNames = [
        "name", "ou", "ou-id", "management-group", "management-group-id", "folder", "folder-id",
    ]
    /// Of these the ones that are paths.
    static let pathNames: Set = ["ou", "management-group", "folder"]
    /// The fact that an account's tags could not be read, and why.
    package static let unread = "unread"

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
            return Answer(
                environment: stated, reason: "label \(name); its account counts as \(byAccount.environment)",
                isClassified: byAccount.isClassified, place: byAccount.place)
        }
        if trustsLabels { return Answer(environment: stated, reason: "label \(name), which is trusted") }
        return Answer(
            environment: byAccount.environment,
            reason: "\(byAccount.reason); label \(name) says \(stated), and labels may not loosen")
    }

    private func environment(ofAccount place: ResourceContext) -> Answer {
        if let account = accounts.first(where: { $0.cloud == place.cloud && $0.id == place.account }) {
            return Answer(
                environment: account.environment, reason: "account \(place.account) is configured so",
                place: account.place)
        }
        let facts = facts["\(place.cloud.rawValue)/\(place.account)"] ?? [:]
        let strictest = environments[environments.count - 1]
        for line in lines {
            switch line.fits(facts) {
            case false: continue
            case true?:
                let words = line.match.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                return Answer(
                    environment: line.environment, reason: "the account fits \(words.joined(separator: ", "))",
                    place: line.place)
            case nil:
                return Answer(
                    environment: strictest,
                    reason: "the tags of account \(place.account) could not be read, so it counts as \(strictest)",
                    isClassified: false, place: line.place)
            }
        }
        return Answer(
            environment: strictest, reason: "account \(place.account) is not classified, so it counts as \(strictest)",
            isClassified: false)
    }

    /// Who is asked about an account; empty where nobody is named.
    package func owner(of place: ResourceContext) -> String {
        if let account = accounts.first(where: { $0.cloud == place.cloud && $0.id == place.account }) {
            return account.owner
        }
        let facts = facts["\(place.cloud.rawValue)/\(place.account)"] ?? [:]
        return lines.first { $0.fits(facts) == true }?.owner ?? ""
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

extension Classification.Line {
    /// Whether all of it fits; `nil` where that hangs on tags that could not be read.
    fileprivate func fits(_ facts: [String: String]) -> Bool? {
        var isSure = true
        for (name, pattern) in match.sorted(by: { $0.key < $1.key }) {
            guard let fact = facts[name] else {
                guard name.hasPrefix("tag:"), facts[Classification.unread] != nil else { return false }
                isSure = false
                continue
            }
            let pattern = TextPattern(pattern)
            // `Workloads/Dev/*` is what lies in Workloads/Dev and below it.
            let isBelow = Classification.pathNames.contains(name) && pattern.matches("\(fact)/")
            guard isBelow || pattern.matches(fact) else { return false }
        }
        return match.isEmpty ? false : isSure ? true : nil
    }
}
