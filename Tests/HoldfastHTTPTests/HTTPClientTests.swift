import Foundation
import HoldfastHTTP
import Testing

@Suite("Many requests at once", .timeLimit(.minutes(30)))
struct HTTPClientTests {
    private let server: FaultServer
    init() throws { server = try FaultServer.shared }

    @Test("A thousand requests share eight connections, and each gets its own answer", arguments: ["plain", "tls"])
    func sharing(port: String) async throws {
        let client = server.client()
        let token = newToken()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    let url = server.url("/echo/\(number)?token=\(token)", port: port)
                    let echo = try Echo(await client.send(post(url, Array("\(number)".utf8))))
                    #expect(echo.target.hasPrefix("/echo/\(number)?"))
                    #expect(echo.bytes == Array("\(number)".utf8))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await server.counted(token, by: client) == .init(requests: 1000, connections: 8, left: 0))
    }

    @Test("Hosts take turns at the connections that there are")
    func turns() async throws {
        let client = server.client { $0.connections = 1 }
        let urls = [server.url("/ok"), server.url("/ok", host: "localhost"), server.url("/ok", port: "tls")]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<30 {
                group.addTask {
                    let answer = try await client.send(get(urls[number % 3]))
                    #expect(answer.text == "ok")
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("Requests above the limit are refused at once")
    func full() async throws {
        let client = server.client { $0.requests = 2 }
        let token = newToken()
        let url = server.url("/hold?token=\(token)")
        let held = (0..<2).map { _ in Task { await client.failure(get(url)) } }
        try await server.wait(token) { $0.requests == 2 }
        #expect(await client.failure(get(server.url("/ok"))) == "notSent queue-full")
        for task in held {
            task.cancel()
            #expect(await task.value == "unknownOutcome cancelled")
        }
        #expect(try await client.send(get(server.url("/ok"))).text == "ok")
    }

    // MARK: - Cancellation

    @Test("Cancelling breaks the transfer off, and says whether it was sent", arguments: ["plain", "tls"])
    func cancelling(port: String) async throws {
        let client = server.client { $0.connectionsPerHost = 1 }
        let token = newToken()
        let url = server.url("/hold?token=\(token)", port: port)
        let sent = Task { await client.failure(post(url)) }
        try await server.wait(token) { $0.requests == 1 }
        let waiting = Task { await client.failure(post(url)) }
        waiting.cancel()
        #expect(await waiting.value == "cancelled")
        sent.cancel()
        #expect(await sent.value == "unknownOutcome cancelled")
        try await server.wait(token) { $0.left == 1 }
        #expect(try await server.counted(token, by: server.client()).requests == 1)
    }

    @Test("A task that is cancelled before it sends, sends nothing")
    func cancelledBefore() async throws {
        let client = server.client()
        let token = newToken()
        // Often, for the word that it is cancelled may overtake the request on its way to the client's thread.
        for _ in 0..<200 {
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return await client.failure(post(server.url("/ok?token=\(token)")))
            }
            task.cancel()
            #expect(await task.value == "cancelled")
        }
        #expect(try await server.counted(token, by: client).requests == 0)
    }

    @Test("A handshake is broken off by cancelling")
    func cancelledConnecting() async throws {
        let client = server.client {
            $0.connectionsPerHost = 1
            $0.connectTimeout = hang
        }
        let request = get(server.url("/", port: "mute"))
        let first = Task { await client.failure(request) }
        let second = Task { await client.failure(request) }
        #expect(try await client.send(get(server.url("/ok"))).text == "ok")
        first.cancel()
        second.cancel()
        #expect(await first.value == "cancelled")
        #expect(await second.value == "cancelled")
    }

    @Test("However calls are cancelled, each ends once and the client goes on")
    func cancellingRace() async throws {
        let client = server.client()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task { await client.failure(get(server.url("/ok"))) }
                    for _ in 0..<number % 60 { await Task.yield() }
                    task.cancel()
                    #expect(["an answer", "cancelled", "unknownOutcome cancelled"].contains(await task.value))
                }
            }
        }
        #expect(try await client.send(get(server.url("/ok"))).text == "ok")
    }

    // MARK: - The end

    @Test("A deadline counts in the queue as well, and what waited was not sent")
    func deadlineInQueue() async throws {
        let client = server.client { $0.connectionsPerHost = 1 }
        let token = newToken()
        let held = Task { await client.failure(get(server.url("/hold?token=\(token)"))) }
        try await server.wait(token) { $0.requests == 1 }
        let url = server.url("/ok?token=\(token)")
        #expect(await client.failure(get(url, deadline: .milliseconds(100))) == "notSent timeout")
        held.cancel()
        _ = await held.value
        #expect(try await server.counted(token, by: client).requests == 1)
    }

    @Test("Closing lets what is under way end, and takes no more")
    func closing() async throws {
        let client = server.client()
        let token = newToken()
        async let answer = client.send(get(server.url("/gate?token=\(token)")))
        try await server.wait(token) { $0.requests == 1 }
        async let closed: Void = client.close(within: hang)
        var failure = ""
        while failure != "notSent closed" { failure = await client.failure(get(server.url("/ok"))) }
        _ = try await server.client().send(get(server.url("/open?of=\(token)")))
        #expect(try await answer.text == "open")
        await closed
        await client.close()
    }

    @Test("Closing breaks off what does not end in time")
    func closingInTime() async throws {
        let client = server.client { $0.connectionsPerHost = 1 }
        let token = newToken()
        let url = server.url("/hold?token=\(token)")
        let sent = Task { await client.failure(get(url)) }
        try await server.wait(token) { $0.requests == 1 }
        let waiting = Task { await client.failure(get(url)) }
        await client.close(within: .milliseconds(50))
        #expect(await sent.value == "unknownOutcome closed")
        #expect(await waiting.value == "notSent closed")
    }

    @Test("A client that nobody has any more leaves no thread and no connection")
    func leaving() async {
        await #expect(processExitsWith: .success) {
            func count() throws -> (threads: Int, sockets: Int) {
                let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
                let names = tasks.compactMap {
                    try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)
                }
                let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
                let links = files.compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                }
                return (names.filter { $0 == "http\n" }.count, links.filter { $0.hasPrefix("socket:") }.count)
            }
            let server = try FaultServer()
            let before = try count()
            for _ in 0..<10 {
                let client = server.client()
                try #require(await client.send(get(server.url("/ok"))).text == "ok")
            }
            while try count() != before { await Task.yield() }
        }
    }
}
