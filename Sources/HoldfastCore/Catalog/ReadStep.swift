package import HoldfastJSON

/// One call of those that together read a resource, and what its answer says of the resource's properties.
package struct ReadStep: Sendable {
    package var call: String
    /// Once for each element of what was read so far (`Policies[]`); what is filled is then inside the element.
    var each: PropertyPath?
    var parameters: [Parameter]
    /// Where in the answer the resource stands; the first one there counts, and none there means that it is gone.
    var at: EventPath?
    var fills: [CarriedChange.Assignment]
    /// Properties that are taken as they are, by name.
    var copies: [String]
    /// Error codes that mean that these properties are absent.
    var absent: [String]
    /// Error codes that mean that there is no such resource.
    var gone: [String]
    /// What an answer says of a resource that is gone but for its name: a project that is being deleted.
    var goneWhen: [EventCondition]
    /// Of what was read so far.
    var conditions: [EventCondition]
    var tests: [ReadTest]
    var place: SourcePlace

    struct Parameter: Sendable {
        var name: String
        var source: ValueSource
    }

    /// The properties of the type that this step fills.
    package var paths: [PropertyPath] {
        let own = fills.map(\.path) + copies.map { PropertyPath(names: $0) }
        guard let each else { return own }
        return own.map { PropertyPath(each.steps + $0.steps) }
    }

    func isGone(in answer: EventScope) -> Bool {
        !goneWhen.isEmpty && goneWhen.allSatisfy { $0.holds(in: answer) }
    }

    /// It needs something that another step reads.
    var needsOthers: Bool {
        each != nil || !conditions.isEmpty || parameters.contains { !$0.source.paths.isEmpty }
    }
}

/// The call that lists all resources of a type in one account and region.
package struct ListStep: Sendable {
    package var call: String
    var parameters: [ReadStep.Parameter]
    /// Where the resources stand in the answer: `SecurityGroups[]`.
    var each: EventPath
    /// As in an event: of a whole id or the last variable's value.
    var name: ValueSource?
    /// Of other variables of the id.
    var variables: [(name: String, source: ValueSource)]
    var region: ValueSource?
    /// Error codes that mean that there are none: the service is not in use there.
    package var absent: [String]
    var conditions: [EventCondition]
    var tests: [ListTest]
    var place: SourcePlace
}

/// A test of a read step: an answer, and what it must fill.
struct ReadTest: Sendable {
    var given: JSON
    /// What was read before.
    var document: JSON
    /// `nil`: the resource is gone.
    var fills: [(path: PropertyPath, value: JSON)]?
    var asks: JSON?
    var place: SourcePlace
}

/// A test of a list step: an answer, and the ids in it.
struct ListTest: Sendable {
    var given: JSON
    var lists: [String]
    var place: SourcePlace
}

/// A call that is to be made now, for a read.
package struct CallRequest: Sendable {
    package var call: String
    package var parameters: JSONObject
    /// Which step, and of an `each:` which element.
    var step: Int
    var element: Int?
}

extension ReadStep {
    func asked(in scope: EventScope, step: Int, element: Int? = nil) -> CallRequest {
        CallRequest(call: call, parameters: parameters.filled(in: scope), step: step, element: element)
    }
}

extension [ReadStep.Parameter] {
    func filled(in scope: EventScope) -> JSONObject {
        JSONObject(compactMap { parameter in parameter.source.value(in: scope).map { (parameter.name, $0) } })
    }
}

extension ListStep {
    /// What to ask for all resources of the type in a place.
    package func asked(of type: ResourceType, in context: ResourceContext) -> CallRequest {
        var scope = EventScope(value: .null)
        scope.variables = type.surroundings(of: context)
        return CallRequest(call: call, parameters: parameters.filled(in: scope), step: 0, element: nil)
    }

    /// The resources in an answer (one page of it), each with the element that it was found in; what has no id is
    /// left out and told of.
    package func resources(
        in answer: JSON, of type: ResourceType, at context: ResourceContext
    ) -> (found: [ListedResource], unnamed: Int) {
        var found: [ListedResource] = []
        var unnamed = 0
        for scope in EventScope(value: answer).entering(each)
        where conditions.allSatisfy({ $0.holds(in: scope) }) {
            var variables = name?.value(in: scope)?.firstScalarText.flatMap { type.variables(named: $0) } ?? [:]
            for (name, source) in self.variables {
                guard let value = source.value(in: scope)?.firstScalarText else { continue }
                variables[name] = type.cloud == .azure ? value.lowercased() : value
            }
            let region = region?.value(in: scope)?.firstScalarText ?? context.region
            guard let resolved = type.resource(variables, account: context.account, region: region) else {
                unnamed += 1
                continue
            }
            found.append(
                ListedResource(
                    resource: resolved.id, context: resolved.context, element: scope.values[scope.values.count - 1]))
        }
        return (found, unnamed)
    }
}

/// A resource that a list named, and the part of the answer that it stood in.
package struct ListedResource: Sendable {
    package var resource: ResourceID
    package var context: ResourceContext
    package var element: JSON

    package init(resource: ResourceID, context: ResourceContext, element: JSON) {
        self.resource = resource
        self.context = context
        self.element = element
    }
}

extension ResourceType {
    /// The variables that every resource in a place has.
    func surroundings(of context: ResourceContext) -> Variables {
        var variables = Variables()
        variables.account = context.account
        variables.region = context.region
        return variables
    }

    /// The one resource of this type in a place, where there is one in every account or region: its id has no name.
    package func single(in context: ResourceContext) -> ResourceID? {
        nameVariable == nil ? resource([:], account: context.account, region: context.region)?.id : nil
    }
}
