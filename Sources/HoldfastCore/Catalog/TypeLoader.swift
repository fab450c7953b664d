internal import HoldfastJSON

extension ResourceType {
    /// Words of the rule language: a property of such a name could not be told from one. `encryption` and `logging` are
    /// not among them: clouds have properties of these names, and a rule that says them means the facet.
    static let reservedNames: Set<String> = [
        "any", "all", "none", "count", "not", "either", "all-of", "in", "more-than", "less-than", "at-least", "at-most",
        "starts-with", "matches", "contains", "absent", "present", "empty", "older-than", "overlap", "cidr-within",
        "cidr-contains", "reaches", "outside", "related", "tag", "openings", "grants",
    ]

    /// A path that this type has; indexes count as `[]`.
    package func has(_ path: PropertyPath) -> Bool {
        let plain = ResourceType.plain(path)
        if plain.isRoot || allPaths.contains(plain) { return true }
        var prefix = plain
        while !prefix.isRoot {
            prefix.steps.removeLast()
            if freePaths.contains(prefix) { return true }
        }
        return false
    }

    /// The paths as the catalog file names them, sorted: for messages and for `catalog show`.
    package var pathNames: [String] { paths.sorted { $0.precedesInUTF8($1) } }

    /// `; did you mean "X"?` for a path that the type does not have.
    package func suggestion(for path: PropertyPath) -> String {
        let known = allPaths.map(\.description)
        return HoldfastCore.suggestion(for: ResourceType.plain(path).description, among: known)
    }

    private static func plain(_ path: PropertyPath) -> PropertyPath {
        PropertyPath(path.steps.map { if case .index = $0 { .each } else { $0 } })
    }

    /// Fills what ``has(_:)`` looks in from ``paths``.
    mutating func indexPaths() {
        allPaths = []
        freePaths = []
        for text in paths {
            let isFree = text.hasSuffix(".*")
            guard var path = PropertyPath(isFree ? text.dropLast(2) : Substring(text)) else { continue }
            if isFree { freePaths.insert(path) }
            while !path.isRoot {
                allPaths.insert(path)
                path.steps.removeLast()
            }
        }
    }
}

extension CatalogReader {
    /// A type with its own names checked; what it says of other types is checked when all are read.
    mutating func type(_ entry: Node.Entry, cloud: Cloud, service: String) -> ResourceType? {
        let node = entry.value
        guard let idNode = node["id"], let idText = idNode.text, let id = template(idText, at: idNode.place),
            let example = node["example"]?.text,
            let scope = node["scope"]?.text.flatMap(ResourceType.Scope.init(rawValue:))
        else { return nil }
        var type = ResourceType(
            name: entry.key, cloud: cloud, service: service, id: id, example: example, scope: scope,
            paths: declaredPaths(node["paths"]).union(declaredPaths(node["ours"])), place: entry.keyPlace)
        type.aliases = (node["aliases"]?.list ?? []).compactMap { node in
            node.text.flatMap { template($0, at: node.place) }
        }
        type.namePrefix = node["name-prefix"]?.text ?? ""
        checkExample(of: type, at: node["example"]?.place ?? entry.keyPlace)
        for entry in node["known-by"]?.entries ?? [] {
            guard let path = knownPath(entry.value, of: type) else { continue }
            type.knownBy[entry.key] = path
        }
        type.secret = (node["secret"]?.list ?? []).compactMap { knownPath($0, of: type) }
        for entry in node["unordered"]?.entries ?? [] { addListKey(entry, to: &type) }
        type.relations = relations(node["relations"])
        type.read = readSteps(node["read"], of: type)
        for entry in node["unread"]?.entries ?? [] {
            guard let path = path(entry.key, at: entry.keyPlace), check(path, of: type, at: entry.keyPlace) else {
                continue
            }
            type.unread[path] = entry.value.text ?? ""
        }
        type.list = listStep(node["list"], of: type)
        if let consistency = node["consistency"]?.text.flatMap({ Span($0) }) { type.consistency = consistency }
        for entry in node["samples"]?.entries ?? [] { addSample(entry, to: &type) }
        return type
    }

    private mutating func declaredPaths(_ node: Node?) -> Set<String> {
        var paths: Set<String> = []
        for node in node?.list ?? [] {
            for text in CatalogReader.expandingBraces(node.text ?? "") {
                let plain = text.hasSuffix(".*") ? String(text.dropLast(2)) : text
                guard let path = path(plain, at: node.place) else { continue }
                for case .name(let name) in path.steps where ResourceType.reservedNames.contains(name) {
                    report(
                        "\"\(name)\" is a word of the rule language and no property may be called so; give it another "
                            + "name under ours:", at: node.place)
                }
                paths.insert(text)
            }
        }
        return paths
    }

    private mutating func checkExample(of type: ResourceType, at place: SourcePlace) {
        let filled = type.variables(inID: type.example).flatMap { type.resource($0, account: "", region: "")?.id.id }
        let expected = type.cloud == .azure ? type.example.lowercased() : type.example
        if filled != expected { report("the example is not of the form \(type.id)", at: place) }
    }

    mutating func knownPath(_ node: Node, of type: ResourceType) -> PropertyPath? {
        guard let text = node.text, let path = path(text, at: node.place) else { return nil }
        return check(path, of: type, at: node.place) ? path : nil
    }

    mutating func check(_ path: PropertyPath, of type: ResourceType, at place: SourcePlace) -> Bool {
        if type.has(path) { return true }
        report("\(type.name) has no path \"\(path)\"\(type.suggestion(for: path))", at: place)
        return false
    }

    private mutating func addListKey(_ entry: Node.Entry, to type: inout ResourceType) {
        guard let list = path(entry.key, at: entry.keyPlace) else { return }
        guard check(list.appending(.each), of: type, at: entry.keyPlace) else { return }
        for node in entry.value.list ?? [] {
            guard let text = node.text, let name = path(text, at: node.place) else { continue }
            _ = check(PropertyPath(list.steps + [.each] + name.steps), of: type, at: node.place)
        }
        type.listKeys[list] = entry.value.texts
    }

    private mutating func relations(_ node: Node?) -> [String: ResourceType.Relation] {
        var relations: [String: ResourceType.Relation] = [:]
        for entry in node?.entries ?? [] {
            guard let byNode = entry.value["by"], let by = byNode.text.flatMap({ path($0, at: byNode.place) })
            else { continue }
            let to = entry.value["to"]?.text
            let from = entry.value["from"]?.text
            guard let other = to ?? from, to == nil || from == nil else {
                report("a relation has to: or from:, and not both", at: entry.keyPlace)
                continue
            }
            relations[entry.key] = ResourceType.Relation(name: entry.key, type: other, by: by, isReverse: to == nil)
        }
        return relations
    }

    private mutating func addSample(_ entry: Node.Entry, to type: inout ResourceType) {
        guard entry.value.entries != nil else {
            report("a sample is a map of properties", at: entry.value.place)
            return
        }
        checkSample(entry.value, at: PropertyPath(), of: type)
        type.samples[entry.key] = entry.value.json
    }

    private mutating func checkSample(_ node: Node, at path: PropertyPath, of type: ResourceType) {
        for entry in node.entries ?? [] {
            let inner = path.appending(.name(entry.key))
            if check(inner, of: type, at: entry.keyPlace) { checkSample(entry.value, at: inner, of: type) }
        }
        for element in node.list ?? [] {
            let inner = path.appending(.each)
            if check(inner, of: type, at: element.place) { checkSample(element, at: inner, of: type) }
        }
    }
}
