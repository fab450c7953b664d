internal import HoldfastCore
internal import HoldfastHTTP
internal import HoldfastJSON

extension Timestamp {
    /// A time as answers and parameters give it: seconds since 1970 as a number or text, RFC 3339 (also without a zone,
    /// which is UTC, and with `+0000`), or a date of HTTP.
    init?(wire value: JSON) {
        switch value {
        case .number(let number): self.init(decimalSeconds: number.text)
        case .string(let text):
            if let time = Timestamp(text) ?? Timestamp(decimalSeconds: text) ?? Timestamp(httpDate: text) {
                self = time
            } else if let time = Timestamp("\(text)Z") ?? Timestamp(withColon: text) {
                self = time
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// `2020-01-01T00:00:00+0000`
    private init?(withColon text: String) {
        let zone = text.suffix(5)
        guard zone.first == "+" || zone.first == "-", zone.dropFirst().allSatisfy(\.isNumber) else { return nil }
        self.init("\(text.dropLast(2)):\(text.suffix(2))")
    }

    /// Seconds since 1970: `1767225600`, `1767225600.123`, `1.7672256E9`; digits beyond nanoseconds are cut.
    private init?(decimalSeconds text: String) {
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        var digits: [UInt8] = []
        var point: Int?
        while let byte = rest.first, byte != UInt8(ascii: "e"), byte != UInt8(ascii: "E") {
            if byte == UInt8(ascii: "."), point == nil {
                point = digits.count
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits.append(byte - UInt8(ascii: "0"))
            } else {
                return nil
            }
            rest = rest.dropFirst()
        }
        guard !digits.isEmpty, digits.count < 40 else { return nil }
        var exponent = 0
        if !rest.isEmpty {
            guard let value = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), abs(value) < 40 else {
                return nil
            }
            exponent = value
        }
        // The number of digits that make whole nanoseconds.
        let wanted = (point ?? digits.count) + exponent + 9
        var nanoseconds: Int64 = 0
        for index in 0..<max(0, wanted) {
            let digit = index < digits.count ? Int64(digits[index]) : 0
            let (product, over) = nanoseconds.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            guard !over, !overflow else { return nil }
            nanoseconds = sum
        }
        self.init(nanoseconds: isNegative ? -nanoseconds : nanoseconds)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7), as all servers of today write it.
    init?(httpDate text: String) {
        guard let seconds = seconds(httpDate: text) else { return nil }
        self.init(seconds: seconds)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// See ``init(httpDate:)``.
    var httpDate: String {
        let text = description
        let parts = text.prefix(10).split(separator: "-")
        let month = Int(parts[1]).map { Timestamp.months[$0 - 1] } ?? ""
        let days = wholeSeconds.quotientFloored(by: 86_400)
        // The first of January 1970 was a Thursday.
        let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let day = week[Int(days - days.quotientFloored(by: 7) * 7)]
        return "\(day), \(parts[2]) \(month) \(parts[0]) \(text.dropFirst(11).prefix(8)) GMT"
    }
}

extension Int64 {
    fileprivate func quotientFloored(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
