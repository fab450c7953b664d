import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@Suite("Google tokens")
struct GoogleTokenTests {
    static let keys: JSON? = Oracle.python == nil ? nil : try? Oracle.lines("keys.py", ["make"]).first
    static let scope = "https://www.googleapis.com/auth/cloud-platform"
    let clock = WallClock()

    static func serviceAccount(_ more: [(String, JSON)] = []) -> JSON {
        .object(
            JSONObject(
                [
                    ("type", "service_account"), ("client_email", "h@p.iam.gserviceaccount.com"),
                    ("private_key_id", "key-1"), ("private_key", keys?["rsa"] ?? ""), ("client_id", "1"),
                    ("token_uri", "https://oauth2.googleapis.com/token"),
                ] + more))
    }
    static let person: JSON = [
        "type": "authorized_user", "client_id": "client", "client_secret": "client-secret",
        "refresh_token": "refresh/token+x", "quota_project_id": "payer",
    ]
    static func external(_ source: JSON, _ more: [(String, JSON)] = []) -> JSON {
        .object(
            JSONObject(
                [
                    ("type", "external_account"),
                    (
                        "audience",
                        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
                    ),
                    ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                    ("token_url", "https://sts.googleapis.com/v1/token"), ("credential_source", source),
                ] + more))
    }
    static let impersonation = (
        "service_account_impersonation_url",
        JSON.string(
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/t@p.iam:generateAccessToken"
        )
    )
    /// What any of Google's servers answer here, by a part of the URL.
    static let answers: [(part: String, body: JSON)] = [
        ("oauth2.googleapis.com/token", ["access_token": "the-token", "expires_in": 3600]),
        ("sts.googleapis.com", ["access_token": "federated-token", "expires_in": 1800, "token_type": "Bearer"]),
        ("generateAccessToken", ["accessToken": "the-token", "expireTime": "2026-11-22T08:45:00Z"]),
        ("subject.example", ["the": ["deep"], "id_token": "SUBJECT-JWT"]),
        ("metadata.google.internal", ["access_token": "the-token", "expires_in": 900]),
    ]

    static func scripted() -> ScriptedExchange {
        ScriptedExchange(answers: answers.map { ($0.part, .json($0.body, headers: ["Metadata-Flavor": "Google"])) })
    }

    func credentials(_ exchange: ScriptedExchange, _ environment: [String: String]) -> GoogleCredentials {
        GoogleCredentials(surroundings: surroundings(environment), exchange: exchange, now: clock.read())
    }

    /// A request in words that do not depend on the order of fields.
    private func described(method: String, url: String, headers: [String: String], body: String) throws -> JSON {
        var headers = headers
        for name in ["x-goog-api-client", "user-agent", "accept", "x-goog-user-project", "x-allowed-locations"] {
            headers[name] = nil
        }
        let shown = JSON.object(JSONObject(headers.map { ($0.key, .string($0.value)) }))
        if body.isEmpty || body.hasPrefix("{") {
            let parsed = body.isEmpty ? JSON.null : try JSON.parse(body)
            return ["method": .string(method), "url": .string(decoded(url)), "headers": shown, "body": parsed]
        }
        var form = fields(of: body)
        if let assertion = form["assertion"] { form["assertion"] = try claims(of: assertion).canonicalText }
        if let options = form["options"] { form["options"] = try JSON.parse(decoded(options)).canonicalText }
        let fields = JSON.object(JSONObject(form.map { ($0.key, .string($0.value)) }))
        return ["method": .string(method), "url": .string(decoded(url)), "headers": shown, "body": fields]
    }

    /// Header and claims of a token, without the signature.
    private func claims(of token: String) throws -> JSON {
        let parts = token.split(separator: ".").prefix(2)
        return .array(try parts.map { JSON.object(try part(String($0))) })
    }

