internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import HoldfastStore

/// What happens in a demo: people and programs change things, and everything else is what the engine does about it.
extension DemoWorld {
    func play() async throws {
        while !inbox.isOpen { try await clock.sleep(for: .milliseconds(10)) }
        // The cloud's events have whole seconds: the first must not seem older than what is configured.
        try await clock.sleep(for: .seconds(1))
        let account = FakeCloud.Account.self
        stage.show(
            """
            holdfast demo: the real engine in a cloud that is made up. No network, nothing
            is kept. \(2 * DemoWorld.resources) buckets and security groups in two accounts are watched:
            \(account.dev) is dev, \(account.production) is production.
            """)
        let playbook = "aws-s3-block-public-access"
        for name in ["ada", "cleo"] {
            let person = Person(name: name, roles: ["approver"], via: "session")
            _ = try await keeper.open(
                playbook, in: "production", by: person, reason: "seen in dev", now: clock.wallTime())
        }
        try ask("1 of 4. Somebody opens port 22 in dev.")
        try await openPort()
        try ask("2 of 4. Somebody unlocks a bucket in production.")
        try await openBucket()
        try ask("3 of 4. Terraform puts back what Holdfast takes away.")
        try await fight()
        try ask("4 of 4. What does the audit log say of all this?")
        try audit()
    }

    /// - Throws: ``Left`` where the person wants no more.
    @discardableResult
    private func ask(_ what: String, _ keys: [Character] = [" "], how: String = "space") throws -> Character {
        guard let key = stage.ask("\n\(what)  [\(how), q quits]", keys: keys) else { throw Left() }
        return key
    }

    // MARK: Scenes

    private func openPort() async throws {
        let group = CloudState.resource(FakeCloud.Kind.group, 1, FakeCloud.Account.dev)
        var tale = Tale(from: clock.cloudTime(), after: try last())
        tale.tell("ada lets 0.0.0.0/0 in at port 22 of \(FakeCloud.name(of: group))", at: tale.start, on: stage)
        act { state, now in state.authorize(group, port: 22, range: "0.0.0.0/0", by: .ada, at: now) }
        let finding = try await found(on: group, &tale)
        let run = try await ended(finding, since: tale.start, &tale)
        guard run.phase == .verified, let closed = tale.lastWrite, let ended = run.ended else {
            throw Demo.Failure(description: "the port was not closed: \(run.reason)")
        }
        stage.show(
            "Closed after \(tale.milliseconds(closed)) ms, verified after \(tale.milliseconds(ended)) ms. Nobody was "
                + "asked: \(run.risk.rawValue) risk, in \(run.environment).")
    }

    private func openBucket() async throws {
        let bucket = CloudState.resource(FakeCloud.Kind.bucket, 3, FakeCloud.Account.production)
        var tale = Tale(from: clock.cloudTime(), after: try last())
        tale.tell(
            "ben takes the public access block off \(FakeCloud.name(of: bucket)): whoever can write its policy can "
                + "publish it", at: tale.start, on: stage)
        act { state, now in state.setBlock(bucket, false, by: .ben, at: now) }
        let finding = try await found(on: bucket, &tale)
        let prompt = try await following("the prompt", &tale) { inbox.prompt(for: finding.id) }
        let plan = try store.plan(finding: finding.id)?.body["text"]?.string ?? ""
        stage.show("\nThis waits for you:\n")
        stage.show(prompt, plan: plan)
        let isApproved = try ask("Your word?", ["a", "r"], how: "a approve, r refuse") == "a"
        try await keeper.say(
            isApproved ? .approve : .refuse, on: [prompt.digest], by: DemoWorld.you,
            reason: isApproved ? "" : "not today", now: clock.wallTime())
        guard isApproved else {
            let why = try await following("the refusal", &tale) {
                try store.decision(of: finding.id).flatMap { $0.outcome == .refuse ? $0.stopper?.reason : nil }
            }
            return stage.show("Nothing is written: \(why).")
        }
        let run = try await ended(finding, since: tale.start, &tale)
        guard try ask("It is shut again. Did that break something?", ["u", " "], how: "u undo, space") == "u"
        else { return }
        let now = clock.wallTime()
        try await keeper.undo(run.id, by: DemoWorld.you, reason: "it broke the website", now: now)
        guard try await ended(finding, since: now, &tale).phase == .undone else {
            throw Demo.Failure(description: "the fix was not undone")
        }
        let hold = try store.hold(of: finding.id).map { hold in
            " Holdfast keeps off it for \(policy.remediation.holdAfterUndo.phrase): \(hold.reason)."
        }
        stage.show("The bucket is as ben left it." + (hold ?? ""))
    }

