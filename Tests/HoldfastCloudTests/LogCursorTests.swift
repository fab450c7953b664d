import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import Testing

/// A log, and a reader of it that crashes.
private struct LogWorld {
    struct Event {
        var id: String
        var time: Timestamp
        /// When the log shows it.
        var shows: Timestamp
    }
    /// The order of a page.
    enum Order: CaseIterable { case newestFirst, oldestFirst }

    static let start = time("2026-11-22T00:00:00Z")
    var random: SplitMix
    var rules: PollRules
    var order: Order
    var events: [Event] = []
    var committed: SourcePosition?
    var given: [String] = []
    var now: Timestamp
    var began: Timestamp
    var pageSize: Int

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        let overlap = random.number(5...240)
        rules = PollRules(
            overlap: Span(seconds: overlap), every: Span(seconds: random.number(30...120)),
            retention: Span(seconds: 86_400), pagesAWindow: random.number(1...5))
        order = random.once(in: 2) ? .newestFirst : .oldestFirst
        pageSize = random.number(3...12)
        began = Self.start
        // Now and then the reader starts long after the events.
        now = Self.start.plus(random.once(in: 3) ? random.number(0...7_200_000) : 0)
        if now > Self.start { committed = SourcePosition(source: "s", partition: "p", next: Self.start.nanoseconds) }
        let resolution = random.once(in: 3) ? 1 : 1000
        for number in 0..<random.number(0...60) {
            let milliseconds = random.number(0...(random.once(in: 2) ? 600_000 : 60_000)) / resolution * resolution
            let time = Self.start.plus(milliseconds)
            let latest = overlap * 1000
            let late = random.once(in: 4) ? random.number((random.once(in: 2) ? latest : 0)...latest) : 0
            events.append(Event(id: "e\(number)", time: time, shows: time.plus(late)))
        }
    }

    /// A page of what the log shows now, behind a key.
    func page(_ window: PollWindow, token: String?) -> (events: [Event], token: String?) {
        let visible = events.filter { $0.shows <= now && $0.time >= window.from && $0.time <= window.to }
        let sorted = visible.sorted { a, b in
            let isBefore = (a.time, a.id) < (b.time, b.id)
            return order == .oldestFirst ? isBefore : !isBefore && a.id != b.id
        }
        let key = token.flatMap { token in events.first { $0.id == token } }
        let rest = sorted.drop { event in
            guard let key else { return false }
            return order == .oldestFirst
                ? (event.time, event.id) <= (key.time, key.id) : (event.time, event.id) >= (key.time, key.id)
        }
        let page = Array(rest.prefix(pageSize))
        return (page, rest.count > page.count ? page.last?.id : nil)
    }

    mutating func run() {
        var cursor = LogCursor(rules, position: committed, began: began)
        let end = Self.start.plus(600_000) + rules.overlap + rules.every + Span(seconds: 120)
        var steps = 0
        while now < end || given.count < events.count {
            steps += 1
            guard steps < 20_000, now < end + Span(seconds: 7200) else { return }
            switch cursor.next(now: now) {
            case .gap: return
            case .wait(let span):
                if cursor.mustCommit { committed = cursor.position(source: "s", partition: "p") }
                now = now + span
            case .read(let window, let token):
                let asked = now
                now = now.plus(random.number(1...(random.once(in: 6) ? 15_000 : 400)))
                if random.once(in: 30) { continue }  // no answer
                if token != nil, random.once(in: 30) {
                    cursor.restart()
                    continue
                }
                read(window, token, asked: asked, &cursor)
            }
        }
    }

    /// A page, in one batch or two, with a crash before or after its commit.
    private mutating func read(_ window: PollWindow, _ token: String?, asked: Timestamp, _ cursor: inout LogCursor) {
        let late = now
        now = asked
        let (page, next) = page(window, token: token)
        now = late
        let parts = random.number(0...page.count)
        for part in [page.prefix(parts), page.dropFirst(parts)] {
            let fresh = part.filter { cursor.take($0.id, at: $0.time) }.map(\.id)
            if part.endIndex == page.endIndex { cursor.endPage(token: next, began: asked) }
            let position = cursor.position(source: "s", partition: "p")
            if random.once(in: 20) {
                cursor = LogCursor(rules, position: committed, began: began)
                return
            }
            given += fresh
            committed = position
            if random.once(in: 20) {
                cursor = LogCursor(rules, position: committed, began: began)
                return
            }
        }
    }
}

@Suite("The cursor of a polled log")
struct LogCursorTests {
    @Test("Whatever comes late, at one second or in a burst, and wherever a crash falls, each event is given once")
    func exactlyOnce() {
        for seed in 0..<1200 as Range<UInt64> {
            var world = LogWorld(seed: seed)
            world.run()
            let given = world.given.sorted()
            #expect(given == world.events.map(\.id).sorted(), "seed \(seed)")
            if given != world.events.map(\.id).sorted() { return }
        }
    }

    private static let rules = PollRules(
        overlap: Span(seconds: 900), every: Span(seconds: 30), retention: Span(seconds: 90 * 86_400), pagesAWindow: 40)
    private static let noon = time("2026-11-22T12:00:00Z")

