import Foundation
import HoldfastCore
import HoldfastFiles
import Testing

@Suite("The configuration of polled sources")
struct ConfigurationTests {
    private func load(_ text: String) throws -> (configuration: Configuration, problems: [String]) {
        let node = try YAMLReader.read(text, file: "holdfast.yaml")
        let (configuration, problems) = Configuration.load(node, folder: "/etc/holdfast")
        return (configuration, problems.map { "\($0.place.line): \($0.message)" })
    }

    @Test("Every source is read with its defaults, and account ids stay texts")
    func sources() throws {
        let (configuration, problems) = try load(
            """
            sources:
              - cloudtrail-lookup: {accounts: [012345670123, "111122223333"], regions: [eu-west-1, us-gov-east-1]}
              - cloudtrail-s3: {queue: "https://sqs.eu-west-1.amazonaws.com/012345670123/trail"}
              - cloudtrail-s3: {bucket: trail, prefix: logs/, region: us-east-1, account: 012345670123, every: 90s}
              - azure-activity: {subscriptions: [0B1F2F3A-0000-0000-0000-000000000000], overlap: 20m}
              - gcp-logging: {projects: [my-project], organizations: [012345], folders: ["7"]}
            """)
        #expect(problems.isEmpty)
        #expect(
            configuration.sources == [
                .cloudTrailLookup(
                    accounts: ["012345670123", "111122223333"], regions: ["eu-west-1", "us-gov-east-1"],
                    overlap: Span(seconds: 900), every: Span(seconds: 30)),
                .cloudTrailQueue(
                    queue: "https://sqs.eu-west-1.amazonaws.com/012345670123/trail", account: "012345670123",
                    region: "eu-west-1"),
                .cloudTrailBucket(
                    bucket: "trail", prefix: "logs/", account: "012345670123", region: "us-east-1",
                    overlap: Span(seconds: 3600), every: Span(seconds: 90)),
                .azureActivity(
                    subscriptions: ["0b1f2f3a-0000-0000-0000-000000000000"], overlap: Span(seconds: 1200),
                    every: Span(seconds: 60)),
                .googleLogging(
                    projects: ["my-project"], containers: ["folders/7", "organizations/012345"],
                    overlap: Span(seconds: 300), every: Span(seconds: 60)),
            ])
    }

    @Test("A source that names no accounts reads all of its cloud that are known")
    func allAccounts() throws {
        let (configuration, problems) = try load(
            """
            sources: [{cloudtrail-lookup: {regions: [eu-west-1]}}]
            accounts: [{aws: 012345670123}, {gcp: my-project}, {aws: 111122223333}]
            """)
        #expect(problems.isEmpty)
        #expect(configuration.ids(of: .aws, named: []) == ["012345670123", "111122223333"])
        #expect(configuration.ids(of: .gcp, named: ["other"]) == ["other"])
    }

    @Test("A region that AWS does not have is told with its place and the nearest that it has")
    func regions() throws {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let (configuration, problems) = try load(
            """
            sources: [{cloudtrail-lookup: {regions: [eu-west-1, eu-wset-1]}}]
            accounts:
              - {aws: 012345670123, regions: [eu-mars-1, us-gov-west-1]}
            discover: {aws-organization: {read-role: "arn:aws:iam::{account}:role/r", regions: [eusc-de-east-1]}}
            """)
        #expect(problems.isEmpty)
        let catalog = DataSet(
            DataFolders(catalog: ["\(top.path)/catalog"], baseline: [], playbooks: []), configuration: configuration,
            now: Timestamp(seconds: 0))
        let found = catalog.problems.map { "\($0.place.line): \($0.message)" }.sorted()
        try #require(found.count == 2, "\(found)")
        #expect(found[0].hasPrefix("1: AWS has no region \"eu-wset-1\"; did you mean \"eu-west-1\"?"))
        #expect(found[1].hasPrefix("3: AWS has no region \"eu-mars-1\"") && found[1].contains("catalog prove"))
    }

    @Test(
        "What cannot be meant is told with its line and what would do",
        arguments: [
            (
                "cloudtrail-lookup: {accounts: [12345670123], regions: [eu-west-1]}",
                "\"12345670123\" is not an AWS account"
            ),
            ("cloudtrail-lookup: {regions: [Frankfurt]}", "\"Frankfurt\" is not an AWS region, such as eu-west-1"),
            ("cloudtrail-lookup: {regions: []}", "names no region"),
            ("cloudtrail-lookup: {accounts: [012345670123]}", "regions"),
            ("cloudtrail-lookup: {regions: [eu-west-1], overlap: 30s}", "overlap: 30s is not between 1m and 7d"),
            ("cloudtrail-lookup: {regions: [eu-west-1], every: 0s}", "every: 0s is not between 1s and 1d"),
            ("cloudtrail-lookup: {regions: [eu-west-1], acounts: []}", "did you mean \"accounts\"?"),
            ("cloudtrail-s3: {}", "one of queue (its URL) and bucket"),
            ("cloudtrail-s3: {queue: \"https://sqs.eu-west-1.amazonaws.com/1/q\", bucket: b}", "one of queue"),
            ("cloudtrail-s3: {queue: trail}", "\"trail\" is no queue's URL"),
            ("cloudtrail-s3: {queue: \"http://127.0.0.1:5000/012345670123/q\"}", "region: is missing"),
            ("cloudtrail-s3: {queue: \"https://sqs.eu-west-1.amazonaws.com/1/q\", every: 1m}", "every: is for bucket"),
            ("cloudtrail-s3: {bucket: b}", "say which region the bucket b is in"),
            ("gcp-logging: {organizations: [example.com]}", "\"example.com\" is no number"),
            ("azure-activity: {every: 2d}", "every: 2d is not between 1s and 1d"),
            ("cloudtrail: {}", "did you mean"),
        ])
    func problems(source: String, message: String) throws {
        let (_, problems) = try load("sources:\n  - \(source)\n")
        #expect(problems.count == 1 && problems[0].hasPrefix("2: ") && problems[0].contains(message), "\(problems)")
    }
}

