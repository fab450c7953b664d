import HoldfastCore
import HoldfastJSON
import Testing

@Suite("Decoding CloudTrail")
struct DecodeCloudTrailTests {
    @Test("A record gives every field of the event")
    func fields() throws {
        let event = try onlyEvent(trail())
        #expect(event.id == "11111111-2222-3333-4444-555555555555")
        #expect(event.cloud == .aws)
        #expect(event.time == Timestamp("2026-01-02T03:04:05Z"))
        #expect(event.account == "111122223333")
        #expect(event.region == "eu-west-1")
        #expect(
            event.actor
                == Principal(name: "arn:aws:iam::111122223333:user/ann", type: "IAMUser", sessionKey: "AKIAANN"))
        #expect(event.sourceIP == "198.51.100.7")
        #expect(event.action == "s3.amazonaws.com/PutBucketPolicy")
        #expect(event.outcome == .success)
        #expect(!event.readOnly)
        #expect(event.via == .cli)
        #expect(event.userAgent == "aws-cli/2.15")
        #expect(event.body["requestParameters"]?["bucketName"] == "a")
        #expect(words(decode(trail())) == ["event s3.amazonaws.com/PutBucketPolicy"])
    }

    @Test(
        "What happened to a record follows from its fields",
        arguments: [
            (["readOnly": true], "dropped read-only"),
            (["readOnly": "true"], "dropped read-only"),
            (["readOnly": "False"], "event s3.amazonaws.com/PutBucketPolicy"),
            (["errorCode": "AccessDenied", "errorMessage": "no"], "dropped failed: AccessDenied"),
            (["errorCode": "AccessDenied", "readOnly": true], "dropped failed: AccessDenied"),
            (["errorCode": ""], "event s3.amazonaws.com/PutBucketPolicy"),
            (["requestParameters": .null, "responseElements": .null], "event s3.amazonaws.com/PutBucketPolicy"),
            (["awsRegion": "zz-nowhere-9"], "event s3.amazonaws.com/PutBucketPolicy"),
            (["eventType": "AwsServiceEvent"], "event s3.amazonaws.com/PutBucketPolicy"),
        ] as [(JSON, String)])
    func outcomes(changes: JSON, word: String) {
        #expect(words(decode(trail(changes))) == [word])
        #expect(words(decode(trail(changes), detail: .intake)) == [word])
    }

    @Test(
        "Without readOnly the verb decides, and an unknown verb is a write",
        arguments: [
            ("GetObject", true), ("ListBuckets", true), ("DescribeInstances", true), ("HeadBucket", true),
            ("LookupEvents", true), ("BatchGetItem", true), ("Query", true), ("Scan", true),
            ("Listen", false), ("Getaway", false), ("BatchWriteItem", false), ("PutObject", false),
            ("VerifyEmailIdentity", false), ("CheckInLicense", false), ("StartQuery", false), ("Frobnicate", false),
        ])
    func verbs(name: String, isRead: Bool) throws {
        #expect(try onlyEvent(trail(["eventName": .string(name), "readOnly": .null])).readOnly == isRead)
    }

    @Test("The actor is the most exact name that the identity has")
    func actors() throws {
        func actor(_ identity: JSON) throws -> Principal { try onlyEvent(trail(["userIdentity": identity])).actor }
        #expect(
            try actor(["type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/r/s", "principalId": "AROA:s"])
                == Principal(
                    name: "arn:aws:sts::1:assumed-role/r/s", type: "AssumedRole",
                    sessionKey: "arn:aws:sts::1:assumed-role/r/s"))
        #expect(try actor(["type": "SAMLUser", "principalId": "x:ann@b", "userName": "ann@b"]).name == "x:ann@b")
        #expect(
            try actor(["type": "AWSService", "invokedBy": "ec2.amazonaws.com"])
                == Principal(name: "ec2.amazonaws.com", type: "AWSService"))
        #expect(try actor(["userName": "HIDDEN_DUE_TO_SECURITY_REASONS", "arn": ""]).name.hasPrefix("HIDDEN"))
        #expect(
            try actor(["type": "IdentityCenterUser", "onBehalfOf": ["userId": "u-1"], "accountId": "1"]).name == "u-1")
        #expect(try actor(["accountId": "111122223333"]) == Principal(name: "111122223333"))
        #expect(try onlyEvent(trail(["userIdentity": .null])).actor == Principal(name: ""))
        let session = trail([
            "userIdentity": ["arn": "arn:r", "sessionContext": ["sourceIdentity": "ann"]]
        ])
        #expect(try onlyEvent(session).callers == [Principal(name: "ann", type: "SourceIdentity")])
    }

    @Test("The account is the one that received the event, before the actor's own")
    func accounts() throws {
        let other: JSON = ["arn": "arn:x", "accountId": "999900001111"]
        #expect(try onlyEvent(trail(["userIdentity": other])).account == "111122223333")
        #expect(try onlyEvent(trail(["userIdentity": other, "recipientAccountId": .null])).account == "999900001111")
    }

    @Test(
        "The way a change came is told from agent and invoking service",
        arguments: [
            ("aws-cli/2.1", "", Via.cli), ("[aws-cli/1.1 Python/2]", "", .cli), ("Boto3/1.26", "", .sdk),
            ("aws-sdk-go/1.41", "", .sdk), ("APN/1.0 HashiCorp/1.0 Terraform/1.4", "", .terraform),
            ("signin.amazonaws.com", "", .console), ("console.ec2.amazonaws.com", "", .console),
            ("[S3Console/0.4, aws-internal/3 aws-sdk-java]", "", .console), ("Mozilla/5.0 (X11)", "", .console),
            ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com", .cloudformation),
            ("AWS Internal", "cloudformation.amazonaws.com", .cloudformation),
            ("autoscaling.amazonaws.com", "autoscaling.amazonaws.com", .service),
            ("secretsmanager.amazonaws.com", "", .service), ("AWS Internal", "", .unknown), ("", "", .unknown),
        ])
    func via(agent: String, invokedBy: String, via: Via) throws {
        let identity: JSON = ["arn": "arn:x", "invokedBy": .string(invokedBy)]
        #expect(try onlyEvent(trail(["userAgent": .string(agent), "userIdentity": identity])).via == via)
    }

    @Test("An event without an id has the same one at every delivery, and another event another one")
    func derivedID() throws {
        let first = try onlyEvent(trail(["eventID": .null]))
        let again = try onlyEvent(" " + trail(["eventID": .null]))
        let other = try onlyEvent(trail(["eventID": .null, "awsRegion": "eu-west-2"]))
        #expect(first.id.hasPrefix("sha256:"))
        #expect(first.id == again.id)
        #expect(first.id != other.id)
    }
}

