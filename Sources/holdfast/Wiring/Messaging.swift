import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastHTTP
import HoldfastServer
import ServiceLifecycle

/// Routes what happens to people, and delivers it.
struct Messaging: Part {
    let lane: MessageLane<SystemWallClock>

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await lane.run() }
    }

    /// The channels that the configuration names.
    ///
    /// - Throws: ``Failure`` where a secret is not there, or too short.
    static func channels(
        _ configuration: Configuration, _ http: HTTPClient, _ keeper: Keeper
    ) throws -> [any MessageChannel] {
        try configuration.channels.map { try channel($0, configuration, Serving.outbound(http), keeper) }
    }

    /// What takes Slack's requests: the first channel that has a signing secret.
    static func slack(_ configuration: Configuration, _ channels: [any MessageChannel]) throws -> SlackApp? {
        for settings in configuration.channels {
            guard case .slack(let slack) = settings.kind, let secret = slack.signingSecret,
                let channel = channels.first(where: { $0.name == settings.name }) as? SlackChannel
            else { continue }
            return SlackApp(channel: channel, signingSecret: try NamedSecret.read(secret, configuration))
        }
        return nil
    }

    private static func channel(
        _ settings: ChannelSettings, _ configuration: Configuration, _ send: @escaping Outbound, _ keeper: Keeper
    ) throws -> any MessageChannel {
        let base = configuration.pages
        let now: @Sendable () -> Timestamp = { SystemWallClock.now }
        switch settings.kind {
        case .slack(let slack):
            let rules = configuration.accessRules
            return SlackChannel(
                name: settings.name, url: slack.url, token: try NamedSecret.read(slack.token, configuration),
                conversation: slack.conversation,
                pages: .init(base: base, canSignInAnew: configuration.server?.provider != nil),
                isInteractive: slack.signingSecret != nil,
                mustBeDecidedOnPage: { rules.mustBeDecidedOnPage($0, in: $1) },
                posted: { post in
                    // Without the journal nothing goes on, which others say; the post is not changed any more then.
                    try? await keeper.posted(post)
                }, now: now, send: send)
        case .mail(let mail):
            let client = MailClient(
                url: mail.url, user: mail.user,
                password: try mail.password.map { try NamedSecret.read($0, configuration) },
                authorities: configuration.endpoints.authorities.map(configuration.resolve))
            return MailChannel(name: settings.name, from: mail.from, to: mail.to, base: base, now: now) {
                (letter) async throws(OutboundFailure) in
                do throws(MailFailure) {
                    try await client.send(from: letter.from, to: letter.to, text: letter.text)
                } catch {
                    throw OutboundFailure(error.description)
                }
            }
        case .pagerDuty(let url, let key):
            return PagerDutyChannel(
                name: settings.name, url: url, key: try NamedSecret.read(key, configuration), base: base, send: send)
        case .webhook(let hook):
            return WebhookNotifier(
                name: settings.name, url: hook.url, key: try WebhookNotifier.key(hook.secret, configuration),
                link: { digest in base.map { "\($0)/plans/\(digest)" } }, now: now, send: send)
        case .command(let words): return CommandChannel(name: settings.name, words: words, base: base)
        }
    }
}

extension WebhookNotifier {
    /// - Throws: ``Failure`` where the key is not there, or too short.
    static func key(_ place: String, _ configuration: Configuration) throws -> Secret {
        let key = try NamedSecret.read(place, configuration)
        guard key.revealed.utf8.count >= shortestKey else {
            throw Failure("\(place): a webhook's key has \(shortestKey) bytes at least")
        }
        return key
    }
}

extension Configuration {
    /// How browsers reach the pages; `nil` where nothing listens.
    var pages: String? { server.flatMap { server in server.url ?? server.listen.map { "http://\($0)" } } }
}

extension Configuration {
    var accessRules: AccessRules {
        AccessRules(
            people: people, deciding: remediation.approvals.chain,
            lastEnvironment: remediation.environments.last ?? "")
    }
}
