package import HoldfastJSON

extension Catalog {
    /// The resource of a type that a text names: its id in any known form, or the value of the id's last variable.
    ///
    /// - Parameter context: where the text was read; account and region come from there where the text gives none.
    /// - Returns: `nil` where the type is not known, or the text is an id of something else.
    package func resource(type name: String, named text: String, in context: ResourceContext) -> ResourceID? {
        guard let type = types[name], let values = type.variables(named: text) else { return nil }
        return type.resource(values, account: context.account, region: context.region)?.id
    }

    /// The resource that an id is of, in its canonical form, whatever its type.
    package func resource(id: String) -> ResourceID? {
        for name in typeNames {
            guard let type = types[name], let values = type.variables(inID: id) else { continue }
            if let found = type.resource(values, account: "", region: "") { return found.id }
        }
        return nil
    }

    /// The names other than its id that events may give a resource, as alias ids.
    package func aliases(of resource: ResourceID, context: ResourceContext, configuration: JSON) -> [ResourceID] {
        guard let type = types[resource.type] else { return [] }
        return type.knownBy.sorted { $0.key.precedesInUTF8($1.key) }.compactMap { kind, path in
            configuration.value(at: path)?.scalarText.map { type.alias(kind: kind, value: $0, context: context) }
        }
    }

    enum Resolution {
        case resource(ResourceID, ResourceContext, Variables)
        /// The id's beginning says that it is of none of the types that are meant.
        case anotherType
        case unresolved(String)
    }

    func resolve(_ effect: EventEffect, in scope: EventScope, event: ChangeEvent) -> Resolution {
        var scope = scope
        for match in effect.matches {
            guard let text = match.source.value(in: scope)?.firstScalarText else { continue }
            let lower = event.cloud == .azure
            let form = lower ? match.template.lowercased : match.template
            guard let values = form.values(in: lower ? text.lowercased() : text) else {
                return .unresolved("\"\(text)\" is not of the form \(match.template)")
            }
            scope.variables.merge(values)
        }
        let text = effect.name?.value(in: scope)?.firstScalarText
        guard let type = meantType(of: effect, name: text) else { return .anotherType }
        var strange: String?
        if let text, !text.isEmpty {
            if let values = type.variables(named: text) {
                scope.variables.merge(values)
            } else {
                strange = "\"\(text)\" is no id of \(type.name)"
            }
        }
        for variable in effect.variables {
            guard let value = variable.source.value(in: scope)?.firstScalarText else { continue }
            scope.variables[variable.name] = type.cloud == .azure ? value.lowercased() : value
        }
        let account = effect.account?.value(in: scope)?.firstScalarText ?? event.account
        let region = effect.region?.value(in: scope)?.firstScalarText ?? event.region
        if let found = type.resource(scope.variables, account: account, region: region) {
            return .resource(found.id, found.context, found.variables)
        }
        if let alias = effect.alias, let value = alias.source.value(in: scope)?.firstScalarText, !value.isEmpty {
            let context = type.context(account: account, region: region, variables: [:])
            let id = type.alias(kind: alias.kind, value: value, context: context)
            return .resource(id, context, scope.variables)
        }
        if let strange { return .unresolved(strange) }
        let missing = type.missing(scope.variables, account: account, region: region)
        return .unresolved("the event does not say \(missing.joined(separator: ", "))")
    }

    private func meantType(of effect: EventEffect, name: String?) -> ResourceType? {
        if effect.types.count == 1 { return types[effect.types[0]] }
        guard let name else { return nil }
        return effect.types.lazy.compactMap { types[$0] }.first { type in
            let value = type.variables(named: name).flatMap { values in type.nameVariable.flatMap { values[$0] } }
            return value?.hasPrefix(type.namePrefix) ?? false
        }
    }
}

extension ResourceType {
    /// What every id may hold and every event gives.
    static let surroundings = ["partition", "account", "subscription", "project", "region"]

    /// The variables' values in an id of this type, in any known form; `nil` where it is none.
    func variables(inID text: String) -> Variables? {
        let text = cloud == .azure ? text.lowercased() : text
        for form in forms {
            if let values = form.values(in: text) { return values }
        }
        return nil
    }

    /// The same, or the text as the value of the name's variable.
    func variables(named text: String) -> Variables? {
        if let values = variables(inID: text) { return values }
        guard let nameVariable, id.canHold(text, in: nameVariable) else { return nil }
        return [nameVariable: cloud == .azure ? text.lowercased() : text]
    }

    struct Resolved {
        var id: ResourceID
        var context: ResourceContext
        var variables: Variables
    }

    /// - Parameter account: of the event or the neighbour that names the resource; empty where nothing is known.
    func resource(_ variables: Variables, account: String, region: String) -> Resolved? {
        let all = completed(variables, account: account, region: region)
        guard var text = id.filled({ all[$0] }) else { return nil }
        if cloud == .azure { text = text.lowercased() }
        return Resolved(
            id: ResourceID(type: name, id: text), context: context(account: account, region: region, variables: all),
            variables: all)
    }

    /// The variables of the id that have no value.
    func missing(_ variables: Variables, account: String, region: String) -> [String] {
        let all = completed(variables, account: account, region: region)
        return id.variables.filter { all[$0]?.isEmpty ?? true }
    }

    private func completed(_ variables: Variables, account: String, region: String) -> Variables {
        var all = variables
        all.account = account
        all.region = region
        return all
    }

    func context(account: String, region: String, variables: Variables) -> ResourceContext {
        // What the id says of its place is truer than where the event was logged.
        let place = idHasRegion ? variables["region"] ?? region : region
        return ResourceContext(
            cloud: cloud, account: accountVariable.flatMap { variables[$0] } ?? account,
            region: scope == .global ? "" : place)
    }

    func alias(kind: String, value: String, context: ResourceContext) -> ResourceID {
        ResourceID(type: name, id: "alias:\(kind)/\(value)@\(context.account)/\(context.region)")
    }

    /// AWS's partition by a region's name (`aws` where none is known).
    static func partition(of region: String) -> String {
        if region.hasPrefix("cn-") { return "aws-cn" }
        if region.hasPrefix("us-gov-") { return "aws-us-gov" }
        if region.hasPrefix("us-iso-") { return "aws-iso" }
        if region.hasPrefix("us-isob-") { return "aws-iso-b" }
        return "aws"
    }
}

extension JSON {
    /// What stands at a path of names and indexes; `nil` where there is nothing.
    package func value(at path: PropertyPath) -> JSON? {
        var value = self
        for step in path.steps {
            switch step {
            case .name(let name):
                guard let member = value[name] else { return nil }
                value = member
            case .index(let index):
                guard let elements = value.array, index < elements.count else { return nil }
                value = elements[index]
            case .each: return nil
            }
        }
        return value
    }
}
