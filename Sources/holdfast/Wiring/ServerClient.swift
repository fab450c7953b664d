import Foundation
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer

/// Speaks with a server of Holdfast's: by TCP with a token, or by its unix socket.
struct ServerClient: Sendable {
    private let http: HTTPClient
    /// `https://holdfast.example.com`, without a slash at its end.
    private let base: String
    private let token: String?
    /// What messages call it.
    let name: String

    /// - Parameter place: `http://127.0.0.1:8484`, `https://holdfast.example.com`, `unix:./holdfast.sock`.
    init(_ place: String) async throws {
        var options = HTTPClientOptions()
        name = place
        if place.hasPrefix("unix:") {
            let path = String(place.dropFirst(5))
            guard FileManager.default.fileExists(atPath: path) else {
                throw Failure(
                    "nothing listens at \(path): is `holdfast run` up, with `server: {}` in its configuration?")
            }
            options.socket = path
            base = "http://localhost"
            token = nil
        } else {
            guard place.hasPrefix("https://") || place.hasPrefix("http://") else {
                throw Failure("\"\(place)\" is no server: https://HOST, http://127.0.0.1:PORT or unix:PATH")
            }
            base = place.hasSuffix("/") ? String(place.dropLast()) : place
            options.authorities = ProcessInfo.processInfo.environment["HOLDFAST_AUTHORITIES"]
            token = try await StoredTokens.token(for: base, through: HTTPClient(options))
        }
        http = HTTPClient(options)
    }

    func get(_ path: [String], _ parameters: Query.Parameters = []) async throws -> JSON {
        let query = parameters.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
        return try await send("GET", path, query: query)
    }

    func post(_ path: [String], _ body: JSON) async throws -> JSON { try await send("POST", path, body: body) }

    private func send(_ method: String, _ path: [String], query: String = "", body: JSON? = nil) async throws -> JSON {
        let url =
            "\(base)/api/v1/" + path.map(percentEncoded).joined(separator: "/") + (query.isEmpty ? "" : "?\(query)")
        var headers = HTTPHeaders(["Accept": "application/json"])
        if body != nil { headers["Content-Type"] = "application/json" }
        if let token { headers["Authorization"] = "Bearer \(token)" }
        let answer: HTTPResponse
        do throws(HTTPFailure) {
            answer = try await http.send(
                HTTPRequest(
                    method: method, url: url, headers: headers, body: body?.canonicalBytes ?? [],
                    deadline: .seconds(60)))
        } catch {
            throw Failure("\(name) cannot be asked: \(error)")
        }
        guard let json = try? JSON.parse(answer.body) else {
            throw Failure("\(name) answers \(answer.status) with something that is no JSON; is it Holdfast?")
        }
        guard (200..<300).contains(answer.status) else {
            var failure = Failure(json["error"]?["message"]?.string ?? "\(name) answers \(answer.status)")
            failure.difference = json["error"]?["difference"]
            throw failure
        }
        return json
    }

}
