/// How the service tells of itself.
package struct LogSettings: Sendable, Hashable {
    package enum Format: String, Sendable, CaseIterable {
        case text, json
    }
    /// As swift-log names them.
    package enum Level: String, Sendable, CaseIterable {
        case debug, info, notice, warning, error
    }
    package var format = Format.text
    package var level = Level.info

    package init() {}
}

/// Where a prompt goes beside the pages.
package struct WebhookSettings: Sendable, Hashable {
    package var url: String
    /// `env:NAME` or `file:PATH`.
    package var secret: String
}
