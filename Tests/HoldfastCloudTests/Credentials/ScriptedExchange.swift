import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import Testing

/// An exchange in memory: notes each request, and answers as its script says.
final class ScriptedExchange: HTTPExchange {
    typealias Script = @Sendable (HTTPRequest) async throws(HTTPFailure) -> HTTPResponse

    private let noted = Mutex<[HTTPRequest]>([])
    private let script: Script

    init(_ script: @escaping Script) { self.script = script }

    /// Answers each request by the first text that is in its URL or body; none is "nothing was sent".
    convenience init(answers: [(part: String, answer: HTTPResponse)]) {
        self.init { request throws(HTTPFailure) in
            let seen = request.method + " " + request.url + " " + request.text
            for (part, answer) in answers where seen.contains(part) { return answer }
            throw .notSent(code: "refused", message: "nobody is at \(AbsoluteURL(request.url)?.authority ?? "")")
        }
    }

    var requests: [HTTPRequest] { noted.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        noted.withLock { $0.append(request) }
        return try await script(request)
    }
}

extension HTTPRequest {
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The fields of the form that the body is.
    var form: [String: String] { fields(of: text) }
    /// The parameters of the query.
    var query: [String: String] { fields(of: AbsoluteURL(url)?.query ?? "") }
}

func fields(of text: String) -> [String: String] {
    var fields: [String: String] = [:]
    for pair in text.split(separator: "&") {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        fields[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
    }
    return fields
}

func decoded(_ text: String) -> String {
    String(decoding: text.replacing("+", with: "%20").percentDecodedBytes, as: UTF8.self)
}

extension HTTPResponse {
    static func json(_ body: JSON, status: Int = 200, headers: KeyValuePairs<String, String> = [:]) -> HTTPResponse {
        HTTPResponse(status: status, headers: HTTPHeaders(headers), body: body.canonicalBytes)
    }
    static func text(_ body: String, status: Int = 200, headers: KeyValuePairs<String, String> = [:]) -> HTTPResponse {
        HTTPResponse(status: status, headers: HTTPHeaders(headers), body: Array(body.utf8))
    }
    /// An answer of AWS's token service that gives keys.
    static func keys(
        _ id: String, expires: String = "2026-11-22T09:00:00Z", account: String = "012345670123", date: String? = nil
    ) -> HTTPResponse {
        let answer = text(
            """
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
            <AssumedRoleUser><AssumedRoleId>A:h</AssumedRoleId>
            <Arn>arn:aws:sts::\(account):assumed-role/r/h</Arn></AssumedRoleUser>
            <Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>secret of \(id)</SecretAccessKey>
            <SessionToken>to&lt;ken&gt;&amp;</SessionToken><Expiration>\(expires)</Expiration></Credentials>
            </AssumeRoleResult></AssumeRoleResponse>
            """)
        guard let date else { return answer }
        return HTTPResponse(status: 200, headers: HTTPHeaders(["Date": date]), body: answer.body)
    }
    static func refusal(_ code: String, _ message: String = "no", status: Int = 403, date: String? = nil)
        -> HTTPResponse
    {
        let body =
            "<ErrorResponse><Error><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>"
        return text(body, status: status, headers: date.map { ["Date": $0] } ?? [:])
    }
}

/// A clock on the wall that moves when told to.
final class WallClock: Sendable {
    private let time = Mutex(Timestamp("2026-11-22T08:00:00Z") ?? .distantPast)

    var now: Timestamp { time.withLock { $0 } }
    func pass(_ seconds: Int) { time.withLock { $0 = $0 + Span(seconds: seconds) } }
    func read() -> @Sendable () -> Timestamp { { self.now } }
}

/// Surroundings with nothing in them but what a test puts there.
func surroundings(_ environment: [String: String], home: String = "/nonexistent") -> Surroundings {
    Surroundings(environment: environment, home: home)
}
