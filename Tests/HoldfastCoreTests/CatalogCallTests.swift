import HoldfastFiles
import HoldfastJSON
import Testing

@testable import HoldfastCore

/// What catalog files say of calls that write.
@Suite("Calls of catalog files") struct CatalogCallTests {
    /// The faults of a file whose one writing call has this beside what it must have.
    private static func problems(_ more: String) throws -> [String] {
        let text = """
            types:
              AWS::X::Thing:
                id: "arn:{partition}:x:{region}:{account}:thing/{ThingId}"
                example: arn:aws:x:eu-west-1:111122223333:thing/a
                scope: regional
                properties: cloudformation
                paths: [ThingId, Name]
            calls:
              x.GetName: {protocol: json-1.1, permission: "x:GetName", parameters: [ThingId], reads: Name}
              x.PutName:
                protocol: json-1.1
                permission: "x:PutName"
                parameters: [ThingId, Name, Version]
                writes: Name
                \(more)
            """
        return Catalog.load([("aws/x", try YAMLReader.read(text, file: "x.yaml"))], operations: nil).problems
            .map(\.description)
    }

    @Test(
        "What names no call, no parameter and no word is told with its place",
        arguments: [
            (
                "restore: {from: x.GetNam}",
                "x.yaml:15:14: unknown call \"x.GetNam\"; did you mean \"x.GetName\"?"
            ),
            (
                "restore: {from: x.GetName, with: {Nam: Name}}",
                "x.yaml:15:14: x.PutName takes no parameter \"Nam\"; did you mean \"Name\"?"
            ),
            (
                "restore: {from: x.GetName, with: {Name: {jsn: Name}}}",
                "x.yaml:15:46: unknown word \"jsn\" in a source; did you mean \"json\"?"
            ),
            ("restore: {frm: x.GetName}", "x.yaml:15:15: unknown key \"frm\"; did you mean \"from\"?"),
            (
                "precondition: {version: Versoin}",
                "x.yaml:15:29: x.PutName takes no parameter \"Versoin\"; did you mean \"Version\"?"
            ),
            ("on: \"arn:{partition}:x:::{ThingID}\"", "x.yaml:15:9: x.PutName takes no parameter \"ThingID\""),
        ])
    func faults(more: String, fault: String) throws {
        let found = try Self.problems(more)
        #expect(found.contains { $0.hasPrefix(fault) }, "\(found)")
    }

    @Test("A sound entry has no fault")
    func sound() throws {
        let more = "restore: {from: x.GetName, with: {Name: {unescaped: Name}}, only: sent}"
        #expect(try Self.problems(more) == [])
    }

    @Test("A session that makes one call may make this call on this resource, and nothing else")
    func sessionPolicies() throws {
        let catalog = PlaybookFilesTests.vocabulary.catalog
        let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
        func policy(_ name: String, _ parameters: JSON) throws -> JSON {
            try #require(catalog.call(name)).sessionPolicy(parameters.object ?? JSONObject(), in: place)
        }
        #expect(
            try policy("s3.PutBucketPolicy", ["Bucket": "my-bucket", "Policy": "{}"]) == [
                "Version": "2012-10-17",
                "Statement": [
                    ["Effect": "Allow", "Action": ["s3:PutBucketPolicy"], "Resource": ["arn:aws:s3:::my-bucket"]]
                ],
            ])
        #expect(
            try policy("ec2.DeleteFlowLogs", ["FlowLogIds": ["fl-1", "fl-2"]])["Statement"] == [
                [
                    "Effect": "Allow", "Action": ["ec2:DeleteFlowLogs"],
                    "Resource": [
                        "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/fl-1",
                        "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/fl-2",
                    ],
                ],
                ["Effect": "Allow", "Action": ["logs:DeleteLogDelivery"], "Resource": ["*"]],
            ])
        // A star in a name is that star.
        let user = try policy("iam.DetachUserPolicy", ["UserName": "a*", "PolicyArn": "arn:aws:iam::aws:policy/P"])
        #expect(
            user["Statement"]?.array?[0]["Resource"] == [
                "arn:aws:iam::111122223333:user/a${*}", "arn:aws:iam::111122223333:user/*/a${*}",
            ])
        #expect(try policy("ec2.EnableEbsEncryptionByDefault", [:])["Statement"]?.array?[0]["Resource"] == ["*"])
    }
}
