/// The grammar of `channels:` and `routes:`.
extension Configuration {
    static let messageFields: [Shape.Field] = [
        .init("channels", .map(keys: "a channel's name", channel), "ways by which messages reach people"),
        .init(
            "routes", .list(route),
            "what is told where, and when; the first that fits counts, and what fits none is only in `findings`"),
    ]

    private static let channel: Shape = .record(
        .init("slack", slack, "a Slack app that writes into a conversation"),
        .init("email", mail, "e-mail by SMTP"),
        .init("pagerduty", pagerDuty, "PagerDuty's Events API v2, or what speaks it"),
        .init("webhook", webhook, "a signed message to a URL"),
        .init("command", .list(.text), "a program and its arguments, which gets the message as JSON; no shell"),
        .init("per-hour", .integer(1...1000), "messages in any hour; what is more comes as a digest. Default 20"),
        .init("gather", .duration, "findings of one rule and cause within this time are one message. Default 10s"),
        .init("digest-every", .duration, "how long what need not be told at once may wait. Default 24h"))

    private static let slack: Shape = .record(
        .init("token", .text, required: true, "env:NAME or file:PATH: the app's bot token, with chat:write"),
        .init(
            "signing-secret", .text,
            "env:NAME or file:PATH: with it approvals are asked for here, and Slack's requests are taken"),
        .init("conversation", .text, required: true, "the id of the conversation, such as C0123ABCD"),
        .init("url", .text, "of the Web API. Default https://slack.com/api"))

    private static let mail: Shape = .record(
        .init("server", .text, required: true, "smtp://HOST:PORT, with STARTTLS, or smtps://HOST:PORT"),
        .init("from", .text, required: true, "the sender's address"),
        .init("to", .oneOrMany(.text), required: true, "addresses"),
        .init("user", .text, "of the server"), .init("password", .text, "env:NAME or file:PATH"))

    private static let pagerDuty: Shape = .record(
        .init("key", .text, required: true, "env:NAME or file:PATH: the integration's routing key"),
        .init("url", .text, "Default https://events.pagerduty.com/v2/enqueue"))

    private static let route: Shape = .record(
        .init("match", match, "what it is for. Default: every finding"),
        .init("to", .oneOrMany(.text), "channels"),
        .init("when", .word(Route.When.allCases.map(\.rawValue)), "backlog is never told now. Default now"))

    private static let match: Shape = .record(
        .init("severity", .oneOrMany(.word(Severity.allCases.map(\.rawValue))), "one of these"),
        .init("environment", .oneOrMany(.text), "one of these"),
        .init("owner", .oneOrMany(.text), "of the account; * is any run of characters"),
        .init("origin", .oneOrMany(.word(["drift", "backlog"])), "whether somebody made it so under our eyes"),
        .init("rule", .oneOrMany(.text), "ids of rules; * is any run of characters"),
        .init(
            "notice", .oneOrMany(.text),
            "in place of findings: codes of notices, all, or own-eyes: what keeps this service from seeing, which no "
                + "limit holds up"))
}
