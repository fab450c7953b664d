package import HoldfastCore

/// What of a window somebody wants to see. Everything is replayed all the same: a row is left out, never an effect.
package struct ReplayFilter: Sendable, Hashable {
    /// Account, subscription or project ids.
    package var accounts: [String] = []
    /// A resource by its canonical id, or by the end of it; its neighbours along relations are shown with it.
    package var resource: String?
    /// Who did it: a name, or the end of one, of the actor or of anybody in the chain that leads to them.
    package var actor: String?
    /// A source address, or the beginning of one that ends in a dot or colon.
    package var sourceIP: String?
    /// A rule, or a folder of rules that ends in a slash.
    package var rule: String?
    /// Findings of this severity or worse.
    package var severity: Severity?
    /// Only what made something more reachable.
    package var openedOnly = false

    package init() {}

    /// Whether what somebody did decides on what is shown, and not only where it was or which rule it broke.
    var isAboutSomeRows: Bool { resource != nil || actor != nil || sourceIP != nil || openedOnly }

    func admits(account: String) -> Bool {
        accounts.isEmpty || accounts.contains { $0.lowercased() == account.lowercased() }
    }

    func admits(sourceIP address: String) -> Bool {
        guard let sourceIP else { return true }
        let isBeginning = sourceIP.hasSuffix(".") || sourceIP.hasSuffix(":")
        return isBeginning ? address.hasPrefix(sourceIP) : address == sourceIP
    }

    func admits(actors: [String]) -> Bool {
        guard let actor else { return true }
        return actors.contains { ReplayFilter.names(actor, $0) }
    }

    func admits(findings: [(rule: String, severity: Severity)]) -> Bool {
        guard rule != nil || severity != nil else { return true }
        return findings.contains { finding in
            let isRule = rule.map { $0.hasSuffix("/") ? finding.rule.hasPrefix($0) : finding.rule == $0 } ?? true
            return isRule && (severity.map { finding.severity >= $0 } ?? true)
        }
    }

    /// Whether a text is a name, or its last part: `alice` of `arn:aws:iam::111122223333:user/alice`.
    static func names(_ wanted: String, _ name: String) -> Bool {
        let (wanted, name) = (wanted.lowercased(), name.lowercased())
        guard name.hasSuffix(wanted), !wanted.isEmpty else { return false }
        let before = name.dropLast(wanted.count).last
        return before == nil || before == "/" || before == ":"
    }
}