@Suite("The configuration of organisations")
struct DiscoveryConfigurationTests {
    private func load(_ text: String) throws -> (configuration: Configuration, problems: [String]) {
        let node = try YAMLReader.read(text, file: "holdfast.yaml")
        let (configuration, problems) = Configuration.load(node, folder: "/etc/holdfast")
        return (configuration, problems.map { "\($0.place.line): \($0.message)" })
    }

    @Test("Found accounts are as if the configuration named them, behind those that it does; ids stay texts")
    func found() throws {
        let (configuration, problems) = try load(
            """
            accounts: [{aws: 012345670123, environment: staging}]
            discover:
              every: 10m
              aws-organization:
                {account: 012345670999, read-role: "arn:aws:iam::{account}:role/r", except: [000000000001]}
              azure-management-group: [{group: company, tenant: t}, {group: other, read-role: client-1}]
              gcp-organization: {folder: 7, read-role: "holdfast@{account}.iam.gserviceaccount.com"}
            classify: [{match: {"tag:stage": dev, folder: A/*}, environment: dev}]
            """)
        #expect(problems.isEmpty)
        #expect(configuration.discoverEvery == Span(seconds: 600))
        #expect(
            configuration.discover.map(\.name) == [
                "aws-organization 012345670999", "azure-management-group company", "azure-management-group other",
                "gcp-organization folders/7",
            ])
        #expect(configuration.classifiesByTags)
        let names = configuration.discover.map(\.name)
        let whole = configuration.knowing([
            (names[0], .aws, "012345670124", "pay"), (names[0], .aws, "012345670123", "known"),
            (names[0], .aws, "000000000001", "left alone"), (names[2], .azure, "0b1f", "sub"),
            (names[3], .gcp, "shop", "Shop"), ("aws-organization", .aws, "000000000002", "of another one"),
        ])
        #expect(whole.accounts.map(\.id) == ["012345670123", "012345670124", "0b1f", "shop"])
        #expect(
            whole.accounts.map(\.readRole) == [
                nil, "arn:aws:iam::012345670124:role/r", "client-1", "holdfast@shop.iam.gserviceaccount.com",
            ])
        #expect(whole.accounts.map(\.environment) == ["staging", nil, nil, nil])
        #expect(whole.ids(of: .aws, named: []) == ["012345670123", "012345670124"])
    }

    @Test(
        "What cannot be meant is told with what would do",
        arguments: [
            ("discover: {aws-organization: {}}", "\"read-role\" is missing"),
            (
                "discover: {aws-organization: {read-role: \"arn:aws:iam::012345670123:role/r\"}}",
                "iam::{account}:role/NAME"
            ),
            (
                "discover: {aws-organization: {account: 12345670123, read-role: \"arn:aws:iam::{account}:role/r\"}}",
                "is not an AWS account id"
            ),
            ("discover: {gcp-organization: {}}", "one of organization and folder"),
            ("discover: {gcp-organization: {organization: example.org}}", "is no number: organization"),
            ("discover: {azure-management-group: [{group: a}, {group: a}]}", "stands here twice"),
            ("discover: {every: 1s}", "1s is not between 10s and 7d"),
            ("discover: {aws-organisation: {}}", "did you mean \"aws-organization\"?"),
            ("classify: [{match: {managment-group: A}, environment: dev}]", "did you mean \"management-group\"?"),
            ("classify: [{match: {tag: A}, environment: dev}]", "unknown key \"tag\""),
            ("classify: [{match: {}, environment: dev}]", "names nothing"),
            ("classify: [{match: {ou: A}, environment: devel}]", "unknown environment \"devel\""),
        ])
    func problems(text: String, message: String) throws {
        let (_, problems) = try load(text)
        #expect(problems.count == 1 && problems[0].contains(message), "\(problems)")
    }
}
