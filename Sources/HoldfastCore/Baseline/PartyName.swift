/// Somebody who is granted something, as policies name them, taken apart so that lists of accounts, projects and
/// domains can be held against it: `arn:aws:iam::111122223333:role/a`, `user:a@example.org`, `allUsers`.
struct PartyName: Sendable, Hashable {
    /// Lower case: the whole name, and the account, project or domain that it belongs to.
    let names: [String]
    let isEveryone: Bool
    /// A cloud's own service, which has no account.
    let isService: Bool

    init(_ text: String) {
        let whole = text.lowercased()
        isEveryone = ["*", "authenticated", "allusers", "allauthenticatedusers"].contains(whole)
        isService = !whole.contains(":") && !whole.contains("/") && PartyName.isAWSService(whole)
        var names = [whole]
        let parts = whole.split(separator: ":", omittingEmptySubsequences: false)
        if parts.first == "arn", parts.count > 4 {
            names.append(String(parts[4]))
        } else if parts.count == 2 {
            // Google's members: kind:address, where the address ends in a domain or a project's service domain.
            names.append(String(parts[1]))
            if let at = parts[1].lastIndex(of: "@") {
                let domain = parts[1][parts[1].index(after: at)...]
                names.append(String(domain))
                let suffix = ".iam.gserviceaccount.com"
                if domain.hasSuffix(suffix) { names.append(String(domain.dropLast(suffix.count))) }
            }
        } else if let at = whole.lastIndex(of: "@") {
            names.append(String(whole[whole.index(after: at)...]))
        }
        self.names = names.filter { !$0.isEmpty }
    }

    private static func isAWSService(_ name: String) -> Bool {
        name.hasSuffix(".amazonaws.com") || name.hasSuffix(".amazonaws.com.cn")
    }
}
