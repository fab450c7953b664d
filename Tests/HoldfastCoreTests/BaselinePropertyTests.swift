import HoldfastCore
import HoldfastJSON
import Testing

/// Random predicates and bodies of toy boxes.
struct BoxRandom {
    var random: FacetRandom
    init(seed: UInt64) { random = FacetRandom(seed: seed) }

    static let words = ["a", "b", "10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1", "::/0", "22", "20-25"]
    static let dates = ["2025-06-01T00:00:00Z", "2025-12-20T00:00:00Z"]

    // MARK: Predicates, as YAML

    mutating func resource(_ depth: Int) -> String {
        switch random.pick(depth > 0 ? [0, 1, 2, 3, 4, 4, 4] : [4]) {
        case 0: return "{not: \(resource(depth - 1))}"
        case 1: return "{either: [\(resource(depth - 1)), \(resource(depth - 1))]}"
        case 2: return "{all-of: [\(resource(depth - 1)), \(resource(depth - 1))]}"
        default:
            var clauses: [String] = []
            for _ in 0...Int.random(in: 0...1, using: &random) {
                let clause = self.clause(depth)
                if !clauses.contains(where: { $0.prefix { $0 != ":" } == clause.prefix { $0 != ":" } }) {
                    clauses.append(clause)
                }
            }
            return "{\(clauses.joined(separator: ", "))}"
        }
    }

    private mutating func clause(_ depth: Int) -> String {
        switch random.pick(Array(0...8)) {
        case 0: return "Name: \(value(depth))"
        case 1: return "Size: \(value(depth))"
        case 2: return "Made: {older-than: 30d}"
        case 3: return "Lid: \(random.pick(["{Open: true, Colour: a}", "absent", "present", "empty"]))"
        case 4: return "Lid.Colour: \(value(depth))"
        case 5: return "Items: \(list(element(depth), depth))"
        case 6: return "'Items[].Kind': \(list(value(0), depth))"
        case 7: return "'Items[0].Kind': \(value(depth))"
        default: return "Words: \(words(depth))"
        }
    }

    private mutating func element(_ depth: Int) -> String {
        let parts = depth > 0 ? ["Parts: \(list("{Id: \(random.pick(["p", "q"]))}", 0))"] : []
        let weight = "Weight: \(value(0))"
        return "{\(random.pick(["Kind: \(value(0))", "Kind: {reaches: internet}, \(weight)", weight] + parts))}"
    }

    private mutating func value(_ depth: Int) -> String {
        let simple = [
            "a", "absent", "present", "empty", "{in: [a, b]}", "{more-than: 2}", "{at-most: 2}", "{starts-with: a}",
            "{matches: '*0*'}", "{overlap: 22}", "{reaches: internet}", "{cidr-within: 0.0.0.0/1}",
            "{cidr-contains: 10.1.0.0/16}", "{outside: [a]}",
        ]
        return depth > 0 && random.chance(20) ? "{not: \(value(depth - 1))}" : random.pick(simple)
    }

    private mutating func list(_ body: String, _ depth: Int) -> String {
        let forms = [
            "{any: \(body)}", "{all: \(body)}", "{none: \(body)}", "{count: {where: \(body), at-least: 2}}",
            "{count: {where: \(body), at-most: 1}}", "{count: 1}", "{not: {any: \(body)}}", "empty", "absent",
        ]
        return random.pick(forms)
    }

    private mutating func words(_ depth: Int) -> String {
        let more = [
            "{contains: [a, b]}", "{reaches: internet}", "{not: {reaches: internet}}", "{overlap: 22}",
            "{cidr-within: 0.0.0.0/1}", "{not: {cidr-within: 0.0.0.0/1}}", "{cidr-contains: 10.1.0.0/16}",
            "{outside: [a]}", "{count: {more-than: 1}}",
        ]
        return random.chance(50) ? random.pick(more) : list(value(0), depth)
    }

    // MARK: Bodies

    mutating func body() -> StateValue {
        var members: [(String, StateValue)] = []
        func maybe(_ name: String, _ percent: Int, _ make: (inout BoxRandom) -> StateValue) {
            if random.chance(percent) { members.append((name, make(&self))) }
        }
        maybe("Name", 80) { $0.word() }
        maybe("Size", 80) { $0.number() }
        maybe("Made", 80) { .scalar(.string($0.random.pick(Self.dates))) }
        maybe("Lid", 70) { box in
            .map(StateMap([("Open", .scalar(.bool(box.random.chance(50)))), ("Colour", box.word())]))
        }
        maybe("Items", 80) { box in
            .list(
                StateList(
                    (0..<box.random.pick([0, 1, 2, 3])).map { index in
                        .init(key: "i\(index)", value: box.item(index))
                    }))
        }
        maybe("Words", 80) { box in
            .list(StateList((0..<box.random.pick([0, 1, 2, 3])).map { _ in .init(value: box.word()) }))
        }
        return .map(StateMap(members))
    }

