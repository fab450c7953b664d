/// A configuration file, read and checked.
package struct Configuration: Sendable {
    package enum Source: Sendable, Hashable {
        case file(paths: [String], follow: Bool)
        case kafka(brokers: String, topics: [String], group: String, options: [String: String])
        case stdin
        /// Without accounts: all of AWS that are known.
        case cloudTrailLookup(accounts: [String], regions: [String], overlap: Span, every: Span)
        case cloudTrailQueue(queue: String, account: String, region: String)
        /// An empty account: whatever the credentials belong to.
        case cloudTrailBucket(
            bucket: String, prefix: String, account: String, region: String, overlap: Span, every: Span)
        /// Without subscriptions: all that are known.
        case azureActivity(subscriptions: [String], overlap: Span, every: Span)
        /// `containers`: `folders/1`, `organizations/1`. With neither: all projects that are known.
        case googleLogging(projects: [String], containers: [String], overlap: Span, every: Span)
    }
    package struct Account: Sendable, Hashable {
        package var cloud: Cloud
        package var id: String
        package var name: String
        /// `nil`: not classified here.
        package var environment: String?
        package var owner: String
        /// `nil`: as this machine's own credentials are.
        package var readRole: String?
        package var writeRole: String?
        package var externalID: String?
        package var tenant: String?
        /// Of AWS; empty: the environment's.
        package var regions: [String]
        /// The line that names it, or that it was found by.
        package var place: SourcePlace
    }
    package struct ClassifyLine: Sendable, Hashable {
        /// A fact of an account (see ``Classification``) -> a pattern with `*`; all must fit.
        package var match: [String: String]
        package var environment: String
        package var owner: String
        package var place: SourcePlace
    }

    /// Where calls go, where that is not the clouds' own hosts. AWS's come from the environment, as its tools have it.
    package struct Endpoints: Sendable, Hashable {
        /// A PEM file; `nil`: the system's.
        package var authorities: String?
        package var azure: String?
        /// By Google's host; under an empty name for all.
        package var google: [String: String] = [:]
    }

    /// Paths in here start from this folder.
    package var folder: String
    package var sqlite = "./holdfast.db"
    package var mode = Mode.dryRun
    /// In rollout order; the last is what the unclassified get.
    package var environments = ["dev", "staging", "production"]
    package var catalog: [String] = []
    package var baseline: [String] = []
    package var playbooks: [String] = []
    package var tune: [String] = []
    package var sources: [Source] = []
    package var recorded: [String] = []
    package var endpoints = Endpoints()
    /// Clouds whose state is read.
    package var clouds: [Cloud] = []
    package var scanEvery = Span(seconds: 86_400)
    package var accounts: [Account] = []
    /// Organisations whose accounts are enrolled as they are found.
    package var discover: [Discovery] = []
    package var discoverEvery = Span(seconds: 3600)
    package var classify: [ClassifyLine] = []
    package var lists: [String: [String]] = [:]
    package var audit = AuditSettings()
    package var knownEvents = 1_000_000
    package var describesAtOnce = 16
    /// `nil`: what each provider allows.
    package var callsPerSecond: Int?
    package var settleTime = Span(seconds: 2)
    package var clockTolerance = Span(seconds: 300)
    package var dirtyAge = Span(seconds: 3600)
    package var trustsLabels = false
    /// `nil`: nothing listens.
    package var server: ServerSettings?
    package var people = People()
    package var remediation = RemediationSettings()
    /// `env:NAME` or `file:PATH`.
    package var captureKey: String?
    package var haltFile = "/etc/holdfast/HALT"
    package var runsAtOnce = 8
    /// `nil`: what the catalog says of each type.
    package var consistencyMargin: Span?
    /// `nil`: what each cloud's events have.
    package var timeResolution: Span?
    package var log = LogSettings()
    package var webhooks: [WebhookSettings] = []
    package var channels: [ChannelSettings] = []
    package var routes: [Route] = []
    /// Names of channels that prompts go by.
    package var promptChannels: [String] = []
    /// Each region of AWS that the file names, where it does.
    var regions: [(name: String, place: SourcePlace)] = []

    /// Defaults alone: no source, the shipped data.
    package init(folder: String) { self.folder = folder }

    /// - Parameter folder: the folder that the file's paths start from.
    /// - Returns: the configuration, and everything that is wrong with the file; with problems it must not be used.
    package static func load(_ node: Node, folder: String) -> (configuration: Configuration, problems: [Problem]) {
        var configuration = Configuration(folder: folder)
        var problems = shape.problems(in: node)
        guard problems.isEmpty else { return (configuration, problems) }
        configuration.readPlain(node)
        configuration.readLimits(node["limits"])
        for source in node["sources"]?.list ?? [] { configuration.read(source: source, &problems) }
        configuration.regions = Self.regions(in: node)
        configuration.readServer(node, &problems)
        for account in node["accounts"]?.list ?? [] { configuration.read(account: account, &problems) }
        var reader = DiscoveryReader()
        configuration.discover = reader.discoveries(node["discover"])
        if let every = reader.every(node["discover"]) { configuration.discoverEvery = every }
        for line in node["classify"]?.list ?? [] {
            if let environment = line["environment"] { configuration.check(environment: environment, &problems) }
            configuration.classify += [reader.classifyLine(line)].compactMap { $0 }
        }
        problems += reader.problems
        var audit = AuditReader()
        configuration.audit = audit.settings(node)
        problems += audit.problems
        configuration.readRemediation(node, &problems)
        configuration.readMessages(node, &problems)
        return (configuration, problems)
    }

    private mutating func readPlain(_ node: Node) {
        if let path = node["store"]?["sqlite"]?.text { sqlite = path }
        if let word = node["mode"]?.text.flatMap(Mode.init) { mode = word }
        if let names = node["environments"]?.texts, !names.isEmpty { environments = names }
        catalog = node["data"]?["catalog"]?.texts ?? []
        baseline = node["data"]?["baseline"]?.texts ?? []
        playbooks = node["data"]?["playbooks"]?.texts ?? []
        tune = node["data"]?["tune"]?.texts ?? []
        recorded = node["state"]?["recorded"]?.texts ?? []
        clouds = (node["state"]?["clouds"]?.texts ?? []).compactMap(Cloud.init)
        if let span = node["state"]?["scan-every"]?.text.flatMap({ Span($0) }) { scanEvery = span }
        endpoints.authorities = node["endpoints"]?["authorities"]?.text
        endpoints.azure = node["endpoints"]?["azure"]?.text
        for entry in node["endpoints"]?["google"]?.entries ?? [] { endpoints.google[entry.key] = entry.value.text }
        trustsLabels = node["trust-labels"]?.text == "true"
        for entry in node["lists"]?.entries ?? [] { lists[entry.key] = entry.value.texts }
    }

    private mutating func readServer(_ node: Node, _ problems: inout [Problem]) {
        var reader = ServerReader()
        people.identities = reader.identities(node["identities"])
        for entry in node["approvals"]?["roles"]?.entries ?? [] { people.roles[entry.key] = entry.value.texts }
        server = reader.server(node["server"], people: people.identities)
        log = reader.log(node["log"])
        webhooks = reader.webhooks(node["approvals"]?["prompts"])
        problems += reader.problems
    }

    private mutating func readMessages(_ node: Node, _ problems: inout [Problem]) {
        var reader = MessageReader(environments: environments)
        channels = reader.channels(node["channels"])
        routes = reader.routes(node["routes"], channels: channels)
        promptChannels = reader.promptChannels(node["approvals"]?["prompts"], channels: channels)
        people.identities = reader.reach(people.identities, node["identities"], channels: channels)
        problems += reader.problems
    }

    private mutating func readRemediation(_ node: Node, _ problems: inout [Problem]) {
        var reader = RemediationReader(environments: environments)
        remediation = reader.settings(node, mode: mode)
        remediation.ownPrincipals = accounts.compactMap(\.writePrincipal)
        reader.checkKeys(node, remediation)
        captureKey = node["keys"]?["captures"]?.text
        if let path = node["halt-file"]?.text { haltFile = path }
        if let text = node["limits"]?["runs-at-once"]?.text, let count = Int(text) { runsAtOnce = count }
        consistencyMargin = node["limits"]?["consistency-margin"]?.text.flatMap { Span($0) }
        timeResolution = node["limits"]?["time-resolution"]?.text.flatMap { Span($0) }
        problems += reader.problems
    }

    private mutating func readLimits(_ node: Node?) {
        func number(_ key: String) -> Int? { node?[key]?.text.flatMap { Int($0) } }
        func span(_ key: String) -> Span? { node?[key]?.text.flatMap { Span($0) } }
        if let value = number("known-events") { knownEvents = value }
        if let value = number("describes-at-once") { describesAtOnce = value }
        callsPerSecond = number("calls-per-second")
        if let value = span("settle-time") { settleTime = value }
        if let value = span("clock-tolerance") { clockTolerance = value }
        if let value = span("dirty-age") { dirtyAge = value }
    }

    private mutating func read(source node: Node, _ problems: inout [Problem]) {
        guard let entries = node.entries, entries.count == 1, let entry = entries.first else {
            let kinds = Configuration.sourceKinds.joined(separator: ", ")
            problems.append(Problem("a source is one of \(kinds); write each as its own list item", at: node.place))
            return
        }
        var polled = PolledSourceReader()
        let source = polled.source(entry)
        problems += polled.problems
        guard source == nil, polled.problems.isEmpty else { return sources += [source].compactMap { $0 } }
        let value = entry.value
        switch entry.key {
        case "file": sources.append(.file(paths: value["paths"]?.texts ?? [], follow: value["follow"]?.text == "true"))
        case "kafka":
            let options = value["options"]?.entries?.map { ($0.key, $0.value.text ?? "") } ?? []
            sources.append(
                .kafka(
                    brokers: value["brokers"]?.text ?? "", topics: value["topics"]?.texts ?? [],
                    group: value["group"]?.text ?? "holdfast",
                    options: Dictionary(options, uniquingKeysWith: { $1 })))
        default: sources.append(.stdin)
        }
    }

    private mutating func read(account node: Node, _ problems: inout [Problem]) {
        let ids = Cloud.allCases.compactMap { cloud in node[cloud.rawValue].map { (cloud, $0) } }
        guard ids.count == 1, let (cloud, id) = ids.first, let text = id.text else {
            problems.append(Problem("an account has one of aws, azure, gcp: its id", at: node.place))
            return
        }
        if cloud == .aws, !PolledSourceReader.isAWSAccount(text) {
            problems.append(
                Problem(
                    "\"\(text)\" is not an AWS account id: 12 digits, in quotes where it starts with 0", at: id.place))
        }
        if let environment = node["environment"] { check(environment: environment, &problems) }
        problems += (node["regions"]?.list ?? []).compactMap(PolledSourceReader.problem)
        accounts.append(
            Account(
                cloud: cloud, id: cloud == .azure ? text.lowercased() : text, name: node["name"]?.text ?? "",
                environment: node["environment"]?.text, owner: node["owner"]?.text ?? "",
                readRole: node["read-role"]?.text, writeRole: node["write-role"]?.text,
                externalID: node["external-id"]?.text, tenant: node["tenant"]?.text,
                regions: node["regions"]?.texts ?? [], place: node.place))
    }

    private func check(environment node: Node, _ problems: inout [Problem]) {
        guard let text = node.text, !environments.contains(text) else { return }
        problems.append(
            Problem("unknown environment \"\(text)\"\(suggestion(for: text, among: environments))", at: node.place))
    }
}

extension Configuration.Account {
    /// By which name the account's log knows the role that writes; `nil` without such a role.
    var writePrincipal: String? {
        guard let writeRole else { return nil }
        guard cloud == .aws else { return writeRole }
        // A role that is taken on shows up as a session of it: the path of the role is left out there.
        let parts = writeRole.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, let name = parts[5].split(separator: "/").last else { return writeRole }
        return "arn:\(parts[1]):sts::\(parts[4]):assumed-role/\(name)/*"
    }
}
