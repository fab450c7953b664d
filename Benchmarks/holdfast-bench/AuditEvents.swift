import HoldfastJSON
import JSONFuzzing

/// Made-up events of a cloud's audit log, in the form and size of real ones.
struct AuditEvents {
    private var random: SplitMix64
    private var index = 0
    private let accounts: [String]

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        accounts = (0..<40).map { _ in String(100_000_000_000 + random.below(899_999_999_999)) }
        self.random = random
    }

    /// One event as compact JSON; nine in ten only read.
    mutating func next() -> String {
        index += 1
        let account = random.pick(accounts)
        let region = random.pick(["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"])
        let readOnly = !random.once(in: 10)
        var call = readOnly ? reading() : writing()
        let role = "role-" + hex(5)
        let session = "i-0" + hex(16)
        let arn = "arn:aws:sts::\(account):assumed-role/\(role)/\(session)"
        var parts = [
            #""eventVersion":"1.10""#,
            """
            "userIdentity":{"type":"AssumedRole","principalId":"AROA\(capitals(17)):\(session)","arn":"\(arn)",\
            "accountId":"\(account)","accessKeyId":"ASIA\(capitals(16))","sessionContext":{\
            "sessionIssuer":{"type":"Role",\
            "principalId":"AROA\(capitals(17))","arn":"arn:aws:iam::\(account):role/\(role)","accountId":"\(account)",\
            "userName":"\(role)"},"attributes":{"creationDate":"2026-11-22T09:12:33Z","mfaAuthenticated":"false"}}}
            """,
            "\"eventTime\":\"2026-11-22T\(two(index / 3600 % 24)):\(two(index / 60 % 60)):\(two(index % 60))Z\"",
            "\"eventSource\":\"\(call.source)\"", "\"eventName\":\"\(call.name)\"", "\"awsRegion\":\"\(region)\"",
            "\"sourceIPAddress\":\"203.0.\(random.below(256)).\(random.below(255))\"",
            "\"userAgent\":\"\(random.pick(Self.agents))\"",
        ]
        if random.once(in: 25) {
            call.response = "null"
            parts.append(#""errorCode":"AccessDenied""#)
            parts.append("\"errorMessage\":\"User: \(arn) is not authorized to perform: \(call.name)\"")
        }
        parts += [
            "\"requestParameters\":\(call.request)", "\"responseElements\":\(call.response)",
            "\"requestID\":\"\(uuid())\"", "\"eventID\":\"\(uuid())\"", "\"readOnly\":\(readOnly)",
        ]
        if call.source.hasPrefix("s3") {
            parts.append(
                """
                "resources":[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::data-\(hex(8))/"},\
                {"accountId":"\(account)","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::data-\(hex(8))"}],\
                "additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256",\
                "bytesTransferredIn":612,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"\(hex(76))",\
                "bytesTransferredOut":\(random.below(100_000))}
                """)
        }
        parts.append(
            """
            "eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"\(account)",\
            "eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",\
            "clientProvidedHostHeader":"\(call.source.prefix { $0 != "." }).\(region).amazonaws.com"}
            """)
        return "{\(parts.joined(separator: ","))}"
    }

    private struct Call {
        var source: String
        var name: String
        var request: String
        var response = "null"
    }

    private mutating func reading() -> Call {
        let (source, name) = random.pick([
            ("ec2", "DescribeInstances"), ("ec2", "DescribeSecurityGroups"), ("s3", "GetBucketPolicy"),
            ("s3", "ListBuckets"), ("iam", "GetRole"), ("sts", "AssumeRole"), ("kms", "Decrypt"),
            ("rds", "DescribeDBInstances"), ("lambda", "GetFunction20150331v2"), ("sts", "GetCallerIdentity"),
        ])
        let request: String
        var response = "null"
        switch source {
        case "ec2":
            let values = (0...random.below(4)).map { _ in "{\"value\":\"vpc-0\(hex(16))\"}" }
            request = """
                {"maxResults":100,"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[\
                \(values.joined(separator: ","))]}}]}}
                """
        case "s3":
            let bucket = "data-" + hex(8)
            request = "{\"bucketName\":\"\(bucket)\",\"Host\":\"\(bucket).s3.amazonaws.com\",\"policy\":\"\"}"
        case "sts":
            let (account, role, session) = (random.pick(accounts), "r-" + hex(8), "s-" + hex(12))
            request = """
                {"roleArn":"arn:aws:iam::\(account):role/\(role)","roleSessionName":"\(session)",\
                "durationSeconds":3600}
                """
            if name == "AssumeRole" {
                response = """
                    {"credentials":{"accessKeyId":"ASIA\(capitals(16))","sessionToken":"\(hex(80))",\
                    "expiration":"Nov 22, 2026, 11:12:33 AM"},"assumedRoleUser":{\
                    "assumedRoleId":"AROA\(capitals(17)):\(session)",\
                    "arn":"arn:aws:sts::\(account):assumed-role/\(role)/\(session)"}}
                    """
            }
        default: request = random.once(in: 3) ? "null" : "{\"name\":\"n-\(hex(10))\"}"
        }
        return Call(source: source + ".amazonaws.com", name: name, request: request, response: response)
    }

    private mutating func writing() -> Call {
        switch random.below(4) {
        case 0:
            return Call(
                source: "ec2.amazonaws.com", name: "AuthorizeSecurityGroupIngress",
                request: """
                    {"groupId":"sg-0\(hex(16))","ipPermissions":{"items":[{"ipProtocol":"tcp",\
                    "fromPort":22,"toPort":22,\
                    "groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"office \\"HQ\\" range"}]},\
                    "ipv6Ranges":{},"prefixListIds":{}}]}}
                    """,
                response: """
                    {"requestId":"\(uuid())","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":\
                    "\(random.pick(accounts))","groupId":"sg-0\(hex(16))","isEgress":false,"ipProtocol":"tcp",\
                    "fromPort":22,"toPort":22,"cidrIpv4":"0.0.0.0/0"}]}}
                    """)
        case 1:
            let bucket = "data-" + hex(8)
            return Call(
                source: "s3.amazonaws.com", name: "PutBucketPolicy",
                request: """
                    {"bucketName":"\(bucket)","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"Read",\
                    "Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],\
                    "Resource":["arn:aws:s3:::\(bucket)","arn:aws:s3:::\(bucket)/*"]}]},"policy":""}
                    """)
        case 2:
            return Call(
                source: "iam.amazonaws.com", name: "PutRolePolicy",
                request: """
                    {"roleName":"svc-\(hex(8))","policyName":"inline","policyDocument":"{\\n  \\"Version\\": \
                    \\"2012-10-17\\",\\n  \\"Statement\\": [{\\n    \\"Effect\\": \\"Allow\\",\\n    \\"Action\\": \
                    \\"*\\",\\n\
                        \\"Resource\\": \\"*\\"\\n  }]\\n}"}
                    """)
        default:
            return Call(
                source: "ec2.amazonaws.com", name: "CreateTags",
                request: """
                    {"resourcesSet":{"items":[{"resourceId":"i-0\(hex(16))"}]},"tagSet":{"items":[{"key":"Owner",\
                    "value":"équipe-\(hex(4))"},{"key":"CostCenter","value":"\(hex(6))"},{"key":"Env","value":"prod"}]}}
                    """,
                response: "{\"requestId\":\"\(uuid())\",\"_return\":true}")
        }
    }

    private static let agents = [
        "aws-sdk-go-v2/1.30.3 ua/2.1 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/s3#1.58.2",
        """
        Boto3/1.34.131 md/Botocore#1.34.131 ua/2.0 os/linux#5.10.218-208.862.amzn2.x86_64 md/arch#x86_64 \
        lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.34.131
        """,
        """
        APN/1.0 HashiCorp/1.0 Terraform/1.8.5 (+https://www.terraform.io) terraform-provider-aws/5.55.0 \
        (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.0 os/linux lang/go#1.22.4
        """,
        "console.amazonaws.com", "cloudformation.amazonaws.com",
    ]

    // MARK: Random texts

    private mutating func text(_ count: Int, of alphabet: StaticString) -> String {
        let letters = UnsafeBufferPointer(start: alphabet.utf8Start, count: alphabet.utf8CodeUnitCount)
        return String(decoding: (0..<count).map { _ in letters[random.below(letters.count)] }, as: UTF8.self)
    }
    private mutating func hex(_ count: Int) -> String { text(count, of: "0123456789abcdef") }
    private mutating func capitals(_ count: Int) -> String { text(count, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") }
    private mutating func uuid() -> String { "\(hex(8))-\(hex(4))-\(hex(4))-\(hex(4))-\(hex(12))" }
    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
