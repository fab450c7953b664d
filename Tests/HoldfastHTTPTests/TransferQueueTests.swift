import Testing

@testable import HoldfastHTTP

@Suite("The queue of requests")
struct TransferQueueTests {
    private func queue(perHost: Int = 2, streams: Int = 5, connections: Int = 3) -> TransferQueue<String> {
        TransferQueue(connectionsPerHost: perHost, streamsPerHost: streams, connections: connections)
    }

    private func start(_ queue: inout TransferQueue<String>) -> [String] {
        var started: [String] = []
        while let element = queue.next() { started.append(element) }
        return started
    }

    @Test("Origins take turns; each has its limit, and all together have theirs")
    func limits() {
        var queue = queue()
        for name in ["a1", "a2", "a3", "b1", "b2", "c1"] { queue.add(name, origin: String(name.prefix(1))) }
        #expect(start(&queue) == ["a1", "b1", "c1"])
        queue.ended(origin: "c", isHTTP2: false)
        #expect(start(&queue) == ["a2"])
        queue.ended(origin: "b", isHTTP2: nil)
        #expect(start(&queue) == ["b2"])
        queue.ended(origin: "b", isHTTP2: false)
        #expect(start(&queue) == [])
        queue.ended(origin: "a", isHTTP2: false)
        #expect(start(&queue) == ["a3"])
        #expect(queue.isEmpty)
    }

    @Test("Over HTTP/2 an origin gets more requests over the same connections, until it answers otherwise")
    func streams() {
        var queue = queue(connections: 2)
        for number in 0..<20 { queue.add("a\(number)", origin: "a") }
        #expect(start(&queue) == ["a0", "a1"])
        queue.add("b", origin: "b")
        queue.ended(origin: "a", isHTTP2: true)
        #expect(start(&queue) == ["a2"], "nor does it pass another whose turn it is")
        queue.ended(origin: "a", isHTTP2: nil)
        #expect(start(&queue) == ["b"])
        queue.ended(origin: "b", isHTTP2: false)
        #expect(start(&queue) == ["a3", "a4", "a5", "a6"])
        for _ in 0..<4 { queue.ended(origin: "a", isHTTP2: false) }
        #expect(start(&queue) == ["a7"])
    }

    @Test("That an origin speaks HTTP/2 is known when it is asked again")
    func known() {
        var queue = queue()
        queue.add("a0", origin: "a")
        #expect(start(&queue) == ["a0"])
        queue.ended(origin: "a", isHTTP2: true)
        for number in 1...9 { queue.add("a\(number)", origin: "a") }
        #expect(start(&queue).count == 5)
    }

    @Test("What is taken out does not wait any more, and what stays keeps its place")
    func removing() {
        var queue = queue(perHost: 1)
        for name in ["a1", "a2", "a3", "b1", "c1"] { queue.add(name, origin: String(name.prefix(1))) }
        #expect(queue.remove { ["a1", "a2", "c1"].contains($0) } == ["a1", "a2", "c1"])
        #expect(start(&queue) == ["a3", "b1"])
        #expect(queue.isEmpty)
        #expect(queue.remove { _ in true } == [])
    }

    @Test("What is asked for while it changes is either taken out or stays")
    func changing() {
        var queue = queue(perHost: 10, connections: 10)
        for number in 0..<9 { queue.add("a\(number)", origin: "a") }
        var asked = 0
        let removed = queue.remove { _ in
            asked += 1
            return asked % 2 == 0 || asked > 9
        }
        #expect((removed + start(&queue)).sorted() == (0..<9).map { "a\($0)" })
    }

    @Test("Whatever comes and ends, all is started once and no limit is passed", arguments: UInt64(0)..<20)
    func anything(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func roll(_ bound: UInt64) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % bound)
        }
        var queue = queue()
        var active: [String: Int] = [:]
        var started: Set<String> = []
        var added = 0
        while added < 300 || started.count < 300 {
            if added < 300, roll(2) == 0 {
                queue.add("\(roll(4))-\(added)", origin: "\(added % 4)")
                added += 1
            }
            if roll(2) == 0, let element = queue.next() {
                #expect(started.insert(element).inserted)
                let origin = "\((Int(element.split(separator: "-")[1]) ?? 0) % 4)"
                active[origin, default: 0] += 1
                #expect(active[origin, default: 0] <= 5)
                #expect(active.values.reduce(0) { $0 + min($1, 2) } <= 3)
            } else if let origin = active.keys.sorted().filter({ active[$0] ?? 0 > 0 }).randomElementBy(roll) {
                active[origin, default: 0] -= 1
                queue.ended(origin: origin, isHTTP2: origin == "0")
            }
        }
        #expect(queue.isEmpty)
    }
}

extension [String] {
    fileprivate func randomElementBy(_ roll: (UInt64) -> Int) -> String? {
        isEmpty ? nil : self[roll(UInt64(count))]
    }
}
