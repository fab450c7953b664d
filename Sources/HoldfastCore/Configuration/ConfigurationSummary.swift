/// What a configuration comes to, in sentences: what comes in, what is read, what may be written, who agrees to it.
package struct ConfigurationSummary: Sendable {
    /// A part with its sentences, in the order in which they are read.
    package struct Part: Sendable, Hashable {
        /// `ingested`, `read`, `written`, `approved`, `kept`.
        package var name: String
        package var sentences: [String]
    }
    package let parts: [Part]

    /// - Parameter playbooks: how many are in force.
    package init(_ configuration: Configuration, playbooks: Int) {
        parts = [
            Part(name: "ingested", sentences: Ingested(configuration).sentences),
            Part(name: "read", sentences: ReadState(configuration).sentences),
            Part(name: "written", sentences: Written(configuration, playbooks).sentences),
            Part(name: "approved", sentences: Approved(configuration).sentences),
            Part(
                name: "kept",
                sentences: [Self.kept(configuration)]),
        ]
    }
}

extension ConfigurationSummary {
    private static func kept(_ configuration: Configuration) -> String {
        let (place, audit) = (configuration.sqlite, configuration.audit)
        if audit.anchors.isEmpty {
            return "What was found and done is kept in \(place); nothing outside of it would show that it was "
                + "rewritten (audit: anchor:)."
        }
        let signed = audit.key == nil ? "unsigned checkpoints (keys: audit:)" : "signed checkpoints"
        return "What was found and done is kept in \(place); \(signed) of its audit log go to "
            + "\(words(audit.anchors.map(\.name)))."
    }
}

extension AuditSettings.Anchor {
    fileprivate var name: String {
        switch self {
        case .file(let path): path
        case .syslogSocket(let path): "syslog at \(path)"
        case .syslogUDP(let host, let port): "syslog at \(host):\(port)"
        case .kafka(_, let topic, _): "the topic \(topic)"
        case .s3(let settings): "the bucket \(settings.bucket)"
        }
    }
}

/// `a`, `a and b`, `a, b, c and 4 more`.
private func words(_ all: [String], shown: Int = 4, or last: String = "and") -> String {
    guard all.count > 1 else { return all.first ?? "" }
    if all.count > shown {
        return "\(all.prefix(shown - 1).joined(separator: ", ")) \(last) \(all.count - shown + 1) more"
    }
    return "\(all.dropLast().joined(separator: ", ")) \(last) \(all[all.count - 1])"
}

private func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number) \(number == 1 ? one : many ?? one + "s")"
}

private struct Ingested {
    var sentences: [String]

    init(_ configuration: Configuration) {
        sentences = configuration.sources.map { Ingested.sentence($0, configuration) }
        if sentences.isEmpty {
            sentences = ["No events come in: there are no sources:, and `holdfast run` will not start."]
        }
    }

    private static func sentence(_ source: Configuration.Source, _ configuration: Configuration) -> String {
        switch source {
        case .file(let paths, let follow):
            return "Events are read from \(words(paths))"
                + (follow ? ", and what is added there." : " once; the service ends when they are through.")
        case .stdin: return "Events are read from standard input; the service ends when it does."
        case .kafka(let brokers, let topics, let group, let options):
            let security = options["security.protocol"].map { ", by \($0)" } ?? ", with neither TLS nor sign-in"
            return "Events are read from the Kafka topic\(topics.count == 1 ? "" : "s") \(words(topics)) at "
                + "\(brokers), as the group \(group)\(security)."
        case .cloudTrailLookup(let accounts, let regions, _, let every):
            return "CloudTrail is asked every \(every.phrase) what happened in "
                + "\(places(configuration.ids(of: .aws, named: accounts), "AWS account")) in \(words(regions))."
        case .cloudTrailQueue(let queue, _, _):
            return "CloudTrail's files are read as the queue \(queue) tells of them."
        case .cloudTrailBucket(let bucket, let prefix, _, _, _, let every):
            return "CloudTrail's files are looked for every \(every.phrase) in s3://\(bucket)/\(prefix)."
        case .azureActivity(let subscriptions, _, let every):
            return "The Activity Log is asked every \(every.phrase) for "
                + "\(places(configuration.ids(of: .azure, named: subscriptions), "subscription"))."
        case .googleLogging(let projects, let containers, _, let every):
            let ids = containers.isEmpty ? configuration.ids(of: .gcp, named: projects) : projects + containers
            return "Audit logs are asked every \(every.phrase) for \(places(ids, "Google project"))."
        }
    }

