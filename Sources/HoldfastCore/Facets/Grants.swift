internal import HoldfastJSON

/// What policy documents, bindings and access lists really allow, and to whom.
///
/// Each item is one principal of one statement, binding or list entry. Principals: `*` is anyone, `authenticated`
/// anyone with an account of the cloud; an AWS account is its number, whether written so or as its root; other
/// principals, services and federations are as they are written; Google's members keep their form
/// (`allUsers`, `user:a@example.org`). What is granted to anyone on a condition that names who is asking, or on whose
/// behalf, is granted to those that it names. `conditions` holds the keys of the conditions that exclude somebody.
///
/// A deny takes from a grant where it covers the grant's principal, actions and resources without a condition; one
/// with the single condition "unless it is …" narrows what is granted to anyone. Denies that are in doubt, or that
/// nobody has read, take nothing: what may be closed counts as granted.
enum Grants {
    static func value(
        of document: StateValue, type: String, path: PropertyPath?, _ context: FacetContext
    ) -> FacetValue {
        guard !defaults(type).isEmpty || path != nil else { return .unknown("grants are not read from \(type)") }
        if case .unknown(let reason) = document { return .unknown(reason) }
        if type.hasPrefix("AWS::") { return policies(document, type, path, context) }
        if type.hasPrefix("Microsoft.") { return azure(document, type) }
        return bindings(document, type, path)
    }

    /// The documents that a type has, where a rule does not say which it means.
    static func defaults(_ type: String) -> [PropertyPath] {
        if let names = documents[type] { return names.compactMap { PropertyPath($0) } }
        return type.contains(".googleapis.com/") ? bindingPaths : []
    }

    private static let documents: [String: [String]] = [
        "AWS::S3::Bucket": ["Policy", "Acl"],
        "AWS::IAM::Role": ["AssumeRolePolicyDocument"],
        "AWS::IAM::User": ["Policies[].PolicyDocument"],
        "AWS::IAM::Group": ["Policies[].PolicyDocument"],
        "AWS::IAM::Policy": ["PolicyDocument"],
        "AWS::IAM::ManagedPolicy": ["PolicyDocument"],
        "AWS::KMS::Key": ["KeyPolicy"],
        "AWS::SNS::Topic": ["Policy"],
        "AWS::SQS::Queue": ["Policy"],
        "AWS::Lambda::Function": ["Policy"],
        "AWS::SecretsManager::Secret": ["Policy"],
        "AWS::ECR::Repository": ["RepositoryPolicyText"],
        "AWS::EFS::FileSystem": ["FileSystemPolicy"],
        "AWS::OpenSearchService::Domain": ["AccessPolicies"],
        "Microsoft.Authorization/roleAssignments": ["properties"],
        "Microsoft.KeyVault/vaults": ["properties.accessPolicies"],
    ]

    /// What the facet reads, the documents and what decides over them.
    static func reads(_ type: String, _ path: PropertyPath?) -> [PropertyPath] {
        let documents = path.map { [$0] } ?? defaults(type)
        switch type {
        case "AWS::S3::Bucket":
            let ownership = documents.contains { $0.property == "Acl" } ? ["OwnershipControls"] : []
            return documents + (["PublicAccessBlockConfiguration"] + ownership).map { PropertyPath(names: $0) }
        case "storage.googleapis.com/Bucket":
            return documents + ["acl", "iamConfiguration"].map { PropertyPath(names: $0) }
        case "Microsoft.KeyVault/vaults":
            return documents + [PropertyPath(names: "properties", "enableRbacAuthorization")]
        default: return documents
        }
    }

    // MARK: AWS

