import Foundation
import HoldfastHTTP
import Testing

@Suite("Whom HTTP trusts", .timeLimit(.minutes(30)))
struct HTTPTrustTests {
    private let server: FaultServer
    init() throws { server = try FaultServer.shared }

    @Test("A certificate of a trusted authority for the host's name passes, by name and by address")
    func good() async throws {
        let client = server.client()
        #expect(try await client.send(get(server.url("/ok", port: "tls"))).text == "ok")
        #expect(try await client.send(get(server.url("/ok", port: "tls", host: "127.0.0.1"))).text == "ok")
    }

    @Test(
        "A server that cannot prove its name gets nothing",
        arguments: zip(
            ["wrongHost", "expired", "untrusted"],
            ["no alternative certificate subject name", "expired", "unable to get local issuer certificate"]))
    func bad(port: String, reason: String) async throws {
        let failure = await server.client().failing(post(server.url("/ok?token=AKIASECRET", port: port)))
        #expect(failure?.kind == "notSent certificate")
        #expect(failure?.description.contains(reason) == true, "\(String(describing: failure))")
    }

    @Test("The authorities that are configured are trusted alone, and by default the system's are")
    func authorities() async throws {
        let url = server.url("/ok", port: "tls")
        #expect(await server.client { $0.authorities = nil }.failure(get(url)) == "notSent certificate")
        let stranger = server.client { $0.authorities = "\(server.folder)/stranger.pem" }
        #expect(await stranger.failure(get(url)) == "notSent certificate")
        #expect(try await stranger.send(get(server.url("/ok", port: "untrusted"))).text == "ok")
        let missing = await server.client { $0.authorities = "\(server.folder)/none.pem" }.failing(get(url))
        #expect(missing?.kind == "notSent certificate")
        #expect(missing?.description.contains("none.pem") == true)
    }

    @Test("TLS before 1.2, and what is no TLS at all, is not spoken")
    func oldTLS() async throws {
        #expect(await server.client().failure(get(server.url("/ok", port: "old"))) == "notSent tls")
        let plain = server.url("/ok").replacing("http:", with: "https:")
        #expect(await server.client().failure(get(plain)) == "notSent tls")
    }

    // MARK: - Without TLS

    @Test("Without TLS only this machine and metadata services are spoken to")
    func plainHosts() async throws {
        let client = server.client()
        let allowed = [
            "127.0.0.1", "127.9.8.7", "127.1", "localhost", "LOCALHOST", "[::1]", "169.254.169.254", "169.254.170.2",
            "169.254.170.23", "[fd00:ec2::254]", "metadata.google.internal",
        ]
        for host in allowed {
            // With no time at all nothing is sent, and it is this that is told.
            #expect(await client.failure(get("http://\(host)/", deadline: .zero)) == "notSent timeout", "\(host)")
        }
        let refused = [
            "example.com", "10.0.0.1", "169.254.1.1", "128.0.0.1", "localhost.example.com", "127.0.0.1.example.com",
            "[::2]", "metadata.google.internal.example.com", "[::ffff:10.0.0.1]", "0.0.0.0",
        ]
        for host in refused {
            let failure = await client.failing(get("http://\(host)/path?token=AKIASECRET", deadline: .zero))
            #expect(failure?.kind == "notSent plain-http", "\(host)")
            #expect(failure?.description.contains("AKIASECRET") == false)
        }
    }

    @Test("A host that is listed is spoken to without TLS")
    func listedHost() async throws {
        let client = server.client {
            $0.plainHosts = ["Moto.test", "fd12::1"]
            $0.proxy = server.proxy
        }
        #expect(try await client.send(get("http://moto.test/")).text == "by proxy")
        #expect(await client.failure(get("http://other.test/")) == "notSent plain-http")
        #expect(await client.failure(get("http://[fd12::1]/", deadline: .zero)) == "notSent timeout")
    }

    // MARK: - Proxies

    private func proxied() async throws -> [String] {
        let answer = try await server.client().send(get(server.url("/proxied"), bodyLimit: 1 << 24))
        return try JSONDecoder().decode([String].self, from: Data(answer.body))
    }