    /// A credentials file of a kind; `nil` where the machine's metadata server is meant.
    static func file(_ kind: String, _ folder: TemporaryFolder) throws -> JSON? {
        let subject = try folder.write("subject", "SUBJECT-JWT")
        let object = try folder.write("subject.json", "{\"id_token\": \"SUBJECT-JWT\"}")
        let format: JSON = ["type": "json", "subject_token_field_name": "id_token"]
        return switch kind {
        case "service account": Self.serviceAccount()
        case "person": Self.person
        case "file": Self.external(["file": .string(subject)])
        case "file of JSON":
            Self.external(["file": .string(object), "format": format], [Self.impersonation])
        case "url":
            Self.external(
                ["url": "https://subject.example/token?x=y", "headers": ["X-Key": "url-key"], "format": format])
        case "impersonated":
            [
                "type": "impersonated_service_account", "source_credentials": Self.person, "delegates": ["d@p"],
                "service_account_impersonation_url": Self.impersonation.1,
            ]
        case "client":
            Self.external(
                ["file": .string(subject)],
                [("client_id", "id"), ("client_secret", "client-secret")])
        case "workforce":
            Self.external(
                ["file": .string(subject)],
                [
                    ("audience", "//iam.googleapis.com/locations/global/workforcePools/p/providers/q"),
                    ("workforce_pool_user_project", "7"),
                ])
        case "impersonated service account":
            [
                "type": "impersonated_service_account", "source_credentials": Self.serviceAccount(),
                "service_account_impersonation_url": Self.impersonation.1,
            ]
        default: nil
        }
    }

    @Test(
        "Each kind of credentials file sends what google-auth sends",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"),
        arguments: [
            "service account", "person", "file", "file of JSON", "url", "impersonated", "machine", "client",
            "workforce", "impersonated service account",
        ])
    func googleAuth(kind: String) async throws {
        let folder = try TemporaryFolder()
        let file = try Self.file(kind, folder)
        var environment: [String: String] = [:]
        var description: [(String, JSON)] = [
            ("time", JSON(integerLiteral: Int(clock.now.nanoseconds / 1_000_000_000))),
            (
                "answers",
                .array(
                    Self.answers.map {
                        ["url": .string($0.part), "body": $0.body, "headers": ["metadata-flavor": "Google"]]
                    })
            ),
        ]
        if let file {
            let path = try folder.write("credentials.json", file.canonicalText)
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = path
            description.append(("file", .string(path)))
        }
        let exchange = Self.scripted()
        let token = try await credentials(exchange, environment).token(actingAs: nil)
        let ours = try exchange.requests.map { request in
            let headers = request.headers.fields.map { ($0.name.lowercased(), $0.value) }
            return try described(
                method: request.method, url: request.url, headers: Dictionary(uniqueKeysWithValues: headers),
                body: request.text)
        }
        let input = try folder.write("case.json", JSON.object(JSONObject(description)).canonicalText)
        let lines = try Oracle.lines("google_tokens.py", [input])
        let theirs = try lines.dropLast().map { line in
            let headers = (line["headers"]?.object?.members ?? []).map { ($0.name.lowercased(), $0.value.string ?? "") }
            return try described(
                method: line["method"]?.string ?? "", url: line["url"]?.string ?? "",
                headers: Dictionary(headers) { $1 }, body: line["body"]?.string ?? "")
        }
        #expect(ours.map(\.canonicalText) == theirs.map(\.canonicalText))
        #expect(token.value == Secret(lines.last?["token"]?.string ?? ""))
        #expect(token.expires == (lines.last?["expires"]?.string).flatMap { Timestamp($0) })
    }

    @Test(
        "The assertion of a service account is verified by another library",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
    func assertion() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("k.json", Self.serviceAccount().canonicalText)
        let exchange = Self.scripted()
        _ = try await credentials(exchange, ["GOOGLE_APPLICATION_CREDENTIALS": path]).token(actingAs: nil)
        let token = try #require(exchange.requests.first?.form["assertion"])
        let parts = token.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let line: JSON = [
            "algorithm": "RS256", "pem": Self.keys?["rsa"] ?? "", "message": .string("\(parts[0]).\(parts[1])"),
            "signature": .string(parts[2]),
        ]
        let file = try folder.write("line", line.canonicalText)
        #expect(try Oracle.lines("keys.py", ["verify", file]) == [["valid": true]])
    }

