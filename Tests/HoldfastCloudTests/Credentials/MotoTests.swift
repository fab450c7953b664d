import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

/// Over the wire, against moto: another reading of AWS's token service and of its signatures.
@Suite(
    "AWS credentials against moto", .serialized, .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
struct MotoTests {
    let server: ServerProcess
    let endpoint: String
    let client: HTTPClient

    init() throws {
        server = try ServerProcess("aws_server.py")
        endpoint = "http://127.0.0.1:\(server.told["port"]?.int ?? 0)"
        var options = HTTPClientOptions()
        options.proxy = .none
        client = HTTPClient(options)
    }

    /// Now, as moto takes times from the machine.
    static let now: @Sendable () -> Timestamp = { Timestamp(seconds: Int64(Date.now.timeIntervalSince1970)) }

    func environment(_ more: [String: String] = [:]) -> [String: String] {
        ["AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-west-1"].merging(more) { $1 }
    }

    func keeper(_ environment: [String: String], accounts: [AccountAccess], mayWrite: Bool = false) -> CredentialKeeper
    {
        CredentialKeeper(
            accounts: accounts, mayWrite: mayWrite, surroundings: surroundings(environment), exchange: client,
            now: Self.now)
    }

    /// The answer to a call of a query service, signed by the keeper.
    func call(
        _ keeper: CredentialKeeper, _ service: String, _ fields: [(String, String)], in scope: CallScope
    ) async throws -> HTTPResponse {
        // By the host in its signature moto knows which service is meant.
        let request = HTTPRequest(
            method: "POST", url: endpoint + "/",
            headers: HTTPHeaders(["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"]),
            body: formBody(fields))
        return try await client.send(try await keeper.authorize(request, signingName: service, in: scope))
    }

    func text(_ name: String, in answer: HTTPResponse) -> String {
        let text = String(decoding: answer.body, as: UTF8.self)
        return text.split(separator: "<\(name)>").dropFirst().first?.split(separator: "</\(name)>").first.map(
            String.init) ?? ""
    }

    static let identity = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]

    @Test("A role of another account is taken on, and calls are that account's; reads and writes are told apart")
    func crossAccount() async throws {
        let keys = environment(["AWS_ACCESS_KEY_ID": "AKIABASE", "AWS_SECRET_ACCESS_KEY": "s"])
        let account = AccountAccess(
            cloud: .aws, account: "012345670123", readRole: "arn:aws:iam::012345670123:role/reader",
            writeRole: "arn:aws:iam::012345670123:role/writer", externalID: "ext")
        let keeper = keeper(keys, accounts: [account], mayWrite: true)
        for access in [CallScope.Access.read, .write] {
            let scope = CallScope(cloud: .aws, account: "012345670123", region: "eu-west-1", access: access)
            let answer = try await call(keeper, "sts", Self.identity, in: scope)
            #expect(answer.status == 200)
            #expect(text("Account", in: answer) == "012345670123")
            let name = access == .read ? "reader/holdfast-read" : "writer/holdfast-write"
            #expect(text("Arn", in: answer) == "arn:aws:sts::012345670123:assumed-role/\(name)")
        }
        #expect(try await keeper.ownAccount() == "123456789012")
    }

    @Test("A chain of profiles ends in the last role's account")
    func chain() async throws {
        let folder = try TemporaryFolder()
        let config = try folder.write(
            "config",
            """
            [profile top]
            role_arn = arn:aws:iam::333333333333:role/top
            source_profile = hub
            external_id = x
            [profile hub]
            role_arn = arn:aws:iam::222222222222:role/hub
            source_profile = keys
            [profile keys]
            aws_access_key_id = AKIABASE
            aws_secret_access_key = s
            """)
        let keeper = keeper(environment(["AWS_CONFIG_FILE": config, "AWS_PROFILE": "top"]), accounts: [])
        let answer = try await call(keeper, "sts", Self.identity, in: CallScope(cloud: .aws, account: "333333333333"))
        #expect(text("Arn", in: answer) == "arn:aws:sts::333333333333:assumed-role/top/holdfast")
        #expect(try await keeper.ownAccount() == "333333333333")
    }

    @Test("Where moto verifies signatures it takes ours, refuses a wrong secret, and takes those of a role")
    func verified() async throws {
        let open = keeper(environment(["AWS_ACCESS_KEY_ID": "AKIAADMIN", "AWS_SECRET_ACCESS_KEY": "s"]), accounts: [])
        let scope = CallScope(cloud: .aws, account: "", region: "us-east-1")
        func iam(_ action: String, _ fields: [(String, String)]) async throws -> HTTPResponse {
            let answer = try await call(
                open, "iam", [("Action", action), ("Version", "2010-05-08")] + fields, in: scope)
            #expect(answer.status == 200, "\(action): \(String(decoding: answer.body, as: UTF8.self))")
            return answer
        }
        let policy = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
        let trust =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","#
            + #""Principal":{"AWS":"*"}}]}"#
        _ = try await iam("CreateUser", [("UserName", "u")])
        _ = try await iam("PutUserPolicy", [("UserName", "u"), ("PolicyName", "p"), ("PolicyDocument", policy)])
        let made = try await iam("CreateAccessKey", [("UserName", "u")])
        _ = try await iam("CreateRole", [("RoleName", "reader"), ("AssumeRolePolicyDocument", trust)])
        _ = try await iam("PutRolePolicy", [("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", policy)])
        let (id, secret) = (text("AccessKeyId", in: made), text("SecretAccessKey", in: made))
        let reset = HTTPRequest(
            method: "POST", url: endpoint + "/moto-api/reset-auth",
            headers: HTTPHeaders(["Content-Type": "text/plain"]),
            body: Array("0".utf8))
        #expect(try await client.send(reset).status == 200)

        let role = AccountAccess(
            cloud: .aws, account: "123456789012", readRole: "arn:aws:iam::123456789012:role/reader")
        let right = keeper(environment(["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret]), accounts: [role])
        // Without a space: moto encodes forms anew to verify them, and has a plus for it where this has %20.
        let described = [
            ("Action", "DescribeSecurityGroups"), ("Version", "2016-11-15"), ("Filter.1.Name", "group-name"),
            ("Filter.1.Value.1", "a+ä/="),
        ]
        #expect(try await call(right, "ec2", described, in: scope).status == 200)
        let asRole = CallScope(cloud: .aws, account: "123456789012", region: "us-east-1")
        let answer = try await call(right, "sts", Self.identity, in: asRole)
        #expect(text("Arn", in: answer).hasSuffix("assumed-role/reader/holdfast-read"))
        #expect(try await call(right, "ec2", described, in: asRole).status == 200)

        let wrong = keeper(
            environment(["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": "x" + secret.dropFirst()]), accounts: [role])
        #expect(try await call(wrong, "ec2", described, in: scope).status == 401)
        let failure = await #expect(throws: CallFailure.self) {
            try await wrong.authorize(HTTPRequest(method: "GET", url: endpoint), signingName: "sts", in: asRole)
        }
        #expect(failure?.kind == .denied)
        #expect(failure?.code == "SignatureDoesNotMatch")
    }
}
