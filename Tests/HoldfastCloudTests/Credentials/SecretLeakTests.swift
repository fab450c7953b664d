import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

/// Secrets are planted wherever credentials come from, and servers repeat whatever they are shown; nothing that can be
/// printed may show one.
@Suite("Secrets stay unseen")
struct SecretLeakTests {
    /// In every secret, also where it is spelled for a form or in base64.
    static let mark = "PLANTED"
    static let secret = "PLANTED/se+cret="
    static let spellings = [mark, "UExBTlRFR", "BMQU5URU", "QTEFOVEVE"]

    struct Source: Sendable, CustomTestStringConvertible {
        var name: String
        var cloud: Cloud
        var environment: [String: String]
        /// Written into the test's folder, which `$FOLDER` stands for, here and in the environment.
        var files: [String: String] = [:]
        var testDescription: String { name }
    }

    static let role = "role_arn = arn:aws:iam::012345670123:role/r"
    static let sources: [Source] = [
        Source(
            name: "AWS environment", cloud: .aws,
            environment: [
                "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": secret,
            ]),
        Source(
            name: "AWS half an environment", cloud: .aws,
            environment: ["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SESSION_TOKEN": secret]),
        Source(
            name: "AWS ended environment", cloud: .aws,
            environment: [
                "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
            ]),
        Source(
            name: "AWS profile", cloud: .aws, environment: ["AWS_SHARED_CREDENTIALS_FILE": "$FOLDER/c"],
            files: [
                "c": "[default]\naws_access_key_id=AKIA\naws_secret_access_key=\(secret)\naws_session_token=\(secret)"
            ]),
        Source(
            name: "AWS broken profile", cloud: .aws, environment: ["AWS_SHARED_CREDENTIALS_FILE": "$FOLDER/c"],
            files: ["c": "[default]\naws_access_key_id=AKIA\naws_secret_access_key \(secret)"]),
        Source(
            name: "AWS role of a profile", cloud: .aws, environment: ["AWS_CONFIG_FILE": "$FOLDER/c"],
            files: [
                "c":
                    "[default]\n\(role)\nsource_profile=default\naws_access_key_id=A\naws_secret_access_key=\(secret)"
            ]),
        Source(
            name: "AWS web identity", cloud: .aws,
            environment: ["AWS_WEB_IDENTITY_TOKEN_FILE": "$FOLDER/t", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"],
            files: ["t": secret]),
        Source(
            name: "AWS container", cloud: .aws,
            environment: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://c.example/x",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": secret,
            ]),
        Source(
            name: "AWS container with a token of two lines", cloud: .aws,
            environment: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://c.example/x",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "$FOLDER/t",
            ], files: ["t": "\(secret)\n\(secret)"]),
        Source(name: "AWS instance", cloud: .aws, environment: [:]),
        Source(
            name: "AWS program", cloud: .aws, environment: ["AWS_CONFIG_FILE": "$FOLDER/c"],
            files: ["c": "[default]\ncredential_process = /bin/sh -c 'echo \(secret); exit 1' \(secret)"]),
        Source(
            name: "Azure secret", cloud: .azure,
            environment: ["AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": secret]),
        Source(name: "Azure secret alone", cloud: .azure, environment: ["AZURE_CLIENT_SECRET": secret]),
        Source(
            name: "Azure certificate", cloud: .azure,
            environment: [
                "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_CERTIFICATE_PATH": "$FOLDER/c.pem",
            ], files: ["c.pem": "-----BEGIN PRIVATE KEY-----\n\(secret)\n-----END PRIVATE KEY-----"]),
        Source(
            name: "Azure certificate with a password", cloud: .azure,
            environment: [
                "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_CERTIFICATE_PATH": "$FOLDER/c.pem",
                "AZURE_CLIENT_CERTIFICATE_PASSWORD": secret,
            ], files: ["c.pem": secret]),
        Source(
            name: "Azure workload identity", cloud: .azure,
            environment: ["AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": "$FOLDER/t"],
            files: ["t": secret]),
        Source(
            name: "Azure App Service", cloud: .azure,
            environment: ["IDENTITY_ENDPOINT": "http://127.0.0.1:1/x", "IDENTITY_HEADER": secret]),
        google("service account", ["type": "service_account", "client_email": "e", "private_key": .string(secret)]),
        google(
            "person",
            [
                "type": "authorized_user", "client_id": "c", "client_secret": .string(secret),
                "refresh_token": .string(secret),
            ]),
        google("strange type", ["type": "unheard-of", "private_key": .string(secret)]),
        google("text", .string(secret)),
        google("federation by file", federation(["file": "$FOLDER/t"])),
        google(
            "federation by a file that is no JSON",
            federation(["file": "$FOLDER/t", "format": ["type": "json", "subject_token_field_name": "f"]])),
        google(
            "federation by URL",
            federation(["url": .string("https://s.example/?key=\(secret)"), "headers": ["X-Key": .string(secret)]])),
    ]

    static func google(_ name: String, _ file: JSON) -> Source {
        Source(
            name: "Google \(name)", cloud: .gcp, environment: ["GOOGLE_APPLICATION_CREDENTIALS": "$FOLDER/g.json"],
            files: ["g.json": file.canonicalText, "t": secret])
    }
    static func federation(_ source: JSON) -> JSON {
        [
            "type": "external_account", "audience": "a", "subject_token_type": "t", "credential_source": source,
            "client_id": "c", "client_secret": .string(secret),
        ]
    }

    /// What a server does with what it is shown.
    static let servers: [(name: String, script: ScriptedExchange.Script)] = [
        (
            "JSON",
            { request throws(HTTPFailure) in
                .json(["error": "invalid_grant", "error_description": .string(echo(request))], status: 400)
            }
        ),
        (
            "Google's JSON",
            { request throws(HTTPFailure) in
                .json(
                    ["error": ["code": 403, "status": .string(echo(request)), "message": .string(echo(request))]],
                    status: 403)
            }
        ),
        ("XML", { request throws(HTTPFailure) in .refusal("Code", echo(request)) }),
        ("text", { request throws(HTTPFailure) in .text(echo(request), status: 500) }),
        (
            "nonsense with 200",
            { request throws(HTTPFailure) in .text("{\"SecretAccessKey\": \"\(secret)\" \(echo(request))") }
        ),
        (
            "half an answer",
            { _ throws(HTTPFailure) in
                .json(["access_token": .string(secret), "SecretAccessKey": .string(secret), "Token": .string(secret)])
            }
        ),
        ("silence", { _ throws(HTTPFailure) in throw .unknownOutcome(code: "timeout", message: "no answer in 5 s") }),
    ]

    static func echo(_ request: HTTPRequest) -> String {
        ([request.text, decoded(request.text)] + request.headers.fields.map(\.value)).joined(separator: " ")
    }

    /// Every way in which a value may be printed.
    func shown(_ value: Any) -> String {
        var dumped = ""
        dump(value, to: &dumped)
        return "\(value) \(String(reflecting: value)) \(dumped)"
    }

    @Test("No error and no description shows a secret, whatever servers say", arguments: sources)
    func unseen(source: Source) async throws {
        let folder = try TemporaryFolder()
        for (name, text) in source.files {
            try folder.write(name, text.replacing("$FOLDER", with: folder.path))
        }
        let surroundings = Surroundings(
            environment: source.environment.mapValues { $0.replacing("$FOLDER", with: folder.path) },
            home: folder.path + "/home")
        for server in Self.servers {
            let exchange = ScriptedExchange(server.script)
            let access = AccountAccess(
                cloud: source.cloud, account: "012345670123",
                readRole: source.cloud == .aws ? "arn:aws:iam::012345670123:role/r" : nil)
            let keeper = CredentialKeeper(
                accounts: [access], mayWrite: false, surroundings: surroundings, exchange: exchange,
                now: WallClock().read())
            let url = source.cloud == .azure ? "https://management.azure.com/" : "https://x.googleapis.com/"
            var seen = [shown(surroundings), shown(keeper)]
            do {
                _ = try await keeper.authorize(
                    HTTPRequest(method: "GET", url: url), signingName: "s3",
                    in: CallScope(cloud: source.cloud, account: "012345670123"))
                Issue.record("\(server.name) gave credentials")
            } catch {
                #expect(!error.message.isEmpty)
                seen.append(shown(error))
            }
            let now = WallClock().read()
            let aws = AWSCredentialChain(surroundings: surroundings, exchange: exchange, now: now)
            let azure = AzureCredentials(surroundings: surroundings, exchange: exchange, now: now)
            let google = GoogleCredentials(surroundings: surroundings, exchange: exchange, now: now)
            seen += [shown(aws), shown(azure), shown(google)]
            if let identity = try? aws.identity() { seen.append(shown(identity)) }
            if let identity = try? azure.identity(tenant: nil, client: nil) { seen.append(shown(identity)) }
            if let identity = try? google.identity() { seen.append(shown(identity)) }
            for text in seen {
                for spelling in Self.spellings {
                    #expect(!text.contains(spelling), "\(server.name): \(text.prefix(2000))")
                }
            }
        }
    }

    @Test("What servers give is as unseen as what they are shown")
    func given() {
        let keys = AWSKeys(accessKeyID: "AKIA", secretKey: Secret(Self.secret), sessionToken: Secret(Self.secret))
        let signer = AWSSigner(keys: keys, region: "r", service: "s")
        let token = BearerToken(value: Secret(Self.secret), expires: .distantFuture)
        for text in [shown(keys), shown(AWSCredentials(keys: keys)), shown(signer), shown(token)] {
            #expect(!text.contains(Self.mark))
        }
    }
}
