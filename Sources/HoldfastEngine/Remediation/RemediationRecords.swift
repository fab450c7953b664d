package import HoldfastCore

/// A finding that has a plan and waits to be decided.
package struct Candidate: Sendable, Hashable {
    package var finding: String
    /// When it is decided next; `distantFuture` where only an event or a person can change anything.
    package var due: Timestamp
    package init(finding: String, due: Timestamp) {
        self.finding = finding
        self.due = due
    }
}

/// A plan that waits for people.
package struct Ask: Sendable, Hashable {
    package var digest: String
    package var finding: String
    package var opened: Timestamp
    /// Which of the roles in the chain has been asked last: 0, 1, …
    package var level: Int
    /// When the next is asked, or the last once more.
    package var next: Timestamp
    /// Not yet delivered to anybody at this level.
    package var mustPrompt: Bool
    package var prompt: Prompt

    package init(
        digest: String, finding: String, opened: Timestamp, level: Int, next: Timestamp, mustPrompt: Bool,
        prompt: Prompt
    ) {
        self.digest = digest
        self.finding = finding
        self.opened = opened
        self.level = level
        self.next = next
        self.mustPrompt = mustPrompt
        self.prompt = prompt
    }
}

/// A person opened an environment to one digest of a playbook; two of them make it so.
package struct Opening: Sendable, Hashable {
    package var playbook: String
    package var playbookDigest: String
    package var environment: String
    package var person: String
    package var reason: String
    package var at: Timestamp
    package init(
        playbook: String, playbookDigest: String, environment: String, person: String, reason: String, at: Timestamp
    ) {
        self.playbook = playbook
        self.playbookDigest = playbookDigest
        self.environment = environment
        self.person = person
        self.reason = reason
        self.at = at
    }
}

/// A scope with its mode, and since when.
package struct ModeRecord: Sendable, Hashable {
    package var scope: String
    package var mode: Mode
    package var since: Timestamp
    package init(scope: String, mode: Mode, since: Timestamp) {
        self.scope = scope
        self.mode = mode
        self.since = since
    }
}

/// Backlog that is fixed as one approved list.
package struct Campaign: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case proposed, running, done, stopped
    }
    package struct Item: Sendable, Hashable {
        package var finding: String
        package var plan: String
        package init(finding: String, plan: String) {
            self.finding = finding
            self.plan = plan
        }
    }
    package var id: String
    package var playbook: String
    package var playbookDigest: String
    /// As it was asked for: `environment:dev,type:AWS::S3::Bucket`.
    package var scope: String
    package var state: State
    /// In the order in which they are fixed.
    package var items: [Item]
    /// Runs of one wave: the next begins when all of them are verified.
    package var wave: Int
    package var proposedBy: String
    package var proposed: Timestamp
    package var reason: String

    package init(
        id: String, playbook: String, playbookDigest: String, scope: String, state: State, items: [Item], wave: Int,
        proposedBy: String, proposed: Timestamp, reason: String
    ) {
        self.id = id
        self.playbook = playbook
        self.playbookDigest = playbookDigest
        self.scope = scope
        self.state = state
        self.items = items
        self.wave = wave
        self.proposedBy = proposedBy
        self.proposed = proposed
        self.reason = reason
    }
}

/// A sealed capture of what a step is about to change.
package struct StoredCapture: Sendable, Hashable {
    package var run: String
    package var step: Int
    package var sealed: [UInt8]
    package var expires: Timestamp
    package init(run: String, step: Int, sealed: [UInt8], expires: Timestamp) {
        self.run = run
        self.step = step
        self.sealed = sealed
        self.expires = expires
    }
}

/// One use of a budget.
package struct BudgetClaim: Sendable, Hashable {
    /// `overall`, `account 111122223333`, `playbook …`, `type … in …`.
    package var key: String
    package var limit: Int
    package var window: Span
    package init(key: String, limit: Int, window: Span) {
        self.key = key
        self.limit = limit
        self.window = window
    }
}

/// What a transaction writes for remediation.
package struct RemediationWrites: Sendable {
    package var candidates: [Candidate] = []
    package var doneCandidates: [String] = []
    /// Every candidate is decided again at this moment.
    package var touchAll: Timestamp?
    package var decisions: [Decision] = []
    package var runs: [Run] = []
    package var asks: [Ask] = []
    package var closedAsks: [String] = []
    package var approvals: [Approval] = []
    package var halts: [Halt] = []
    package var resumed: [Halt.Part] = []
    package var holds: [Hold] = []
    package var endedHolds: [String] = []
    package var openings: [Opening] = []
    package var modes: [ModeRecord] = []
    package var campaigns: [Campaign] = []
    package var cares: [Care] = []
    package var exemptions: [ExemptionRecord] = []
    package var objections: [Objection] = []
    package var drills: [Drill] = []
    /// Events that came back from writes of ours, with the run.
    package var ownEvents: [(event: String, run: String)] = []

    /// Whether there is nothing to write.
    package var isEmpty: Bool {
        candidates.isEmpty && doneCandidates.isEmpty && touchAll == nil && decisions.isEmpty && runs.isEmpty
            && asks.isEmpty && closedAsks.isEmpty && approvals.isEmpty && halts.isEmpty && resumed.isEmpty
            && holds.isEmpty && endedHolds.isEmpty && openings.isEmpty && modes.isEmpty && campaigns.isEmpty
            && cares.isEmpty && exemptions.isEmpty && objections.isEmpty && drills.isEmpty && ownEvents.isEmpty
    }
    package init() {}
}

