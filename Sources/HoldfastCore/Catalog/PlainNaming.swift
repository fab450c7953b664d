internal import HoldfastJSON

/// How an operation names its resources, where that can be read off the event's text without making trees: one text
/// in one place, or in each element of one list, and ids that have no other variable. What is not quite so is resolved
/// by the long way, which finds the same.
final class PlainNaming: Sendable {
    /// Slots of the places where the name may stand; the first that is there counts.
    private let names: [Int]
    /// The slot of a list, of whose elements the first with a text of this name says the account.
    private let accounts: (slot: Int, member: FieldSet)?
    /// The slot of a list, each of whose elements has a name in this member.
    private let each: (slot: Int, member: FieldSet)?
    private let targets: [Target]

    /// A type that the name may be of.
    final class Target: Sendable {
        let type: String
        private let id: IDTemplate
        private let parts: [Part]
        private let variable: String
        /// How names of this type begin; empty where it is the only type.
        let prefix: String
        private let isGlobal: Bool
        private let idHasAccount: Bool
        private let idHasRegion: Bool

        /// Of the id, with what is known to stand there.
        private enum Part: Sendable {
            case text(String)
            case name, account, region, partition
        }

        init?(_ type: ResourceType, isOnly: Bool) {
            guard type.cloud == .aws, let variable = type.nameVariable,
                type.id.variables.allSatisfy({ $0 == variable || ResourceType.surroundings.contains($0) })
            else { return nil }
            self.type = type.name
            id = type.id
            var parts: [Part] = []
            for part in type.id.parts {
                switch part {
                case .text(let text): parts.append(.text(text))
                case .variable(variable), .wide(variable): parts.append(.name)
                case .variable("account"): parts.append(.account)
                case .variable("region"): parts.append(.region)
                case .variable("partition"): parts.append(.partition)
                case .variable, .wide: return nil
                }
            }
            self.parts = parts
            self.variable = variable
            prefix = isOnly ? "" : type.namePrefix
            isGlobal = type.scope == .global
            idHasAccount = type.accountVariable != nil
            idHasRegion = type.idHasRegion
        }

        func named(
            _ name: String, account: String, _ event: ChangeEvent, element: Int?
        ) -> PlainNaming.Named? {
            guard id.canHold(name, in: variable), !account.isEmpty || !idHasAccount,
                !event.region.isEmpty || !idHasRegion
            else { return nil }
            var text = ""
            text.reserveCapacity(112)
            for part in parts {
                switch part {
                case .text(let fixed): text += fixed
                case .name: text += name
                case .account: text += account
                case .region: text += event.region
                case .partition: text += ResourceType.partition(of: event.region)
                }
            }
            return PlainNaming.Named(
                resource: ResourceID(type: type, id: text),
                context: ResourceContext(cloud: .aws, account: account, region: isGlobal ? "" : event.region),
                variable: variable, name: name, element: element)
        }
    }

    struct Named {
        var resource: ResourceID
        var context: ResourceContext
        /// The variable of the id that the event gives, and its value; the others are of the surroundings.
        var variable: String
        var name: String
        /// Which element of the list names it; `nil` without a list.
        var element: Int?
    }

    /// `nil` where the long way is needed.
    init?(_ effect: EventEffect, of types: [ResourceType], in places: EventPlaces) {
        guard effect.matches.isEmpty, effect.conditions.isEmpty, effect.variables.isEmpty, effect.region == nil,
            let source = effect.name
        else { return nil }
        var targets: [Target] = []
        for type in types {
            guard let target = Target(type, isOnly: types.count == 1) else { return nil }
            targets.append(target)
        }
        self.targets = targets
        if let list = effect.each {
            guard effect.account == nil, effect.alias == nil, list.steps.last == .each,
                let slot = places.slot(of: EventPath(up: list.up, steps: Array(list.steps.dropLast()))),
                case .path(let place) = source, place.up == 0, place.steps.count == 1,
                case .name(let member) = place.steps[0]
            else { return nil }
            each = (slot, FieldSet([member]))
            (names, accounts) = ([], nil)
            return
        }
        guard types.count == 1 else { return nil }
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
        each = nil
    }

    /// Gives each resource that the event names.
    ///
    /// - Returns: whether the event is as usual; where it is not, what was given does not count.
    func resources(
        _ slots: [JSONSlice], in text: Swift.Span<UInt8>, of event: ChangeEvent, give: (Named) -> Void
    ) -> Bool {
        if let each {
            return elements(of: slots[each.slot], each.member, in: text, event, give)
        }
        guard let slot = names.lazy.map({ slots[$0] }).first(where: { !$0.isAbsent && $0.kind != .null }),
            let account = account(slots, in: text, of: event),
            let named = named(slot, in: text, account: account, event, element: nil), let named
        else { return false }
        give(named)
        return true
    }

    /// `.some(nil)` where the name is of none of the types; `nil` where it is not as usual.
    private func named(
        _ slot: JSONSlice, in text: Swift.Span<UInt8>, account: String, _ event: ChangeEvent, element: Int?
    ) -> Named?? {
        guard slot.kind == .string, !slot.isEscaped, let name = slot.string(in: text) else { return nil }
        if targets.count > 1, name.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }) {
            return nil
        }
        guard let index = targets.firstIndex(where: { name.hasPrefix($0.prefix) }) else { return .some(nil) }
        guard let named = targets[index].named(name, account: account, event, element: element) else { return nil }
        return named
    }

    /// What each element of a list names. EC2's lists lie in maps: `{"items":[…]}`.
    private func elements(
        of list: JSONSlice, _ member: FieldSet, in text: Swift.Span<UInt8>, _ event: ChangeEvent,
        _ give: (Named) -> Void
    ) -> Bool {
        var slots: [JSONSlice] = []
        var array = list
        if list.kind == .object {
            // The only member, with no space around it.
            guard PlainNaming.items.scan(list, in: text, into: &slots) == .fields, slots[0].kind == .array,
                slots[0].range.lowerBound == list.range.lowerBound + 9,
                slots[0].range.upperBound == list.range.upperBound - 1
            else { return false }
            array = slots[0]
        }
        guard array.kind == .array else { return false }
        var elements = JSONElements(array)
        var index = 0
        while let next = elements.next(in: text, fields: member, into: &slots) {
            guard next.outcome == .fields,
                let named = named(slots[0], in: text, account: event.account, event, element: index)
            else { return false }
            if let named { give(named) }
            index += 1
        }
        return index > 0
    }

    private static let items = FieldSet(["items"])

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
