/// Reads `channels:` and `routes:`, and says what is wrong with them.
struct MessageReader {
    private(set) var problems: [Problem] = []
    let environments: [String]

    private mutating func report(_ message: String, _ node: Node?) {
        if let node { problems.append(Problem(message, at: node.place)) }
    }

    // MARK: Channels

    mutating func channels(_ node: Node?) -> [ChannelSettings] {
        var found: [ChannelSettings] = []
        for entry in node?.entries ?? [] {
            let kinds = ["slack", "email", "pagerduty", "webhook", "command"].filter { entry.value[$0] != nil }
            guard kinds.count == 1, let kind = kind(entry.value) else {
                report("\(entry.key) is one of slack, email, pagerduty, webhook and command", entry.value)
                continue
            }
            if found.contains(where: { $0.name == entry.key }) { report("\(entry.key) is here twice", entry.value) }
            var pace = ChannelPace()
            if let text = entry.value["per-hour"]?.text, let count = Int(text) { pace.perHour = count }
            if let span = entry.value["gather"]?.text.flatMap({ Span($0) }) { pace.gather = span }
            if let span = entry.value["digest-every"]?.text.flatMap({ Span($0) }) { pace.digestEvery = span }
            found.append(ChannelSettings(name: entry.key, kind: kind, pace: pace))
        }
        let secrets = found.compactMap { channel -> String? in
            if case .slack(let slack) = channel.kind { slack.signingSecret } else { nil }
        }
        if Set(secrets).count > 1 { report("Slack's requests are taken of one app: signing-secret is one", node) }
        return found
    }

    private mutating func kind(_ node: Node) -> ChannelSettings.Kind? {
        func text(_ node: Node?, _ key: String) -> String { node?[key]?.text ?? "" }
        if let slack = node["slack"] {
            checkSecrets(slack, ["token", "signing-secret"])
            return .slack(
                .init(
                    url: url(slack["url"]) ?? "https://slack.com/api", token: text(slack, "token"),
                    signingSecret: slack["signing-secret"]?.text, conversation: text(slack, "conversation")))
        }
        if let mail = node["email"] { return self.mail(mail) }
        if let duty = node["pagerduty"] {
            checkSecrets(duty, ["key"])
            let url = url(duty["url"]) ?? "https://events.pagerduty.com/v2/enqueue"
            return .pagerDuty(url: url, key: text(duty, "key"))
        }
        if let hook = node["webhook"] {
            checkSecrets(hook, ["secret"])
            return .webhook(WebhookSettings(url: url(hook["url"]) ?? "", secret: text(hook, "secret")))
        }
        guard let words = node["command"]?.texts, !words.isEmpty else { return nil }
        if !words[0].hasPrefix("/") {
            report("command: \"\(words[0])\" is no whole path; nobody's PATH is searched", node["command"])
        }
        return .command(words)
    }

    private mutating func mail(_ node: Node) -> ChannelSettings.Kind {
        checkSecrets(node, ["password"])
        let server = node["server"]?.text ?? ""
        if !server.hasPrefix("smtp://"), !server.hasPrefix("smtps://") {
            report("server: \"\(server)\" is neither smtp://HOST:PORT nor smtps://HOST:PORT", node["server"])
        }
        let addresses = (node["to"]?.oneOrMany ?? []) + [node["from"]].compactMap { $0 }
        for address in addresses where !MessageReader.isAddress(address.text ?? "") {
            report("\"\(address.text ?? "")\" is no address: NAME@HOST", address)
        }
        if (node["user"] == nil) != (node["password"] == nil) { report("user and password go together", node) }
        return .mail(
            .init(
                url: server, from: node["from"]?.text ?? "", to: node["to"]?.texts ?? [], user: node["user"]?.text,
                password: node["password"]?.text))
    }

