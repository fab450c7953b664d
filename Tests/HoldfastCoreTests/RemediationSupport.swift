import HoldfastCrypto
import HoldfastJSON

@testable import HoldfastCore

/// A finding, a plan and what guards look at, all of which lets a plan pass: tests change one thing.
enum Remediating {
    static let now = Timestamp(seconds: 1_780_000_000)
    static let bucket = ResourceID(type: "AWS::S3::Bucket", id: "arn:aws:s3:::my-bucket")
    static let context = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")

    static var finding: Finding {
        Finding(
            rule: "aws/s3/bucket-blocks-public-access", resource: bucket, context: context, incarnation: "i-1",
            state: .open, severity: .high, severityReason: "", origin: .drift, since: now - Span(seconds: 60),
            cause: Finding.Cause(
                event: "event-1", actor: "arn:aws:iam::111122223333:user/eve", action: "PutPublicAccessBlock", chain: [],
                time: now - Span(seconds: 60)),
            offending: [], reason: "", evidence: .observed, environment: "dev")
    }

    static func call(_ name: String) -> PlannedCall {
        PlannedCall(name: name, request: "", permission: "", parameters: JSONObject([("Name", .string(name))]))
    }

    /// One step for each name; undone by `un` and the name.
    static func run(_ names: [String], isIdempotent: Bool = true) -> Run {
        let undo = { (name: String) in PlannedUndo(grade: .exact, means: .call(call("un\(name)"))) }
        let steps = names.map { name in
            RunStep(
                call: call(name), writes: [PropertyPath(names: "A")], undo: undo(name), isIdempotent: isIdempotent,
                waitAtMost: nil)
        }
        let digest = sha256("playbook".utf8)
        let plan = Plan(
            finding: finding.id, rule: finding.rule, resource: bucket, incarnation: "i-1", context: context,
            playbook: "aws-s3-block-public-access", playbookDigest: digest, title: "Block", risk: .medium, edits: [],
            steps: [], warnings: [], alternatives: [], tellsActor: false, grace: nil, digest: sha256("plan".utf8))
        return Run(id: "r-1", finding: finding, plan: plan, steps: steps, opened: now)
    }

    static let pace = Run.Pace(
        margin: Span(seconds: 6), permitExpiry: Span(seconds: 30), verifyWithin: Span(seconds: 120))

    /// Everything passes but the read before the first call, which is through.
    static var facts: GuardFacts {
        var facts = GuardFacts(
            now: now, settings: RemediationSettings(), people: People(), finding: finding,
            plan: .init(
                digest: "d1", playbook: "aws-s3-block-public-access", playbookDigest: "p1", risk: .medium))
        facts.mode = .remediate
        facts.modeScope = "dev"
        facts.modeSince = now - Span(seconds: 3600)
        facts.maturity = .stable
        facts.evidence.isObserved = true
        facts.evidence.observed = now
        facts.preflight = .passed(at: now)
        return facts
    }
}