    private mutating func word() -> StateValue { .scalar(.string(random.pick(Self.words))) }
    private mutating func number() -> StateValue { .scalar(.number(JSONNumber(random.pick([1, 2, 3])))) }

    private mutating func item(_ index: Int) -> StateValue {
        let parts = ["p", "q"].filter { _ in random.chance(50) }.map { part in
            StateList.Element(key: part, value: .map(StateMap([("Id", .scalar(.string(part)))])))
        }
        var members: [(String, StateValue)] = [
            ("Id", .scalar(.string("i\(index)"))), ("Kind", word()), ("Weight", number()),
        ]
        if random.chance(60) { members.append(("Parts", .list(StateList(parts)))) }
        return .map(StateMap(members))
    }

    // MARK: Forgetting

    /// The same with a random part not known: values, elements, members, or what is in doubt.
    mutating func forgetting(_ value: StateValue, _ percent: Int) -> StateValue {
        if random.chance(percent) { return .unknown("forgotten") }
        switch value {
        case .unknown, .absent, .scalar: return value
        case .list(let list):
            var kept = list.elements
            let opens = random.chance(percent)
            if opens { kept = kept.filter { _ in random.chance(60) } }
            var elements: [StateList.Element] = []
            for element in kept {
                elements.append(.init(key: element.key, value: forgetting(element.value, percent)))
            }
            // An element in doubt: it may turn out not to be there.
            if random.chance(percent / 2) { elements.append(.init(key: "doubt", value: .unknown("in doubt"))) }
            return .list(StateList(elements, openBecause: opens ? "forgotten" : nil))
        case .map(let map):
            let opens = random.chance(percent)
            var members: [(String, StateValue)] = []
            for member in map.members where !opens || random.chance(60) {
                members.append((member.name, forgetting(member.value, percent)))
            }
            return .map(StateMap(members, openBecause: opens ? "forgotten" : nil))
        }
    }
}

@Suite("Not knowing never decides")
struct BaselinePropertyTests {
    @Test("What is decided with part of the state unknown is decided the same with all of it", arguments: 0..<8)
    func monotone(batch: Int) throws {
        var decided = [Verdict.Outcome: Int]()
        for round in 0..<100 {
            var box = BoxRandom(seed: UInt64(batch * 1000 + round))
            let expect = box.resource(2)
            let rule = try Toy.rule(expect: expect)
            for _ in 0..<20 {
                let whole = box.body()
                let truth = rule.evaluate(whole, of: Toy.box, in: Toy.context()).verdict
                let percent = box.random.pick([5, 15, 40])
                let partial = box.forgetting(whole, percent)
                let verdict = rule.evaluate(partial, of: Toy.box, in: Toy.context()).verdict
                decided[verdict.outcome, default: 0] += 1
                guard verdict.outcome != .unknown, truth.outcome != .unknown else { continue }
                #expect(verdict.outcome == truth.outcome, "\(expect) on \(partial), which is part of \(whole)")
            }
        }
        // The property says nothing where nothing is decided, or nothing unknown.
        for outcome in [Verdict.Outcome.pass, .drift, .unknown] { #expect(decided[outcome, default: 0] > 100) }
    }

    @Test("A drift names something, in order and each place once", arguments: 0..<4)
    func offending(batch: Int) throws {
        for round in 0..<100 {
            var box = BoxRandom(seed: UInt64(70_000 + batch * 1000 + round))
            let rule = try Toy.rule(expect: box.resource(2))
            for _ in 0..<10 {
                let body = box.body()
                let verdict = rule.evaluate(box.forgetting(body, 10), of: Toy.box, in: Toy.context()).verdict
                #expect((verdict.outcome == .drift) == !verdict.offending.isEmpty)
                let places = verdict.offending.map { "\($0.path) \($0.key ?? "")" }
                #expect(Set(places).count == places.count)
                #expect(verdict.offending.map(\.path) == verdict.offending.map(\.path).sorted())
            }
        }
    }
}
