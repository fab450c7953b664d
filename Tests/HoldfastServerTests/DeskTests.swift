import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import TestOracles
import Testing

@Suite("What people decide")
struct DeskTests {
    @Test("A plan waits with its sentence, is approved by another person, carried out, verified and undone")
    func approve() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        try await bench.server.run { asking in
            let waiting = try await asking.ask("/api/v1/approvals").json["items"]?.array ?? []
            #expect(waiting.map { $0["digest"]?.string } == [ask.digest])
            #expect(
                waiting.first?["sentence"]?.string?.contains("user/bo did s3.amazonaws.com/PutBucketPolicy") == true)

            let said = try await asking.say(
                "/api/v1/words", ["word": "approve", "digests": [.string(String(ask.digest.prefix(12)))]])
            #expect(said.status == 200, "\(said.text)")
            #expect(said.json["digests"] == [.string(ask.digest)])
            try await bench.work()
            #expect(bench.calls == ["s3.PutBucketPolicy"])
            bench.server.clock.move(seconds: 20)
            try await bench.work()
            let run = try #require(try bench.server.journal.runs(limit: 1).first)
            #expect(run.phase == .verified, "\(run.reason)")

            let shown = try await asking.ask("/api/v1/plans/\(ask.digest)").json
            #expect(shown["words"]?.array?.first?["person"] == "ann.lee")
            #expect(shown["runs"]?.array?.first?["phase"] == "verified")

