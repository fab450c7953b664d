import HoldfastJSON
import Testing

@testable import HoldfastCore

@Suite("Runs")
struct RunTests {
    private let now = Remediating.now
    private let pace = Remediating.pace
    private let done = WriteOutcome.done(answer: .null, requestID: "q")
    private let denied = WriteOutcome.refused(code: "denied", message: "no", retryAfter: nil)
    private let throttled = WriteOutcome.refused(code: "throttled", message: "wait", retryAfter: Span(seconds: 2))

    private func begin(_ run: inout Run, at time: Timestamp) throws {
        try run.begin(run.steps[run.cursor].call, isIdempotent: run.steps[run.cursor].isIdempotent, at: time)
    }

    private func make(_ run: inout Run, _ outcome: WriteOutcome) throws {
        try begin(&run, at: now)
        try run.take(outcome, at: now, pace: pace)
    }

    // MARK: The way that is meant

    @Test("Step after step, then the rule must pass when a read is sure to see it")
    func straight() throws {
        var run = Remediating.run(["A", "B"])
        #expect(run.action == .prepare)
        try make(&run, done)
        #expect((run.phase, run.cursor) == (.ready, 1))
        try make(&run, .alreadyDone(code: "NotFound"))
        #expect(run.phase == .verifying)
        #expect(run.notBefore == now + Span(seconds: 6))
        #expect(run.action == .check)
        try run.verify(passes: false, at: now + Span(seconds: 7))
        #expect(run.phase == .verifying)
        try run.verify(passes: true, at: now + Span(seconds: 9))
        #expect(run.phase == .verified)
        #expect(run.ended == now + Span(seconds: 9))
    }

    @Test("What does not pass in time is undone from the last step to the first")
    func unverified() throws {
        var run = Remediating.run(["A", "B"])
        try make(&run, done)
        try make(&run, done)
        try run.verify(passes: nil, at: now + Span(seconds: 200))
        #expect((run.direction, run.phase, run.cursor) == (.back, .ready, 1))
        try make(&run, done)
        #expect(run.cursor == 0)
        try make(&run, done)
        #expect(run.phase == .undone)
        #expect(run.hasFailed)
        #expect(run.steps.map(\.state) == [.undone, .undone])
    }

    // MARK: What goes wrong

    @Test("A call that is refused for good undoes what was done before it; the first of all writes nothing")
    func refused() throws {
        var first = Remediating.run(["A", "B"])
        try make(&first, denied)
        #expect(first.phase == .abandoned)
        #expect(first.hasFailed)
        var second = Remediating.run(["A", "B"])
        try make(&second, done)
        try make(&second, denied)
        #expect((second.direction, second.phase, second.cursor) == (.back, .ready, 0))
        try make(&second, denied)
        #expect(second.phase == .stuck)
    }

    @Test("What was surely not made is tried five times, with the wait that the cloud asks for")
    func throttling() throws {
        var run = Remediating.run(["A"])
        for attempt in 1..<Run.attemptLimit {
            try make(&run, throttled)
            #expect((run.phase, run.attempts) == (.ready, attempt))
            #expect(run.notBefore == now + Span(seconds: 2))
        }
        try make(&run, throttled)
        #expect(run.phase == .abandoned)
    }

    @Test("A call whose process is gone may be made until its permit ends, and is looked for a margin later")
    func lost() throws {
        var run = Remediating.run(["A"])
        try begin(&run, at: now)
        try run.lose(pace: pace)
        #expect(run.phase == .uncertain)
        #expect(run.notBefore == now + Span(seconds: 36))
        #expect(run.action == .find)
    }

    @Test("Without effect an idempotent call is made again, and another never")
    func uncertain() throws {
        var again = Remediating.run(["A"])
        try make(&again, .unknown(message: "no answer"))
        #expect(again.notBefore == now + Span(seconds: 6))
        try again.learn(stepIsDone: false, at: now, pace: pace)
        #expect(again.phase == .ready)
        var once = Remediating.run(["A"], isIdempotent: false)
        try make(&once, .unknown(message: "no answer"))
        try once.learn(stepIsDone: false, at: now, pace: pace)
        #expect(once.phase == .stuck)
        var made = Remediating.run(["A"], isIdempotent: false)
        try make(&made, .unknown(message: "no answer"))
        try made.learn(stepIsDone: true, at: now, pace: pace)
        #expect(made.phase == .verifying)
    }

    @Test("What no read can tell is waited for within its time, and then a person must look")
    func untold() throws {
        var run = Remediating.run(["A"])
        try make(&run, .unknown(message: "no answer"))
        try run.learn(stepIsDone: nil, at: now + Span(seconds: 10), pace: pace)
        #expect(run.phase == .uncertain)
        try run.learn(stepIsDone: nil, at: now + Span(seconds: 127), pace: pace)
        #expect(run.phase == .stuck)
        // It may have been made: the way back looks for it.
        try run.undo(by: "ada", reason: "away with it", at: now)
        #expect((run.direction, run.phase, run.steps[0].state) == (.back, .ready, .done))
    }

