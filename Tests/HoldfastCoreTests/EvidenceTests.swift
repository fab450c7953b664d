import HoldfastCore
import HoldfastJSON
import Testing

/// SplitMix64: the same sequence on every machine.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

private let second = Span(seconds: 1)
private let keys = ListKeys([PropertyPath(names: "Rules"): ["id"]])

private func item(
    _ change: EvidenceChange, at seconds: Int64, by event: String, _ source: EvidenceSource = .reported, index: Int = 0
) -> EvidenceItem {
    EvidenceItem(
        change, source: source, time: Timestamp(seconds: seconds),
        origin: EvidenceOrigin(event: event, actor: "someone", action: "s3.amazonaws.com/Put"), index: index)
}

private func view(_ items: [EvidenceItem]) -> ResourceView {
    var set = EvidenceSet(resolution: second)
    set.merge(items)
    return ResourceView(of: set, keys: keys)
}

private let name = PropertyPath(names: "Name")
private let rules = PropertyPath(names: "Rules")

@Suite("Evidence")
struct EvidenceTests {
    @Test("A later event wins, whichever came first")
    func laterWins() {
        let old = item(.set(name, "a"), at: 1, by: "e1")
        let new = item(.set(name, "b"), at: 5, by: "e2")
        for order in [[old, new], [new, old]] {
            #expect(view(order).document[name] == .scalar("b"))
        }
    }

    @Test("Two events of one second that disagree leave the property unknown until a later one decides")
    func ambiguousSecond() {
        let a = item(.set(name, "a"), at: 7, by: "e1")
        let b = item(.set(name, "b"), at: 7, by: "e2")
        #expect(view([a, b]).document[name].unknownReason?.hasPrefix("two events in one moment") == true)
        #expect(view([a, item(.set(name, "a"), at: 7, by: "e2")]).document[name] == .scalar("a"))
        #expect(view([a, b, item(.set(name, "c"), at: 9, by: "e3")]).document[name] == .scalar("c"))
    }

    @Test("A delta on a list never read is a known element of an open list")
    func deltaOnUnknownBase() {
        let put = item(.put(list: rules, key: "r1", ["id": "r1", "port": 22]), at: 3, by: "e1")
        guard case .list(let list) = view([put]).document[rules] else {
            Issue.record("the list is not there")
            return
        }
        #expect(list.elements.map(\.key) == ["r1"])
        #expect(list.openBecause != nil)
        let removed = view([put, item(.remove(list: rules, key: "r1"), at: 6, by: "e2")])
        guard case .list(let after) = removed.document[rules] else {
            Issue.record("the list is not there")
            return
        }
        #expect(after.elements.isEmpty && after.openBecause != nil)
    }

    @Test("A deletion is a tombstone: what happened before it never comes back, and a creation is another incarnation")
    func tombstone() {
        let created = item(.created, at: 1, by: "e1")
        let set = item(.set(name, "a"), at: 2, by: "e2")
        let deleted = item(.deleted, at: 5, by: "e3")
        #expect(view([created, deleted, set]).isDeleted)
        let again = view([deleted, item(.created, at: 9, by: "e4"), set])
        #expect(!again.isDeleted)
        #expect(again.document[name].unknownReason != nil)
        #expect(again.incarnation != view([created, set]).incarnation)
    }

    @Test("A read supersedes events before it and yields to events after it")
    func readSupersedes() {
        let read = item(.set(PropertyPath(), ["Name": "read", "Rules": []]), at: 10, by: "r1", .observed)
        let before = item(.set(name, "before"), at: 9, by: "e1")
        let after = item(.set(name, "after"), at: 12, by: "e2")
        #expect(view([before, read]).document[name] == .scalar("read"))
        #expect(view([before, read]).isObserved([name]))
        #expect(view([read, after]).document[name] == .scalar("after"))
        #expect(!view([read, after]).isObserved([name]))
        #expect(view([read]).document[PropertyPath(names: "Other")] == .absent)
    }

    @Test("Evidence survives its encoding")
    func encoding() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<200 {
            var set = EvidenceSet(resolution: second)
            set.merge(randomItems(&random))
            let decoded = EvidenceSet(encoded: .array(set.items.map(\.json)), resolution: second)
            #expect(decoded == set)
        }
    }

    @Test("Any order and any doubling of the same evidence gives the same state: 10,000 sequences")
    func permutations() {
        var random = SeededRandom(seed: 42)
        for round in 0..<10_000 {
            let items = randomItems(&random)
            let whole = view(items)
            var shuffled =
                items + items.shuffled(using: &random).prefix(Int.random(in: 0...items.count, using: &random))
            shuffled.shuffle(using: &random)
            var set = EvidenceSet(resolution: second)
            while !shuffled.isEmpty {
                let count = min(shuffled.count, Int.random(in: 1...3, using: &random))
                set.merge(shuffled.suffix(count))
                shuffled.removeLast(count)
            }
            let stepwise = ResourceView(of: set, keys: keys)
            #expect(stepwise.document == whole.document, "round \(round): \(items)")
            #expect(stepwise.isDeleted == whole.isDeleted)
            #expect(stepwise.incarnation == whole.incarnation)
            if stepwise.document != whole.document { return }
        }
    }

    @Test("Dropping covered items changes no view: the compacted set says what the naive fold of all items says")
    func compaction() {
        var random = SeededRandom(seed: 99)
        for round in 0..<3_000 {
            let items = randomItems(&random)
            let compacted = view(items)
            let naive = naiveDocument(items)
            #expect(compacted.document == naive, "round \(round): \(items)")
            if compacted.document != naive { return }
        }
    }

    /// Nested sets, elements, deletions and reads over few paths, names and seconds, so that they meet.
    private func randomItems(_ random: inout SeededRandom) -> [EvidenceItem] {
        (0..<Int.random(in: 1...9, using: &random)).map { number in
            let time = Int64.random(in: 0...6, using: &random)
            let value = JSON.string(["x", "y"].randomElement(using: &random) ?? "x")
            let id = ["r1", "r2"].randomElement(using: &random) ?? "r1"
            let change: EvidenceChange =
                switch Int.random(in: 0..<10, using: &random) {
                case 0: .created
                case 1: .deleted
                case 2: .set(name, value)
                case 3: .set(PropertyPath(names: "Deep", "Inner"), value)
                case 4: .set(PropertyPath(names: "Deep"), ["Inner": value, "Other": "z"])
                case 5: .set(rules, [["id": .string(id), "v": value]])
                case 6, 7: .put(list: rules, key: id, ["id": .string(id), "v": value])
                case 8: .remove(list: rules, key: id)
                default: .touched(rules)
                }
            let observed = Int.random(in: 0..<5, using: &random) == 0 && !item(change, at: 0, by: "").isBoundary
            return item(change, at: time, by: "e\(number)", observed ? .observed : .reported)
        }
    }

    /// Every item, none dropped, folded in order one prefix at a time.
    private func naiveDocument(_ items: [EvidenceItem]) -> StateValue {
        ResourceView(uncompacted: items.sorted(), resolution: second, keys: keys).document
    }
}
