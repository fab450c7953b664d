/// `discover:`, the organisations whose accounts are found and enrolled by themselves; and `classify:`.
extension Configuration {
    /// An organisation, or a part of one.
    package struct Discovery: Sendable, Hashable {
        /// As the catalog calls it: `aws-organization`.
        package var kind: String
        package var cloud: Cloud
        /// The container it begins with: a management group, `organizations/1`, `folders/2`; empty: the whole
        /// organisation of AWS.
        package var root = ""
        /// Of AWS: the account whose read-role lists; empty: whatever the credentials belong to.
        package var account = ""
        /// Roles of the accounts that are found, with `{account}` where the id of each goes.
        package var readRole: String?
        package var writeRole: String?
        package var externalID: String?
        package var tenant: String?
        package var regions: [String] = []
        /// Accounts that are left alone.
        package var except: [String] = []
        package var place: SourcePlace

        /// Tells organisations apart, in the journal and in messages: `gcp-organization organizations/1`.
        package var name: String {
            [kind, account.isEmpty ? root : account].filter { !$0.isEmpty }.joined(separator: " ")
        }

        /// An account that was found, as if the configuration named it.
        package func enrolled(_ id: String, name: String) -> Account {
            func role(_ text: String?) -> String? { text?.replacing("{account}", with: id) }
            return Account(
                cloud: cloud, id: id, name: name, environment: nil, owner: "", readRole: role(readRole),
                writeRole: role(writeRole), externalID: externalID, tenant: tenant, regions: regions, place: place)
        }
    }

    static let discover: Shape = .record(
        .init("every", .duration, "how often is looked for new accounts, 10s to 7d. Default 1h"),
        .init("aws-organization", .oneOrMany(awsOrganization), "all active accounts of an AWS organisation"),
        .init("azure-management-group", .oneOrMany(azureGroup), "all subscriptions below a management group of Azure"),
        .init(
            "gcp-organization", .oneOrMany(googleOrganization),
            "all projects of a Google organisation, or below folders"))

    private static let roles: [Shape.Field] = [
        .init("write-role", .text, "the same for writing; nothing is written without one"),
        .init("except", .list(.text), "accounts that are left alone"),
    ]

    private static let awsOrganization: Shape = .record(
        Shape.Record(
            [
                .init(
                    "account", .text,
                    "whose read-role lists: the management account or a delegated administrator. Default: our own"),
                .init(
                    "read-role", .text, required: true,
                    "the role in each account: arn:aws:iam::{account}:role/holdfast-read"),
                .init("external-id", .text, "what the roles' trust policies ask for"),
                .init("regions", .list(.text), "as under accounts"),
            ] + roles))

    private static let azureGroup: Shape = .record(
        Shape.Record(
            [
                .init("group", .text, required: true, "the management group's id"),
                .init("tenant", .text, "where it is not AZURE_TENANT_ID"),
                .init("read-role", .text, "the client id to be for listing and reading. Default: AZURE_CLIENT_ID"),
            ] + roles))

    private static let googleOrganization: Shape = .record(
        Shape.Record(
            [
                .init("organization", .text, "the organisation's number"),
                .init("folder", .text, "in its place, the number of a folder"),
                .init(
                    "read-role", .text,
                    "a service account to be; it lists too where it holds no {account}. Default: our own"),
            ] + roles))

    static let classifyLine: Shape = .record(
        .init(
            "match", .map(keys: "name, ou, management-group, folder, tag:NAME", .text), required: true,
            "what an account is like: patterns with *, all of which must fit; ou: A/B/* is A/B and all below it"),
        .init("environment", .text, required: true, "one of environments"), .init("owner", .text, "who is asked"))

    /// The same with the accounts that its organisations were found to have, as if it named them, behind its own.
    ///
    /// - Parameter found: by what ``Discovery/name`` each was found, with its id and name.
    package func knowing(
        _ found: some Sequence<(discovery: String, cloud: Cloud, id: String, name: String)>
    ) -> Configuration {
        var whole = self
        var known = Set(accounts.map { "\($0.cloud.rawValue)/\($0.id)" })
        for account in found {
            guard let discovery = discover.first(where: { $0.name == account.discovery }),
                !discovery.except.contains(account.id),
                known.insert("\(account.cloud.rawValue)/\(account.id)").inserted
            else { continue }
            whole.accounts.append(discovery.enrolled(account.id, name: account.name))
        }
        return whole
    }

