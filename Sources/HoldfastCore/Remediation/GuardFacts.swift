/// Everything that the guards look at, gathered by the engine at one moment.
package struct GuardFacts: Sendable {
    package var now: Timestamp
    package var settings: RemediationSettings
    package var people: People
    package var finding: Finding
    package var plan: PlanFacts

    /// In force on any of the plan's parts.
    package var halts: [Halt] = []
    /// The file that stops everything, where it is there.
    package var haltFile: String?
    package var mode = Mode.dryRun
    package var modeScope = RemediationSettings.everywhere
    /// Since when the scope has its mode; `nil` where nothing is known of it yet.
    package var modeSince: Timestamp?
    /// When it was known that it drifts, by our own clock; `nil` where it is not written down yet.
    package var opened: Timestamp?
    /// Everybody whose objection to this drift stands.
    package var objectors: Set<String> = []
    /// The approved campaign that names this plan.
    package var campaign: String?
    package var maturity = Maturity.draft
    package var evidence = EvidenceFacts()
    /// An exemption's reason.
    package var exemption: String?
    /// The do-not-touch label that it has.
    package var label: String?
    package var hold: Hold?
    /// Whether those who may object have heard of it.
    package var hearing = Hearing.pending
    /// The newest on this drift that was not taken back.
    package var objection: Objection?
    /// Where the newest run on this drift failed.
    package var failed: FailedRuns?
    package var rollout = RolloutStanding()
    package var cause = CauseFacts()
    package var budgets: [BudgetUse] = []
    /// The drill that planted it.
    package var drill: String?
    package var preflight = Preflight.pending
    package var approvals = ApprovalStanding(.notNeeded)

    package init(
        now: Timestamp, settings: RemediationSettings, people: People, finding: Finding, plan: PlanFacts
    ) {
        self.now = now
        self.settings = settings
        self.people = people
        self.finding = finding
        self.plan = plan
    }

    /// What guards need to know of a plan.
    package struct PlanFacts: Sendable, Hashable {
        package var digest: String
        package var playbook: String
        package var playbookDigest: String
        package var risk: PlaybookRisk
        /// How long the owner has to object, or anybody to put it right, where nobody is asked.
        package var grace: Span?
        package init(
            digest: String, playbook: String, playbookDigest: String, risk: PlaybookRisk, grace: Span? = nil
        ) {
            self.grace = grace
            self.digest = digest
            self.playbook = playbook
            self.playbookDigest = playbookDigest
            self.risk = risk
        }
    }

    /// What the finding's verdict rests on.
    package struct EvidenceFacts: Sendable, Hashable {
        package var isObserved = false
        /// The time that the newest read speaks for.
        package var observed: Timestamp?
        /// When a read can be sure to see what was only reported.
        package var observableFrom: Timestamp?
        package init() {}
    }

    /// Runs that failed, one after the other, since it drifted.
    package struct FailedRuns: Sendable, Hashable {
        package var count: Int
        /// The newest.
        package var run: String
        package var reason: String
        /// Only a person goes on from there.
        package var isStuck: Bool
        package var ended: Timestamp

        package init(count: Int, run: String, reason: String, isStuck: Bool, ended: Timestamp) {
            self.count = count
            self.run = run
            self.reason = reason
            self.isStuck = isStuck
            self.ended = ended
        }

        /// When it is tried again: each wait is twice as long as the one before it, from five minutes to a day.
        package var again: Timestamp { ended + Span(seconds: min(300 << Int64(min(count, 20) - 1), 86_400)) }
    }

    /// What brought the drift about.
    package struct CauseFacts: Sendable, Hashable {
        /// It came back from a write of ours.
        package var isOwnWrite = false
        /// Everybody who had a hand in it, each with those that led to them.
        package var hands: [[String]] = []
        /// The principal of the pipeline that made it, or a part of it.
        package var pipeline: String?
        /// How often it was fixed within the window of flapping, and who made it drift again.
        package var fixes = 0
        /// The first of these.
        package var firstFix: Timestamp?
        package var fighter = ""
        package init() {}
    }

    /// What the read before the first call said.
    package enum Preflight: Sendable, Hashable {
        /// It was not made yet.
        case pending
        case passed(at: Timestamp)
        /// The plan no longer is what was decided on.
        case changed(String)
        case failed(String)
    }
}

/// A budget with what of it is spent.
package struct BudgetUse: Sendable, Hashable {
    /// `overall`, `account 111122223333`, `playbook aws-sg-close-openings`, `type AWS::S3::Bucket`.
    package var name: String
    package var used: Int
    package var limit: Int
    package var window: Span
    package init(name: String, used: Int, limit: Int, window: Span) {
        self.name = name
        self.used = used
        self.limit = limit
        self.window = window
    }
}

/// Where a playbook stands on its way through the environments.
package struct RolloutStanding: Sendable, Hashable {
    /// What was seen of one digest of a playbook in one environment.
    package struct Record: Sendable, Hashable {
        /// Verified since the last that was undone.
        package var verified = 0
        /// Drills that passed since then.
        package var drills = 0
        /// When the first of these was verified.
        package var firstVerified: Timestamp?
        package var lastUndone: Timestamp?
        package init() {}
    }
    /// Two people have opened the environment by hand.
    package var openedBy: [String] = []
    /// Of the environment before, by the same digest.
    package var before = Record()
    /// A run of the digest is being undone just now.
    package var isBeingUndone = false

    package init() {}

    /// What is lacking until this environment is open; `nil` where nothing is.
    package func lack(
        _ rules: RolloutRules, before environment: String?, now: Timestamp
    ) -> (what: String, until: Timestamp?)? {
        guard let environment else { return nil }
        if isBeingUndone { return ("the end of an undo that is under way", now + Span(seconds: 10)) }
        if openedBy.count >= 2 { return nil }
        if before.drills >= rules.runs { return nil }
        let missing = rules.runs - before.verified
        if missing > 0 {
            let undone = before.lastUndone.map { ", counted since one was undone at \($0)" } ?? ""
            let more = rules.runs - before.drills
            let drills = before.drills == 0 ? "" : ", or \(more) more drill\(more == 1 ? "" : "s") there"
            return ("\(missing) more verified runs in \(environment)\(undone)\(drills)", nil)
        }
        guard let first = before.firstVerified else { return nil }
        let end = first + rules.soak
        return now < end ? ("the soak in \(environment), which ends at \(end)", end) : nil
    }
}
