import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import TestOracles

/// A simulator of Azure and Google of a test's own, with an estate in it, and our way to it: over TLS, with tokens that
/// its token services gave for a secret and for a signed assertion.
final class SimulatedClouds: Sendable {
    static let azure = ResourceContext(
        cloud: .azure, account: "00000000-0000-0000-0000-000000000001", region: "")
    static let google = ResourceContext(cloud: .gcp, account: "my-project", region: "")
    static let reader = "reader@my-project.iam.gserviceaccount.com"
    static let writer = "writer@my-project.iam.gserviceaccount.com"

    private let process: ServerProcess
    private let folder: TemporaryFolder
    private let http: HTTPClient
    private let plain: String
    let credentials: String
    let url: String
    let authorities: String
    let clock = HurriedClock()

    init() async throws {
        process = try ServerProcess("cloud_simulator.py")
        folder = try TemporaryFolder()
        let ports = process.told["ports"]
        authorities = process.told["authorities"]?.string ?? ""
        url = "https://localhost:\(ports?["tls"]?.int ?? 0)"
        plain = "http://127.0.0.1:\(ports?["plain"]?.int ?? 0)"
        var options = HTTPClientOptions()
        options.proxy = .none
        options.authorities = authorities
        http = HTTPClient(options)
        credentials = "\(folder.path)/google.json"
        let estate = Oracle.top.appending(path: "Tests/oracles/cloud_estate.json")
        let told = try JSON.parse([UInt8](Data(contentsOf: estate)))
        try await control("azure", told["azure"] ?? .null)
        try await control("google", told["google"] ?? .null)
        try await control("page-size", ["size": 2])
        let account: JSON = ["email": .string(Self.reader), "token-uri": .string("\(url)/token")]
        try folder.write("google.json", try await control("account", account).canonicalText)
        try await control(
            "credentials",
            [
                "apps": [
                    ["tenant": "tenant-1", "client": "reader", "secret": "s3cret"],
                    ["tenant": "tenant-1", "client": "writer", "secret": "s3cret"],
                ], "may-act-as": .object(JSONObject([(Self.reader, JSON.array([.string(Self.writer)]))])),
            ])
    }

