package import HoldfastJSON

/// What stands between a plan and a cloud, in the order in which it is asked.
package enum GuardName: String, Sendable, Hashable, CaseIterable {
    case halt, mode, origin, maturity, evidence, exemption, rollout, freeze, cause, budgets, preflight, approvals
}

/// What one guard says.
package struct GuardAnswer: Sendable, Hashable {
    package enum Word: String, Sendable, Hashable {
        case pass, refuse
        /// Neither: something must be done first, a read or a person's word.
        case wait
    }
    package var name: GuardName
    package var word: Word
    /// Shown and journaled, also where it passes.
    package var reason: String
    /// What would let it go on; empty where it passes.
    package var remedy: String
    /// When asking again may give another answer by time alone.
    package var again: Timestamp?
}

/// What all guards together say of one plan at one moment.
package struct Decision: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable {
        case allow, refuse
        /// Everything passes but the read before the first call, which was not made yet.
        case read
        /// Everything passes but the approvals.
        case ask
    }
    package var finding: String
    package var planDigest: String
    package var playbook: String
    package var at: Timestamp
    /// All twelve, in order.
    package var answers: [GuardAnswer]

    /// The first that refuses; where none does, the last that waits: people are asked before anything is read again.
    package var stopper: GuardAnswer? {
        answers.first { $0.word == .refuse } ?? answers.last { $0.word != .pass }
    }

    package var outcome: Outcome {
        let open = answers.filter { $0.word != .pass }
        if open.isEmpty { return .allow }
        if open.contains(where: { $0.word == .refuse }) { return .refuse }
        // Nothing is read again for a plan that people have not agreed to.
        return open.contains { $0.name == .approvals } ? .ask : .read
    }

    /// Which guard would stop it, were these not there: for reports of what a dry run would have done.
    package func stopper(leavingOut guards: Set<GuardName>) -> GuardAnswer? {
        answers.first { !guards.contains($0.name) && $0.word != .pass }
    }

    package var json: JSON {
        [
            "finding": .string(finding), "plan": .string(planDigest), "playbook": .string(playbook),
            "at": .string(at.description), "outcome": .string(outcome.rawValue),
            "guards": .array(answers.map(\.json)),
        ]
    }

    package init(finding: String, planDigest: String, playbook: String, at: Timestamp, answers: [GuardAnswer]) {
        self.finding = finding
        self.planDigest = planDigest
        self.playbook = playbook
        self.at = at
        self.answers = answers
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let finding = json["finding"]?.string, let plan = json["plan"]?.string,
            let playbook = json["playbook"]?.string, let at = json["at"]?.string.flatMap({ Timestamp($0) }),
            let guards = json["guards"]?.array
        else { return nil }
        self.init(
            finding: finding, planDigest: plan, playbook: playbook, at: at,
            answers: guards.compactMap(GuardAnswer.init(json:)))
    }
}

extension GuardAnswer {
    package var json: JSON {
        var object = JSONObject([
            ("guard", .string(name.rawValue)), ("says", .string(word.rawValue)), ("reason", .string(reason)),
        ])
        if !remedy.isEmpty { object["remedy"] = .string(remedy) }
        if let again { object["again"] = .string(again.description) }
        return .object(object)
    }

    package init?(json: JSON) {
        guard let name = json["guard"]?.string.flatMap(GuardName.init),
            let word = json["says"]?.string.flatMap(Word.init), let reason = json["reason"]?.string
        else { return nil }
        self.init(
            name: name, word: word, reason: reason, remedy: json["remedy"]?.string ?? "",
            again: json["again"]?.string.flatMap { Timestamp($0) })
    }
}