    /// It says whose accounts are ours.
    package var namesAccounts: Bool { !accounts.isEmpty || !discover.isEmpty }

    /// Some line of `classify:` asks for tags.
    package var classifiesByTags: Bool {
        classify.contains { line in line.match.keys.contains { $0.hasPrefix("tag:") } }
    }
}

/// Reads `discover:` and `classify:`, and says what is wrong with them.
struct DiscoveryReader {
    private(set) var problems: [Problem] = []

    mutating func every(_ node: Node?) -> Span? {
        guard let node = node?["every"], let text = node.text, let span = Span(text) else { return nil }
        if !(Span(seconds: 10).nanoseconds...Span(seconds: 7 * 86_400).nanoseconds).contains(span.nanoseconds) {
            problems.append(Problem("every: \(text) is not between 10s and 7d", at: node.place))
        }
        return span
    }

    mutating func discoveries(_ node: Node?) -> [Configuration.Discovery] {
        var found: [Configuration.Discovery] = []
        for entry in node?.entries ?? [] where entry.key != "every" {
            for item in entry.value.oneOrMany {
                guard let discovery = discovery(entry.key, item) else { continue }
                if found.contains(where: { $0.name == discovery.name }) {
                    problems.append(Problem("\(discovery.name) stands here twice", at: item.place))
                }
                found.append(discovery)
            }
        }
        return found
    }

    private mutating func discovery(_ kind: String, _ node: Node) -> Configuration.Discovery? {
        let clouds: [String: Cloud] = [
            "aws-organization": .aws, "azure-management-group": .azure, "gcp-organization": .gcp,
        ]
        guard let cloud = clouds[kind] else { return nil }
        var discovery = Configuration.Discovery(
            kind: kind, cloud: cloud, account: node["account"]?.text ?? "", readRole: node["read-role"]?.text,
            writeRole: node["write-role"]?.text, externalID: node["external-id"]?.text, tenant: node["tenant"]?.text,
            regions: node["regions"]?.texts ?? [],
            except: (node["except"]?.texts ?? []).map { cloud == .azure ? $0.lowercased() : $0 }, place: node.place)
        switch cloud {
        case .aws: checkAWS(node)
        case .azure: discovery.root = node["group"]?.text ?? ""
        case .gcp: discovery.root = googleRoot(node)
        }
        return discovery
    }

    private mutating func checkAWS(_ node: Node) {
        for account in [node["account"]].compactMap({ $0 }) + (node["except"]?.list ?? []) {
            guard let text = account.text, !PolledSourceReader.isAWSAccount(text) else { continue }
            problems.append(
                Problem(
                    "\"\(text)\" is not an AWS account id: 12 digits, in quotes where it starts with 0",
                    at: account.place))
        }
        for key in ["read-role", "write-role"] {
            guard let role = node[key], role.text?.contains("::{account}:role/") == false else { continue }
            problems.append(
                Problem(
                    "\(key): of an organisation names a role in each account: arn:aws:iam::{account}:role/NAME",
                    at: role.place))
        }
    }

    private mutating func googleRoot(_ node: Node) -> String {
        let named = ["organization", "folder"].compactMap { key in node[key].map { (key, $0) } }
        guard named.count == 1, let (key, value) = named.first, let text = value.text else {
            problems.append(Problem("gcp-organization has one of organization and folder: its number", at: node.place))
            return ""
        }
        if text.isEmpty || !text.utf8.allSatisfy({ (48...57).contains($0) }) {
            problems.append(Problem("\"\(text)\" is no number: \(key) is named by its number", at: value.place))
        }
        return "\(key)s/\(text)"
    }

    mutating func classifyLine(_ node: Node) -> Configuration.ClassifyLine? {
        guard let entries = node["match"]?.entries, let environment = node["environment"]?.text else { return nil }
        if entries.isEmpty { problems.append(Problem("match: names nothing that must fit", at: node.place)) }
        for entry in entries where !entry.key.hasPrefix("tag:") && !Classification.factNames.contains(entry.key) {
            let hint = suggestion(for: entry.key, among: Classification.factNames + ["tag:NAME"])
            problems.append(Problem("unknown key \"\(entry.key)\"\(hint)", at: entry.keyPlace))
        }
        let match = entries.map { ($0.key, $0.value.text ?? "") }
        return Configuration.ClassifyLine(
            match: Dictionary(match) { first, _ in first }, environment: environment,
            owner: node["owner"]?.text ?? "", place: node.place)
    }
}
