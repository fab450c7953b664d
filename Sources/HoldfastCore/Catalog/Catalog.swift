package import HoldfastJSON

/// What the clouds' types, calls and audit events are: everything under `catalog/`, loaded and checked.
package struct Catalog: Sendable {
    /// By name: `AWS::S3::Bucket`.
    package internal(set) var types: [String: ResourceType] = [:]
    /// By name: `s3.PutBucketPolicy`.
    package internal(set) var calls: [String: CloudCall] = [:]
    /// By action.
    var meanings: [String: EventMeaning] = [:]
    /// Operations that are known and change nothing that is watched, with the reason.
    var notOurs: [String: String] = [:]
    /// The cloud of each of them.
    var notOursClouds: [String: Cloud] = [:]
    /// The same for all operations that begin so; the longest first.
    var notOursPrefixes: [(prefix: String, reason: String)] = []
    /// How accounts are found, by what the configuration calls it: `aws-organization`.
    package internal(set) var discoveries: [String: DiscoveryPlan] = [:]
    /// What the providers' models are called, and how their operations are logged.
    package internal(set) var models: [ProviderModel] = []
    /// How AWS's calls travel, by the provider's model: `s3`.
    package internal(set) var wireModels: [String: WireModel] = [:]
    /// Sorted by name.
    package internal(set) var partitions: [AWSPartition] = []
    /// The name of the type that a sample is of.
    var sampleTypes: [String: String] = [:]

    package init() {}

    package var typeNames: [String] { types.keys.sorted { $0.precedesInUTF8($1) } }
    package var callNames: [String] { calls.keys.sorted { $0.precedesInUTF8($1) } }
    /// Operations that have a meaning here, sorted.
    package var actions: [String] { meanings.keys.sorted { $0.precedesInUTF8($1) } }
    package var sampleNames: [String] { sampleTypes.keys.sorted { $0.precedesInUTF8($1) } }

    package func type(_ name: String) -> ResourceType? { types[name] }
    package func call(_ name: String) -> CloudCall? { calls[name] }

    /// A known state for tests: a top-level property that it does not name is unknown, null is absent.
    package func sample(_ name: String) -> (type: ResourceType, configuration: JSON)? {
        guard let type = sampleTypes[name].flatMap({ types[$0] }), let json = type.samples[name] else { return nil }
        return (type, json)
    }

    /// Operations that change a type, sorted; for `catalog show`.
    package func actions(changing type: String) -> [String] {
        actions.filter { meanings[$0]?.effects.contains { $0.types.contains(type) && $0.effect != .relates } ?? false }
    }
}

/// What the catalog makes of an event.
package enum CatalogMatch: Sendable {
    /// Every resource that the event names, in the order of the catalog file, each once; what should have named a
    /// resource and did not stands beside.
    case known([ResourceChange], unresolved: [UnresolvedEffect])
    /// Not in the catalog: to be counted by name.
    case unknownOperation
    /// Known to change nothing that is watched.
    case notOurs(reason: String)

    /// The changes; none where the operation has no meaning here.
    package var changes: [ResourceChange] { if case .known(let changes, _) = self { changes } else { [] } }
}

/// A resource that an event should name and does not, with the reason as a phrase: never silently nothing.
package struct UnresolvedEffect: Sendable, Hashable {
    package var type: String
    package var effect: Effect
    package var reason: String
}

/// What an event names, each resource resolved; what the event says of it is read when it is asked for.
package struct EventRoute: Sendable {
    struct Stop: Sendable {
        /// Which of the meaning's.
        var effect: Int
        var resource: ResourceID
        var context: ResourceContext
        var variables: Variables
        /// A variable of the id with its value, where no other has one.
        var named: (variable: String, value: String)?
        /// The element that the resource was found in, innermost last; `nil` for the event itself, or where
        /// ``element`` says which one it is.
        var values: [JSON]?
        var element: Int?
    }
    fileprivate(set) var stops: [Stop] = []
    package fileprivate(set) var unresolved: [UnresolvedEffect] = []

    /// In the order of the catalog file; one may be there twice.
    package var resources: [ResourceID] { stops.map(\.resource) }
}

