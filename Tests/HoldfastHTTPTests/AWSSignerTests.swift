import Foundation
import HoldfastCrypto
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@Suite("AWS signatures")
struct AWSSignerTests {
    static let keys = AWSKeys(
        accessKeyID: "AKIDEXAMPLE", secretKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        sessionToken: Secret("token"))

    @Test(
        "2,000 generated requests are signed as botocore signs them",
        .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
    func botocore() throws {
        let lines = try Oracle.lines("aws_signatures.py", ["2000", "20261122"])
        try #require(lines.count == 2000)
        var kinds: [String: Int] = [:]
        for line in lines {
            func text(_ name: String) throws -> String { try #require(line[name]?.string) }
            let keys = AWSKeys(
                accessKeyID: try text("access"), secretKey: Secret(try text("secret")),
                sessionToken: (line["token"]?.string).map { Secret($0) })
            let signer = AWSSigner(keys: keys, region: try text("region"), service: try text("service"))
            var headers = HTTPHeaders()
            for pair in line["headers"]?.array ?? [] {
                headers.add(pair.array?[0].string ?? "", pair.array?[1].string ?? "")
            }
            let body = try #require(Data(base64Encoded: try text("body")))
            let request = HTTPRequest(
                method: try text("method"), url: try text("url"), headers: headers, body: Array(body))
            let time = Int64(try #require(line["time"]?.int))
            let kind = try text("kind")
            kinds["\(signer.service) \(kind)", default: 0] += 1
            if kind == "header" {
                let signed = signer.sign(request, at: time)
                #expect(signed.headers["Authorization"] == (try text("signature")), "\(request.method) \(request.url)")
            } else {
                let lifetime = try #require(line["lifetime"]?.int)
                let signed = signer.presign(request, at: time, lifetime: lifetime)
                #expect(signed.url.hasSuffix("&X-Amz-Signature=" + (try text("signature"))), "\(request.url)")
            }
        }
        for kind in ["s3", "ec2", "iam", "cloudtrail", "ssm", "lambda", "eks"].map({ $0 + " header" }) + ["s3 query"] {
            #expect(kinds[kind, default: 0] >= 50, "\(kind) is hardly tried: \(kinds)")
        }
    }

    @Test("A second attempt bears a fresh date and one signature, as if it were the first")
    func signedAgain() {
        let signer = AWSSigner(keys: Self.keys, region: "eu-west-1", service: "s3")
        let request = HTTPRequest(method: "PUT", url: "https://b.s3.eu-west-1.amazonaws.com/k", body: [1, 2])
        let first = signer.sign(request, at: 1_440_938_160)
        let again = signer.sign(first, at: 1_440_938_220)
        #expect(again.headers == signer.sign(request, at: 1_440_938_220).headers)
        #expect(first.headers["X-Amz-Date"] == "20150830T123600Z")
        #expect(again.headers["X-Amz-Date"] == "20150830T123700Z")
        #expect(again.headers.fields.count { $0.name == "Authorization" } == 1)
    }

    @Test("S3 always gets the hash of the body, other services don't")
    func payloadHash() {
        let request = HTTPRequest(method: "GET", url: "https://example.com/")
        let s3 = AWSSigner(keys: Self.keys, region: "eu-west-1", service: "s3").sign(request, at: 0)
        let ec2 = AWSSigner(keys: Self.keys, region: "eu-west-1", service: "ec2").sign(request, at: 0)
        #expect(s3.headers["x-amz-content-sha256"] == sha256([]).description)
        #expect(ec2.headers["x-amz-content-sha256"] == nil)
        #expect(ec2.headers["X-Amz-Security-Token"] == "token")
    }

    @Test("A host's clock is learnt from a refusal, once, and for that host alone")
    func clockOffset() {
        var clocks = ClockOffsets()
        let now: Int64 = 1_440_938_160
        let date = "Sun, 30 Aug 2015 12:56:00 GMT"
        let learnt = clocks.learn(host: "a", code: "RequestTimeTooSkewed", date: date, now: now)
        #expect(learnt)
        #expect(clocks.offset(for: "a") == 1200)
        #expect(clocks.offset(for: "b") == 0)
        // The corrected signature was refused as well: the date is not why.
        let again = clocks.learn(host: "a", code: "SignatureDoesNotMatch", date: date, now: now + 2)
        #expect(!again)
        #expect(clocks.offset(for: "a") == 1200)
    }

    @Test("A refused signature says nothing of clocks where they agree, and other refusals never do")
    func noOffset() {
        var clocks = ClockOffsets()
        let now: Int64 = 1_440_938_160
        let (close, far) = ("Sun, 30 Aug 2015 12:36:30 GMT", "Sun, 30 Aug 2015 12:56:00 GMT")
        let refusals = [
            ("SignatureDoesNotMatch", close), ("AccessDenied", far), ("AuthFailure", nil), ("AuthFailure", "yesterday"),
        ]
        for (code, date) in refusals {
            let learnt = clocks.learn(host: "a", code: code, date: date, now: now)
            #expect(!learnt, "\(code)")
        }
        #expect(clocks.offset(for: "a") == 0)
    }

    @Test(
        "A URL gives the host that is signed, without default ports",
        arguments: [
            ("https://Example.com", "example.com", "example.com"), ("https://e.com:443/a", "e.com", "e.com"),
            ("https://e.com:8443/a?b", "e.com:8443", "e.com"),
            ("http://[fd00:ec2::254]:80/x", "[fd00:ec2::254]", "fd00:ec2::254"),
        ])
    func hosts(url: String, authority: String, host: String) throws {
        let parts = try #require(AbsoluteURL(url))
        #expect(parts.authority == authority)
        #expect(parts.host == host)
    }

    @Test(
        "What another reader might take for another host is no URL here",
        arguments: [
            "https://evil.example\\x.googleapis.com/", "https://a@b.example/", "https://a b/", "https:///x",
            "x.example/",
            "https://ä.example/", "https://evil.example;x.googleapis.com/", "https://evil.example%2f.googleapis.com/",
        ])
    func noHosts(url: String) {
        #expect(AbsoluteURL(url) == nil)
    }

    @Test(
        "Only names and addresses of this machine are loopback",
        arguments: [
            ("http://127.0.0.1:80/", true), ("http://127.9.9.9/", true), ("http://localhost:1/", true),
            ("http://[::1]/", true),
            ("http://127.0.0.1.evil.example/", false), ("http://localhost.evil.example/", false),
            ("http://128.0.0.1/", false),
            ("http://127.1/", false),
        ])
    func loopback(url: String, expected: Bool) {
        #expect(AbsoluteURL(url)?.isLoopback == expected)
    }
}
