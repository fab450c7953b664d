import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles

/// The sources that are polled, and what they reach the clouds by.
struct Polling: Sendable {
    private let sources: PollingSources<SystemWallClock>

    /// - Parameters:
    ///   - began: where the journal has no position, events are wanted from then on.
    ///   - until: reading ends there; `nil`: never.
    init(
        _ clouds: Clouds, catalog: Catalog, clock: SystemWallClock, began: Timestamp, until: Timestamp? = nil
    ) {
        sources = PollingSources(
            catalog: catalog, sender: clouds.sender, budgets: clouds.budgets, clock: clock, began: began, until: until)
    }

    /// One source for each log; `nil` where this is no source that is polled.
    func sources(
        for source: Configuration.Source, configuration: Configuration
    ) throws(SourceError) -> [any EventSource]? {
        switch source {
        case .file, .kafka, .stdin: nil
        case .cloudTrailLookup(let accounts, let regions, let overlap, let every):
            try sources.cloudTrailLookup(
                accounts: configuration.ids(of: .aws, named: accounts), regions: regions, overlap: overlap,
                every: every)
        case .cloudTrailQueue(let queue, let account, let region):
            [
                try sources.cloudTrailQueue(
                    queue: queue, account: account, region: region, inflate: Self.inflate)
            ]
        case .cloudTrailBucket(let bucket, let prefix, let account, let region, let overlap, let every):
            [
                try sources.cloudTrailBucket(
                    bucket: bucket, prefix: prefix, account: account, region: region, overlap: overlap, every: every,
                    inflate: Self.inflate)
            ]
        case .azureActivity(let subscriptions, let overlap, let every):
            try sources.azureActivity(
                subscriptions: configuration.ids(of: .azure, named: subscriptions), overlap: overlap, every: every)
        case .googleLogging(let projects, let containers, let overlap, let every):
            try sources.googleLogging(
                resources: (containers.isEmpty ? configuration.ids(of: .gcp, named: projects) : projects)
                    .map { "projects/\($0)" } + containers, overlap: overlap, every: every)
        }
    }

    /// CloudTrail's files stay below 50 MB.
    private static let inflate: Inflate = { try GzipReader.inflate(whole: $0, limit: 256 << 20) }
}

extension Configuration.Source {
    /// It reaches a cloud.
    var isPolled: Bool {
        switch self {
        case .file, .kafka, .stdin: false
        case .cloudTrailLookup, .cloudTrailQueue, .cloudTrailBucket, .azureActivity, .googleLogging: true
        }
    }
}
