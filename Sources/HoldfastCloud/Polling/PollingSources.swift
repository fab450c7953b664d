package import HoldfastCore
package import HoldfastEngine

/// What polled sources are made with. Each function gives sources that run beside each other.
package struct PollingSources<C: HoldfastClock>: Sendable {
    private let catalog: Catalog
    private let sender: any CallSender
    private let budgets: Budgets<C>
    private let clock: C
    private let began: Timestamp
    private let until: Timestamp?

    /// - Parameters:
    ///   - catalog: where the calls stand.
    ///   - began: where the journal has no position, events are wanted from then on: the moment before the first scan.
    ///   - until: reading ends with what happened before it, for replays; `nil`: never.
    package init(
        catalog: Catalog, sender: any CallSender, budgets: Budgets<C>, clock: C, began: Timestamp,
        until: Timestamp? = nil
    ) {
        self.catalog = catalog
        self.sender = sender
        self.budgets = budgets
        self.clock = clock
        self.began = began
        self.until = until
    }

    /// CloudTrail's LookupEvents: one source for each account and region, `cloudtrail-lookup:012345670123/eu-west-1`.
    ///
    /// - Throws: `no-such-call` where the catalog lacks one.
    package func cloudTrailLookup(
        accounts: [String], regions: [String], overlap: Span, every: Span
    ) throws(SourceError) -> [any EventSource] {
        var sources: [any EventSource] = []
        for account in accounts {
            for region in regions {
                let feed = LookupEventsFeed(account: account, region: region, overlap: overlap, every: every)
                sources.append(try source("cloudtrail-lookup", feed))
            }
        }
        return sources
    }

    /// CloudTrail's files in S3, as a queue tells of them: `cloudtrail-s3:` and the queue's URL.
    ///
    /// - Parameters:
    ///   - account: whose credentials read queue and files.
    ///   - region: the queue's.
    package func cloudTrailQueue(
        queue: String, account: String, region: String, inflate: @escaping Inflate
    ) throws(SourceError) -> any EventSource {
        let calls = QueueCalls(
            receive: try call("sqs.ReceiveMessage"), delete: try call("sqs.DeleteMessageBatch"),
            extend: try call("sqs.ChangeMessageVisibilityBatch"), get: try call("s3.GetObject"))
        return QueueSource(
            name: "cloudtrail-s3:\(queue)", queue: queue,
            scope: CallScope(cloud: .aws, account: account, region: region), calls: calls, sender: sender,
            inflate: inflate, clock: clock)
    }

    /// CloudTrail's files in S3, by listing: `cloudtrail-s3:` with bucket and prefix.
    ///
    /// - Parameters:
    ///   - prefix: what stands before `AWSLogs/`.
    ///   - account: whose credentials read the bucket.
    ///   - region: the bucket's.
    package func cloudTrailBucket(
        bucket: String, prefix: String, account: String, region: String, overlap: Span, every: Span,
        inflate: @escaping Inflate
    ) throws(SourceError) -> any EventSource {
        let folder = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/"
        return BucketSource(
            name: "cloudtrail-s3:\(bucket)/\(folder)", bucket: bucket, prefix: folder, overlap: overlap, every: every,
            scope: CallScope(cloud: .aws, account: account, region: region), list: try call("s3.ListObjectsV2"),
            get: try call("s3.GetObject"), sender: sender, inflate: inflate, clock: clock, start: began,
            until: until)
    }

    /// Azure's Activity Log: one source for each subscription, `azure-activity:` and its id.
    package func azureActivity(
        subscriptions: [String], overlap: Span, every: Span
    ) throws(SourceError) -> [any EventSource] {
        try sources("azure-activity", subscriptions) {
            ActivityLogFeed(subscription: $0, overlap: overlap, every: every)
        }
    }

    /// Google Cloud's audit logs: one source for each resource, `gcp-logging:projects/my-project`.
    ///
    /// - Parameter resources: `projects/…`, `folders/…`, `organizations/…`.
    package func googleLogging(
        resources: [String], overlap: Span, every: Span
    ) throws(SourceError) -> [any EventSource] {
        try sources("gcp-logging", resources) { LogEntriesFeed(resource: $0, overlap: overlap, every: every) }
    }

    private func sources(
        _ kind: String, _ names: [String], _ feed: (String) -> any LogFeed
    ) throws(SourceError) -> [any EventSource] {
        var sources: [any EventSource] = []
        for name in names { sources.append(try source(kind, feed(name))) }
        return sources
    }

    private func source(_ kind: String, _ feed: any LogFeed) throws(SourceError) -> any EventSource {
        PolledSource(
            name: "\(kind):\(feed.partition)", feed: feed, call: try call(feed.call), sender: sender, budgets: budgets,
            clock: clock, began: began, until: until)
    }

    private func call(_ name: String) throws(SourceError) -> CloudCall {
        guard let call = catalog.call(name) else {
            throw SourceError(
                code: "no-such-call",
                message: "the catalog lacks the call \(name), by which this source reads; the shipped catalog has it")
        }
        return call
    }
}
