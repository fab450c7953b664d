internal import HoldfastJSON

/// How an operation names its one resource, where that can be read off the event's text without making trees: one
/// text in one place, and ids that have no other variable. What is not quite so is resolved by the long way, which
/// finds the same.
struct PlainNaming: Sendable {
    /// Slots of the places where the name may stand; the first that is there counts.
    private let names: [Int]
    /// The slot of a list, of whose elements the first with a text of this name says the account.
    private let accounts: (slot: Int, member: FieldSet)?
    private let type: String
    private let id: IDTemplate
    private let nameVariable: String
    private let isGlobal: Bool
    private let idHasAccount: Bool
    private let idHasRegion: Bool

    /// `nil` where the long way is needed.
    init?(_ effect: EventEffect, of type: ResourceType, in places: EventPlaces) {
        guard type.cloud == .aws, effect.each == nil, effect.matches.isEmpty, effect.conditions.isEmpty,
            effect.types.count == 1, effect.variables.isEmpty, effect.region == nil, let source = effect.name,
            let nameVariable = type.nameVariable,
            type.id.variables.allSatisfy({ $0 == nameVariable || ResourceType.surroundings.contains($0) })
        else { return nil }
        let sources = if case .firstOf(let sources) = source { sources } else { [source] }
        var names: [Int] = []
        for source in sources {
            guard case .path(let place) = source, let slot = places.slot(of: place) else { return nil }
            names.append(slot)
        }
        switch effect.account {
        case nil: accounts = nil
        case .path(let place)?:
            guard place.steps.count == 3, place.steps[1] == .each, case .name(let member) = place.steps[2],
                let slot = places.slot(of: EventPath(up: place.up, steps: [place.steps[0]]))
            else { return nil }
            accounts = (slot, FieldSet([member]))
        default: return nil
        }
        self.names = names
        self.type = type.name
        id = type.id
        self.nameVariable = nameVariable
        isGlobal = type.scope == .global
        idHasAccount = type.accountVariable != nil
        idHasRegion = type.idHasRegion
    }

    /// - Returns: `nil` where the event is not as usual.
    func resource(
        _ slots: [JSONSlice], in text: Swift.Span<UInt8>, of event: ChangeEvent
    ) -> (resource: ResourceID, context: ResourceContext, variables: Variables)? {
        guard let slot = names.lazy.map({ slots[$0] }).first(where: { !$0.isAbsent && $0.kind != .null }),
            slot.kind == .string, !slot.isEscaped, let name = slot.string(in: text),
            id.canHold(name, in: nameVariable),
            let account = account(slots, in: text, of: event), !account.isEmpty || !idHasAccount,
            !event.region.isEmpty || !idHasRegion
        else { return nil }
        var variables = Variables()
        variables[nameVariable] = name
        variables.account = account
        variables.region = event.region
        guard let id = id.filled({ variables[$0] }) else { return nil }
        let context = ResourceContext(cloud: .aws, account: account, region: isGlobal ? "" : event.region)
        return (ResourceID(type: type, id: id), context, variables)
    }

    private func account(_ slots: [JSONSlice], in text: Swift.Span<UInt8>, of event: ChangeEvent) -> String? {
        guard let accounts else { return event.account }
        let list = slots[accounts.slot]
        if list.isAbsent || list.kind == .null { return event.account }
        guard list.kind == .array else { return nil }
        var elements = JSONElements(list)
        var found: [JSONSlice] = []
        while let next = elements.next(in: text, fields: accounts.member, into: &found) {
            guard next.outcome == .fields else { return nil }
            if found[0].isAbsent || found[0].kind == .null { continue }
            return found[0].string(in: text)
        }
        return event.account
    }
}
