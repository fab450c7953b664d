import Foundation
import HoldfastCore
import HoldfastJSON
import Testing

/// Cases that others wrote for their own rules: templates with PASS and FAIL, in CloudFormation's property names.
enum GuardCases {
    static let folder = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"].map { "\($0)/cfn-guard-registry" }

    /// Their rule -> our rule that asks for the same.
    static let same: [(theirs: String, ours: String)] = [
        ("CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED", "aws/cloudtrail/trail-reaches-cloudwatch"),
        ("CLOUD_TRAIL_ENABLED", "aws/cloudtrail/trail-is-logging"),
        ("CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", "aws/cloudtrail/log-files-are-signed"),
        ("EC2_INSTANCE_PROFILE_ATTACHED", "aws/ec2/instance-has-a-role"),
        ("IAM_USER_NO_POLICIES_CHECK", "aws/iam/user-has-no-policies-of-its-own"),
        ("KMS_NO_WILDCARD_PRINCIPAL", "aws/kms/policy-not-public"),
        ("RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED", "aws/rds/minor-upgrades-on"),
        ("RDS_INSTANCE_DELETION_PROTECTION_ENABLED", "aws/rds/deletion-protected"),
        ("RDS_INSTANCE_PUBLIC_ACCESS_CHECK", "aws/rds/instance-not-public"),
        ("S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", "aws/s3/bucket-blocks-public-access"),
        ("S3_BUCKET_LOGGING_ENABLED", "aws/s3/access-logging-on"),
        ("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", "aws/s3/encryption-on"),
        ("S3_BUCKET_VERSIONING_ENABLED", "aws/s3/versioning-on"),
    ]

    struct Case {
        var name: String
        var resources: [(type: String, properties: JSON)]
        var isPass: Bool

        /// Some value is a function of others.
        var isComputed: Bool {
            resources.contains { $0.properties.canonicalText.contains("\"Fn::") }
        }
    }

    /// The cases of one of their rules that pass or fail.
    static func cases(of rule: String) throws -> [Case] {
        let path = try #require(folder) + "/guard-test-cases.dev.jsonl"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let json = try JSON.parse(Array(line.utf8))
            guard let expected = json["expect"]?[rule]?.string, expected != "SKIP" else { return nil }
            let resources = json["input"]?["Resources"]?.object?.members.map(\.value) ?? []
            return Case(
                name: json["name"]?.string ?? "",
                resources: resources.map { ($0["Type"]?.string ?? "", $0["Properties"] ?? .object(JSONObject())) },
                isPass: expected == "PASS")
        }
    }
}

@Suite("Rules that others have too")
struct BaselineGuardTests {
    @Test(
        "A template that passes or fails there does so here", .enabled(if: GuardCases.folder != nil),
        arguments: GuardCases.same.map(\.theirs))
    func agreement(theirs: String) throws {
        let ours = try #require(GuardCases.same.first { $0.theirs == theirs }?.ours)
        let rule = try #require(try Shipped.baseline.get().baseline.rule(ours))
        let catalog = try Shipped.catalog.get().catalog
        let cases = try GuardCases.cases(of: theirs)
        #expect(cases.contains { $0.isPass } && cases.contains { !$0.isPass })
        for one in cases {
            var outcomes: [Verdict.Outcome] = []
            for resource in one.resources where rule.types.contains(resource.type) {
                let type = try #require(catalog.type(resource.type))
                // A template says all that there will be.
                let document = StateValue(known: resource.properties).keyed(by: type)
                let id = ResourceID(type: resource.type, id: type.example)
                outcomes.append(rule.evaluate(document, of: id, in: Toy.context()).verdict.outcome)
            }
            // What a template computes is not known before it is deployed.
            #expect(!outcomes.contains(.unknown) || one.isComputed, "\(one.name)")
            #expect(outcomes.contains(.drift) != one.isPass, "\(theirs): \(one.name)")
        }
    }
}
