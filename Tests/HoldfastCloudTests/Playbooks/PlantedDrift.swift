import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import TestOracles

/// A server that plants drift by the providers' own clients, and shows what these read of it.
final class DriftServer: Sendable {
    private let process: ServerProcess
    private let http: HTTPClient

    /// - Parameter environment: what the clients need to prove who they are.
    init(environment: [String: String] = [:]) throws {
        process = try ServerProcess("playbook_estate.py", environment: environment)
        var options = HTTPClientOptions()
        options.proxy = .none
        http = HTTPClient(options)
    }

    /// moto, which stands for AWS.
    var aws: String { "http://127.0.0.1:\(process.told["aws"]?.int ?? 0)" }

    func ask(_ word: String, _ body: JSON = [:]) async throws -> JSON {
        let request = HTTPRequest(
            method: "POST", url: "http://127.0.0.1:\(process.told["port"]?.int ?? 0)/\(word)",
            body: body.canonicalBytes, deadline: .seconds(180))
        let answer = try await http.send(request)
        let told = try JSON.parse(answer.body)
        guard answer.status == 200 else {
            throw Oracle.Failure(description: "\(word) \(body.canonicalText): \(told["error"]?.string ?? "")")
        }
        return told
    }

    /// Playbook -> its variants, in order.
    func cases() async throws -> [(playbook: String, variants: [String])] {
        try await ask("cases").object?.members.map { ($0.name, $0.value.array?.compactMap(\.string) ?? []) } ?? []
    }
}

/// One drift as it was planted.
struct PlantedDrift {
    let server: DriftServer
    let told: JSON
    let context: ResourceContext
    let resource: ResourceID

    init(_ server: DriftServer, playbook: Playbook, variant: String, account: String? = nil) async throws {
        self.server = server
        told = try await server.ask("plant", ["playbook": .string(playbook.id), "variant": .string(variant)])
        context = ResourceContext(
            cloud: playbook.type.cloud, account: told["account"]?.string ?? "", region: told["region"]?.string ?? "")
        let type = told["type"]?.string ?? ""
        resource = try PlantedDrift.resource(type, named: told["name"]?.string, at: context)
    }

    static func resource(_ type: String, named name: String?, at context: ResourceContext) throws -> ResourceID {
        let found =
            if let name { Shipped.catalog.resource(type: type, named: name, in: context) } else {
                Shipped.catalog.type(type)?.single(in: context)
            }
        guard let found else { throw Oracle.Failure(description: "\(type) \(name ?? "") is no resource") }
        return found
    }

    private var token: JSON { told["token"] ?? .null }

    /// A resource that is yet to vanish.
    var vanishing: ResourceID? {
        get throws {
            guard let gone = told["gone"]?.array, let type = gone[0].string else { return nil }
            return try PlantedDrift.resource(type, named: gone[1].string, at: context)
        }
    }

    /// Deletes what is to be gone; what the client reads then.
    func vanish() async throws -> JSON { try await server.ask("vanish", ["token": token])["before"] ?? .null }

    /// What the provider's client reads of it now.
    func shown() async throws -> JSON { try await server.ask("show", ["token": token])["state"] ?? .null }

    /// What it must read after the fix.
    func promised(_ before: JSON) async throws -> JSON {
        try await server.ask("promised", ["token": token, "before": before])["state"] ?? .null
    }

    /// Lets somebody else change something beside the fix; what an undo must then leave, `nil` where the drift has no
    /// such change.
    func meddled(_ before: JSON) async throws -> JSON? {
        let state = try await server.ask("meddle", ["token": token, "before": before])["state"] ?? .null
        return state.isNull ? nil : state
    }

    /// A state without what the undo says that it loses.
    func keeping(_ state: JSON) async throws -> JSON {
        try await server.ask("loses", ["token": token, "state": state])["state"] ?? .null
    }

    var lists: [String: [String]] {
        let lists = told["lists"]?.object?.members ?? []
        return Dictionary(lists.map { ($0.name, $0.value.array?.compactMap(\.string) ?? []) }) { $1 }
    }

    /// When it is looked at.
    var now: Timestamp {
        let seconds = Int64(Date.now.timeIntervalSince1970) + Int64(told["days"]?.int ?? 0) * 86_400
        return Timestamp(seconds: seconds)
    }
}

/// The machine's clock.
struct MachineClock: HoldfastClock {
    private let clock = ContinuousClock()
    var now: ContinuousClock.Instant { clock.now }
    var minimumResolution: Duration { clock.minimumResolution }
    func wallTime() -> Timestamp { Timestamp(nanoseconds: Int64(Date.now.timeIntervalSince1970 * 1e9)) }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await clock.sleep(until: deadline, tolerance: tolerance)
    }
}
