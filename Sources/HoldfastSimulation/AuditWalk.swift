internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// What the audit log says up to one of its entries: who has halted, approved and held what, and where runs are.
struct AuditWalk {
    /// A run as its entries tell it.
    struct KnownRun {
        var first: BegunStep
        /// A call went out and nothing was heard of it yet.
        var isWriting = false
        var isOpen = true
        var verified: [Timestamp] = []
        /// How often its undo was begun: by the service, or because a person asked for it.
        var undos = 0
    }
    struct Word {
        var kind: String
        var person: String
        var expires: Timestamp
    }
    /// What somebody said against the fix of a finding.
    struct Objection {
        var person: String
        var at: Timestamp
        /// People who approved a plan for the finding after it: by the plan.
        var approvedBy: [String: Set<String>] = [:]
    }
    /// Of a playbook's digest in an environment.
    struct Verified {
        var environment: String
        var playbook: String
        var at: Timestamp
        var finding: String
        var run: String
    }

    let setup: Setup
    private(set) var halts: Set<String> = []
    var runs: [String: KnownRun] = [:]
    private(set) var words: [String: [Word]] = [:]
    /// By finding: those that were not taken back.
    private(set) var objections: [String: [Objection]] = [:]
    private var holds: [String: Timestamp] = [:]
    /// The latest that the service's clock has ever shown; it may be put back.
    private var latest = Timestamp.distantPast
    private(set) var verified: [Verified] = []
    /// Playbook -> when a run of it was last undone or stuck.
    private(set) var undone: [String: Timestamp] = [:]
    /// `playbook in environment` -> who opened it, since the last undo of the playbook.
    private(set) var openings: [String: Set<String>] = [:]
    private(set) var running: Set<String> = []
    private(set) var proposers: [String: String] = [:]
    /// Exemptions that people agreed to.
    private(set) var exemptions: [String: (rule: String, resources: [String], end: Timestamp)] = [:]

    init(setup: Setup) { self.setup = setup }

    /// What an entry that is not a step's beginning changes.
    mutating func take(_ entry: AuditEntry) {
        func text(_ name: String) -> String { entry.body[name]?.string ?? "" }
        latest = max(latest, entry.at)
        switch entry.kind {
        case "halt": halts.insert(text("what"))
        case "resume": halts.remove(text("what"))
        case "approve", "refuse", "hold":
            words[text("plan"), default: []].append(
                Word(
                    kind: entry.kind, person: text("person"), expires: Timestamp(text("expires")) ?? .distantPast))
            if entry.kind == "approve" { overrule(by: text("person"), plan: text("plan")) }
        case "objected":
            objections[text("finding"), default: []].append(Objection(person: text("person"), at: entry.at))
        case "objection-withdrawn": objections[text("finding")]?.removeAll { $0.person == text("person") }
        case "rollout-open": openings[text("what"), default: []].insert(text("person"))
        case "campaign-proposed": proposers[text("what")] = text("person")
        case "campaign-started": running.insert(text("campaign"))
        case "campaign-stopped", "campaign-done": running.remove(text("campaign"))
        case "exemption-approved":
            exemptions[text("what")] = (
                text("rule"), entry.body["resources"]?.array?.compactMap(\.string) ?? [],
                Timestamp(text("end")) ?? .distantPast
            )
        case "exemption-withdrawn", "exemption-ended": exemptions[text("what")] = nil
        case "undo":
            runs[text("what")]?.isOpen = true
            runs[text("what")]?.undos += 1
            verified.removeAll { $0.run == text("what") }
        case "run":
            if text("direction") == Run.Direction.back.rawValue, runs[text("run")]?.undos == 0 {
                runs[text("run")]?.undos = 1
            }
            take(run: text("run"), phase: text("phase"), at: entry.at)
        default: break
        }
    }

    private mutating func overrule(by person: String, plan: String) {
        for finding in objections.keys.sorted() {
            for index in (objections[finding] ?? []).indices {
                objections[finding]?[index].approvedBy[plan, default: []].insert(person)
            }
        }
    }

    private mutating func take(run id: String, phase: String, at time: Timestamp) {
        guard let known = runs[id] else { return }
        let run = known.first.run
        if phase != "writing", phase != "accepted" { runs[id]?.isWriting = false }
        guard let phase = Run.Phase(rawValue: phase), phase.isEnd else { return }
        runs[id]?.isOpen = false
        switch phase {
        case .verified:
            verified.append(
                Verified(
                    environment: known.first.environment, playbook: run.playbook, at: time, finding: run.finding,
                    run: id))
        case .undone, .stuck:
            undone[run.playbook] = time
            for key in openings.keys.sorted() where key.hasPrefix("\(run.playbook) in ") { openings[key] = nil }
            verified.removeAll { $0.playbook == run.playbook }
            if phase == .undone { holds[run.finding] = time + setup.remediation.holdAfterUndo }
        default: break
        }
    }

    /// Whether a hold on a finding's fix stands. One that has ended does not begin again with a clock that is put back.
    func isHeld(_ finding: String, at time: Timestamp) -> Bool {
        holds[finding].map { max(time, latest) < $0 } ?? false
    }

    func isExempt(_ rule: String, _ resource: ResourceID, at time: Timestamp) -> Bool {
        exemptions.values.contains { exemption in
            exemption.rule == rule && time < exemption.end && exemption.resources.contains { resource.id == $0 }
        }
    }

    /// Whether people, or what was seen before, have opened an environment to a playbook by then.
    func isOpen(_ playbook: String, in environment: String, at time: Timestamp) -> Bool {
        guard environment == "production" else { return true }
        if (openings["\(playbook) in \(environment)"] ?? []).count >= 2 { return true }
        let seen = verified.filter { $0.playbook == playbook && $0.environment == "dev" }
        guard seen.count >= setup.remediation.rollout.runs, let first = seen.map(\.at).min() else { return false }
        return first + setup.remediation.rollout.soak <= time
    }
}