    private static func places(_ ids: [String], _ kind: String) -> String {
        ids.isEmpty ? "every \(kind) that is found" : "\(count(ids.count, kind)) (\(words(ids)))"
    }
}

private struct ReadState {
    var sentences: [String] = []

    init(_ configuration: Configuration) {
        for cloud in configuration.clouds { sentences += ReadState.sentences(cloud, configuration) }
        if configuration.clouds.isEmpty {
            sentences.append(
                configuration.recorded.isEmpty
                    ? "No cloud is read: findings rest on what events report, and what they leave out is unknown."
                    : "No cloud is read: resources begin as recorded in \(words(configuration.recorded)).")
        }
        for discovery in configuration.discover {
            sentences.append(
                "The accounts of \(discovery.name) are listed every \(configuration.discoverEvery.phrase) and enrolled."
            )
        }
        sentences.append(ReadState.environments(configuration))
    }

    private static func sentences(_ cloud: Cloud, _ configuration: Configuration) -> [String] {
        let accounts = configuration.accounts.filter { $0.cloud == cloud }
        let found = configuration.discover.contains { $0.cloud == cloud }
        guard !accounts.isEmpty || found else {
            return [
                "Of \(cloud.rawValue) nothing is read: it stands under state: clouds:, and no account of it is known."
            ]
        }
        let (own, others) = (accounts.filter { $0.readRole == nil }, accounts.filter { $0.readRole != nil })
        var ways: [String] = []
        if !others.isEmpty {
            ways.append("\(words(others.map(\.id))) as \(others.count == 1 ? "its" : "their") read-role")
        }
        if !own.isEmpty { ways.append("\(words(own.map(\.id))) by this machine's own credentials") }
        if found { ways.append("what is found as its read-role") }
        return [
            "\(cloud.rawValue) is read: \(ways.joined(separator: "; ")). A resource is read when an event may have "
                + "changed it, and everything every \(configuration.scanEvery.phrase)."
        ]
    }

    private static func environments(_ configuration: Configuration) -> String {
        let last = configuration.environments.last ?? ""
        let named = configuration.environments.compactMap { name -> String? in
            let ids = configuration.accounts.filter { $0.environment == name }
            return ids.isEmpty ? nil : "\(count(ids.count, "account")) \(ids.count == 1 ? "is" : "are") \(name)"
        }
        let lines = configuration.classify.count
        let classified =
            lines == 0 ? "" : "\(count(lines, "line")) of classify: \(lines == 1 ? "is" : "are") tried, and "
        return (named.isEmpty ? "" : named.joined(separator: ", ") + "; ")
            + "\(classified)all that is left counts as \(last)."
    }
}

private struct Written {
    var sentences: [String] = []

    init(_ configuration: Configuration, _ playbooks: Int) {
        let settings = configuration.remediation
        guard settings.highest == .remediate else {
            sentences = [
                settings.highest == .observe
                    ? "Nothing is written to a cloud, and no plan is made: the mode is observe."
                    : "Nothing is written to a cloud: plans are made and decided, and none is carried out (dry-run)."
            ]
            return
        }
        for scope in settings.scopes {
            sentences.append("Where \(Written.plain(scope.name)): \(Written.meaning(scope.mode, playbooks)).")
        }
        let rest = settings.scopes.isEmpty ? "Everywhere" : "Everywhere else"
        sentences.append("\(rest): \(Written.meaning(settings.mode, playbooks)).")
        sentences.append(Written.roles(configuration))
        let budgets = settings.budgets
        sentences.append(
            "At most \(budgets.overall) are made, \(budgets.account) in one account, \(budgets.playbook) by one "
                + "playbook, and of one type \(budgets.typePercent) % of an account's in a day.")
        sentences.append("The file \(configuration.haltFile), or `holdfast halt`, stops all of it.")
    }

