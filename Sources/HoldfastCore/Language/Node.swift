package import HoldfastJSON

/// Where something stands in a data file: line and column count from 1.
package struct SourcePlace: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
    /// `playbooks/a.yaml:12:9`
    package var description: String { "\(file):\(line):\(column)" }
    package static func < (a: SourcePlace, b: SourcePlace) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }
}

/// A data file's value with its place: what the YAML reader makes and every loader reads. Scalars are texts.
package struct Node: Sendable {
    package struct Entry: Sendable {
        package var key: String
        package var keyPlace: SourcePlace
        package var value: Node
        package init(key: String, keyPlace: SourcePlace, value: Node) {
            self.key = key
            self.keyPlace = keyPlace
            self.value = value
        }
    }
    package enum Content: Sendable {
        /// `quoted` where the file quotes the text: then it is never read as a number, a truth value or null.
        case scalar(String, quoted: Bool)
        case list([Node])
        /// In the order of the file.
        case map([Entry])
    }
    package var content: Content
    package var place: SourcePlace

    package init(_ content: Content, at place: SourcePlace) {
        self.content = content
        self.place = place
    }

    package var text: String? { if case .scalar(let text, _) = content { text } else { nil } }
    package var list: [Node]? { if case .list(let nodes) = content { nodes } else { nil } }
    package var entries: [Entry]? { if case .map(let entries) = content { entries } else { nil } }
    /// The value of a map's key.
    package subscript(key: String) -> Node? { entries?.first { $0.key == key }?.value }
    /// A list's nodes, or this one alone: for keys that take one thing or many.
    package var oneOrMany: [Node] { list ?? [self] }
    /// The texts of a list of scalars or of one scalar; nodes of another kind are left out.
    package var texts: [String] { oneOrMany.compactMap(\.text) }

    package var kindName: String {
        switch content {
        case .scalar: "a text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The value as JSON. A plain `true`, `false`, `null` (or `~`, or nothing) and a plain JSON number of at most 11
    /// digits are what they look like; every other scalar is a text, so `on`, `2012-10-17`, `012345670123` and an
    /// account id of 12 digits stay what they are.
    package var json: JSON {
        switch content {
        case .scalar(let text, quoted: true): .string(text)
        case .scalar(let text, quoted: false): Node.plain(text)
        case .list(let nodes): .array(nodes.map(\.json))
        case .map(let entries): .object(JSONObject(entries.map { ($0.key, $0.value.json) }))
        }
    }

    private static func plain(_ text: String) -> JSON {
        switch text {
        case "true": .bool(true)
        case "false": .bool(false)
        case "", "null", "~": .null
        default: isJSONNumber(text) ? .number(JSONNumber(unchecked: text)) : .string(text)
        }
    }

    private static func isJSONNumber(_ text: String) -> Bool {
        var digits = Substring(text)
        if digits.hasPrefix("-") { digits = digits.dropFirst() }
        guard let first = digits.first, first.isASCII, first.isNumber, digits.count <= 12 else { return false }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } })
        else { return false }
        return parts[0].count <= 11 && (parts[0] == "0" || !parts[0].hasPrefix("0"))
    }
}

/// Something wrong in a data file, with its place and what would do.
package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    package var place: SourcePlace
    package var message: String
    package init(_ message: String, at place: SourcePlace) {
        self.place = place
        self.message = message
    }
    /// `playbooks/a.yaml:12:9: unknown key "stpes"; did you mean "steps"?`
    package var description: String { "\(place): \(message)" }
}

/// The word of `known` nearest to `word` by edit distance, where it is near enough to be what was meant.
package func nearestWord(to word: String, among known: some Sequence<String>) -> String? {
    let limit = max(2, word.count / 3)
    var best: (word: String, distance: Int)?
    for candidate in known {
        let distance = editDistance(word.lowercased(), candidate.lowercased())
        if distance <= limit, distance < (best?.distance ?? .max) { best = (candidate, distance) }
    }
    return best?.word
}

/// `; did you mean "x"?`, or the known words where none is near, or nothing where there are too many to list.
package func suggestion(for word: String, among known: some Collection<String>) -> String {
    if let nearest = nearestWord(to: word, among: known) { return "; did you mean \"\(nearest)\"?" }
    return known.isEmpty || known.count > 16 ? "" : "; known here: \(known.sorted().joined(separator: ", "))"
}

private func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a), b = Array(b)
    var row = Array(0...b.count)
    for i in 0..<a.count {
        var diagonal = row[0]
        row[0] = i + 1
        for j in 0..<b.count {
            let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
