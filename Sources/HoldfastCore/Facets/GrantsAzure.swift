internal import HoldfastJSON

extension Grants {
    /// A role assignment, which is one grant, or a key vault's access policies, which count where the vault does not
    /// leave access to role assignments.
    static func azure(_ document: StateValue, _ type: String) -> FacetValue {
        let body = document[member: "properties"]
        if type == "Microsoft.Authorization/roleAssignments" {
            if case .unknown(let reason) = body { return .unknown(reason) }
            let source = FacetSource(path: PropertyPath(names: "properties"), key: nil, actual: body.json)
            let grant = item(
                body[member: "principalId"], one(body[member: "roleDefinitionId"], "roleDefinitionId"),
                one(body[member: "scope"], "scope"), one(body[member: "condition"], "condition"), source)
            return .items([grant], openBecause: nil)
        }
        guard type == "Microsoft.KeyVault/vaults" else { return .unknown("grants are not read from \(type)") }
        let byRoles = body[member: "enableRbacAuthorization"].bool("enableRbacAuthorization", default: false)
        if byRoles.value == true { return .items([], openBecause: nil) }
        let path = PropertyPath(names: "properties", "accessPolicies")
        let policies = document[path].elements(at: path)
        let items = policies.elements.map { source, value in
            var source = source
            if case .known(let id?) = value[member: "objectId"].text("objectId") { source.key = source.key ?? id }
            let principal = byRoles.reason.map { StateValue.unknown($0) } ?? value[member: "objectId"]
            return item(principal, permissions(value[member: "permissions"]), .absent, list([]), source)
        }
        return .items(items, openBecause: policies.open)
    }

    /// `keys/get`, `secrets/all`.
    private static func permissions(_ value: StateValue) -> StateValue {
        guard case .map(let map) = value else { return value == .absent ? list([]) : value }
        var texts: [String] = []
        for member in map.members {
            switch member.value.texts(member.name) {
            case .unknown(let reason): return .unknown(reason)
            case .known(let names): texts += names.map { "\(member.name)/\($0)" }
            }
        }
        return list(texts)
    }
}