    /// `{"environment":"dev"}` as a person says it.
    private static func plain(_ match: String) -> String {
        match.filter { !"{}\"[]".contains($0) }.replacing(":", with: " is ").replacing(",", with: ", ")
    }

    private static func meaning(_ mode: Mode, _ playbooks: Int) -> String {
        switch mode {
        case .observe: "findings only"
        case .dryRun: "plans, and none is carried out"
        case .remediate: "what every guard lets pass is written, by \(count(playbooks, "playbook"))"
        }
    }

    private static func roles(_ configuration: Configuration) -> String {
        let ids = configuration.accounts.filter { $0.writeRole != nil }.map(\.id)
        let found = configuration.discover.filter { $0.writeRole != nil }.map(\.name)
        guard !ids.isEmpty || !found.isEmpty else {
            return "No account has a write-role, so nothing can be written yet."
        }
        return
            "Accounts with a write-role: \(words(ids + found.map { "those of \($0)" })); no other is ever written to."
    }
}

private struct Approved {
    var sentences: [String] = []

    init(_ configuration: Configuration) {
        let settings = configuration.remediation
        guard settings.highest > .observe else {
            sentences = ["Nobody is asked: no plan is made."]
            return
        }
        for environment in settings.environments { sentences.append(Approved.table(settings, environment)) }
        sentences += Approved.people(configuration)
        sentences.append(Approved.ways(configuration))
    }

    private static func needed(_ settings: RemediationSettings, _ risk: PlaybookRisk, _ environment: String) -> Int {
        settings.approvals.needed(risk, environment: environment, isLast: settings.isLast(environment))
    }

    private static func table(_ settings: RemediationSettings, _ environment: String) -> String {
        let cells = PlaybookRisk.allCases.map { risk -> String in
            let number = needed(settings, risk, environment)
            return "\(risk.rawValue) risk \(number == 0 ? "nobody" : number == 1 ? "one person" : "\(number) people")"
        }
        return "Who must agree in \(environment): to \(cells.joined(separator: ", to "))."
    }

    private static func people(_ configuration: Configuration) -> [String] {
        let (chain, people) = (configuration.remediation.approvals.chain, configuration.people)
        let groups = configuration.server?.provider?.roles ?? [:]
        var found: [String] = []
        for role in chain {
            let named = people.roles[role] ?? []
            let teams = (groups[role] ?? []).map { "the group \($0)" }
            found.append(
                named.isEmpty && teams.isEmpty
                    ? "Nobody has the role \(role): what asks for it waits for ever (approvals: roles:)."
                    : "The role \(role) has \(words(named + teams)).")
        }
        let most =
            PlaybookRisk.allCases.flatMap { risk in
                configuration.environments.map { needed(configuration.remediation, risk, $0) }
            }.max() ?? 0
        let known = Set(chain.flatMap { people.roles[$0] ?? [] })
        if !known.isEmpty, known.count < most, chain.allSatisfy({ groups[$0] == nil }) {
            found.append("Some plans need \(most) people, and only \(known.count) can agree.")
        }
        return found
    }

    private static func ways(_ configuration: Configuration) -> String {
        guard let server = configuration.server else {
            return "Nothing listens, so nobody can agree: there is no server:."
        }
        let pages = server.url ?? server.listen.map { "http://\($0)" }
        let places = [pages, server.socket.map { _ in "`holdfast approvals`" }].compactMap { $0 }
        let hooks = configuration.webhooks.count
        let told = hooks == 0 ? "only those who look there" : count(hooks, "webhook")
        return "They answer at \(words(places)); told are \(told)."
    }
}
