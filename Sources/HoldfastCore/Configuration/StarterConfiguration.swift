/// What a first configuration is made of, and its text with a comment for each choice.
package struct StarterConfiguration: Sendable {
    /// How brokers want to be spoken with.
    package enum KafkaKind: String, Sendable, CaseIterable {
        case plain, tls, scram
        case eventHubs = "event-hubs"
        case google = "google-managed"
    }
    package struct Kafka: Sendable {
        package var brokers: String
        package var topics: [String]
        package var kind: KafkaKind

        package init(brokers: String, topics: [String], kind: KafkaKind) {
            self.brokers = brokers
            self.topics = topics
            self.kind = kind
        }
    }
    package struct Account: Sendable, Hashable {
        package var cloud: Cloud
        package var id: String
        package var environment: String?

        /// `aws:111122223333`, `azure:SUBSCRIPTION=production`; `nil` for anything else.
        package init?(_ text: String) {
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let parts = halves[0].split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let cloud = Cloud(rawValue: parts[0]), halves.count == 1 || !halves[1].isEmpty
            else { return nil }
            (self.cloud, id, environment) = (cloud, parts[1], halves.count == 2 ? halves[1] : nil)
        }
    }
    /// Who decides, known by their user on this machine.
    package struct Approver: Sendable, Hashable {
        package var person: String
        package var user: String

        /// `first.last=user`; `nil` for anything else.
        package init?(_ text: String) {
            let halves = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard halves.count == 2, !halves.contains("") else { return nil }
            (person, user) = (halves[0], halves[1])
        }
    }

    package var store = "./holdfast.db"
    package var mode = Mode.dryRun
    package var kafka: Kafka?
    package var files: [String] = []
    /// Ask the logs of the accounts themselves.
    package var polls = false
    package var accounts: [Account] = []
    package var regions: [String] = []
    /// Of AWS, with `{account}` for each one's id; `nil`: this machine's own credentials.
    package var readRole: String?
    package var readsClouds = true
    package var approvers: [Approver] = []

    package init() {}

    /// A configuration file.
    package var text: String {
        var lines = [
            "# The configuration of Holdfast. Every key: docs/configuration.md. Paths start from this folder.",
            "# `holdfast check --config FILE` says what it comes to, `holdfast doctor --config FILE` whether it works.",
            "",
            "store: {sqlite: \(quoted(store))}        # the journal: one file, made by the first `holdfast run`",
            "mode: \(mode.rawValue)                          # \(Self.meaning[mode] ?? "")",
            "environments: [dev, staging, production]   # in the order of a rollout; what is unclassified is the last",
        ]
        lines += sourceLines + accountLines + stateLines + peopleLines
        lines += [
            "", "# Where the audit log leaves checkpoints; better on another disk than the journal.",
            "audit: {anchor: [{file: ./audit.anchor}]}",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private static let meaning: [Mode: String] = [
        .observe: "observe: findings; dry-run: plans too, none carried out",
        .dryRun: "dry-run: findings and plans, none carried out; observe: findings only",
    ]

    private func quoted(_ text: String) -> String {
        let isPlain =
            text.allSatisfy { $0.isLetter || $0.isNumber || "./_-".contains($0) } && !text.allSatisfy(\.isNumber)
        return isPlain ? text : "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private func list(_ texts: [String]) -> String { "[\(texts.map(quoted).joined(separator: ", "))]" }

    private func ids(_ cloud: Cloud) -> [String] { accounts.filter { $0.cloud == cloud }.map(\.id) }

    private var sourceLines: [String] {
        var lines = [
            "", "# Where audit events come from: CloudTrail, Azure's Activity Log, Google's audit logs.", "sources:",
        ]
        if let kafka {
            lines += [
                "  - kafka:", "      brokers: \(quoted(kafka.brokers))", "      topics: \(list(kafka.topics))",
                "      group: holdfast                      # one name for each installation",
            ]
            lines += options(kafka.kind)
        }
        if !files.isEmpty {
            lines.append("  - file: {paths: \(list(files)), follow: true}      # follow: go on with what is added")
        }
        guard polls else { return lines }
        if !ids(.aws).isEmpty {
            lines.append("  - cloudtrail-lookup: {regions: \(list(regions))}      # us-east-1 has IAM's events")
        }
        if !ids(.azure).isEmpty { lines.append("  - azure-activity: {}") }
        if !ids(.gcp).isEmpty { lines.append("  - gcp-logging: {}") }
        return lines
    }

    /// No secret stands in the file: `env:NAME` is read from the environment.
    private func options(_ kind: KafkaKind) -> [String] {
        func lines(_ options: [(String, String)]) -> [String] {
            ["      options:"] + options.map { "        \($0.0): \($0.1)" }
        }
        switch kind {
        case .plain: return []
        case .tls: return lines([("security.protocol", "SSL")])
        case .scram:
            return lines([
                ("security.protocol", "SASL_SSL"), ("sasl.mechanisms", "SCRAM-SHA-512"),
                ("sasl.username", "env:KAFKA_USERNAME"), ("sasl.password", "env:KAFKA_PASSWORD"),
            ])
        case .eventHubs:
            return lines([
                ("security.protocol", "SASL_SSL"), ("sasl.mechanisms", "PLAIN"),
                ("sasl.username", "$ConnectionString"),
                ("sasl.password", "env:EVENT_HUBS_CONNECTION_STRING"),
            ])
        case .google:
            return lines([
                ("security.protocol", "SASL_SSL"), ("sasl.mechanisms", "PLAIN"),
                ("sasl.username", "env:KAFKA_USERNAME        # the service account's address"),
                ("sasl.password", "env:KAFKA_PASSWORD        # its key file in base64"),
            ])
        }
    }

    private var accountLines: [String] {
        guard !accounts.isEmpty else {
            return [
                "", "# Accounts with their environment; without one an account counts as production.", "accounts: []",
            ]
        }
        return ["", "# Accounts with their environment; without one an account counts as production.", "accounts:"]
            + accounts.map { account in
                var parts = ["\(account.cloud.rawValue): \"\(account.id)\""]
                if let environment = account.environment { parts.append("environment: \(quoted(environment))") }
                if account.cloud == .aws {
                    if let role = readRole {
                        parts.append("read-role: \(quoted(role.replacing("{account}", with: account.id)))")
                    }
                    if !regions.isEmpty { parts.append("regions: \(list(regions))") }
                }
                return "  - {\(parts.joined(separator: ", "))}"
            }
    }

    private var stateLines: [String] {
        let clouds = Cloud.allCases.filter { !ids($0).isEmpty }.map(\.rawValue)
        guard readsClouds, !clouds.isEmpty else {
            return ["", "# No cloud is read: findings rest on what events report. To read: state: {clouds: [aws]}"]
        }
        return [
            "", "# Resources are read there; `holdfast permissions --read --config FILE` prints what that needs.",
            "state: {clouds: \(list(clouds))}",
        ]
    }

    private var peopleLines: [String] {
        guard !approvers.isEmpty else {
            return [
                "", "# Nothing listens, and nobody can approve, until there is server: with people (docs/server.md).",
            ]
        }
        let names = list(approvers.map(\.person))
        return [
            "",
            "# Who decides. On this machine people are known by their user, from elsewhere by oidc: (docs/server.md).",
            "server: {listen: \"127.0.0.1:8484\"}", "identities:",
        ]
            + approvers.map { "  - {person: \(quoted($0.person)), local: \(quoted($0.user))}" }
            + ["approvals: {roles: {approver: \(names), operator: \(names)}}"]
    }
}
