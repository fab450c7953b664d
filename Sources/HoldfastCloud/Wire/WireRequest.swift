internal import HoldfastHTTP

/// What a protocol makes of a call, before anyone says to which host it goes.
struct WireRequest: Sendable {
    var method = "POST"
    /// Percent-encoded, with a slash in front and no query.
    var path = "/"
    /// Names and values as they are; `nil` where there is no `=`: `?policy`.
    var query: [(name: String, value: String?)] = []
    var headers = HTTPHeaders()
    var body: [UInt8] = []
    /// `111122223333.`
    var hostPrefix = ""
    /// The bucket that the path begins with.
    var bucket: String?

    /// The path and the percent-encoded query.
    var target: String {
        guard !query.isEmpty else { return path }
        let items = query.map { item in
            let name = item.name.percentEncoded()
            return item.value.map { "\(name)=\($0.percentEncoded())" } ?? name
        }
        return "\(path)?\(items.joined(separator: "&"))"
    }
}

/// Parameters that the provider's model does not take, or an answer that is not as it says.
struct WireFault: Error, Sendable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// One variable's value in a path: never empty and never a step to another path (`..`), which servers and clients
/// resolve before anyone asks who may.
///
/// - Parameters:
///   - isGreedy: slashes stay, and what is between them follows the same rule.
///   - reserved: characters beside that stay, as RFC 6570 lets reserved ones stay in such a variable.
func pathLabel(
    _ value: String, of name: String, isGreedy: Bool = false, keeping reserved: String = ""
) throws(WireFault) -> String {
    let parts = isGreedy ? value.split(separator: "/", omittingEmptySubsequences: false) : [value[...]]
    guard !value.isEmpty, !parts.contains(where: { $0 == "." || $0 == ".." }) else {
        throw WireFault("\(name) is \"\(value)\", which cannot stand in a path")
    }
    return value.percentEncoded(keeping: isGreedy ? "/" + reserved : "")
}

/// A value for a header: without line breaks and other control characters, which could begin another header.
func headerValue(_ value: String, of name: String) throws(WireFault) -> String {
    guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
        throw WireFault("\(name) holds a control character, which a header cannot")
    }
    return value
}
