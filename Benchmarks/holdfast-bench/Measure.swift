import Glibc

/// Processor time of this thread in nanoseconds: other load on the machine does not count.
func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// One way of doing something, and how long it took in each round.
struct Contender {
    let name: String
    /// Works through all events and returns a sum over what it found, so that nothing is optimised away.
    let run: () -> Int
    private(set) var rounds: [Double] = []
    private(set) var sum = 0

    init(_ name: String, run: @escaping () -> Int) {
        self.name = name
        self.run = run
    }

    mutating func takeTurn(events: Int) {
        let start = threadNanoseconds()
        sum = run()
        rounds.append(Double(threadNanoseconds() - start) / Double(events))
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

extension [Contender] {
    /// A round to warm up, then as many as are asked for; in every round each contender has one turn.
    mutating func run(rounds: Int, events: Int) {
        for index in indices { self[index].takeTurn(events: events) }
        for index in indices { self[index].forgetRounds() }
        for _ in 0..<rounds {
            for index in indices { self[index].takeTurn(events: events) }
        }
    }

    /// A table with the median of each contender.
    func table(events: Int, bytes: Int) -> String {
        let size = Double(bytes) / Double(events)
        let rows = map { contender in
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
}

private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return left ? text + space : space + text
}
