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
