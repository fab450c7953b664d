/// A way by which messages and prompts reach people. Secrets are `env:NAME` or `file:PATH`.
package struct ChannelSettings: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case slack(Slack)
        case mail(Mail)
        /// `key` is the integration's routing key.
        case pagerDuty(url: String, key: String)
        case webhook(WebhookSettings)
        /// A program with its arguments; no shell.
        case command([String])
    }

    package struct Slack: Sendable, Hashable {
        /// Where the Web API is.
        package var url: String
        /// The app's bot token.
        package var token: String
        /// What Slack signs its requests with.
        package var signingSecret: String?
        /// The conversation's id.
        package var conversation: String
    }

    package struct Mail: Sendable, Hashable {
        /// `smtp://HOST:PORT` (with STARTTLS) or `smtps://HOST:PORT`.
        package var url: String
        package var from: String
        package var to: [String]
        package var user: String?
        package var password: String?
    }

    package var name: String
    package var kind: Kind
    package var pace: ChannelPace
}

extension Configuration {
    /// What is told where, for the engine.
    package var routing: RouteSettings {
        var settings = RouteSettings()
        settings.routes = routes
        settings.channels = Dictionary(channels.map { ($0.name, $0.pace) }) { first, _ in first }
        return settings
    }
}
