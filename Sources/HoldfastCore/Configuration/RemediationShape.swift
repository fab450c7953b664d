/// The grammar of what guards decide by.
extension Configuration {
    static let remediationFields: [Shape.Field] = [
        .init("scopes", .list(scope), "parts of the world with a mode of their own; the first that fits counts"),
        .init(
            "budgets", budgets, "how much may be changed, in event mode as in scans; what is over is only reported"),
        .init("rollout", rollout, "what opens the next environment to a playbook"),
        .init("drills", drills, "proofs that a playbook works from end to end, on resources that are there for that"),
        .init("freeze", .list(freeze), "times in which nothing is written"),
        .init(
            "pipelines", .list(.text),
            "principals of infrastructure as code; what comes through them is never written over. * is any run"),
        .init("flapping", repetition, "a finding fixed so often is fought over: no more writes. Default 3 in 24h"),
        .init("breaker", repetition, "a playbook whose runs failed on so many findings is halted. Default 3 in 1h"),
        .init("keys", keys, "keys, each env:NAME or file:PATH"),
        .init("halt-file", .text, "a file that stops all writes while it is there. Default /etc/holdfast/HALT"),
    ]

    /// Under `approvals:`.
    static let approvalFields: [Shape.Field] = [
        .init("chain", .list(.text), "roles that are asked, one after the other. Default approver"),
        .init("answer-within", .duration, "then the next in the chain is asked. Default 1h"),
        .init("expires", .duration, "an approval counts for so long. Default 4h"),
        .init("table", .record(Shape.Record(riskFields)), "how many must agree, by risk and environment"),
    ]

    /// Under `limits:`.
    static let remediationLimits: [Shape.Field] = [
        .init("runs-at-once", .integer(1...64), "runs under way at one time. Default 8"),
        .init("permit-expiry", .duration, "how long a call may wait after it was permitted. Default 30s"),
        .init("verify-within", .duration, "how long after its last call a rule may take to pass. Default 2m"),
        .init("hold", .duration, "an undone fix stays off its resource for so long. Default 24h"),
        .init(
            "consistency-margin", .duration,
            "how long a cloud may answer with old data. Default: what the catalog says of each type, mostly 5s"),
        .init("time-resolution", .duration, "of the times in events. Default 1s for AWS, 0s for the others"),
    ]

    private static let scope: Shape = .record(
        .init("match", Scope.shape, required: true, "which resources"),
        .init("mode", .word(Mode.allCases.map(\.rawValue)), required: true, "what may be done there"))

    private static let budgets: Shape = .record(
        .init("overall", .text, "N per hour, minute or day. Default 100 per hour"),
        .init("account", .text, "in each account. Default 20 per hour"),
        .init("playbook", .text, "by each playbook. Default 50 per hour"),
        .init("type", .text, "P % of an account's resources of one type in a day, one at least. Default 5 %"))

    private static let rollout: Shape = .record(
        .init("runs", .integer(1...1000), "verified runs of the same playbook in the environment before. Default 3"),
        .init("soak", .duration, "for so long none of them may have been undone. Default 24h"))

    private static let drills: Shape = .record(
        .init("late-after", .duration, "a leg that takes longer is a notice. Default 2m"),
        .init("give-up-after", .duration, "a leg that takes longer is missing. Default 20m"),
        .init("nightly", .list(nightly), "held by the service every day"))

    private static let nightly: Shape = .record(
        .init("playbook", .text, required: true, "its id"),
        .init("resource", .text, required: true, "the whole id of a resource with the label holdfast:drill"),
        .init("at", .text, "HH:MM, UTC. Default 02:00"))

    private static let freeze: Shape = .record(
        .init("from", .text, required: true, "RFC 3339"), .init("to", .text, required: true, "RFC 3339"),
        .init("environments", .list(.text), "Default all"), .init("reason", .text, required: true, "what people read"))

    private static let repetition: Shape = .record(
        .init("count", .integer(1...1000), required: true, "so often"),
        .init("within", .duration, required: true, "in this time"))

    private static let keys: Shape = .record(
        .init(
            "captures", .text,
            "32 bytes in hexadecimal digits: encrypts what is kept for an undo; needed where mode is remediate"),
        .init(
            "audit", .text,
            "an Ed25519 or P-256 private key in PEM, which signs the audit log's checkpoints; `openssl genpkey "
                + "-algorithm ed25519` makes one. Default: they are not signed"))

    private static let riskFields: [Shape.Field] = PlaybookRisk.allCases.map { risk in
        .init(
            risk.rawValue, .map(keys: "an environment", .integer(0...10)),
            "approvals needed; an environment that is left out gets the strictest of these")
    }
}
