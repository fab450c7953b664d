internal import HoldfastJSON

/// What one operation means for resources, as a catalog file says under `events:`. A class, for every event that is
/// kept looks one up, and a value would be copied each time.
final class EventMeaning: Sendable {
    /// `s3.amazonaws.com/PutBucketPolicy`; Azure's in lower case.
    let action: String
    let effects: [EventEffect]
    let tests: [EventTest]
    let place: SourcePlace
    /// Where in an event this looks.
    let places: EventPlaces
    /// Of each effect, where its resource can be read off the text.
    let plain: [PlainNaming?]

    init(
        action: String, effects: [EventEffect], tests: [EventTest], types: [String: ResourceType], place: SourcePlace
    ) {
        self.action = action
        self.effects = effects
        self.tests = tests
        self.place = place
        var naming: [EventPath] = []
        var others: [EventPath] = []
        for effect in effects {
            effect.forEachNamingPlace { naming.append($0) }
            for carried in effect.carries { carried.forEachPlace { others.append($0) } }
        }
        // What is said of an element may stand around it.
        let isSplit = effects.allSatisfy { $0.each == nil }
        let places =
            isSplit ? EventPlaces(naming: naming, others: others) : EventPlaces(naming: naming + others, others: [])
        plain = effects.map { effect in
            let meant = effect.types.compactMap { types[$0] }
            return meant.count == effect.types.count ? PlainNaming(effect, of: meant, in: places) : nil
        }
        self.places = places
    }

    /// The same meaning for another operation.
    init(_ other: EventMeaning, action: String, keepingTests: Bool) {
        self.action = action
        effects = other.effects
        tests = keepingTests ? other.tests : []
        place = other.place
        places = other.places
        plain = other.plain
    }
}

extension EventEffect {
    fileprivate func forEachNamingPlace(_ body: (EventPath) -> Void) {
        if let each { body(each) }
        let sources = [name, account, region, alias?.source].compactMap { $0 }
        for source in sources + matches.map(\.source) + variables.map(\.source) { source.forEachPlace(body) }
        for condition in conditions { body(condition.path) }
    }
}

extension CarriedChange {
    fileprivate func forEachPlace(_ body: (EventPath) -> Void) {
        for condition in conditions { body(condition.path) }
        switch kind {
        case .set(let assignments), .patch(let assignments):
            for assignment in assignments { assignment.source.forEachPlace(body) }
        case .copy(let from, _): body(from)
        case .put(_, let each, let key, let value):
            if let each { body(each) }
            key?.forEachPlace(body)
            value.forEachPlace(body)
        case .remove(_, let each, let key):
            if let each { body(each) }
            key.forEachPlace(body)
        case .touched: break
        }
    }
}

/// One effect of an operation on one resource, or on one resource for each element of a list.
struct EventEffect: Sendable {
    var effect: Effect
    /// Several where the id's beginning tells which is meant (``ResourceType/namePrefix``).
    var types: [String]
    var each: EventPath?
    /// Of a whole id, or of the last variable's value.
    var name: ValueSource?
    /// Of other variables of the id.
    var variables: [Variable]
    /// A text that has this form gives variables.
    var matches: [Match]
    var account: ValueSource?
    var region: ValueSource?
    var alias: Alias?
    var conditions: [EventCondition]
    var carries: [CarriedChange]
    var place: SourcePlace

    struct Variable: Sendable {
        var name: String
        var source: ValueSource
    }
    struct Match: Sendable {
        var source: ValueSource
        var template: IDTemplate
    }
    /// What the event names the resource by where it does not give its id.
    struct Alias: Sendable {
        var kind: String
        var source: ValueSource
    }
}

/// What an event says of a property.
struct CarriedChange: Sendable {
    enum Kind: Sendable {
        /// The operation replaces these; one that the event says nothing of was touched.
        case set([Assignment])
        /// The operation changes those of these that the event gives.
        case patch([Assignment])
        /// As `patch`, from members of the same name, or of one that begins with lower case.
        case copy(from: EventPath, names: [String])
        case put(PropertyPath, each: EventPath?, key: ValueSource?, value: ValueSource)
        case remove(PropertyPath, each: EventPath?, key: ValueSource)
        case touched([PropertyPath])
    }
    struct Assignment: Sendable {
        var path: PropertyPath
        var source: ValueSource
    }
    var kind: Kind
    var conditions: [EventCondition]
    var place: SourcePlace

    /// The paths of the type that this speaks of.
    var paths: [PropertyPath] {
        switch kind {
        case .set(let assignments), .patch(let assignments): assignments.map(\.path)
        case .copy(_, let names): names.map { PropertyPath(names: $0) }
        case .put(let list, _, _, _), .remove(let list, _, _): [list]
        case .touched(let paths): paths
        }
    }

    func changes(in scope: EventScope, of type: ResourceType) -> [EvidenceChange] {
        guard conditions.allSatisfy({ $0.holds(in: scope) }) else { return [] }
        switch kind {
        case .set(let assignments):
            return assignments.map { assignment in
                assignment.source.value(in: scope).map { .set(assignment.path, $0) } ?? .touched(assignment.path)
            }
        case .patch(let assignments):
            return assignments.compactMap { assignment in
                assignment.source.value(in: scope).map { .set(assignment.path, $0) }
            }
        case .copy(let from, let names):
            return copies(names, from: scope.value(at: from))
        case .put(let list, let each, let key, let value):
            return elements(each, in: scope).flatMap { put(list, key: key, value: value, in: $0, of: type) }
        case .remove(let list, let each, let key):
            return elements(each, in: scope).map { scope in
                key.value(in: scope)?.firstScalarText.map { .remove(list: list, key: type.keys.key($0)) }
                    ?? .touched(list)
            }
        case .touched(let paths): return paths.map { .touched($0) }
        }
    }

    private func elements(_ each: EventPath?, in scope: EventScope) -> [EventScope] {
        each.map { scope.entering($0) } ?? [scope]
    }

    private func copies(_ names: [String], from json: JSON?) -> [EvidenceChange] {
        guard let object = json?.object else { return [] }
        return names.compactMap { name in
            if let value = object[name], !value.isNull { return .set(PropertyPath(names: name), value) }
            guard let value = object[name.lowerFirst], !value.isNull else { return nil }
            // CloudTrail's names begin with lower case where CloudFormation's do not.
            return .set(PropertyPath(names: name), value.upperCamel)
        }
    }

    private func put(
        _ list: PropertyPath, key: ValueSource?, value: ValueSource, in scope: EventScope, of type: ResourceType
    ) -> [EvidenceChange] {
        guard let value = value.value(in: scope) else { return [.touched(list)] }
        let named =
            key.map { $0.value(in: scope)?.firstScalarText.map(type.keys.key) } ?? type.keys.key(of: value, in: list)
        guard let named else { return [.touched(list)] }
        return [.put(list: list, key: named, value)]
    }
}

extension ResourceType {
    /// What tells the elements of this type's lists apart. Azure's names mean the same in any letter case.
    package var keys: ListKeys { ListKeys(listKeys, ignoresCase: cloud == .azure) }
}
