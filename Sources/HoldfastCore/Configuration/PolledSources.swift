/// The sources that are polled: the clouds' own logs by their APIs, and CloudTrail's files in S3.
extension Configuration {
    static let polledSources: [Shape.Field] = [
        .init("cloudtrail-lookup", lookupShape, "CloudTrail's LookupEvents: management events of accounts and regions"),
        .init("cloudtrail-s3", filesShape, "CloudTrail's files in S3: told by a queue, or found by listing the bucket"),
        .init("azure-activity", activityShape, "the Activity Log of Azure subscriptions"),
        .init("gcp-logging", loggingShape, "the audit logs of Google Cloud projects, folders and organisations"),
    ]

    private static let lookupShape: Shape = .record(
        .init("accounts", .list(.text), "account ids of 12 digits. Default: all AWS accounts under accounts"),
        .init(
            "regions", .list(.text), required: true,
            "regions of each account; us-east-1 has what happens to IAM and other global services"),
        .init("overlap", .duration, "how late an event may show up, 1m to 7d. Default 15m"),
        .init("every", .duration, "between two looks, 1s to 1d. Default 30s"))

    private static let filesShape: Shape = .record(
        .init("queue", .text, "URL of the SQS queue that S3 tells of new files, itself or by SNS or EventBridge"),
        .init("bucket", .text, "in place of queue: the bucket to list"),
        .init("prefix", .text, "with bucket: what stands before AWSLogs/. Default: nothing"),
        .init("account", .text, "whose read-role reads it. Default: of a queue the one in its URL, else our own"),
        .init("region", .text, "of the bucket, or of the queue where its URL does not say it"),
        .init("overlap", .duration, "with bucket: how late a file may show up, 1m to 7d. Default 1h"),
        .init("every", .duration, "with bucket: between two listings, 1s to 1d. Default 5m"))

    private static let activityShape: Shape = .record(
        .init("subscriptions", .list(.text), "subscription ids. Default: all under accounts"),
        .init("overlap", .duration, "how late an event may show up, 1m to 7d. Default 30m"),
        .init("every", .duration, "between two looks, 1s to 1d. Default 1m"))

    private static let loggingShape: Shape = .record(
        .init("projects", .list(.text), "project ids. Default: all under accounts, where nothing is named here"),
        .init("folders", .list(.text), "folder numbers: what is logged for the folder itself"),
        .init("organizations", .list(.text), "organisation numbers: what is logged for the organisation itself"),
        .init(
            "overlap", .duration, "how long an entry may take to be found after Logging has it, 1m to 7d. Default 5m"),
        .init("every", .duration, "between two looks, 1s to 1d. Default 1m"))

    /// The values of `region` and `regions` anywhere below a node.
    static func regions(in node: Node) -> [(name: String, place: SourcePlace)] {
        let own = ["region", "regions"].compactMap { node[$0] }.flatMap(\.oneOrMany)
        let below = (node.entries ?? []).map(\.value) + (node.list ?? [])
        return own.compactMap { region in region.text.map { ($0, region.place) } } + below.flatMap(regions)
    }

    /// Says which regions of the file are none of AWS, by the provider's list in the catalog.
    package func regionProblems(_ catalog: Catalog) -> [Problem] {
        let known = catalog.partitions.flatMap(\.names)
        return regions.filter { !known.isEmpty && !known.contains($0.name) }.map { region in
            Problem(
                "AWS has no region \"\(region.name)\"\(suggestion(for: region.name, among: known)) (one that is newer "
                    + "than catalog/aws/endpoints.json is known after holdfast catalog prove)",
                at: region.place)
        }
    }

    /// The ids that a source reads: those that it names, or all of its cloud.
    package func ids(of cloud: Cloud, named ids: [String]) -> [String] {
        ids.isEmpty ? accounts.filter { $0.cloud == cloud }.map(\.id) : ids
    }
}

/// Reads the sources that are polled, and says what is wrong with them.
struct PolledSourceReader {
    private(set) var problems: [Problem] = []

    /// - Parameter entry: a key under an item of `sources:`; `nil` for a source of another kind.
    mutating func source(_ entry: Node.Entry) -> Configuration.Source? {
        let node = entry.value
        switch entry.key {
        case "cloudtrail-lookup":
            for account in node["accounts"]?.list ?? [] { checkAWS(account: account) }
            if node["regions"]?.texts.isEmpty == true { report("regions: names no region", node["regions"]) }
            for region in node["regions"]?.list ?? [] { check(region: region) }
            return .cloudTrailLookup(
                accounts: node["accounts"]?.texts ?? [], regions: node["regions"]?.texts ?? [],
                overlap: span("overlap", in: node, default: 900), every: span("every", in: node, default: 30))
        case "cloudtrail-s3": return files(node)
        case "azure-activity":
            return .azureActivity(
                subscriptions: (node["subscriptions"]?.texts ?? []).map { $0.lowercased() },
                overlap: span("overlap", in: node, default: 1800), every: span("every", in: node, default: 60))
        case "gcp-logging":
            return .googleLogging(
                projects: node["projects"]?.texts ?? [],
                containers: numbers("folders", in: node) + numbers("organizations", in: node),
                overlap: span("overlap", in: node, default: 300), every: span("every", in: node, default: 60))
        default: return nil
        }
    }