    private static func policies(
        _ document: StateValue, _ type: String, _ path: PropertyPath?, _ context: FacetContext
    ) -> FacetValue {
        let block = type == "AWS::S3::Bucket" ? PublicAccessBlock(document, context) : nil
        var items: [FacetItem] = []
        var open: String?
        for documentPath in path.map({ [$0] }) ?? defaults(type) {
            for (place, value) in expand(documentPath, document, &open) {
                if type == "AWS::S3::Bucket", documentPath.property == "Acl" {
                    let list = accessList(value, place, document, block)
                    items += list.items
                    open = open ?? list.open
                    continue
                }
                let (statements, reason) = PolicyStatement.all(in: value, at: place)
                open = open ?? reason
                for statement in statements {
                    let grants = grants(of: statement, among: statements, context)
                    items += (block.map { grants.compactMap($0.policyGrant) } ?? grants).map(\.item)
                }
            }
        }
        return .items(items, openBecause: open)
    }

    /// The values at a path in which `[]` stands for each element, with where each stands.
    private static func expand(
        _ path: PropertyPath, _ document: StateValue, _ open: inout String?
    ) -> [(PropertyPath, StateValue)] {
        var found: [(PropertyPath, StateValue)] = [(PropertyPath(), document)]
        for step in path.steps {
            guard step == .each else {
                found = found.map { ($0.0.appending(step), $0.1[PropertyPath([step])]) }
                continue
            }
            found = found.flatMap { path, value in
                let list = value.elements(at: path)
                open = open ?? list.open
                return list.elements.map { ($0.source.path, $0.value) }
            }
        }
        return found
    }

    /// One principal's share of a statement.
    struct Grant {
        var statement: PolicyStatement
        var principal: StateValue
        var actions: [String]
        var conditions: StateValue

        var isPublic: Bool { principal == .scalar("*") }

        var item: FacetItem {
            let resources: StateValue
            switch statement.resources {
            case .unknown(let reason): resources = .unknown(reason)
            case .known(let patterns): resources = patterns.map { Grants.list($0.shown) } ?? .absent
            }
            let action = statement.actions.reason.map { StateValue.unknown($0) } ?? Grants.list(actions)
            return Grants.item(principal, action, resources, conditions, statement.source)
        }
    }

    static func item(
        _ principal: StateValue, _ action: StateValue, _ resource: StateValue, _ conditions: StateValue,
        _ source: FacetSource
    ) -> FacetItem {
        let members: [(String, StateValue)] = [
            ("principal", principal), ("action", action), ("resource", resource), ("conditions", conditions),
            ("element", .scalar(.string(source.path.description))),
        ]
        return FacetItem(value: .map(StateMap(members.filter { $0.1 != .absent })), source: source)
    }

    static func list(_ texts: [String]) -> StateValue {
        .list(StateList(texts.map { .init(value: .scalar(.string($0))) }))
    }

    private static func grants(
        of statement: PolicyStatement, among all: [PolicyStatement], _ context: FacetContext
    ) -> [Grant] {
        if statement.allows.value == false { return [] }
        let conditions: StateValue
        switch statement.conditions {
        case .unknown(let reason): conditions = .unknown(reason)
        case .known(let known): conditions = list(known.filter { !$0.isVoid }.map(\.key))
        }
        var grant = Grant(
            statement: statement, principal: .absent, actions: statement.shownActions, conditions: conditions)
        if let reason = statement.allows.reason ?? statement.parties.reason {
            grant.principal = .unknown(reason)
            return [grant]
        }
        let names: [String]
        switch statement.parties {
        case .known(.holder): names = [context.id]
        case .known(.listed(let listed)): names = listed
        case .known(.allBut), .unknown: names = ["*"]
        }
        return names.flatMap { name -> [Grant] in
            let denies = PolicyDenies(all)
            let actions = denies.actions(of: statement, for: name)
            guard !actions.isEmpty || statement.actions.value == nil else { return [] }
            var grant = grant
            grant.actions = actions
            guard name == "*" else {
                grant.principal = name.isEmpty ? .absent : .scalar(.string(name))
                return [grant]
            }
            if let reason = statement.conditions.reason {
                grant.principal = .unknown(reason)
                return [grant]
            }
            let narrowed = PolicyCondition.narrowed(by: statement.conditions.value ?? []) ?? denies.narrowed(statement)
            return (narrowed ?? ["*"]).map { name in
                grant.principal = .scalar(.string(name))
                return grant
            }
        }
    }
}
