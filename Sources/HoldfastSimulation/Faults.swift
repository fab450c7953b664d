internal import Synchronization

/// What can go wrong in a simulation; each fires with its own chance.
package enum Fault: String, Sendable, CaseIterable {
    // Of events.
    case doubled, late, outOfOrder = "out-of-order", malformed, lost, sameSecond = "same-second"
    // Of reads.
    case describeStale = "describe-stale", describeThrottled = "describe-throttled", describeDenied = "describe-denied"
    // Of writes: not done and no answer; done and no answer; refused; taken on as a long operation; the answer comes
    // after the permit's end; the call would go out after the permit's end.
    case writeLost = "write-lost", writeTimedOut = "write-timed-out", writeThrottled = "write-throttled"
    case writeDenied = "write-denied", writeAccepted = "write-accepted", writeSlow = "write-slow"
    case writeQueued = "write-queued"
    /// Somebody changes the resource while it is read or written.
    case meddler
    // Of people.
    case approverSlow = "approver-slow", approverRefuses = "approver-refuses", approverTwice = "approver-twice"
    case approverCaused = "approver-caused", approverHolds = "approver-holds", approverLate = "approver-late"
    case halted, haltFile = "halt-file", undone, opened, campaign, reload, exempted, objected
    case promptLost = "prompt-lost"
    // Of the clock.
    case clockForward = "clock-forward", clockBack = "clock-back"
    /// A place of checkpoints does not take one.
    case anchorDown = "anchor-down"
    // Of ourselves: before a write of the journal is made, and after.
    case crash, crashAfter = "crash-after"

    /// Once in how many chances.
    var rarity: Int {
        switch self {
        case .doubled, .late, .outOfOrder, .sameSecond: 5
        case .approverSlow, .approverTwice, .approverRefuses, .approverHolds, .approverCaused, .undone: 4
        case .approverLate: 6
        case .malformed, .describeStale, .describeThrottled, .opened, .promptLost: 8
        case .anchorDown: 3
        case .exempted: 40
        case .objected: 8
        case .campaign, .reload: 12
        case .halted, .haltFile: 25
        case .lost, .describeDenied, .writeThrottled: 12
        case .writeLost, .writeTimedOut, .writeAccepted, .writeSlow, .writeQueued: 12
        case .writeDenied, .meddler: 20
        case .clockForward, .clockBack: 40
        case .crash: 250
        case .crashAfter: 120
        }
    }
}

/// Decides from the seed when a fault fires, and counts.
final class FaultPlan: Sendable {
    private struct State {
        var random: SeededRandom
        var fired: [Fault: Int] = [:]
        var isOver = false
    }
    private let state: Mutex<State>
    /// What never happens in this world.
    private let spared: [Fault]

    init(seed: UInt64) {
        state = Mutex(State(random: SeededRandom(seed: seed &* 31 &+ 7)))
        // In a third of the worlds people get on with each other, so that runs get far.
        let quarrels: [Fault] = [
            .halted, .haltFile, .clockForward, .clockBack, .approverSlow, .approverRefuses, .approverHolds, .crash,
            .exempted, .objected,
        ]
        spared = seed % 3 == 2 ? quarrels : []
    }

    /// Whether the fault happens now.
    func fires(_ fault: Fault) -> Bool {
        if spared.contains(fault) { return false }
        return state.withLock { state in
            guard !state.isOver, state.random.once(in: fault.rarity) else { return false }
            state.fired[fault, default: 0] += 1
            return true
        }
    }

    /// From now on nothing goes wrong.
    func stop() { state.withLock { $0.isOver = true } }

    var fired: [Fault: Int] { state.withLock { $0.fired } }

    func number(_ range: ClosedRange<Int>) -> Int {
        state.withLock { Int.random(in: range, using: &$0.random) }
    }
}
