internal import HoldfastJSON

extension Facet {
    /// What an element of the facet has, and what kind of value each is.
    var members: [String: PathSpace.Kind] {
        switch self {
        case .openings: ["from": .free, "ports": .free, "protocol": .leaf]
        case .grants: ["principal": .free, "action": .free, "resource": .free, "conditions": .free]
        }
    }

    func isDefined(for type: ResourceType) -> Bool { true }
}

extension Evaluator {
    /// The elements of a facet, each standing where the resource's own element does that leads to it.
    func facet(_ facet: Facet, of paths: [PropertyPath]) -> Cursor {
        Cursor(value: .unknown("\(facet.rawValue) cannot be computed"), path: PropertyPath())
    }
}