    @Test(
        "Where our clock is off, the assertion is made once more by the server's",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
    func skew() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("k.json", Self.serviceAccount().canonicalText)
        let refusal = HTTPResponse.json(
            ["error": "invalid_grant", "error_description": "Invalid JWT: Token must be a short-lived token"],
            status: 400, headers: ["Date": "Sun, 22 Nov 2026 08:20:00 GMT"])
        let exchange = ScriptedExchange { [self] request throws(HTTPFailure) in
            let claims = try? claims(of: request.form["assertion"] ?? "").array?.last
            let soon = Timestamp("2026-11-22T08:20:00Z")?.nanoseconds ?? 0
            return claims?["iat"]?.int == Int(soon / 1_000_000_000)
                ? .json(["access_token": "late", "expires_in": 3600]) : refusal
        }
        let token = try await credentials(exchange, ["GOOGLE_APPLICATION_CREDENTIALS": path]).token(actingAs: nil)
        #expect(token.value == Secret("late"))
        #expect(token.expires == Timestamp("2026-11-22T09:00:00Z"))
        #expect(exchange.requests.count == 2)
    }

    @Test("Federation from AWS shows a GetCallerIdentity that is signed for this audience alone")
    func aws() async throws {
        let folder = try TemporaryFolder()
        let file = Self.external(
            [
                "environment_id": "aws1",
                "regional_cred_verification_url":
                    "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
                "region_url": "http://169.254.169.254/latest/meta-data/placement/availability-zone",
                "url": "http://169.254.169.254/latest/meta-data/iam/security-credentials",
                "imdsv2_session_token_url": "http://169.254.169.254/latest/api/token",
            ], [Self.impersonation])
        let path = try folder.write("x.json", file.canonicalText)
        let exchange = ScriptedExchange(
            answers: [
                ("PUT http://169.254.169.254/latest/api/token", .text("SESSION")),
                ("availability-zone", .text("eu-west-1b")), ("security-credentials/role", .json(AWSSourceTests.given)),
                ("security-credentials", .text("role")),
            ] + Self.answers.map { ($0.part, .json($0.body)) })
        let token = try await credentials(exchange, ["GOOGLE_APPLICATION_CREDENTIALS": path]).token(actingAs: nil)
        #expect(token.value == Secret("the-token"))
        let exchanged = try #require(exchange.requests.first { $0.url.contains("sts.googleapis.com") })
        let subject = try JSON.parse(decoded(try #require(exchanged.form["subject_token"])))
        #expect(subject["method"] == "POST")
        let url = "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
        #expect(subject["url"]?.string == url)
        var headers = HTTPHeaders()
        for field in subject["headers"]?.array ?? [] {
            headers.add(field["key"]?.string ?? "", field["value"]?.string ?? "")
        }
        #expect(headers["host"] == "sts.eu-west-1.amazonaws.com")
        #expect(headers["x-goog-cloud-target-resource"] == file["audience"]?.string)
        #expect(
            headers["Authorization"]?.contains(
                "SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource") == true)
        // The same signature, made apart from what is in the token.
        let request = HTTPRequest(
            method: "POST", url: url,
            headers: HTTPHeaders(["x-goog-cloud-target-resource": file["audience"]?.string ?? ""]))
        let keys = AWSKeys(accessKeyID: "ASIAGIVEN", secretKey: Secret("s"), sessionToken: Secret("t"))
        let signed = AWSSigner(keys: keys, region: "eu-west-1", service: "sts")
            .sign(request, at: clock.now.nanoseconds / 1_000_000_000)
        #expect(headers["Authorization"] == signed.headers["Authorization"])
        let asked = exchange.requests.filter { $0.url.hasPrefix("http://169.254.169.254") && $0.method == "GET" }
        #expect(asked.count == 3 && asked.allSatisfy { $0.headers["x-aws-ec2-metadata-token"] == "SESSION" })
    }

    @Test("A role is another service account, whose token is asked for with ours")
    func actingAs() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("p.json", Self.person.canonicalText)
        let exchange = Self.scripted()
        let token = try await credentials(exchange, ["GOOGLE_APPLICATION_CREDENTIALS": path]).token(actingAs: "r@p.iam")
        #expect(
            token
                == BearerToken(
                    value: Secret("the-token"), expires: Timestamp("2026-11-22T08:45:00Z")!, quotaProject: "payer"))
        let last = try #require(exchange.requests.last)
        #expect(
            last.url
                == "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/r@p.iam:generateAccessToken")
        #expect(last.headers["Authorization"] == "Bearer the-token")
    }

    @Test("gcloud's own file is found, the variable goes before it, and the machine is asked last")
    func order() async throws {
        let folder = try TemporaryFolder()
        try folder.write("application_default_credentials.json", Self.person.canonicalText)
        let exchange = Self.scripted()
        let found = credentials(exchange, ["CLOUDSDK_CONFIG": folder.path])
        guard case .person = try found.identity().identity else { throw Oracle.Failure(description: "not the person") }
        #expect(try found.identity().quotaProject == "payer")
        let paying = credentials(exchange, ["CLOUDSDK_CONFIG": folder.path, "GOOGLE_CLOUD_QUOTA_PROJECT": "other"])
        #expect(try paying.identity().quotaProject == "other")
        #expect(try credentials(exchange, [:]).identity().identity == .machine(host: "metadata.google.internal"))
        let host = credentials(exchange, ["GCE_METADATA_HOST": "127.0.0.1:8"])
        #expect(try host.identity().identity == .machine(host: "127.0.0.1:8"))
        let failure = #expect(throws: CredentialFailure.self) {
            try credentials(exchange, ["NO_GCE_CHECK": "true"]).identity()
        }
        #expect(failure?.kind == .absent)
    }

    @Test("An answer without Google's mark is not taken for the metadata server's")
    func flavor() async {
        let exchange = ScriptedExchange(answers: [("metadata", .json(["access_token": "x", "expires_in": 3]))])
        let failure = await #expect(throws: CredentialFailure.self) {
            try await credentials(exchange, [:]).token(actingAs: nil)
        }
        #expect(failure?.code == "not-google")
    }

    @Test(
        "A credentials file that cannot be used is named with what it lacks",
        arguments: [
            ("{", "is not a JSON object"), ("{}", "unknown type"),
            ("{\"type\":\"gdch_service_account\"}", "gdch_service_account"),
            ("{\"type\":\"service_account\"}", "has no client_email"),
            (
                """
                {"type": "external_account", "credential_source": {"executable": {"command": "hunter2"}},
                 "audience": "a", "subject_token_type": "t"}
                """,
                "not supported"
            ),
            (
                """
                {"type": "authorized_user", "client_id": "i", "client_secret": "hunter2", "refresh_token": "hunter2",
                 "token_uri": "http://evil.example"}
                """,
                "token_uri is not an https URL"
            ),
            (
                "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":\"hunter2\"}",
                "no private key in PEM form"
            ),
        ])
    func badFiles(text: String, word: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("c.json", text)
        let failure = await #expect(throws: CredentialFailure.self) {
            try await credentials(Self.scripted(), ["GOOGLE_APPLICATION_CREDENTIALS": path]).token(actingAs: nil)
        }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("hunter2") == false)
    }
}

/// The object that a part of a web token is: JSON in base64url without padding.
func part(_ text: String) throws -> JSONObject {
    let standard = text.replacing("-", with: "+").replacing("_", with: "/")
    let padded = standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
    let bytes = Data(base64Encoded: padded).map { Array($0) } ?? []
    guard let object = try JSON.parse(bytes).object else { throw Oracle.Failure(description: "not an object") }
    return object
}
