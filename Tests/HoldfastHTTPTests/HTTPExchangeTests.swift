import Foundation
import HoldfastHTTP
import Testing

@Suite("Answers over HTTP", .timeLimit(.minutes(30)))
struct HTTPExchangeTests {
    private let server: FaultServer
    private let client: HTTPClient
    init() throws {
        server = try FaultServer.shared
        client = server.client()
    }

    @Test("A request arrives as it was given", arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func asGiven(method: String) async throws {
        let path = "/echo/a/../b/./c%2Fd//e?x=%20y&z&token=\(newToken())"
        for body in [[], Array("\0with\r\nlines".utf8)] {
            var request = HTTPRequest(method: method, url: server.url(path), body: body)
            request.headers = HTTPHeaders(["X-Amz-Date": "20260101T000000Z", "X-Empty": "", "X-Twice": "1"])
            request.headers.add("X-Twice", "2")
            let echo = try Echo(await client.send(request))
            #expect(echo.method == method)
            #expect(echo.target == path)
            #expect(echo.bytes == body)
            #expect(echo.values("X-Amz-Date") == ["20260101T000000Z"])
            #expect(echo.values("X-Empty") == [""])
            #expect(echo.values("X-Twice") == ["1", "2"])
            let hasLength = !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method)
            #expect(echo.values("Content-Length") == (hasLength ? ["\(body.count)"] : []))
            let names = Set(echo.headers.map { $0[0].lowercased() })
            let given: Set = ["host", "accept-encoding", "x-amz-date", "x-empty", "x-twice"]
            #expect(names == given.union(hasLength ? ["content-length"] : []))
        }
    }

    @Test("A header that a signature needs replaces the client's own")
    func ownHeaders() async throws {
        var request = post(server.url("/echo"))
        request.headers = HTTPHeaders([
            "Host": "sts.amazonaws.com", "Content-Type": "application/x-amz-json-1.1", "Content-Length": "4",
            "Accept": "application/json", "User-Agent": "holdfast",
        ])
        let echo = try Echo(await client.send(request))
        #expect(echo.values("Host") == ["sts.amazonaws.com"])
        #expect(echo.values("Content-Type") == ["application/x-amz-json-1.1"])
        #expect(echo.values("Content-Length") == ["4"])
        #expect(echo.values("Accept") == ["application/json"])
        #expect(echo.values("User-Agent") == ["holdfast"])
    }

    @Test("Every status is an answer", arguments: [200, 204, 304, 400, 403, 404, 409, 500, 503])
    func statuses(status: Int) async throws {
        let answer = try await client.send(get(server.url("/status/\(status)")))
        #expect(answer.status == status)
    }

    @Test("HEAD gives the header alone")
    func head() async throws {
        let answer = try await client.send(HTTPRequest(method: "HEAD", url: server.url("/truncated")))
        #expect(answer.status == 200)
        #expect(answer.headers["Content-Length"] == "100")
        #expect(answer.body.isEmpty)
    }

    @Test("A redirect is an answer, and is not followed; a cookie is not kept")
    func redirect() async throws {
        let token = newToken()
        let answer = try await client.send(get(server.url("/redirect?token=\(token)")))
        #expect(answer.status == 302)
        #expect(answer.headers["Location"]?.hasPrefix("/ok") == true)
        #expect(try await server.counted(token, by: client).requests == 1)
        #expect(try Echo(await client.send(get(server.url("/echo")))).values("Cookie") == [])
    }

    @Test("Interim answers, folded lines and trailers do not get into the header")
    func headers() async throws {
        let hinted = try await client.send(get(server.url("/hints")))
        #expect(hinted.text == "ok")
        #expect(hinted.headers.fields.map(\.name) == ["Content-Length"])
        let trailed = try await client.send(get(server.url("/trailers")))
        #expect(trailed.text == "ok")
        #expect(trailed.headers.fields.map(\.name) == ["Transfer-Encoding"])
        let folded = try await client.send(get(server.url("/folded")))
        #expect(folded.headers["X-Long"] == "one two")
        #expect(folded.headers.fields.filter { $0.name.lowercased() == "x-twice" }.map(\.value) == ["1", "2"])
    }

    @Test("An answer that is packed with gzip is unpacked, unless the request says what it accepts")
    func gzip() async throws {
        let unpacked = try await client.send(get(server.url("/gzip")))
        #expect(unpacked.text == String(repeating: "x", count: 10_000))
        #expect(unpacked.headers["Content-Encoding"] == nil)
        #expect(unpacked.headers["Content-Length"] == nil)
        var request = get(server.url("/gzip"))
        request.headers["Accept-Encoding"] = "identity"
        let packed = try await client.send(request)
        #expect(packed.body.starts(with: [0x1F, 0x8B]))
        #expect(packed.headers["Content-Encoding"] == "gzip")
    }

    @Test("A body may be as long as its limit and no longer", arguments: ["/bytes/5000", "/gzip", "/huge-chunks/1"])
    func limit(path: String) async throws {
        let length = ["/bytes/5000": 5000, "/gzip": 10_000, "/huge-chunks/1": 1 << 20][path] ?? 0
        #expect(try await client.send(get(server.url(path), bodyLimit: length)).body.count == length)
        let failure = await client.failure(get(server.url(path), bodyLimit: length - 1))
        #expect(failure == "unknownOutcome body-too-large")
    }

    @Test("A request that cannot be sent as it is, is not sent")
    func invalid() async {
        let url = server.url("/ok")
        var requests = [
            HTTPRequest(method: "get", url: url), HTTPRequest(method: "TRACE", url: url),
            HTTPRequest(method: "GET / HTTP/1.1\r\nX:", url: url), HTTPRequest(method: "HEAD", url: url, body: [1]),
            get(""), get("/path"), get("localhost/path"), get("ftp://localhost/"), get("file:///etc/passwd"),
            get("https://"), get("https://local host/"), get("https://localhost/ä"), get("https://localhost/a b"),
            get("https://localhost:99999/"), get("https://user@localhost/"), get("https://user:word@localhost/"),
        ]
        for (name, value) in [
            ("X-A", "a\r\nX-B: b"), ("X-A", "a\nb"), ("X-A", "\0"), ("X A", "a"), ("", "a"), ("X-A:", "a"),
            ("Content-Length", "3"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"),
            ("Connection", "close"),
        ] {
            requests.append(HTTPRequest(method: "POST", url: url, headers: HTTPHeaders([name: value]), body: [1, 2]))
        }
        for request in requests {
            let failure = await client.failure(request)
            #expect(failure == "notSent invalid-request", "\(request.method) \(request.url) \(request.headers)")
        }
    }
}
