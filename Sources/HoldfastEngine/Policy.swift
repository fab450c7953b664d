package import HoldfastCore
internal import HoldfastJSON

/// Everything that was loaded from data files, as one value: a reload makes another, and a step sees one of them.
package struct Policy: Sendable {
    package let catalog: Catalog
    package let baseline: Baseline
    package let playbooks: Playbooks
    package let classification: Classification
    package let lists: [String: [String]]
    package let limits: Limits
    /// By what the guards decide.
    package let remediation: RemediationSettings
    package let people: People
    /// What is told where.
    package let messages: RouteSettings
    /// Observe: no plans are made.
    package let plansAreMade: Bool
    /// Digest of the catalog's files.
    package let catalogDigest: String
    /// Whose resources are read: those that are configured or were found; `nil`: nobody names any, so all are.
    package let accounts: Set<AccountName>?
    /// Of AWS, as its partitions list them; empty where the catalog has no such list.
    private let regions: Set<String>
    /// Type -> where its resources hold ids of others: relations of its own and of rules on other types.
    private let referencePaths: [String: [ReferencePath]]

    private struct ReferencePath: Hashable, Sendable {
        var path: PropertyPath
        /// The type whose ids stand there.
        var target: String
    }

    /// Sessions that are followed back from one actor.
    static let chainLimit = 8

    package init(
        catalog: Catalog, baseline: Baseline, playbooks: Playbooks, classification: Classification,
        lists: [String: [String]], limits: Limits, remediation: RemediationSettings = RemediationSettings(),
        people: People = People(), messages: RouteSettings = RouteSettings(), plansAreMade: Bool, catalogDigest: String,
        accounts: Set<AccountName>? = nil
    ) {
        self.catalog = catalog
        self.baseline = baseline
        self.playbooks = playbooks
        self.classification = classification
        self.lists = lists
        self.limits = limits
        self.remediation = remediation
        self.people = people
        self.messages = messages
        self.plansAreMade = plansAreMade
        self.catalogDigest = catalogDigest
        self.accounts = accounts
        regions = Set(catalog.partitions.flatMap(\.names))
        referencePaths = Policy.referencePaths(catalog, baseline)
    }

    /// The same data files under another configuration.
    package func with(
        remediation: RemediationSettings, people: People, classification: Classification, limits: Limits
    ) -> Policy {
        Policy(
            catalog: catalog, baseline: baseline, playbooks: playbooks, classification: classification, lists: lists,
            limits: limits, remediation: remediation, people: people, messages: messages,
            plansAreMade: remediation.highest > .observe,
            catalogDigest: catalogDigest, accounts: accounts)
    }

    /// With exemptions that no data file has.
    package func exempting(_ exemptions: [Exemption]) -> Policy {
        Policy(
            catalog: catalog, baseline: baseline.exempting(exemptions), playbooks: playbooks,
            classification: classification, lists: lists, limits: limits, remediation: remediation, people: people,
            messages: messages,
            plansAreMade: plansAreMade, catalogDigest: catalogDigest, accounts: accounts)
    }

    /// Whether an account is one of ours. What names no account may be anyone's.
    func covers(_ cloud: Cloud, _ account: String) -> Bool {
        guard let accounts, !account.isEmpty else { return true }
        return accounts.contains(AccountName(cloud: cloud, id: account))
    }

    /// Whether a cloud has a region. Only AWS's are listed; what names none may be anywhere.
    func has(region: String, in cloud: Cloud) -> Bool {
        cloud != .aws || region.isEmpty || regions.isEmpty || regions.contains(region)
    }

    private static func referencePaths(_ catalog: Catalog, _ baseline: Baseline) -> [String: [ReferencePath]] {
        var found: [(holder: String, path: ReferencePath)] = []
        for type in catalog.types.values {
            for relation in type.relations.values {
                found.append(reference(type.name, relation.type, relation.by, relation.isReverse))
            }
        }
        for rule in baseline.rules {
            for relation in rule.reads.relations {
                for type in rule.types {
                    found.append(reference(type, relation.read.type, relation.read.by, relation.read.isReverse))
                }
            }
        }
        let paths = Dictionary(grouping: found, by: \.holder)
        return paths.mapValues { Set($0.map(\.path)).sorted { ($0.path, $0.target) < ($1.path, $1.target) } }
    }

    private static func reference(
        _ type: String, _ other: String, _ by: PropertyPath, _ isReverse: Bool
    ) -> (holder: String, path: ReferencePath) {
        (isReverse ? other : type, ReferencePath(path: by, target: isReverse ? type : other))
    }

    // MARK: Types

    func listKeys(for type: String) -> ListKeys { catalog.type(type)?.keys ?? ListKeys() }

    /// CloudTrail's times are whole seconds; the other clouds' are finer than two events of one resource can be.
    package func resolution(for type: String) -> Span {
        limits.resolution ?? Span(seconds: catalog.type(type)?.cloud == .aws ? 1 : 0)
    }

    /// How long after a change a read is sure to see it.
    package func margin(for type: String) -> Span {
        limits.margin ?? catalog.type(type)?.consistency ?? Span(seconds: 5)
    }

    /// The more severe what a type's rules say, the earlier its resources are read.
    package func priority(of type: String) -> Int {
        let worst = baseline.index.rules(of: type).compactMap { baseline.rule($0)?.severity.rank }.max() ?? 0
        return Severity.critical.rank - worst
    }

    /// The ids of other resources that a document holds, canonical, by the path that they stand at.
    func references(
        of resource: ResourceID, context: ResourceContext, document: StateValue
    ) -> [StoredResource.Reference] {
        var found: [StoredResource.Reference] = []
        for reference in referencePaths[resource.type] ?? [] {
            for text in document.texts(at: reference.path.steps[...]) {
                guard let id = catalog.resource(type: reference.target, named: text, in: context) else { continue }
                found.append(.init(path: reference.path.description, value: id.id))
            }
        }
        for alias in catalog.aliases(of: resource, context: context, configuration: document.json) {
            found.append(.init(path: Policy.aliasPath, value: alias.id))
        }
        return found
    }

    /// Whether events may call resources of a type by other names than their ids.
    func hasAliases(_ type: String) -> Bool { catalog.type(type)?.knownBy.isEmpty == false }

    /// The path under which a resource is found by what else events call it.
    static let aliasPath = "."

    // MARK: Rules

    /// Ids of rules and pins that read what was touched; `nil`: all of the type's.
    func rules(of type: String, touching properties: Set<String>?) -> [String] {
        properties.map { baseline.index.rules(of: type, touching: $0) } ?? baseline.index.rules(of: type)
    }

    /// Rules that read nothing of the resource itself: no property that is touched leads to them.
    func rulesWithoutPaths(of type: String) -> [String] {
        rules(of: type, touching: nil).filter { baseline.propertiesRead(by: $0).isEmpty }
    }

    func dependents(on type: String, touching properties: Set<String>?) -> [RuleIndex.Dependency] {
        properties.map { baseline.index.dependents(of: type, touching: $0) } ?? baseline.index.dependents(of: type)
    }

    /// Tags or labels of a resource, in one shape.
    func labels(of type: String, _ document: StateValue) -> StateValue {
        catalog.type(type).map { Labels.read(document, of: $0) } ?? .absent
    }

    /// Everything beside the resource that its rules may read.
    func context(
        of resource: ResourceID, at place: ResourceContext, document: StateValue, now: Timestamp,
        related: [RelatedRead: RelatedResources]
    ) -> EvaluationContext {
        let labels = labels(of: resource.type, document)
        return EvaluationContext(
            now: now, environment: classification.environment(of: place, labels: labels).environment, place: place,
            labels: labels, lists: lists
        ) { related[$0] ?? RelatedResources(openBecause: "\($0.name) was not read") }
    }

    /// The relations that a rule or pin reads.
    func relations(readBy id: String) -> [RelatedRead] { baseline.rule(id)?.reads.relations.map(\.read) ?? [] }

    /// The paths that a finding rests on: what must be observed before anything acts on it.
    func pathsRead(by id: String) -> [PropertyPath] {
        let properties = baseline.propertiesRead(by: id)
        return properties.isEmpty ? [PropertyPath()] : properties.map { PropertyPath([.name($0)]) }
    }

    // MARK: Plans

    /// What would be done about a finding; `nil` where no playbook remedies it, or the mode or the rule's maturity
    /// makes no plans.
    ///
    /// - Parameter lastObserved: the resource as it last was read, for playbooks that bring back what is gone.
    func plan(
        for finding: Finding, document: StateValue, in context: EvaluationContext,
        lastObserved: PlanRequest.LastObserved?
    ) -> PlanOutcome? {
        guard plansAreMade, let rule = baseline.rule(finding.rule),
            let playbook = playbooks.playbook(for: finding.rule, type: finding.resource.type)
        else { return nil }
        let effective = baseline.effective(rule, of: finding.resource, in: context)
        guard effective.maturity.value >= .trial else { return nil }
        let params = effective.params.mapValues(\.value)
        return playbook.plan(
            PlanRequest(
                finding: finding.id, rule: finding.rule, resource: finding.resource, incarnation: finding.incarnation,
                context: finding.context, document: document, offending: finding.offending,
                ruleReads: rule.reads.paths, params: params, lists: lists, lastObserved: lastObserved,
                now: context.now
            ) { rule.evaluate($0, of: finding.resource, params: params, in: context).verdict.outcome })
    }
}

extension StateValue {
    /// The scalars at a path, every element where it says `[]`.
    func texts(at steps: ArraySlice<PropertyPath.Step>) -> [String] {
        guard let step = steps.first else {
            if case .scalar(let json) = self { return json.scalarText.map { [$0] } ?? [] }
            return []
        }
        switch (step, self) {
        case (.name(let name), .map(let map)): return map[name].texts(at: steps.dropFirst())
        case (.each, .list(let list)): return list.elements.flatMap { $0.value.texts(at: steps.dropFirst()) }
        case (.index(let index), .list(let list)) where index < list.elements.count:
            return list.elements[index].value.texts(at: steps.dropFirst())
        default: return []
        }
    }
}
