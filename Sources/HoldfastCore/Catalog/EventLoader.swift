internal import HoldfastJSON

extension CatalogReader {
    /// An entry under `events:`, checked against the types; with the names of the operations that mean the same.
    mutating func meaning(_ entry: Node.Entry, types: [String: ResourceType]) -> EventMeaning {
        let node = entry.value
        var effects: [EventEffect] = []
        if let nodes = node["effects"]?.list {
            effects = nodes.compactMap { effect($0, types: types) }
        } else if let effect = effect(node, types: types) {
            effects = [effect]
        }
        let tests = (node["tests"]?.list ?? []).compactMap { test($0) }
        return EventMeaning(action: entry.key, effects: effects, tests: tests, types: types, place: entry.keyPlace)
    }

    private mutating func effect(_ node: Node, types: [String: ResourceType]) -> EventEffect? {
        let named = Effect.allCases.compactMap { effect in node[effect.rawValue].map { (effect, $0) } }
        guard named.count == 1, let (kind, typesNode) = named.first else {
            let words = Effect.allCases.map(\.rawValue).joined(separator: ", ")
            report("an effect has exactly one of \(words), with the type", at: node.place)
            return nil
        }
        let known = resolvedTypes(typesNode, among: types)
        guard let first = known.first else { return nil }
        if known.count > 1 {
            for type in known where type.namePrefix.isEmpty {
                report("\(type.name) needs name-prefix: to be told from other types by its ids", at: typesNode.place)
            }
        }
        let names = names(node["name"], of: first)
        let effect = EventEffect(
            effect: kind, types: known.map(\.name), each: eventPath(node["each"]), name: names.name,
            variables: names.variables,
            matches: matches(node["match"]), account: source(node["account"]), region: source(node["region"]),
            alias: alias(node["alias"], of: first), conditions: conditions(node["when"]),
            carries: (node["carries"]?.oneOrMany ?? []).compactMap { carried($0, types: known) }, place: node.place)
        if let carries = node["carries"], kind == .deletes || kind == .relates {
            report("\(kind.rawValue): carries nothing; only creates: and changes: do", at: carries.place)
        }
        if kind == .changes, node["carries"] == nil {
            report(
                "changes: needs carries:, and if the event says nothing of it, touched: with the paths", at: node.place)
        }
        return effect
    }

    private mutating func resolvedTypes(_ node: Node, among types: [String: ResourceType]) -> [ResourceType] {
        node.oneOrMany.compactMap { node in
            guard let name = node.text else { return nil }
            if let type = types[name] { return type }
            report("unknown type \"\(name)\"\(suggestion(for: name, among: types.keys.sorted()))", at: node.place)
            return nil
        }
    }

    /// The source of an id or of its last variable, or those of several variables.
    private mutating func names(
        _ node: Node?, of type: ResourceType
    ) -> (name: ValueSource?, variables: [EventEffect.Variable]) {
        guard let node else { return (nil, []) }
        let isSource = node.entries?.contains { !type.id.variables.contains($0.key) } ?? true
        if isSource { return (source(node), []) }
        let variables = (node.entries ?? []).compactMap { entry in
            source(entry.value).map { EventEffect.Variable(name: entry.key, source: $0) }
        }
        return (nil, variables)
    }

    private mutating func matches(_ node: Node?) -> [EventEffect.Match] {
        (node?.entries ?? []).compactMap { entry in
            guard let path = eventPath(entry.key, at: entry.keyPlace), let text = entry.value.text,
                let template = template(text, at: entry.value.place)
            else { return nil }
            return EventEffect.Match(source: .path(path), template: template)
        }
    }

    private mutating func alias(_ node: Node?, of type: ResourceType) -> EventEffect.Alias? {
        guard let entry = node?.entries?.first, let source = source(entry.value) else { return nil }
        if type.knownBy[entry.key] == nil {
            let hint = suggestion(for: entry.key, among: type.knownBy.keys.sorted())
            report("\(type.name) is not known by \"\(entry.key)\"\(hint)", at: entry.keyPlace)
        }
        return EventEffect.Alias(kind: entry.key, source: source)
    }

    private mutating func carried(_ node: Node, types: [ResourceType]) -> CarriedChange? {
        guard let kind = carriedKind(node, types: types) else { return nil }
        let change = CarriedChange(kind: kind, conditions: conditions(node["when"]), place: node.place)
        return change
    }

