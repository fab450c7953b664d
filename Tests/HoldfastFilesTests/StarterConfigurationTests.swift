import HoldfastCore
import HoldfastFiles
import Testing

@Suite("First configurations, and what a configuration comes to")
struct StarterConfigurationTests {
    private func load(_ text: String) throws -> Configuration {
        let node = try YAMLReader.read(text, file: "holdfast.yaml")
        let (configuration, problems) = Configuration.load(node, folder: ".")
        #expect(problems.map(\.description) == [])
        return configuration
    }

    private func sentences(_ text: String, _ part: String) throws -> String {
        let summary = ConfigurationSummary(try load(text), playbooks: 2)
        return try #require(summary.parts.first { $0.name == part }).sentences.joined(separator: "\n")
    }

    @Test("What is written can be read, and is what was asked for", arguments: StarterConfiguration.KafkaKind.allCases)
    func whole(kind: StarterConfiguration.KafkaKind) throws {
        var starter = StarterConfiguration()
        starter.store = "/var/lib/holdfast/holdfast.db"
        starter.kafka = .init(brokers: "a:9093,b:9093", topics: ["cloudtrail", "123"], kind: kind)
        starter.files = ["/var/log/a b", "logs/*.json"]
        starter.polls = true
        starter.accounts = try ["aws:012345670123=dev", "azure:1111-2222", "gcp:my-project=staging"].map {
            try #require(StarterConfiguration.Account($0))
        }
        starter.regions = ["eu-west-1", "us-east-1"]
        starter.readRole = "arn:aws:iam::{account}:role/holdfast-read"
        starter.approvers = [try #require(StarterConfiguration.Approver("ann.lee=ann"))]
        let configuration = try load(starter.text)
        #expect(configuration.sqlite == "/var/lib/holdfast/holdfast.db" && configuration.mode == .dryRun)
        #expect(configuration.sources.count == 5)
        guard case .kafka("a:9093,b:9093", ["cloudtrail", "123"], "holdfast", let options) = configuration.sources[0]
        else {
            Issue.record("\(configuration.sources[0])")
            return
        }
        #expect(options.values.filter { $0.contains("assword") }.allSatisfy { $0.hasPrefix("env:") })
        #expect(options["security.protocol"] == [.plain: nil, .tls: "SSL"][kind, default: "SASL_SSL"])
        #expect(configuration.sources[1] == .file(paths: ["/var/log/a b", "logs/*.json"], follow: true))
        #expect(configuration.accounts.map(\.id) == ["012345670123", "1111-2222", "my-project"])
        #expect(configuration.accounts.map(\.environment) == ["dev", nil, "staging"])
        #expect(configuration.accounts[0].readRole == "arn:aws:iam::012345670123:role/holdfast-read")
        #expect(configuration.clouds == [.aws, .azure, .gcp])
        #expect(configuration.people.roles["approver"] == ["ann.lee"] && configuration.server != nil)
    }

    @Test("What is no account and nobody is refused", arguments: ["aws", "aws:", "oracle:1", "aws:1=", ""])
    func refused(text: String) {
        #expect(StarterConfiguration.Account(text) == nil)
        #expect(StarterConfiguration.Approver(text) == nil)
    }

    @Test("A configuration says what comes in, what is read, and that nothing is written")
    func readOnly() throws {
        let text = """
            sources:
              - kafka: {brokers: "b:9092", topics: [t], options: {security.protocol: SASL_SSL}}
              - cloudtrail-lookup: {accounts: ["111122223333"], regions: [eu-west-1]}
            accounts: [{aws: "111122223333", environment: dev, read-role: "arn:aws:iam::111122223333:role/r"}]
            state: {clouds: [aws]}
            """
        #expect(
            try sentences(text, "ingested") == """
                Events are read from the Kafka topic t at b:9092, as the group holdfast, by SASL_SSL.
                CloudTrail is asked every 30s what happened in 1 AWS account (111122223333) in eu-west-1.
                """)
        #expect(try sentences(text, "read").contains("aws is read: 111122223333 as its read-role."))
        #expect(try sentences(text, "read").contains("1 account is dev; all that is left counts as production."))
        #expect(try sentences(text, "written").hasPrefix("Nothing is written to a cloud"))
        #expect(try sentences(text, "approved").contains("Nobody has the role approver"))
    }

    @Test("A configuration that may write says where, as whom, how much, and who must agree")
    func writing() throws {
        let text = """
            mode: observe
            environments: [dev, production]
            scopes: [{match: {environment: dev}, mode: remediate}]
            keys: {captures: env:KEY}
            budgets: {overall: 7 per hour}
            accounts: [{aws: "111122223333", environment: dev, write-role: "arn:aws:iam::111122223333:role/w"}]
            identities: [{person: ann.lee, local: ann}]
            approvals: {roles: {approver: [ann.lee]}, table: {high: {dev: 1, production: 3}}}
            server: {}
            """
        let written = try sentences(text, "written")
        #expect(written.contains("Where environment is dev: what every guard lets pass is written, by 2 playbooks."))
        #expect(written.contains("Everywhere else: findings only."))
        #expect(written.contains("Accounts with a write-role: 111122223333; no other is ever written to."))
        #expect(written.contains("At most 7 per 1h are made"))
        let approved = try sentences(text, "approved")
        #expect(
            approved.contains("Who must agree in production: to low risk nobody, to medium risk one person, to high"))
        #expect(approved.contains("The role approver has ann.lee."))
        #expect(approved.contains("Some plans need 3 people, and only 1 can agree."))
        #expect(
            try sentences(text.replacing(", write-role: \"arn:aws:iam::111122223333:role/w\"", with: ""), "written")
                .contains("No account has a write-role, so nothing can be written yet."))
    }
}