            let undone = try await asking.say("/api/v1/runs/\(run.id)/undo", ["reason": "it was meant so"])
            #expect(undone.status == 200, "\(undone.text)")
            try await bench.work()
            #expect(try bench.server.journal.run(id: run.id)?.phase == .undone)
        }
    }

    @Test("Who made the change cannot approve its fix")
    func fourEyes() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let provider = try Provider()
        var server = bench.server
        server.settings.provider = provider.settings
        let token = try await provider.token(JSONObject([("sub", "subject-2")]))
        let answer = try await server.run { asking in
            try await asking.say(
                "/api/v1/words", ["word": "approve", "digests": [.string(ask.digest)]], socket: false,
                headers: ["Authorization": "Bearer \(token)"])
        }
        #expect(answer.status == 403)
        #expect(answer.sentence.contains("bo.ray made the change"), "\(answer.sentence)")
        #expect(try bench.server.journal.approvals(of: ask.digest).isEmpty)
    }

    @Test("Who objects cannot approve it; taken back, what was approved meanwhile counts")
    func objection() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let path = "/api/v1/findings/\(ask.finding)/object"
        try await bench.server.run { asking in
            #expect(try await asking.say(path, ["reason": " "]).status == 400)
            let said = try await asking.say(path, ["reason": "the press kit is served from it"])
            #expect(said.status == 200, "\(said.text)")
            #expect(try await asking.say(path, ["reason": "again"]).sentence.contains("objected at"))
            bench.server.clock.move(seconds: 1)
            try await bench.work()
            let asked = try #require(try bench.server.journal.asks().first)
            #expect(asked.mustPrompt && asked.prompt.mayBreak.first?.contains("the press kit") == true)
            _ = try await asking.say("/api/v1/words", ["word": "approve", "digests": [.string(ask.digest)]])
            try await bench.work()
            #expect(bench.calls.isEmpty)
            let why = try await asking.ask("/api/v1/findings/\(ask.finding)/why").json
            #expect(why["objections"]?.array?.first?["person"] == "ann.lee")
            #expect(try await asking.say("\(path)/withdraw", [:]).status == 200)
            try await bench.work()
            #expect(bench.calls == ["s3.PutBucketPolicy"])
        }
    }

    @Test("Who has no role may object to what they made, and to nothing else; what is fixed already stays so")
    func mayObject() async throws {
        let bench = try await DeskBench()
        let finding = try await bench.drift().finding
        let keeper = bench.server.keeper
        func object(_ name: String) async throws(DeskRefusal) {
            try await keeper.object(
                to: finding, by: Person(name: name, roles: [], via: "session"), isOperator: false, reason: "a demo",
                now: bench.server.clock.now)
        }
        await #expect(throws: DeskRefusal.self) { try await object("dee.low") }
        #expect(try bench.server.journal.objections(to: finding).isEmpty)
        try await object("bo.ray")
        #expect(try bench.server.journal.objections(to: finding).map(\.person) == ["bo.ray"])
    }

    @Test("What somebody refused is not approved by the next, who is told why")
    func refusedBefore() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let answer = try await bench.server.run { asking in
            let digests = JSON.array([.string(ask.digest)])
            let refused = try await asking.say(
                "/api/v1/words", ["word": "refuse", "digests": digests, "reason": "it is the press kit"])
            #expect(refused.status == 200, "\(refused.text)")
            return try await asking.say("/api/v1/words", ["word": "approve", "digests": digests])
        }
        #expect(answer.status == 409 && answer.sentence.contains("ann.lee refused"), "\(answer.text)")
        #expect(try bench.server.journal.approvals(of: ask.digest).map(\.word) == [.refuse])
    }

    @Test("A write that is denied is tried again later and later, and one resource alone halts no playbook")
    func denied() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        bench.deny()
        try await bench.server.run { asking in
            let digests = JSON.array([.string(ask.digest)])
            #expect(try await asking.say("/api/v1/words", ["word": "approve", "digests": digests]).status == 200)
            for (calls, seconds) in [(1, 290), (1, 20), (2, 580), (2, 30), (3, 1190), (3, 20), (4, 5), (4, 0)] {
                try await bench.work()
                #expect(bench.calls.count == calls)
                bench.server.clock.move(seconds: seconds)
            }
            let why = try await asking.ask("/api/v1/findings/\(ask.finding)/why").text
            #expect(why.contains("4 runs on it failed in a row"), "\(why)")
        }
        #expect(try bench.server.journal.halts().isEmpty)
    }

    @Test("A campaign goes on without what is another plan by now, and says what it left out")
    func campaignLeavesOut() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let now = bench.server.clock.now
        let playbook = try #require(try bench.server.journal.decision(of: ask.finding)?.playbook)
        let campaign = Campaign(
            id: "c-1", playbook: playbook, playbookDigest: "", scope: "", state: .running,
            items: [.init(finding: ask.finding, plan: "the plan of yesterday")], wave: 1, proposedBy: "ann.lee",
            proposed: now, reason: "")
        var transaction = JournalTransaction()
        transaction.leases = [try bench.server.journal.acquire(part: "test")]
        transaction.remediation.campaigns = [campaign]
        transaction.remediation.touchAll = now
        try bench.server.journal.commit(transaction)
        bench.server.clock.move(seconds: 5)
        try await bench.work()
        #expect(try bench.server.journal.campaigns().map(\.state) == [.done])
        let entries = try bench.server.journal.auditEntries(after: 0, limit: 1000).map(\.entry)
        let done = entries.last { $0.kind == "campaign-done" }
        #expect(done?.body["left-out"] == [.string(ask.finding)])
    }

    @Test("Who has no role that decides is told which it takes, and root is nobody", arguments: [true, false])
    func roles(isRoot: Bool) async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        var server = bench.server
        if isRoot { server.people.identities[0].local = ["nobody-here"] } else { server.people.roles["approver"] = [] }
        let answer = try await server.run {
            try await $0.say("/api/v1/words", ["word": "approve", "digests": [.string(ask.digest)]])
        }
        #expect(answer.status == 403)
        let expected = isRoot ? "identities: local:" : "takes the role approver or admin"
        #expect(answer.sentence.contains(expected) || answer.sentence.contains("no person"), "\(answer.sentence)")
        #expect(try bench.server.journal.approvals(of: ask.digest).isEmpty)
    }

    @Test(
        "A wish that cannot be meant is refused in a sentence, and changes nothing",
        arguments: [
            (["word": "maybe", "digests": ["aaaaaaaaaaaa"]], 400), (["word": "approve", "digests": []], 400),
            (["word": "approve", "digests": ["short"]], 400), (["word": "approve", "digests": ["aaaaaaaaaaaa"]], 404),
            (["word": "refuse", "digests": ["aaaaaaaaaaaa"]], 400), (["word": "approve", "digest": "x"], 400),
            ("approve", 400), (["word": "refuse", "digests": ["aaaaaaaaaaaa"], "reason": " \n"], 400),
            (["word": "hold", "digests": ["aaaaaaaaaaaa"], "reason": "x", "until": "tomorrow"], 400),
        ] as [(JSON, Int)])
    func malformed(wish: JSON, status: Int) async throws {
        let bench = try await DeskBench()
        let answer = try await bench.server.run { try await $0.say("/api/v1/words", wish) }
        #expect(answer.status == status, "\(answer.text)")
        #expect(!answer.sentence.isEmpty)
    }

    @Test(
        "What other sites can send without asking is not taken for a wish",
        arguments: ["text/plain", "application/x-www-form-urlencoded"])
    func simpleRequests(type: String) async throws {
        let bench = try await DeskBench()
        let answer = try await bench.server.run {
            try await $0.say("/api/v1/halts", ["reason": "x"], headers: ["Content-Type": type])
        }
        #expect(answer.status == 415)
        #expect(try bench.server.journal.halts().isEmpty)
    }

    @Test("Why a finding waits says that it is halted as soon as somebody has halted it")
    func haltIsSeen() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let why = try await bench.server.run { asking in
            #expect(try await asking.say("/api/v1/halts", ["reason": "incident 7"]).status == 200)
            bench.server.clock.move(seconds: 5)
            try await bench.work()
            return try await asking.ask("/api/v1/findings/\(ask.finding)/why").json
        }
        let halt = why["decision"]?["guards"]?.array?.first { $0["guard"] == "halt" }
        #expect(halt?["says"] == "refuse", "\(String(describing: halt))")
    }

    @Test("A halt is seen by everybody and ends when somebody resumes it")
    func halts() async throws {
        let bench = try await DeskBench()
        try await bench.server.run { asking in
            let halted = try await asking.say("/api/v1/halts", ["reason": "incident 7"])
            #expect(halted.status == 200, "\(halted.text)")
            #expect(try await asking.ask("/api/v1/halts").json["items"]?.array?.first?["part"] == "all")
            let page = try await asking.signedIn().open("/approvals")
            #expect(page.text.contains("Halted: <strong>all</strong>"))
            let resumed = try await asking.say("/api/v1/halts/resume", ["reason": "over"])
            #expect(resumed.status == 200)
            #expect(try await asking.ask("/api/v1/halts").json["items"] == [])
            let bad = try await asking.say("/api/v1/halts", ["part": "everything", "reason": "x"])
            #expect(bad.status == 400 && bad.sentence.contains("cloud:CLOUD"))
        }
    }

    @Test("A finding is acknowledged and assigned by people who are known, and the audit log says by whom")
    func care() async throws {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        try await bench.server.run { asking in
            let path = "/api/v1/findings/\(ask.finding)"
            #expect(try await asking.say("\(path)/acknowledge", ["note": "looking"]).status == 200)
            #expect(try await asking.say("\(path)/assign", ["to": "bo.ray"]).status == 200)
            let wrong = try await asking.say("\(path)/assign", ["to": "bo.rey"])
            #expect(wrong.status == 404 && wrong.sentence.contains("bo.ray"), "\(wrong.sentence)")
            let answer = try await asking.ask("\(path)/why")
            let care = answer.json["care"]
            #expect(care?["acknowledged-by"] == "ann.lee" && care?["assignee"] == "bo.ray", "\(answer.text)")
            let audit = try await asking.ask("/api/v1/audit?kind=acknowledged&kind=assigned").json["items"]?.array ?? []
            #expect(audit.compactMap { $0["body"]?["person"]?.string } == ["ann.lee", "ann.lee"])
        }
    }

    @Test("An environment is opened to a playbook by an administrator, and waits for a second")
    func rollout() async throws {
        let bench = try await DeskBench()
        let provider = try Provider()
        var server = bench.server
        server.settings.provider = provider.settings
        let token = try await provider.token(JSONObject([("sub", "subject-3")]))
        try await server.run { asking in
            let wish: JSON = [
                "playbook": "aws-s3-remove-public-statements", "environment": "production", "reason": "tried by hand",
            ]
            let refused = try await asking.say("/api/v1/rollout", wish)
            #expect(refused.status == 403 && refused.sentence.contains("admin"))
            let opened = try await asking.say(
                "/api/v1/rollout", wish, socket: false, headers: ["Authorization": "Bearer \(token)"])
            #expect(opened.json["done"]?.string?.contains("opened by cy.fox; one more person must") == true)
            let rows = try await asking.ask("/api/v1/rollout").json["items"]?.array ?? []
            #expect(rows.contains { $0["playbook"] == "aws-s3-remove-public-statements" })
        }
    }
}
