internal import HoldfastJSON

/// Whom a statement of a policy is about.
enum PolicyParties: Sendable, Hashable {
    /// The identity that the policy is attached to.
    case holder
    case listed([String])
    case allBut([String])
}

/// One statement of an AWS policy document.
struct PolicyStatement: Sendable {
    var source: FacetSource
    var allows: Reading<Bool>
    var parties: Reading<PolicyParties>
    /// Lower case: AWS does not distinguish.
    var actions: Reading<PolicyPatterns>
    /// The actions as they are written.
    var shownActions: [String]
    /// `nil` where the document names none, as a role's trust policy does.
    var resources: Reading<PolicyPatterns?>
    var conditions: Reading<[PolicyCondition]>

    /// The statements of a document, which may be text; and why there may be others.
    static func all(in document: StateValue, at path: PropertyPath) -> (statements: [PolicyStatement], open: String?) {
        var document = document
        if case .scalar(let json) = document {
            guard let text = json.string, let parsed = PolicyStatement.parse(text) else {
                return ([], "\(path) is no policy document")
            }
            document = StateValue(known: parsed)
        }
        let list = document[member: "Statement"].elements(at: path.appending(.name("Statement")))
        let statements = list.elements.enumerated().map { index, element in
            PolicyStatement(element.value, element.source, index)
        }
        return (statements, list.open)
    }

    /// JSON, or JSON with percent-encoding as IAM gives it; empty text is a document without statements.
    private static func parse(_ text: String) -> JSON? {
        if text.isEmpty { return [:] }
        let text = text.hasPrefix("%7B") || text.hasPrefix("%7b") ? percentDecoded(text) : text
        guard let text, let json = try? JSON.parse(text), json.object != nil else { return nil }
        return json
    }

    private static func percentDecoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private init(_ value: StateValue, _ source: FacetSource, _ index: Int) {
        self.source = source
        if self.source.key == nil {
            if case .known(let sid?) = value[member: "Sid"].text("Sid"), !sid.isEmpty {
                self.source.key = sid
            } else {
                self.source.key = "#\(index)"
            }
        }
        let path = "\(source.path)"
        allows = value[member: "Effect"].text("\(path).Effect").map { text in
            switch text?.lowercased() {
            case "allow": .known(true)
            case "deny": .known(false)
            default: .unknown("\(path).Effect is neither Allow nor Deny")
            }
        }
        parties = PolicyStatement.parties(value, path)
        let written = PolicyStatement.patterns(value, "Action", path)
        shownActions = written.value??.shown ?? []
        actions = written.map { patterns in
            guard var patterns else { return .unknown("\(path) names no action") }
            patterns.texts = patterns.texts.map { $0.lowercased() }
            return .known(patterns)
        }
        resources = PolicyStatement.patterns(value, "Resource", path)
        conditions = PolicyCondition.all(in: value[member: "Condition"], path)
    }

    private static func patterns(_ value: StateValue, _ name: String, _ path: String) -> Reading<PolicyPatterns?> {
        value[member: name].texts("\(path).\(name)").map { texts in
            if !texts.isEmpty { return .known(PolicyPatterns(texts: texts, isNegated: false)) }
            return value[member: "Not\(name)"].texts("\(path).Not\(name)").map { texts in
                .known(texts.isEmpty ? nil : PolicyPatterns(texts: texts, isNegated: true))
            }
        }
    }

    private static func parties(_ value: StateValue, _ path: String) -> Reading<PolicyParties> {
        names(value[member: "Principal"], "\(path).Principal").map { listed in
            if let listed { return .known(.listed(listed)) }
            return names(value[member: "NotPrincipal"], "\(path).NotPrincipal").map { except in
                .known(except.map(PolicyParties.allBut) ?? .holder)
            }
        }
    }

    /// `"*"` or `{AWS: …, Service: …, Federated: …, CanonicalUser: …}`, each one or many; `nil` where it is absent.
    private static func names(_ value: StateValue, _ what: String) -> Reading<[String]?> {
        switch value {
        case .unknown(let reason): return .unknown(reason)
        case .absent: return .known(nil)
        case .scalar, .list: return value.texts(what).map { .known($0.map(normalized)) }
        case .map(let map):
            if let reason = map.openBecause { return .unknown(reason) }
            var all: [String] = []
            for member in map.members {
                switch member.value.texts("\(what).\(member.name)") {
                case .unknown(let reason): return .unknown(reason)
                case .known(let texts): all += texts.map(normalized)
                }
            }
            return .known(all)
        }
    }

    /// An account's root is the account: both let the account decide. Everything else stays as it is written.
    static func normalized(_ principal: String) -> String {
        let parts = principal.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "iam", parts[5] == "root" else { return principal }
        return String(parts[4])
    }

    /// The account that a principal belongs to, of an ARN or an account's id.
    static func account(of principal: String) -> String? {
        let parts = principal.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        let account = parts.count == 6 && parts[0] == "arn" ? String(parts[4]) : principal
        return isAccount(account) ? account : nil
    }

    static func isAccount(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
