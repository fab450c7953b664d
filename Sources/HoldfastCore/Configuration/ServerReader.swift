/// Reads `server:`, `identities:`, `log:` and the prompts, and says what is wrong with them.
struct ServerReader {
    private(set) var problems: [Problem] = []

    private mutating func report(_ message: String, _ node: Node?) {
        if let node { problems.append(Problem(message, at: node.place)) }
    }

    // MARK: People

    mutating func identities(_ node: Node?) -> [Identity] {
        var found: [Identity] = []
        for item in node?.list ?? [] {
            let person = item["person"]?.text ?? ""
            if !ServerReader.isName(person) {
                report("\"\(person)\" is no person's name: first.last, in small letters", item["person"])
            }
            if found.contains(where: { $0.person == person }) { report("\(person) is here twice", item["person"]) }
            func texts(_ key: String) -> [String] { item[key]?.texts ?? [] }
            var identity = Identity(
                person: person, actors: texts("aws") + texts("azure") + texts("gcp"), oidc: texts("oidc"),
                slack: texts("slack"), local: texts("local"))
            identity.email = texts("email")
            identity.owns = texts("owns")
            found.append(identity)
        }
        checkUnique("oidc", found, \.oidc, node)
        checkUnique("slack", found, \.slack, node)
        checkUnique("local", found, \.local, node)
        for item in node?.list ?? [] {
            for key in ["aws", "azure", "gcp"] {
                for name in item[key]?.oneOrMany ?? [] where name.text?.allSatisfy({ $0 == "*" }) == true {
                    report("\(key): \"\(name.text ?? "")\" is everybody; write whom it is", name)
                }
            }
        }
        return found
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private mutating func checkUnique(
        _ key: String, _ people: [Identity], _ names: KeyPath<Identity, [String]>, _ node: Node?
    ) {
        var owners: [String: String] = [:]
        for (index, identity) in people.enumerated() {
            for name in identity[keyPath: names] {
                if let other = owners[name], other != identity.person {
                    report("\(key): \(name) is \(other) already; one name is one person", node?.list?[index])
                }
                owners[name] = identity.person
            }
        }
    }

    // MARK: The server

    mutating func server(_ node: Node?, people: [Identity]) -> ServerSettings? {
        guard let node else { return nil }
        var settings = ServerSettings()
        if let text = node["listen"]?.text {
            settings.listen = text == "none" ? nil : ListenAddress(text)
            if text != "none", settings.listen == nil {
                report("\"\(text)\" is no address: ADDRESS:PORT, such as 127.0.0.1:8484 or [::1]:8484", node["listen"])
            }
        }
        if let path = node["socket"]?.text { settings.socket = path == "none" ? nil : path }
        if node["socket-access"]?.text == "group" { settings.socketMode = 0o660 }
        settings.isBehindTLS = node["behind-tls"]?.text == "true"
        settings.hosts = node["hosts"]?.texts.map { $0.lowercased() } ?? []
        settings.url = url(node["url"])
        settings.provider = provider(node["oidc"])
        settings.tokens = (node["tokens"]?.list ?? []).compactMap { token($0, people: people) }
        if let span = node["session"]?["idle"]?.text.flatMap({ Span($0) }) { settings.sessionIdle = span }
        if let span = node["session"]?["length"]?.text.flatMap({ Span($0) }) { settings.sessionLength = span }
        if settings.sessionLength.nanoseconds > Span(seconds: 7 * 86_400).nanoseconds {
            report("session: length: nobody stays signed in for more than 7d", node["session"]?["length"])
        }
        checkReach(settings, node)
        return settings
    }

    /// What other machines reach has TLS in front of it and knows whom it speaks with.
    private mutating func checkReach(_ settings: ServerSettings, _ node: Node) {
        let place = node["listen"] ?? node
        if settings.listen == nil, settings.socket == nil { report("server: listens nowhere", node) }
        if let url = settings.url, url.hasPrefix("https://"), !settings.isBehindTLS {
            report(
                "url: \(url) has TLS, which Holdfast does not end; put what ends it in front and say behind-tls: true",
                node["url"])
        }
        guard let listen = settings.listen, !listen.isLoopback || settings.isBehindTLS else { return }
        if !settings.isBehindTLS {
            report(
                "listen: other machines reach \(listen), and what they send would go without TLS; put what ends TLS "
                    + "in front of it and say behind-tls: true, or listen on \(ListenAddress.usual)", place)
        }
        if settings.provider == nil, settings.tokens.isEmpty {
            report(
                "listen: other machines reach \(listen), and nobody could sign in; add oidc: or tokens:", place)
        }
        if settings.isBehindTLS, settings.url == nil {
            report("behind-tls: say under url: how browsers reach it", node["behind-tls"] ?? node)
        }
    }

    private mutating func url(_ node: Node?) -> String? {
        guard let node, var text = node.text else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        let host = text.split(separator: "/", omittingEmptySubsequences: false)
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), host.count == 3, !host[2].isEmpty,
            !host[2].contains("@")
        else {
            report("\"\(text)\" is not how browsers reach a server: https://HOST or https://HOST:PORT", node)
            return nil
        }
        return text
    }

