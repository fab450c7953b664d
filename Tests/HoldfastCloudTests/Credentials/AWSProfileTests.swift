import HoldfastCloud
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@Suite("AWS profiles")
struct AWSProfileTests {
    static let silent = ScriptedExchange(answers: [])

    static func chain(_ environment: [String: String]) -> AWSCredentialChain {
        AWSCredentialChain(surroundings: surroundings(environment), exchange: silent, now: WallClock().read())
    }

    /// A plan in the words of the oracle.
    static func described(_ identity: AWSIdentity, folder: String) -> JSON {
        func role(_ role: AssumedRole) -> [(String, JSON)] {
            [
                ("role", .string(role.arn)), ("external", role.externalID.map { .string($0) } ?? .null),
                ("session", role.sessionName == AssumedRole.sessionName ? .null : .string(role.sessionName)),
            ]
        }
        switch identity {
        case .keys(let credentials, _):
            let keys = credentials.keys
            return [
                "access": .string(keys.accessKeyID), "secret": .string(keys.secretKey.revealed),
                "token": keys.sessionToken.map { .string($0.revealed) } ?? .null,
            ]
        case .role(let taken, let base):
            let seconds: JSON = taken.seconds.map { JSON(integerLiteral: $0) } ?? .null
            return .object(
                JSONObject(role(taken) + [("seconds", seconds), ("from", described(base, folder: folder))]))
        case .webIdentity(let taken, let file):
            return .object(JSONObject(role(taken) + [("file", file == folder + "/web-token" ? "WEB" : "other")]))
        case .program(let words, _): return ["program": .array(words.map { .string($0.revealed) })]
        case .container: return ["container": true]
        case .instance: return ["instance": true]
        }
    }

