import HoldfastCloud
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@Suite("Azure tokens")
struct AzureTokenTests {
    static let resource = "https://management.azure.com"
    let clock = WallClock()

    static let token: JSON = ["access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"]
    static let application = ["AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1"]

    func credentials(_ exchange: ScriptedExchange, _ environment: [String: String]) -> AzureCredentials {
        AzureCredentials(surroundings: surroundings(environment), exchange: exchange, now: clock.read())
    }

    static let kinds: [(kind: String, variables: [String: String])] = [
        ("environment", ["AZURE_CLIENT_SECRET": "s3cr+t &="]),
        ("environment", ["AZURE_CLIENT_SECRET": "s", "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"]),
        ("workload", ["AZURE_FEDERATED_TOKEN_FILE": "federated"]), ("managed", [:]),
        ("managed", ["IDENTITY_ENDPOINT": "http://127.0.0.1:4141/msi/token/", "IDENTITY_HEADER": "the-header"]),
    ]

    /// Names that only say which library asks.
    private static let chatter: Set<String> = ["client_info"]

    @Test(
        "Secret, workload identity and managed identity send what azure-identity sends",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"),
        arguments: AzureTokenTests.kinds)
    func azureIdentity(kind: String, variables: [String: String]) async throws {
        let folder = try TemporaryFolder()
        var environment = Self.application.merging(variables) { $1 }
        if environment["AZURE_FEDERATED_TOKEN_FILE"] != nil {
            environment["AZURE_FEDERATED_TOKEN_FILE"] = try folder.write("federated", "FEDERATED-JWT")
        }
        let exchange = ScriptedExchange(answers: [("http", .json(Self.token))])
        let token = try await credentials(exchange, environment).token(for: Self.resource, tenant: nil, client: nil)
        #expect(token.value == Secret("the-token"))
        let ours = try #require(exchange.requests.first)
        #expect(exchange.requests.count == 1)
        let theirs = try #require(try Oracle.lines("azure_tokens.py", [kind], environment: environment).first)
        #expect(ours.method == theirs["method"]?.string)
        let parts = (theirs["url"]?.string ?? "").split(separator: "?").map(String.init)
        #expect(ours.url.split(separator: "?").first.map(String.init) == parts.first)
        #expect(ours.query == fields(of: parts.count > 1 ? parts[1] : ""))
        var form: [String: String] = [:]
        for member in theirs["form"]?.object?.members ?? [] where !Self.chatter.contains(member.name) {
            form[member.name] = member.value.scalarText
        }
        #expect(ours.form == form)
        for field in ours.headers.fields {
            let same = theirs["headers"]?.object?.members.first { $0.name.lowercased() == field.name.lowercased() }
            // azure-identity leaves out Accept for workload identity alone; asking for JSON is right everywhere.
            if field.name != "Accept" || same != nil { #expect(same?.value.string == field.value, "\(field.name)") }
        }
    }

    @Test(
        "The assertion of a certificate says what azure-identity's says, signed with PS256 and SHA-256's thumbprint",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
    func certificate() async throws {
        let folder = try TemporaryFolder()
        let keys = try #require(GoogleTokenTests.keys)
        let pem = (keys["certificate"]?.string ?? "") + (keys["rsa"]?.string ?? "")
        let file = try folder.write("app.pem", pem)
        let environment = Self.application.merging(["AZURE_CLIENT_CERTIFICATE_PATH": file]) { $1 }
        let exchange = ScriptedExchange(answers: [("oauth2/v2.0/token", .json(Self.token))])
        _ = try await credentials(exchange, environment).token(for: Self.resource, tenant: nil, client: nil)
        let request = try #require(exchange.requests.first)
        let theirs = try #require(try Oracle.lines("azure_tokens.py", ["environment"], environment: environment).first)
        let theirForm = try #require(theirs["form"]?.object)
        #expect(request.url == theirs["url"]?.string)
        #expect(Set(request.form.keys) == Set(theirForm.names).subtracting(Self.chatter))
        for name in ["client_id", "grant_type", "scope", "client_assertion_type"] {
            #expect(request.form[name] == theirForm[name]?.string)
        }
        let parts = try #require(request.form["client_assertion"]).split(separator: ".").map(String.init)
        let header = try JSON.object(part(parts[0]))
        #expect(header == ["alg": "PS256", "typ": "JWT", "x5t#S256": keys["sha256"] ?? ""])
        let claims = try part(parts[1])
        let theirParts = try #require(theirForm["client_assertion"]?.string).split(separator: ".").map(String.init)
        let theirClaims = try part(theirParts[1])
        for name in ["aud", "iss", "sub"] { #expect(claims[name] == theirClaims[name]) }
        #expect(Set(theirClaims.names).isSubset(of: claims.names))
        #expect(claims["iat"]?.int == Int(clock.now.nanoseconds / 1_000_000_000))
        #expect((claims["exp"]?.int ?? 0) - (claims["iat"]?.int ?? 0) == 600)
        #expect((claims["jti"]?.string ?? "").utf8.count == 32)
        let line: JSON = [
            "algorithm": "PS256", "pem": keys["rsa"] ?? "", "message": .string("\(parts[0]).\(parts[1])"),
            "signature": .string(parts[2]),
        ]
        let signature = try folder.write("line", line.canonicalText)
        #expect(try Oracle.lines("keys.py", ["verify", signature]) == [["valid": true]])
    }

    @Test("The environment goes before workload identity, and that before managed identity")
    func order() throws {
        let client = AzureClient(tenant: "tenant-1", id: "client-1")
        var environment = Self.application
        func identity() throws -> AzureIdentity {
            try credentials(AWSProfileTests.silent, environment).identity(tenant: nil, client: nil)
        }
        #expect(try identity() == .machine(endpoint: "http://169.254.169.254", client: "client-1"))
        environment["IDENTITY_ENDPOINT"] = "http://127.0.0.1:1/msi"
        environment["IDENTITY_HEADER"] = "h"
        #expect(
            try identity() == .appService(endpoint: "http://127.0.0.1:1/msi", header: Secret("h"), client: "client-1"))
        environment["AZURE_FEDERATED_TOKEN_FILE"] = "/f"
        #expect(try identity() == .federated(client, tokenFile: "/f"))
        environment["AZURE_CLIENT_CERTIFICATE_PATH"] = "/c.pem"
        #expect(try identity() == .certificate(client, file: "/c.pem"))
        environment["AZURE_CLIENT_SECRET"] = "s"
        #expect(try identity() == .secret(client, Secret("s")))
    }

    @Test("A role is another client of workload or managed identity, and never of a secret")
    func roles() throws {
        var environment = Self.application
        let exchange = AWSProfileTests.silent
        environment["AZURE_FEDERATED_TOKEN_FILE"] = "/f"
        let federated = try credentials(exchange, environment).identity(tenant: "other-tenant", client: "writer")
        #expect(federated == .federated(AzureClient(tenant: "other-tenant", id: "writer"), tokenFile: "/f"))
        #expect(
            try credentials(exchange, [:]).identity(tenant: nil, client: "writer")
                == .machine(endpoint: "http://169.254.169.254", client: "writer"))
        environment["AZURE_CLIENT_SECRET"] = "hunter2"
        let own = try credentials(exchange, environment).identity(tenant: nil, client: "client-1")
        #expect(own == .secret(AzureClient(tenant: "tenant-1", id: "client-1"), Secret("hunter2")))
        let failure = #expect(throws: CredentialFailure.self) {
            try credentials(exchange, environment).identity(tenant: nil, client: "writer")
        }
        #expect(failure?.message.contains("the role is the client writer") == true)
    }

