import Foundation
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

/// AWS's published vectors for Signature Version 4: one folder a case, each signed in the headers and in the query.
@Suite("AWS's signature vectors", .enabled(if: Oracle.data != nil, "HOLDFAST_TEST_DATA is not set"))
struct AWSVectorTests {
    struct Vector {
        var folder: URL
        var signer: AWSSigner
        var time: Int64
        var lifetime: Int

        init(_ folder: URL) throws {
            self.folder = folder
            let context = try JSON.parse(Array(Data(contentsOf: folder.appending(path: "context.json"))))
            let credentials = try #require(context["credentials"])
            let keys = AWSKeys(
                accessKeyID: try #require(credentials["access_key_id"]?.string),
                secretKey: Secret(try #require(credentials["secret_access_key"]?.string)),
                sessionToken: (credentials["token"]?.string).map { Secret($0) })
            signer = AWSSigner(
                keys: keys, region: try #require(context["region"]?.string),
                service: try #require(context["service"]?.string))
            signer.normalizesPath = context["normalize"] == true
            signer.sendsPayloadHash = context["sign_body"] == true
            signer.signsSessionToken = context["omit_session_token"] != true
            let stamp = try #require(context["timestamp"]?.string)
            time = Int64(try Date(stamp, strategy: .iso8601).timeIntervalSince1970)
            lifetime = try #require(context["expiration_in_seconds"]?.int)
        }

        /// A request as it stands in a file: lines that start with a space go on with the value above.
        func request(_ file: String) throws -> HTTPRequest {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            var lines = text.components(separatedBy: "\n")
            let first = lines.removeFirst()
            let method = first.prefix { $0 != " " }
            let target = first.dropFirst(method.count + 1).dropLast(" HTTP/1.1".count)
            var headers = HTTPHeaders()
            var host = ""
            while let line = lines.first, !line.isEmpty {
                lines.removeFirst()
                var whole = line
                while let next = lines.first, next.hasPrefix(" ") { whole += "\n" + lines.removeFirst() }
                let parts = whole.split(separator: ":", maxSplits: 1).map(String.init)
                if parts[0] == "Host" { host = parts[1] } else { headers.add(parts[0], parts[1]) }
            }
            let body = lines.dropFirst().joined(separator: "\n")
            return HTTPRequest(
                method: String(method), url: "https://\(host)\(target)", headers: headers, body: Array(body.utf8))
        }
    }

    static var folders: [URL] {
        let top = URL(filePath: Oracle.data ?? "").appending(path: "aws-sigv4-vectors/tests/aws-signing-test-suite/v4")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: top.path)) ?? []
        return names.sorted().map { top.appending(path: $0) }
    }

    @Test("All 38 cases are there")
    func count() {
        #expect(Self.folders.count == 38)
    }

    @Test("A request is signed in its headers as AWS says", arguments: folders)
    func headers(folder: URL) throws {
        let vector = try Vector(folder)
        let signed = vector.signer.sign(try vector.request("request.txt"), at: vector.time)
        let expected = try vector.request("header-signed-request.txt")
        #expect(sorted(signed.headers) == sorted(expected.headers))
        let signature = try String(contentsOf: folder.appending(path: "header-signature.txt"), encoding: .utf8)
        #expect(signed.headers["Authorization"]?.hasSuffix("Signature=" + signature) == true)
        #expect(signed.url == expected.url)
        #expect(signed.body == expected.body)
    }

    @Test("A request is signed in its query as AWS says", arguments: folders)
    func query(folder: URL) throws {
        let vector = try Vector(folder)
        let signed = vector.signer.presign(
            try vector.request("request.txt"), at: vector.time, lifetime: vector.lifetime)
        let expected = try vector.request("query-signed-request.txt")
        #expect(signed.url == expected.url)
        #expect(sorted(signed.headers) == sorted(expected.headers))
    }

    private func sorted(_ headers: HTTPHeaders) -> [String] {
        headers.fields.map { "\($0.name.lowercased()): \($0.value)" }.sorted()
    }
}