/// The twelve guards. Pure: the same facts give the same decision.
package enum Guards {
    /// All twelve are asked, also after one refused, so that a person sees everything that stands in the way.
    package static func decide(_ facts: GuardFacts) -> Decision {
        Decision(
            finding: facts.finding.id, planDigest: facts.plan.digest, playbook: facts.plan.playbook, at: facts.now,
            answers: GuardName.allCases.map { answer($0, facts) })
    }

    /// An undo. One that a person asked for is held up by evidence and preflight alone; one of the service's own accord
    /// waits for a halt as well.
    package static func decideUndo(_ facts: GuardFacts, askedBy person: String?) -> Decision {
        let asked: Set<GuardName> = person == nil ? [.halt, .preflight] : [.preflight]
        let reason = person.map { "\($0) asked for the undo" } ?? "a fix that did not verify is undone"
        return Decision(
            finding: facts.finding.id, planDigest: facts.plan.digest, playbook: facts.plan.playbook, at: facts.now,
            answers: GuardName.allCases.map { asked.contains($0) ? answer($0, facts) : pass($0, reason) })
    }

    private static func answer(_ name: GuardName, _ facts: GuardFacts) -> GuardAnswer {
        switch name {
        case .halt: halt(facts)
        case .mode: mode(facts)
        case .origin: origin(facts)
        case .maturity: maturity(facts)
        case .evidence: evidence(facts)
        case .exemption: exemption(facts)
        case .rollout: rollout(facts)
        case .freeze: freeze(facts)
        case .cause: cause(facts)
        case .budgets: budgets(facts)
        case .preflight: preflight(facts)
        case .approvals: approvals(facts)
        }
    }

    private static func pass(_ name: GuardName, _ reason: String) -> GuardAnswer {
        GuardAnswer(name: name, word: .pass, reason: reason, remedy: "")
    }

    private static func refuse(
        _ name: GuardName, _ reason: String, _ remedy: String, again: Timestamp? = nil
    ) -> GuardAnswer {
        GuardAnswer(name: name, word: .refuse, reason: reason, remedy: remedy, again: again)
    }

    // MARK: 1 to 4

    private static func halt(_ facts: GuardFacts) -> GuardAnswer {
        if let file = facts.haltFile {
            // Nobody tells when a file goes.
            return refuse(
                .halt, "the file \(file) stops everything", "remove \(file)", again: facts.now + Span(seconds: 10))
        }
        guard let halt = facts.halts.first else { return pass(.halt, "nothing is halted") }
        return refuse(
            .halt, "\(halt.part) was halted by \(halt.by) at \(halt.at): \(halt.reason)",
            "holdfast resume \(halt.part)")
    }

    private static func mode(_ facts: GuardFacts) -> GuardAnswer {
        let name = facts.modeScope
        guard facts.mode == .remediate else {
            return refuse(
                .mode,
                "the mode \(name == RemediationSettings.everywhere ? "" : "of \(name) ")is \(facts.mode.rawValue)",
                "a scope with mode: remediate that fits this resource")
        }
        return pass(.mode, "the mode of \(name) is remediate")
    }

    private static func origin(_ facts: GuardFacts) -> GuardAnswer {
        if let campaign = facts.campaign { return pass(.origin, "the approved campaign \(campaign) names it") }
        let fix = "holdfast campaign \(facts.plan.playbook) --scope …"
        guard facts.finding.origin == .drift else {
            return refuse(.origin, "nobody saw it drift: it is backlog", fix)
        }
        if facts.mode == .remediate {
            guard let since = facts.modeSince else {
                return refuse(.origin, "it is not known since when \(facts.modeScope) is in mode remediate", fix)
            }
            if min(facts.finding.since, facts.opened ?? .distantFuture) < since {
                return refuse(
                    .origin, "it was open when \(facts.modeScope) went to remediate at \(since): it counts as backlog",
                    fix)
            }
        }
        return pass(.origin, "it drifted at \(facts.finding.since), from a state that was good")
    }

    private static func maturity(_ facts: GuardFacts) -> GuardAnswer {
        guard facts.maturity == .stable else {
            return refuse(
                .maturity, "the rule is \(facts.maturity.rawValue)", "a tune that makes it stable, when it is trusted")
        }
        return pass(.maturity, "the rule is stable")
    }

    // MARK: 5 to 9

    private static func evidence(_ facts: GuardFacts) -> GuardAnswer {
        guard facts.finding.state == .open else {
            return refuse(
                .evidence, "the finding is \(facts.finding.state.rawValue)", "a read that says that it drifts")
        }
        guard facts.evidence.isObserved, let observed = facts.evidence.observed else {
            return refuse(
                .evidence, "what it rests on was reported and not yet read from the cloud", "the next read",
                again: facts.evidence.observableFrom)
        }
        return pass(.evidence, "it was read from the cloud, as it was at \(observed)")
    }

    private static func exemption(_ facts: GuardFacts) -> GuardAnswer {
        if let exemption = facts.exemption {
            return refuse(.exemption, "an exemption covers it: \(exemption)", "the end of the exemption")
        }
        if let label = facts.label {
            return refuse(.exemption, "the resource has the label \(label)", "taking the label off the resource")
        }
        if let hold = facts.hold, facts.now < hold.until {
            return refuse(
                .exemption, "\(hold.by) undid its fix and holds it until \(hold.until): \(hold.reason)",
                "the end of the hold", again: hold.until)
        }
        return objection(facts) ?? failed(facts) ?? pass(.exemption, "no exemption, label or hold keeps it off")
    }

    /// What somebody has said against it, or may still say.
    private static func objection(_ facts: GuardFacts) -> GuardAnswer? {
        switch facts.grace {
        case .until(let end) where facts.now < end:
            return refuse(
                .exemption, "its owner, or who made it, has until \(end) to object or to put it right",
                "the end of that time", again: end)
        case .unheard(let span):
            return refuse(
                .exemption, "its owner, or who made it, has \(span.phrase) to object once told, and was not told yet",
                "the channel that takes the message")
        case .none, .until: break
        }
        guard let objection = facts.objection else { return nil }
        let remedy = "an approval of somebody else, or holdfast object \(facts.finding.id) --withdraw"
        guard facts.campaign == nil else { return refuse(.exemption, objection.sentence, remedy) }
        switch facts.approvals.state {
        case .met(let people):
            return failed(facts)
                ?? pass(
                    .exemption, "\(objection.sentence); \(people.joined(separator: " and ")) approved it after that")
        case .notNeeded: return refuse(.exemption, objection.sentence, remedy)
        case .waiting, .refused, .held, .impossible:
            return GuardAnswer(name: .exemption, word: .wait, reason: objection.sentence, remedy: remedy)
        }
    }

    /// What was tried on this drift and failed is not tried again and again; what got stuck is a person's.
    private static func failed(_ facts: GuardFacts) -> GuardAnswer? {
        guard let failed = facts.failed else { return nil }
        if failed.isStuck {
            return refuse(
                .exemption, "run \(failed.run) on it is stuck: \(failed.reason)",
                "holdfast undo \(failed.run), or mending it by hand")
        }
        guard facts.now < failed.again else { return nil }
        let runs = failed.count == 1 ? "a run on it failed" : "\(failed.count) runs on it failed in a row"
        return refuse(
            .exemption, "\(runs), the last at \(failed.ended): \(failed.reason)",
            "what the failure says, or another attempt at \(failed.again)", again: failed.again)
    }

    private static func rollout(_ facts: GuardFacts) -> GuardAnswer {
        let environment = facts.finding.environment
        let before = facts.settings.environment(before: environment)
        guard facts.settings.environments.contains(environment) else {
            return refuse(
                .rollout, "\(environment) is no environment of the configuration", "an environment of its own")
        }
        if let lack = facts.rollout.lack(facts.settings.rollout, before: before, now: facts.now) {
            return refuse(
                .rollout, "\(facts.plan.playbook) is not open in \(environment): it lacks \(lack.what)",
                "holdfast rollout open \(facts.plan.playbook) \(environment) by two people", again: lack.until)
        }
        guard let before else { return pass(.rollout, "\(environment) is the first environment") }
        if facts.rollout.openedBy.count >= 2 {
            return pass(.rollout, "opened in \(environment) by \(facts.rollout.openedBy.joined(separator: " and "))")
        }
        if facts.rollout.before.drills >= facts.settings.rollout.runs {
            return pass(.rollout, "\(facts.rollout.before.drills) drills passed in \(before)")
        }
        return pass(.rollout, "\(facts.rollout.before.verified) verified runs in \(before), and its soak is over")
    }

    private static func freeze(_ facts: GuardFacts) -> GuardAnswer {
        let frozen = facts.settings.freezes.first { $0.holds(at: facts.now, environment: facts.finding.environment) }
        guard let frozen else { return pass(.freeze, "no freeze holds") }
        return refuse(
            .freeze, "a freeze holds until \(frozen.to): \(frozen.reason)", "the end of the freeze", again: frozen.to)
    }

    private static func cause(_ facts: GuardFacts) -> GuardAnswer {
        let cause = facts.cause
        if let drill = facts.drill { return pass(.cause, "the drill \(drill) planted it") }
        if cause.isOwnWrite {
            return refuse(.cause, "it came from a write of Holdfast's own", "a person who looks at what fought here")
        }
        if let pipeline = cause.pipeline {
            return refuse(
                .cause, "\(pipeline) made it, which is a pipeline: what comes through code is mended in code",
                "a change of the code")
        }
        let limit = facts.settings.flapping
        if cause.fixes >= limit.count {
            let fighter = cause.fighter.isEmpty ? "nobody known" : cause.fighter
            return refuse(
                .cause,
                "it was fixed \(cause.fixes) times within \(limit.window.phrase) and came back: \(fighter) "
                    + "fights it", "settling it with \(fighter)", again: cause.firstFix.map { $0 + limit.window })
        }
        return pass(.cause, "nothing says that code or a controller wants it so")
    }

    // MARK: 10 to 12

    private static func budgets(_ facts: GuardFacts) -> GuardAnswer {
        if let spent = facts.budgets.first(where: { $0.used >= $0.limit }) {
            return refuse(
                .budgets,
                "the budget \(spent.name) is spent: \(spent.used) of \(spent.limit) in \(spent.window.phrase)",
                "time, or a larger budget", again: facts.now + Span(seconds: 60))
        }
        let text = facts.budgets.map { "\($0.name) \($0.used) of \($0.limit)" }.joined(separator: ", ")
        return pass(.budgets, text.isEmpty ? "no budget applies" : "\(text) spent")
    }

    private static func preflight(_ facts: GuardFacts) -> GuardAnswer {
        switch facts.preflight {
        case .pending:
            return GuardAnswer(
                name: .preflight, word: .wait, reason: "the resource is read again before the first call", remedy: "")
        case .passed(let at): return pass(.preflight, "read again at \(at): the plan still fits")
        case .changed(let why): return refuse(.preflight, why, "a decision on the plan as it is now")
        case .failed(let why):
            return refuse(
                .preflight, "it could not be read again: \(why)", "a read that succeeds",
                again: facts.now + Span(seconds: 30))
        }
    }

    private static func approvals(_ facts: GuardFacts) -> GuardAnswer {
        if let campaign = facts.campaign { return pass(.approvals, "approved with the campaign \(campaign)") }
        switch facts.approvals.state {
        case .notNeeded:
            return pass(
                .approvals, "\(facts.plan.risk.rawValue) risk in \(facts.finding.environment) needs nobody's approval")
        case .met(let people): return pass(.approvals, "approved by \(people.joined(separator: " and "))")
        case .waiting(let needed, let people):
            let by = people.isEmpty ? "nobody" : people.joined(separator: " and ")
            let more = facts.approvals.passedOver.map { "; \($0)" }.joined()
            return GuardAnswer(
                name: .approvals, word: .wait,
                reason: "it needs \(needed) of \(facts.settings.approvals.chain.joined(separator: ", ")); \(by) has "
                    + "approved\(more)", remedy: "holdfast approve \(facts.plan.digest.prefix(12))")
        case .refused(let person, let reason):
            return refuse(
                .approvals, "\(person) refused: \(reason)", "a plan of another digest",
                again: facts.approvals.again)
        case .held(let person, let until):
            return refuse(
                .approvals, "\(person) holds it until \(until)", "the end of the hold", again: until)
        case .impossible(let why): return refuse(.approvals, why, "the configuration")
        }
    }
}
