import Testing

@testable import HoldfastCore

@Suite("Guards")
struct GuardsTests {
    /// One thing that stops a plan: the guard, what it says, and what makes it say so.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: GuardName
        var word: GuardAnswer.Word
        var says: String
        var make: @Sendable (inout GuardFacts) -> Void
        var testDescription: String { "\(name.rawValue): \(says)" }

        init(
            _ name: GuardName, _ says: String, _ word: GuardAnswer.Word = .refuse,
            make: @escaping @Sendable (inout GuardFacts) -> Void
        ) {
            self.name = name
            self.says = says
            self.word = word
            self.make = make
        }
    }

    private static let now = Remediating.now
    private static func later(_ seconds: Int) -> Timestamp { now + Span(seconds: seconds) }

    static let early: [Case] = [
        Case(.halt, "account:111122223333 was halted by ada") {
            $0.halts = [Halt(part: .account("111122223333"), by: "ada", reason: "no", at: now)]
        },
        Case(.halt, "the file /etc/holdfast/HALT stops everything") { $0.haltFile = "/etc/holdfast/HALT" },
        Case(.mode, "the mode of dev is dry-run") { $0.mode = .dryRun },
        Case(.origin, "it is backlog") { $0.finding.origin = .backlog },
        Case(.origin, "counts as backlog") { $0.modeSince = now },
        Case(.origin, "counts as backlog") { $0.opened = now - Span(seconds: 4000) },
        Case(.origin, "not known since when") { $0.modeSince = nil },
        Case(.maturity, "the rule is trial") { $0.maturity = .trial },
        Case(.maturity, "the rule is draft") { $0.maturity = .draft },
        Case(.evidence, "not yet read") { $0.evidence.isObserved = false },
        Case(.evidence, "the finding is stale") { $0.finding.state = .stale },
        Case(.exemption, "an exemption covers it: a website") { $0.exemption = "a website" },
        Case(.exemption, "the label holdfast:do-not-touch") { $0.label = "holdfast:do-not-touch" },
        Case(.exemption, "undid its fix and holds it") {
            $0.hold = Hold(finding: $0.finding.id, by: "ada", reason: "it broke", until: later(10))
        },
        Case(.exemption, "run r-2 on it is stuck: who knows") {
            $0.failed = .init(count: 1, run: "r-2", reason: "who knows", isStuck: true, ended: later(-90_000))
        },
        Case(.exemption, "2 runs on it failed in a row") {
            $0.failed = .init(count: 2, run: "r-2", reason: "denied", isStuck: false, ended: later(-599))
        },
        Case(.exemption, "to put it right") {
            $0.plan.grace = Span(seconds: 86_400)
            $0.opened = now
            $0.hearing = .told(at: now)
        },
        Case(.exemption, "has 1d to object once told, and was not told yet") {
            $0.plan.grace = Span(seconds: 86_400)
            $0.opened = now
        },
        Case(.exemption, "eve objected at") { $0.objection = objection },
        Case(.exemption, "eve objected at") {
            $0.objection = objection
            $0.campaign = "c-1"
            $0.approvals = ApprovalStanding(.met(by: ["ben"]))
        },
    ]

    private static let objection = Objection(
        finding: "f-1", person: "eve", reason: "a demo runs on it", at: now, via: "session")

    static let late: [Case] = [
        Case(.rollout, "lacks 3 more verified runs in dev") { $0.finding.environment = "staging" },
        Case(.rollout, "no environment of the configuration") { $0.finding.environment = "elsewhere" },
        Case(.rollout, "the end of an undo that is under way") {
            $0.finding.environment = "staging"
            $0.rollout.isBeingUndone = true
        },
        Case(.freeze, "the year's end") {
            $0.settings.freezes = [Freeze(from: now, to: later(1), environments: ["dev"], reason: "the year's end")]
        },
        Case(.cause, "a write of Holdfast's own") { $0.cause.isOwnWrite = true },
        Case(.cause, "deploy made it, which is a pipeline") { $0.cause.pipeline = "deploy" },
        Case(.cause, "it was fixed 3 times within 1d and came back: eve fights it") {
            $0.cause.fixes = 3
            $0.cause.fighter = "eve"
        },
        Case(.budgets, "the budget overall is spent: 5 of 5") {
            $0.budgets = [BudgetUse(name: "overall", used: 5, limit: 5, window: Span(seconds: 60))]
        },
        Case(.preflight, "read again before the first call", .wait) { $0.preflight = .pending },
        Case(.preflight, "the resource is gone") { $0.preflight = .changed("the resource is gone") },
        Case(.preflight, "it could not be read again: throttled") { $0.preflight = .failed("throttled") },
        Case(.approvals, "it needs 1 of approver; nobody has approved", .wait) {
            $0.approvals = ApprovalStanding(.waiting(needed: 1, by: []))
        },
        Case(.approvals, "ben refused: no") { $0.approvals = ApprovalStanding(.refused(by: "ben", reason: "no")) },
        Case(.approvals, "ben holds it") { $0.approvals = ApprovalStanding(.held(by: "ben", until: later(5))) },
        Case(.approvals, "nobody is mapped") { $0.approvals = ApprovalStanding(.impossible("nobody is mapped")) },
    ]

    @Test("A plan that nothing stops is allowed, and all twelve say why in their order")
    func passes() {
        let decision = Guards.decide(Remediating.facts)
        #expect(decision.outcome == .allow)
        #expect(decision.answers.map(\.name) == GuardName.allCases)
        #expect(decision.answers.allSatisfy { $0.word == .pass && !$0.reason.isEmpty && $0.remedy.isEmpty })
        #expect(decision.stopper == nil)
    }

    @Test(
        "Each guard stops what it is there for, says why, and the others are asked all the same",
        arguments: early + late)
    func stops(_ example: Case) throws {
        var facts = Remediating.facts
        example.make(&facts)
        let decision = Guards.decide(facts)
        #expect(decision.answers.map(\.name) == GuardName.allCases)
        let answer = try #require(decision.answers.first { $0.name == example.name })
        #expect(answer.word == example.word)
        #expect(answer.reason.contains(example.says), "\(answer.reason)")
        #expect(decision.outcome != .allow)
        #expect(decision.stopper?.name == example.name)
        #expect(example.word == .wait || !answer.remedy.isEmpty)
    }

    @Test("What ends by time alone says when: holds, freezes, budgets, and the halt file that nobody tells of")
    func again() {
        for (example, when) in [
            (Self.early[1], Self.later(10)), (Self.early[13], Self.later(10)), (Self.early[15], Self.later(1)),
            (Self.early[16], Self.later(86_400)), (Self.late[3], Self.later(1)), (Self.late[7], Self.later(60)),
            (Self.late[13], Self.later(5)),
        ] {
            var facts = Remediating.facts
            example.make(&facts)
            #expect(Guards.decide(facts).stopper?.again == when, "\(example.testDescription)")
        }
    }

    @Test("A grace runs from when its owner was told, and is over for what they did not object to in it")
    func grace() {
        var facts = Remediating.facts
        facts.plan.grace = Span(seconds: 100)
        facts.opened = Self.later(-500)
        facts.hearing = .told(at: Self.later(-99))
        #expect(Guards.decide(facts).stopper?.again == Self.later(1))
        facts.hearing = .told(at: Self.later(-100))
        #expect(Guards.decide(facts).outcome == .allow)
    }

    @Test("An objection waits for a person with the approvals, and ends with what another approved after it")
    func objections() throws {
        var facts = Remediating.facts
        facts.objection = Self.objection
        facts.approvals = ApprovalStanding(.waiting(needed: 1, by: []))
        let waiting = Guards.decide(facts)
        #expect(waiting.outcome == .ask)
        #expect(waiting.answers[5].word == .wait && waiting.answers[5].reason.contains("a demo runs on it"))
        facts.approvals = ApprovalStanding(.met(by: ["ben"]))
        let met = Guards.decide(facts)
        #expect(met.outcome == .allow && met.answers[5].reason.contains("ben approved it after that"))
    }

    @Test("What failed is tried again after waits that double, up to a day")
    func waits() {
        let waits = [1, 2, 3, 9, 10, 60].map { count in
            GuardFacts.FailedRuns(count: count, run: "r-1", reason: "", isStuck: false, ended: Self.now).again
        }
        #expect(waits == [300, 600, 1200, 76_800, 86_400, 86_400].map(Self.later))
        var facts = Remediating.facts
        facts.failed = .init(count: 1, run: "r-1", reason: "", isStuck: false, ended: Self.later(-300))
        #expect(Guards.decide(facts).outcome == .allow)
    }

    @Test("A campaign lets backlog pass, and stands for the approvals of its plans")
    func campaign() {
        var facts = Remediating.facts
        facts.finding.origin = .backlog
        facts.approvals = ApprovalStanding(.waiting(needed: 1, by: []))
        #expect(Guards.decide(facts).stopper?.name == .origin)
        facts.campaign = "c-1"
        #expect(Guards.decide(facts).outcome == .allow)
    }

    @Test("A read is asked for only when nothing else is open, and people before it")
    func outcomes() {
        var facts = Remediating.facts
        facts.preflight = .pending
        #expect(Guards.decide(facts).outcome == .read)
        facts.approvals = ApprovalStanding(.waiting(needed: 1, by: []))
        #expect(Guards.decide(facts).outcome == .ask)
        facts.label = "holdfast:do-not-touch"
        #expect(Guards.decide(facts).outcome == .refuse)
    }

    @Test("A decision reads back from its JSON")
    func roundTrip() {
        for example in Self.early + Self.late {
            var facts = Remediating.facts
            example.make(&facts)
            let decision = Guards.decide(facts)
            #expect(Decision(json: decision.json) == decision)
        }
    }

    @Test("An undo that a person asked for is held up by the read alone; one of the service waits for a halt too")
    func undo() {
        for example in Self.early + Self.late {
            var facts = Remediating.facts
            example.make(&facts)
            let asked = Guards.decideUndo(facts, askedBy: "ada")
            #expect((asked.outcome == .allow) == (example.name != .preflight), "\(example.testDescription)")
            #expect(asked.answers.map(\.name) == GuardName.allCases)
            let own = Guards.decideUndo(facts, askedBy: nil)
            #expect(
                (own.outcome == .allow) == (![.preflight, .halt].contains(example.name)), "\(example.testDescription)")
        }
    }
}
