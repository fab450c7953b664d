import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import TestOracles
import Testing

/// The provider of Tests/servers.
struct Provider: Sendable {
    let process: ServerProcess
    let issuer: String
    private let http: HTTPClient

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hf-oidc-\(UUID().uuidString)").path
        process = try ServerProcess("oidc_provider.py", [folder], isPlain: true)
        issuer = try #require(process.told["issuer"]?.string)
        var options = HTTPClientOptions()
        options.proxy = .none
        http = HTTPClient(options)
    }

    var settings: ServerSettings.Provider {
        ServerSettings.Provider(
            issuer: issuer, clientID: "holdfast", clientSecret: nil, audience: "holdfast-api", rolesClaim: "groups",
            roles: ["approver": ["sre"]], scopes: ["profile"])
    }

    @discardableResult
    func control(_ wanted: JSON) async throws -> JSON {
        let answer = try await http.send(
            HTTPRequest(
                method: "POST", url: issuer + "/control", body: wanted.canonicalBytes, deadline: .seconds(300)))
        return try JSON.parse(answer.body)
    }

    func counts() async throws -> JSON {
        try JSON.parse(
            try await http.send(HTTPRequest(method: "GET", url: issuer + "/counts", deadline: .seconds(300))).body)
    }

    /// A token of the usual claims with these changes; `null` takes one away.
    func token(_ changes: JSONObject = JSONObject(), header: JSON = [:], key: String = "RS256") async throws -> String {
        let now = Int(ServerBench.start.nanoseconds / 1_000_000_000)
        var claims = JSONObject([
            ("iss", .string(issuer)), ("aud", "holdfast-api"), ("sub", "subject-1"),
            ("iat", .number(JSONNumber(now))), ("exp", .number(JSONNumber(now + 300))),
        ])
        for member in changes.members { claims[member.name] = member.value.isNull ? nil : member.value }
        let answer = try await control(["sign": ["claims": .object(claims), "header": header, "key": .string(key)]])
        return try #require(answer["token"]?.string)
    }
}

@Suite("Tokens")
struct TokenTests {
    private static let now = Int(ServerBench.start.nanoseconds / 1_000_000_000)

    private func bench(_ provider: Provider) throws -> ServerBench {
        var bench = try ServerBench()
        bench.settings.provider = provider.settings
        return bench
    }

    private func ask(_ bench: ServerBench, _ tokens: [String]) async throws -> [HTTPResponse] {
        try await bench.run { asking in
            var answers: [HTTPResponse] = []
            for token in tokens {
                answers.append(try await asking.get("/api/v1/findings", ["Authorization": "Bearer \(token)"]))
            }
            return answers
        }
    }

    @Test("A token of the provider lets in whom the configuration knows by its subject", arguments: ["RS256", "ES256"])
    func good(key: String) async throws {
        let provider = try Provider()
        let token = try await provider.token(key: key)
        let answer = try await ask(try bench(provider), [token])[0]
        #expect(answer.status == 200, "\(answer.sentence)")
    }

