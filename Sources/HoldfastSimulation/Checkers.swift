internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// What must hold, whatever went wrong; each says how often it had something to judge.
package enum Checker: String, Sendable, CaseIterable {
    /// An event seen twice is journaled once.
    case once
    /// A record whose position is committed is in the journal.
    case nothingLost = "nothing-lost"
    /// The findings equal those of evaluating everything from scratch.
    case incrementalEqualsFull = "incremental-equals-full"
    /// A resource's state is what its history says, in whatever order it arrived.
    case orderDoesNotMatter = "order-does-not-matter"
    /// What is deleted stays deleted.
    case deletedStaysDeleted = "deleted-stays-deleted"
    /// A change after a read leads to another read.
    case everyChangeIsRead = "every-change-is-read"
    /// Once nothing goes wrong any more, what is known is what is true.
    case converges
    // Of what is written.
    /// Each call that went out was written down as begun before: that step, that attempt, that call, and none twice.
    case journaledIntent = "journaled-intent"
    /// Nothing is written where the mode is not remediate.
    case dryRun = "dry-run-writes-nothing"
    /// What nobody saw drift is written in approved campaigns alone.
    case backlog = "backlog-needs-campaign"
    /// Only rules that are stable lead to writes.
    case stableRules = "only-stable-rules"
    /// Nothing is written on what was only reported.
    case onlyWhatWasRead = "only-what-was-read"
    /// Labels, exemptions and holds keep off.
    case keptOff = "kept-off"
    /// Nothing is written over what somebody objects to, unless another person has agreed after that.
    case objected = "nothing-over-an-objection"
    /// An environment waits for the one before it, or for two people.
    case rollout = "dev-before-production"
    /// Nothing is written in a freeze.
    case frozen
    /// What came through a pipeline is not written over.
    case pipelines = "pipelines-are-left-alone"
    /// What somebody undoes again and again is left to people.
    case fights = "fights-end"
    /// No budget is exceeded in any window.
    case budgets = "within-budgets"
    /// One run at a time on a resource.
    case oneRun = "one-run-a-resource"
    /// Enough of the right people agreed to just this.
    case approved = "approved-as-it-is"
    /// A call of a plan is one of those that its approval was for.
    case asPlanned = "as-planned"
    /// What must not be made twice is not.
    case notTwice = "nothing-twice"
    /// Nothing is begun while it is halted.
    case halted = "nothing-while-halted"
    /// Runs make the moves that there are, in order.
    case legalMoves = "legal-moves"
    /// Campaigns run when they are approved, wave after wave, until the first undo.
    case campaigns = "campaigns-stop"
    /// An undone run leaves what was there before it.
    case undone = "undo-restores"
    /// Once nothing goes wrong any more, what drifts is mended, or a person was told.
    case mendedOrTold = "mended-or-told"
    /// No run is left open.
    case noRunLeft = "no-run-left"
    /// Both logs are chained from end to end, and fit what an anchor saw of them.
    case auditIsWhole = "audit-is-whole"
    /// The service ends by its death alone.
    case stands = "service-stands"
    /// No job ran on another thread than the simulation's.
    case oneThread = "one-thread"
}

/// A checker that did not hold.
package struct Violation: Sendable, Hashable {
    package var checker: Checker
    package var what: String
}

/// What the checkers found in one run.
struct Judgements {
    var judged: [Checker: Int] = [:]
    var violations: [Violation] = []

    mutating func judge(_ checker: Checker, _ holds: Bool, _ what: @autoclosure () -> String) {
        judged[checker, default: 0] += 1
        if !holds { violations.append(Violation(checker: checker, what: what())) }
    }

    // MARK: At any moment

    /// Between steps, also while faults go on.
    mutating func checkAlways(journal: any Journal, policy: Policy, now: Timestamp) throws(JournalError) {
        let ids = try journal.recentEventIDs(limit: 1_000_000)
        judge(.once, Set(ids).count == ids.count, "\(ids.count - Set(ids).count) events are journaled twice")
        let verification = try Verification.run(journal: journal, policy: policy, now: now)
        for _ in 0..<max(verification.evaluations - verification.disagreements.count, 0) {
            judge(.incrementalEqualsFull, true, "")
        }
        for disagreement in verification.disagreements { judge(.incrementalEqualsFull, false, disagreement) }
        for row in try journal.resources(after: nil, limit: 10_000) { try checkOrder(row, journal, policy) }
    }

    private mutating func checkOrder(
        _ row: StoredResource, _ journal: any Journal, _ policy: Policy
    ) throws(JournalError) {
        var whole = EvidenceSet(resolution: policy.resolution(for: row.resource.type))
        for entry in try journal.history(of: row.resource, upTo: .distantFuture) {
            let items = (try? JSON.parse(entry.evidence))?.array ?? []
            whole.merge(items.compactMap(EvidenceItem.init(json:)))
        }
        let stored = (try? JSON.parse(row.evidence)).flatMap {
            EvidenceSet(encoded: $0, resolution: policy.resolution(for: row.resource.type))
        }
        judge(.orderDoesNotMatter, stored == whole, "\(row.resource) is not what its history says")
    }

    /// When nothing is dirty any more: every resource was read after the last that was heard of it.
    mutating func checkRead(journal: any Journal, policy: Policy) throws(JournalError) {
        for row in try journal.resources(after: nil, limit: 10_000) {
            guard let view = view(of: row, policy), !view.isDeleted else { continue }
            let isRead = view.isObserved([PropertyPath()])
            judge(.everyChangeIsRead, isRead, "\(row.resource) changed after it was last read")
        }
    }

    private func view(of row: StoredResource, _ policy: Policy) -> ResourceView? {
        let resolution = policy.resolution(for: row.resource.type)
        guard let json = try? JSON.parse(row.evidence), let set = EvidenceSet(encoded: json, resolution: resolution)
        else { return nil }
        return ResourceView(of: set, keys: policy.catalog.type(row.resource.type)?.keys ?? ListKeys())
    }

    // MARK: In the end

    /// After the faults have stopped and everything is read.
    mutating func checkEnd(
        _ end: EndOfRun, journal: any Journal, policy: Policy
    ) throws(JournalError) {
        let journaled = Set(try journal.recentEventIDs(limit: 1_000_000))
        for id in end.delivered {
            judge(.nothingLost, journaled.contains(id), "\(id) was delivered and is not journaled")
        }
        for row in try journal.resources(after: nil, limit: 10_000) {
            let truth = end.truth[row.resource]
            if truth == nil {
                judge(.deletedStaysDeleted, row.isDeleted, "\(row.resource) is gone and the journal has it")
                continue
            }
            guard let view = view(of: row, policy) else { continue }
            judge(
                .converges, view.document.json == StateValue(known: truth ?? .null).json,
                "\(row.resource) is \(truth?.canonicalText ?? "") and known as \(view.document.json.canonicalText)")
        }
    }
}

/// What the world knows when a run ends.
struct EndOfRun {
    var truth: [ResourceID: JSON]
    /// Ids of events that reached the broker whole.
    var delivered: [String]
}
