internal import HoldfastJSON

extension CatalogReader {
    /// An entry under `calls:`. Its paths are checked against the file's types: one of them must have each.
    mutating func call(_ entry: Node.Entry, service: String, types: [ResourceType]) -> CloudCall? {
        let node = entry.value
        guard let wire = node["protocol"]?.text.flatMap(CloudCall.WireProtocol.init(rawValue:)),
            let permission = node["permission"]?.text
        else { return nil }
        var call = CloudCall(
            name: entry.key, service: service, wire: wire, request: node["request"]?.text ?? "", permission: permission,
            place: entry.keyPlace)
        call.parameters = (node["parameters"]?.texts ?? []) + CloudCall.variables(in: call.request)
        call.reads = paths(node["reads"], of: types)
        call.writes = paths(node["writes"], of: types)
        call.isIdempotent = node["idempotent"]?.text == "true"
        call.inverseWhenAbsent = node["inverse-when-absent"]?.text
        call.readOnlyPaths = paths(node["read-only"], of: types)
        call.alreadyDone = node["already-done"]?.texts ?? []
        call.notApplied = node["not-applied"]?.texts ?? []
        if let entry = node["precondition"]?.entries?.first {
            call.precondition = entry.key
            call.preconditionPlace = preconditionPlace(entry.value, of: call)
        }
        if let node = node["token"], let name = node.text {
            call.token = name
            if !call.parameters.contains(name) {
                let hint = suggestion(for: name, among: call.parameters)
                report("\(call.name) takes no parameter \"\(name)\"\(hint)", at: node.place)
            }
        }
        call.resources = (node["on"]?.oneOrMany ?? []).compactMap { resource($0, of: call) }
        call.alsoNeeds = node["also-needs"]?.texts ?? []
        call.restore = restore(node["restore"])
        for entry in node["elements"]?.entries ?? [] {
            guard let list = path(entry.key, at: entry.keyPlace), let source = source(entry.value) else { continue }
            if !types.contains(where: { $0.has(list.appending(.each)) }) {
                report("no type of this file has the list \"\(list)\"", at: entry.keyPlace)
            }
            call.elements[list] = source
        }
        if let wait = node["wait"], let limit = wait["at-most"]?.text.flatMap({ Span($0) }) {
            let until = (wait["until"]?.entries ?? []).compactMap { entry in
                path(entry.key, at: entry.keyPlace).map { CloudCall.Wait.Until(path: $0, value: entry.value.json) }
            }
            call.wait = CloudCall.Wait(until: until, atMost: limit)
        }
        return call
    }

    /// A place in one of the call's parameters.
    private mutating func preconditionPlace(_ node: Node, of call: CloudCall) -> PropertyPath? {
        guard let text = node.text, let path = path(text, at: node.place) else { return nil }
        // If-Match, which every call of the Resource Manager may carry.
        let known = call.parameters + (call.wire == .arm ? ["ifMatch"] : [])
        if let name = path.property, known.contains(name) { return path }
        let hint = suggestion(for: path.property ?? "", among: known)
        report("\(call.name) takes no parameter \"\(path.property ?? "")\"\(hint)", at: node.place)
        return nil
    }

    private mutating func resource(_ node: Node, of call: CloudCall) -> IDTemplate? {
        guard let text = node.text, let template = template(text, at: node.place) else { return nil }
        let known = call.parameters + ResourceType.surroundings
        for name in template.variables where !known.contains(name) {
            report("\(call.name) takes no parameter \"\(name)\"\(suggestion(for: name, among: known))", at: node.place)
        }
        return template
    }

    private mutating func restore(_ node: Node?) -> CallRestore? {
        guard let node, let from = node["from"]?.text else { return nil }
        let parameters = (node["with"]?.entries ?? []).compactMap { entry in
            source(entry.value).map { ReadStep.Parameter(name: entry.key, source: $0) }
        }
        return CallRestore(
            from: from, at: eventPath(node["at"]), parameters: parameters, isOfSentOnly: node["only"]?.text == "sent",
            place: node.place)
    }

    private mutating func paths(_ node: Node?, of types: [ResourceType]) -> [PropertyPath] {
        guard let node else { return [] }
        return node.oneOrMany.compactMap { node in
            guard let text = node.text, let path = path(text, at: node.place) else { return nil }
            if types.contains(where: { $0.has(path) }) { return path }
            let hint = types.first?.suggestion(for: path) ?? ""
            report("no type of this file has the path \"\(path)\"\(hint)", at: node.place)
            return nil
        }
    }
}