    @Test("A request goes through a proxy's tunnel, and the proxy sees the host's name alone")
    func tunnel() async throws {
        let token = newToken()
        let client = server.client {
            $0.proxy = .address("http://user:word@127.0.0.1:\(server.ports["proxy"] ?? 0)", except: [])
        }
        var request = post(server.url("/echo?token=\(token)", port: "tls", host: "tunnel.test"))
        request.headers["Authorization"] = token
        let answer = try await client.send(request)
        #expect(try Echo(answer).values("Authorization") == [token])
        #expect(try Echo(answer).values("Proxy-Authorization") == [])
        #expect(answer.headers["X-Proxy"] == nil)
        let heads = try await proxied()
        let head = try #require(heads.first { $0.contains("Basic dXNlcjp3b3Jk") })
        #expect(head.hasPrefix("CONNECT tunnel.test:\(server.ports["tls"] ?? 0) HTTP/1.1"))
        #expect(!heads.contains { $0.contains(token) })
    }

    @Test("A request that the proxy does not let through was not sent")
    func refusingProxy() async throws {
        let client = server.client { $0.proxy = server.proxy }
        let forbidden = await client.failing(post("https://forbidden.test/path"))
        #expect(forbidden?.kind == "notSent proxy-refused")
        #expect(forbidden?.description.contains("answered 403 when asked for forbidden.test") == true)
        #expect(await client.failure(post("https://password.test/")) == "notSent proxy-refused")
        let refused = server.ports["refused"] ?? 0
        let gone = server.client { $0.proxy = .address("http://127.0.0.1:\(refused)", except: []) }
        #expect(await gone.failure(post("https://tunnel.test/")) == "notSent no-connection")
        let unknown = server.client { $0.proxy = .address("http://nowhere.invalid:1", except: []) }
        #expect(await unknown.failure(post("https://tunnel.test/")) == "notSent no-such-name")
    }

    @Test("A request that is lost behind a proxy has an unknown outcome")
    func lostBehindProxy() async throws {
        let client = server.client { $0.proxy = server.proxy }
        let url = server.url("/close", port: "tls", host: "tunnel.test")
        #expect(await client.failure(post(url)) == "unknownOutcome connection-lost")
    }

    @Test("This machine without TLS, and hosts that are excepted, are spoken to directly")
    func direct() async throws {
        let refused = "http://127.0.0.1:\(server.ports["refused"] ?? 0)"
        let client = server.client { $0.proxy = .address(refused, except: ["localhost"]) }
        #expect(try await client.send(get(server.url("/ok"))).text == "ok")
        #expect(try await client.send(get(server.url("/ok", port: "tls"))).text == "ok")
        let other = server.url("/ok", port: "tls", host: "127.0.0.1")
        #expect(await client.failure(get(other)) == "notSent no-connection")
    }

    @Test("The environment names the proxy, and the hosts that need none")
    func environment() async throws {
        // In a process of its own, for the environment is every thread's.
        await #expect(processExitsWith: .success) {
            let server = try FaultServer()
            setenv("HTTPS_PROXY", "http://127.0.0.1:\(server.ports["proxy"] ?? 0)", 1)
            setenv("NO_PROXY", "127.0.0.1", 1)
            setenv("http_proxy", "http://127.0.0.1:\(server.ports["refused"] ?? 0)", 1)
            let client = server.client { $0.proxy = .environment }
            let url = server.url("/ok", port: "tls", host: "tunnel.test")
            try #require(await client.send(get(url)).text == "ok")
            try #require(await client.send(get(server.url("/ok", port: "tls", host: "127.0.0.1"))).text == "ok")
            // Metadata is this machine's own, whatever the environment says.
            let answer = try await client.send(get(server.url("/proxied")))
            let heads = try JSONDecoder().decode([String].self, from: Data(answer.body))
            try #require(heads.count == 1)
            try #require(heads.first?.hasPrefix("CONNECT tunnel.test:") == true)
        }
    }
}
