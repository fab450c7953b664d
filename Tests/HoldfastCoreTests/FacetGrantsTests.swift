import HoldfastCore
import HoldfastJSON
import Testing

/// A grant in one line: `PublicRead: * may s3:getobject on arn:… if aws:SourceIp`.
func grantLine(_ item: FacetItem) -> String {
    func text(_ name: String) -> String {
        switch item.value[PropertyPath(names: name)] {
        case .unknown: "?"
        case .absent: "-"
        case .scalar(let json): json.scalarText ?? "null"
        case .list(let list): list.elements.map { $0.value.json.scalarText ?? "?" }.joined(separator: ",")
        case .map: "map"
        }
    }
    let condition = text("conditions")
    return "\(item.source.key ?? "-"): \(text("principal")) may \(text("action")) on \(text("resource"))"
        + (condition.isEmpty ? "" : " if \(condition)")
}

@Suite("What policies and bindings really grant")
struct FacetGrantsTests {
    private let bucket = "AWS::S3::Bucket"
    private let context = FacetContext(id: "arn:aws:iam::111122223333:policy/p")

    private func lines(_ type: String, _ json: String, _ context: FacetContext? = nil) throws -> [String] {
        try facetItems(.grants, type, json, context ?? self.context).map(grantLine)
    }

    /// The principals of a role whose trust policy is one statement.
    private func principals(_ statements: String...) throws -> [String] {
        let json = #"{"AssumeRolePolicyDocument":{"Statement":[\#(statements.joined(separator: ","))]}}"#
        return try facetItems(.grants, "AWS::IAM::Role", json).map {
            $0.value[PropertyPath(names: "principal")].json.string ?? "?"
        }
    }

    private func allow(_ principal: String, _ condition: String = "{}") -> String {
        #"{"Effect":"Allow","Principal":\#(principal),"Action":"sts:AssumeRole","Condition":\#(condition)}"#
    }

