internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import HoldfastStore

/// What is judged of remediation when a run of the simulation ends.
extension World {
    func judgeRemediation(_ store: SQLiteJournal) async throws {
        let entries = try store.auditEntries(after: 0, limit: 1_000_000).map(\.entry)
        let begun = ledger.begun
        for entry in entries { trace.note("audit \(entry.kind) \(entry.body.canonicalText)") }
        var checkers = WriteCheckers(setup: setup, policy: policyNow, judgements: judgements)
        checkers.judge(entries: entries, begun: begun)
        judgements = checkers.judgements
        judgeSent(begun, checkers.walk)
        judgeUndone(begun)
        for run in try store.openRuns() {
            judgements.judge(
                .noRunLeft, false,
                "run \(run.id) is \(run.phase) (\(run.direction)) until \(run.notBefore), now \(clock.wallTime()): "
                    + "\(run.reason) \(run.waiting)")
        }
        judgements.judge(.noRunLeft, true, "")
        try await judgeFindings(store)
    }

    /// Each call that went out has its own entry, and what is not idempotent worked once.
    private func judgeSent(_ begun: [BegunStep], _ walk: AuditWalk) {
        var open: [String: Int] = [:]
        for step in begun {
            open["\(step.run.id) \(step.run.cursor) \(step.run.attempts) \(step.call.digest)", default: 0] += 1
        }
        var worked: [String: Int] = [:]
        for call in ledger.sent {
            let key = "\(call.run) \(call.step) \(call.attempt) \(call.digest)"
            open[key, default: 0] -= 1
            judgements.judge(.journaledIntent, open[key] ?? -1 >= 0, "\(key) went out and was not begun")
            judgements.judge(.dryRun, setup.hasWriter, "\(key) went out in a dry run")
            guard policy.catalog.call(call.name)?.isIdempotent != true, call.reaches else { continue }
            if case .done = cloud.with({ state, _ in state.operations[call.requestID] }) {
                worked["\(call.run) \(call.step) \(call.name)", default: 0] += 1
            }
        }
        for key in worked.keys.sorted() {
            let run = String(key.prefix { $0 != " " })
            // Whoever asks again for an undo that got stuck over a call in doubt has looked at what it did.
            let limit = max(1, walk.runs[run]?.undos ?? 0)
            let count = worked[key] ?? 0
            judgements.judge(.notTwice, count <= limit, "\(key) worked \(count) times")
        }
    }

    /// Where nobody else had a hand in it, an undone run leaves what was there before.
    private func judgeUndone(_ begun: [BegunStep]) {
        for undone in ledger.undone {
            let all = begun.filter { $0.run.resource == undone.run.resource && $0.order < undone.order }
            guard let first = all.first(where: { $0.run.id == undone.run.id }) else { continue }
            let isAlone = all.allSatisfy { $0.run.id == undone.run.id || $0.order < first.order }
            let since = undone.touches.dropFirst(first.touches.count).filter { $0.place != "Tags" }
            guard isAlone, since.allSatisfy({ $0.hand == .holdfast }), undone.touches.count >= first.touches.count
            else { continue }
            judgements.judge(
                .undone, undone.section == first.section,
                "\(undone.run.id) left \(undone.section.canonicalText), there was \(first.section.canonicalText)")
        }
    }

    /// What drifts still has a reason that holds now, and that a person can see.
    private func judgeFindings(_ store: SQLiteJournal) async throws {
        let asked = Set(try store.asks().map(\.finding))
        for stored in try store.findings(states: [Finding.State.open.rawValue]) {
            guard policy.baseline.rule(stored.rule)?.maturity == .stable,
                policy.playbooks.playbook(for: stored.rule, type: stored.resource.type) != nil
            else { continue }
            let now = clock.wallTime()
            guard let fresh = try await keeper?.examine(stored.id, now: now) else {
                // A person has the proposal, or why nothing can be done.
                judgements.judge(.mendedOrTold, try store.plan(finding: stored.id) != nil, "\(stored.id) has no plan")
                continue
            }
            let known = try store.decision(of: stored.id)
            let text = "\(stored.rule) on \(stored.resource.id)"
            switch fresh.outcome {
            case .refuse:
                // Of several reasons the one that was told may be another: it holds still.
                let holds = fresh.answers.filter { $0.word != .pass }.map(\.name)
                judgements.judge(
                    .mendedOrTold,
                    known?.stopper.map { holds.contains($0.name) || isOver($0, at: now) } == true
                        || asked.contains(stored.id),
                    "\(text): \(fresh.stopper?.reason ?? ""), and told is \(known?.stopper?.reason ?? "nothing")")
            case .ask: judgements.judge(.mendedOrTold, asked.contains(stored.id), "\(text): nobody is asked")
            case .allow, .read:
                judgements.judge(
                    .mendedOrTold, false,
                    "\(text): nothing keeps it from being mended; told is \(known?.stopper?.reason ?? "nothing")")
            }
        }
    }

    /// It held until a moment ago, and is looked at again within a minute.
    private func isOver(_ stopper: GuardAnswer, at now: Timestamp) -> Bool {
        stopper.again.map { $0 > now - Span(seconds: 10) && $0 <= now + Span(seconds: 60) } ?? false
    }
}
