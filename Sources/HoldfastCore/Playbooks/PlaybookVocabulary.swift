package import HoldfastJSON

/// What a playbook's loader must know of a rule.
package struct RemediedRule: Sendable {
    /// The types of resource that it judges.
    package var types: [String]
    /// Its parameters with the values that it ships with.
    package var params: [String: JSON]
    package init(types: [String], params: [String: JSON] = [:]) {
        self.types = types
        self.params = params
    }
}

/// What playbooks can name: the catalog's types and calls, the baseline's rules, the configuration's lists.
package struct PlaybookVocabulary: Sendable {
    package var types: [String: ResourceType]
    package var calls: [String: CloudCall]
    package var rules: [String: RemediedRule]
    package var lists: Set<String>

    package init(
        types: [String: ResourceType], calls: [String: CloudCall], rules: [String: RemediedRule],
        lists: Set<String> = ["our-accounts", "our-networks"]
    ) {
        self.types = types
        self.calls = calls
        self.rules = rules
        self.lists = lists
    }

    /// `unknown call "s3.PutPolicy"; aws/s3 has GetBucketPolicy, PutBucketPolicy`
    func unknownCall(_ name: String) -> String {
        let message = "unknown call \"\(name)\""
        guard let dot = name.lastIndex(of: ".") else {
            return "\(message); a call is SERVICE.Operation\(suggestion(for: name, among: calls.keys))"
        }
        let prefix = name[...dot]
        let operation = String(name[name.index(after: dot)...])
        let siblings = calls.values.filter { $0.name.hasPrefix(prefix) }.sorted { $0.name < $1.name }
        guard let service = siblings.first?.service else {
            return message + suggestion(for: name, among: calls.keys)
        }
        let operations = siblings.map { String($0.name.dropFirst(prefix.count)) }
        let noun = PlaybookVocabulary.words(operation).last ?? operation
        var near = operations.filter { PlaybookVocabulary.words($0).contains(noun) }
        if near.isEmpty { near = nearestWord(to: operation, among: operations).map { [$0] } ?? operations }
        let shown = near.prefix(8).joined(separator: ", ")
        return "\(message); \(service) has \(shown)\(near.count > 8 ? " and \(near.count - 8) others" : "")"
    }

    /// `PutBucketPolicy` -> `Put`, `Bucket`, `Policy`.
    private static func words(_ operation: String) -> [String] {
        var words: [String] = []
        for character in operation {
            if character.isUppercase || words.isEmpty { words.append("") }
            words[words.count - 1].append(character)
        }
        return words
    }
}
