import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import TestOracles
import Testing

@Suite("Exemptions through the server")
struct ExemptionTests {
    private let bench: DeskBench
    private let server: ServerBench
    private let ask: Ask
    private let provider: Provider

    init() async throws {
        bench = try await DeskBench()
        ask = try await bench.drift()
        provider = try Provider()
        var server = bench.server
        server.settings.provider = provider.settings
        // Who drifts it and who owns it are administrators too: what keeps them off is not their role.
        server.people.roles["admin"] = ["ann.lee", "bo.ray", "cy.fox"]
        self.server = server
    }

    private var finding: Finding {
        get throws { try #require(try server.journal.finding(id: ask.finding).flatMap { Finding(json: $0.body) }) }
    }

    private var wish: JSON {
        get throws {
            [
                "rule": .string(try finding.rule), "resources": ["arn:aws:s3:::my-*"], "kind": "accepted",
                "owner": "bo.ray", "reason": "it is a website", "end": "2026-09-30",
            ]
        }
    }

    /// What a person answers an exemption with.
    private func word(
        _ word: String, _ id: String, as subject: String? = nil, reason: String = "we spoke of it",
        _ asking: ServerBench.Asking
    ) async throws -> HTTPResponse {
        let path = "/api/v1/exemptions/\(id)/\(word)"
        guard let subject else { return try await asking.say(path, ["reason": .string(reason)]) }
        let token = try await provider.token(JSONObject([("sub", .string(subject))]))
        return try await asking.say(
            path, ["reason": .string(reason)], socket: false, headers: ["Authorization": "Bearer \(token)"])
    }

    private func propose(_ asking: ServerBench.Asking) async throws -> String {
        let answer = try await asking.say("/api/v1/exemptions", try wish)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["silences"]?.array?.map { $0["id"]?.string } == [ask.finding])
        return try #require(answer.json["exemption"]?["id"]?.string)
    }

    @Test("One proposes, another agrees, and it counts at once, until it is taken back")
    func whole() async throws {
        try await server.run { asking in
            let preview = try await asking.say(
                "/api/v1/exemptions/preview",
                ["rule": .string(try finding.rule), "resources": ["arn:aws:s3:::my-*"]])
            #expect(preview.json["silences"]?.array?.count == 1, "\(preview.text)")
            #expect(try server.journal.exemptions().isEmpty)

            let id = try await propose(asking)
            #expect(try finding.state == .open)
            let agreed = try await word("approve", id, as: "subject-3", asking)
            #expect(agreed.status == 200, "\(agreed.text)")
            #expect(try finding.state == .suppressed)
            #expect(try finding.reason == "accepted: it is a website")

            // What was asked before is asked no longer, and nothing is written.
            try await bench.work()
            #expect(try server.journal.asks().isEmpty)
            #expect(bench.calls.isEmpty)

            let rows = try await asking.ask("/api/v1/reports/exemptions?due=365d").json["items"]?.array ?? []
            #expect(rows.map { $0["id"]?.string } == [id])
            #expect(rows.first?["approver"] == "cy.fox")
            #expect(rows.first?["owner"] == "bo.ray")
            #expect(rows.first?["silences"] == [.string(ask.finding)])
            let page = try await asking.signedIn().open("/exemptions")
            #expect(page.text.contains(id) && page.text.contains("agreed to by cy.fox"), "\(page.text)")

            #expect(try await word("withdraw", id, reason: "", asking).status == 400)
            #expect(try await word("withdraw", id, asking).status == 200)
            #expect(try finding.state == .open)
            let audit = try await asking.ask("/api/v1/audit?kind=exemption-proposed&kind=exemption-approved").json
            #expect(audit["items"]?.array?.compactMap { $0["body"]?["person"]?.string } == ["ann.lee", "cy.fox"])
        }
    }

