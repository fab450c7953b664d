import Foundation
import HoldfastHTTP
import Testing

/// A fault of the server's, and what the client must say of it.
struct Fault: Sendable, CustomTestStringConvertible {
    var path: String
    var kind: String
    var testDescription: String { "\(path): \(kind)" }

    init(_ path: String, _ kind: String) {
        self.path = path
        self.kind = kind
    }

    static let all = [
        Fault("/truncated", "unknownOutcome truncated"),
        Fault("/truncated-chunks", "unknownOutcome truncated"),
        Fault("/reset", "unknownOutcome connection-lost"),
        Fault("/reset-body", "unknownOutcome connection-lost"),
        Fault("/close", "unknownOutcome connection-lost"),
        Fault("/garbage", "unknownOutcome invalid-answer"),
        Fault("/wrong-length", "unknownOutcome invalid-answer"),
        Fault("/wrong-gzip", "unknownOutcome invalid-answer"),
        Fault("/odd-encoding", "unknownOutcome invalid-answer"),
        Fault("/flood", "unknownOutcome header-too-large"),
        Fault("/long-header", "unknownOutcome header-too-large"),
        Fault("/huge/8", "unknownOutcome body-too-large"),
        Fault("/huge-chunks/8", "unknownOutcome body-too-large"),
        Fault("/bomb", "unknownOutcome body-too-large"),
    ]
}

@Suite("Faults over HTTP", .timeLimit(.minutes(30)))
struct HTTPFaultTests {
    private let server: FaultServer
    init() throws { server = try FaultServer.shared }

    @Test("What was sent and got no whole answer has an unknown outcome", arguments: Fault.all, ["plain", "tls"])
    func unknown(fault: Fault, port: String) async throws {
        let client = server.client()
        // Both over a new connection and, as they end it, over new ones again.
        for request in [get(server.url(fault.path, port: port)), post(server.url(fault.path, port: port))] {
            var request = request
            request.bodyLimit = 1 << 20
            let failure = await client.failing(request)
            // How a connection ends is not always told alike: TLS has no end of its own when it is cut.
            let isLoss = ["truncated", "connection-lost"].contains { fault.kind.hasSuffix($0) }
            let kinds = isLoss ? ["unknownOutcome truncated", "unknownOutcome connection-lost"] : [fault.kind]
            #expect(kinds.contains(failure?.kind ?? ""), "\(failure?.kind ?? "an answer"), not \(fault.kind)")
            #expect(failure?.description.hasSuffix("it may have been acted on") == true)
        }
    }

    @Test("A connection that ends inside a great request leaves its outcome unknown", arguments: ["plain", "tls"])
    func upload(port: String) async throws {
        let request = post(server.url("/upload-reset", port: port), [UInt8](repeating: 1, count: 8 << 20))
        #expect(await server.client().failure(request) == "unknownOutcome connection-lost")
    }

    @Test(
        "A request is not sent again when a used connection dies before any answer",
        arguments: ["/stale", "/stale-close"], ["plain", "tls"])
    func stale(path: String, port: String) async throws {
        for request in [{ get($0) }, { post($0) }] as [(String) -> HTTPRequest] {
            let client = server.client { $0.connectionsPerHost = 1 }
            let token = newToken()
            let url = server.url("\(path)?token=\(token)", port: port)
            #expect(try await client.send(request(url)).text == "first")
            #expect(await client.failure(request(url)) == "unknownOutcome connection-lost")
            let counted = try await server.counted(token, by: client)
            #expect(counted == .init(requests: 2, connections: 1, left: 0))
        }
    }

    @Test("A connection that the server has ended meanwhile is not used again", arguments: ["plain", "tls"])
    func ended(port: String) async throws {
        let client = server.client { $0.connectionsPerHost = 1 }
        let token = newToken()
        for count in 1...3 {
            let answer = try await client.send(post(server.url("/leave?token=\(token)", port: port)))
            #expect(answer.text == "bye")
            try await server.wait(token) { $0.left == count }
        }
        #expect(try await server.counted(token, by: client).requests == 3)
    }

    @Test("What could not be connected was not sent")
    func notConnected() async throws {
        let client = server.client()
        let refused = try #require(server.ports["refused"])
        #expect(await client.failure(post("http://127.0.0.1:\(refused)/")) == "notSent no-connection")
        #expect(await client.failure(post("https://localhost:\(refused)/")) == "notSent no-connection")
        let failure = await client.failing(post("https://nowhere.invalid/path"))
        #expect(failure?.kind == "notSent no-such-name")
        #expect(
            failure?.description
                == "POST https://nowhere.invalid/path: not sent: the name nowhere.invalid cannot be resolved")
    }

    @Test("A handshake that does not end is given up, and nothing was sent")
    func handshake() async throws {
        let client = server.client { $0.connectTimeout = .milliseconds(200) }
        let url = server.url("/", port: "mute")
        #expect(await client.failure(post(url)) == "notSent connect-timeout")
        #expect(await server.client().failure(get(url, deadline: .milliseconds(200))) == "notSent timeout")
    }

    @Test("A deadline holds from the call to the last byte")
    func deadline() async throws {
        let client = server.client { $0.connectionsPerHost = 1 }
        let token = newToken()
        for path in ["/hold", "/slow-body"] {
            for port in ["plain", "tls"] {
                let url = server.url("\(path)?token=\(token)", port: port)
                let (failure, deadline, took) = await client.overdue(url, after: .milliseconds(700))
                #expect(failure?.kind == "unknownOutcome timeout")
                #expect(failure?.description.contains("no whole answer within \(deadline)") == true)
                #expect(took >= deadline)
            }
        }
        try await server.wait(token) { $0.left == 4 }
        #expect(await client.failure(get(server.url("/ok"), deadline: .zero)) == "notSent timeout")
    }
}
