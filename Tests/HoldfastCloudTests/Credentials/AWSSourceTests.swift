import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@Suite("Sources of AWS credentials")
struct AWSSourceTests {
    static let given: JSON = [
        "Code": "Success", "AccessKeyId": "ASIAGIVEN", "SecretAccessKey": "s", "Token": "t",
        "Expiration": "2026-11-22T09:00:00Z",
    ]
    let clock = WallClock()

    func chain(_ environment: [String: String], _ exchange: ScriptedExchange) -> AWSCredentialChain {
        AWSCredentialChain(surroundings: surroundings(environment), exchange: exchange, now: clock.read())
    }

    @Test("The instance is asked by version 2: a token first, then the role, then its keys")
    func instance() async throws {
        let exchange = ScriptedExchange(answers: [
            ("PUT", .text("SESSION")), ("security-credentials/my-role", .json(Self.given)),
            ("security-credentials/", .text("my-role\n")),
        ])
        let credentials = try await chain([:], exchange).credentials()
        #expect(
            credentials.keys == AWSKeys(accessKeyID: "ASIAGIVEN", secretKey: Secret("s"), sessionToken: Secret("t")))
        #expect(credentials.expires == Timestamp("2026-11-22T09:00:00Z"))
        let requests = exchange.requests
        let base = "http://169.254.169.254/latest/"
        #expect(
            requests.map { "\($0.method) \($0.url)" } == [
                "PUT \(base)api/token", "GET \(base)meta-data/iam/security-credentials/",
                "GET \(base)meta-data/iam/security-credentials/my-role",
            ])
        #expect(requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
        #expect(requests[1...].allSatisfy { $0.headers["x-aws-ec2-metadata-token"] == "SESSION" })
        #expect(requests.allSatisfy { $0.deadline <= .seconds(2) })
    }

    @Test("An instance that does not answer is never asked by version 1, and the message speaks of hops")
    func hops() async {
        let exchange = ScriptedExchange(answers: [])
        let failure = await #expect(throws: CredentialFailure.self) { try await chain([:], exchange).credentials() }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.message.contains("--http-put-response-hop-limit 2") == true)
        #expect(exchange.requests.map(\.method) == ["PUT"])
    }

    @Test("An instance without a role, and one whose role gives nothing, are told apart")
    func instanceRefusals() async {
        let none = ScriptedExchange(answers: [("PUT", .text("S")), ("GET", .text("", status: 404))])
        let absent = await #expect(throws: CredentialFailure.self) { try await chain([:], none).credentials() }
        #expect(absent?.kind == .absent)
        let refused = ScriptedExchange(answers: [
            ("PUT", .text("S")),
            ("/r", .json(["Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume"])),
            ("GET", .text("r")),
        ])
        let denied = await #expect(throws: CredentialFailure.self) { try await chain([:], refused).credentials() }
        #expect(denied?.kind == .denied)
        #expect(denied?.message.contains("EC2 cannot assume") == true)
    }

    @Test("The instance is found at the endpoint that the environment names, and not asked where that is forbidden")
    func instanceEndpoint() async throws {
        let mode = ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"]
        #expect(try chain(mode, AWSProfileTests.silent).identity() == .instance(endpoint: "http://[fd00:ec2::254]"))
        let own = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1/"]
        #expect(try chain(own, AWSProfileTests.silent).identity() == .instance(endpoint: "http://127.0.0.1:1"))
        let failure = #expect(throws: CredentialFailure.self) {
            try chain(["AWS_EC2_METADATA_DISABLED": "true"], AWSProfileTests.silent).identity()
        }
        #expect(failure?.kind == .absent)
    }

    @Test("A container's endpoint gets the token of the file, which goes before the variable's")
    func container() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("token", "FILE-TOKEN")
        let exchange = ScriptedExchange(answers: [("/v1/credentials", .json(Self.given))])
        let environment = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "OTHER",
        ]
        let credentials = try await chain(environment, exchange).credentials()
        #expect(credentials.keys.accessKeyID == "ASIAGIVEN")
        let request = try #require(exchange.requests.first)
        #expect(request.url == "http://169.254.170.23/v1/credentials")
        #expect(request.headers["Authorization"] == "FILE-TOKEN")
        #expect(request.headers["Accept"] == "application/json")
        try folder.write("token", "two\r\nlines")
        let failure = await #expect(throws: CredentialFailure.self) {
            try await chain(environment, exchange).credentials()
        }
        #expect(failure?.message.contains("more than one line") == true)
    }

    @Test(
        "A container's endpoint is https, this machine, or one of AWS's link-local addresses",
        arguments: [
            ("https://example.com/x", true), ("http://127.0.0.1:80/x", true), ("http://localhost/x", true),
            ("http://[::1]:8/x", true), ("http://169.254.170.2/x", true), ("http://[fd00:ec2::23]/x", true),
            ("http://example.com/x", false), ("http://169.254.170.3/x", false),
            ("http://127.0.0.1.example.com/x", false),
            ("http://169.254.170.2@example.com/x", false), ("ftp://example.com/x", false), ("x", false),
        ])
    func containerHosts(url: String, allowed: Bool) {
        let chain = chain(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url], AWSProfileTests.silent)
        if allowed {
            #expect(throws: Never.self) { try chain.identity() }
        } else {
            #expect(throws: CredentialFailure.self) { try chain.identity() }
        }
    }

    @Test("The relative address of ECS goes before the full one")
    func containerRelative() throws {
        let environment = [
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/",
        ]
        let expected = AWSIdentity.container(
            url: Secret("http://169.254.170.2/v2/x"), authorization: nil, authorizationFile: nil)
        #expect(try chain(environment, AWSProfileTests.silent).identity() == expected)
    }

    @Test("Web identity sends the file's token unsigned, read anew each time")
    func webIdentity() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("token", "JWT-1")
        let exchange = ScriptedExchange(answers: [("sts", .keys("ASIAWEB"))])
        let environment = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_REGION": "eu-west-1",
            "AWS_ROLE_SESSION_NAME": "pod-7",
        ]
        let chain = chain(environment, exchange)
        let credentials = try await chain.credentials()
        #expect(credentials.keys.sessionToken == Secret("to<ken>&"))
        #expect(credentials.account == "012345670123")
        try folder.write("token", "JWT-2")
        _ = try await chain.credentials()
        let requests = exchange.requests
        #expect(requests[0].url == "https://sts.eu-west-1.amazonaws.com/")
        #expect(requests[0].headers["Authorization"] == nil)
        #expect(
            requests[0].form == [
                "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/pod",
                "RoleSessionName": "pod-7", "WebIdentityToken": "JWT-1",
            ])
        #expect(requests[1].form["WebIdentityToken"] == "JWT-2")
    }

    @Test("A chain of roles is taken on from the keys outward, each with its own external id")
    func roleChain() async throws {
        let folder = try TemporaryFolder()
        let config = try folder.write(
            "config",
            """
            [profile top]
            role_arn = arn:aws:iam::333333333333:role/top
            source_profile = hub
            external_id = for/top
            duration_seconds = 1800
            [profile hub]
            role_arn = arn:aws:iam::222222222222:role/hub
            role_session_name = hub-session
            source_profile = keys
            [profile keys]
            aws_access_key_id = AKIABASE
            aws_secret_access_key = base-secret
            """)
        let exchange = ScriptedExchange(answers: [("role%2Fhub", .keys("ASIAHUB")), ("role%2Ftop", .keys("ASIATOP"))])
        let environment = ["AWS_CONFIG_FILE": config, "AWS_PROFILE": "top"]
        let credentials = try await chain(environment, exchange).credentials()
        #expect(credentials.keys.accessKeyID == "ASIATOP")
        let requests = exchange.requests
        #expect(requests.map(\.url) == ["https://sts.amazonaws.com/", "https://sts.amazonaws.com/"])
        #expect(
            requests[0].form == [
                "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::222222222222:role/hub",
                "RoleSessionName": "hub-session",
            ])
        #expect(
            requests[1].form == [
                "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::333333333333:role/top",
                "RoleSessionName": "holdfast", "DurationSeconds": "1800", "ExternalId": "for/top",
            ])
        #expect(requests[0].headers["Authorization"]?.contains("AKIABASE/20261122/us-east-1/sts/aws4_request") == true)
        #expect(requests[1].headers["Authorization"]?.contains("Credential=ASIAHUB/") == true)
        #expect(requests[1].headers["X-Amz-Security-Token"] == "to<ken>&")
        #expect(requests[1].headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8")
    }

    @Test("Where our clock is off, the request is signed once more by the server's, and the end is told by our clock")
    func skew() async throws {
        // The server is 20 minutes ahead of us.
        let date = "Sun, 22 Nov 2026 08:20:00 GMT"
        let exchange = ScriptedExchange { request throws(HTTPFailure) in
            request.headers["X-Amz-Date"] == "20261122T082000Z"
                ? .keys("ASIA", expires: "2026-11-22T09:20:00Z", date: date)
                : .refusal("SignatureDoesNotMatch", "Signature expired", date: date)
        }
        let base = AWSCredentials(keys: AWSKeys(accessKeyID: "AKIA", secretKey: Secret("s")))
        let role = AWSIdentity.role(AssumedRole(arn: "arn:aws:iam::1:role/r"), from: .keys(base, source: "a test"))
        let credentials = try await chain([:], exchange).credentials(of: role)
        #expect(credentials.expires == Timestamp("2026-11-22T09:00:00Z"))
        #expect(exchange.requests.count == 2)
    }

    @Test(
        "A refusal names the role, the key and what AWS said",
        arguments: [
            (
                HTTPResponse.refusal("AccessDenied", "not authorized to perform: sts:AssumeRole"),
                CredentialFailure.Kind.denied
            ),
            (.refusal("Throttling", "Rate exceeded", status: 400), .unavailable),
            (.text("<html>down</html>", status: 503), .unavailable),
        ])
    func refusals(answer: HTTPResponse, kind: CredentialFailure.Kind) async {
        let chain = chain([:], ScriptedExchange(answers: [("sts", answer)]))
        let base = AWSIdentity.keys(
            AWSCredentials(keys: AWSKeys(accessKeyID: "AKIABASE", secretKey: Secret("s"))), source: "a test")
        let failure = await #expect(throws: CredentialFailure.self) {
            try await chain.credentials(of: .role(AssumedRole(arn: "arn:aws:iam::1:role/r"), from: base))
        }
        #expect(failure?.kind == kind)
        let named = failure?.message.contains("sts.AssumeRole of arn:aws:iam::1:role/r by the key AKIABASE")
        #expect(named == true, "\(failure?.message ?? "")")
    }

    @Test("A credential program's output is read, and what it prints beside is not")
    func program() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(
            "get",
            """
            #!/bin/sh
            echo hunter2 >&2
            printf '{"Version":1,"AccessKeyId":"AKIA%s","SecretAccessKey":"s"}' "$1"
            """
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: script)
        let config = try folder.write("config", "[default]\ncredential_process = '\(script)' \"a b\"\n")
        let credentials = try await chain(["AWS_CONFIG_FILE": config], AWSProfileTests.silent).credentials()
        #expect(credentials.keys.accessKeyID == "AKIAa b")
        #expect(credentials.expires == nil)
    }

    @Test(
        "A credential program that fails, prints nonsense or is not there is named by its profile alone",
        arguments: [
            "exit 3", "echo hunter2", "echo '{\"Version\":2}'", "echo '{\"Version\":1,\"AccessKeyId\":\"hunter2\"}'",
            "",
        ])
    func badProgram(body: String) async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write("hunter2", "#!/bin/sh\n\(body)\n")
        if !body.isEmpty { try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: script) }
        let config = try folder.write("config", "[default]\ncredential_process = \(script) --password hunter2\n")
        let failure = await #expect(throws: CredentialFailure.self) {
            try await chain(["AWS_CONFIG_FILE": config], AWSProfileTests.silent).credentials()
        }
        #expect(failure?.message.contains("the credential_process of the profile default") == true)
        #expect(failure?.message.contains("hunter2") == false)
    }
}
