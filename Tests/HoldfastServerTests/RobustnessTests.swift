import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Logging
import Testing

@testable import HoldfastServer

/// A source of chance that a test can repeat.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("What strangers send")
struct RobustnessTests {
    private static let pieces = [
        "%", "%0", "%00", "%zz", "%C3%28", "%E2%80%AE", "=", "&", "&&", "+", "a", "b=c", "%26", "%3D", "é", "\u{0}",
        "..",
        "/", "\\", "<", "\"", "'", "\u{202E}", "%0d%0a", "form", "word=approve", "{", "}", ".", "e30",
        "eyJhbGciOiJub25lIn0",
    ]

    private func text(_ random: inout Seeded) -> String {
        (0..<Int.random(in: 0...12, using: &random)).map { _ in Self.pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    @Test("A form is read as it was written, or not at all")
    func forms() {
        var random = Seeded(state: 7)
        for _ in 0..<20_000 {
            let pairs = (0..<3).map { _ in (text(&random), text(&random)) }
            let body = pairs.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
            let read = Address.pairs(body)
            let hasControl = pairs.contains { ($0.0 + $0.1).unicodeScalars.contains { $0.value < 0x20 } }
            if hasControl {
                #expect(read == nil)
            } else {
                #expect(read?.map(\.name) == pairs.map(\.0) && read?.map(\.value) == pairs.map(\.1), "\(body)")
            }
            // Whatever it is, it is no crash and no control character.
            for pair in Address.pairs(text(&random)) ?? [] {
                #expect(!(pair.name + pair.value).unicodeScalars.contains { $0.value == 0 || $0.value == 0x1B })
            }
        }
    }

    @Test("No text becomes markup, however it is put together")
    func markup() {
        var random = Seeded(state: 11)
        for _ in 0..<20_000 {
            let text = text(&random)
            let html: HTML = "<p title=\"\(text)\">\(text)</p>"
            let inner = html.source.dropFirst("<p title=\"".count).dropLast("</p>".count)
            #expect(!inner.contains("<"), "\(html.source)")
            #expect(inner.count { $0 == "\"" } == 1 && inner.count { $0 == ">" } == 1, "\(html.source)")
        }
    }

    @Test("Where a sign-in leads is a path of this server, whatever was asked for")
    func destinations() {
        var random = Seeded(state: 13)
        for _ in 0..<20_000 {
            let safe = SignInRoutes.safe(
                ["/", "//", "/\\", "https:", ""].randomElement(using: &random).map { $0 + text(&random) })
            #expect(safe.hasPrefix("/") && !safe.hasPrefix("//") && !safe.contains("\\"))
            #expect(!safe.contains("\"") && !safe.contains("<") && !safe.contains("\n"))
        }
    }

    @Test("What is no token is refused, and never read past its parts")
    func tokens() {
        var random = Seeded(state: 17)
        for _ in 0..<20_000 {
            let token = [text(&random), text(&random), text(&random)].joined(separator: ".")
            let refusal = #expect(throws: Refusal.self) { try CompactToken(token) }
            #expect(refusal?.status == 401)
        }
    }

    @Test("A query's address leads back to the query")
    func addresses() throws {
        var random = Seeded(state: 19)
        for _ in 0..<2_000 {
            var findings = FindingFilter()
            findings.open = Bool.random(using: &random)
            findings.severities = Bool.random(using: &random) ? [.high, .low] : []
            findings.resource = Bool.random(using: &random) ? "a" + text(&random) : nil
            var resources = ResourceFilter()
            resources.type = Bool.random(using: &random) ? "AWS::S3::Bucket" : nil
            resources.condition = Bool.random(using: &random) ? PathCondition("A.B=x=y") : nil
            resources.asOf = Bool.random(using: &random) ? Timestamp(seconds: 1_780_000_000) : nil
            for query: Query in [
                .findings(findings), .resources(resources), .finding("f-1"), .plan(finding: "f-1"), .notices,
                .deadLetters,
                .counters("dropped read"), .audit(kinds: ["plan", "mode"]), .approvals, .planOf(digest: "abc"),
                .why(finding: "f-1"), .runs, .run("r-1"), .halts, .rollout, .campaigns,
                .dryRun(since: Timestamp(seconds: 1_780_000_000)), .exemptions(due: Span(seconds: 7 * 86_400)),
                .resource(id: "arn:" + text(&random), asOf: nil, history: true),
            ] {
                let (path, parameters) = query.address
                let page = query.isPaged ? Page(after: "x", limit: 7) : Page()
                let more = query.isPaged ? page.parameters : []
                let read = try #require(try Query.read(path: path, parameters: parameters + more))
                #expect(read.query == query && read.page == page)
            }
        }
    }

    @Test("A parameter that nobody reads is an error that names the nearest")
    func parameters() throws {
        let error = #expect(throws: QueryError.self) {
            try Query.read(path: ["findings"], parameters: [("opne", "true")])
        }
        #expect(error?.message.contains("did you mean \"open\"?") == true)
        let nothing = try Query.read(path: ["findings", "a", "b"], parameters: [])
        #expect(nothing == nil)
    }

    @Test("Who fails too often waits, and only they")
    func limiter() {
        var limiter = FailureLimiter(allowed: 3, window: Span(seconds: 60), addresses: 10)
        let start = Timestamp(seconds: 1000)
        for second in 0..<3 { limiter.fail("a", now: start + Span(seconds: second)) }
        #expect(limiter.wait("a", now: start + Span(seconds: 3)) == 57)
        #expect(limiter.wait("b", now: start) == nil)
        #expect(limiter.wait("a", now: start + Span(seconds: 60)) == nil)
        // Many addresses take no more room than was set, and the newest are kept.
        for number in 0..<1000 { limiter.fail("x\(number)", now: start + Span(seconds: 4)) }
        for _ in 0..<3 { limiter.fail("x999", now: start + Span(seconds: 5)) }
        #expect(limiter.wait("x999", now: start + Span(seconds: 6)) != nil)
        #expect(FailureLimiter.key("2001:db8:1:2:3:4:5:6") == FailureLimiter.key("2001:db8:1:2::1"))
        #expect(FailureLimiter.key("2001:db8:1:3::1") != FailureLimiter.key("2001:db8:1:2::1"))
        #expect(FailureLimiter.key("::ffff:192.0.2.1") == "192.0.2.1")
    }

    @Test("A log line has its sentence and known values, one line, and nothing under other names")
    func logs() throws {
        let lines = Shared<[String]>([])
        for format in LogSettings.Format.allCases {
            var settings = LogSettings()
            settings.format = format
            var logger = Logger(label: "test") { _ in
                LogLines(settings, now: { Timestamp(seconds: 0) }) { line in lines.change { $0.append(line) } }
            }
            logger.logLevel = .info
            logger.info(
                "a request was answered", metadata: ["path": "/a\n{\"b\"}", "password": "hunter2", "status": "200"])
            logger.debug("not told")
        }
        #expect(lines.value.count == 2)
        let expected: JSON = [
            "level": "info", "message": "a request was answered", "path": "/a\n{\"b\"}", "status": "200",
            "time": "1970-01-01T00:00:00Z",
        ]
        let json = try JSON.parse(try #require(lines.value.first { $0.hasPrefix("{") }))
        #expect(json == expected)
        #expect(lines.value.allSatisfy { !$0.contains("\n") && !$0.contains("hunter2") })
    }

    @Test("Metrics escape what labels may hold")
    func exposition() {
        var out = Exposition()
        out.add("a_total", .counter, "one\nline\\", [.init(1, [("b", "x\"y\\z\n")]), .init(0.5)])
        #expect(
            out.text
                == "# HELP a_total one\\nline\\\\\n# TYPE a_total counter\n"
                + "a_total{b=\"x\\\"y\\\\z\\n\"} 1\na_total 0.5\n"
        )
    }

    @Test("The morning is the next eight o'clock where the server is")
    func morning() throws {
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        let evening = try #require(Timestamp("2026-03-28T20:00:00Z"))
        // The clocks go forward that night.
        #expect(Desk.morning(after: evening, in: zone).description == "2026-03-29T06:00:00Z")
        let early = try #require(Timestamp("2026-03-28T06:59:59Z"))
        #expect(Desk.morning(after: early, in: zone).description == "2026-03-28T07:00:00Z")
    }
}
