import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import HoldfastServer
import HoldfastStore
import TestOracles
import Testing

@Suite("An undo where others changed the resource")
struct UndoQuestionTests {
    /// A run that is verified; then somebody makes another statement of the same name, which nobody has read yet.
    private func meddled() async throws -> (bench: DeskBench, run: String) {
        let bench = try await DeskBench()
        let ask = try await bench.drift()
        let keeper = bench.server.keeper
        let ann = Person(name: "ann.lee", roles: ["approver"], via: "test")
        try await keeper.say(.approve, on: [ask.digest], by: ann, reason: "", now: bench.server.clock.now)
        try await bench.work()
        bench.server.clock.move(seconds: 20)
        try await bench.work()
        let run = try #require(try bench.server.journal.runs(limit: 1).first)
        try #require(run.phase == .verified, "\(run.reason)")
        bench.meddle(.renamed)
        bench.server.clock.move(seconds: 60)
        return (bench, run.id)
    }

    private func undo(
        _ run: String, accept: String? = nil, _ asking: ServerBench.Asking
    ) async throws -> HTTPResponse {
        var wish = JSONObject([("reason", "it was meant so")])
        wish["accept"] = accept.map { .string($0) }
        return try await asking.say("/api/v1/runs/\(run)/undo", .object(wish))
    }

    @Test("Nothing is written until a person accepts the difference that they were shown")
    func asks() async throws {
        let (bench, run) = try await meddled()
        try await bench.server.run { asking in
            #expect(try await undo(run, asking).status == 200)
            try await bench.work()
            let stuck = try await asking.ask("/api/v1/runs/\(run)").json
            #expect(stuck["phase"] == "stuck")
            #expect(stuck["reason"]?.string?.contains("was changed by others since") == true)
            #expect(bench.calls == ["s3.PutBucketPolicy"])
            #expect(try bench.server.journal.openNotices().contains { $0.code == "run-stuck" })

            let asked = try await undo(run, asking)
            #expect(asked.status == 409, "\(asked.text)")
            let difference = try #require(asked.json["error"]?["difference"])
            let row = try #require(difference["differences"]?.array?.first)
            #expect(row["path"] == "Policy.Statement[PublicRead]")
            #expect(row["before"]?["Effect"] == "Allow")
            #expect(row["written"] == nil)
            #expect(row["now"]?["Effect"] == "Deny")
            let page = try await asking.signedIn().open("/runs/\(run)")
            #expect(page.text.contains("Policy.Statement[PublicRead]"))

            // Another word than on just this difference is none.
            let wrong = try await undo(run, accept: String(repeating: "0", count: 64), asking)
            #expect(wrong.status == 409)
            try await bench.work()
            #expect(bench.calls == ["s3.PutBucketPolicy"])

            let digest = try #require(difference["digest"]?.string)
            let accepted = try await undo(run, accept: digest, asking)
            #expect(accepted.status == 200, "\(accepted.text)")
            try await bench.work()
            #expect(try bench.server.journal.run(id: run)?.phase == .undone)
            #expect(bench.calls == ["s3.PutBucketPolicy", "s3.PutBucketPolicy"])
            #expect(try !bench.server.journal.openNotices().contains { $0.code == "run-stuck" })
            let words = try bench.server.journal.auditEntries(after: 0, limit: 1000).filter { $0.entry.kind == "undo" }
            #expect(words.last?.entry.body["accepted"] == .string(digest))
        }
    }

    @Test("Where it changed again after the word, it is asked anew")
    func changedAgain() async throws {
        let (bench, run) = try await meddled()
        try await bench.server.run { asking in
            #expect(try await undo(run, asking).status == 200)
            try await bench.work()
            let asked = try await undo(run, asking)
            let digest = try #require(asked.json["error"]?["difference"]?["digest"]?.string)
            #expect(try await undo(run, accept: digest, asking).status == 200)
            // Before it is read for the write, somebody takes the statement out: the undo applies, and needs no word.
            bench.meddle(.closed)
            bench.server.clock.move(seconds: 60)
            try await bench.work()
            #expect(try bench.server.journal.run(id: run)?.phase == .undone)
        }
    }

    @Test("Where it is known already, the first question is answered with the difference")
    func atOnce() async throws {
        let (bench, run) = try await meddled()
        let keeper = bench.server.keeper
        let found = try bench.read(DeskBench.bucket)
        _ = try await keeper.scan(
            [(ListedResource(resource: DeskBench.bucket, context: DeskBench.place, element: .null), found)], unread: [],
            now: bench.server.clock.now)
        try await bench.server.run { asking in
            let asked = try await undo(run, asking)
            #expect(asked.status == 409, "\(asked.text)")
            #expect(asked.json["error"]?["difference"]?["digest"]?.string?.count == 64)
            let kept = try #require(try bench.server.journal.run(id: run))
            #expect(kept.phase == .stuck && kept.undoneBy == "ann.lee")
            #expect(bench.calls == ["s3.PutBucketPolicy"])
        }
    }
}