/// Where an event leads.
package enum CatalogRoute: Sendable {
    case known(EventRoute)
    /// Not in the catalog: to be counted by name.
    case unknownOperation
    /// Known to change nothing that is watched.
    case notOurs(reason: String)
}

extension Catalog {
    /// What an event means for resources. Whether it succeeded is the caller's to ask: a failure names resources too.
    package func changes(for event: ChangeEvent) -> CatalogMatch {
        guard let meaning = meanings[event.action] else { return noChanges(event.action) }
        do {
            return try changes(of: event, .tree(event.body), by: meaning)
        } catch {
            preconditionFailure("a body that is a tree has been read")
        }
    }

    /// The same, reading no more of the event's body than is looked into.
    ///
    /// Throws where that has two members of one name: such an event is a dead letter.
    package func changes(reading event: ChangeEvent) throws(UndecodableRecord) -> CatalogMatch {
        guard let meaning = event.meaning ?? meanings[event.action] else { return noChanges(event.action) }
        return try changes(of: event, try event.found(meaning.places), by: meaning)
    }

    private func noChanges(_ action: String) -> CatalogMatch {
        notOurs(action).map { .notOurs(reason: $0) } ?? .unknownOperation
    }

    private func changes(
        of event: ChangeEvent, _ body: EventBody, by meaning: EventMeaning
    ) throws(UndecodableRecord) -> CatalogMatch {
        let route = try route(event, body, by: meaning)
        let tree = try body.tree(meaning.places)
        var changes: [ResourceChange] = []
        var entered: (effect: Int, scopes: [EventScope]) = (-1, [])
        for var stop in route.stops {
            if let element = stop.element, let each = meaning.effects[stop.effect].each {
                if entered.effect != stop.effect {
                    entered = (stop.effect, EventScope(event, body: tree).entering(each))
                }
                stop.values = entered.scopes[element].values
            }
            add(change(of: stop, meaning.effects[stop.effect], event, body: tree), to: &changes)
        }
        return .known(changes, unresolved: route.unresolved)
    }

    /// The resources that an event names: what intake asks of every event that it keeps.
    package func route(_ event: ChangeEvent) throws(UndecodableRecord) -> CatalogRoute {
        guard let meaning = event.meaning ?? meanings[event.action] else {
            return notOurs(event.action).map { .notOurs(reason: $0) } ?? .unknownOperation
        }
        return .known(try route(event, try event.found(meaning.places), by: meaning))
    }

    /// Why an operation changes nothing that is watched; `nil` where that is not known.
    private func notOurs(_ action: String) -> String? {
        notOurs[action] ?? notOursPrefixes.first { action.hasPrefix($0.prefix) }?.reason
    }

    private func route(
        _ event: ChangeEvent, _ body: EventBody, by meaning: EventMeaning
    ) throws(UndecodableRecord) -> EventRoute {
        var route = EventRoute()
        var scope: EventScope?
        for index in meaning.effects.indices {
            if let plain = meaning.plain[index], follow(plain, index, body, of: event, into: &route) { continue }
            let whole =
                if let scope { scope } else { EventScope(event, body: try body.namingTree(meaning.places)) }
            follow(meaning.effects[index], index, scope: whole, event: event, into: &route)
            scope = whole
        }
        return route
    }

    private func follow(
        _ plain: PlainNaming, _ index: Int, _ body: EventBody, of event: ChangeEvent, into route: inout EventRoute
    ) -> Bool {
        let count = route.stops.count
        let isUsual = body.withFound { slots, text in
            plain.resources(slots, in: text, of: event) { found in
                route.stops.append(
                    EventRoute.Stop(
                        effect: index, resource: found.resource, context: found.context, variables: Variables(),
                        named: (found.variable, found.name), element: found.element))
            }
        }
        if isUsual != true { route.stops.removeSubrange(count...) }
        return isUsual == true
    }

