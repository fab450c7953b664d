internal import HoldfastCore
internal import HoldfastEngine
internal import Synchronization

/// Time that moves only when nothing else can run.
final class VirtualClock: HoldfastClock {
    struct Instant: InstantProtocol {
        /// Since the simulation began.
        var offset: Swift.Duration = .zero
        func advanced(by duration: Swift.Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private struct Sleeper {
        var wakes: Instant
        var id: Int
        var continuation: CheckedContinuation<Void, any Error>
    }
    private struct State {
        var now = Instant()
        /// By how much the service's clock is wrong.
        var skew = Span(nanoseconds: 0)
        /// By how much it was most ahead.
        var furthest = Span(nanoseconds: 0)
        var nextID = 0
        var sleepers: [Sleeper] = []
        /// Cancelled before they fell asleep.
        var cancelled: Set<Int> = []
    }
    private let state = Mutex(State())
    private let start: Timestamp

    /// - Parameter start: the time on the wall when the simulation begins.
    init(start: Timestamp) { self.start = start }

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Swift.Duration { .nanoseconds(1) }

    /// What the service's clock shows.
    func wallTime() -> Timestamp {
        let skew = state.withLock { $0.skew }
        return cloudTime() + skew
    }

    /// The time that is right: the cloud's.
    func cloudTime() -> Timestamp {
        let (seconds, attoseconds) = now.offset.components
        return start + Span(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// From now on the service's clock shows so much more, or less.
    func jump(by span: Span) {
        state.withLock { state in
            state.skew = Span(nanoseconds: state.skew.nanoseconds + span.nanoseconds)
            if state.skew.nanoseconds > state.furthest.nanoseconds { state.furthest = state.skew }
        }
    }

    /// For so long what was put off before the clock went back may have to wait.
    var wentBack: Span {
        state.withLock { Span(nanoseconds: $0.furthest.nanoseconds - $0.skew.nanoseconds) }
    }

    func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers.append(Sleeper(wakes: deadline, id: id, continuation: continuation))
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// How long until the earliest sleeper wakes; `nil` where nobody sleeps.
    var untilNext: Swift.Duration? {
        state.withLock { state in state.sleepers.map(\.wakes).min().map { max(.zero, state.now.duration(to: $0)) } }
    }

    /// Moves to the earliest sleeper and wakes it; false where nobody sleeps.
    func advance() -> Bool {
        let sleeper = state.withLock { state -> Sleeper? in
            let earliest = state.sleepers.indices.min { a, b in
                (state.sleepers[a].wakes, state.sleepers[a].id) < (state.sleepers[b].wakes, state.sleepers[b].id)
            }
            guard let earliest else { return nil }
            let sleeper = state.sleepers.remove(at: earliest)
            state.now = max(state.now, sleeper.wakes)
            return sleeper
        }
        sleeper?.continuation.resume()
        return sleeper != nil
    }
}
