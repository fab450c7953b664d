import Foundation
import HoldfastHTTP
import Testing

/// A Python server of `Tests/servers`, for as long as this process lives: it ends when its input does.
final class PythonServer: @unchecked Sendable {  // nothing changes once it runs
    private let process = Process()
    private let input = Pipe()
    /// The line of JSON that it tells its ports by.
    let told: Data

    init(python: String = "python3", _ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [python] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { throw CocoaError(.fileReadUnknown) }
            line += part
        }
        told = line
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "servers").path
}

/// The server that answers wrongly on request, with certificates of its own.
struct FaultServer: Sendable {
    private struct Told: Decodable {
        var ports: [String: Int]
        var authorities: String
    }
    private let server: PythonServer
    let ports: [String: Int]
    let authorities: String
    let folder: String

    private static let started = Result { try FaultServer() }
    /// One for all tests.
    static var shared: FaultServer { get throws { try started.get() } }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-http-\(UUID().uuidString)").path
        server = try PythonServer([PythonServer.folder + "/fault_server.py", folder])
        let told = try JSONDecoder().decode(Told.self, from: server.told)
        (ports, authorities) = (told.ports, told.authorities)
    }

    /// `http://127.0.0.1:1234/path`, or over TLS where the port has it.
    func url(_ path: String, port: String = "plain", host: String? = nil) -> String {
        let isPlain = ["plain", "proxy"].contains(port)
        let name = host ?? (isPlain ? "127.0.0.1" : "localhost")
        return "\(isPlain ? "http" : "https")://\(name):\(ports[port] ?? 0)\(path)"
    }

    var proxy: HTTPClientOptions.Proxy { .address("http://127.0.0.1:\(ports["proxy"] ?? 0)", except: []) }

    /// A client that trusts the server, and no proxy of the machine.
    func client(_ change: (inout HTTPClientOptions) -> Void = { _ in }) -> HTTPClient {
        var options = HTTPClientOptions()
        options.proxy = .none
        options.authorities = authorities
        // On a busy machine half a minute may pass between two requests of a test.
        options.idleTime = .seconds(600)
        change(&options)
        return HTTPClient(options)
    }

    struct Counted: Decodable, Equatable {
        var requests: Int
        var connections: Int
        /// Connections that the other side left while an answer was held back.
        var left: Int
    }

    /// What was counted of requests with `?token=`.
    func counted(_ token: String, by client: HTTPClient) async throws -> Counted {
        let answer = try await client.send(HTTPRequest(method: "GET", url: url("/stats?of=\(token)")))
        return try JSONDecoder().decode(Counted.self, from: Data(answer.body))
    }

    /// Asks until it is so; the test's time limit is the limit.
    func wait(_ token: String, until isSo: (Counted) -> Bool) async throws {
        let client = client()
        while try await !isSo(counted(token, by: client)) { await Task.yield() }
    }
}

/// Of a test's own, so that tests can share the server.
func newToken() -> String { UUID().uuidString }

/// The deadline of requests that no deadline is meant to end: on a machine that runs all tests at once, a task may wait
/// for minutes before it goes on.
let hang = Duration.seconds(900)

extension HTTPClient {
    /// What becomes of a request whose deadline comes after it was sent. On a machine that has much to do a short one
    /// may come before; then it is tried with twice the time.
    ///
    /// - Returns: the failure, the deadline that led to it, and how long it took.
    func overdue(
        _ url: String, after first: Duration
    ) async -> (failure: HTTPFailure?, deadline: Duration, took: Duration) {
        var deadline = first
        while true {
            let began = ContinuousClock.now
            let failure = await failing(get(url, deadline: deadline))
            let took = ContinuousClock.now - began
            guard failure?.kind == "notSent timeout", deadline < hang else { return (failure, deadline, took) }
            deadline *= 2
        }
    }
}

func get(_ url: String, deadline: Duration = hang, bodyLimit: Int = 1 << 20) -> HTTPRequest {
    HTTPRequest(method: "GET", url: url, deadline: deadline, bodyLimit: bodyLimit)
}

func post(_ url: String, _ body: [UInt8] = Array("body".utf8)) -> HTTPRequest {
    HTTPRequest(method: "POST", url: url, body: body, deadline: hang)
}

extension HTTPClient {
    /// Sends what must fail: `notSent certificate`, `unknownOutcome timeout`, `cancelled`.
    func failure(_ request: HTTPRequest) async -> String { await failing(request)?.kind ?? "an answer" }

    func failing(_ request: HTTPRequest) async -> HTTPFailure? {
        do throws(HTTPFailure) {
            _ = try await send(request)
            return nil
        } catch { return error }
    }
}

extension HTTPFailure {
    var kind: String {
        switch self {
        case .notSent(let code, _): "notSent \(code)"
        case .unknownOutcome(let code, _): "unknownOutcome \(code)"
        case .cancelled: "cancelled"
        }
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// What `/echo` says that it got.
struct Echo: Decodable {
    var method: String
    var target: String
    var headers: [[String]]
    var body: String

    init(_ answer: HTTPResponse) throws { self = try JSONDecoder().decode(Echo.self, from: Data(answer.body)) }
    var bytes: [UInt8] { Array(Data(base64Encoded: body) ?? Data()) }
    func values(_ name: String) -> [String] {
        headers.filter { $0[0].lowercased() == name.lowercased() }.map { $0[1] }
    }
}
