/// Whether an operation only reads, told from its name. Where a name leaves doubt it is a write: a read that is kept
/// costs a look, a write that is dropped is a change that nobody sees.
enum ReadVerbs {
    private static let words = ["Get", "List", "Describe", "Head", "Lookup", "Search", "Query", "Scan", "Simulate"]

    /// `DescribeInstances`, `BatchGetItem`; not `GetawayCreate` or `Listen`.
    static func match(cloudTrail name: String) -> Bool {
        let verb = name.hasPrefix("Batch") ? name.dropFirst(5) : Substring(name)
        return words.contains { startsWord($0, verb) }
    }

    /// `google.iam.admin.v1.GetRole`, `v1.compute.instances.aggregatedList`, `storage.objects.get`.
    static func match(google method: String) -> Bool {
        guard let last = method.split(whereSeparator: { $0 == "." || $0 == "/" }).last else { return false }
        let name = last.prefix(1).uppercased() + last.dropFirst()
        return match(cloudTrail: name) || startsWord("AggregatedList", Substring(name))
            || startsWord("TestIam", Substring(name)) || startsWord("Fetch", Substring(name))
    }

    /// The last words of an operation in lower case: `…/read`, `…/listkeys/action`.
    static func match(azure action: String) -> Bool {
        let parts = action.split(separator: "/")
        guard let last = parts.last else { return false }
        if last == "read" { return true }
        guard last == "action", let verb = parts.dropLast().last else { return false }
        return verb.hasPrefix("list") || verb.hasPrefix("get") || verb.hasPrefix("checkname")
            || ["read", "validate", "whatif", "exporttemplate"].contains(verb)
    }

    /// The word stands at the start, and what follows it is not its continuation.
    private static func startsWord(_ word: String, _ name: Substring) -> Bool {
        name.hasPrefix(word) && name.dropFirst(word.count).first?.isLowercase != true
    }
}
