import HoldfastCore
import HoldfastEngine
import Testing

/// What every implementation of the journal promises of work, counts and notices.
@Suite("A journal's work")
struct WorkCompliance {
    let first = Sample.bucket("first")
    let second = Sample.bucket("second")

    private func due(_ bench: Bench, at second: Int64 = 1000, except: Set<ResourceID> = [], limit: Int = 100) throws
        -> [DirtyResource]
    {
        try bench.journal.dirty(dueAt: Sample.at(second), except: except, limit: limit)
    }

    @Test("However often a resource is marked, it is one row, and done takes it out", arguments: JournalKind.all)
    func burst(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.dirty = [Sample.mark(first), Sample.mark(first)] }
        try bench.commit { $0.dirty = [Sample.mark(first)] }
        let claimed = try due(bench)
        #expect(claimed.map(\.resource) == [first])
        try bench.commit { $0.done = claimed }
        #expect(try due(bench) == [])
    }

    @Test("A mark on a resource that is being worked on makes exactly one rerun", arguments: JournalKind.all)
    func rerun(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.dirty = [Sample.mark(first, since: 1)] }
        let claimed = try due(bench)
        try bench.commit { $0.dirty = [Sample.mark(first, since: 7)] }
        try bench.commit { $0.dirty = [Sample.mark(first, since: 8)] }
        #expect(try due(bench, except: [first]) == [])
        try bench.commit { $0.done = claimed }
        let again = try due(bench)
        #expect(again.map(\.resource) == [first])
        let (rerun, run) = (try #require(again.first), try #require(claimed.first))
        #expect(rerun.generation > run.generation)
        #expect(rerun.since > run.since, "the work for the first mark is done: its age no longer counts")
        try bench.commit { $0.done = again }
        #expect(try due(bench) == [])
        try bench.commit { $0.done = again }
        #expect(try bench.journal.dirtySummary().count == 0)
    }

    @Test("A late done never takes out a newer mark, also after the row went and came back", arguments: JournalKind.all)
    func lateDone(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.dirty = [Sample.mark(first)] }
        let claimed = try due(bench)
        try bench.commit { $0.done = claimed }
        try bench.commit { $0.dirty = [Sample.mark(first)] }
        try bench.commit { $0.done = claimed }
        #expect(try due(bench).map(\.resource) == [first])
    }

    @Test("Work that marks its own resource again keeps it dirty", arguments: JournalKind.all)
    func doneAndMarked(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.dirty = [Sample.mark(first)] }
        let claimed = try due(bench)
        try bench.commit {
            $0.dirty = [Sample.mark(first, since: 4)]
            $0.done = claimed
        }
        #expect(try due(bench).map(\.since) == [Sample.at(4)])
    }

    @Test("A failed run waits, and a mark meanwhile cuts the wait short", arguments: JournalKind.all)
    func backoff(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit { $0.dirty = [Sample.mark(first, since: 1)] }
        for attempt in 1...3 {
            let claimed = try due(bench)
            #expect(claimed.map(\.attempts) == [attempt - 1])
            try bench.commit {
                $0.done = claimed
                $0.dirty = [Sample.mark(first, since: 1, notBefore: 2000, attempts: attempt, reason: "throttled")]
            }
            #expect(try due(bench) == [])
            #expect(try bench.journal.dirtySummary().nextDue == Sample.at(2000))
            try bench.commit { $0.dirty = [Sample.mark(first, since: 50, notBefore: 50)] }
            #expect(try due(bench).map(\.attempts) == [attempt], "an event does not make the failures forgotten")
            #expect(try due(bench).map(\.since) == [Sample.at(1)])
        }
        // It succeeds, and was marked meanwhile: the rerun begins without failures.
        let claimed = try due(bench)
        try bench.commit { $0.dirty = [Sample.mark(first, since: 60, notBefore: 60)] }
        try bench.commit { $0.done = claimed }
        #expect(try due(bench).map(\.attempts) == [0])
    }

    @Test("Marks of one resource are merged into the most urgent", arguments: JournalKind.all)
    func merging(kind: JournalKind) throws {
        let bench = try Bench(kind)
        try bench.commit {
            $0.dirty = [
                Sample.mark(first, priority: 2, since: 5, notBefore: 5, reason: "event"),
                Sample.mark(first, priority: 3, since: 2, notBefore: 9, attempts: 4, reason: "sweep"),
            ]
        }
        let merged = try #require(try due(bench).first)
        #expect(merged.priority == 2)
        #expect(merged.since == Sample.at(2))
        #expect(merged.notBefore == Sample.at(5))
        #expect(merged.attempts == 4)
        #expect(merged.reason == "event")
        try bench.commit { $0.dirty = [Sample.mark(first, priority: 0, since: 8, notBefore: 8, reason: "own eyes")] }
        let urgent = try #require(try due(bench).first)
        #expect(urgent.priority == 0)
        #expect(urgent.reason == "own eyes")
        #expect(urgent.context == Sample.context)
    }

    @Test("Due work comes by priority, then by age, without what is in hand", arguments: JournalKind.all)
    func order(kind: JournalKind) throws {
        let bench = try Bench(kind)
        func id(_ name: String) -> ResourceID { Sample.bucket(name) }
        try bench.commit {
            $0.dirty = [
                Sample.mark(id("young low"), priority: 3, since: 2), Sample.mark(id("old low"), priority: 3, since: 1),
                Sample.mark(id("later"), priority: 0, since: 0, notBefore: 2000),
                Sample.mark(id("high"), priority: 1, since: 9), Sample.mark(id("top"), priority: 0, since: 9),
            ]
        }
        func names(_ found: [DirtyResource]) -> [String] { found.map(\.resource.id) }
        #expect(try names(due(bench)) == ["top", "high", "old low", "young low"])
        #expect(try names(due(bench, limit: 2)) == ["top", "high"])
        #expect(try names(due(bench, except: [id("top"), id("old low")], limit: 2)) == ["high", "young low"])
        #expect(try names(due(bench, at: 2000, limit: 1)) == ["later"])
        let summary = try bench.journal.dirtySummary()
        #expect(summary.count == 5)
        #expect(summary.oldest == Sample.at(0))
        #expect(summary.nextDue == Sample.at(0))
        let claimed = try due(bench)
        try bench.commit { $0.done = claimed }
        #expect(try bench.journal.dirtySummary() == (1, Sample.at(0), Sample.at(2000)))
    }

    @Test("With nothing dirty the summary says so", arguments: JournalKind.all)
    func nothingDirty(kind: JournalKind) throws {
        let summary = try Bench(kind).journal.dirtySummary()
        #expect(summary == (0, nil, nil))
    }

    @Test("In any order of marks, claims, successes and failures no mark is lost", arguments: JournalKind.all, 1...20)
    func queueModel(kind: JournalKind, seed: UInt64) throws {
        let bench = try Bench(kind)
        var dice = SplitMix(state: seed)
        let names = (0..<4).map { Sample.bucket("b\($0)") }
        // When each was marked last, when the run in hand began, when the last run that succeeded began.
        var marked: [ResourceID: Int] = [:]
        var inHand: [ResourceID: (began: Int, row: DirtyResource)] = [:]
        var finished: [ResourceID: Int] = [:]
        func finish(_ resource: ResourceID, failed: Bool, step: Int) throws {
            guard let run = inHand.removeValue(forKey: resource) else { return }
            try bench.commit {
                $0.done = [run.row]
                if failed { $0.dirty = [Sample.mark(resource, attempts: run.row.attempts + 1)] }
            }
            if failed { marked[resource] = step } else { finished[resource] = run.began }
        }
        for step in 0..<60 {
            let resource = names[Int(dice.next() % 4)]
            switch dice.next() % 4 {
            case 0, 1:
                try bench.commit { $0.dirty = [Sample.mark(resource)] }
                marked[resource] = step
            case 2:
                if let row = try due(bench, except: Set(inHand.keys), limit: 1).first {
                    inHand[row.resource] = (step, row)
                }
            default:
                try finish(resource, failed: dice.next() % 3 == 0, step: step)
            }
            let dirty = Set(try due(bench).map(\.resource))
            for name in names {
                let isNeeded = inHand[name] != nil || (marked[name] ?? -1) > (finished[name] ?? -1)
                #expect(dirty.contains(name) == isNeeded, "\(name) after step \(step)")
            }
        }
    }

    @Test("A timer comes when it is due, the earliest one of a rule and resource", arguments: JournalKind.all)
    func timers(kind: JournalKind) throws {
        let bench = try Bench(kind)
        #expect(try bench.journal.nextTimer() == nil)
        func timer(_ id: ResourceID, _ rule: String, _ due: Int64) -> TimerMark {
            TimerMark(resource: id, rule: rule, due: Sample.at(due))
        }
        try bench.commit { $0.timers = [timer(first, "age", 30), timer(first, "end", 10), timer(second, "age", 20)] }
        try bench.commit { $0.timers = [timer(first, "age", 25), timer(second, "age", 99)] }
        #expect(try bench.journal.nextTimer() == Sample.at(10))
        let fired = try bench.journal.timers(dueAt: Sample.at(20), limit: 9)
        #expect(fired == [timer(first, "end", 10), timer(second, "age", 20)])
        #expect(try bench.journal.timers(dueAt: Sample.at(20), limit: 1) == Array(fired.prefix(1)))
        try bench.commit {
            $0.firedTimers = fired
            $0.timers = [timer(first, "end", 40)]
        }
        #expect(
            try bench.journal.timers(dueAt: .distantFuture, limit: 9) == [
                timer(first, "age", 25), timer(first, "end", 40),
            ])
        // Fired for a moment at which it is not due any more.
        try bench.commit { $0.firedTimers = [timer(first, "end", 10)] }
        #expect(try bench.journal.timers(dueAt: .distantFuture, limit: 9).count == 2)
    }

    @Test("A session leads to who opened it last, whichever link came first", arguments: JournalKind.all)
    func sessions(kind: JournalKind) throws {
        func link(_ name: String, _ second: Int64) -> SessionLink {
            SessionLink(session: "ASIA", caller: Principal(name: name, type: "User"), opened: Sample.at(second))
        }
        let links = [link("ann", 1), link("bob", 9), link("cid", 9), link("dan", 5)]
        for order in [links, links.reversed(), [links[2], links[0], links[1], links[3]]] {
            let bench = try Bench(kind)
            for link in order { try bench.commit { $0.sessions = [link] } }
            #expect(try bench.journal.session("ASIA") == link("cid", 9))
            #expect(try bench.journal.session("AKIA") == nil)
        }
    }

    @Test("Counters add up by name, label and hour", arguments: JournalKind.all)
    func counters(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let one = CounterDelta(name: "n", label: "a", hour: 3600)
        try bench.commit { $0.counters = [one, one, CounterDelta(name: "n", label: "b", amount: 7)] }
        try bench.commit { $0.counters = [one, CounterDelta(name: "m"), CounterDelta(name: "n", label: "a", hour: 0)] }
        #expect(
            try bench.journal.counters(name: "n") == [
                CounterDelta(name: "n", label: "a", hour: 0, amount: 1),
                CounterDelta(name: "n", label: "a", hour: 3600, amount: 3),
                CounterDelta(name: "n", label: "b", hour: 0, amount: 7),
            ])
        #expect(try bench.journal.counters(name: "o") == [])
    }

    @Test("A dead letter of one place is kept once", arguments: JournalKind.all)
    func deadLetters(kind: JournalKind) throws {
        let bench = try Bench(kind)
        func letter(_ place: String, _ second: Int64) -> DeadLetter {
            DeadLetter(place: place, source: "file", reason: "bad", received: Sample.at(second), bytes: [0])
        }
        try bench.commit { $0.deadLetters = [letter("a@0", 1), letter("a@0", 2), letter("a@9", 1)] }
        try bench.commit { $0.deadLetters = [letter("a@0", 3), letter("b@0", 3)] }
        #expect(try bench.journal.deadLetters(limit: 9) == [letter("b@0", 3), letter("a@9", 1), letter("a@0", 1)])
        #expect(try bench.journal.deadLetters(limit: 1) == [letter("b@0", 3)])
    }

    @Test("One notice is open for a code and subject, until it is closed", arguments: JournalKind.all)
    func notices(kind: JournalKind) throws {
        let bench = try Bench(kind)
        func notice(_ subject: String, _ text: String, _ second: Int64) -> Notice {
            Notice(code: "stream-gap", subject: subject, text: text, raised: Sample.at(second))
        }
        try bench.commit { $0.notices = [notice("b", "waits 1 s", 1), notice("a", "waits 1 s", 1)] }
        try bench.commit { $0.notices = [notice("a", "waits 9 s", 9)] }
        #expect(try bench.journal.openNotices() == [notice("a", "waits 9 s", 1), notice("b", "waits 1 s", 1)])
        try bench.commit {
            $0.closedNotices = ["a", "c"].map { NoticeClosing(code: "stream-gap", subject: $0, at: Sample.at(10)) }
        }
        #expect(try bench.journal.openNotices() == [notice("b", "waits 1 s", 1)])
        try bench.commit { $0.notices = [notice("a", "again", 20)] }
        #expect(try bench.journal.openNotices() == [notice("a", "again", 20), notice("b", "waits 1 s", 1)])
    }
}

/// Sebastiano Vigna's SplitMix64: the same numbers for a seed everywhere.
struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
