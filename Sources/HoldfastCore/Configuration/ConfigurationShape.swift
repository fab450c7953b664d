/// The grammar of the configuration file. The reference in `docs/configuration.md` is generated from it.
extension Configuration {
    package static let shape: Shape = .record(
        Shape.Record(ownFields + auditFields + remediationFields + messageFields + serverFields))

    private static let ownFields: [Shape.Field] = [
        .init("store", store, "where the journal lives"),
        .init(
            "mode", .word(Mode.allCases.map(\.rawValue)),
            "observe: findings only; dry-run: plans too; remediate: what the guards let pass is done. Default dry-run"),
        .init(
            "environments", .list(.text),
            "in rollout order; the last is what the unclassified get. Default dev, staging, production"),
        .init("data", data, "folders of data files. Default: the shipped ones"),
        .init("sources", .list(source), "where events come from"),
        .init("state", state, "where the state of resources is read from"),
        .init("endpoints", endpoints, "where calls go, where that is not the clouds' own hosts: private endpoints"),
        .init("accounts", .list(account), "accounts by id, with their environment"),
        .init("discover", discover, "organisations whose accounts are found and enrolled by themselves"),
        .init(
            "classify", .list(classifyLine),
            "environments of accounts that are listed without one, or not at all; the first line that fits counts"),
        .init("lists", .map(keys: "a list's name", .list(.text)), "lists that rules name as $lists.NAME"),
        .init("limits", limits, "bounds, with their units"),
        .init("trust-labels", .bool, "true: a label on a resource may loosen its environment. Default false"),
        .init("approvals", approvals, "who must agree, and how they are asked"),
    ]

    private static let approvals: Shape = .record(
        Shape.Record(
            [.init("roles", .map(keys: "a role", .list(.text)), "people by role: viewer, approver, operator, admin")]
                + approvalFields + [promptsField]))

    private static let store: Shape = .record(
        .init("sqlite", .text, required: true, "path of the SQLite file, from the configuration's folder"))

    private static let data: Shape = .record(
        .init("catalog", .list(.text), "catalog folders"),
        .init("baseline", .list(.text), "baseline folders (rules, frameworks, exemptions, pins)"),
        .init("playbooks", .list(.text), "playbook folders"),
        .init("tune", .list(.text), "tuning folders"))

    private static let source: Shape = .record(Shape.Record(ownSources + polledSources))
    static let sourceKinds = (ownSources + polledSources).map(\.name)

    private static let ownSources: [Shape.Field] = [
        .init(
            "file",
            .record(
                .init(
                    "paths", .list(.text), required: true, "files, folders and globs, from the configuration's folder"),
                .init("follow", .bool, "true: go on with what is added. Default false")), "event files"),
        .init(
            "kafka",
            .record(
                .init("brokers", .text, required: true, "host:port, several with commas"),
                .init("topics", .list(.text), required: true, "topics to read"),
                .init("group", .text, "consumer group. Default holdfast"),
                .init(
                    "options", .map(keys: "a librdkafka setting", .text),
                    "passed to librdkafka; a value env:NAME is read from the environment")),
            "Kafka topics"),
        .init("stdin", .record(Shape.Record([])), "events on standard input"),
    ]

    private static let state: Shape = .record(
        .init(
            "clouds", .list(.word(Cloud.allCases.map(\.rawValue))),
            "clouds that are read, with each account's read-role or this machine's own credentials. Default none"),
        .init("scan-every", .duration, "how often everything in these clouds is read. Default 24h"),
        .init("recorded", .list(.text), "files of resource states, one JSON object a line, as `evaluate --state` reads")
    )

    private static let endpoints: Shape = .record(
        .init("authorities", .text, "a PEM file of the certificate authorities to trust in place of the system's"),
        .init("azure", .text, "Azure's Resource Manager: https://HOST"),
        .init("google", .map(keys: "a host, such as compute.googleapis.com; \"\" for all", .text), "https://HOST"))

    private static let account: Shape = .record(
        .init("aws", .text, "account id of 12 digits, as text"), .init("azure", .text, "subscription id"),
        .init("gcp", .text, "project id"), .init("environment", .text, "one of environments"),
        .init("owner", .text, "who is asked"), .init("name", .text, "for people and for classify"),
        .init(
            "read-role", .text,
            "whom to be for reading: an AWS role's ARN, a Google service account, an Azure client id"
        ), .init("write-role", .text, "the same for writing; nothing is written without one"),
        .init("external-id", .text, "what an AWS role's trust policy asks for"),
        .init("tenant", .text, "of Azure, where it is not AZURE_TENANT_ID"),
        .init("regions", .list(.text), "of AWS; the first is asked for global services too. Default AWS_REGION"))

    private static let limits: Shape = .record(Shape.Record(ownLimits + remediationLimits))

    private static let ownLimits: [Shape.Field] = [
        .init(
            "known-events", .integer(1_000...16_000_000), "event ids remembered to know a redelivery. Default 1000000"),
        .init("describes-at-once", .integer(1...256), "reads under way at one time. Default 16"),
        .init(
            "calls-per-second", .integer(1...10_000),
            "calls to one service in one account and region. Default: what the provider allows (AWS 20, Azure 25)"),
        .init("settle-time", .duration, "how long after a change a resource is read. Default 2s"),
        .init("clock-tolerance", .duration, "how far ahead an event's time may be. Default 5m"),
        .init("dirty-age", .duration, "a resource unread for longer is a notice. Default 1h"),
    ]
}