    // MARK: Files

    private mutating func files(_ node: Node) -> Configuration.Source? {
        if let account = node["account"] { checkAWS(account: account) }
        if let region = node["region"] { check(region: region) }
        let (account, region) = (node["account"]?.text, node["region"]?.text)
        switch (node["queue"], node["bucket"]?.text) {
        case (let queue?, nil):
            for key in ["prefix", "overlap", "every"] where node[key] != nil {
                report("\(key): is for bucket; a queue tells of files by itself", node[key])
            }
            return self.queue(queue, account: account, region: region)
        case (nil, let bucket?):
            guard let region else {
                report("region: is missing: say which region the bucket \(bucket) is in", node)
                return nil
            }
            return .cloudTrailBucket(
                bucket: bucket, prefix: node["prefix"]?.text ?? "", account: account ?? "", region: region,
                overlap: span("overlap", in: node, default: 3600), every: span("every", in: node, default: 300))
        default:
            report("cloudtrail-s3 has one of queue (its URL) and bucket", node)
            return nil
        }
    }

    /// `https://sqs.eu-west-1.amazonaws.com/012345670123/trail` says account and region; an endpoint of one's own may
    /// not.
    private mutating func queue(_ node: Node, account: String?, region: String?) -> Configuration.Source? {
        let url = node.text ?? ""
        let parts = url.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 5, ["https:", "http:"].contains(parts[0]), !parts[2].isEmpty, !parts[4].isEmpty else {
            report("\"\(url)\" is no queue's URL, such as https://sqs.eu-west-1.amazonaws.com/111122223333/trail", node)
            return nil
        }
        let host = parts[2].split(separator: ".").map(String.init)
        let said = host.count > 3 && host[0] == "sqs" && host[2] == "amazonaws" ? host[1] : nil
        guard let region = region ?? said else {
            report("region: is missing: the URL of the queue does not say it", node)
            return nil
        }
        let owner = PolledSourceReader.isAWSAccount(parts[3]) ? parts[3] : ""
        return .cloudTrailQueue(queue: url, account: account ?? owner, region: region)
    }

    // MARK: Checks

    private mutating func report(_ message: String, _ node: Node?) {
        guard let node else { return }
        problems.append(Problem(message, at: node.place))
    }

    static func isAWSAccount(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    private mutating func checkAWS(account node: Node) {
        guard let text = node.text, !PolledSourceReader.isAWSAccount(text) else { return }
        report("\"\(text)\" is not an AWS account id: 12 digits, in quotes where it starts with 0", node)
    }

    private mutating func check(region node: Node) {
        if let problem = PolledSourceReader.problem(region: node) { problems.append(problem) }
    }

    /// What is wrong with a region of AWS: it is not of the form of `eu-west-1`, `us-gov-east-1`.
    static func problem(region node: Node) -> Problem? {
        guard let text = node.text else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let words = parts.dropLast()
        let isRegion =
            words.count >= 2 && words.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (97...122).contains($0) } }
            && parts.last.map { Int($0) != nil } == true
        return isRegion ? nil : Problem("\"\(text)\" is not an AWS region, such as eu-west-1", at: node.place)
    }

    private mutating func numbers(_ key: String, in node: Node) -> [String] {
        for item in node[key]?.list ?? [] {
            guard let text = item.text, text.isEmpty || !text.utf8.allSatisfy({ (48...57).contains($0) }) else {
                continue
            }
            report("\"\(text)\" is no number: \(key) are named by their numbers", item)
        }
        return (node[key]?.texts ?? []).map { "\(key)/\($0)" }
    }

    private static let bounds = ["overlap": ("1m", "7d"), "every": ("1s", "1d")]

    /// - Parameter seconds: where the file says nothing.
    private mutating func span(_ key: String, in node: Node, default seconds: Int) -> Span {
        guard let text = node[key]?.text, let span = Span(text) else { return Span(seconds: seconds) }
        if let (low, high) = Self.bounds[key], let least = Span(low), let most = Span(high),
            !(least.nanoseconds...most.nanoseconds).contains(span.nanoseconds)
        {
            report("\(key): \(text) is not between \(low) and \(high)", node[key])
        }
        return span
    }
}