    @Test("A long operation is asked after, and is uncertain when it takes too long")
    func accepted() throws {
        var run = Remediating.run(["A"])
        let operation = AcceptedOperation(token: "t", askAfter: Span(seconds: 3))
        try make(&run, .accepted(operation, requestID: "q"))
        #expect(run.action == .poll(operation))
        #expect(run.notBefore == now + Span(seconds: 3))
        try run.take(.accepted(operation, requestID: ""), at: now + Span(seconds: 119), pace: pace)
        #expect(run.phase == .accepted)
        try run.take(.accepted(operation, requestID: ""), at: now + Span(seconds: 120), pace: pace)
        #expect(run.phase == .uncertain)
        #expect(run.steps[0].requests == ["q"])
    }

    @Test("A step that has nothing to do is skipped, and the next is still made")
    func skips() throws {
        var run = Remediating.run(["A", "B", "C"])
        try make(&run, done)
        try run.skip(at: now, pace: pace)
        #expect((run.phase, run.cursor) == (.ready, 2))
        try make(&run, done)
        #expect(run.phase == .verifying)
        var nothing = Remediating.run(["A"])
        try nothing.skip(at: now, pace: pace)
        #expect(nothing.phase == .abandoned)
        #expect(!nothing.hasFailed)
    }

    @Test("A finished run is undone for a person, and a stuck undo can be asked for again")
    func undoing() throws {
        var run = Remediating.run(["A"])
        try make(&run, done)
        try run.verify(passes: true, at: now)
        try run.undo(by: "ada", reason: "it broke", at: now)
        #expect((run.direction, run.phase, run.ended) == (.back, .ready, nil))
        #expect(throws: Run.IllegalMove.self) { try run.undo(by: "ada", reason: "again", at: now) }
        try make(&run, denied)
        #expect(run.phase == .stuck)
        try run.undo(by: "ben", reason: "now", at: now)
        try make(&run, done)
        #expect(run.phase == .undone)
        #expect(run.undoneBy == "ben")
    }

    // MARK: Whatever happens

    /// Every move that there is, with what it may be told.
    private func moves(_ random: inout FacetRandom, at time: Timestamp) -> (name: String, make: (inout Run) throws -> Void) {
        let pace = pace
        let outcomes: [WriteOutcome] = [
            done, denied, throttled, .alreadyDone(code: "x"), .unknown(message: "?"),
            .accepted(AcceptedOperation(token: "t", askAfter: Span(seconds: 3)), requestID: "q"),
        ]
        let outcome = random.pick(outcomes)
        let verdict: Bool? = random.pick([true, false, nil])
        return switch Int.random(in: 0..<13, using: &random) {
        case 0...2:
            ("begin", { try $0.begin($0.steps[min($0.cursor, $0.steps.count - 1)].call, isIdempotent: true, at: time) })
        case 3, 4: ("take \(outcome)", { try $0.take(outcome, at: time, pace: pace) })
        case 5: ("lose", { try $0.lose(pace: pace) })
        case 6: ("learn", { try $0.learn(stepIsDone: verdict, at: time, pace: pace) })
        case 7: ("verify", { try $0.verify(passes: verdict, at: time) })
        case 8: ("undo", { try $0.undo(by: "ada", reason: "because", at: time) })
        case 9: ("skip an undo", { try $0.skipUndo(at: time) })
        case 10: ("skip", { try $0.skip(at: time, pace: pace) })
        case 11: ("pass over", { try $0.passOver(at: time, pace: pace) })
        default:
            random.chance(50)
                ? ("get stuck", { try $0.getStuck("why", at: time) })
                : ("abandon", { try $0.abandon("why", at: time) })
        }
    }

    @Test("Whatever moves come in whatever order, a run stays whole, and reads back from its JSON")
    func anyOrder() throws {
        var phases: Set<Run.Phase> = []
        var refusals = 0
        for seed in UInt64(1)...400 {
            var random = FacetRandom(seed: seed)
            var run = Remediating.run(Array(["A", "B", "C"].prefix(Int.random(in: 1...3, using: &random))))
            var time = now
            for _ in 0..<60 {
                time = time + Span(seconds: Int.random(in: 0...90, using: &random))
                let (name, move) = moves(&random, at: time)
                let before = run
                do {
                    try move(&run)
                } catch is Run.IllegalMove {
                    refusals += 1
                    #expect(run == before, "seed \(seed): \(name) was refused and left a trace")
                }
                phases.insert(run.phase)
                try check(run, "seed \(seed) after \(name) from \(before.phase)")
            }
        }
        #expect(phases.count == Run.Phase.allCases.count, "not reached: \(Set(Run.Phase.allCases).subtracting(phases))")
        #expect(refusals > 1000)
    }

    private func check(_ run: Run, _ what: String) throws {
        let isDone = run.steps.map { $0.state == .done }
        switch run.phase {
        case .ready, .writing, .uncertain, .accepted: #expect(run.steps.indices.contains(run.cursor), "\(what)")
        case .verifying:
            #expect(run.direction == .forward && run.cursor == run.steps.count && isDone.contains(true), "\(what)")
        case .verified: #expect(isDone.contains(true), "\(what)")
        case .undone, .abandoned: #expect(!isDone.contains(true), "\(what)")
        case .stuck: #expect(!run.reason.isEmpty, "\(what)")
        }
        #expect(run.phase.isEnd == (run.ended != nil), "\(what)")
        #expect((run.action == .nothing) == (run.phase.isEnd || run.phase == .writing), "\(what)")
        #expect(run.attempts <= Run.attemptLimit, "\(what)")
        #expect(run.phase != .accepted || run.operation != nil, "\(what)")
        #expect(Run(json: try JSON.parse(run.json.canonicalBytes)) == run, "\(what)")
    }
}
