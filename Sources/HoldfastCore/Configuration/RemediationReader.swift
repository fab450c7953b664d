internal import HoldfastJSON

/// Reads what guards decide by, and says what is wrong with it.
struct RemediationReader {
    private(set) var problems: [Problem] = []
    private let environments: [String]

    init(environments: [String]) { self.environments = environments }

    mutating func settings(_ node: Node, mode: Mode) -> RemediationSettings {
        var settings = RemediationSettings()
        settings.mode = mode
        settings.environments = environments
        settings.scopes = (node["scopes"]?.list ?? []).map { scope($0) }
        settings.approvals = approvals(node["approvals"])
        settings.budgets = budgets(node["budgets"])
        if let text = node["rollout"]?["runs"]?.text, let runs = Int(text) { settings.rollout.runs = runs }
        if let soak = span(node["rollout"]?["soak"]) { settings.rollout.soak = soak }
        settings.drills = drills(node["drills"])
        settings.freezes = (node["freeze"]?.list ?? []).compactMap { freeze($0) }
        settings.pipelines = node["pipelines"]?.texts ?? []
        for pattern in node["pipelines"]?.list ?? [] where pattern.text?.allSatisfy({ $0 == "*" }) == true {
            problems.append(Problem("\"*\" is everybody; write which principals are pipelines", at: pattern.place))
        }
        settings.flapping = repetition(node["flapping"]) ?? settings.flapping
        settings.breaker = repetition(node["breaker"]) ?? settings.breaker
        if let span = span(node["limits"]?["permit-expiry"]) { settings.permitExpiry = span }
        if let span = span(node["limits"]?["verify-within"]) { settings.verifyWithin = span }
        if let span = span(node["limits"]?["hold"]) { settings.holdAfterUndo = span }
        return settings
    }

    private func span(_ node: Node?) -> Span? { node?.text.flatMap { Span($0) } }

    private mutating func check(environment node: Node) {
        guard let text = node.text, !environments.contains(text) else { return }
        problems.append(
            Problem("unknown environment \"\(text)\"\(suggestion(for: text, among: environments))", at: node.place))
    }

    private mutating func drills(_ node: Node?) -> DrillRules {
        var rules = DrillRules()
        if let span = span(node?["late-after"]) { rules.lateAfter = span }
        if let span = span(node?["give-up-after"]) { rules.giveUpAfter = span }
        for item in node?["nightly"]?.list ?? [] {
            let parts = (item["at"]?.text ?? "02:00").split(separator: ":", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { $0.count == 2 ? Int($0) : nil }
            guard parts.count == 2, numbers.count == 2, (0..<24).contains(numbers[0]), (0..<60).contains(numbers[1])
            else {
                let text = item["at"]?.text ?? ""
                problems.append(Problem("\"\(text)\" is no time of day: HH:MM", at: (item["at"] ?? item).place))
                continue
            }
            rules.nightly.append(
                .init(
                    playbook: item["playbook"]?.text ?? "", resource: item["resource"]?.text ?? "",
                    at: Span(seconds: numbers[0] * 3600 + numbers[1] * 60)))
        }
        return rules
    }

    private mutating func scope(_ node: Node) -> RemediationSettings.ScopeMode {
        for environment in node["match"]?["environment"]?.oneOrMany ?? [] { check(environment: environment) }
        let match = node["match"]?.json.canonicalText ?? "{}"
        return RemediationSettings.ScopeMode(
            name: match, scope: Scope(node["match"]), mode: node["mode"]?.text.flatMap(Mode.init) ?? .observe)
    }

    private mutating func approvals(_ node: Node?) -> ApprovalRules {
        var rules = ApprovalRules()
        if let chain = node?["chain"]?.texts, !chain.isEmpty { rules.chain = chain }
        if let span = span(node?["answer-within"]) { rules.answerWithin = span }
        if let span = span(node?["expires"]) { rules.expiry = span }
        for entry in node?["table"]?.entries ?? [] {
            guard let risk = PlaybookRisk(rawValue: entry.key) else { continue }
            for row in entry.value.entries ?? [] {
                if !environments.contains(row.key) {
                    let near = suggestion(for: row.key, among: environments)
                    problems.append(Problem("unknown environment \"\(row.key)\"\(near)", at: row.keyPlace))
                }
                rules.table[risk, default: [:]][row.key] = row.value.text.flatMap { Int($0) } ?? 1
            }
        }
        return rules
    }

    private mutating func budgets(_ node: Node?) -> BudgetLimits {
        var limits = BudgetLimits()
        limits.overall = rate(node?["overall"]) ?? limits.overall
        limits.account = rate(node?["account"]) ?? limits.account
        limits.playbook = rate(node?["playbook"]) ?? limits.playbook
        if let type = node?["type"], let text = type.text {
            let digits = text.prefix { $0.isNumber }
            let rest = text.dropFirst(digits.count).filter { $0 != " " }
            if let percent = Int(digits), (1...100).contains(percent), rest == "%" {
                limits.typePercent = percent
            } else {
                problems.append(Problem("\"\(text)\" is no share: P %, from 1 % to 100 %", at: type.place))
            }
        }
        return limits
    }

    /// `100 per hour`.
    private mutating func rate(_ node: Node?) -> BudgetLimits.Rate? {
        guard let node, let text = node.text else { return nil }
        let words = text.split(separator: " ").map(String.init)
        let units = ["minute": 60, "hour": 3600, "day": 86_400]
        guard words.count == 3, words[1] == "per", let count = Int(words[0]), count >= 0, let unit = units[words[2]]
        else {
            problems.append(
                Problem("\"\(text)\" is no budget: N per minute, N per hour or N per day", at: node.place))
            return nil
        }
        return BudgetLimits.Rate(count: count, window: Span(seconds: unit))
    }

    private mutating func freeze(_ node: Node) -> Freeze? {
        for environment in node["environments"]?.oneOrMany ?? [] { check(environment: environment) }
        guard let from = node["from"]?.text.flatMap({ Timestamp($0) }),
            let to = node["to"]?.text.flatMap({ Timestamp($0) }), from < to
        else {
            problems.append(
                Problem("a freeze goes from one moment to a later one, such as 2026-12-20T00:00:00Z", at: node.place))
            return nil
        }
        return Freeze(
            from: from, to: to, environments: node["environments"]?.texts ?? [], reason: node["reason"]?.text ?? "")
    }

    private func repetition(_ node: Node?) -> RemediationSettings.Repetition? {
        guard let count = node?["count"]?.text.flatMap({ Int($0) }), let window = span(node?["within"]) else {
            return nil
        }
        return RemediationSettings.Repetition(count: count, window: window)
    }

    /// Where something may write, what an undo needs must be kept under a key.
    mutating func checkKeys(_ node: Node, _ settings: RemediationSettings) {
        for value in ["captures", "audit"].compactMap({ node["keys"]?[$0] }) {
            guard let text = value.text, !text.hasPrefix("env:"), !text.hasPrefix("file:") else { continue }
            problems.append(
                Problem("a key does not stand in a configuration file: write env:NAME or file:PATH", at: value.place))
        }
        if settings.highest == .remediate, node["keys"]?["captures"] == nil {
            problems.append(
                Problem(
                    "mode remediate needs keys: captures: (env:NAME or file:PATH): it encrypts what an undo puts back",
                    at: node["keys"]?.place ?? node["scopes"]?.place ?? node["mode"]?.place ?? node.place))
        }
    }
}
