package import HoldfastJSON

/// One proof that a playbook works from end to end, on a resource that is there for that: its drift is planted, must be
/// told by an event, fixed and verified; then the fix is undone and what was planted is taken away again.
package struct Drill: Sendable, Hashable {
    /// What has to happen, in this order.
    package enum Leg: String, Sendable, Hashable, CaseIterable {
        /// The drift was written.
        case planted
        /// Its event came in, and the finding was opened by it.
        case event
        /// The last call of the fix was made.
        case fixed
        /// The rule passed.
        case verified
        /// The fix was undone.
        case undone
        /// What was planted is gone, and the rule passes again.
        case restored
    }

    package enum Phase: String, Sendable, Hashable, CaseIterable {
        case asked, planting, waiting, fixing, undoing, restoring, passed, failed

        package var isEnd: Bool { self == .passed || self == .failed }
    }

    package struct LegTime: Sendable, Hashable {
        package var leg: Leg
        package var at: Timestamp
        /// Since the leg before it, or the beginning.
        package var took: Span

        package func isLate(_ rules: DrillRules) -> Bool { took.nanoseconds > rules.lateAfter.nanoseconds }
    }

    /// Labels, or tags, of resources that drills may be made on, whatever their value.
    package static let labels = ["holdfast:drill", "holdfast-drill"]

    /// `d-` and 16 hexadecimal digits.
    package let id: String
    package let playbook: String
    package let playbookDigest: String
    package let rule: String
    package let finding: String
    package let resource: ResourceID
    package let context: ResourceContext
    package let environment: String
    /// Who asked for it; `holdfast` for one by the clock.
    package let by: String
    package let started: Timestamp
    package private(set) var phase = Phase.asked
    package private(set) var legs: [LegTime] = []
    /// Ids of the runs that plant and fix; empty before there are any.
    package private(set) var planting = ""
    package private(set) var fix = ""
    /// Why it failed.
    package private(set) var reason = ""
    /// When a leg was given up: from then on what was planted is taken away.
    package private(set) var gaveUp: Timestamp?
    package private(set) var ended: Timestamp?

    package init(
        id: String, playbook: String, playbookDigest: String, rule: String, finding: String, resource: ResourceID,
        context: ResourceContext, environment: String, by: String, started: Timestamp
    ) {
        self.id = id
        self.playbook = playbook
        self.playbookDigest = playbookDigest
        self.rule = rule
        self.finding = finding
        self.resource = resource
        self.context = context
        self.environment = environment
        self.by = by
        self.started = started
    }

    /// What the journal says of it now.
    package struct View: Sendable {
        package var now: Timestamp
        package var planting: Run?
        package var fix: Run?
        /// When the finding was opened by an event since it was planted.
        package var opened: Timestamp?
        /// `nil` where there never was the finding.
        package var state: Finding.State?
        /// What keeps the fix from being undone.
        package var halt: String?
        package init(now: Timestamp) { self.now = now }
    }

    package enum Action: Sendable, Hashable {
        case nothing, plant
        case undo(run: String)
    }

    /// The legs that are there end one after the other; the next one waits since then.
    package var since: Timestamp { legs.last?.at ?? started }
    package func isLate(_ rules: DrillRules, now: Timestamp) -> Bool {
        legs.contains { $0.isLate(rules) } || (!phase.isEnd && now > since + rules.lateAfter)
    }
    /// The fix of its finding is a part of it.
    package var wantsFix: Bool { phase == .waiting || phase == .fixing || phase == .planting }

    package mutating func fail(_ why: String, at now: Timestamp) {
        reason = reason.isEmpty ? why : "\(reason); then \(why)"
        phase = .failed
        ended = now
    }

    /// Goes on as far as what is known lets it, and says what is to be done for it.
    package mutating func advance(_ view: View, _ rules: DrillRules) -> Action {
        if let run = view.planting { planting = run.id }
        if let run = view.fix { fix = run.id }
        switch phase {
        case .asked: return ask(view, rules)
        case .planting: return plant(view, rules)
        case .waiting: return wait(view, rules)
        case .fixing: return mend(view, rules)
        case .undoing: return takeBack(view, rules)
        case .restoring: return restore(view, rules)
        case .passed, .failed: return .nothing
        }
    }

    private mutating func reach(_ leg: Leg, _ time: Timestamp?, _ view: View) {
        guard !legs.contains(where: { $0.leg == leg }) else { return }
        let at = max(time ?? view.now, since)
        legs.append(LegTime(leg: leg, at: at, took: at.since(since)))
    }

    private func isOverdue(_ view: View, _ rules: DrillRules) -> Bool {
        view.now > max(since, gaveUp ?? since) + rules.giveUpAfter
    }

    private mutating func ask(_ view: View, _ rules: DrillRules) -> Action {
        guard view.planting == nil else {
            phase = .planting
            return plant(view, rules)
        }
        guard isOverdue(view, rules) else { return .plant }
        fail("nothing was planted in time", at: view.now)
        return .nothing
    }

    private mutating func plant(_ view: View, _ rules: DrillRules) -> Action {
        guard let run = view.planting, run.phase.isEnd else { return .nothing }
        guard run.phase == .verified else {
            fail("the drift was not planted: \(run.reason)", at: view.now)
            return .nothing
        }
        reach(.planted, run.ended, view)
        phase = .waiting
        return wait(view, rules)
    }

    private mutating func wait(_ view: View, _ rules: DrillRules) -> Action {
        if let opened = view.opened {
            reach(.event, opened, view)
            phase = .fixing
            return mend(view, rules)
        }
        return isOverdue(view, rules) ? giveUp("no event told of what was planted", view, rules) : .nothing
    }

    private mutating func mend(_ view: View, _ rules: DrillRules) -> Action {
        guard let run = view.fix, run.phase != .abandoned else {
            return isOverdue(view, rules) ? giveUp("it was not fixed", view, rules) : .nothing
        }
        switch run.phase {
        case .verifying: reach(.fixed, nil, view)
        case .verified:
            reach(.fixed, run.ended, view)
            reach(.verified, run.ended, view)
            if let halt = view.halt {
                // What is fixed stays so: a halt is for all that could make it worse.
                fail("its undo was not tried: \(halt)", at: view.now)
                return .nothing
            }
            phase = .undoing
            return .undo(run: run.id)
        case .undone: return giveUp("its fix was undone: \(run.reason)", view, rules)
        case .stuck: fail("its fix is stuck: \(run.reason)", at: view.now)
        default: break
        }
        return .nothing
    }

    private mutating func takeBack(_ view: View, _ rules: DrillRules) -> Action {
        guard let run = view.fix else { return .nothing }
        switch run.phase {
        case .undone:
            reach(.undone, run.ended, view)
            phase = .restoring
            return restore(view, rules)
        case .stuck: fail("the undo of its fix is stuck: \(run.reason)", at: view.now)
        case .verified where isOverdue(view, rules): fail("its fix was not undone", at: view.now)
        case .verified: return .undo(run: run.id)
        default: break
        }
        return .nothing
    }

    private mutating func restore(_ view: View, _ rules: DrillRules) -> Action {
        guard let run = view.planting else { return .nothing }
        switch run.phase {
        case .undone where view.state == nil || view.state == .resolved || view.state == .deleted:
            reach(.restored, nil, view)
            phase = reason.isEmpty ? .passed : .failed
            ended = view.now
        case .undone where isOverdue(view, rules): fail("the rule does not pass again", at: view.now)
        case .stuck: fail("what was planted is still there: \(run.reason)", at: view.now)
        case .verified where isOverdue(view, rules): fail("what was planted is still there", at: view.now)
        // Until a read has seen the fix undone, it looks as if somebody had changed what was planted.
        case .verified where view.state == .resolved && legs.contains { $0.leg == .undone }: break
        case .verified: return .undo(run: run.id)
        default: break
        }
        return .nothing
    }

    /// What was planted is taken away all the same.
    private mutating func giveUp(_ why: String, _ view: View, _ rules: DrillRules) -> Action {
        reason = why
        gaveUp = view.now
        phase = .restoring
        return restore(view, rules)
    }
}