    private func fight() async throws {
        let group = CloudState.resource(FakeCloud.Kind.group, 4, FakeCloud.Account.dev)
        var tale = Tale(from: clock.cloudTime(), after: try last())
        for round in 1...10 {
            let time = clock.cloudTime()
            tale.tell(
                round == 1 ? "terraform applies code that opens port 5432 to everyone" : "terraform opens it again",
                at: time, on: stage)
            act { state, now in state.authorize(group, port: 5432, range: "0.0.0.0/0", by: .terraform, at: now) }
            let finding = try await found(on: group, &tale)
            let fought = try await following("a fix or a stop", &tale) { () -> Bool? in
                let stopper = try store.decision(of: finding.id)?.stopper
                if stopper?.name == .cause, stopper?.word == .refuse { return true }
                let runs = try store.runs(of: finding.id)
                return runs.first.flatMap { $0.phase.isEnd && $0.opened >= time ? false : nil }
            }
            guard !fought else {
                let notice = try store.openNotices().first { $0.code == NoticeCode.flapping.rawValue }
                return stage.show(
                    "Holdfast writes no more here, and a notice says whom to talk to:\n"
                        + "  \(notice?.code ?? ""): \(notice?.text ?? "")")
            }
        }
        throw Demo.Failure(description: "the fight had no end")
    }

    private func audit() throws {
        for record in try store.auditEntries(after: 0, limit: 1000) {
            guard let text = record.entry.sentence, !record.entry.waitsForRead else { continue }
            stage.show("  \(record.entry.at.clock)  \(text)")
        }
        let report = try store.verifyAudit()
        guard report.isIntact else { throw Demo.Failure(description: "the audit log is not whole") }
        stage.show(
            "\nThe chain of all \(report.entries) entries is whole, and so are \(report.batches) batches of evidence "
                + "behind it. Next: README.md.")
    }

    // MARK: Waiting

    private func last() throws -> Int64 { try store.auditEntries(after: 0, limit: 10_000).last?.sequence ?? 0 }

    /// Waits, and meanwhile tells what goes into the audit log.
    private func following<T>(_ what: String, _ tale: inout Tale, _ look: () throws -> T?) async throws -> T {
        let deadline = clock.cloudTime() + Span(seconds: 60)
        while true {
            let seen = try look()
            for record in try store.auditEntries(after: tale.last, limit: 100) { tale.take(record, on: stage) }
            if let seen { return seen }
            guard clock.cloudTime() < deadline else {
                throw Demo.Failure(description: "\(what) did not come about within a minute")
            }
            try await clock.sleep(for: .milliseconds(10))
        }
    }

    /// The finding that an event opened.
    private func found(on resource: ResourceID, _ tale: inout Tale) async throws -> Finding {
        let finding = try await following("the finding", &tale) {
            try store.findings(of: resource).filter { $0.state == Finding.State.open.rawValue }
                .compactMap { Finding(json: $0.body) }.first { !$0.cause.isBaseline }
        }
        tale.finding = finding.id
        let title = policy.baseline.rule(finding.rule)?.title ?? finding.rule
        tale.tell("the event arrives: \(finding.severity.rawValue), \"\(title)\"", at: clock.cloudTime(), on: stage)
        return finding
    }

    private func ended(_ finding: Finding, since start: Timestamp, _ tale: inout Tale) async throws -> Run {
        try await following("the end of the run", &tale) {
            try store.runs(of: finding.id).first { $0.phase.isEnd && ($0.ended ?? .distantPast) >= start }
        }
    }
}
