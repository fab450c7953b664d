internal import CCurl
internal import Glibc

/// A time as AWS writes it: `20150830T123600Z`.
struct AmazonTime {
    var text: String
    /// `20150830`.
    var day: String { String(text.prefix(8)) }

    init(_ seconds: Int64) {
        var moment = time_t(seconds)
        var parts = tm()
        gmtime_r(&moment, &parts)
        func padded(_ value: Int32, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        text =
            padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1) + padded(parts.tm_mday) + "T"
            + padded(parts.tm_hour) + padded(parts.tm_min) + padded(parts.tm_sec) + "Z"
    }
}

/// Seconds since 1970 of a date in any of the three forms of HTTP (RFC 9110, section 5.6.7), as in the `Date` header;
/// `nil` for anything else.
package func seconds(httpDate text: String) -> Int64? {
    guard text.contains(":"), case let seconds = curl_getdate(text, nil), seconds >= 0 else { return nil }
    return Int64(seconds)
}

/// How far the clocks of servers are from ours, as learnt from answers that refuse a signature for its date. Kept per
/// host: servers of one provider need not agree.
package struct ClockOffsets: Sendable {
    /// Codes that say that the date is the reason.
    package static let certain: Set<String> = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]
    /// Codes that can have it as their reason, among others.
    package static let possible: Set<String> = ["SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"]
    /// Signatures are good for 5 minutes; a clock that is off by less than 4 is not why one is refused.
    package static let tolerated: Int64 = 240
    /// Hosts kept; above it all are learnt anew.
    package static let limit = 1000

    private var byHost: [String: Int64] = [:]

    package init() {}

    /// Seconds to add to our clock for this host.
    package func offset(for host: String) -> Int64 { byHost[host, default: 0] }

    /// Learns from a refusal.
    /// - Parameters:
    ///   - code: the error's code, as AWS gives it.
    ///   - date: the answer's `Date` header.
    ///   - now: our clock, in seconds, when the answer came.
    /// - Returns: whether the request is worth signing again: the date that it bore was off.
    package mutating func learn(host: String, code: String, date: String?, now: Int64) -> Bool {
        guard Self.certain.contains(code) || Self.possible.contains(code), let date,
            let server = seconds(httpDate: date)
        else { return false }
        let offset = server - now
        guard abs(offset - self.offset(for: host)) >= Self.tolerated else { return false }
        if byHost[host] == nil, byHost.count >= Self.limit { byHost = [:] }
        byHost[host] = offset
        return true
    }
}
