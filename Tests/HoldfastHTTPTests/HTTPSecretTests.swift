import Foundation
import HoldfastHTTP
import Testing

@Suite("Secrets and HTTP", .timeLimit(.minutes(30)))
struct HTTPSecretTests {
    private let server: FaultServer
    init() throws { server = try FaultServer.shared }

    private static let secret = "AKIASECRET"

    /// A request with secrets wherever there is room for one.
    private func laden(_ url: String, _ change: (inout HTTPRequest) -> Void = { _ in }) -> HTTPRequest {
        var request = HTTPRequest(
            method: "POST", url: url + (url.contains("?") ? "&" : "?") + "X-Amz-Signature=AKIASECRET#AKIASECRET",
            headers: HTTPHeaders(["Authorization": "Bearer AKIASECRET", "X-AKIASECRET": "AKIASECRET"]),
            body: Array("AKIASECRET".utf8), deadline: hang, bodyLimit: 1 << 20)
        change(&request)
        return request
    }

    @Test("No failure tells a secret, wherever it was put")
    func failures() async throws {
        let token = newToken()
        var requests = Fault.all.flatMap { fault in
            ["plain", "tls"].map { laden(server.url(fault.path, port: $0)) }
        }
        requests += ["wrongHost", "expired", "untrusted", "old", "refused"].map { laden(server.url("/ok", port: $0)) }
        requests += ["plain", "tls", "mute"].map {
            laden(server.url("/hold?token=\(token)", port: $0)) { $0.deadline = .milliseconds(100) }
        }
        requests += [
            laden("https://user:AKIASECRET@localhost/"), laden("https://AKIASECRET@localhost/"), laden("AKIASECRET"),
            laden("AKIASECRET://localhost/"), laden("https://local host/"), laden("https://localhost:AKIASECRET/"),
            laden("https://nowhere.invalid/"), laden("http://example.com/"),
            laden(server.url("/ok")) { $0.headers["X-Bad"] = "AKIASECRET\r\n" },
            laden(server.url("/ok")) { $0.headers["AKIASECRET\r\n"] = "x" },
            laden(server.url("/ok")) { $0.headers["Content-Length"] = "AKIASECRET" },
            laden(server.url("/ok")) { $0.method = "AKIASECRET" },
        ]
        let client = server.client()
        for request in requests { await expectSilence(of: client, request) }
    }

    @Test("No failure tells a proxy's password, nor what the proxy says")
    func proxies() async throws {
        let proxy = server.ports["proxy"] ?? 0, refused = server.ports["refused"] ?? 0
        for address in [
            "http://user:AKIASECRET@127.0.0.1:\(proxy)", "http://user:AKIASECRET@127.0.0.1:\(refused)",
            "http://user:AKIASECRET@nowhere.invalid:1", "odd://user:AKIASECRET@127.0.0.1:1",
            "http://user:AKIASECRET@local host", "http://user:AKIASECRET@127.0.0.1:port",
        ] {
            let client = server.client { $0.proxy = .address(address, except: []) }
            await expectSilence(of: client, laden("https://forbidden.test/path"))
        }
    }

    private func expectSilence(of client: HTTPClient, _ request: HTTPRequest) async {
        let failure = await client.failing(request)
        let told = ["\(failure as Any)", failure?.description ?? "", String(reflecting: failure)]
        #expect(failure != nil, "\(request.url)")
        for text in told { #expect(!text.uppercased().contains(Self.secret), "\(text)") }
    }
}
