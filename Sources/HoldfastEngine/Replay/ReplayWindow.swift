package import HoldfastCore

/// The time that a replay looks at: from a moment on, up to and without another.
package struct ReplayWindow: Sendable, Hashable {
    /// `nil`: from the first event on.
    package var from: Timestamp?
    /// `nil`: to the last event.
    package var to: Timestamp?

    package init(from: Timestamp? = nil, to: Timestamp? = nil) {
        self.from = from
        self.to = to
    }

    package func contains(_ time: Timestamp) -> Bool {
        (from.map { time >= $0 } ?? true) && (to.map { time < $0 } ?? true)
    }

    /// Reads a moment: RFC 3339, a date alone (its first moment in UTC), or a time before `now`: `-90s`, `-15m`, `-2h`,
    /// `-7d`, `now`. `nil` where the text is none of them. A time without a zone is refused: it would mean another
    /// moment on another machine.
    package static func moment(_ text: String, now: Timestamp) -> Timestamp? {
        if text == "now" { return now }
        if let time = Timestamp(text) { return time }
        if text.utf8.count == 10, let day = Timestamp(text + "T00:00:00Z") { return day }
        guard text.hasPrefix("-"), let unit = text.last, let seconds = units[unit],
            let amount = Int64(text.dropFirst().dropLast()), amount >= 0, amount < 1_000_000_000
        else { return nil }
        return now - Span(nanoseconds: amount.multipliedReportingOverflow(by: seconds * 1_000_000_000).partialValue)
    }

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
}

extension ReplayWindow {
    /// Where a window that was left open ends: the first whole second behind its last event.
    static func end(after last: Timestamp) -> Timestamp {
        let seconds = last.nanoseconds / 1_000_000_000
        return Timestamp(seconds: seconds + 1)
    }

    /// Hours as seconds since 1970, each the hour's first.
    static func hour(of time: Timestamp) -> Int64 {
        let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: nanosecondsAnHour)
        return (remainder < 0 ? quotient - 1 : quotient) * 3600
    }

    private static let nanosecondsAnHour: Int64 = 3_600_000_000_000
}
