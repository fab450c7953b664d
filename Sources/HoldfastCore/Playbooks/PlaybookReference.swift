internal import HoldfastJSON

/// A typed reference: `$resource.GroupId`, `$item.before`, `$params.ports`.
package struct PlaybookReference: Sendable, Hashable, CustomStringConvertible {
    package enum Root: String, Sendable, Hashable, CaseIterable {
        /// The resource's properties, the variables of its type's id, and `id`, `account` and `region`.
        case resource
        /// The element that a `for-each` is at: `id`, its key in its list, and `before`, what it is.
        case item
        /// The resource's properties before the first step.
        case before
        /// The last observed state of a resource that is gone.
        case last
        /// The rule's parameters with what was tuned.
        case params
        /// Lists of the configuration.
        case lists
        /// A document after its edit.
        case edits
        /// An element chosen by `choose`.
        case chosen
        /// What the step's call answered; only in an undo, and known only once the step has run.
        case result

        /// Whether the first name after it is a name of the file's or the configuration's and no property.
        var isNamed: Bool {
            switch self {
            case .params, .lists, .edits, .chosen: true
            case .resource, .item, .before, .last, .result: false
            }
        }
    }
    package var root: Root
    /// The parameter, list, edit or choice; empty for the other roots.
    package var name: String
    /// Below the root, or below the name.
    package var path: PropertyPath

    package var description: String {
        let above = name.isEmpty ? "$\(root.rawValue)" : "$\(root.rawValue).\(name)"
        if path.isRoot { return above }
        return path.steps.first == .each ? "\(above)\(path)" : "\(above).\(path)"
    }

    /// - Parameter text: with its dollar.
    /// - Throws: what is wrong with it, as a phrase.
    static func parse(_ text: String) throws(PlaybookFault) -> PlaybookReference {
        let body = text.dropFirst()
        let word = body.prefix { $0 != "." && $0 != "[" }
        guard let root = Root(rawValue: String(word)) else {
            let roots = Root.allCases.map(\.rawValue)
            throw PlaybookFault("\"\(text)\" refers to nothing\(suggestion(for: String(word), among: roots))")
        }
        let rest = body.dropFirst(word.count)
        guard rest.hasPrefix("."), rest.count > 1, let path = PropertyPath(rest.dropFirst()) else {
            throw PlaybookFault("\"\(text)\" names nothing below $\(word); write $\(word).NAME")
        }
        guard root.isNamed else { return PlaybookReference(root: root, name: "", path: path) }
        guard let name = path.property else { throw PlaybookFault("\"\(text)\" must name one of $\(word)") }
        return PlaybookReference(root: root, name: name, path: PropertyPath(Array(path.steps.dropFirst())))
    }
}

/// What is wrong, as a phrase; whoever knows the place makes a ``Problem`` of it.
struct PlaybookFault: Error, Sendable {
    var message: String
    init(_ message: String) { self.message = message }
}

/// A value of a playbook's file with references in it. They keep their type.
indirect enum PlaybookTemplate: Sendable {
    struct Member: Sendable {
        var name: String
        /// Written `NAME?`: left out where a reference in its value names something that is not there.
        var isOptional: Bool
        var value: PlaybookTemplate
        var place: SourcePlace
    }
    case literal(JSON)
    case reference(PlaybookReference, SourcePlace)
    case list([PlaybookTemplate])
    case map([Member])
    /// `{$join: [...]}`: texts one after the other.
    case join([PlaybookTemplate])
    /// `{$json: ...}`: a text with the value as JSON; a text stays as it is.
    case json(PlaybookTemplate)

    /// Every reference in it with its place, in the order of the file.
    var references: [(PlaybookReference, SourcePlace)] {
        switch self {
        case .literal: []
        case .reference(let reference, let place): [(reference, place)]
        case .list(let elements), .join(let elements): elements.flatMap(\.references)
        case .json(let inner): inner.references
        case .map(let members): members.flatMap(\.value.references)
        }
    }

    /// Reads a node; what is wrong in it goes to `problems`.
    static func read(_ node: Node, problems: inout [Problem]) -> PlaybookTemplate {
        switch node.content {
        case .scalar(let text, _):
            if text.hasPrefix("$$") { return .literal(.string(String(text.dropFirst()))) }
            guard text.hasPrefix("$") else { return .literal(node.json) }
            do {
                return .reference(try PlaybookReference.parse(text), node.place)
            } catch {
                problems.append(Problem(error.message, at: node.place))
                return .literal(.null)
            }
        case .list(let nodes):
            return .list(nodes.map { read($0, problems: &problems) })
        case .map(let entries):
            if let word = entries.first(where: { $0.key.hasPrefix("$") }) {
                return readOperator(word, alone: entries.count == 1, problems: &problems)
            }
            return .map(
                entries.map { entry in
                    let isOptional = entry.key.hasSuffix("?")
                    return Member(
                        name: isOptional ? String(entry.key.dropLast()) : entry.key, isOptional: isOptional,
                        value: read(entry.value, problems: &problems), place: entry.keyPlace)
                })
        }
    }

    private static func readOperator(
        _ entry: Node.Entry, alone: Bool, problems: inout [Problem]
    ) -> PlaybookTemplate {
        switch (entry.key, entry.value.list) {
        case ("$join", let parts?) where alone: return .join(parts.map { read($0, problems: &problems) })
        case ("$json", _) where alone: return .json(read(entry.value, problems: &problems))
        default:
            let message =
                "\"\(entry.key)\" cannot be a key here; the operators are {$join: [text, ...]} and {$json: value}, "
                + "each on its own"
            problems.append(Problem(message, at: entry.keyPlace))
            return .literal(.null)
        }
    }
}
