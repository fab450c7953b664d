internal import HoldfastJSON

extension Facet {
    /// A list of elements, or one map.
    var isList: Bool { self == .openings || self == .grants }

    /// What an element of the facet (or the facet itself) has, and what kind of value each is.
    var members: [String: PathSpace.Kind] {
        switch self {
        case .openings: ["direction": .leaf, "protocol": .leaf, "ports": .free, "from": .free, "to": .free]
        case .grants: ["principal": .free, "action": .free, "resource": .free, "conditions": .free]
        case .encryption: ["enabled": .leaf, "key": .leaf, "keyId": .leaf]
        case .logging: ["enabled": .leaf, "target": .leaf]
        }
    }

    /// The relation to what closes an account's buckets whatever their own policies say.
    static let accountBlock = "account-block"

    /// Relations of a type along which the facet looks beside the resource itself.
    func relations(of type: ResourceType) -> [RelatedRead] {
        guard self == .grants, let relation = type.relations[Facet.accountBlock] else { return [] }
        return [RelatedRead(relation)]
    }
}

extension RelatedRead {
    package init(_ relation: ResourceType.Relation) {
        self.init(name: relation.name, type: relation.type, by: relation.by, isReverse: relation.isReverse)
    }
}

extension Evaluator {
    /// A facet of the resource. What it consists of stands where the resource's own properties do that made it so.
    func facet(_ facet: Facet, of paths: [PropertyPath]) -> Cursor {
        let context = facetContext(facet)
        let documents: [PropertyPath?] = paths.isEmpty ? [nil] : paths
        let values = documents.map { facet.value(of: document, type: resource.type, path: $0, context: context) }
        let place = paths.count == 1 ? paths[0] : PropertyPath()
        var items: [Cursor] = []
        var openBecause: String?
        for value in values {
            switch value {
            case .unknown(let reason): openBecause = openBecause ?? reason
            case .map(let map, let sources):
                return Cursor(value: map, path: place, isOpaque: true, sources: sources)
            case .items(let found, let reason):
                openBecause = openBecause ?? reason
                items += found.map { item in
                    Cursor(
                        value: item.value, path: item.source.path, key: item.source.key, isElement: true,
                        isOpaque: true, sources: [item.source])
                }
            }
        }
        if items.isEmpty, let openBecause { return Cursor(value: .unknown(openBecause), path: place) }
        var list = Cursor.made(items, openBecause: openBecause, at: place)
        list.shown = place.isRoot ? .absent : document[place]
        return list
    }

    private func facetContext(_ facet: Facet) -> FacetContext {
        var made = FacetContext(id: resource.id)
        if facet == .grants, let relation = accountBlock {
            let found = context.related(relation)
            if let block = found.members.first {
                made.accountPublicAccessBlock = block.document[PropertyPath(names: "PublicAccessBlockConfiguration")]
            } else {
                made.accountPublicAccessBlock = found.openBecause.map(StateValue.unknown) ?? .absent
            }
        }
        return made
    }
}
