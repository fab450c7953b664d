/// A moment: nanoseconds since 1970-01-01T00:00:00Z, from year 1678 to 2262.
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package init(seconds: Int64) { nanoseconds = seconds &* 1_000_000_000 }

    package static let distantPast = Timestamp(nanoseconds: .min)
    package static let distantFuture = Timestamp(nanoseconds: .max)

    /// Reads RFC 3339 (`2026-11-22T08:00:00Z`, `…00.1234567Z`, `…00+02:00`); digits beyond nanoseconds are cut.
    /// `nil` where the text is something else, names a day that does not exist, or lies outside the range.
    package init?(_ text: some StringProtocol) {
        var reader = Reader(bytes: Array(text.utf8))
        guard let nanoseconds = reader.moment() else { return nil }
        self.nanoseconds = nanoseconds
    }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (time: Timestamp, span: Span) -> Timestamp {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Timestamp(nanoseconds: overflow ? .max : sum)
    }
    package static func - (time: Timestamp, span: Span) -> Timestamp {
        let (sum, overflow) = time.nanoseconds.subtractingReportingOverflow(span.nanoseconds)
        return Timestamp(nanoseconds: overflow ? .min : sum)
    }
    /// The time since an earlier moment; zero where `other` is later.
    package func since(_ other: Timestamp) -> Span {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return Span(nanoseconds: overflow ? .max : max(0, difference))
    }

    /// RFC 3339 in UTC, with as many digits of the second as it has.
    package var description: String {
        let (day, second) = floorDivide(nanoseconds, 86_400_000_000_000)
        let date = civil(fromDays: day)
        let whole = second / 1_000_000_000
        var text = padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2)
        text += "T" + padded(whole / 3600, 2) + ":" + padded(whole / 60 % 60, 2) + ":" + padded(whole % 60, 2)
        let fraction = second % 1_000_000_000
        if fraction > 0 {
            var digits = padded(fraction, 9)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func number(_ count: Int) -> Int64? {
            guard index + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[index..<index + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            index += count
            return value
        }

        mutating func take(_ choices: String) -> UInt8? {
            guard index < bytes.count, choices.utf8.contains(bytes[index]) else { return nil }
            index += 1
            return bytes[index - 1]
        }

        mutating func moment() -> Int64? {
            guard let year = number(4), take("-") != nil, let month = number(2), take("-") != nil,
                let day = number(2), take("Tt ") != nil, let hour = number(2), take(":") != nil,
                let minute = number(2), take(":") != nil, let second = number(2)
            else { return nil }
            guard (1...12).contains(month), (1...daysIn(month: month, year: year)).contains(day),
                hour < 24, minute < 60, second <= 60
            else { return nil }
            let fraction = fraction()
            guard let offset = offset(), index == bytes.count, let fraction else { return nil }
            let days = days(year: year, month: month, day: day)
            let seconds = days * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
            let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let (sum, carry) = scaled.addingReportingOverflow(fraction)
            return overflow || carry ? nil : sum
        }

        /// Nanoseconds after the point, zero without one; `nil` for a point with no digits.
        mutating func fraction() -> Int64? {
            guard take(".,") != nil else { return 0 }
            var value: Int64 = 0
            var digits = 0
            while index < bytes.count, (48...57).contains(bytes[index]) {
                if digits < 9 { value = value * 10 + Int64(bytes[index] - 48) }
                digits += 1
                index += 1
            }
            guard digits > 0 else { return nil }
            for _ in 0..<max(0, 9 - digits) { value *= 10 }
            return value
        }

        /// Seconds east of UTC.
        mutating func offset() -> Int64? {
            if take("Zz") != nil { return 0 }
            guard let sign = take("+-"), let hours = number(2), hours < 24 else { return nil }
            _ = take(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
        }
    }
}

private func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
    return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

private func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

private func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, by counting eras of 400 years from 1 March of year 0.
private func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = floorDivide(shifted, 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

private func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}