    private func follow(
        _ effect: EventEffect, _ index: Int, scope: EventScope, event: ChangeEvent, into route: inout EventRoute
    ) {
        let scopes = effect.each.map { scope.entering($0) } ?? [scope]
        if scopes.isEmpty, effect.effect != .relates, let each = effect.each, !scope.hasList(at: each) {
            route.unresolved.append(
                UnresolvedEffect(type: effect.types[0], effect: effect.effect, reason: "the event lists none"))
        }
        for scope in scopes where effect.conditions.allSatisfy({ $0.holds(in: scope) }) {
            switch resolve(effect, in: scope, event: event) {
            case .resource(let id, let context, let variables):
                route.stops.append(
                    EventRoute.Stop(
                        effect: index, resource: id, context: context, variables: variables,
                        values: effect.each == nil ? nil : scope.values))
            case .anotherType: break
            case .unresolved(let reason):
                // What is only related may be left out of an event.
                guard effect.effect != .relates else { break }
                route.unresolved.append(
                    UnresolvedEffect(type: effect.types[0], effect: effect.effect, reason: reason))
            }
        }
    }

    /// Two effects on one resource become one change, with the effect that says more.
    private func add(_ change: ResourceChange, to changes: inout [ResourceChange]) {
        guard let index = changes.firstIndex(where: { $0.resource == change.resource }) else {
            changes.append(change)
            return
        }
        let order: [Effect] = [.creates, .deletes, .changes, .relates]
        changes[index].effect = order.first { $0 == changes[index].effect || $0 == change.effect } ?? .changes
        changes[index].changes += change.changes.filter { !changes[index].changes.contains($0) }
    }

    private func change(
        of stop: EventRoute.Stop, _ effect: EventEffect, _ event: ChangeEvent, body: JSON
    ) -> ResourceChange {
        var scope = EventScope(event, body: .null)
        scope.values = stop.values ?? [body]
        scope.variables = stop.variables
        if let named = stop.named {
            scope.variables[named.variable] = named.value
            (scope.variables.account, scope.variables.region) = (stop.context.account, event.region)
        }
        return ResourceChange(
            resource: stop.resource, context: stop.context, effect: effect.effect,
            changes: types[stop.resource.type].map { evidence(of: effect, in: scope, type: $0) } ?? [])
    }

    private func evidence(of effect: EventEffect, in scope: EventScope, type: ResourceType) -> [EvidenceChange] {
        switch effect.effect {
        case .creates: [.created] + carried(effect, in: scope, type: type)
        case .deletes: [.deleted]
        case .changes: carried(effect, in: scope, type: type)
        case .relates: []
        }
    }

    private func carried(_ effect: EventEffect, in scope: EventScope, type: ResourceType) -> [EvidenceChange] {
        effect.carries.flatMap { $0.changes(in: scope, of: type) }.map(type.withoutSecrets)
    }
}

extension ResourceType {
    /// A change with nothing secret in it: a secret path counts as touched.
    func withoutSecrets(_ change: EvidenceChange) -> EvidenceChange {
        guard !secret.isEmpty else { return change }
        switch change {
        case .set(let path, let value):
            if secret.contains(where: path.hasPrefix) { return .touched(path) }
            let inside = secret.filter { $0.hasPrefix(path) }
            return .set(path, inside.reduce(value) { $0.removing($1.steps.dropFirst(path.steps.count)) })
        case .put(let list, let key, let value):
            let inside = secret.filter { $0.hasPrefix(list.appending(.each)) }
            return .put(
                list: list, key: key, inside.reduce(value) { $0.removing($1.steps.dropFirst(list.steps.count + 1)) })
        case .created, .deleted, .remove, .touched: return change
        }
    }
}

extension JSON {
    /// The tree without what stands at a path.
    func removing(_ steps: ArraySlice<PropertyPath.Step>) -> JSON {
        guard let step = steps.first else { return self }
        switch (step, self) {
        case (.name(let name), .object(var object)):
            guard let member = object[name] else { return self }
            object[name] = steps.count == 1 ? nil : member.removing(steps.dropFirst())
            return .object(object)
        case (.each, .array(let elements)):
            return .array(steps.count == 1 ? [] : elements.map { $0.removing(steps.dropFirst()) })
        default: return self
        }
    }
}
