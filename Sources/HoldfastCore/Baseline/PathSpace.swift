/// The paths that a type has, for checking the paths of rules and pins.
struct PathSpace: Sendable {
    enum Kind: Sendable, Hashable {
        case leaf, list, map
        /// A document: anything may stand here and below.
        case free
    }

    let type: ResourceType
    /// Every path and every prefix of one, as text with `[]` for each element.
    private var kinds: [String: Kind] = [:]
    /// The names right below a path.
    private var names: [String: Set<String>] = [:]

    init(_ type: ResourceType) {
        self.type = type
        kinds["."] = .map
        for text in type.paths {
            let isFree = text.hasSuffix(".*") || text == "*"
            guard let path = PropertyPath(isFree ? String(text.dropLast(text == "*" ? 1 : 2)) : text) else { continue }
            add(path, isFree: isFree)
        }
    }

    private mutating func add(_ path: PropertyPath, isFree: Bool) {
        var parent = PropertyPath()
        for step in path.steps {
            let above = parent.description
            switch step {
            case .name(let name):
                if kinds[above] != .free { kinds[above] = .map }
                names[above, default: []].insert(name)
            case .each, .index:
                if kinds[above] != .free { kinds[above] = .list }
            }
            parent = parent.appending(step)
            let here = parent.description
            if kinds[here] == nil { kinds[here] = .leaf }
        }
        if isFree { kinds[path.description] = .free }
    }

    /// What stands at a path; indexes count as any element. `nil` where the type has no such path.
    func kind(of path: PropertyPath) -> Kind? {
        let general = path.steps.map { step in if case .index = step { PropertyPath.Step.each } else { step } }
        var parent = PropertyPath()
        for step in general {
            if kinds[parent.description] == .free { return .free }
            parent = parent.appending(step)
        }
        return kinds[parent.description]
    }

    /// The names that may stand right below a path, sorted.
    func names(below path: PropertyPath) -> [String] {
        let general = PropertyPath(path.steps.map { step in if case .index = step { .each } else { step } })
        return (names[general.description] ?? []).sorted()
    }

    /// What is wrong with a path below another: the first name that the type does not have, with the nearest it has.
    func fault(of path: PropertyPath, below base: PropertyPath) -> String? {
        var here = base
        for step in path.steps {
            let next = here.appending(step)
            if kind(of: next) != nil {
                here = next
                continue
            }
            let place = here.isRoot ? type.name : "\(type.name) \(here)"
            guard case .name(let name) = step else { return "\(place) is no list" }
            let known = names(below: here)
            if known.isEmpty, kind(of: here.appending(.each)) != nil {
                return
                    "\(place) is a list; \(name) is of its elements: use any, all or none, or write \(here)[].\(name)"
            }
            return "\(place) has no property \"\(name)\"\(suggestion(for: name, among: known))"
        }
        return nil
    }
}
