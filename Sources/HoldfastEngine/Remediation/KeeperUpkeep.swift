package import HoldfastCore
internal import HoldfastJSON

/// What is looked after while the service runs: modes, holds, prompts.
extension Keeper {
    /// Notes since when each scope has its mode: what was open before a scope went to remediate is backlog.
    package func noteModes(now: Timestamp) throws(JournalError) {
        let settings = policy.remediation
        let current =
            [(RemediationSettings.everywhere, settings.mode)] + settings.scopes.map { ($0.name, $0.mode) }
        let known = Dictionary(try journal.modes().map { ($0.scope, $0.mode) }) { first, _ in first }
        var step = Step(policy: policy, journal: journal, now: now)
        let wasObserved = !known.isEmpty && known.values.allSatisfy { $0 == .observe }
        if policy.plansAreMade, wasObserved { try step.planWhatIsOpen() }
        let changed = current.filter { known[$0.0] != $0.1 }
        // What is known by now is older than the mode, whatever a clock that was put back says.
        let newest = changed.isEmpty ? nil : try journal.newestFindingChange()
        let since = newest.map { max(now, $0 + Span(nanoseconds: 1)) } ?? now
        for (scope, mode) in changed {
            step.transaction.remediation.modes.append(ModeRecord(scope: scope, mode: mode, since: since))
            step.transaction.audit.append(
                AuditEntry(
                    kind: "mode", at: now, body: ["scope": .string(scope), "mode": .string(mode.rawValue)]))
        }
        // A scope that is gone counts anew when it comes back.
        for scope in known.keys.sorted() where !current.contains(where: { $0.0 == scope }) && known[scope] != .observe {
            step.transaction.remediation.modes.append(ModeRecord(scope: scope, mode: .observe, since: now))
        }
        step.transaction.remediation.touchAll = now
        try commit(step, lease: nil)
    }

    /// Holds that have ended.
    package func endHolds(now: Timestamp) throws(JournalError) {
        let ended = try journal.holds().filter { $0.until <= now }
        guard !ended.isEmpty else { return }
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.remediation.endedHolds = ended.map(\.finding)
        step.transaction.remediation.candidates = ended.map { Candidate(finding: $0.finding, due: now) }
        step.transaction.notices = ended.map {
            Notice(
                code: NoticeCode.holdEnded.rawValue, subject: $0.finding,
                text: "the hold of \($0.by) has ended: its rule may be fixed again", raised: now)
        }
        try commit(step, lease: nil)
    }

    /// Prompts that nobody has been told of yet.
    package func prompts() throws(JournalError) -> [Ask] { try journal.asks().filter(\.mustPrompt) }

    /// A prompt reached somebody.
    package func delivered(_ ask: Ask, by notifier: String, now: Timestamp) throws(JournalError) {
        guard var known = try journal.asks().first(where: { $0.digest == ask.digest }) else { return }
        known.mustPrompt = false
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.remediation.asks = [known]
        step.transaction.closedNotices = [
            NoticeClosing(code: NoticeCode.promptFailed.rawValue, subject: ask.digest, at: now)
        ]
        step.transaction.audit = [
            AuditEntry(
                kind: "prompted", at: now, body: ["plan": .string(ask.digest), "by": .string(notifier)])
        ]
        try commit(step, lease: nil)
    }

    /// A prompt could reach nobody: nothing is approved by that, and a person is told where notices are seen.
    package func undelivered(_ ask: Ask, _ why: String, now: Timestamp) throws(JournalError) {
        var step = Step(policy: policy, journal: journal, now: now)
        step.transaction.notices = [
            Notice(code: NoticeCode.promptFailed.rawValue, subject: ask.digest, text: why, raised: now)
        ]
        try commit(step, lease: nil)
    }
}