@Suite("Decoding sessions")
struct DecodeSessionTests {
    private func session(_ changes: JSON) throws -> SessionOpening {
        let items = decode(trail(changes), detail: .intake)
        guard items.count == 1, case .session(let session) = items[0] else {
            throw UnexpectedItems(words: words(items))
        }
        return session
    }
    private struct UnexpectedItems: Error { var words: [String] }

    @Test(
        "A session that was opened names its key, its ARN and who asked, though it is a read",
        arguments: ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"])
    func assumeRole(name: String) throws {
        let opened = try session([
            "eventSource": "sts.amazonaws.com", "eventName": .string(name), "readOnly": true,
            "responseElements": [
                "credentials": ["accessKeyId": "ASIA1", "expiration": "Jan 2, 2026"],
                "assumedRoleUser": ["arn": "arn:aws:sts::1:assumed-role/r/s", "assumedRoleId": "AROA:s"],
            ],
        ])
        #expect(opened.sessions == ["ASIA1", "arn:aws:sts::1:assumed-role/r/s"])
        #expect(opened.caller.name == "arn:aws:iam::111122223333:user/ann")
        #expect(opened.caller.sessionKey == "AKIAANN")
        #expect(opened.opened == Timestamp("2026-01-02T03:04:05Z"))
    }

    @Test("Tokens and federated users are sessions too")
    func tokens() throws {
        let token = try session([
            "eventSource": "sts.amazonaws.com", "eventName": "GetSessionToken", "readOnly": true,
            "responseElements": ["credentials": ["accessKeyId": "ASIA2"]],
        ])
        #expect(token.sessions == ["ASIA2"])
        let federated = try session([
            "eventSource": "sts.amazonaws.com", "eventName": "GetFederationToken", "readOnly": true,
            "responseElements": [
                "credentials": ["accessKeyId": "ASIA3"], "federatedUser": ["arn": "arn:aws:sts::1:federated-user/b"],
            ],
        ])
        #expect(federated.sessions == ["ASIA3", "arn:aws:sts::1:federated-user/b"])
        let anywhere = try session([
            "eventSource": "rolesanywhere.amazonaws.com", "eventName": "CreateSession",
            "responseElements": [
                "credentialSet": [["assumedRoleUser": ["arn": "arn:s"], "credentials": ["accessKeyId": "ASIA4"]]]
            ],
        ])
        #expect(anywhere.sessions == ["ASIA4", "arn:s"])
    }

    @Test("A sign-in to the console is a session of the one who signed in")
    func signIn() throws {
        let login = try session([
            "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
            "responseElements": ["ConsoleLogin": "Success"],
        ])
        #expect(login.sessions == ["arn:aws:iam::111122223333:user/ann"])
        let switched = try session([
            "eventSource": "signin.amazonaws.com", "eventName": "SwitchRole",
            "userIdentity": ["type": "AssumedRole", "arn": "arn:aws:sts::2:assumed-role/r/ann"],
            "additionalEventData": ["SwitchFrom": "arn:aws:iam::111122223333:user/ann"],
            "responseElements": ["SwitchRole": "Success"],
        ])
        #expect(switched.sessions == ["arn:aws:sts::2:assumed-role/r/ann"])
        #expect(switched.caller.name == "arn:aws:iam::111122223333:user/ann")
    }

    @Test("A session that was refused is a failure, and one that names no key is a read")
    func refused() {
        let role: JSON = ["eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "readOnly": true]
        func word(_ more: JSON) -> [String] {
            words(decode(trail(.object(JSONObject(pairs(role) + pairs(more)))), detail: .intake))
        }
        #expect(word(["errorCode": "AccessDenied"]) == ["dropped failed: AccessDenied"])
        #expect(word(["responseElements": .null]) == ["dropped read-only"])
        let login: JSON = [
            "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
            "errorMessage": "Failed authentication", "responseElements": ["ConsoleLogin": "Failure"],
        ]
        #expect(words(decode(trail(login))) == ["dropped failed: Failed authentication"])
    }

    private func pairs(_ json: JSON) -> [(String, JSON)] {
        (json.object ?? JSONObject()).members.map { ($0.name, $0.value) }
    }
}
