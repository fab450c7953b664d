package import HoldfastCore
internal import Yams

/// Reads YAML into ``Node``s with places. Never guesses types: scalars are texts, quoted or plain.
package enum YAMLReader {
    /// The one document of a file.
    ///
    /// - Parameter file: the name that places are given with.
    /// - Throws: a ``Problem`` for broken YAML, several documents, an anchor, a merge key, or a key given twice.
    package static func read(_ text: String, file: String) throws(Problem) -> HoldfastCore.Node {
        let start = SourcePlace(file: file, line: 1, column: 1)
        let composed: Yams.Node?
        do {
            composed = try Yams.compose(yaml: text, .basic)
        } catch {
            throw problem(for: error, file: file)
        }
        guard let composed else { throw Problem("the file is empty; nothing to load", at: start) }
        return try convert(composed, file: file, fallback: start)
    }

    private static func convert(
        _ node: Yams.Node, file: String, fallback: SourcePlace
    ) throws(Problem) -> HoldfastCore.Node {
        let place = node.mark.map { SourcePlace(file: file, line: $0.line, column: $0.column) } ?? fallback
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
            entries.append(
                .init(key: scalar.string, keyPlace: place, value: try convert(value, file: file, fallback: place)))
        }
        return entries
    }

    private static func problem(for error: any Error, file: String) -> Problem {
        var place = SourcePlace(file: file, line: 1, column: 1)
        guard let error = error as? YamlError else { return Problem("the YAML cannot be read: \(error)", at: place) }
        switch error {
        case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _), .composer(_, let what, let mark, _):
            place.line = max(mark.line, 1)
            place.column = max(mark.column, 1)
            return Problem("broken YAML: \(what)", at: place)
        case .duplicatedKeysInMapping(let keys, let context):
            place.line = max(context.mark.line, 1)
            place.column = max(context.mark.column, 1)
            let names = keys.joined(separator: ", ")
            return Problem("the map starting here has a key twice: \(names); keep one", at: place)
        default:
            return Problem("broken YAML: \(error)", at: place)
        }
    }
}
