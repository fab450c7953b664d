package import HoldfastJSON

/// All playbooks that are in force, and which of them fixes what.
package struct Playbooks: Sendable {
    /// By id.
    package private(set) var all: [Playbook]
    /// Rule -> type -> index in `all`.
    private var remedy: [String: [String: Int]] = [:]
    package let vocabulary: PlaybookVocabulary

    /// Reads playbooks from their files' nodes. A file with problems is left out and the rest goes on.
    ///
    /// - Parameter files: with their paths below the playbooks' folder, without endings; the last part is the id.
    package static func load(
        _ files: [(name: String, node: Node)], vocabulary: PlaybookVocabulary
    ) -> (playbooks: Playbooks, problems: [Problem]) {
        var problems: [Problem] = []
        var read: [(playbook: Playbook, file: Node)] = []
        for (name, file) in files {
            var reader = PlaybookReader(vocabulary)
            let id = name.split(separator: "/").last.map(String.init) ?? name
            if let playbook = reader.read(file, id: id) {
                if let other = read.first(where: { $0.playbook.id == playbook.id }) {
                    let message = "the id \(playbook.id) is taken by \(other.file.place.file); rename one of the files"
                    problems.append(Problem(message, at: file.place))
                } else {
                    read.append((playbook, file))
                }
            }
            problems += reader.problems
        }
        read.sort { $0.playbook.id < $1.playbook.id }
        var playbooks = Playbooks(all: read.map(\.playbook), vocabulary: vocabulary)
        for (index, entry) in read.enumerated() { problems += playbooks.register(index, file: entry.file) }
        return (playbooks, problems.sorted { $0.place < $1.place })
    }

    /// The playbook for a rule's findings on a type of resource.
    package func playbook(for rule: String, type: String) -> Playbook? { remedy[rule]?[type].map { all[$0] } }

    package subscript(id: String) -> Playbook? { all.first { $0.id == id } }

    private mutating func register(_ index: Int, file: Node) -> [Problem] {
        let playbook = all[index]
        var problems: [Problem] = []
        if let other = playbook.insteadOf, let node = file["instead-of"] {
            if let replaced = self[other] {
                if !playbook.competes(with: replaced) {
                    let message =
                        "\(other) remedies none of these rules for \(playbook.type.name); leave instead-of out"
                    problems.append(Problem(message, at: node.place))
                }
            } else {
                let near = suggestion(for: other, among: all.map(\.id).filter { $0 != playbook.id })
                problems.append(Problem("unknown playbook \"\(other)\"\(near)", at: node.place))
            }
        }
        for node in file["remedies"]?.oneOrMany ?? [] {
            guard let rule = node.text.flatMap(vocabulary.baseline.rule)?.id else { continue }
            let type = playbook.type.name
            guard let taken = remedy[rule]?[type] else {
                remedy[rule, default: [:]][type] = index
                continue
            }
            let other = all[taken]
            if playbook.insteadOf == other.id {
                remedy[rule, default: [:]][type] = index
            } else if other.insteadOf != playbook.id {
                let message =
                    "\(other.id) already remedies \(rule) for \(type); "
                    + "add \"instead-of: \(other.id)\", or take the rule out of one of them"
                problems.append(Problem(message, at: node.place))
            }
        }
        return problems
    }
}

extension Playbook {
    fileprivate func competes(with other: Playbook) -> Bool {
        type.name == other.type.name && remedies.contains { other.remedies.contains($0) }
    }
}

extension Playbooks {
    /// The JSON Schema of a playbook's file.
    package static var schema: JSON {
        var schema = PlaybookGrammar.shape.jsonSchema.object ?? JSONObject()
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["title"] = "A playbook of Holdfast"
        return .object(schema)
    }
}