    @Test(
        "A token that says nothing to us is refused, and the sentence says why",
        arguments: [
            (["iss": "https://other.example"], "is not from"),
            (["aud": "somebody-else"], "is not meant for holdfast-api"),
            (["exp": JSON.number(JSONNumber(now - 61))], "ended at"),
            (["exp": .null], "has no end"),
            (["nbf": JSON.number(JSONNumber(now + 61))], "begins only at"),
            (["iat": JSON.number(JSONNumber(now + 61))], "begins only at"),
            (["iat": "yesterday"], "that is no time"),
            (["sub": .null], "names no subject"),
        ] as [(JSON, String)])
    func claims(changes: JSON, sentence: String) async throws {
        let provider = try Provider()
        let token = try await provider.token(try #require(changes.object))
        let answer = try await ask(try bench(provider), [token])[0]
        #expect(answer.status == 401)
        #expect(answer.sentence.contains(sentence), "\(answer.sentence)")
    }

    @Test("Clocks may be a minute apart")
    func skew() async throws {
        let provider = try Provider()
        let tokens = [
            try await provider.token(JSONObject([("exp", .number(JSONNumber(Self.now - 59)))])),
            try await provider.token(JSONObject([("nbf", .number(JSONNumber(Self.now + 59)))])),
        ]
        #expect(try await ask(try bench(provider), tokens).map(\.status) == [200, 200])
    }

    @Test("A subject that nobody in the configuration has is told so, and is nobody")
    func unknownSubject() async throws {
        let provider = try Provider()
        let token = try await provider.token(JSONObject([("sub", "stranger\u{202E}")]))
        let answer = try await ask(try bench(provider), [token])[0]
        #expect(answer.status == 403)
        #expect(answer.sentence.contains("stranger\\u{202e}"), "\(answer.sentence)")
    }

    @Test(
        "A token that is not signed by one of the provider's keys, with the algorithm of that key, is refused",
        arguments: [
            ["alg": "none"], ["alg": "HS256"], ["alg": "RS512"], ["alg": "ES256"], ["kid": "no-such-key"],
            ["crit": ["exp"]], ["typ": "logout+jwt"], ["alg": "none", "kid": ""],
        ] as [JSON])
    func headers(header: JSON) async throws {
        let provider = try Provider()
        let token = try await provider.token(header: header)
        #expect(try await ask(try bench(provider), [token])[0].status == 401)
    }

    @Test("One changed letter anywhere makes a token worthless")
    func forged() async throws {
        let provider = try Provider()
        let token = try await provider.token()
        var random = SystemRandomNumberGenerator()
        let forged = (0..<9).map { _ -> String in
            var letters = Array(token)
            let place = Int.random(in: 0..<letters.count - 1, using: &random)
            letters[place] = letters[place] == "A" ? "B" : "A"
            return String(letters)
        }.filter { $0 != token }
        #expect(try await ask(try bench(provider), forged).allSatisfy { $0.status == 401 })
    }

    @Test(
        "What is no token at all is refused in a sentence",
        arguments: ["", "a.b.c", "..", "hf_short", "e30.e30.", "e30.e30.AA", String(repeating: "a", count: 15_000)])
    func garbage(token: String) async throws {
        let answer = try await ask(try bench(try Provider()), [token])[0]
        #expect(answer.status == 401)
        #expect(!answer.sentence.isEmpty)
    }

    @Test("After a rotation the new keys are fetched once, and the old ones no longer count")
    func rotation() async throws {
        let provider = try Provider()
        let bench = try bench(provider)
        let old = try await provider.token()
        let statuses = try await bench.run { asking -> [Int] in
            func ask(_ token: String) async throws -> Int {
                try await asking.get("/api/v1/findings", ["Authorization": "Bearer \(token)"]).status
            }
            var statuses = [try await ask(old)]
            try await provider.control(["rotate": true])
            let new = try await provider.token()
            // Within the pause a key that is not known is not asked for: who sends such tokens makes no traffic.
            statuses.append(try await ask(new))
            bench.clock.move(seconds: 31)
            statuses += [try await ask(new), try await ask(new), try await ask(old)]
            return statuses
        }
        #expect(statuses == [200, 401, 200, 200, 401])
        #expect(try await provider.counts()["keys"] == 2)
    }

    @Test("While the provider is away its keys are used on for a day")
    func outage() async throws {
        let provider = try Provider()
        let bench = try bench(provider)
        let lasting = try await provider.token(JSONObject([("exp", .number(JSONNumber(Self.now + 1_000_000)))]))
        let statuses = try await bench.run { asking -> [Int] in
            func ask() async throws -> Int {
                try await asking.get("/api/v1/findings", ["Authorization": "Bearer \(lasting)"]).status
            }
            var statuses = [try await ask()]
            try await provider.control(["fail": 100])
            bench.clock.move(seconds: 7200)
            statuses.append(try await ask())
            bench.clock.move(seconds: 86_400)
            statuses.append(try await ask())
            return statuses
        }
        #expect(statuses == [200, 200, 503])
    }

    @Test("A token for a program works until it ends, gives no more than its person has, and only whole")
    func apiTokens() async throws {
        let (token, digest) = APIToken.make()
        let (other, _) = APIToken.make()
        var bench = try ServerBench()
        bench.settings.tokens = [
            .init(
                name: "ci", sha256: digest, person: "ann.lee", roles: ["viewer", "admin"],
                expires: ServerBench.start + Span(seconds: 60))
        ]
        let clock = bench.clock
        let statuses = try await bench.run { asking -> [Int] in
            func ask(_ token: String) async throws -> Int {
                try await asking.get("/api/v1/findings", ["Authorization": "Bearer \(token)"]).status
            }
            var statuses = [try await ask(token.revealed), try await ask(other.revealed)]
            statuses.append(try await ask(String(token.revealed.dropLast())))
            clock.move(seconds: 61)
            statuses.append(try await ask(token.revealed))
            return statuses
        }
        #expect(statuses == [200, 401, 401, 401])
        #expect(!bench.lines.text.contains(token.revealed.dropFirst(3).prefix(8)))
    }

    @Test("Who guesses is slowed down, and others are not; patience comes back")
    func guessing() async throws {
        let (token, digest) = APIToken.make()
        var bench = try ServerBench()
        bench.settings.tokens = [
            .init(
                name: "ci", sha256: digest, person: "ann.lee", roles: ["viewer"],
                expires: ServerBench.start + Span(seconds: 6000))
        ]
        let clock = bench.clock
        let result = try await bench.run { asking -> (statuses: [Int], local: Int, wait: String?) in
            func ask(_ token: String) async throws -> HTTPResponse {
                try await asking.get("/api/v1/findings", ["Authorization": "Bearer \(token)"])
            }
            var statuses: [Int] = []
            for _ in 0..<10 { statuses.append(try await ask("hf_guess").status) }
            let refused = try await ask(token.revealed)
            statuses.append(refused.status)
            let local = try await asking.ask("/api/v1/findings").status
            clock.move(seconds: 61)
            statuses.append(try await ask(token.revealed).status)
            return (statuses, local, refused.headers["Retry-After"])
        }
        #expect(result.statuses == Array(repeating: 401, count: 10) + [429, 200])
        #expect(result.local == 200)
        #expect(result.wait == "60")
    }
}
