package import HoldfastJSON

/// A type of resource, as a catalog file declares it.
package struct ResourceType: Sendable {
    package enum Scope: String, Sendable, CaseIterable {
        case global, regional, zonal
    }
    /// From this type to another (`by` is a path here that holds the other's id or name) or from another to this one
    /// (`by` is a path there that holds this one's).
    package struct Relation: Sendable {
        package var name: String
        /// The type at the other end.
        package var type: String
        package var by: PropertyPath
        /// `by` is a path of the other type.
        package var isReverse: Bool
        package init(name: String, type: String, by: PropertyPath, isReverse: Bool) {
            self.name = name
            self.type = type
            self.by = by
            self.isReverse = isReverse
        }
    }

    package var name: String
    package let cloud: Cloud
    /// The catalog file's name: `aws/s3`.
    package var service: String
    /// The canonical id with variables: `arn:{partition}:s3:::{BucketName}`.
    package let id: IDTemplate
    /// Other forms in which the same id is written: an ARN with a path, a resource name without its service.
    package var aliases: [IDTemplate] {
        didSet { forms = ResourceType.forms(id, aliases, cloud) }
    }
    /// ``id`` and ``aliases`` as they are compared.
    private(set) var forms: [IDTemplate]
    /// The variable of the id that names the resource among others of its kind: the last that is not its
    /// surroundings'.
    let nameVariable: String?
    /// The variable of the id that is its account.
    let accountVariable: String?
    let idHasRegion: Bool
    /// What else an event may name the resource by, and the path that holds it: `group-name` -> `GroupName`.
    package var knownBy: [String: PropertyPath]
    /// How every value of the id's last variable begins (`i-`), where the cloud's ids tell their type; else empty.
    package var namePrefix: String
    package var example: String
    package var scope: Scope
    /// Every property path that the type has, as text without indexes (`SecurityGroupIngress[].CidrIp`); a prefix of
    /// one is a path too. What stands below a path that ends in `.*` is free (a policy document, tags).
    package var paths: Set<String>
    /// ``paths`` and all their prefixes, read.
    var allPaths: Set<PropertyPath> = []
    /// The ones below which everything goes.
    var freePaths: Set<PropertyPath> = []
    package var secret: [PropertyPath]
    /// The list's path -> the names in an element that make its key.
    package var listKeys: [PropertyPath: [String]]
    package var relations: [String: Relation]
    /// The calls that together read one, first to last.
    package var read: [ReadStep]
    /// Properties that no call reads, and why not.
    package var unread: [PropertyPath: String] = [:]
    /// `nil` where there is one in every account or region, or no call lists them.
    package var list: ListStep?
    /// How long after a write a read may still be stale.
    package var consistency: Span
    /// Known states for tests, by name; unique over the whole catalog.
    package var samples: [String: JSON]
    package var place: SourcePlace

    package init(
        name: String, cloud: Cloud, service: String, id: IDTemplate, aliases: [IDTemplate] = [],
        knownBy: [String: PropertyPath] = [:], namePrefix: String = "", example: String, scope: Scope,
        paths: Set<String>, secret: [PropertyPath] = [], listKeys: [PropertyPath: [String]] = [:],
        relations: [String: Relation] = [:], read: [ReadStep] = [], list: ListStep? = nil,
        consistency: Span = Span(seconds: 5), samples: [String: JSON] = [:], place: SourcePlace
    ) {
        self.name = name
        self.cloud = cloud
        self.service = service
        self.id = id
        self.aliases = aliases
        forms = ResourceType.forms(id, aliases, cloud)
        let variables = id.variables
        nameVariable = variables.last { !ResourceType.surroundings.contains($0) }
        accountVariable = variables.first { ["account", "subscription", "project"].contains($0) }
        idHasRegion = variables.contains("region")
        self.knownBy = knownBy
        self.namePrefix = namePrefix
        self.example = example
        self.scope = scope
        self.paths = paths
        self.secret = secret
        self.listKeys = listKeys
        self.relations = relations
        self.read = read
        self.list = list
        self.consistency = consistency
        self.samples = samples
        self.place = place
        indexPaths()
    }

    private static func forms(_ id: IDTemplate, _ aliases: [IDTemplate], _ cloud: Cloud) -> [IDTemplate] {
        ([id] + aliases).map { cloud == .azure ? $0.lowercased : $0 }
    }
}
