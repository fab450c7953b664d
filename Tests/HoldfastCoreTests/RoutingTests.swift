import HoldfastCore
import HoldfastJSON
import Testing

@Suite("What is told where")
struct RoutingTests {
    private let start = Timestamp(seconds: 1_780_000_000)

    private func settings(_ routes: [Route], perHour: Int = 5, also: [String] = []) -> RouteSettings {
        var settings = RouteSettings()
        settings.routes = routes
        var pace = ChannelPace()
        pace.perHour = perHour
        settings.channels = Dictionary((["oncall"] + also).map { ($0, pace) }) { first, _ in first }
        return settings
    }

    private func route(
        _ when: Route.When = .now, to: [String] = ["oncall"], _ change: (inout Route.Match) -> Void = { _ in }
    )
        -> Route
    {
        var match = Route.Match()
        change(&match)
        return Route(match: match, channels: to, when: when)
    }

    private func news(
        _ number: Int, rule: String = "aws/s3/versioning-on", actor: String = "terraform", severity: Severity = .high,
        origin: Finding.Origin = .drift, environment: String = "production", owner: String = "payments"
    ) -> News {
        let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")
        let cause = Finding.Cause(event: "e-\(number)", actor: actor, action: "s3/Put", chain: [], time: start)
        let finding = Finding(
            rule: rule, resource: ResourceID(type: "AWS::S3::Bucket", id: "arn:aws:s3:::b-\(number)"), context: place,
            incarnation: "", state: .open, severity: severity, severityReason: "", origin: origin, since: start,
            cause: cause, offending: [], reason: "", evidence: .observed, environment: environment)
        return .finding(finding, title: "Versions are kept", owner: owner)
    }

    private func seconds(_ count: Int) -> Timestamp { start + Span(seconds: count) }

    @Test("312 buckets by one apply are one message, with the first few named")
    func grouped() throws {
        var routing = Routing(settings([route()]))
        #expect(routing.next((0..<300).map { news($0) }, now: start).isEmpty)
        #expect(routing.next((300..<312).map { news($0) }, now: seconds(9)).isEmpty)
        #expect(routing.next([], now: seconds(18)).isEmpty)
        let message = try #require(routing.next([], now: seconds(19)).first)
        #expect(message.title.contains("312 of AWS::S3::Bucket") && message.title.contains("terraform"))
        #expect(message.count == 312 && message.lines.count == 6 && message.lines.last == "and 307 more")
        #expect(message.findings.count == 5)
        #expect(routing.next([], now: seconds(4000)).isEmpty)
    }

    @Test("A cause that never rests is told of all the same")
    func longest() {
        var routing = Routing(settings([route()]))
        var messages: [Message] = []
        for second in stride(from: 0, to: 150, by: 5) {
            messages += routing.next([news(second)], now: seconds(second))
        }
        #expect(messages.count == 1 && messages[0].at == seconds(120))
    }

    @Test("A storm makes at most the configured messages in any hour, and a digest counts the rest")
    func storm() {
        var routing = Routing(settings([route()]))
        var messages: [Message] = []
        for step in 0..<400 {
            let some = (0..<25).map { news(step * 25 + $0, actor: "person \(step) \($0)") }
            messages += routing.next(some, now: seconds(step * 15))
        }
        for second in stride(from: 6000, to: 20_000, by: 15) { messages += routing.next([], now: seconds(second)) }
        for message in messages {
            let hour = messages.filter { $0.at <= message.at && message.at < $0.at + Span(seconds: 3600) }
            #expect(hour.count <= 5)
        }
        #expect(messages.reduce(0) { $0 + $1.count } == 10_000)
        #expect(messages.contains { $0.kind == .digest && $0.count > 1000 })
    }

    @Test("What keeps us from seeing is told at once, however full the hour is")
    func ownEyes() {
        let routes = [route { $0.notices = ["own-eyes"] }, route()]
        var routing = Routing(settings(routes, perHour: 1))
        _ = routing.next([news(1)], now: start)
        #expect(routing.next([], now: seconds(10)).count == 1)
        let gap = News.notice(code: "source-gap", subject: "kafka", text: "offsets are gone", isOwnEyes: true)
        let other = News.notice(code: "run-failed", subject: "r-1", text: "it failed", isOwnEyes: false)
        let told = routing.next([gap, other, news(2, actor: "other")], now: seconds(11))
        #expect(told.map(\.title) == ["source-gap: kafka: offsets are gone"])
        // It takes no place in the hour, and what has none waits.
        #expect(routing.next([], now: seconds(30)).isEmpty)
        #expect(routing.next([], now: seconds(3611)).map(\.kind) == [.digest])
    }

    @Test("Backlog is never told now, nor what goes into digests or nowhere")
    func backlog() {
        let routes = [
            route(.never) { $0.owners = ["sand*"] }, route(.digest) { $0.severities = [.low] }, route(),
        ]
        var routing = Routing(settings(routes))
        let some = [
            news(1, owner: "sandbox"), news(2, severity: .low), news(3, origin: .backlog, environment: "dev"),
        ]
        #expect(routing.next(some, now: start).isEmpty)
        #expect(routing.next([], now: seconds(86_399)).isEmpty)
        let digest = routing.next([], now: seconds(86_400))
        #expect(digest.map(\.count) == [2] && digest[0].kind == .digest)
        #expect(digest[0].lines.contains("1 high in dev: Versions are kept (aws/s3/versioning-on)"))
    }

    @Test("The first route that fits counts, by severity, environment, owner, origin and rule")
    func routes() {
        let routes = [
            route(to: ["a"]) { $0.severities = [.critical] }, route(to: ["b"]) { $0.environments = ["dev"] },
            route(to: ["c"]) { $0.owners = ["web"] }, route(to: ["d"]) { $0.rules = ["aws/ec2/*"] },
            route(to: ["a", "b"]) { $0.origins = [.drift] },
        ]
        var routing = Routing(settings(routes, also: ["a", "b", "c", "d"]))
        func channels(_ item: News, at second: Int) -> [String] {
            _ = routing.next([item], now: seconds(second))
            return routing.next([], now: seconds(second + 10)).map(\.channel)
        }
        #expect(channels(news(1, severity: .critical, environment: "dev"), at: 0) == ["a"])
        #expect(channels(news(2, environment: "dev"), at: 100) == ["b"])
        #expect(channels(news(3, owner: "web"), at: 200) == ["c"])
        #expect(channels(news(4, rule: "aws/ec2/open"), at: 300) == ["d"])
        #expect(channels(news(5), at: 400) == ["a", "b"])
        #expect(channels(.notice(code: "flapping", subject: "f", text: "", isOwnEyes: false), at: 500).isEmpty)
    }

    @Test("What is gathered outlives a restart")
    func kept() throws {
        var routing = Routing(settings([route(.digest) { $0.severities = [.low] }, route()]))
        _ = routing.next([news(1), news(2, severity: .low), news(3, rule: "other")], now: start)
        _ = routing.next([news(4)], now: seconds(5))
        let state = try #require(Routing.State(json: JSON.parse(routing.state.json.canonicalBytes)))
        #expect(state == routing.state)
        var again = Routing(routing.settings, state: state)
        #expect(again.next([], now: seconds(100_000)) == routing.next([], now: seconds(100_000)))
    }
}
