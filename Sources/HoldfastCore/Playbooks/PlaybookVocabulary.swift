/// What playbooks can name: the catalog's types and calls, the baseline's rules, the configuration's lists.
package struct PlaybookVocabulary: Sendable {
    package var catalog: Catalog
    package var baseline: Baseline
    package var lists: Set<String>

    /// - Parameter lists: names of the configuration's lists, beside those that every configuration has.
    package init(catalog: Catalog, baseline: Baseline, lists: Set<String> = []) {
        self.catalog = catalog
        self.baseline = baseline
        self.lists = lists.union(Baseline.configurationLists)
    }

    /// `unknown call "s3.PutPolicy"; aws/s3 has GetBucketPolicy, PutBucketPolicy`
    func unknownCall(_ name: String) -> String {
        let message = "unknown call \"\(name)\""
        guard let dot = name.lastIndex(of: ".") else {
            return "\(message); a call is SERVICE.Operation\(suggestion(for: name, among: catalog.callNames))"
        }
        let prefix = name[...dot]
        let operation = String(name[name.index(after: dot)...])
        let siblings = catalog.callNames.filter { $0.hasPrefix(prefix) }
        guard let service = siblings.first.flatMap(catalog.call)?.service else {
            return message + suggestion(for: name, among: catalog.callNames)
        }
        let operations = siblings.map { String($0.dropFirst(prefix.count)) }
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
