import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import TestOracles
import Testing

@Suite("The pages")
struct PageTests {
    @Test("A link signs a browser in once, with a cookie that no script and no other site gets")
    func link() async throws {
        let bench = try await DeskBench()
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            #expect(browser.page.status == 200 && browser.page.text.contains("ann.lee"))
            let answer = try await asking.say("/api/v1/links", [:])
            let url = try #require(answer.json["url"]?.string)
            let other = Browser(asking)
            // Whatever looks at links before people do changes nothing.
            #expect(try await other.open(url).text.contains("Sign in as ann.lee?"))
            #expect(other.cookies.isEmpty)
            try await other.open(url)
            try await other.post(url, [])
            #expect(other.cookies.keys.contains("holdfast"))
            let third = Browser(asking)
            #expect(try await third.post(url, []).status == 401)
        }
    }

    @Test("A link ends after two minutes, and a session when it is not used, or was long enough")
    func ends() async throws {
        let bench = try await DeskBench()
        let clock = bench.server.clock
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            for _ in 0..<30 {
                clock.move(seconds: 1500)
                _ = try await browser.open("/approvals")
            }
            #expect(browser.path.hasPrefix("/sign-in"), "twelve hours were enough")
            let second = try await asking.signedIn()
            clock.move(seconds: 1801)
            try await second.open("/approvals")
            #expect(second.path.hasPrefix("/sign-in"), "thirty minutes without a request")
            let url = try #require(try await asking.say("/api/v1/links", [:]).json["url"]?.string)
            clock.move(seconds: 121)
            #expect(try await Browser(asking).open(url).status == 401)
        }
    }

    @Test("The cookie is HttpOnly and strict, and behind TLS secure and of this host alone", arguments: [false, true])
    func cookie(isBehindTLS: Bool) async throws {
        var server = try await DeskBench().server
        server.settings.isBehindTLS = isBehindTLS
        if isBehindTLS { server.settings.url = "https://holdfast.example.com" }
        let set = try await server.run { asking in
            let answer = try await asking.say("/api/v1/links", [:])
            let url = try #require(answer.json["url"]?.string)
            let browser = Browser(asking)
            browser.headers = isBehindTLS ? [("Host", "holdfast.example.com")] : []
            let path = "/sign-in" + (url.components(separatedBy: "/sign-in").last ?? "")
            try await browser.open(path)
            let request = HTTPRequest(
                method: "POST", url: asking.url + path, headers: HTTPHeaders(), deadline: .seconds(300))
            var asked = request
            if isBehindTLS { asked.headers["Host"] = "holdfast.example.com" }
            return try await asking.tcp.send(asked).headers["Set-Cookie"] ?? ""
        }
        #expect(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"))
        #expect(set.hasPrefix(isBehindTLS ? "__Host-holdfast=" : "holdfast="))
        #expect(set.contains("Secure") == isBehindTLS)
    }

    @Test("A plan's page says in order what a person decides by, and takes their word")
    func plan() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            #expect(browser.page.text.contains("1 plan waits"))
            let page = try await browser.open("/plans/\(ask.digest.prefix(12))").text
            var rest = Substring(page)
            for part in [
                "user/bo did s3.amazonaws.com/PutBucketPolicy", "What may break", "s3.PutBucketPolicy",
                "Before and after",
                "Way back and evidence", "Who has decided", "Your decision", "What the guards say",
            ] {
                let found = rest.firstRange(of: part)
                #expect(found != nil, "\(part) is missing or out of order")
                if let found { rest = rest[found.upperBound...] }
            }
            #expect(!page.contains("<script"))
            let empty = try await browser.post("/plans/\(ask.digest)", [("word", "refuse"), ("reason", " ")])
            #expect(empty.status == 400 && empty.text.contains("give a reason"))
            try await browser.open("/plans/\(ask.digest)")
            try await browser.post("/plans/\(ask.digest)", [("word", "refuse"), ("reason", "the site needs it")])
            #expect(browser.page.text.contains("the site needs it"), "\(browser.page.text)")
        }
        let words = try bench.server.journal.approvals(of: ask.digest)
        #expect(words.map(\.word) == [.refuse] && words[0].via == "session")
        #expect(bench.calls.isEmpty)
    }

    @Test("A plan on hold is asked again at eight in the morning")
    func hold() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            try await browser.open("/plans/\(ask.digest)")
            try await browser.post("/plans/\(ask.digest)", [("word", "hold"), ("reason", "after the release")])
            #expect(browser.page.status == 200)
        }
        let word = try #require(try bench.server.journal.approvals(of: ask.digest).first)
        #expect(word.word == .hold && word.expires > bench.server.clock.now)
        #expect(word.expires <= bench.server.clock.now + Span(seconds: 86_400))
    }

    @Test(
        "A form that another site sends, or that has no token of this session, decides nothing",
        arguments: [
            [("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
            [("Origin", "null")], [("Origin", "http://127.0.0.1:1")], [],
        ] as [[(String, String)]])
    func forged(headers: [(String, String)]) async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let status = try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            try await browser.open("/plans/\(ask.digest)")
            browser.headers = headers
            let token = headers.isEmpty ? "another" : nil
            return try await browser.post("/plans/\(ask.digest)", [("word", "approve"), ("reason", "")], token: token)
                .status
        }
        #expect(status == 403)
        #expect(try bench.server.journal.approvals(of: ask.digest).isEmpty)
    }

    @Test("After a run the same page says when it was verified, and has an undo")
    func verified() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            try await browser.open("/plans/\(ask.digest)")
            try await browser.post("/plans/\(ask.digest)", [("word", "approve"), ("reason", "")])
            try await bench.work()
            bench.server.clock.move(seconds: 20)
            try await bench.work()
            let page = try await browser.open("/plans/\(ask.digest)").text
            #expect(page.contains("Carried out and verified"), "\(page)")
            let run = try #require(try bench.server.journal.runs(limit: 1).first)
            try await browser.post("/runs/\(run.id)/undo", [("reason", "it was meant so")])
            #expect(browser.page.status == 200 && browser.path == "/runs/\(run.id)")
            try await bench.work()
            #expect(try await browser.open("/runs/\(run.id)").text.contains("Undone by ann.lee"))
        }
    }

    @Test("What others wrote stays text, and what hides letters is shown")
    func escaping() async throws {
        let bench = try await DeskBench()
        let actor = "arn:aws:iam::111122223333:user/<script>alert(1)</script>\u{202E}&\"'"
        let ask = try await bench.drift(by: actor)
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            for path in ["/approvals", "/plans/\(ask.digest)", "/findings/\(ask.finding)", "/findings"] {
                let page = try await browser.open(path).text
                #expect(page.contains("&lt;script&gt;alert(1)"), "\(path)")
                #expect(!page.contains("<script") && !page.contains("\u{202E}"), "\(path)")
                #expect(page.contains("\\u{202e}"), "\(path)")
            }
        }
    }

    @Test("Every page answers, and what is not there is said in a page")
    func all() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        try await bench.server.run { asking in
            let browser = try await asking.signedIn()
            for path in ["/", "/approvals", "/findings", "/findings/\(ask.finding)", "/rollout", "/runs"] {
                #expect(try await browser.open(path).status == 200, "\(path)")
            }
            for path in ["/plans/aaaaaaaaaaaa", "/findings/f-0", "/runs/r-0", "/nothing", "/campaigns/c-0"] {
                let page = try await browser.open(path)
                #expect(page.status == 404, "\(path)")
                #expect(page.text.contains("role=\"alert\""), "\(path)")
            }
            try await browser.open("/approvals")
            try await browser.post("/sign-out", [])
            #expect(browser.path.hasPrefix("/sign-in") && browser.cookies.isEmpty)
        }
    }

    @Test("A link from another site leads to the page in two steps, since the cookie does not come with the first")
    func fromChat() async throws {
        let bench = try await DeskBench()
        try await bench.server.run { asking in
            let browser = Browser(asking)
            browser.headers = [("Sec-Fetch-Site", "cross-site")]
            let first = try await browser.open("/plans/aaaaaaaaaaaa")
            #expect(first.status == 200 && first.text.contains("url=/plans/aaaaaaaaaaaa"))
            browser.headers = [("Sec-Fetch-Site", "same-origin")]
            try await browser.open("/plans/aaaaaaaaaaaa")
            #expect(browser.path.hasPrefix("/sign-in?to="))
        }
    }

    @Test(
        "Signing in leads to a page of this server and to no other",
        arguments: [
            "https://evil.example/", "//evil.example", "/\\evil.example", "/x\"><p>", "javascript:alert(1)", "",
        ])
    func openRedirect(to: String) async throws {
        let bench = try await DeskBench()
        var server = bench.server
        let provider = try Provider()
        server.settings.provider = provider.settings
        let page = try await server.run { asking in
            let browser = Browser(asking)
            return try await browser.open("/sign-in?to=\(Browser.encode(to))").text
        }
        #expect(page.contains("to=%2fapprovals"), "\(page)")
        #expect(!page.contains("evil"))
    }

    @Test("Signing in at the provider takes its code, with the browser that began it and the nonce that it began with")
    func provider() async throws {
        let bench = try await DeskBench()
        var server = bench.server
        let provider = try Provider()
        server.settings.provider = provider.settings
        // The provider's tokens are of its own clock.
        let clock = server.clock
        let now = Int(clock.now.nanoseconds / 1_000_000_000)
        let times: JSON = ["iat": .number(JSONNumber(now)), "exp": .number(JSONNumber(now + 300))]
        try await provider.control(["claims": times])
        try await server.run { asking in
            let browser = Browser(asking)
            try await browser.open("/sign-in/oidc?to=%2Frollout")
            #expect(browser.page.status == 200, "\(browser.page.text)")
            #expect(browser.page.text.contains("url=/rollout"))
            #expect(browser.cookies.keys.sorted() == ["holdfast"])
            #expect(try await browser.open("/rollout").text.contains("ann.lee"))
            // The same way back again, and in another browser, signs nobody in.
            let back = browser.lastCallback
            #expect(try await Browser(asking).open(back).status == 401)
            var other = times.object ?? JSONObject()
            other["nonce"] = "another"
            try await provider.control(["claims": .object(other)])
            let second = Browser(asking)
            try await second.open("/sign-in/oidc")
            #expect(second.page.status == 401 && second.page.text.contains("another sign-in"), "\(second.page.text)")
        }
    }
}