    /// Reads or changes the simulator itself.
    @discardableResult
    func control(_ word: String, _ body: JSON?, method: String = "POST") async throws -> JSON {
        let request = HTTPRequest(
            method: method, url: "\(plain)/_simulator/\(word)", body: body?.canonicalBytes ?? [])
        let answer = try await http.send(request)
        guard answer.status == 200 else {
            throw Oracle.Failure(
                description: "\(word): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try JSON.parse(answer.body)
    }

    /// What was asked since the last call of this: `GET PATH` with who asked.
    func takeLog() async throws -> [JSON] {
        let log = try await control("log", nil, method: "GET")
        try await control("log", nil, method: "DELETE")
        return log.array ?? []
    }

    var environment: [String: String] {
        [
            "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "reader", "AZURE_CLIENT_SECRET": "s3cret",
            "AZURE_AUTHORITY_HOST": url, "GOOGLE_APPLICATION_CREDENTIALS": credentials,
        ]
    }

    func sender(mayWrite: Bool = false, retries: RetryPolicy = RetryPolicy()) -> WireSender<HurriedClock> {
        let host = String(url.dropFirst("https://".count))
        let exchange = Redirected(http: http, from: "https://iamcredentials.googleapis.com", to: url)
        let clock = clock
        let keeper = CredentialKeeper(
            accounts: [
                // A secret is one client's, so that reads and writes are the same client's here.
                AccountAccess(cloud: .azure, account: Self.azure.account, writeRole: "reader"),
                AccountAccess(cloud: .gcp, account: Self.google.account, writeRole: Self.writer),
            ], mayWrite: mayWrite, surroundings: Surroundings(environment: environment, home: folder.path),
            exchange: exchange, targets: TokenTargets(azure: [host: "https://management.azure.com"], google: [host]),
            now: { clock.wallTime() })
        return WireSender(
            catalog: Shipped.catalog, http: exchange, authority: keeper,
            endpoints: Endpoints(azure: url, google: ["": url]), clock: clock, retries: retries,
            newToken: { UUID().uuidString })
    }

    var reader: CloudReader<HurriedClock> {
        let caller = CloudCaller(
            catalog: Shipped.catalog, sender: sender(), budgets: Budgets(clock: clock), clock: clock)
        return CloudReader(catalog: Shipped.catalog, caller: caller)
    }

    /// What the providers' own clients read, by resource.
    func statesByClients() throws -> [ResourceID: JSON] {
        let arguments = [url, authorities, credentials, Self.azure.account, Self.google.account]
        let lines = try Oracle.lines(
            "cloud_states.py", arguments, environment: environment.mapValues { Optional($0) })
        var states: [ResourceID: JSON] = [:]
        for line in lines {
            guard let type = line["type"]?.string, let name = line["name"]?.string, let state = line["state"],
                let resource = Shipped.catalog.resource(type: type, named: name, in: Self.place(of: type))
            else { throw Oracle.Failure(description: "no resource: \(line.canonicalText.prefix(200))") }
            states[resource] = state.withoutNulls
        }
        return states
    }

    static func place(of type: String) -> ResourceContext { type.hasPrefix("Microsoft.") ? azure : google }

    /// The types that are read from here.
    static var types: [String] {
        Shipped.catalog.typeNames.filter { [.azure, .gcp].contains(Shipped.catalog.type($0)?.cloud) }
    }
}

/// Sends requests for one host to another: the service that lends accounts has no address of its own to configure.
private struct Redirected: HTTPExchange {
    let http: HTTPClient
    let from: String
    let to: String

    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        var request = request
        if request.url.hasPrefix(from) { request.url = to + request.url.dropFirst(from.count) }
        return try await http.send(request)
    }
}

/// A clock in which waits are over at once, and count.
final class HurriedClock: HoldfastClock {
    private let waited = Mutex(Duration.zero)
    private let clock = ContinuousClock()
    private let began = (instant: ContinuousClock.now, seconds: Date().timeIntervalSince1970)

    var now: ContinuousClock.Instant { clock.now.advanced(by: waited.withLock { $0 }) }
    var minimumResolution: Duration { clock.minimumResolution }

    /// The machine's time: tokens and the simulator go by it.
    func wallTime() -> Timestamp {
        let passed = began.instant.duration(to: clock.now)
        return Timestamp(nanoseconds: Int64(began.seconds * 1e9)) + Span(nanoseconds: Int64(passed / .nanoseconds(1)))
    }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
        let wait = now.duration(to: deadline)
        if wait > .zero { waited.withLock { $0 += wait } }
    }
}

extension Description {
    /// What was read, as one tree.
    var tree: JSON {
        guard case .sections(let sections) = result else { return .null }
        return sections.reduce(JSON.object(JSONObject())) { $0.with($1.value, at: $1.path.steps[...]) }
    }

    var isGone: Bool { if case .gone = result { true } else { false } }
}

extension JSON {
    fileprivate func with(_ value: JSON, at steps: ArraySlice<PropertyPath.Step>) -> JSON {
        guard case .name(let name)? = steps.first else { return value }
        var object = object ?? JSONObject()
        object[name] = (object[name] ?? .null).with(value, at: steps.dropFirst())
        return .object(object)
    }

    /// The same without members that are null; clouds leave out what has no value, or say null.
    var withoutNulls: JSON {
        switch self {
        case .object(let object):
            .object(
                JSONObject(object.members.filter { !$0.value.isNull }.map { ($0.name, $0.value.withoutNulls) }))
        case .array(let elements): .array(elements.map(\.withoutNulls))
        default: self
        }
    }
}
