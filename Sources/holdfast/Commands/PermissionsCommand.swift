import ArgumentParser
import HoldfastCloud
import HoldfastCore
import HoldfastFiles
import HoldfastJSON

struct PermissionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions", abstract: "Print the least that Holdfast must be allowed, as each cloud writes it.",
        discussion: """
            Reading: the calls that read the types that rules look at, and those of the configured polled sources. \
            Discovery, where it is configured: the calls that list an organisation's accounts, for whoever lists. \
            Audit, where it is configured: the call that puts the audit log's checkpoints into S3. \
            Writing: the calls of the playbooks and of their undos. AWS: IAM policies. Azure: custom roles. Google \
            Cloud: files for `gcloud iam roles create`.
            """)

    @OptionGroup var data: DataOptions
    @Option(help: "Only this cloud: aws, azure or gcp.") var cloud: Cloud?
    @Flag(help: "Only what reading needs.") var read = false
    @Flag(help: "Only what writing needs.") var write = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let data = try data.load()
        let permissions = Permissions(
            catalog: data.catalog, baseline: data.baseline, playbooks: data.playbooks,
            polled: data.configuration.sources.flatMap(\.calls),
            discovery: data.configuration.discover.flatMap {
                data.catalog.discoveries[$0.kind]?.calls(wantsTags: data.configuration.classifiesByTags) ?? []
            }, audit: data.configuration.audit.anchors.flatMap(\.calls))
        var parts: [(name: String, cloud: Cloud, body: JSON)] = []
        for cloud in Cloud.allCases where self.cloud == nil || self.cloud == cloud {
            if !write { parts += documents(permissions.read[cloud] ?? [], "HoldfastRead", cloud, data.configuration) }
            if !write {
                parts += documents(permissions.discover[cloud] ?? [], Self.discover, cloud, data.configuration)
            }
            if !read, !write {
                parts += documents(permissions.audit[cloud] ?? [], "HoldfastAudit", cloud, data.configuration)
            }
            if !read { parts += documents(permissions.write[cloud] ?? [], "HoldfastWrite", cloud, data.configuration) }
        }
        switch format {
        case .json:
            let items = parts.map { part -> JSON in
                ["name": .string(part.name), "cloud": .string(part.cloud.rawValue), "document": part.body]
            }
            Output.line(Output.pretty(.array(items)))
        case .text:
            for part in parts {
                // Beside the documents, so that one alone can be handed to the cloud's own tool.
                Output.error("\(part.cloud.rawValue): \(part.name)")
                Output.line(part.body.string ?? Output.pretty(part.body))
            }
        }
    }

    private static let discover = "HoldfastDiscover"

    private func documents(
        _ names: [String], _ name: String, _ cloud: Cloud, _ configuration: Configuration
    ) -> [(name: String, cloud: Cloud, body: JSON)] {
        guard !names.isEmpty else { return [] }
        switch cloud {
        case .aws:
            let policies = Permissions.awsPolicies(names, id: name)
            return policies.enumerated().map {
                (policies.count == 1 ? name : "\(name)\($0.offset + 1)", cloud, $0.element)
            }
        case .azure:
            let groups = configuration.discover.filter { $0.cloud == .azure }
                .map { "/providers/Microsoft.Management/managementGroups/\($0.root)" }
            let known = configuration.accounts.filter { $0.cloud == .azure }.map { "/subscriptions/\($0.id)" }
            let scopes = name == Self.discover ? groups : groups + known
            let none = ["/subscriptions/00000000-0000-0000-0000-000000000000"]
            return [(name, cloud, Permissions.azureRole(names, name: name, scopes: scopes.isEmpty ? none : scopes))]
        case .gcp: return [(name, cloud, .string(Permissions.googleRole(names, title: name)))]
        }
    }
}

extension Configuration.Source {
    /// The calls that a polled source makes.
    fileprivate var calls: [String] {
        switch self {
        case .file, .kafka, .stdin: []
        case .cloudTrailLookup: ["cloudtrail.LookupEvents"]
        case .cloudTrailQueue:
            ["sqs.ReceiveMessage", "sqs.DeleteMessageBatch", "sqs.ChangeMessageVisibilityBatch", "s3.GetObject"]
        case .cloudTrailBucket: ["s3.ListObjectsV2", "s3.GetObject"]
        case .azureActivity: ["activityLogs.List"]
        case .googleLogging: ["logging.entries.list"]
        }
    }
}

extension AuditSettings.Anchor {
    /// The calls that an anchor makes in a cloud.
    fileprivate var calls: [String] {
        switch self {
        case .file, .syslogSocket, .syslogUDP, .kafka: []
        case .s3: [ObjectLockAnchor<SystemWallClock>.callName]
        }
    }
}
