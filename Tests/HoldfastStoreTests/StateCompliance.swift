import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import Testing

/// What every implementation of the journal promises of resources, their history and their findings.
@Suite("A journal's state")
struct StateCompliance {
    let first = Sample.bucket("first")
    let second = Sample.bucket("second")

    @Test("A resource is as it was written last", arguments: JournalKind.all)
    func resources(kind: JournalKind) throws {
        let bench = try Bench(kind)
        var later = Sample.stored(first, "two")
        later.isDeleted = true
        later.incarnation = "next"
        try bench.commit { $0.resources = [Sample.stored(first, "one"), Sample.stored(second)] }
        try bench.commit { $0.resources = [Sample.stored(first, "between"), later] }
        #expect(try bench.journal.resource(first) == later)
        #expect(try bench.journal.resource(second) == Sample.stored(second))
        #expect(try bench.journal.resource(Sample.bucket("third")) == nil)
        #expect(try bench.journal.resource(ResourceID(type: "Other", id: "first")) == nil)
    }

    @Test("Pages of resources have each once, in the order of type and id by bytes", arguments: JournalKind.all)
    func pages(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let ids = ["Z", "a", "e\u{301}", "z", "é", "中"].flatMap { id in
            ["AWS::EC2::VPC", "AWS::S3::Bucket"].map { ResourceID(type: $0, id: id) }
        }
        try bench.commit { $0.resources = ids.shuffled().map { Sample.stored($0) } }
        // Dirty and timed, and without a state: not a resource of the journal yet.
        try bench.commit { $0.dirty = [Sample.mark(Sample.bucket("named only"))] }
        let expected = ids.sorted { a, b in
            a.type == b.type
                ? a.id.utf8.lexicographicallyPrecedes(b.id.utf8) : a.type.utf8.lexicographicallyPrecedes(b.type.utf8)
        }
        for size in [1, 5, 100] {
            var seen: [ResourceID] = []
            while true {
                let page = try bench.journal.resources(after: seen.last, limit: size)
                #expect(page.count <= size)
                if page.isEmpty { break }
                seen += page.map(\.resource)
            }
            #expect(seen.map { Array($0.id.utf8) } == expected.map { Array($0.id.utf8) })
        }
    }

    @Test("References lead to the resources that hold them now", arguments: JournalKind.all)
    func references(kind: JournalKind) throws {
        let bench = try Bench(kind)
        func holders(_ path: String, _ value: String) throws -> [String] {
            try bench.journal.resources(type: first.type, path: path, value: value, limit: 100).map(\.resource.id)
        }
        let other = ResourceID(type: "AWS::EC2::Instance", id: "i-1")
        try bench.commit {
            $0.resources = [
                Sample.stored(second, references: [("KeyId", "k1"), ("KeyId", "k2")]),
                Sample.stored(first, references: [("KeyId", "k1"), (".", "first"), (".", "first")]),
                Sample.stored(other, references: [("KeyId", "k1")]),
            ]
        }
        #expect(try holders("KeyId", "k1") == ["first", "second"])
        #expect(try holders("KeyId", "k2") == ["second"])
        #expect(try holders(".", "first") == ["first"])
        try bench.commit { $0.resources = [Sample.stored(second, references: [("KeyId", "k2"), ("Arn", "k1")])] }
        #expect(try holders("KeyId", "k1") == ["first"])
        #expect(try holders("KeyId", "k2") == ["second"])
        #expect(try holders("Arn", "k1") == ["second"])
        try bench.commit { $0.resources = [Sample.stored(second)] }
        #expect(try holders("KeyId", "k2") == [])
        #expect(try bench.journal.resources(type: other.type, path: "KeyId", value: "k1", limit: 9).count == 1)
    }

    @Test("All holders of a reference are found page by page", arguments: JournalKind.all)
    func referencePages(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let ids = (10..<33).map { Sample.bucket("b-\($0)") }
        try bench.commit { $0.resources = ids.reversed().map { Sample.stored($0, references: [("VpcId", "v")]) } }
        var seen: [ResourceID] = []
        while true {
            let page = try bench.journal.resources(
                type: first.type, path: "VpcId", value: "v", after: seen.last, limit: 5)
            if page.isEmpty { break }
            seen += page.map(\.resource)
        }
        #expect(seen == ids)
    }