/// A step that is about to be made, with everything that must still hold in the transaction that writes it down.
package struct StepIntent: Sendable {
    package var leases: [Lease]
    /// As it will be kept: its call is going out.
    package var run: Run
    package var call: PlannedCall
    package var decision: Decision
    package var at: Timestamp
    /// A halt of any of these stops it; none for an undo that a person asked for.
    package var haltParts: [Halt.Part]
    /// Consumed with it: of the first step of a run.
    package var budgets: [BudgetClaim]
    /// Asked with the words on the plan's digest as they are then.
    package var isApproved: @Sendable ([Approval]) -> Bool
    package var capture: StoredCapture?

    package init(
        leases: [Lease], run: Run, call: PlannedCall, decision: Decision, at: Timestamp, haltParts: [Halt.Part],
        budgets: [BudgetClaim], isApproved: @escaping @Sendable ([Approval]) -> Bool, capture: StoredCapture?
    ) {
        self.leases = leases
        self.run = run
        self.call = call
        self.decision = decision
        self.at = at
        self.haltParts = haltParts
        self.budgets = budgets
        self.isApproved = isApproved
        self.capture = capture
    }
}

/// Why a step was not begun. Nothing was written down.
package enum BeginError: Error, Sendable, CustomStringConvertible {
    case refused(GuardName, String)
    case journal(JournalError)

    package var description: String {
        switch self {
        case .refused(let guardName, let reason): "\(guardName.rawValue): \(reason)"
        case .journal(let error): error.message
        }
    }
}

/// What the journal knows of remediation.
package protocol RemediationJournal: AnyObject, Sendable {
    /// Writes a step down as begun, whole and on the disk, and consumes what guards it: halts, budgets and approvals
    /// are looked at once more in the same transaction.
    func begin(_ intent: StepIntent) throws(BeginError) -> Begun

    /// Those that are due, first the earliest due.
    func candidates(dueAt: Timestamp, limit: Int) throws(JournalError) -> [Candidate]
    func decision(of finding: String) throws(JournalError) -> Decision?
    /// Plans whose digest begins so, each digest once with the finding that it was made for, at most `limit`.
    func plans(beginning digest: String, limit: Int) throws(JournalError) -> [(digest: String, finding: String)]
    /// `nil` where nobody has said anything of it.
    func care(of finding: String) throws(JournalError) -> Care?
    /// The newest first; `nil`: of all.
    func decisions(limit: Int) throws(JournalError) -> [Decision]
    func run(id: String) throws(JournalError) -> Run?
    /// Those that have not ended, by id.
    func openRuns() throws(JournalError) -> [Run]
    /// The newest first.
    func runs(limit: Int) throws(JournalError) -> [Run]
    /// Of a finding, the newest first.
    func runs(of finding: String) throws(JournalError) -> [Run]
    /// Those of a playbook that ended so since then, by when they ended.
    func endedRuns(playbook: String, since: Timestamp) throws(JournalError) -> [Run]
    /// Those of a finding that ended since then, the newest first, at most `limit`.
    func endedRuns(of finding: String, since: Timestamp, limit: Int) throws(JournalError) -> [Run]
    /// When a run of a playbook's digest was undone, or got stuck, last; `nil`: in any environment.
    func lastUndone(playbookDigest: String, environment: String?) throws(JournalError) -> Timestamp?
    /// The runs of a playbook's digest in an environment that were verified since then: how many, and when the first.
    func verified(
        playbookDigest: String, environment: String, since: Timestamp
    ) throws(JournalError) -> (count: Int, first: Timestamp?)
    func capture(run: String, step: Int) throws(JournalError) -> [UInt8]?
    /// Open ones by when they were opened.
    func asks() throws(JournalError) -> [Ask]
    func approvals(of digest: String) throws(JournalError) -> [Approval]
    func halts() throws(JournalError) -> [Halt]
    /// By when they were made, also those that were taken back.
    func objections(to finding: String) throws(JournalError) -> [Objection]
    func hold(of finding: String) throws(JournalError) -> Hold?
    func holds() throws(JournalError) -> [Hold]
    func openings(playbook: String) throws(JournalError) -> [Opening]
    func modes() throws(JournalError) -> [ModeRecord]
    func campaigns() throws(JournalError) -> [Campaign]
    /// Those that have not ended, in the order in which they were begun.
    func openDrills() throws(JournalError) -> [Drill]
    /// The newest first.
    func drills(limit: Int) throws(JournalError) -> [Drill]
    func drill(id: String) throws(JournalError) -> Drill?
    func lastDrill(playbook: String, resource: String) throws(JournalError) -> Drill?
    /// How many of a playbook's digest ended well in an environment since then.
    func drillsPassed(playbookDigest: String, environment: String, since: Timestamp) throws(JournalError) -> Int
    /// How often a budget was used since a moment.
    func uses(of budget: String, since: Timestamp) throws(JournalError) -> Int
    func isOwnEvent(_ event: String) throws(JournalError) -> Bool
    /// Live resources of a type in an account.
    func count(type: String, account: String) throws(JournalError) -> Int
}