    @Test(
        "Principals have one form however they are written",
        arguments: [
            (#""*""#, ["*"]), (#"{"AWS":"*"}"#, ["*"]), (#"{"AWS":["*"]}"#, ["*"]),
            (#"{"AWS":"111122223333"}"#, ["111122223333"]),
            (#"{"AWS":"arn:aws:iam::111122223333:root"}"#, ["111122223333"]),
            (#"{"AWS":"arn:aws-cn:iam::111122223333:root"}"#, ["111122223333"]),
            (#"{"AWS":["arn:aws:iam::1:user/a","444455556666"]}"#, ["arn:aws:iam::1:user/a", "444455556666"]),
            (#"{"Service":"ec2.amazonaws.com"}"#, ["ec2.amazonaws.com"]),
            (#"{"Federated":"cognito-identity.amazonaws.com"}"#, ["cognito-identity.amazonaws.com"]),
            (#"{"AWS":"111122223333","Service":["a.amazonaws.com"]}"#, ["111122223333", "a.amazonaws.com"]),
            (#"{"AWS":[]}"#, []),
        ])
    func principalForms(json: String, expected: [String]) throws {
        #expect(try principals(allow(json)) == expected)
    }

    @Test("Everyone but somebody is everyone")
    func notPrincipal() throws {
        #expect(
            try principals(#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*"}"#) == ["*"])
    }

    @Test(
        "A condition that names who asks narrows what anyone is granted",
        arguments: [
            (#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, ["111122223333"]),
            (
                #"{"StringEquals":{"AWS:SourceOwner":["111122223333","444455556666"]}}"#,
                ["111122223333", "444455556666"]
            ),
            (#"{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#, ["o-abc"]),
            (#"{"StringLike":{"aws:PrincipalOrgPaths":"o-abc/*"}}"#, ["o-abc"]),
            (#"{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#, ["111122223333"]),
            (
                #"{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:t"}}"#,
                ["arn:aws:sns:eu-west-1:111122223333:t"]
            ),
            (#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::mine"}}"#, ["arn:aws:s3:::mine"]),
            (#"{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"s3"}}"#, ["111122223333"]),
            (#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, ["vpce-1"]),
            (#"{"IpAddress":{"aws:SourceIp":["192.0.2.0/24"]}}"#, ["192.0.2.0/24"]),
            (#"{"ForAnyValue:StringEquals":{"aws:PrincipalArn":"arn:aws:iam::1:role/a"}}"#, ["arn:aws:iam::1:role/a"]),
            (#"{"StringEquals":{"aws:SourceVpc":"vpc-1","aws:PrincipalAccount":"111122223333"}}"#, ["111122223333"]),
        ])
    func narrowing(condition: String, expected: [String]) throws {
        #expect(try principals(allow(#""*""#, condition)) == expected)
    }

    @Test(
        "A condition that anyone can meet, or that fixes nobody, narrows nothing",
        arguments: [
            #"{"StringLike":{"aws:SourceAccount":"*"}}"#,
            #"{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}}"#,
            #"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:mine"}}"#,
            #"{"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}}"#,
            #"{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#,
            #"{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}"#,
            #"{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}"#,
            #"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, #"{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}"#,
            #"{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","::/0"]}}"#,
            #"{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#,
            #"{"Bool":{"aws:SecureTransport":"true"}}"#, #"{"StringEquals":{"sts:ExternalId":"x"}}"#,
            #"{"StringEquals":{"aws:SourceAccount":[]}}"#, #"{"StringEquals":{"aws:UserAgent":"me"}}"#,
        ])
    func notNarrowing(condition: String) throws {
        #expect(try principals(allow(#""*""#, condition)) == ["*"])
    }

    @Test("Conditions that exclude somebody are listed, those that hold for all are not")
    func conditions() throws {
        let json = #"""
            {"AssumeRolePolicyDocument":{"Statement":{"Sid":"s","Effect":"Allow","Principal":{"AWS":"111122223333"},
             "Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},
             "StringLike":{"aws:sourcearn":"*"},"IpAddress":{"aws:sourceip":"10.0.0.0/8"}}}}}
            """#
        #expect(
            try lines("AWS::IAM::Role", json)
                == ["s: 111122223333 may sts:AssumeRole on - if aws:MultiFactorAuthPresent,aws:SourceIp"])
        let item = try #require(try facetItems(.grants, "AWS::IAM::Role", json).first)
        #expect(item.source.path.description == "AssumeRolePolicyDocument.Statement")
    }

    // MARK: Denies

    private func deny(_ principal: String, _ condition: String = "{}", action: String = "sts:*") -> String {
        #"{"Effect":"Deny","Principal":\#(principal),"Action":"\#(action)","Condition":\#(condition)}"#
    }

    @Test("A deny takes what it covers without a condition, and nothing else")
    func denies() throws {
        #expect(try principals(allow(#""*""#), deny(#""*""#)) == [])
        #expect(try principals(allow(#""*""#), deny(#""*""#, action: "STS:assume*")) == [])
        #expect(try principals(allow(#""*""#), deny(#""*""#, action: "sts:TagSession")) == ["*"])
        #expect(try principals(allow(#""*""#), deny(#"{"AWS":"444455556666"}"#)) == ["*"])
        #expect(
            try principals(allow(#"{"AWS":"arn:aws:iam::444455556666:role/a"}"#), deny(#"{"AWS":"444455556666"}"#))
                == [])
        #expect(
            try principals(allow(#"{"AWS":["444455556666","777788889999"]}"#), deny(#"{"AWS":"444455556666"}"#))
                == ["777788889999"])
        #expect(try principals(allow(#""*""#), deny(#""*""#, #"{"Bool":{"aws:SecureTransport":"false"}}"#)) == ["*"])
    }

    @Test("A deny of everyone unless they are somebody leaves those")
    func denyUnless() throws {
        let unless = #"{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}"#
        #expect(try principals(allow(#""*""#), deny(#""*""#, unless)) == ["o-abc"])
        let either = #"{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc","aws:SourceAccount":"111122223333"}}"#
        #expect(try principals(allow(#""*""#), deny(#""*""#, either)) == ["o-abc", "111122223333"])
        let services = #"""
            {"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-abc"},
             "BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}
            """#
        #expect(try principals(allow(#""*""#), deny(#""*""#, services)) == ["o-abc"])
        let any = #"{"ForAnyValue:StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}"#
        #expect(try principals(allow(#""*""#), deny(#""*""#, any)) == ["*"])
        let secure = #"{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"},"Bool":{"aws:SecureTransport":"false"}}"#
        #expect(try principals(allow(#""*""#), deny(#""*""#, secure)) == ["*"])
        let but = #"{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:*"}"#
        #expect(try principals(allow(#""*""#), but) == ["111122223333"])
        #expect(try principals(allow(#"{"AWS":"444455556666"}"#), but) == [])
        #expect(try principals(allow(#"{"AWS":"111122223333"}"#), but) == ["111122223333"])
    }

    @Test("A deny of some actions or resources leaves the others")
    func partialDenies() throws {
        func policy(_ deny: String) -> String {
            #"""
            {"PolicyDocument":{"Statement":[
              {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::a/*"},\#(deny)]}}
            """#
        }
        let type = "AWS::IAM::ManagedPolicy"
        let me = "arn:aws:iam::111122223333:policy/p"
        #expect(
            try lines(type, policy(#"{"Effect":"Deny","Action":"s3:Put*","Resource":"*"}"#))
                == ["#0: \(me) may s3:GetObject on arn:aws:s3:::a/*"])
        #expect(
            try lines(type, policy(#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::a/b/*"}"#))
                == ["#0: \(me) may s3:GetObject,s3:PutObject on arn:aws:s3:::a/*"])
        #expect(try lines(type, policy(#"{"Effect":"Deny","NotAction":"iam:*","Resource":"arn:aws:s3:::*"}"#)) == [])
        #expect(
            try lines(type, policy(#"{"Effect":"Deny","NotAction":"s3:Get*","NotResource":"arn:aws:s3:::b/*"}"#)) == [
                "#0: \(me) may s3:GetObject on arn:aws:s3:::a/*"
            ])
        #expect(try lines(type, policy(#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::a/*"}"#)).count == 1)
    }

    @Test("All actions but some are not the text of all actions")
    func notAction() throws {
        let json = #"""
            {"PolicyDocument":{"Statement":[{"Effect":"Allow","NotAction":["iam:*","sts:*"],"NotResource":"arn:x"}]}}
            """#
        #expect(
            try lines("AWS::IAM::ManagedPolicy", json)
                == ["#0: arn:aws:iam::111122223333:policy/p may * except iam:*, sts:* on * except arn:x"])
    }

    // MARK: Documents

    @Test("A document that arrives as text is read, percent-encoded or not; what is none is unknown")
    func texts() throws {
        func role(_ text: String) throws -> FacetValue {
            let document = JSON.object(JSONObject([("AssumeRolePolicyDocument", .string(text))]))
            return Facet.grants.value(of: StateValue(known: document), type: "AWS::IAM::Role")
        }
        let plain = #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#
        let encoded =
            "%7B%22Statement%22:%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22:%22*%22,%22Action%22"
            + "%3A%22sts%3AAssumeRole%22%7D%5D%7D"
        for text in [plain, encoded] {
            let items = try parts(of: role(text)).items
            #expect(items.map(grantLine) == ["#0: * may sts:AssumeRole on -"])
            #expect(items.first?.source.path.description == "AssumeRolePolicyDocument.Statement[0]")
            #expect(items.first?.source.actual["Principal"] == "*")
        }
        for text in ["{", "[]", "%7B%2", "*"] {
            #expect(try role(text).state.unknownReason == "AssumeRolePolicyDocument is no policy document")
        }
    }

    @Test("`of` picks the document; one that was not read leaves the list open")
    func documents() throws {
        let json: JSON = [
            "Policies": [
                [
                    "PolicyName": "a",
                    "PolicyDocument": ["Statement": ["Effect": "Allow", "Action": "*", "Resource": "*"]],
                ]
            ]
        ]
        let role = StateValue(snapshot: json)
        let path = try #require(PropertyPath("Policies[].PolicyDocument"))
        let inline = Facet.grants.value(of: role, type: "AWS::IAM::Role", path: path, context: context)
        let (items, open) = try parts(of: inline)
        #expect(open == nil)
        #expect(items.map(grantLine) == ["#0: \(context.id) may * on *"])
        #expect(items.first?.source.path.description == "Policies[0].PolicyDocument.Statement")
        let trust = Facet.grants.value(of: role, type: "AWS::IAM::Role")
        #expect(trust.state.unknownReason == "not in the snapshot")
        #expect(Facet.grants.value(of: role, type: "AWS::EC2::VPC").state.unknownReason != nil)
    }

    @Test("A statement that is not known in full is in doubt where it matters")
    func unknownParts() throws {
        let statement = StateValue.map(
            StateMap([
                ("Effect", .scalar("Allow")), ("Principal", .scalar("*")), ("Action", .scalar("s3:GetObject")),
                ("Resource", .unknown("never read")), ("Condition", .unknown("never read")),
            ]))
        let policy = StateValue.map(StateMap([("Statement", .list(StateList([.init(value: statement)])))]))
        let document = StateValue.map(StateMap([("KeyPolicy", policy)]))
        let items = try parts(of: Facet.grants.value(of: document, type: "AWS::KMS::Key")).items
        #expect(items.map(grantLine) == ["#0: ? may s3:GetObject on ? if ?"])
    }

    // MARK: S3

    private func s3(_ block: String, _ more: String = "") -> String {
        #"""
        {"Policy":{"Statement":[{"Sid":"p","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"x"},
          {"Sid":"o","Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"x"}]},
         "Acl":{"Owner":{"ID":"me"},"Grants":[
          {"Permission":"FULL_CONTROL","Grantee":{"Type":"CanonicalUser","ID":"me"}},
          {"Permission":"READ","Grantee":{"Type":"Group","URI":"http://acs.amazonaws.com/groups/global/AllUsers"}},
          {"Permission":"WRITE","Grantee":{"URI":"http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}},
          {"Permission":"READ","Grantee":{"Type":"CanonicalUser","ID":"you"}}]},
         "PublicAccessBlockConfiguration":\#(block)\#(more)}
        """#
    }
    private let policyLines = ["p: * may s3:GetObject on x", "o: 444455556666 may s3:GetObject on x"]
    private let listLines = ["*: * may acl:READ on -", "authenticated: authenticated may acl:WRITE on -"]
    private let other = ["you: you may acl:READ on -"]

    @Test("Public policies and lists of a bucket grant what no block takes")
    func publicAccessBlock() throws {
        #expect(try lines(bucket, s3("null")) == policyLines + listLines + other)
        #expect(
            try lines(bucket, s3(#"{"BlockPublicPolicy":true,"BlockPublicAcls":true}"#))
                == policyLines + listLines + other)
        #expect(
            try lines(bucket, s3(#"{"RestrictPublicBuckets":"true"}"#)) == [policyLines[1]] + listLines + other)
        #expect(try lines(bucket, s3(#"{"IgnorePublicAcls":true}"#)) == policyLines + other)
        let owned = #","OwnershipControls":{"Rules":[{"ObjectOwnership":"BucketOwnerEnforced"}]}"#
        #expect(try lines(bucket, s3("null", owned)) == policyLines)
    }

    @Test("The account's block counts where it is known to be on")
    func accountBlock() throws {
        let on: JSON = ["RestrictPublicBuckets": true, "IgnorePublicAcls": true]
        let context = FacetContext(accountPublicAccessBlock: StateValue(known: on))
        #expect(try lines(bucket, s3("null"), context) == [policyLines[1]] + other)
        let off = FacetContext(accountPublicAccessBlock: .absent)
        #expect(try lines(bucket, s3("null"), off).count == 5)
    }

    @Test("A bucket whose own block nobody read grants the public nothing for certain")
    func unknownBlock() throws {
        let json = try JSON.parse(#"{"Policy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}}"#)
        let value = Facet.grants.value(
            of: StateValue(snapshot: json), type: bucket, path: PropertyPath(names: "Policy"))
        let (items, open) = try parts(of: value)
        #expect(open == nil)
        #expect(items.map(grantLine) == ["#0: ? may * on -"])
    }

    // MARK: Google and Azure

    @Test("Each member of a binding is a grant, with its condition")
    func bindings() throws {
        let json = #"""
            {"bindings":[{"role":"roles/owner","members":["user:a@b.org","deleted:user:x@b.org?uid=1","allUsers"],
              "condition":{"title":"t","expression":"request.time < timestamp(\"2030-01-01T00:00:00Z\")"}},
             {"role":"roles/viewer","members":["domain:b.org"]}]}
            """#
        let items = try facetItems(.grants, "cloudresourcemanager.googleapis.com/Project", json)
        let condition = #" if request.time < timestamp("2030-01-01T00:00:00Z")"#
        #expect(
            items.map(grantLine) == [
                "roles/owner user:a@b.org: user:a@b.org may roles/owner on -\(condition)",
                "roles/owner allUsers: allUsers may roles/owner on -\(condition)",
                "roles/viewer domain:b.org: domain:b.org may roles/viewer on -",
            ])
        #expect(items.map(\.source.path.description).last == "bindings[1].members[0]")
    }

    @Test("Public access prevention takes the public's grants of a bucket, uniform access its list")
    func googleBucket() throws {
        func json(_ configuration: String) -> String {
            #"""
            {"iamPolicy":{"bindings":[{"role":"r","members":["allUsers","user:a@b.org"]}]},
             "acl":[{"entity":"allAuthenticatedUsers","role":"READER"},{"entity":"user-c@b.org","role":"OWNER"}],
             "iamConfiguration":\#(configuration)}
            """#
        }
        let type = "storage.googleapis.com/Bucket"
        #expect(try facetItems(.grants, type, json("{}")).count == 4)
        #expect(
            try facetItems(.grants, type, json(#"{"publicAccessPrevention":"enforced"}"#)).map(grantLine) == [
                "r user:a@b.org: user:a@b.org may r on -", "-: user:c@b.org may OWNER on -",
            ])
        #expect(try lines(type, json(#"{"uniformBucketLevelAccess":{"enabled":true}}"#)).count == 2)
    }

    @Test("A role assignment is one grant, a key vault's policies are grants unless roles decide")
    func azure() throws {
        let assignment = #"{"properties":{"principalId":"p","roleDefinitionId":"/r/owner","scope":"/subscriptions/s"}}"#
        #expect(
            try lines("Microsoft.Authorization/roleAssignments", assignment) == [
                "-: p may /r/owner on /subscriptions/s"
            ])
        func vault(_ roles: Bool) -> String {
            #"""
            {"properties":{"enableRbacAuthorization":\#(roles),
             "accessPolicies":[{"objectId":"o","permissions":{"secrets":["get","list"],"keys":["all"]}}]}}
            """#
        }
        let type = "Microsoft.KeyVault/vaults"
        #expect(try lines(type, vault(false)) == ["o: o may keys/all,secrets/get,secrets/list on -"])
        #expect(try lines(type, vault(true)) == [])
    }
}