    @Test("Who proposed it, who owns it and who made the change cannot agree to it")
    func fourEyes() async throws {
        try await server.run { asking in
            let id = try await propose(asking)
            let own = try await word("approve", id, asking)
            #expect(own.status == 403 && own.sentence.contains("ann.lee proposed"), "\(own.sentence)")
            let owner = try await word("approve", id, as: "subject-2", asking)
            #expect(owner.status == 403 && owner.sentence.contains("bo.ray owns"), "\(owner.sentence)")

            var other = try wish.object ?? JSONObject()
            other["owner"] = "payments"
            let second = try await asking.say("/api/v1/exemptions", .object(other))
            let next = try #require(second.json["exemption"]?["id"]?.string)
            let actor = try await word("approve", next, as: "subject-2", asking)
            #expect(actor.status == 403 && actor.sentence.contains("bo.ray made the change"), "\(actor.sentence)")
            #expect(try finding.state == .open)
            let refused = try await asking.ask("/api/v1/audit?kind=refused-request").json["items"]?.array ?? []
            #expect(refused.count == 3)
        }
    }

    @Test("It ends on its day, and is over after a restart too")
    func ends() async throws {
        let keeper = server.keeper
        let now = server.clock.now
        let exemption = Exemption(
            rule: try finding.rule, resources: [DeskBench.bucket.id], kind: .mitigated, owner: "payments",
            approver: "", reason: "a proxy stands before it", end: now + Span(seconds: 3600))
        let ann = Person(name: "ann.lee", roles: ["operator"], via: "test")
        let cy = Person(name: "cy.fox", roles: ["admin"], via: "test")
        let id = try await keeper.propose(exemption, by: ann, now: now).record.id
        #expect(try await keeper.say(.approved, onExemption: id, by: cy, reason: "", now: now) == 1)
        // Another process finds it in the journal.
        let again = try Keeper(journal: server.journal, policy: server.policy, limits: Limits())
        #expect(await again.policy.baseline.exemption(exemption.rule, DeskBench.bucket, at: now)?.approver == "cy.fox")

        server.clock.move(seconds: 3601)
        try await again.fireTimers(now: server.clock.now)
        try await again.endExemptions(now: server.clock.now)
        #expect(try finding.state == .open)
        #expect(try server.journal.exemptions().map(\.state) == [.ended])
        let kinds = try server.journal.auditEntries(after: 0, limit: 1000).map(\.entry.kind)
        #expect(
            kinds.filter { $0.hasPrefix("exemption-") }
                == ["exemption-proposed", "exemption-approved", "exemption-ended"])
    }

    @Test("Other data files leave it in force")
    func reload() async throws {
        let keeper = server.keeper
        let now = server.clock.now
        let exemption = Exemption(
            rule: try finding.rule, resources: [DeskBench.bucket.id], kind: .accepted, owner: "payments",
            approver: "", reason: "a website", end: now + Span(seconds: 3600))
        let id = try await keeper.propose(
            exemption, by: Person(name: "ann.lee", roles: [], via: "test"), now: now
        ).record.id
        let cy = Person(name: "cy.fox", roles: ["admin"], via: "test")
        _ = try await keeper.say(.approved, onExemption: id, by: cy, reason: "", now: now)
        let preview = try await ReloadPreview.make(journal: server.journal, policy: server.policy, now: now)
        #expect(preview.changedResources == 0)
        _ = try await keeper.adopt(server.policy, now: now)
        #expect(try finding.state == .suppressed)
    }

    @Test(
        "What cannot be meant is refused in a sentence",
        arguments: [
            (["rule": "no/such/rule"], 404), (["end": "2099-01-01"], 409), (["end": "2020-01-01"], 409),
            (["end": "soon"], 400), (["reason": " "], 400), (["resources": []], 400), (["kind": "ignored"], 400),
        ] as [(JSON, Int)])
    func malformed(change: JSON, status: Int) async throws {
        var wish = try wish.object ?? JSONObject()
        for member in change.object?.members ?? [] { wish[member.name] = member.value }
        let answer = try await server.run { [wish] in try await $0.say("/api/v1/exemptions", .object(wish)) }
        #expect(answer.status == status, "\(answer.text)")
        #expect(try server.journal.exemptions().isEmpty)
    }

    @Test("What was decided is not decided again")
    func once() async throws {
        try await server.run { asking in
            let id = try await propose(asking)
            #expect(try await word("refuse", id, as: "subject-3", asking).status == 200)
            for again in ["approve", "refuse", "withdraw"] {
                let answer = try await word(again, id, as: "subject-3", asking)
                #expect(answer.status == 409 && answer.sentence.contains("refused already"), "\(answer.sentence)")
            }
            #expect(try await word("approve", "x-0000", as: "subject-3", asking).status == 404)
        }
    }
}
