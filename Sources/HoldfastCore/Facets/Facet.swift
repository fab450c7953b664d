package import HoldfastJSON

/// A derived value with one shape in three clouds, which rules read like a property.
package enum Facet: String, Sendable, Hashable, CaseIterable {
    /// What of a network rule set is really open: a list of `{direction, protocol, ports, from | to, element}`.
    case openings
    /// What a policy or binding really allows, and to whom: a list of
    /// `{principal, action, resource, conditions, element}`.
    case grants
    /// How data at rest is encrypted: `{enabled, key: customer | provider | none, keyId}`.
    case encryption
    /// Where access or changes are logged: `{enabled, target}`.
    case logging
}

extension Facet {
    /// The facet of a resource's configuration, by the rules of the cloud that the type belongs to.
    /// - Parameters:
    ///   - path: the one document that is meant (`of:`); `nil`: all that the type has.
    /// - Returns: unknown for a type that the facet does not cover.
    package func value(
        of document: StateValue, type: String, path: PropertyPath? = nil, context: FacetContext = FacetContext()
    ) -> FacetValue {
        switch self {
        case .openings: Openings.value(of: document, type: type, context)
        case .grants: Grants.value(of: document, type: type, path: path, context)
        case .encryption: Encryption.value(of: document, type: type)
        case .logging: Logging.value(of: document, type: type)
        }
    }

    /// The paths that the facet reads of a resource of the type; empty where the facet does not cover the type.
    package func reads(type: String, path: PropertyPath? = nil) -> [PropertyPath] {
        switch self {
        case .openings: Openings.reads[type] ?? []
        case .grants: Grants.reads(type, path)
        case .encryption: Encryption.reads(type)
        case .logging: Logging.reads(type)
        }
    }
}

/// What a facet knows beyond the resource's own configuration.
package struct FacetContext: Sendable {
    /// The resource's id: what an inline policy of it grants to.
    package var id: String
    /// What managed prefix lists hold, by id (`pl-1a2b3c`); those that are missing are not known.
    package var prefixLists: [String: IPSet]
    /// The public access block of the AWS account: a map with `RestrictPublicBuckets` and `IgnorePublicAcls`.
    package var accountPublicAccessBlock: StateValue

    package init(
        id: String = "", prefixLists: [String: IPSet] = [:],
        accountPublicAccessBlock: StateValue = .unknown("the account's public access block was not read")
    ) {
        self.id = id
        self.prefixLists = prefixLists
        self.accountPublicAccessBlock = accountPublicAccessBlock
    }
}

/// What a facet's element was made from, and so what a fix must remove.
package struct FacetSource: Sendable, Hashable {
    /// `SecurityGroupIngress[0]`, `Policy.Statement[1]`; it may lead into a document that is kept as text.
    package var path: PropertyPath
    /// The element's key in its list: the catalog's, else a statement's Sid or `#index`, a rule's name.
    package var key: String?
    /// The element as it stands there.
    package var actual: JSON

    package init(path: PropertyPath, key: String?, actual: JSON) {
        self.path = path
        self.key = key
        self.actual = actual
    }
}

/// One element of a facet that is a list.
package struct FacetItem: Sendable, Hashable {
    /// What predicates read; members that are in doubt are unknown.
    package var value: StateValue
    package var source: FacetSource

    package init(value: StateValue, source: FacetSource) {
        self.value = value
        self.source = source
    }
}

/// What a facet says of a resource.
package enum FacetValue: Sendable, Hashable {
    /// - openBecause: why there may be further items, `nil` where these are all.
    case items([FacetItem], openBecause: String?)
    /// A map, with the properties that made it so.
    case map(StateValue, sources: [FacetSource])
    /// Nothing can be said, with the reason as a phrase.
    case unknown(String)

    /// The facet as rules read it; a list's elements carry the keys of their sources.
    package var state: StateValue {
        switch self {
        case .unknown(let reason): .unknown(reason)
        case .map(let value, _): value
        case .items(let items, let reason):
            .list(StateList(items.map { .init(key: $0.source.key, value: $0.value) }, openBecause: reason))
        }
    }
}
