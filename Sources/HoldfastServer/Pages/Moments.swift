internal import HoldfastCore

/// Times as people read them.
struct Moments: Sendable {
    let now: Timestamp

    /// `20 Nov 2026 09:08 UTC, 10 days ago`.
    func html(_ moment: Timestamp) -> HTML {
        "<time datetime=\"\(moment.description)\">\(Self.short(moment))</time>, \(ago(moment))"
    }

    func html(_ text: String?) -> HTML {
        guard let text, let moment = Timestamp(text) else { return "\(text ?? "")" }
        return html(moment)
    }

    /// `4 minutes ago`, `in 2 hours`.
    func ago(_ moment: Timestamp) -> String {
        let isPast = moment <= now
        let seconds = (isPast ? now.since(moment) : moment.since(now)).nanoseconds / 1_000_000_000
        let units: [(Int64, String)] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")]
        guard let (size, name) = units.first(where: { seconds >= $0.0 }) else { return "just now" }
        let count = seconds / size
        let text = "\(count) \(name)\(count == 1 ? "" : "s")"
        return isPast ? "\(text) ago" : "in \(text)"
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func short(_ moment: Timestamp) -> String {
        // RFC 3339 in UTC: 2026-11-20T09:08:55Z
        let text = Array(moment.description)
        guard text.count >= 20, let month = Int(String(text[5...6])), months.indices.contains(month - 1) else {
            return moment.description
        }
        let day = String(text[8...9]).drop { $0 == "0" }
        return "\(day) \(months[month - 1]) \(String(text[0...3])) \(String(text[11...15])) UTC"
    }

    /// A sentence that ends in `as of TIME`, with how long ago that is.
    func aged(_ sentence: String) -> HTML {
        guard let range = sentence.firstRange(of: "as of "), let moment = Timestamp(sentence[range.upperBound...])
        else {
            return "\(sentence)"
        }
        return "\(String(sentence[..<range.lowerBound])) \(html(moment))"
    }
}