    private mutating func carriedKind(_ node: Node, types: [ResourceType]) -> CarriedChange.Kind? {
        if let map = node["set"] { return .set(assignments(map, types: types)) }
        if let map = node["patch"] { return .patch(assignments(map, types: types)) }
        if let names = node["copy"]?.list {
            guard let from = eventPath(node["from"]) else {
                report("copy: needs from:, the place in the event", at: node.place)
                return nil
            }
            for name in names { _ = carriedPath(name, types: types) }
            return .copy(from: from, names: names.compactMap(\.text))
        }
        if let list = node["put"] {
            guard let path = carriedPath(list, types: types, isList: true) else { return nil }
            guard let value = source(node["value"]) else {
                report("put: needs value:, the source of the element", at: list.place)
                return nil
            }
            check(value, at: path.appending(.each), types: types, place: list.place)
            let key = source(node["key"])
            for type in types where key == nil && type.listKeys[path] == nil {
                report("put: needs key:, or \(type.name) an entry for \(path) under unordered:", at: list.place)
            }
            return .put(path, each: eventPath(node["each"]), key: key, value: value)
        }
        if let list = node["remove"] {
            guard let path = carriedPath(list, types: types, isList: true), let key = source(node["key"]) else {
                report("remove: needs a list of the type and key:, the source of the element's key", at: list.place)
                return nil
            }
            return .remove(path, each: eventPath(node["each"]), key: key)
        }
        if let touched = node["touched"] {
            return .touched(touched.oneOrMany.compactMap { carriedPath($0, types: types) })
        }
        report("this carries nothing; write set, patch, copy, put, remove or touched", at: node.place)
        return nil
    }

    private mutating func assignments(_ node: Node, types: [ResourceType]) -> [CarriedChange.Assignment] {
        (node.entries ?? []).compactMap { entry in
            guard let path = path(entry.key, at: entry.keyPlace), let source = source(entry.value) else { return nil }
            for type in types { _ = check(path, of: type, at: entry.keyPlace) }
            check(source, at: path, types: types, place: entry.value.place)
            return CarriedChange.Assignment(path: path, source: source)
        }
    }

    private mutating func carriedPath(_ node: Node, types: [ResourceType], isList: Bool = false) -> PropertyPath? {
        guard let text = node.text, let path = path(text, at: node.place) else { return nil }
        let checked = isList ? path.appending(.each) : path
        return types.allSatisfy { check(checked, of: $0, at: node.place) } ? path : nil
    }

    /// What a source builds here has only names that the types have.
    mutating func check(
        _ source: ValueSource, at path: PropertyPath, types: [ResourceType], place: SourcePlace
    ) {
        switch source {
        case .map(let members):
            for member in members {
                let inner = path.appending(.name(member.name))
                if types.allSatisfy({ check(inner, of: $0, at: place) }) {
                    check(member.source, at: inner, types: types, place: place)
                }
            }
        case .firstOf(let sources):
            for source in sources { check(source, at: path, types: types, place: place) }
        case .list(let sources):
            for source in sources { check(source, at: path.appending(.each), types: types, place: place) }
        case .each(_, let value, _):
            check(value, at: path.appending(.each), types: types, place: place)
        case .only(_, let source): check(source, at: path, types: types, place: place)
        case .constant(let json): check(json, at: path, types: types, place: place)
        case .lookup(_, let table):
            for name in table.keys.sorted() { check(table[name] ?? .null, at: path, types: types, place: place) }
        case .entries:
            for name in ["Key", "Value"] {
                let inner = PropertyPath(path.steps + [.each, .name(name)])
                for type in types { _ = check(inner, of: type, at: place) }
            }
        case .path, .variable, .json, .unescaped, .text, .number, .bool, .upperCamel, .after, .join: break
        }
    }

    private mutating func check(_ json: JSON, at path: PropertyPath, types: [ResourceType], place: SourcePlace) {
        for member in json.object?.members ?? [] {
            let inner = path.appending(.name(member.name))
            if types.allSatisfy({ check(inner, of: $0, at: place) }) {
                check(member.value, at: inner, types: types, place: place)
            }
        }
        for element in json.array ?? [] { check(element, at: path.appending(.each), types: types, place: place) }
    }
}
