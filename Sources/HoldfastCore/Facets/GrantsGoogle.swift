internal import HoldfastJSON

extension Grants {
    /// Where a resource's bindings may stand: the first that is there counts.
    static let bindingPaths = [
        PropertyPath(names: "iamPolicy", "bindings"), PropertyPath(names: "policy", "bindings"),
        PropertyPath(names: "bindings"),
    ]

    /// Google's bindings: one item per member of a role, found again by `role member`. Members that were deleted are
    /// nobody. Where public access to a bucket is prevented, members that are the public have none; a bucket without
    /// uniform access also has its list (`acl`).
    static func bindings(_ document: StateValue, _ type: String, _ path: PropertyPath?) -> FacetValue {
        let place = path.map { asBindings($0, document) } ?? firstBindings(document)
        let list = document[place].elements(at: place)
        var items: [FacetItem] = []
        var open = list.open
        for (source, value) in list.elements {
            let members = value[member: "members"].elements(at: source.path.appending(.name("members")))
            open = open ?? members.open
            items += members.elements.compactMap { memberItem($0.value, $0.source, value) }
        }
        guard type == "storage.googleapis.com/Bucket" else { return .items(items, openBecause: open) }
        let configuration = document[member: "iamConfiguration"]
        if path == nil {
            let uniform = configuration[member: "uniformBucketLevelAccess"][member: "enabled"]
                .bool("uniformBucketLevelAccess", default: false)
            if uniform.value != true {
                let acl = document[member: "acl"].elements(at: PropertyPath(names: "acl"))
                open = open ?? acl.open
                items += acl.elements.map { entityItem($0.value, $0.source, uniform.reason) }
            }
        }
        switch configuration[member: "publicAccessPrevention"].text("publicAccessPrevention") {
        case .known("enforced"): items.removeAll { isPublic($0) }
        case .known: break
        case .unknown(let reason): items = items.map { isPublic($0) ? inDoubt($0, reason) : $0 }
        }
        return .items(items, openBecause: open)
    }

    private static func asBindings(_ path: PropertyPath, _ document: StateValue) -> PropertyPath {
        if path.steps.last == .name("bindings") { return path }
        return path.appending(.name("bindings"))
    }

    private static func firstBindings(_ document: StateValue) -> PropertyPath {
        let there = bindingPaths.first { if case .list = document[$0] { true } else { false } }
        // None is there: the one that is not known says why, and if all are absent nothing is granted.
        return there ?? bindingPaths.first { document[$0].unknownReason != nil } ?? bindingPaths[0]
    }

    private static func memberItem(_ value: StateValue, _ source: FacetSource, _ binding: StateValue) -> FacetItem? {
        var source = source
        let role = binding[member: "role"]
        let principal: StateValue
        switch value.text("\(source.path)") {
        case .unknown(let reason): principal = .unknown(reason)
        case .known(let member):
            guard let member, !member.hasPrefix("deleted:") else { return nil }
            principal = .scalar(.string(member))
            if case .known(let role?) = role.text("role") { source.key = "\(role) \(member)" }
        }
        let condition = binding[member: "condition"]
        let conditions: StateValue =
            switch condition[member: "expression"].text("condition") {
            case .unknown(let reason): .unknown(reason)
            case .known(let text): list(text.map { [$0] } ?? [])
            }
        return item(principal, one(role, "role"), .absent, conditions, source)
    }

    /// `{entity: allUsers, role: READER}` of a bucket's own list.
    private static func entityItem(_ value: StateValue, _ source: FacetSource, _ doubt: String?) -> FacetItem {
        var principal = value[member: "entity"]
        if case .known(var text?) = principal.text("entity") {
            for kind in ["user", "group", "domain"] where text.hasPrefix("\(kind)-") {
                text = "\(kind):" + text.dropFirst(kind.count + 1)
            }
            principal = doubt.map { .unknown($0) } ?? .scalar(.string(text))
        }
        return item(principal, one(value[member: "role"], "role"), .absent, list([]), source)
    }

    static func one(_ value: StateValue, _ what: String) -> StateValue {
        switch value.text(what) {
        case .unknown(let reason): .unknown(reason)
        case .known(let text): list(text.map { [$0] } ?? [])
        }
    }

    private static func isPublic(_ item: FacetItem) -> Bool {
        let principal = item.value[member: "principal"]
        return principal == .scalar("allUsers") || principal == .scalar("allAuthenticatedUsers")
    }

    private static func inDoubt(_ item: FacetItem, _ reason: String) -> FacetItem {
        guard case .map(var map) = item.value else { return item }
        map["principal"] = .unknown(reason)
        return FacetItem(value: .map(map), source: item.source)
    }
}
