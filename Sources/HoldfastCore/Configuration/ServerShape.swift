/// The grammar of `server:`, `identities:`, `log:` and of the prompts.
extension Configuration {
    static let serverFields: [Shape.Field] = [
        .init("server", server, "how people and machines reach the service; nothing listens without it"),
        .init("identities", .list(identity), "who a person is in each of the places where they act"),
        .init("log", log, "what the service tells of itself, on standard error"),
    ]

    private static let server: Shape = .record(
        .init("listen", .text, "ADDRESS:PORT, or none. Default 127.0.0.1:8484"),
        .init("socket", .text, "path of the unix socket, or none. Default ./holdfast.sock"),
        .init(
            "socket-access", .word(["owner", "group"]),
            "who of this machine may open the socket: its owner (0600) or its group too (0660). Default owner"),
        .init("url", .text, "how browsers reach it: https://HOST. Default: the address that it listens on"),
        .init(
            "behind-tls", .bool,
            "true: something in front of it ends TLS, and nothing else reaches it. Default false"),
        .init("hosts", .list(.text), "names beside that of url that requests may be for"),
        .init("oidc", provider, "a provider of identities by OpenID Connect"),
        .init("tokens", .list(token), "tokens for programs, as `holdfast token` makes them"),
        .init("session", session, "how long a browser stays signed in"))

    private static let provider: Shape = .record(
        .init("issuer", .text, required: true, "https://HOST/PATH, as its tokens name it"),
        .init("client-id", .text, required: true, "what the provider calls this service"),
        .init("client-secret", .text, "env:NAME or file:PATH. Default: none, a public client"),
        .init("audience", .text, "whom access tokens must be for. Default: client-id"),
        .init("scopes", .list(.text), "what a sign-in asks for beside openid. Default profile"),
        .init("roles-claim", .text, "the claim that lists a person's groups, such as groups"),
        .init("roles", .map(keys: "a role", .list(.text)), "groups in that claim that give a role"))

    private static let token: Shape = .record(
        .init("name", .text, required: true, "what logs call it"),
        .init("sha256", .text, required: true, "64 hexadecimal digits: the token's digest"),
        .init("person", .text, required: true, "who answers for what is done with it: one of identities"),
        .init("roles", .list(.text), required: true, "what it may do, of what the person may"),
        .init("expires", .text, required: true, "its last moment (RFC 3339), at most a year after it was made"))

    private static let session: Shape = .record(
        .init("idle", .duration, "without a request for so long it ends. Default 30m"),
        .init("length", .duration, "it ends after so long in any case. Default 12h"))

    private static let identity: Shape = .record(
        .init("person", .text, required: true, "first.last: what audit entries name"),
        .init("aws", .oneOrMany(.text), "ARNs that CloudTrail names this person by; * is any run of characters"),
        .init("azure", .oneOrMany(.text), "names in the Activity Log; * is any run of characters"),
        .init("gcp", .oneOrMany(.text), "principals in audit logs; * is any run of characters"),
        .init("oidc", .oneOrMany(.text), "subjects (sub) of the provider's tokens"),
        .init("slack", .oneOrMany(.text), "member ids"),
        .init("local", .oneOrMany(.text), "users of the machine that the service runs on"),
        .init("email", .oneOrMany(.text), "addresses; the first gets what is for this person alone"),
        .init(
            "owns", .oneOrMany(.text),
            "owners of accounts that this person answers for, as accounts and classify name them; * is any run of "
                + "characters. Without it, the owner that has the person's own name"),
        .init(
            "reached-by", .text,
            "the channel by which this person is told what they made and what becomes of it: one of slack (to their "
                + "first member id), email (to their first address), webhook or command (which get the person's name)"
        ))

    private static let log: Shape = .record(
        .init("format", .word(LogSettings.Format.allCases.map(\.rawValue)), "Default text"),
        .init("level", .word(LogSettings.Level.allCases.map(\.rawValue)), "the least that is told. Default info"))

    /// `prompts:` under `approvals:`.
    static let promptsField = Shape.Field(
        "prompts",
        .list(
            .record(
                .init("webhook", webhook, "a signed message to a URL"),
                .init("channel", .text, "one of channels, by its name"))),
        "who is told that a plan waits, beside the pages and `holdfast approvals`")

    static let webhook: Shape = .record(
        .init("url", .text, required: true, "https://HOST/PATH"),
        .init("secret", .text, required: true, "env:NAME or file:PATH: the key of the signature, 16 bytes at least"))
}
