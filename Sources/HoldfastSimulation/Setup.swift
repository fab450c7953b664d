internal import HoldfastCore
internal import HoldfastEngine
internal import Synchronization

/// The configuration of one seed's world.
struct Setup: Sendable {
    var remediation = RemediationSettings()
    var people = People()
    var classification: Classification
    var limits = {
        var limits = Limits()
        limits.evidenceRetention = Span(seconds: 90)
        return limits
    }()
    /// A dry run has no writer.
    var hasWriter = true
    /// Halfway production goes from dry-run to remediate.
    var reloads = false
    var exemptions: [Exemption] = []
    private let productionIsOpen = Switch()

    /// A reload has happened: shared by all copies.
    private final class Switch: Sendable {
        let isOn = Mutex(false)
    }

    static let start = Timestamp(seconds: 1_780_000_000)

    /// Who may be asked.
    static let approvers = ["ada", "ben", "cleo"]

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed &* 17 &+ 3)
        classification = Classification(
            environments: ["dev", "production"],
            accounts: [
                .init(cloud: .aws, id: FakeCloud.Account.dev, environment: "dev"),
                .init(cloud: .aws, id: FakeCloud.Account.production, environment: "production"),
            ])
        people.identities = [
            Identity(person: "ada", actors: ["arn:aws:iam::*:user/ada"]),
            Identity(person: "ben", actors: ["arn:aws:iam::*:user/ben"]), Identity(person: "cleo"),
            Identity(person: "dan"),
        ]
        people.roles = ["approver": ["ada", "ben"], "lead": ["cleo"]]
        remediation.environments = ["dev", "production"]
        remediation.pipelines = ["arn:aws:sts::*:assumed-role/deploy/*"]
        remediation.ownPrincipals = ["arn:aws:sts::*:assumed-role/holdfast-write/*"]
        remediation.flapping = .init(count: 2, window: Span(seconds: 600))
        remediation.breaker = .init(count: 3, window: Span(seconds: 60))
        remediation.verifyWithin = Span(seconds: 30)
        remediation.permitExpiry = Span(seconds: 20)
        remediation.freshFor = Span(seconds: 30)
        remediation.holdAfterUndo = Span(seconds: 90)
        remediation.rollout.runs = 2
        remediation.rollout.soak = Span(seconds: 15)
        setModes(seed)
        setLimits(&random)
    }

    private mutating func setModes(_ seed: UInt64) {
        switch seed % 8 {
        case 0: hasWriter = false
        case 1, 2: scope("dev", .remediate)
        case 3:
            scope("dev", .remediate)
            reloads = true
        default:
            scope("dev", .remediate)
            scope("production", .remediate)
        }
    }

    private mutating func scope(_ environment: String, _ mode: Mode) {
        var scope = Scope()
        scope.environments = [environment]
        remediation.scopes.append(.init(name: "environment \(environment)", scope: scope, mode: mode))
    }

    private mutating func setLimits(_ random: inout SeededRandom) {
        let isTight = random.once(in: 3)
        let window = Span(seconds: 60)
        remediation.budgets.overall = .init(count: isTight ? 2 : 9, window: window)
        remediation.budgets.account = .init(count: isTight ? 2 : 6, window: window)
        remediation.budgets.playbook = .init(count: isTight ? 1 : 4, window: window)
        remediation.budgets.typePercent = isTight ? 40 : 100
        remediation.approvals.chain = ["approver", "lead"]
        remediation.approvals.answerWithin = Span(seconds: 30)
        remediation.approvals.expiry = Span(seconds: 80)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: remediation.approvals.table = [.medium: ["dev": 0, "production": 2]]
        case 1:
            remediation.approvals.table = [.low: ["dev": 0, "production": 1], .medium: ["dev": 1, "production": 1]]
        case 2:
            remediation.approvals.table = [.low: ["dev": 1, "production": 1], .medium: ["dev": 1, "production": 2]]
        default: break
        }
        if random.once(in: 2) {
            let from = Setup.start + Span(seconds: Int.random(in: 30...90, using: &random))
            remediation.freezes = [
                Freeze(
                    from: from, to: from + Span(seconds: 40), environments: random.once(in: 2) ? [] : ["production"],
                    reason: "the year's end")
            ]
        }
        exemptions = [
            Exemption(
                rule: "aws/s3/bucket-blocks-public-access", resources: ["arn:aws:s3:::bucket-*3"], kind: .accepted,
                owner: "ada", approver: "ben", reason: "it is a website", end: Setup.start + Span(seconds: 86_400 * 30))
        ]
    }

    // MARK: Asked by checkers

    func environment(of account: String) -> String { account == FakeCloud.Account.dev ? "dev" : "production" }

    func mode(of environment: String) -> Mode {
        if environment == "production", productionIsOpen.isOn.withLock({ $0 }) { return .remediate }
        return remediation.scopes.first { $0.scope.environments == [environment] }?.mode ?? remediation.mode
    }

    func isExempt(_ rule: String, _ resource: ResourceID, at now: Timestamp) -> Bool {
        exemptions.contains { $0.rule == rule && $0.covers(resource) && now < $0.end }
    }

    // MARK: Policies

    func policy(_ policy: Policy) -> Policy {
        policy.with(remediation: remediation, people: people, classification: classification, limits: limits)
            .exempting(exemptions)
    }

    /// The same with production in mode remediate; from now on checkers know it.
    func reloaded() -> Setup {
        var next = self
        next.scope("production", .remediate)
        productionIsOpen.isOn.withLock { $0 = true }
        return next
    }
}
