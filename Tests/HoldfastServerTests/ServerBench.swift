import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import Logging
import Synchronization
import Testing

/// The repository's own data files.
enum ShippedData {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let policy: Policy = {
        let folders = DataFolders(
            catalog: ["\(top)/catalog"], baseline: ["\(top)/baseline"], playbooks: ["\(top)/playbooks"])
        return DataSet(folders, configuration: Configuration(folder: top), now: ServerBench.start).policy()
    }()
}

/// A folder that goes when nothing uses it any more.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "hf-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A clock that moves when it is told to.
final class HandClock: Sendable {
    private let time: Mutex<Timestamp>
    init(_ start: Timestamp) { time = Mutex(start) }
    var now: Timestamp { time.withLock { $0 } }
    func move(seconds: Int) { time.withLock { $0 = $0 + Span(seconds: seconds) } }
}

/// A server that runs, with a journal in memory and clients for both of its doors.
struct ServerBench: Sendable {
    static let start = Timestamp(seconds: 1_780_000_000)

    var settings = ServerSettings()
    var people = People()
    var policy = ShippedData.policy
    let journal: SQLiteJournal
    let keeper: Keeper
    let clock: HandClock
    let folder: Folder
    /// What was logged.
    let lines = Lines()
    var missing: @Sendable () async -> [String] = { [] }

    final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        func add(_ line: String) { all.withLock { $0.append(line) } }
        var text: String { all.withLock { $0.joined(separator: "\n") } }
    }

    init(clock: HandClock = HandClock(start)) throws {
        self.clock = clock
        folder = try Folder()
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: ShippedData.policy, limits: Limits())
        settings.listen = ListenAddress(host: "127.0.0.1", port: 0)
        people.identities = [Identity(person: "ann.lee", oidc: ["subject-1"], local: [NSUserName()])]
        people.roles = ["viewer": ["ann.lee"]]
    }

    /// Asks the server while it runs.
    struct Asking: Sendable {
        var url: String
        var socket: String
        let tcp: HTTPClient
        let local: HTTPClient

        /// By TCP, with these headers.
        func get(_ path: String, _ headers: KeyValuePairs<String, String> = [:]) async throws -> HTTPResponse {
            try await send("GET", path, headers)
        }

        func send(
            _ method: String, _ path: String, _ headers: KeyValuePairs<String, String> = [:], body: String = "",
            deadline: Duration = .seconds(300)
        ) async throws -> HTTPResponse {
            try await tcp.send(
                HTTPRequest(
                    method: method, url: url + path, headers: HTTPHeaders(headers), body: Array(body.utf8),
                    deadline: deadline))
        }

        /// By the unix socket, as the user that runs the tests.
        func ask(_ path: String) async throws -> HTTPResponse {
            try await local.send(HTTPRequest(method: "GET", url: "http://localhost" + path, deadline: .seconds(300)))
        }
    }

    /// Runs the server for as long as the body takes.
    func run<R: Sendable>(_ body: @escaping @Sendable (Asking) async throws -> R) async throws -> R {
        let places = AsyncStream.makeStream(of: String.self)
        let socket = folder.path + "/s"
        let server = try Server(
            settings: settings, socketPath: socket, rules: AccessRules(people: people), parts: parts
        ) { places.continuation.yield($0) }
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await server.run()
                return nil
            }
            group.addTask {
                var url = ""
                var found = 0
                for await place in places.stream {
                    if place.hasPrefix("http") { url = place }
                    found += 1
                    if found == 2 { break }
                }
                return try await body(Asking.make(url: url, socket: socket))
            }
            while let ended = try await group.next() {
                guard let result = ended else { continue }
                group.cancelAll()
                return result
            }
            throw CancellationError()
        }
    }

    /// A server that does not run.
    func server(socket: String, settings: ServerSettings, rules: AccessRules) throws -> Server {
        try Server(settings: settings, socketPath: socket, rules: rules, parts: parts)
    }

    private var parts: Server.Parts {
        let (journal, keeper, policy, clock, lines) = (journal, keeper, policy, clock, lines)
        let http = HTTPClient()
        return Server.Parts(
            version: "0.0.0", archive: { Archive(journal: journal, policy: policy) }, missing: missing,
            measure: {
                let dirty = try journal.dirtySummary()
                return Measured(
                    version: "0.0.0", now: clock.now, totals: await keeper.totals, dirty: dirty.count,
                    oldestDirty: dirty.oldest, notices: try journal.openNotices(), tallies: try journal.tallies(),
                    process: try #require(ProcessUse.current()))
            },
            outbound: { (request) async throws(OutboundFailure) in
                do throws(HTTPFailure) {
                    var headers = HTTPHeaders()
                    for (name, value) in request.headers { headers.add(name, value) }
                    let answer = try await http.send(
                        HTTPRequest(
                            method: request.method, url: request.url, headers: headers, body: request.body,
                            deadline: .seconds(300)))
                    return OutboundAnswer(status: answer.status, body: answer.body)
                } catch {
                    throw OutboundFailure(error.description)
                }
            },
            now: { clock.now },
            logger: Logger(label: "test") { _ in
                var settings = LogSettings()
                settings.format = .json
                settings.level = .debug
                return LogLines(settings, now: { clock.now }) { lines.add($0) }
            })
    }
}

extension ServerBench.Asking {
    fileprivate static func make(url: String, socket: String) -> Self {
        var options = HTTPClientOptions()
        options.proxy = .none
        let tcp = HTTPClient(options)
        options.socket = socket
        return Self(url: url, socket: socket, tcp: tcp, local: HTTPClient(options))
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSON { (try? JSON.parse(body)) ?? .null }
    /// The sentence of a refusal.
    var sentence: String { json["error"]?["message"]?.string ?? "" }
}