    private func cursor(at text: String) -> LogCursor {
        let position = SourcePosition(source: "s", partition: "p", next: time(text).nanoseconds)
        return LogCursor(Self.rules, position: position, began: Self.noon)
    }

    private func expect(_ wanted: Bool, _ isNew: Bool, _ place: SourceLocation = #_sourceLocation) {
        #expect(isNew == wanted, sourceLocation: place)
    }

    @Test("Without a position the log is read from the overlap before the start on")
    func firstStart() {
        var cursor = LogCursor(Self.rules, position: nil, began: Self.noon.plus(500))
        #expect(cursor.mustCommit)
        let first = cursor.next(now: Self.noon.plus(1200))
        let window = PollWindow(from: time("2026-11-22T11:45:00Z"), to: time("2026-11-22T12:00:02Z"))
        #expect(first == .read(window, token: nil))
    }

    @Test("The floor moves only when the last page was read, and to the overlap before the first was asked for")
    func floor() {
        var cursor = cursor(at: "2026-11-22T11:44:00Z")
        _ = cursor.next(now: Self.noon)
        expect(true, cursor.take("a", at: Self.noon))
        cursor.endPage(token: "more", began: Self.noon)
        #expect(cursor.floor == time("2026-11-22T11:44:00Z"))
        _ = cursor.next(now: Self.noon.plus(60_000))
        cursor.endPage(token: nil, began: Self.noon.plus(60_000))
        #expect(cursor.floor == time("2026-11-22T11:45:00Z"))
        expect(false, cursor.take("a", at: Self.noon))
    }

    @Test("A long absence is caught up by windows of the past, oldest first, and longer where there is little")
    func catchingUp() {
        var cursor = cursor(at: "2026-11-20T12:00:00Z")
        var windows: [PollWindow] = []
        while case .read(let window, _) = cursor.next(now: Self.noon) {
            windows.append(window)
            cursor.endPage(token: nil, began: Self.noon)
        }
        #expect(windows.first == PollWindow(from: time("2026-11-20T12:00:00Z"), to: time("2026-11-20T13:00:00Z")))
        #expect(zip(windows, windows.dropFirst()).allSatisfy { $0.to == $1.from })
        #expect(windows.count < 10 && windows.last?.to == Self.noon)
        #expect(cursor.floor == time("2026-11-22T11:45:00Z"))
    }

    @Test("A window that holds too much is cut to what its pages held, down to one second, which is read to its end")
    func cutting() {
        var cursor = cursor(at: "2026-11-20T12:00:00Z")
        var pages = 0
        // Newest first, 50 events a second: 40 pages reach 40 seconds back.
        var lengths: [Int64] = []
        while case .read(let window, _) = cursor.next(now: Self.noon), pages < 400 {
            let length = window.to.since(window.from).nanoseconds / 1_000_000_000
            if lengths.last != length { lengths.append(length) }
            if length == 1, pages > 300 {
                cursor.endPage(token: nil, began: Self.noon)
                break
            }
            _ = cursor.take("\(pages)", at: window.to - Span(seconds: pages % 40))
            pages += 1
            cursor.endPage(token: "\(pages)", began: Self.noon)
        }
        #expect(lengths.first == 3600 && lengths.dropFirst().first == 29)
        #expect(lengths.last == 1)
        #expect(cursor.floor == time("2026-11-20T12:00:01Z"))
    }

    @Test("A log that no longer goes back far enough is a gap from where we stood to where it begins, told once")
    func gap() {
        var cursor = cursor(at: "2026-07-01T00:00:00Z")
        let first = cursor.next(now: Self.noon)
        #expect(first == .gap(from: time("2026-07-01T00:00:00Z"), to: time("2026-08-24T12:10:00Z")))
        guard case .read(let window, nil) = cursor.next(now: Self.noon) else {
            Issue.record("nothing is read behind the gap")
            return
        }
        #expect(window.from == time("2026-08-24T12:10:00Z"))
    }

    @Test("A clock that is set back delays the next look by no more than its interval")
    func clockBack() {
        var cursor = cursor(at: "2026-11-22T11:45:00Z")
        _ = cursor.next(now: Self.noon)
        cursor.endPage(token: nil, began: Self.noon)
        let next = cursor.next(now: Self.noon - Span(seconds: 600))
        #expect(next == .wait(Span(seconds: 30)))
    }

    @Test("An event without a time, or with one outside of its window, is given once too")
    func oddTimes() {
        var cursor = cursor(at: "2026-11-22T11:45:00Z")
        _ = cursor.next(now: Self.noon)
        expect(true, cursor.take("none", at: nil))
        expect(true, cursor.take("old", at: time("2001-01-01T00:00:00Z")))
        expect(true, cursor.take("future", at: time("2101-01-01T00:00:00Z")))
        cursor.endPage(token: nil, began: Self.noon)
        let position = cursor.position(source: "s", partition: "p")
        var next = LogCursor(Self.rules, position: position, began: Self.noon)
        _ = next.next(now: Self.noon.plus(30_000))
        expect(false, next.take("none", at: nil))
        expect(false, next.take("old", at: time("2001-01-01T00:00:00Z")))
        expect(false, next.take("future", at: time("2101-01-01T00:00:00Z")))
    }
}
