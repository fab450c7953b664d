import HoldfastCore
import HoldfastJSON
import Testing

@Suite("What makes a resource reachable")
struct ExposureTests {
    private func ways(_ type: String, _ json: JSON) -> [String] {
        Exposure(of: StateValue(snapshot: json), type: type).ways.map(\.text)
    }

    @Test("A port that is open to everyone is a way in, and public")
    func port() {
        let json: JSON = [
            "SecurityGroupIngress": [["IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"]],
            "SecurityGroupEgress": [],
        ]
        let exposure = Exposure(of: StateValue(snapshot: json), type: "AWS::EC2::SecurityGroup")
        #expect(exposure.ways.map(\.text) == ["tcp 22 from 0.0.0.0/0"])
        #expect(exposure.isPublic)
    }

    @Test("What goes out opens nothing")
    func egress() {
        let json: JSON = [
            "SecurityGroupIngress": [],
            "SecurityGroupEgress": [["IpProtocol": "-1", "CidrIp": "0.0.0.0/0"]],
        ]
        #expect(ways("AWS::EC2::SecurityGroup", json) == [])
    }

    @Test("A statement for everyone is a way in; with a condition it is not public")
    func grants() {
        func policy(_ condition: JSON?) -> JSON {
            var statement = JSONObject([
                ("Effect", "Allow"), ("Principal", "*"), ("Action", "sqs:SendMessage"), ("Resource", "*"),
            ])
            if let condition { statement["Condition"] = condition }
            return ["Policy": ["Version": "2012-10-17", "Statement": [.object(statement)]]]
        }
        let open = Exposure(of: StateValue(snapshot: policy(nil)), type: "AWS::SQS::Queue")
        #expect(open.isPublic && open.ways.first?.text.hasPrefix("anyone may sqs:SendMessage") == true)
        let narrowed = Exposure(
            of: StateValue(snapshot: policy(["IpAddress": ["aws:SourceIp": "203.0.113.0/24"]])), type: "AWS::SQS::Queue"
        )
        #expect(!narrowed.isPublic)
    }

    @Test(
        "Switches with public in their names count by what they say",
        arguments: [
            (#"{"PubliclyAccessible": true}"#, "PubliclyAccessible is on"), (#"{"PubliclyAccessible": false}"#, ""),
            (#"{"BlockPublicAcls": false}"#, "BlockPublicAcls is off"), (#"{"BlockPublicAcls": true}"#, ""),
            (#"{"properties": {"publicNetworkAccess": "Enabled"}}"#, "properties.publicNetworkAccess is on"),
            (
                #"{"iamConfiguration": {"publicAccessPrevention": "inherited"}}"#,
                "iamConfiguration.publicAccessPrevention is off"
            ),
            (#"{"iamConfiguration": {"publicAccessPrevention": "enforced"}}"#, ""),
            (#"{"PublicIp": "198.51.100.7"}"#, "PublicIp is 198.51.100.7"),
        ])
    func switches(text: String, expected: String) throws {
        let json = try JSON.parse(Array(text.utf8))
        #expect(ways("AWS::RDS::DBInstance", json) == (expected.isEmpty ? [] : [expected]))
    }

    @Test("A share of a snapshot with everybody is public, with one account it is not")
    func shares() {
        func exposure(_ share: JSON) -> Exposure {
            Exposure(
                of: StateValue(snapshot: ["CreateVolumePermissions": [share]]), type: "AWS::EC2::Snapshot")
        }
        #expect(exposure(["Group": "all"]).isPublic)
        #expect(!exposure(["UserId": "444455556666"]).isPublic && exposure(["UserId": "444455556666"]).ways.count == 1)
    }

    @Test("Only what was not there before was opened")
    func opened() {
        let before = Exposure(of: StateValue(snapshot: ["BlockPublicAcls": false]), type: "AWS::S3::Bucket")
        let after = Exposure(
            of: StateValue(snapshot: ["BlockPublicAcls": false, "IgnorePublicAcls": false]), type: "AWS::S3::Bucket")
        #expect(after.opened(since: before).map(\.text) == ["IgnorePublicAcls is off"])
        #expect(before.opened(since: after).isEmpty)
    }
}
