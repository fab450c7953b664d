/// The parts of an absolute URL as they are written, nothing decoded.
package struct AbsoluteURL: Sendable, Hashable {
    /// In lower case.
    package var scheme: String
    /// Host, and the port where one is written, in lower case: what the `Host` header says. Default ports are dropped.
    package var authority: String
    /// Empty where none is written.
    package var path: String
    /// `nil` without a question mark.
    package var query: String?

    /// `nil` for what is not `scheme://host…`. Hosts have letters, digits and `-._~:[]` alone: user names in URLs and
    /// characters that another reader might take for the host's end are refused.
    package init?(_ url: String) {
        guard let colon = url.firstRange(of: "://") else { return nil }
        scheme = url[..<colon.lowerBound].lowercased()
        var rest = url[colon.upperBound...]
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        authority = rest[..<end].lowercased()
        rest = rest[end...]
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        path = String(rest)
        guard !authority.isEmpty, authority.utf8.allSatisfy(Self.isOfHosts) else { return nil }
        let defaultPort = scheme == "https" ? ":443" : scheme == "http" ? ":80" : nil
        if let defaultPort, authority.hasSuffix(defaultPort) { authority.removeLast(defaultPort.count) }
    }

    private static func isOfHosts(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~:[]".utf8.contains(byte)
        }
    }

    /// The host without port and without the brackets of an IPv6 address.
    package var host: String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }

    /// Whether the host is this machine, by its usual name or an address that never leaves it.
    package var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