    /// Without what would end a header or an SMTP command.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value < 0x7F && !"<>,;:\"()[]\\".contains("\($0)")
            }
    }

    private mutating func checkSecrets(_ node: Node, _ keys: [String]) {
        for key in keys {
            guard let secret = node[key], let text = secret.text, !text.hasPrefix("env:"), !text.hasPrefix("file:")
            else { continue }
            report("a secret does not stand in a configuration file: write env:NAME or file:PATH", secret)
        }
    }

    private mutating func url(_ node: Node?) -> String? {
        guard let node, let text = node.text else { return nil }
        if !["https://", "http://127.0.0.1", "http://localhost"].contains(where: text.hasPrefix) {
            report("\"\(text)\" has no TLS; what is told would go over the network for all to read", node)
        }
        return text
    }

    // MARK: Routes

    mutating func routes(_ node: Node?, channels: [ChannelSettings]) -> [Route] {
        let names = channels.map(\.name)
        return (node?.list ?? []).map { item in
            let when = item["when"]?.text.flatMap(Route.When.init) ?? .now
            if item["to"] == nil, when != .never { report("a route says where to: name a channel", item) }
            for channel in item["to"]?.oneOrMany ?? [] where !names.contains(channel.text ?? "") {
                let text = channel.text ?? ""
                report("unknown channel \"\(text)\"\(suggestion(for: text, among: names))", channel)
            }
            return Route(match: match(item["match"]), channels: item["to"]?.texts ?? [], when: when)
        }
    }

    private mutating func match(_ node: Node?) -> Route.Match {
        var match = Route.Match()
        for environment in node?["environment"]?.oneOrMany ?? [] where !environments.contains(environment.text ?? "") {
            let text = environment.text ?? ""
            report("unknown environment \"\(text)\"\(suggestion(for: text, among: environments))", environment)
        }
        match.severities = (node?["severity"]?.texts ?? []).compactMap(Severity.init)
        match.environments = node?["environment"]?.texts ?? []
        match.owners = node?["owner"]?.texts ?? []
        match.origins = (node?["origin"]?.texts ?? []).compactMap(Finding.Origin.init)
        match.rules = node?["rule"]?.texts ?? []
        match.notices = node?["notice"]?.texts ?? []
        if !match.notices.isEmpty, (node?.entries ?? []).count > 1 {
            report("a route is for notices or for findings: notice: stands alone in its match", node)
        }
        return match
    }

    /// Prompts that go by a channel: `approvals: prompts: [{channel: NAME}]`.
    mutating func promptChannels(_ node: Node?, channels: [ChannelSettings]) -> [String] {
        let names = channels.map(\.name)
        return (node?.list ?? []).compactMap { item in
            guard let channel = item["channel"], let name = channel.text else { return nil }
            if !names.contains(name) {
                report("unknown channel \"\(name)\"\(suggestion(for: name, among: names))", channel)
            }
            return name
        }
    }

    // MARK: People

    /// Fills in how each person is told what is for them.
    mutating func reach(_ people: [Identity], _ node: Node?, channels: [ChannelSettings]) -> [Identity] {
        for address in (node?.list ?? []).flatMap({ $0["email"]?.oneOrMany ?? [] })
        where !MessageReader.isAddress(address.text ?? "") {
            report("\"\(address.text ?? "")\" is no address: NAME@HOST", address)
        }
        return people.map { person in
            let item = node?.list?.first { $0["person"]?.text == person.person }
            guard let place = item?["reached-by"], let name = place.text else { return person }
            guard let channel = channels.first(where: { $0.name == name }) else {
                report("unknown channel \"\(name)\"\(suggestion(for: name, among: channels.map(\.name)))", place)
                return person
            }
            var person = person
            switch channel.kind {
            case .slack: person.reach = reach(person.slack, by: channel, "slack", place)
            case .mail: person.reach = reach(person.email, by: channel, "email", place)
            case .webhook, .command: person.reach = Reach(channel: name, address: person.person)
            case .pagerDuty: report("\(name) reaches whoever is on call, not a person", place)
            }
            return person
        }
    }

    private mutating func reach(
        _ addresses: [String], by channel: ChannelSettings, _ key: String, _ place: Node
    ) -> Reach? {
        guard let address = addresses.first else {
            report("\(channel.name) reaches a person by \(key):, which is not there", place)
            return nil
        }
        return Reach(channel: channel.name, address: address)
    }
}