/// How drills are held, and which by the clock.
package struct DrillRules: Sendable, Hashable {
    /// One that is held every day.
    package struct Nightly: Sendable, Hashable {
        package var playbook: String
        package var resource: String
        /// After midnight, UTC.
        package var at: Span
        package init(playbook: String, resource: String, at: Span) {
            self.playbook = playbook
            self.resource = resource
            self.at = at
        }

        /// The last moment at which it was due.
        package func due(before now: Timestamp) -> Timestamp {
            let day: Int64 = 86_400_000_000_000
            let today = Timestamp(nanoseconds: now.nanoseconds / day * day) + at
            return today <= now ? today : today - Span(seconds: 86_400)
        }
    }

    /// A leg that takes longer is late.
    package var lateAfter = Span(seconds: 120)
    /// A leg that takes longer does not come any more.
    package var giveUpAfter = Span(seconds: 1200)
    package var nightly: [Nightly] = []
    package init() {}
}

extension Drill {
    package var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("playbook", .string(playbook)), ("playbook-digest", .string(playbookDigest)),
            ("rule", .string(rule)), ("finding", .string(finding)), ("resource", .string(resource.id)),
            ("type", .string(resource.type)), ("cloud", .string(context.cloud.rawValue)),
            ("account", .string(context.account)), ("region", .string(context.region)),
            ("environment", .string(environment)), ("by", .string(by)), ("started", .string(started.description)),
            ("phase", .string(phase.rawValue)), ("planting", .string(planting)), ("fix", .string(fix)),
            ("reason", .string(reason)),
            (
                "legs",
                .array(
                    legs.map {
                        [
                            "leg": .string($0.leg.rawValue), "at": .string($0.at.description),
                            "ms": .number(JSONNumber(Int($0.took.nanoseconds / 1_000_000))),
                        ]
                    })
            ),
        ])
        object["gave-up"] = gaveUp.map { .string($0.description) }
        object["ended"] = ended.map { .string($0.description) }
        return .object(object)
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        guard let cloud = Cloud(rawValue: text("cloud")), let started = Timestamp(text("started")),
            let phase = Phase(rawValue: text("phase")), let legs = json["legs"]?.array
        else { return nil }
        self.init(
            id: text("id"), playbook: text("playbook"), playbookDigest: text("playbook-digest"), rule: text("rule"),
            finding: text("finding"), resource: ResourceID(type: text("type"), id: text("resource")),
            context: ResourceContext(cloud: cloud, account: text("account"), region: text("region")),
            environment: text("environment"), by: text("by"), started: started)
        self.phase = phase
        planting = text("planting")
        fix = text("fix")
        reason = text("reason")
        gaveUp = Timestamp(text("gave-up"))
        ended = Timestamp(text("ended"))
        var before = started
        for row in legs {
            guard let leg = row["leg"]?.string.flatMap(Leg.init), let at = row["at"]?.string.flatMap({ Timestamp($0) })
            else { return nil }
            self.legs.append(LegTime(leg: leg, at: at, took: at.since(before)))
            before = at
        }
    }
}
