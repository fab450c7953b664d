internal import HoldfastJSON

extension CatalogReader {
    /// The calls under `read:`. A plain name is the call without what it fills.
    mutating func readSteps(_ node: Node?, of type: ResourceType) -> [ReadStep] {
        (node?.oneOrMany ?? []).compactMap { readStep($0, of: type) }
    }

    private mutating func readStep(_ node: Node, of type: ResourceType) -> ReadStep? {
        guard let call = node["call"]?.text else { return nil }
        var step = ReadStep(
            call: call, each: nil, parameters: parameters(node["with"], of: type), at: eventPath(node["at"]),
            fills: [], copies: [], absent: node["absent"]?.texts ?? [], gone: node["gone"]?.texts ?? [],
            goneWhen: conditions(node["gone-when"]), conditions: conditions(node["when"]), tests: [], place: node.place)
        if let eachNode = node["each"], let text = eachNode.text, let each = path(text, at: eachNode.place) {
            if each.steps.last == .each {
                if check(each, of: type, at: eachNode.place) { step.each = each }
            } else {
                report("each: names a list of the type, with [] at its end", at: eachNode.place)
            }
        }
        let base = step.each ?? PropertyPath()
        if let entries = node["fills"]?.entries {
            step.fills = entries.compactMap { fill($0, below: base, of: type) }
        } else {
            step.copies = node["fills"]?.texts ?? []
            for name in step.copies {
                _ = check(PropertyPath(base.steps + [.name(name)]), of: type, at: node["fills"]?.place ?? node.place)
            }
        }
        step.tests = (node["tests"]?.list ?? []).map { readTest($0, of: type) }
        return step
    }

    private mutating func fill(
        _ entry: Node.Entry, below base: PropertyPath, of type: ResourceType
    ) -> CarriedChange.Assignment? {
        guard let path = path(entry.key, at: entry.keyPlace), let source = source(entry.value) else { return nil }
        let whole = PropertyPath(base.steps + path.steps)
        _ = check(whole, of: type, at: entry.keyPlace)
        check(source, at: whole, types: [type], place: entry.value.place)
        return CarriedChange.Assignment(path: path, source: source)
    }

    private mutating func parameters(_ node: Node?, of type: ResourceType) -> [ReadStep.Parameter] {
        (node?.entries ?? []).compactMap { entry in
            guard let source = source(entry.value) else { return nil }
            let own = type.id.variables.filter { !ResourceType.surroundings.contains($0) }
            let known = own + ResourceType.surroundings + ["id"]
            for name in source.variables where !known.contains(name) {
                let hint = suggestion(for: name, among: known)
                report("the id of \(type.name) has no variable \"\(name)\"\(hint)", at: entry.value.place)
            }
            return ReadStep.Parameter(name: entry.key, source: source)
        }
    }

    private mutating func readTest(_ node: Node, of type: ResourceType) -> ReadTest {
        var fills: [(path: PropertyPath, value: JSON)] = []
        for entry in node["fills"]?.entries ?? [] {
            guard let path = path(entry.key, at: entry.keyPlace) else { continue }
            fills.append((path, entry.value.json))
        }
        let isGone = node["fills"]?.text == "gone"
        return ReadTest(
            given: node["given"]?.json ?? .null, document: node["after"]?.json ?? .object(JSONObject()),
            fills: isGone ? nil : fills, asks: node["asks"]?.json, place: node.place)
    }

    /// The call under `list:`.
    mutating func listStep(_ node: Node?, of type: ResourceType) -> ListStep? {
        guard let node, let call = node["call"]?.text, let each = eventPath(node["each"]) else { return nil }
        var name: ValueSource?
        var variables: [(name: String, source: ValueSource)] = []
        if let entries = node["name"]?.entries, entries.allSatisfy({ type.id.variables.contains($0.key) }) {
            variables = entries.compactMap { entry in source(entry.value).map { (entry.key, $0) } }
        } else {
            name = source(node["name"])
        }
        let tests = (node["tests"]?.list ?? []).map { test in
            ListTest(given: test["given"]?.json ?? .null, lists: test["lists"]?.texts ?? [], place: test.place)
        }
        return ListStep(
            call: call, parameters: parameters(node["with"], of: type), each: each, name: name,
            variables: variables, region: source(node["region"]), absent: node["absent"]?.texts ?? [],
            conditions: conditions(node["when"]), tests: tests, place: node.place)
    }
}

extension ValueSource {
    /// The variables that it names.
    var variables: [String] {
        switch self {
        case .variable(let name): [name]
        case .path, .constant: []
        case .firstOf(let sources), .list(let sources), .join(let sources, _): sources.flatMap(\.variables)
        case .json(let source), .unescaped(let source), .text(let source), .number(let source), .bool(let source),
            .upperCamel(let source),
            .entries(let source), .after(_, let source), .lookup(let source, _), .only(_, let source),
            .each(_, let source, _):
            source.variables
        case .map(let members): members.flatMap(\.source.variables)
        }
    }
}
