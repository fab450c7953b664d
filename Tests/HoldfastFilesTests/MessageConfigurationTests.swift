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
        ])
    func problems(yaml: String, says: String) throws {
        let found = try load(yaml).problems
        #expect(found.count == 1 && found[0].contains(says), "\(found)")
    }
}
