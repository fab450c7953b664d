import Foundation
import HoldfastCore
import HoldfastFiles
import Testing

@Suite("Channels and routes in the configuration")
struct MessageConfigurationTests {
    private func load(_ yaml: String) throws -> (configuration: Configuration, problems: [String]) {
        let (configuration, problems) = Configuration.load(try YAMLReader.read(yaml, file: "h.yaml"), folder: ".")
        return (configuration, problems.map(\.message))
    }

    @Test("The example in docs/messages.md is read as it says")
    func example() throws {
        let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: top.appending(path: "docs/messages.md"), encoding: .utf8)
        let yaml = try #require(page.firstMatch(of: /```yaml\n([^`]*)```/)).output.1
        let (configuration, problems) = try load(String(yaml))
        #expect(problems.isEmpty)
        #expect(configuration.channels.map(\.name) == ["oncall", "team", "tickets", "pager"])
        #expect(configuration.channels[1].pace.perHour == 6)
        #expect(configuration.routes.map(\.when) == [.now, .now, .digest, .never])
        #expect(configuration.routing.channels.count == 4)
        #expect(configuration.promptChannels == ["team"])
    }

    @Test("People are told by the channel that reaches them, at the address that it knows")
    func reach() throws {
        let (configuration, problems) = try load(
            """
            channels:
              chat: {slack: {token: env:T, conversation: C1}}
              mail: {email: {server: "smtp://h:1", from: a@b.c, to: a@b.c}}
              tell: {command: [/bin/tell]}
            identities:
              - {person: ann.lee, slack: [U1, U2], reached-by: chat}
              - {person: bo.ray, email: bo@example.com, owns: ["pay*"], reached-by: mail}
              - {person: cy.fox, reached-by: tell}
              - {person: dee.low, email: dee@example.com}
            """)
        #expect(problems.isEmpty)
        let people = configuration.people
        #expect(
            people.identities.map(\.reach) == [
                Reach(channel: "chat", address: "U1"), Reach(channel: "mail", address: "bo@example.com"),
                Reach(channel: "tell", address: "cy.fox"), nil,
            ])
        #expect(people.people(owning: "payments") == ["bo.ray"] && people.people(owning: "Ann.Lee") == ["ann.lee"])
        #expect(people.people(owning: "").isEmpty)
    }

    @Test(
        "What would tell nobody, or everybody, is said",
        arguments: [
            ("channels: {a: {command: [tell]}}", "no whole path"),
            ("channels: {a: {command: [/bin/a], email: {server: \"smtp://h:1\", from: a@b, to: a@b}}}", "is one of"),
            ("channels: {a: {email: {server: h, from: a@b, to: a@b}}}", "neither smtp://"),
            ("channels: {a: {email: {server: \"smtp://h:1\", from: \"a@b>\", to: a@b}}}", "no address"),
            ("channels: {a: {pagerduty: {key: secret}}}", "does not stand in a configuration file"),
            ("channels: {a: {pagerduty: {key: env:K, url: \"http://example.com\"}}}", "has no TLS"),
            ("routes: [{to: team}]", "unknown channel"), ("routes: [{match: {owner: a}}]", "says where to"),
            ("channels: {a: {command: [/a]}}\nroutes: [{to: a, match: {environment: prod}}]", "unknown environment"),
            ("channels: {a: {command: [/a]}}\nroutes: [{to: a, match: {notice: all, owner: b}}]", "stands alone"),
            ("approvals: {prompts: [{channel: a}]}", "unknown channel"),
            ("approvals: {prompts: [{}]}", "a prompt is"),
            ("identities: [{person: a, reached-by: b}]", "unknown channel"),
            ("channels: {a: {command: [/a]}}\nidentities: [{person: b, email: c}]", "no address"),
            (
                "channels: {a: {email: {server: \"smtp://h:1\", from: a@b, to: a@b}}}\n"
                    + "identities: [{person: b, slack: U1, reached-by: a}]", "reaches a person by email:"
            ),
            (
                "channels: {a: {pagerduty: {key: env:K}}}\nidentities: [{person: b, reached-by: a}]",
                "whoever is on call"
            ),
        ])
    func problems(yaml: String, says: String) throws {
        let found = try load(yaml).problems
        #expect(found.count == 1 && found[0].contains(says), "\(found)")
    }
}
