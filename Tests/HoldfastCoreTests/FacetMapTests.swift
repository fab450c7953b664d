import HoldfastCore
import HoldfastJSON
import Testing

@Suite("Encryption and logging in one shape")
struct FacetMapTests {
    /// `enabled key keyId` or `enabled target`; `-` is absent, `?` unknown.
    private func shape(_ facet: Facet, _ type: String, _ document: StateValue) throws -> String {
        guard case .map(let value, let sources) = facet.value(of: document, type: type) else {
            return "unknown"
        }
        #expect(!sources.isEmpty)
        let names = facet == .encryption ? ["enabled", "key", "keyId"] : ["enabled", "target"]
        return names.map { name in
            switch value[PropertyPath(names: name)] {
            case .unknown: "?"
            case .absent: "-"
            case let known: known.json.scalarText ?? "?"
            }
        }.joined(separator: " ")
    }

    private func s3(_ rule: String) -> String {
        #"{"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":\#(rule)}]}}"#
    }

    @Test("S3 always encrypts, with the customer's key where one is named")
    func s3Encryption() throws {
        func shape(_ json: String) throws -> String {
            try self.shape(.encryption, "AWS::S3::Bucket", StateValue(known: JSON.parse(json)))
        }
        #expect(try shape("{}") == "true provider -")
        #expect(try shape(s3(#"{"SSEAlgorithm":"AES256"}"#)) == "true provider -")
        #expect(try shape(s3(#"{"SSEAlgorithm":"aws:kms"}"#)) == "true provider -")
        #expect(try shape(s3(#"{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"k"}"#)) == "true customer k")
        #expect(
            try shape(s3(#"{"SSEAlgorithm":"aws:kms:dsse","KMSMasterKeyID":"alias/aws/s3"}"#))
                == "true provider alias/aws/s3")
    }

    @Test(
        "Each cloud's words become one shape",
        arguments: [
            ("AWS::RDS::DBInstance", #"{"StorageEncrypted":false}"#, "false none -"),
            ("AWS::RDS::DBInstance", #"{}"#, "false none -"),
            ("AWS::RDS::DBInstance", #"{"StorageEncrypted":true,"KmsKeyId":"arn:k"}"#, "true ? arn:k"),
            (
                "AWS::RDS::DBInstance", #"{"StorageEncrypted":"true","KmsKeyId":"alias/aws/rds"}"#,
                "true provider alias/aws/rds"
            ),
            ("AWS::CloudTrail::Trail", #"{"KMSKeyId":"k"}"#, "true customer k"),
            (
                "Microsoft.Storage/storageAccounts",
                #"{"properties":{"encryption":{"keySource":"Microsoft.Storage"}}}"#,
                "true provider -"
            ),
            (
                "Microsoft.Storage/storageAccounts",
                #"""
                {"properties":{"encryption":{"keySource":"Microsoft.Keyvault","keyvaultproperties":{"keyname":"k"}}}}
                """#,
                "true customer k"
            ),
            ("storage.googleapis.com/Bucket", #"{"encryption":{"defaultKmsKeyName":"k"}}"#, "true customer k"),
            ("sqladmin.googleapis.com/Instance", "{}", "true provider -"),
            ("AWS::EC2::VPC", "{}", "unknown"),
        ])
    func encryption(type: String, json: String, expected: String) throws {
        #expect(try shape(.encryption, type, StateValue(known: JSON.parse(json))) == expected)
    }

    @Test(
        "Logging is on where something says so or there is a target",
        arguments: [
            ("AWS::S3::Bucket", #"{"LoggingConfiguration":{"DestinationBucketName":"b"}}"#, "true b"),
            ("AWS::S3::Bucket", #"{"LoggingConfiguration":null}"#, "false -"),
            ("AWS::CloudTrail::Trail", #"{"IsLogging":false,"S3BucketName":"b"}"#, "false b"),
            ("AWS::CloudTrail::Trail", #"{"IsLogging":true,"S3BucketName":"b"}"#, "true b"),
            ("AWS::RDS::DBInstance", #"{"EnableCloudwatchLogsExports":["audit","error"]}"#, "true audit, error"),
            ("AWS::RDS::DBInstance", #"{"EnableCloudwatchLogsExports":[]}"#, "false -"),
            ("compute.googleapis.com/Firewall", #"{"logConfig":{"enable":true}}"#, "true -"),
            ("storage.googleapis.com/Bucket", #"{"logging":{"logBucket":"b"}}"#, "true b"),
        ])
    func logging(type: String, json: String, expected: String) throws {
        #expect(try shape(.logging, type, StateValue(known: JSON.parse(json))) == expected)
    }

    @Test("What was not read is unknown, whatever the default")
    func unread() throws {
        let nothing = StateValue(snapshot: [:])
        #expect(try shape(.encryption, "AWS::RDS::DBInstance", nothing) == "? ? ?")
        #expect(try shape(.encryption, "AWS::S3::Bucket", nothing) == "true ? ?")
        #expect(try shape(.logging, "AWS::S3::Bucket", nothing) == "? ?")
    }

    @Test("Every facet says what it reads of a type that it covers, and nothing of others")
    func reads() {
        let covered: [(Facet, String)] = [
            (.openings, "AWS::EC2::NetworkAcl"), (.grants, "AWS::S3::Bucket"), (.encryption, "AWS::S3::Bucket"),
            (.logging, "AWS::S3::Bucket"), (.grants, "storage.googleapis.com/Bucket"),
        ]
        for (facet, type) in covered {
            #expect(!facet.reads(type: type).isEmpty, "\(facet) \(type)")
        }
        for facet in Facet.allCases { #expect(facet.reads(type: "AWS::EC2::VPC").isEmpty, "\(facet)") }
        let policy = Facet.grants.reads(type: "AWS::S3::Bucket", path: PropertyPath(names: "Policy"))
        #expect(policy.map(\.description) == ["Policy", "PublicAccessBlockConfiguration"])
    }
}