    @Test(
        "400 generated configurations give what botocore makes of them",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
    func botocore() throws {
        let folder = try TemporaryFolder()
        let lines = try Oracle.lines("aws_profiles.py", [folder.path, "400", "20261122"])
        try #require(lines.count == 400)
        var kinds: [String: Int] = [:]
        for (number, line) in lines.enumerated() {
            let members = try #require(line["environment"]?.object).members
            let environment = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value.string ?? "") })
            let found = try #require(line["found"])
            let ours: JSON
            var said = ""
            do {
                ours = Self.described(try Self.chain(environment).identity(), folder: folder.path)
            } catch {
                let word =
                    error.message.contains("circle") ? "circle" : error.message.contains("browser") ? "browser" : nil
                ours = ["error": .string(word ?? "other")]
                said = error.message
            }
            #expect(ours.canonicalText == found.canonicalText, "configuration \(number): \(said)")
            if let region = line["region"]?.string, environment["AWS_ACCESS_KEY_ID"] == nil {
                #expect(try Self.chain(environment).region() == region, "configuration \(number)")
            }
            kinds[
                found["error"]?.string ?? (found["from"]?["from"] == nil ? "" : "2 ") + (found.object?.names[0] ?? ""),
                default: 0] += 1
        }
        for kind in [
            "access", "external", "2 external", "circle", "browser", "other", "program", "container", "instance",
        ] {
            #expect(kinds[kind, default: 0] >= 2, "\(kind) is hardly tried: \(kinds)")
        }
    }

    @Test("A circle of source profiles is an error that names the way round")
    func circle() throws {
        let folder = try TemporaryFolder()
        let config = try folder.write(
            "config",
            """
            [profile a]
            role_arn = arn:aws:iam::1:role/a
            source_profile = b
            [profile b]
            role_arn = arn:aws:iam::1:role/b
            source_profile = c
            [profile c]
            role_arn = arn:aws:iam::1:role/c
            source_profile = b
            """)
        let failure = #expect(throws: CredentialFailure.self) {
            try Self.chain(["AWS_CONFIG_FILE": config, "AWS_PROFILE": "a"]).identity()
        }
        #expect(failure?.message.contains("a -> b -> c -> b") == true)
    }

    @Test(
        "A broken file is named with its line, and the line is not shown",
        arguments: [
            "[default]\naws_secret_access_key hunter2", "hunter2 = 1\n", "[default]\nx = 1\nX = hunter2\n",
            "[]\nhunter2=1",
            "[default]\na=1\n[default]\nb=hunter2",
        ])
    func brokenFile(text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("credentials", text)
        let failure = #expect(throws: CredentialFailure.self) {
            try Self.chain(["AWS_SHARED_CREDENTIALS_FILE": path]).identity()
        }
        #expect(failure?.message.hasPrefix("\(path):") == true)
        #expect(failure?.message.contains("hunter2") == false)
        #expect(failure?.kind == .misconfigured)
    }

    @Test("A file that cannot be read is named with the reason")
    func unreadableFile() throws {
        let folder = try TemporaryFolder()
        let failure = #expect(throws: CredentialFailure.self) {
            try Self.chain(["AWS_SHARED_CREDENTIALS_FILE": folder.path]).identity()
        }
        #expect(failure?.message == "\(folder.path) cannot be read: Is a directory")
    }

    @Test(
        "A profile that signs in through a browser is refused with what to do instead",
        arguments: [
            "sso_session = corp", "sso_start_url = https://x.example", "login_session = arn:aws:iam::1:user/me",
        ])
    func browser(line: String) throws {
        let folder = try TemporaryFolder()
        let config = try folder.write("config", "[profile corp]\n\(line)\n")
        let failure = #expect(throws: CredentialFailure.self) {
            try Self.chain(["AWS_CONFIG_FILE": config, "AWS_PROFILE": "corp"]).identity()
        }
        #expect(failure?.message.contains("aws configure export-credentials --profile corp") == true)
    }

    @Test(
        "A profile that wants a code typed, or an impossible duration, is refused",
        arguments: [
            ("mfa_serial = arn:aws:iam::1:mfa/me", "mfa_serial"), ("duration_seconds = 60", "900 to 43200"),
            ("duration_seconds = hour", "900 to 43200"),
        ])
    func refusedRoles(line: String, word: String) throws {
        let folder = try TemporaryFolder()
        let config = try folder.write(
            "config", "[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2InstanceMetadata\n\(line)\n")
        let failure = #expect(throws: CredentialFailure.self) {
            try Self.chain(["AWS_CONFIG_FILE": config]).identity()
        }
        #expect(failure?.message.contains(word) == true)
    }

    @Test("The region is AWS_REGION's, then AWS_DEFAULT_REGION's, then the profile's")
    func region() throws {
        let folder = try TemporaryFolder()
        let config = try folder.write("config", "[default]\nregion = eu-west-3\n")
        var environment = ["AWS_CONFIG_FILE": config]
        #expect(try Self.chain(environment).region() == "eu-west-3")
        environment["AWS_DEFAULT_REGION"] = "eu-west-2"
        #expect(try Self.chain(environment).region() == "eu-west-2")
        environment["AWS_REGION"] = "eu-west-1"
        #expect(try Self.chain(environment).region() == "eu-west-1")
        #expect(try Self.chain([:]).region() == nil)
    }

    @Test(
        "An endpoint is the service's own, then AWS_ENDPOINT_URL's, then the profile's, unless they are to be ignored")
    func endpoint() throws {
        let folder = try TemporaryFolder()
        let config = try folder.write("config", "[default]\nendpoint_url = http://profile\n")
        var environment = ["AWS_CONFIG_FILE": config]
        #expect(try Self.chain(environment).endpoint(of: "STS") == "http://profile")
        environment["AWS_ENDPOINT_URL"] = "http://all"
        environment["AWS_ENDPOINT_URL_STS"] = "http://sts"
        #expect(try Self.chain(environment).endpoint(of: "STS") == "http://sts")
        #expect(try Self.chain(environment).endpoint(of: "S3") == "http://all")
        environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
        #expect(try Self.chain(environment).endpoint(of: "STS") == nil)
    }
}
