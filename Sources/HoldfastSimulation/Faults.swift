internal import Synchronization

/// What can go wrong in a simulation; each fires with its own chance.
package enum Fault: String, Sendable, CaseIterable {
    // Of events.
    case doubled, late, outOfOrder = "out-of-order", malformed, lost, sameSecond = "same-second"
    // Of reads.
    case describeStale = "describe-stale", describeThrottled = "describe-throttled", describeDenied = "describe-denied"
    // Of ourselves.
    case crash

    /// Once in how many chances.
    var rarity: Int {
        switch self {
        case .doubled, .late, .outOfOrder, .sameSecond: 5
        case .malformed, .describeStale, .describeThrottled: 8
        case .lost, .describeDenied: 15
        case .crash: 60
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

    init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed &* 31 &+ 7))) }

    /// Whether the fault happens now.
    func fires(_ fault: Fault) -> Bool {
        state.withLock { state in
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
