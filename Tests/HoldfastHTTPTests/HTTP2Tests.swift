import Foundation
import HoldfastHTTP
import Testing

/// A server that speaks HTTP/2, where the package for it can be had.
struct HTTP2Server: Sendable {
    private struct Told: Decodable { var port: Int }
    private let server: PythonServer
    private let port: Int

    /// A Python that has the package h2; `nil` where it could not be installed.
    static let python: String? = {
        let process = Process(), output = Pipe()
        process.executableURL = URL(filePath: PythonServer.folder + "/http2-python.sh")
        process.standardOutput = output
        guard (try? process.run()) != nil, let told = try? output.fileHandleForReading.readToEnd() else { return nil }
        process.waitUntilExit()
        return process.terminationStatus == 0
            ? String(decoding: told, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }()

    init() throws {
        let folder = try FaultServer.shared.folder
        server = try PythonServer(
            python: Self.python ?? "python3",
            [PythonServer.folder + "/http2_server.py", folder + "/good.pem", folder + "/good.key"])
        port = try JSONDecoder().decode(Told.self, from: server.told).port
    }

    func url(_ path: String) -> String { "https://localhost:\(port)\(path)" }

    struct Counted: Decodable {
        var connections: Int
        var requests: [String: Int]
    }

    func counted(by client: HTTPClient) async throws -> Counted {
        try JSONDecoder().decode(Counted.self, from: Data(try await client.send(get(url("/stats"))).body))
    }
}

@Suite(
    "HTTP/2", .enabled(if: HTTP2Server.python != nil, "the package h2 cannot be installed from PyPI"),
    .timeLimit(.minutes(30)))
struct HTTP2Tests {
    /// One for each test: it counts all that it gets.
    private let server: HTTP2Server
    private let client: HTTPClient
    init() throws {
        server = try HTTP2Server()
        client = try FaultServer.shared.client { $0.connectionsPerHost = 1 }
    }

    @Test("Requests share one connection at the same time")
    func sharing() async throws {
        let first = try await client.send(get(server.url("/ok")))
        #expect(first.status == 200)
        #expect(first.headers["X-Spoken"] == "h2")
        // None is answered before all eight have come over the same connection.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let answer = try await client.send(post(server.url("/together")))
                    #expect(answer.text == "together")
                }
            }
            try await group.waitForAll()
        }
        let counted = try await server.counted(by: client)
        #expect(counted.connections == 1)
        #expect(counted.requests["/together"] == 8)
    }

    @Test("Great bodies pass both ways")
    func bodies() async throws {
        let upload = post(server.url("/length"), [UInt8](repeating: 1, count: 2 << 20))
        #expect(try await client.send(upload).text == "\(2 << 20)")
        #expect(try await client.send(get(server.url("/great"), bodyLimit: 3 << 20)).body.count == 3 << 20)
        let failure = await client.failure(get(server.url("/great"), bodyLimit: 1 << 20))
        #expect(failure == "unknownOutcome body-too-large")
    }

    @Test(
        "A stream or connection that is refused or lost is not tried again", arguments: ["refuse", "reset", "goaway"])
    func lost(path: String) async throws {
        #expect(try await client.send(get(server.url("/ok"))).text == "ok")
        #expect(await client.failure(post(server.url("/\(path)"))) == "unknownOutcome connection-lost")
        #expect(try await server.counted(by: client).requests["/\(path)"] == 1)
    }

    @Test("A deadline and cancelling end the stream alone, and the connection stays")
    func ended() async throws {
        #expect(try await client.send(get(server.url("/ok"))).text == "ok")
        let late = await client.overdue(server.url("/hold"), after: .milliseconds(100))
        #expect(late.failure?.kind == "unknownOutcome timeout")
        let task = Task { await client.failure(get(server.url("/hold"))) }
        while try await server.counted(by: client).requests["/hold"] != 2 { await Task.yield() }
        task.cancel()
        #expect(await task.value == "unknownOutcome cancelled")
        let counted = try await server.counted(by: client)
        #expect(counted.connections == 1)
        #expect(counted.requests["reset"] == 2)
    }
}
