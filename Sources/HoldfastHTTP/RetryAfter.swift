extension HTTPResponse {
    /// How long the server asks to wait (RFC 9110, 10.2.3): in seconds, or until a time, which is held against the
    /// answer's own `Date`, for our clock may differ. `nil` where it does not ask, or not clearly.
    package var retryAfter: Duration? {
        guard let value = headers["Retry-After"]?.filter({ $0 != "\t" }), !value.isEmpty else { return nil }
        if value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            // Far more than anyone waits, and far less than a Duration holds.
            return .seconds(min(Int(value) ?? .max, 1 << 40))
        }
        guard let until = seconds(httpDate: value), let date = headers["Date"], let now = seconds(httpDate: date)
        else { return nil }
        return .seconds(max(0, until - now))
    }
}
