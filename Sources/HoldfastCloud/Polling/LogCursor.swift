package import HoldfastCore
package import HoldfastEngine

/// How a polled log is read.
package struct PollRules: Sendable, Hashable {
    /// How late an event may show up in the log and is still found.
    package var overlap: Span
    /// Between the beginnings of two looks at the newest events.
    package var every: Span
    /// How far back the log goes.
    package var retention: Span
    /// Pages of one window; a window of the past that has more is cut.
    package var pagesAWindow: Int

    package init(overlap: Span, every: Span, retention: Span, pagesAWindow: Int) {
        self.overlap = overlap
        self.every = every
        self.retention = retention
        self.pagesAWindow = pagesAWindow
    }
}

/// A part of a log, both ends in it and at whole seconds: a log's own times may be no finer, so that two windows beside
/// each other share the second at which they meet.
package struct PollWindow: Sendable, Hashable, CustomStringConvertible {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }
    package var description: String { "\(from) to \(to)" }
}

/// How far a log is read that is asked for by windows of time, gives them in pages and in any order, and shows some
/// events late. Decides what is read next; reads nothing.
///
/// The *floor* is what the journal holds as the position: every event before it was read at least ``PollRules/overlap``
/// after it happened, so whatever the log will ever show of that time is in the journal. It moves when a window was
/// read to its last page, to the window's end or to the overlap before the moment at which the first page was asked
/// for, whichever is earlier. A crash therefore reads the unfinished window again, and nothing is lost. What was read
/// beyond the floor is remembered by id and is committed together with the records and the floor, so nothing is given
/// twice either: also not what the journal has no ids of (reads that are only counted), and not when more events than
/// its own window of known events lie in between.
///
/// Where the floor is further back than the overlap, windows of the past are read first, oldest first, each as long as
/// will fit into ``PollRules/pagesAWindow``; then the newest part, to now.
package struct LogCursor: Sendable {
    package enum Action: Sendable, Equatable {
        case read(PollWindow, token: String?)
        case wait(Span)
        /// The log no longer goes back to where we stood; reading goes on at `to`. Told once.
        case gap(from: Timestamp, to: Timestamp)
    }

    private struct Open: Sendable {
        var range: PollWindow
        /// It reaches to now: its pages are read to the end however many there are.
        var isNewest: Bool
        var token: String?
        /// When its first page was asked for.
        var began: Timestamp?
        var pages = 0
        /// The first and last second that an event in it had.
        var seconds: ClosedRange<Int64>?
    }

    private let rules: PollRules
    package private(set) var floor: Timestamp
    private var seen = SeenIDs()
    private var open: Open?
    /// How long the next window of the past is.
    private var length = Span(seconds: 3600)
    private var nextLook = Timestamp.distantPast
    /// The floor that was committed last.
    private var committed: Timestamp?

    private static let shortest = Span(seconds: 1)
    private static let longest = Span(seconds: 86_400)
    /// A log's end moves on while it is asked for.
    private static let retentionMargin = Span(seconds: 600)

    /// - Parameters:
    ///   - position: what the journal has.
    ///   - began: without a position, the moment from which on events are wanted.
    package init(_ rules: PollRules, position: SourcePosition?, began: Timestamp) {
        self.rules = rules
        if let position {
            floor = Timestamp(nanoseconds: position.next).roundedDown
            seen = SeenIDs(bytes: position.note)
            committed = floor
        } else {
            floor = (began - rules.overlap).roundedDown
        }
    }

    // MARK: What is next

    package mutating func next(now: Timestamp) -> Action {
        if let open { return .read(open.range, token: open.token) }
        let end = now - rules.retention
        if floor < end {
            let gap = Action.gap(from: floor, to: (end + Self.retentionMargin).roundedUp)
            floor = (end + Self.retentionMargin).roundedUp
            seen.forget(before: floor)
            return gap
        }
        // A clock that was set back must not stop the polling until it has caught up with itself.
        nextLook = min(nextLook, now + rules.every)
        let settled = now - rules.overlap
        if now < nextLook, settled.since(floor).nanoseconds <= rules.every.nanoseconds {
            return .wait(nextLook.since(now))
        }
        let past = floor + length
        if past < settled {
            open = Open(range: PollWindow(from: floor, to: past), isNewest: false)
        } else {
            nextLook = now + rules.every
            guard floor < now else { return .wait(rules.every) }
            open = Open(range: PollWindow(from: floor, to: now.roundedUp), isNewest: true)
        }
        return next(now: now)
    }

    // MARK: What was read

    /// An event of the open window.
    ///
    /// - Parameter time: by which the log is asked for; `nil` where the event says none.
    /// - Returns: whether it is new.
    package mutating func take(_ id: String, at time: Timestamp?) -> Bool {
        guard let range = open?.range else { return false }
        let time = min(max(time ?? range.to, range.from), range.to)
        let second = time.wholeSeconds
        let seconds = open?.seconds ?? second...second
        open?.seconds = min(seconds.lowerBound, second)...max(seconds.upperBound, second)
        return seen.insert(id, at: time)
    }

    /// All events of a page were taken.
    ///
    /// - Parameters:
    ///   - token: leads to the next page; `nil` after the last.
    ///   - began: when the page was asked for, by the earlier of the provider's clock and ours.
    package mutating func endPage(token: String?, began: Timestamp) {
        guard var window = open else { return }
        window.began = window.began ?? began
        window.pages += 1
        window.token = token
        open = window
        if token == nil {
            finish(window)
        } else if !window.isNewest, window.pages >= rules.pagesAWindow {
            cut(window)
        }
    }

    /// The token is not taken any more: the window is read from its first page.
    package mutating func restart() {
        open?.token = nil
        open?.began = nil
        open?.pages = 0
    }

    private mutating func finish(_ window: Open) {
        open = nil
        guard let began = window.began else { return }
        floor = max(floor, min(window.range.to, began - rules.overlap).roundedDown)
        seen.forget(before: floor)
        if !window.isNewest, window.pages <= rules.pagesAWindow / 4 {
            length = min(Self.longest, Span(nanoseconds: length.nanoseconds * 2))
        }
    }

    /// A window that holds too much is left for a shorter one with the same beginning, as long as what the pages held.
    private mutating func cut(_ window: Open) {
        let whole = window.range.to.since(window.range.from).nanoseconds
        guard whole > Self.shortest.nanoseconds else { return }
        let held = window.seconds.map { Int64($0.upperBound - $0.lowerBound) * 1_000_000_000 } ?? whole
        let second = Self.shortest.nanoseconds
        length = Span(nanoseconds: max(second, min(held * 3 / 4, whole / 2) / second * second))
        open = Open(
            range: PollWindow(from: window.range.from, to: window.range.from + length), isNewest: false)
    }

    // MARK: The position

    /// A floor that moved is committed without a record too, now and then: a restart reads less.
    package var mustCommit: Bool {
        guard let committed else { return true }
        return floor.since(committed).nanoseconds >= Span(seconds: 300).nanoseconds
    }

    /// Where the log stands with everything that was taken.
    package mutating func position(source: String, partition: String) -> SourcePosition {
        committed = floor
        return SourcePosition(source: source, partition: partition, next: floor.nanoseconds, note: seen.bytes)
    }
}

func max(_ a: Span, _ b: Span) -> Span { a.nanoseconds < b.nanoseconds ? b : a }
func min(_ a: Span, _ b: Span) -> Span { a.nanoseconds < b.nanoseconds ? a : b }
