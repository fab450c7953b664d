import Testing

@testable import HoldfastCore

@Suite("Drills")
struct DrillTests {
    private static let start = Remediating.now
    private let rules = DrillRules()

    private func drill() -> Drill {
        let finding = Remediating.facts.finding
        return Drill(
            id: "d-1", playbook: "p", playbookDigest: "x", rule: finding.rule, finding: finding.id,
            resource: finding.resource, context: finding.context, environment: "dev", by: "ada", started: Self.start)
    }

    private func view(_ seconds: Int) -> Drill.View { Drill.View(now: Self.start + Span(seconds: seconds)) }

    private func run(_ id: String, _ phase: Run.Phase, _ ended: Int? = nil) -> Run {
        var run = Remediating.run(["Fix"])
        run.id = id
        run.phase = phase
        run.ended = ended.map { Self.start + Span(seconds: $0) }
        return run
    }

    @Test("A drill goes through its legs in order, each with the time since the one before, and asks for each undo")
    func passes() {
        var drill = drill()
        var view = view(1)
        #expect(drill.advance(view, rules) == .plant)
        view.planting = run("r-p", .verified, 2)
        #expect(drill.advance(view, rules) == .nothing && drill.phase == .waiting)
        view.opened = Self.start + Span(seconds: 5)
        view.fix = run("r-f", .verifying)
        view.now = Self.start + Span(seconds: 7)
        #expect(drill.advance(view, rules) == .nothing && drill.phase == .fixing)
        view.fix = run("r-f", .verified, 8)
        #expect(drill.advance(view, rules) == .undo(run: "r-f"))
        view.fix = run("r-f", .undone, 10)
        view.state = .resolved
        // No read has seen that yet: what was planted would look like somebody else's.
        #expect(drill.advance(view, rules) == .nothing && drill.phase == .restoring)
        view.state = .open
        #expect(drill.advance(view, rules) == .undo(run: "r-p"))
        view.planting = run("r-p", .undone, 12)
        #expect(drill.advance(view, rules) == .nothing && drill.phase == .restoring)
        view.state = .resolved
        view.now = Self.start + Span(seconds: 13)
        _ = drill.advance(view, rules)
        #expect(drill.phase == .passed && drill.legs.map(\.leg) == Drill.Leg.allCases)
        #expect(drill.legs.map { $0.took.nanoseconds / 1_000_000_000 } == [2, 3, 2, 1, 2, 3])
        #expect(!drill.isLate(rules, now: view.now) && Drill(json: drill.json) == drill)
    }

    @Test("A leg that does not come is given up: what was planted is taken away, and the drill has failed")
    func missing() {
        var drill = drill()
        var view = view(1)
        view.planting = run("r-p", .verified, 1)
        _ = drill.advance(view, rules)
        view.now = Self.start + Span(seconds: 122)
        #expect(drill.advance(view, rules) == .nothing && drill.isLate(rules, now: view.now))
        view.now = Self.start + Span(seconds: 1202)
        #expect(drill.advance(view, rules) == .undo(run: "r-p"))
        view.planting = run("r-p", .undone, 1203)
        _ = drill.advance(view, rules)
        #expect(drill.phase == .failed && drill.reason == "no event told of what was planted")
    }

    @Test("What is halted when it was fixed stays fixed, and what is stuck is left to a person")
    func stops() {
        for (phase, halt, says) in [
            (Run.Phase.verified, "all is halted", "all is halted"), (.stuck, nil, "its fix is stuck"),
        ] {
            var drill = drill()
            var view = view(3)
            view.planting = run("r-p", .verified, 1)
            view.opened = Self.start + Span(seconds: 2)
            view.fix = run("r-f", phase, 3)
            view.halt = halt
            #expect(drill.advance(view, rules) == .nothing)
            #expect(drill.phase == .failed && drill.reason.contains(says), "\(drill.reason)")
        }
    }

    @Test("What is held every day was due last today or yesterday")
    func nightly() {
        let nightly = DrillRules.Nightly(playbook: "p", resource: "r", at: Span(seconds: 7200))
        #expect(nightly.due(before: Timestamp(seconds: 86_400 + 7200)) == Timestamp(seconds: 86_400 + 7200))
        #expect(nightly.due(before: Timestamp(seconds: 86_400 + 7199)) == Timestamp(seconds: 7200))
    }

    @Test("As many drills as runs are asked for open the next environment, without a soak")
    func rollout() {
        var standing = RolloutStanding()
        standing.before.drills = 2
        let rules = RolloutRules()
        #expect(standing.lack(rules, before: "dev", now: Self.start)?.what.contains("or 1 more drill there") == true)
        standing.before.drills = 3
        #expect(standing.lack(rules, before: "dev", now: Self.start) == nil)
    }
}
