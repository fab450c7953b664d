import Glibc

/// Processor time of this thread in nanoseconds: other load on the machine does not count.
func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Processor time of this process in nanoseconds.
func processNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// One way of doing something to each event of a list, and how long it took in each round.
struct Contender<Event> {
    let name: String
    /// Works through some events and returns a sum over what it found, so that nothing is optimised away.
    let run: (ArraySlice<Event>) -> Int
    /// Nanoseconds for one event, one figure a round.
    private(set) var rounds: [Double] = []
    /// Over all events of one round.
    private(set) var sum = 0

    init(_ name: String, run: @escaping (ArraySlice<Event>) -> Int) {
        self.name = name
        self.run = run
    }

    mutating func beginRound() {
        rounds.append(0)
        sum = 0
    }

    mutating func takeTurn(_ events: ArraySlice<Event>, of count: Int) {
        let start = threadNanoseconds()
        sum &+= run(events)
        rounds[rounds.count - 1] += Double(threadNanoseconds() - start) / Double(count)
    }

    mutating func forgetRounds() { rounds = [] }

    /// Nanoseconds for one event.
    var median: Double { rounds.median }
}

extension [Double] {
    var median: Double {
        let sorted = sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }
}

/// A round to warm up, then as many as are asked for. Within a round the contenders take turns every few hundred
/// events, so that a machine that grows slower or faster does so for all of them, and take the first turn, on
/// events that no cache holds, in turn.
func measure<Event>(_ contenders: inout [Contender<Event>], on events: [Event], rounds: Int) {
    for round in 0...rounds {
        for index in contenders.indices { contenders[index].beginRound() }
        for start in stride(from: 0, to: events.count, by: 500) {
            let turn = events[start..<min(start + 500, events.count)]
            for index in contenders.indices {
                let index = (index + start / 500) % contenders.count
                contenders[index].takeTurn(turn, of: events.count)
            }
        }
        if round == 0 {
            for index in contenders.indices { contenders[index].forgetRounds() }
        }
    }
}

/// A table with the median of each contender.
///
/// - Parameter size: bytes of an event in the mean.
func table<Event>(of contenders: [Contender<Event>], size: Double) -> String {
    let rows = contenders.map { contender in
        let time = contender.median
        let low = contender.rounds.min() ?? .nan
        let high = contender.rounds.max() ?? .nan
        return pad(contender.name, 34, left: true) + pad("\(Int(time.rounded()))", 10)
            + pad("\(Int(low.rounded()))-\(Int(high.rounded()))", 15)
            + pad("\(Int((1e6 / time).rounded()))", 14) + pad("\(Int((size * 1000 / time).rounded()))", 8)
    }
    let head = pad("", 34, left: true) + pad("ns/event", 10) + pad("min-max", 15) + pad("k events/s", 14)
    return ([head + pad("MB/s", 8)] + rows).joined(separator: "\n")
}

private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return left ? text + space : space + text
}