    @Test("A resource has each event once in its history, as it was written first", arguments: JournalKind.all)
    func historyOnce(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let one = Sample.entry(first, event: "e1", happened: 1, "first")
        try bench.commit { $0.history = [one, Sample.entry(first, event: "e1", happened: 1, "again")] }
        try bench.commit {
            $0.history = [
                Sample.entry(first, event: "e1", happened: 9, "later"), Sample.entry(second, event: "e1", happened: 1),
            ]
        }
        #expect(try bench.journal.history(of: first, upTo: .distantFuture) == [one])
        #expect(try bench.journal.history(of: second, upTo: .distantFuture).count == 1)
    }

    @Test("History up to a moment is what had happened by then, whenever it became known", arguments: JournalKind.all)
    func historyUpTo(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let late = Sample.entry(first, event: "a", happened: 2, known: 900)
        try bench.commit {
            $0.history = [
                Sample.entry(first, event: "c", happened: 3), Sample.entry(first, event: "b", happened: 2),
                Sample.entry(first, event: "z", happened: 1),
            ]
        }
        try bench.commit { $0.history = [late] }
        func ids(upTo second: Int64) throws -> [String] {
            try bench.journal.history(of: first, upTo: Sample.at(second)).map(\.eventID)
        }
        #expect(try ids(upTo: 0) == [])
        #expect(try ids(upTo: 1) == ["z"])
        #expect(try ids(upTo: 2) == ["z", "a", "b"])
        #expect(try ids(upTo: 99) == ["z", "a", "b", "c"])
    }

    @Test("A finding is as it was written last, and keeps every change", arguments: JournalKind.all)
    func findings(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit {
            $0.findings = [
                Sample.finding("f2", of: first), Sample.finding("f1", of: first), Sample.finding("f3", of: second),
            ]
            $0.findingChanges = [Sample.change("f1", "opened", at: 5)]
        }
        var resolved = Sample.finding("f1", of: first, state: "resolved", body: ["why": "fixed"])
        resolved.severity = .critical
        // Known later, happened earlier: the order is that of writing.
        try bench.commit {
            $0.findings = [resolved]
            $0.findingChanges = [Sample.change("f1", "changed", at: 3), Sample.change("f1", "resolved", at: 9)]
        }
        #expect(try bench.journal.finding(id: "f1") == resolved)
        #expect(try bench.journal.finding(id: "f9") == nil)
        #expect(try bench.journal.findings(of: first).map(\.id) == ["f1", "f2"])
        #expect(try bench.journal.findings(states: ["open"]).map(\.id) == ["f2", "f3"])
        #expect(try bench.journal.findings(states: ["resolved", "open"]).map(\.id) == ["f1", "f2", "f3"])
        #expect(try bench.journal.findings(states: []) == [])
        #expect(try bench.journal.findingChanges(of: "f1").map(\.change) == ["opened", "changed", "resolved"])
        #expect(try bench.journal.findingChanges(of: "f2") == [])
    }

    @Test(
        "A change or a plan of a finding that was never written is refused with all beside it",
        arguments: JournalKind.all)
    func strayChanges(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let before = try bench.contents()
        #expect(throws: JournalError.self) {
            try bench.commit {
                $0.resources = [Sample.stored(first)]
                $0.findingChanges = [Sample.change("nobody", "opened", at: 1)]
            }
        }
        #expect(throws: JournalError.self) {
            try bench.commit {
                $0.resources = [Sample.stored(first)]
                $0.plans = [("nobody", "d", [:])]
            }
        }
        #expect(try bench.contents() == before)
    }

    @Test("The plan of a finding is the one recorded last", arguments: JournalKind.all)
    func plans(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.findings = [Sample.finding("f1", of: first), Sample.finding("f2", of: first)] }
        #expect(try bench.journal.plan(finding: "f1") == nil)
        for digest in ["a", "b", "b", "a"] {
            try bench.commit { $0.plans = [("f1", digest, ["of": .string(digest)])] }
            let plan = try #require(try bench.journal.plan(finding: "f1"))
            #expect(plan.digest == digest)
            #expect(plan.body == ["of": .string(digest)])
        }
        #expect(try bench.journal.plan(finding: "f2") == nil)
    }
}