    @Test(
        "What is set by half, or not supported, is refused by name",
        arguments: [
            (["AZURE_CLIENT_SECRET": "hunter2"], "AZURE_TENANT_ID and AZURE_CLIENT_ID"),
            (["AZURE_CLIENT_SECRET": "hunter2", "AZURE_TENANT_ID": "t"], "and AZURE_CLIENT_ID not"),
            (["IDENTITY_ENDPOINT": "http://x", "IMDS_ENDPOINT": "http://y"], "Azure Arc"),
            (["MSI_ENDPOINT": "http://x"], "Cloud Shell"),
            (
                [
                    "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "hunter2",
                    "AZURE_AUTHORITY_HOST": "http://evil.example",
                ], "not an https URL"
            ),
            (
                ["AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_CERTIFICATE_PATH": "/nonexistent.pfx"],
                "openssl pkcs12"
            ),
            (
                [
                    "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_CERTIFICATE_PATH": "/x.pem",
                    "AZURE_CLIENT_CERTIFICATE_PASSWORD": "hunter2",
                ], "AZURE_CLIENT_CERTIFICATE_PASSWORD is not supported"
            ),
            (
                ["AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": "/nonexistent"],
                "/nonexistent: there is no such file"
            ),
        ])
    func refused(environment: [String: String], word: String) async {
        let failure = await #expect(throws: CredentialFailure.self) {
            try await credentials(AWSProfileTests.silent, environment).token(
                for: Self.resource, tenant: nil, client: nil)
        }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("hunter2") == false)
    }

    @Test(
        "The end of a managed identity's token is read from either of its spellings",
        arguments: [
            (JSON.object(JSONObject([("access_token", "t"), ("expires_in", "600")])), "2026-11-22T08:10:00Z"),
            (.object(JSONObject([("access_token", "t"), ("expires_in", 600)])), "2026-11-22T08:10:00Z"),
            (.object(JSONObject([("access_token", "t"), ("expires_on", "1795336200")])), "2026-11-22T08:30:00Z"),
            (.object(JSONObject([("access_token", "t"), ("expires_on", 1_795_336_200)])), "2026-11-22T08:30:00Z"),
        ])
    func expiry(answer: JSON, end: String) async throws {
        let exchange = ScriptedExchange(answers: [("identity", .json(answer))])
        let token = try await credentials(exchange, [:]).token(for: Self.resource, tenant: nil, client: nil)
        #expect(token.expires == Timestamp(end))
    }

    @Test(
        "No managed identity, one that is starting, and one that is refused are told apart",
        arguments: [
            (HTTPResponse.json(["error": "not_found"], status: 404), CredentialFailure.Kind.unavailable),
            (.json(["error": "x"], status: 410), .unavailable),
            (.json([:], status: 429, headers: ["Retry-After": "7"]), .unavailable),
            (.json(["error": "invalid_request", "error_description": "Identity not found"], status: 400), .denied),
        ])
    func managedRefusals(answer: HTTPResponse, kind: CredentialFailure.Kind) async {
        let failure = await #expect(throws: CredentialFailure.self) {
            try await credentials(ScriptedExchange(answers: [("identity", answer)]), [:])
                .token(for: Self.resource, tenant: nil, client: nil)
        }
        #expect(failure?.kind == kind)
        if answer.status == 429 { #expect(failure?.retryAfter == .seconds(7)) }
    }
}
