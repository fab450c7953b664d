internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// What is told of one thing that happens in a demo: moments since somebody did it, and what the audit log says.
struct Tale {
    let start: Timestamp
    /// The last audit entry that was looked at.
    private(set) var last: Int64
    /// What it is about, once that is known: what is decided of others is left out.
    var finding: String?
    /// When a call last ended.
    private(set) var lastWrite: Timestamp?

    init(from start: Timestamp, after last: Int64) {
        self.start = start
        self.last = last
    }

    func milliseconds(_ time: Timestamp) -> Int64 { time.since(start).nanoseconds / 1_000_000 }

    func tell(_ what: String, at time: Timestamp, on stage: any DemoStage) {
        let moment = String(milliseconds(time))
        stage.show(String(repeating: " ", count: max(0, 6 - moment.count)) + "\(moment) ms  \(what)")
    }

    mutating func take(_ record: AuditRecord, on stage: any DemoStage) {
        last = record.sequence
        if record.entry.kind == "step-ended" { lastWrite = record.entry.at }
        let about = record.entry.body["finding"]?.string
        guard about == nil || about == finding, let text = record.entry.sentence else { return }
        tell(text, at: record.entry.at, on: stage)
    }
}

extension AuditEntry {
    /// For somebody who sees this for the first time; `nil` for what only auditors want to know.
    var sentence: String? {
        func text(_ name: String) -> String { body[name]?.string ?? "" }
        switch kind {
        case "rollout-open": return "\(text("person")) opens \(text("what")): \(text("reason"))"
        case "decision": return decision
        case "approval-asked": return "people are asked: \(text("environment")), \(text("risk")) risk"
        case "prompted": return "the prompt reaches the \(text("by"))"
        case "approve", "refuse", "undo":
            let reason = text("reason")
            return "\(text("person")): \(kind)" + (reason.isEmpty ? "" : ", \"\(reason)\"")
        case "step-begun":
            return (text("direction") == "back" ? "undo: " : "") + "\(text("call")) goes out, by a permit for this call"
        case "step-ended": return "the cloud answers: \(body["result"]?["outcome"]?.string ?? "")"
        case "run":
            switch text("phase") {
            case "verified": return "read again, and the rule passes: verified"
            case "undone": return "read again: undone"
            case "stuck", "abandoned": return "\(text("phase")): \(text("reason"))"
            default: return nil
            }
        default: return nil
        }
    }

    /// A decision that only waits until what was reported has been read.
    var waitsForRead: Bool { kind == "decision" && Decision(json: body)?.stopper?.name == .evidence }

    private var decision: String? {
        guard let decision = Decision(json: body) else { return nil }
        switch decision.outcome {
        case .allow: return "all \(decision.answers.count) guards let it pass"
        case .refuse:
            return decision.stopper.map { "the guard \"\($0.name.rawValue)\" stops it: \($0.reason)" }
        case .ask, .read: return nil
        }
    }
}

extension Timestamp {
    /// `16:58:03.120`: the time of day in UTC, with milliseconds.
    var clock: String {
        let whole = Timestamp(seconds: nanoseconds / 1_000_000_000).description.dropFirst(11).dropLast()
        let milliseconds = String(nanoseconds % 1_000_000_000 / 1_000_000 + 1000).dropFirst()
        return "\(whole).\(milliseconds)"
    }
}
