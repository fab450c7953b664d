import Foundation
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import Testing

@Suite("Who reaches the server, and how")
struct ReachTests {
    @Test("By TCP nobody reads without signing in, and the sentence says how")
    func stranger() async throws {
        let answer = try await ServerBench().run { try await $0.get("/api/v1/findings") }
        #expect(answer.status == 401)
        #expect(answer.headers["WWW-Authenticate"] == "Bearer")
        #expect(answer.sentence.contains("holdfast login"))
    }

    @Test("By the socket the kernel says who calls, and everybody who may open it reads")
    func local() async throws {
        let answer = try await ServerBench().run { try await $0.ask("/api/v1/findings") }
        #expect(answer.status == 200)
        #expect(answer.json == ["items": [], "next": .null])
    }

    @Test("The socket is the owner's alone, and is gone when the server is")
    func socketMode() async throws {
        let bench = try ServerBench()
        let mode = try await bench.run { asking -> Int? in
            try FileManager.default.attributesOfItem(atPath: asking.socket)[.posixPermissions] as? Int
        }
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder.path) == [])
    }

    @Test("A socket that a dead process left is replaced; a file that is no socket is not")
    func leftover() async throws {
        let bench = try ServerBench()
        _ = try await bench.run { try await $0.ask("/healthz") }
        try Data("mine".utf8).write(to: URL(filePath: bench.folder.path + "/s"))
        await #expect(throws: ServerFailure.self) { try await bench.run { _ in } }
        #expect(try String(contentsOfFile: bench.folder.path + "/s", encoding: .utf8) == "mine")
    }

    @Test("A second server does not take the first one's socket")
    func secondServer() async throws {
        let bench = try ServerBench()
        let message = try await bench.run { asking in
            #expect(throws: ServerFailure.self) {
                try bench.server(socket: asking.socket, settings: bench.settings, rules: AccessRules(people: People()))
            }?.description
        }
        #expect(message?.contains("another process listens") == true)
    }

    @Test("A folder in which others may write holds no socket")
    func openFolder() async throws {
        let bench = try ServerBench()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: bench.folder.path)
        let failure = await #expect(throws: ServerFailure.self) { try await bench.run { _ in } }
        #expect(failure?.description.contains("others may write") == true)
    }

    @Test("A request for another host's name is not answered, whatever leads it here", arguments: ["evil.example", ""])
    func rebinding(host: String) async throws {
        let answer = try await ServerBench().run { try await $0.get("/metrics", ["Host": host]) }
        #expect(answer.status == 421 || answer.status == 400)
        #expect(!answer.text.contains("holdfast_"))
    }

    @Test("Nothing that is answered is kept, framed or guessed at", arguments: ["/healthz", "/api/v1/findings", "/no"])
    func headers(path: String) async throws {
        let answer = try await ServerBench().run { try await $0.get(path) }
        #expect(answer.headers["Cache-Control"] == "no-store")
        #expect(answer.headers["X-Frame-Options"] == "DENY")
        #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
        #expect(answer.headers["Content-Security-Policy"]?.contains("default-src 'none'") == true)
        #expect(answer.headers["Content-Security-Policy"]?.contains("script") == false)
    }

    @Test("Behind what ends TLS, metrics are for readers, and guesses are counted by who sent them")
    func behindTLS() async throws {
        var bench = try ServerBench()
        bench.settings.isBehindTLS = true
        bench.settings.url = "https://holdfast.example.com"
        let statuses = try await bench.run { asking -> [Int] in
            let host: KeyValuePairs = ["Host": "holdfast.example.com", "X-Forwarded-For": "10.0.0.1, 192.0.2.7"]
            var statuses = [try await asking.get("/metrics", host).status]
            for _ in 0..<11 {
                statuses.append(
                    try await asking.get(
                        "/api/v1/findings",
                        [
                            "Host": "holdfast.example.com", "X-Forwarded-For": "10.0.0.1, 192.0.2.7",
                            "Authorization": "Bearer no",
                        ]
                    ).status)
            }
            statuses.append(
                try await asking.get(
                    "/api/v1/findings",
                    ["Host": "holdfast.example.com", "X-Forwarded-For": "192.0.2.8", "Authorization": "Bearer no"]
                ).status)
            return statuses
        }
        #expect(statuses == [401] + Array(repeating: 401, count: 10) + [429, 401])
    }
}
