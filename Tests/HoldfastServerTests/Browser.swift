import Foundation
import HoldfastHTTP
import HoldfastJSON
import Testing

/// As much of a browser as the pages need: cookies, redirects, forms. No scripts.
final class Browser {
    private let asking: ServerBench.Asking
    var cookies: [String: String] = [:]
    /// What the last answer set, with its attributes.
    private(set) var lastSetCookies: [String] = []
    /// Added to each request.
    var headers: [(String, String)] = []
    private(set) var page = HTTPResponse(status: 0)
    private(set) var path = ""
    /// Where the provider sent it last.
    private(set) var lastCallback = ""

    init(_ asking: ServerBench.Asking) { self.asking = asking }

    @discardableResult
    func open(_ path: String) async throws -> HTTPResponse { try await go("GET", path, nil) }

    /// Posts fields to a path, with the form's own token where the page has one.
    @discardableResult
    func post(_ path: String, _ fields: [(String, String)], token: String? = nil) async throws -> HTTPResponse {
        let token = token ?? formToken
        let all = (token.map { [("form", $0)] } ?? []) + fields
        let body = all.map { "\(Self.encode($0.0))=\(Self.encode($0.1))" }.joined(separator: "&")
        return try await go("POST", path, body)
    }

    /// Of the page that is shown.
    var formToken: String? {
        page.text.firstMatch(of: /name="form" value="([^"]+)"/).map { String($0.1) }
    }

    private func go(_ method: String, _ path: String, _ body: String?) async throws -> HTTPResponse {
        var request = HTTPRequest(
            method: method, url: path.hasPrefix("http") ? path : asking.url + path, body: Array((body ?? "").utf8),
            deadline: .seconds(300))
        request.headers["Accept"] = "text/html"
        if body != nil { request.headers["Content-Type"] = "application/x-www-form-urlencoded" }
        if !cookies.isEmpty {
            request.headers["Cookie"] = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                separator: "; ")
        }
        for (name, value) in headers { request.headers[name] = value }
        page = try await asking.tcp.send(request)
        self.path = path
        if path.contains("/sign-in/callback") { lastCallback = path }
        lastSetCookies = page.headers.fields.filter { $0.name.lowercased() == "set-cookie" }.map(\.value)
        for cookie in lastSetCookies {
            let pair = cookie.split(separator: ";")[0].split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            cookies[String(pair[0])] = pair.count > 1 && !pair[1].isEmpty ? String(pair[1]) : nil
        }
        if [302, 303].contains(page.status), let next = page.headers["Location"] {
            return try await go("GET", next, nil)
        }
        return page
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension ServerBench.Asking {
    /// A browser that is signed in by a link of the socket, as the user that runs the tests.
    func signedIn() async throws -> Browser {
        let answer = try await local.send(
            HTTPRequest(
                method: "POST", url: "http://localhost/api/v1/links",
                headers: HTTPHeaders(["Content-Type": "application/json"]), body: Array("{}".utf8),
                deadline: .seconds(300)))
        let url = try #require(answer.json["url"]?.string, "\(answer.text)")
        let browser = Browser(self)
        try await browser.open(url)
        try await browser.post(url, [])
        return browser
    }

    func say(_ path: String, _ body: JSON, socket: Bool = true, headers: KeyValuePairs<String, String> = [:])
        async throws
        -> HTTPResponse
    {
        var request = HTTPRequest(
            method: "POST", url: (socket ? "http://localhost" : url) + path, headers: HTTPHeaders(headers),
            body: body.canonicalBytes, deadline: .seconds(300))
        if request.headers["Content-Type"] == nil { request.headers["Content-Type"] = "application/json" }
        return try await (socket ? local : tcp).send(request)
    }
}
