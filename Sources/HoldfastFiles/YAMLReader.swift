package import HoldfastCore
internal import Yams

/// Reads YAML into ``Node``s with places. Never guesses types: scalars are texts, quoted or plain.
package enum YAMLReader {
    /// The one document of a file.
    ///
    /// - Parameter file: the name that places are given with.
    /// - Throws: a ``Problem`` for broken YAML, several documents, an anchor or alias, a merge key, a tag, a key
    ///   that is no text, or a key given twice.
    package static func read(_ text: String, file: String) throws(Problem) -> HoldfastCore.Node {
        let start = SourcePlace(file: file, line: 1, column: 1)
        let parser: Yams.Parser
        let composed: Yams.Node?
        do {
            parser = try Yams.Parser(yaml: withoutByteOrderMark(text), resolver: .basic)
            composed = try parser.singleRoot()
        } catch {
            throw problem(for: error, text: text, file: file)
        }
        guard let composed else { throw Problem("the file is empty; nothing to load", at: start) }
        // Nodes know their anchors only as long as the parser lives.
        return try withExtendedLifetime(parser) { () throws(Problem) in
            try convert(composed, file: file, fallback: start)
        }
    }

    private static func withoutByteOrderMark(_ text: String) -> String {
        text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    private static func convert(
        _ node: Yams.Node, file: String, fallback: SourcePlace
    ) throws(Problem) -> HoldfastCore.Node {
        let place = node.mark.map { SourcePlace(file: file, line: $0.line, column: $0.column) } ?? fallback
        try refuseWhatIsNotKnown(node, at: place)
        switch node {
        case .scalar(let scalar):
            let quoted = [.singleQuoted, .doubleQuoted, .literal, .folded].contains(scalar.style)
            return HoldfastCore.Node(.scalar(scalar.string, quoted: quoted), at: place)
        case .sequence(let sequence):
            var nodes: [HoldfastCore.Node] = []
            for element in sequence { nodes.append(try convert(element, file: file, fallback: place)) }
            return HoldfastCore.Node(.list(nodes), at: place)
        case .mapping(let mapping):
            return HoldfastCore.Node(.map(try entries(of: mapping, file: file, fallback: place)), at: place)
        case .alias:
            throw Problem("an alias (*name) cannot stand here; write the value out", at: place)
        }
    }

    /// Anchors would make one place stand for many, and a small file for a huge one; tags would change what a text is.
    private static func refuseWhatIsNotKnown(_ node: Yams.Node, at place: SourcePlace) throws(Problem) {
        if let anchor = node.anchor {
            throw Problem("an anchor (&\(anchor.rawValue)) is not known here; write the value out", at: place)
        }
        let tag: Yams.Tag? =
            switch node {
            case .scalar(let scalar): scalar.tag
            case .sequence(let sequence): sequence.tag
            case .mapping(let mapping): mapping.tag
            case .alias: nil
            }
        // Comparing keys gives a node the tag of its kind.
        let own: [Yams.Tag.Name] = [.implicit, .str, .seq, .map]
        guard let tag, !own.map(\.rawValue).contains(tag.description) else { return }
        throw Problem("a tag (\(tag)) is not known here; write the value out", at: place)
    }

    private static func entries(
        of mapping: Yams.Node.Mapping, file: String, fallback: SourcePlace
    ) throws(Problem) -> [HoldfastCore.Node.Entry] {
        var entries: [HoldfastCore.Node.Entry] = []
        for (key, value) in mapping {
            let place = key.mark.map { SourcePlace(file: file, line: $0.line, column: $0.column) } ?? fallback
            guard case .scalar(let scalar) = key else {
                throw Problem("a key must be a text, not a list or a map", at: place)
            }
            if scalar.string == "<<" {
                throw Problem("a merge key (<<) is not known here; write the keys out", at: place)
            }
            try refuseWhatIsNotKnown(key, at: place)
            entries.append(
                .init(key: scalar.string, keyPlace: place, value: try convert(value, file: file, fallback: place)))
        }
        return entries
    }

    private static func problem(for error: any Error, text: String, file: String) -> Problem {
        let start = SourcePlace(file: file, line: 1, column: 1)
        guard let error = error as? YamlError else { return Problem("the YAML cannot be read: \(error)", at: start) }
        switch error {
        case .scanner(let context, let what, let mark, _), .parser(let context, let what, let mark, _):
            let place = SourcePlace(file: file, line: max(mark.line, 1), column: max(mark.column, 1))
            if what.hasPrefix("Maximum nesting level") {
                return Problem("lists and maps nest deeper than 1000 levels; is this a data file?", at: place)
            }
            return Problem("broken YAML: \(what)\(hint(text, at: place))\(around(context))", at: place)
        case .composer(_, let what, let mark, _):
            let place = SourcePlace(file: file, line: max(mark.line, 1), column: max(mark.column, 1))
            if what.contains("alias") {
                return Problem("an alias (*name) cannot stand here; write the value out", at: place)
            }
            return Problem("a second document begins here; a file holds one, so split it", at: place)
        case .duplicatedKeysInMapping(let keys, let context):
            let place = SourcePlace(file: file, line: max(context.mark.line, 1), column: max(context.mark.column, 1))
            let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
            return Problem("the key \(names) stands here and again further down in the same map; keep one", at: place)
        case .reader(let what, let offset, _, _):
            return Problem("broken YAML: \(what)", at: self.place(of: offset ?? 0, in: text, file: file))
        default:
            return Problem("broken YAML: \(error)", at: start)
        }
    }

    private static func around(_ context: YamlError.Context?) -> String {
        guard let context else { return "" }
        return " (\(context.text) that begins at \(context.mark.line):\(context.mark.column))"
    }

    /// The most common slip has the least telling message.
    private static func hint(_ text: String, at place: SourcePlace) -> String {
        let lines = text.split(separator: "\n", maxSplits: place.line, omittingEmptySubsequences: false)
        guard place.line <= lines.count else { return "" }
        let line = lines[place.line - 1].unicodeScalars
        return line.dropFirst(place.column - 1).first == "\t" ? "; a tab cannot indent, blanks can" : ""
    }

    private static func place(of offset: Int, in text: String, file: String) -> SourcePlace {
        let before = text.prefix(offset)
        let lastLine = before.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
        let line = before.count { $0.isNewline } + 1
        return SourcePlace(file: file, line: line, column: lastLine.unicodeScalars.count + 1)
    }
}
