/// The denies of a policy document that are known in full.
struct PolicyDenies {
    private struct Deny {
        var parties: PolicyParties
        var actions: PolicyPatterns
        var resources: PolicyPatterns
        var conditions: [PolicyCondition]

        func covers(_ statement: PolicyStatement) -> Bool {
            guard case .known(let own) = statement.actions, case .known(let things) = statement.resources else {
                return false
            }
            return actions.covers(own) && resources.covers(things ?? .everything)
        }
    }
    private var denies: [Deny]

    init(_ statements: [PolicyStatement]) {
        denies = statements.compactMap { statement in
            guard statement.allows.value == false, case .known(let parties) = statement.parties,
                case .known(let actions) = statement.actions, case .known(let resources) = statement.resources,
                case .known(let conditions) = statement.conditions
            else { return nil }
            return Deny(
                parties: parties, actions: actions, resources: resources ?? .everything, conditions: conditions)
        }
    }

    /// The actions, as they are written, that no deny takes from a principal for all resources of the statement.
    func actions(of statement: PolicyStatement, for principal: String) -> [String] {
        let applying = denies.filter { $0.conditions.isEmpty && PolicyDenies.covers($0.parties, principal) }
        guard case .known(let actions) = statement.actions, case .known(let resources) = statement.resources else {
            return statement.shownActions
        }
        let things = resources ?? .everything
        if actions.isNegated {
            return applying.contains { $0.covers(statement) } ? [] : statement.shownActions
        }
        return zip(actions.texts, statement.shownActions).filter { action, _ in
            !applying.contains { $0.actions.covers(action) && $0.resources.covers(things) }
        }.map(\.1)
    }

    /// To whom denies narrow what a statement grants to anyone; `nil` where they do not.
    func narrowed(_ statement: PolicyStatement) -> [String]? {
        for deny in denies where deny.covers(statement) {
            switch deny.parties {
            case .allBut(let names) where deny.conditions.isEmpty: return names
            case .listed(let names) where names.contains("*"):
                if let rest = PolicyCondition.left(by: deny.conditions) { return rest }
            default: continue
            }
        }
        return nil
    }

    private static func covers(_ parties: PolicyParties, _ principal: String) -> Bool {
        let account = PolicyStatement.account(of: principal)
        switch parties {
        case .holder: return true
        case .listed(let names):
            return names.contains { $0 == "*" || $0 == principal || $0 == account }
        case .allBut(let names):
            // Anyone is more than all but some.
            return principal != "*" && !names.contains { $0 == principal || PolicyStatement.account(of: $0) == account }
        }
    }
}
