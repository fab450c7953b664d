internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastStore

/// What people do while the service runs: they answer prompts, or do not, and ask for things at bad moments.
extension World {
    static func person(_ name: String) -> Person {
        let roles = name == "cleo" ? ["lead"] : name == "dan" ? [] : ["approver"]
        return Person(name: name, roles: roles, via: "session")
    }

    func crowd(_ store: SQLiteJournal) async {
        while !Task.isCancelled {
            try? await clock.sleep(for: .milliseconds(Int64.random(in: 2000...6000, using: &random)))
            if Task.isCancelled || isSettling { return }
            guard let keeper else { continue }
            do {
                try await answer(store, keeper)
                try await stopAndGo(store, keeper)
                try await undoSomething(store, keeper)
                try await openSomething(store, keeper)
                try await campaign(store, keeper)
                try await exempt(store, keeper)
                try await object(store, keeper)
                try await reload(store, keeper)
            } catch {
                trace.note("refused: \(error)")
            }
        }
    }

    private func someone() -> Person { World.person(Setup.approvers.randomElement(using: &random) ?? "ada") }

    // MARK: Approvals

    private func answer(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        for ask in try store.asks() where !faults.fires(.approverSlow) {
            seenDigests.append(ask.digest)
            let now = clock.wallTime()
            if faults.fires(.approverRefuses) {
                try? await keeper.say(.refuse, on: [ask.digest], by: someone(), reason: "not today", now: now)
            } else if faults.fires(.approverHolds) {
                let until = now + Span(seconds: 25)
                try? await keeper.say(
                    .hold, on: [ask.digest], by: someone(), reason: "tomorrow", until: until, now: now)
            } else {
                let person = someone()
                try? await keeper.say(.approve, on: [ask.digest], by: person, reason: "", now: now)
                if faults.fires(.approverTwice) {
                    try? await keeper.say(.approve, on: [ask.digest], by: person, reason: "", now: now)
                }
            }
            if faults.fires(.approverCaused) {
                for name in ["ada", "ben", "dan"] {
                    try? await keeper.say(.approve, on: [ask.digest], by: World.person(name), reason: "", now: now)
                }
            }
        }
        if let old = seenDigests.randomElement(using: &random), faults.fires(.approverLate) {
            try? await keeper.say(.approve, on: [old], by: someone(), reason: "", now: clock.wallTime())
        }
    }

    // MARK: Halts

    private func stopAndGo(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        let now = clock.wallTime()
        if let halt = try store.halts().first, random.once(in: 2) {
            try? await keeper.resume(halt.part, by: someone(), reason: "it is over", now: now)
        }
        if faults.fires(.halted) {
            let parts: [Halt.Part] = [
                .all, .cloud(.aws), .account(FakeCloud.Account.dev), .environment("production"),
                .playbook("aws-sg-close-openings"),
            ]
            let part = parts.randomElement(using: &random) ?? .all
            try? await keeper.halt(part, by: someone(), reason: "something is wrong", now: now)
        }
        if ledger.haltFile != nil {
            if random.once(in: 2) { ledger.put(haltFile: false) }
        } else if faults.fires(.haltFile) {
            ledger.put(haltFile: true)
        }
    }

    // MARK: Undo, rollout, campaigns

    private func undoSomething(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        let runs = try store.runs(limit: 20).filter {
            random.once(in: 4) || $0.phase == .verified || $0.phase == .stuck
        }
        guard let run = runs.randomElement(using: &random), faults.fires(.undone) else { return }
        try? await keeper.undo(run.id, by: someone(), reason: "it broke something", now: clock.wallTime())
    }

    private func openSomething(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        guard faults.fires(.opened) else { return }
        let playbooks = ["aws-s3-block-public-access", "aws-sg-close-openings", "aws-trail-start-logging"]
        let playbook = playbooks.randomElement(using: &random) ?? ""
        let people = random.once(in: 2) ? ["ada"] : ["ada", "cleo"]
        for name in people {
            _ = try? await keeper.open(
                playbook, in: "production", by: World.person(name), reason: "it is urgent", now: clock.wallTime())
        }
    }

    private func campaign(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        let now = clock.wallTime()
        for campaign in try store.campaigns() where campaign.state == .proposed {
            let word: Approval.Word = random.once(in: 6) ? .refuse : .approve
            try? await keeper.say(word, on: [campaign.id], by: someone(), reason: "the list is good", now: now)
        }
        guard faults.fires(.campaign) else { return }
        let playbooks = ["aws-s3-block-public-access", "aws-sg-close-openings", "aws-trail-start-logging"]
        _ = try? await keeper.propose(
            playbooks.randomElement(using: &random) ?? "", scope: Scope(), scopeText: "everything",
            wave: Int.random(in: 1...2, using: &random), by: someone(), reason: "the list is long", now: now)
    }

    /// Somebody proposes to leave a finding as it is; others agree, or take it back.
    private func exempt(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        let now = clock.wallTime()
        for record in try store.exemptions() where [.proposed, .approved].contains(record.state) {
            let word: ExemptionRecord.State =
                record.state == .approved ? .withdrawn : random.once(in: 5) ? .refused : .approved
            guard word != .withdrawn || random.once(in: 6) else { continue }
            _ = try? await keeper.say(word, onExemption: record.id, by: someone(), reason: "we spoke of it", now: now)
        }
        guard faults.fires(.exempted) else { return }
        let open = try store.findings(states: [Finding.State.open.rawValue])
        guard let finding = open.randomElement(using: &random) else { return }
        let person = someone()
        let exemption = Exemption(
            rule: finding.rule, resources: [finding.resource.id], kind: .accepted, owner: person.name, approver: "",
            reason: "it is meant so", end: now + Span(seconds: Int.random(in: 20...120, using: &random)))
        _ = try? await keeper.propose(exemption, by: person, now: now)
    }

    // MARK: Configuration

    /// Production goes to remediate: what is bad there by now is backlog.
    private func reload(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        guard setup.reloads, policyNow.remediation.scopes.count == 1, faults.fires(.reload) else { return }
        let open = Set(try store.findings(states: [Finding.State.open.rawValue]).map(\.resource))
        // With a clock that is wrong, only what was known to be bad is surely older.
        let isRight = clock.wallTime() == clock.cloudTime()
        cloud.with { state, _ in
            for resource in state.truth.keys.sorted()
            where state.isBad(resource) && state.accounts[resource] != FakeCloud.Account.dev {
                let isKnown = open.contains(resource)
                if isRight || isKnown { state.becomeBacklog(resource, isKnown: isKnown) }
            }
        }
        policyNow = setup.reloaded().policy(policy)
        _ = try await keeper.adopt(policyNow, now: clock.wallTime())
        try await keeper.noteModes(now: clock.wallTime())
    }
}