    private mutating func provider(_ node: Node?) -> ServerSettings.Provider? {
        guard let node, let issuer = node["issuer"]?.text, let client = node["client-id"]?.text else { return nil }
        let isLocal = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { issuer.hasPrefix($0) }
        if !issuer.hasPrefix("https://"), !isLocal {
            report("issuer: \"\(issuer)\" has no TLS; tokens that it signs could be anybody's", node["issuer"])
        }
        let secret = node["client-secret"]
        checkSecret(secret)
        if node["roles"] != nil, node["roles-claim"] == nil {
            report("roles: say under roles-claim: which claim lists the groups", node["roles"])
        }
        let roles = (node["roles"]?.entries ?? []).map { ($0.key, $0.value.texts) }
        return ServerSettings.Provider(
            issuer: issuer, clientID: client, clientSecret: secret?.text, audience: node["audience"]?.text ?? client,
            rolesClaim: node["roles-claim"]?.text, roles: Dictionary(roles, uniquingKeysWith: +),
            scopes: node["scopes"]?.texts ?? ["profile"])
    }

    private mutating func checkSecret(_ node: Node?) {
        guard let text = node?.text, !text.hasPrefix("env:"), !text.hasPrefix("file:") else { return }
        report("a secret does not stand in a configuration file: write env:NAME or file:PATH", node)
    }

    private mutating func token(_ node: Node, people: [Identity]) -> ServerSettings.Token? {
        let digest = node["sha256"]?.text?.lowercased() ?? ""
        if digest.utf8.count != 64 || !digest.allSatisfy(\.isHexDigit) {
            report("sha256: must be 64 hexadecimal digits; `holdfast token` prints them", node["sha256"])
        }
        let person = node["person"]?.text ?? ""
        if !people.contains(where: { $0.person == person }) {
            report(
                "unknown person \"\(person)\"\(suggestion(for: person, among: people.map(\.person)))", node["person"])
        }
        let text = node["expires"]?.text ?? ""
        guard let expires = Timestamp(text) else {
            report("\"\(text)\" is no moment, such as 2026-12-31T00:00:00Z", node["expires"])
            return nil
        }
        return ServerSettings.Token(
            name: node["name"]?.text ?? "", sha256: digest, person: person, roles: node["roles"]?.texts ?? [],
            expires: expires)
    }

    // MARK: Logs and prompts

    func log(_ node: Node?) -> LogSettings {
        var settings = LogSettings()
        if let format = node?["format"]?.text.flatMap(LogSettings.Format.init) { settings.format = format }
        if let level = node?["level"]?.text.flatMap(LogSettings.Level.init) { settings.level = level }
        return settings
    }

    mutating func webhooks(_ node: Node?) -> [WebhookSettings] {
        var found: [WebhookSettings] = []
        for item in node?.list ?? [] {
            if item["channel"] != nil, item["webhook"] == nil { continue }
            guard item["channel"] == nil, let hook = item["webhook"], let url = hook["url"]?.text,
                let secret = hook["secret"]?.text
            else {
                report("a prompt is a webhook: {url, secret}, or a channel: its name", item)
                continue
            }
            if !url.hasPrefix("https://"), !url.hasPrefix("http://127.0.0.1"), !url.hasPrefix("http://localhost") {
                report("\"\(url)\" has no TLS; plans would go over the network for all to read", hook["url"])
            }
            checkSecret(hook["secret"])
            found.append(WebhookSettings(url: url, secret: secret))
        }
        return found
    }
}
