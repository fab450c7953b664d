internal import HoldfastCore

/// The names that requests may be for. A page of another site whose name was made to lead to this machine (DNS
/// rebinding) is told apart by it.
struct Hosts: Sendable {
    private let names: [String]
    private let url: String?

    init(_ settings: ServerSettings) {
        url = settings.url?.lowercased()
        var names = settings.hosts
        if let url, let start = url.firstRange(of: "://") { names.append(Self.name(String(url[start.upperBound...]))) }
        if let listen = settings.listen {
            names += listen.isLoopback ? ["127.0.0.1", "localhost", "[::1]"] : [Self.name(listen.description)]
        }
        self.names = names
    }

    /// - Parameter authority: as the Host header says it, with or without a port.
    func knows(_ authority: String?) -> Bool {
        guard let authority = authority?.lowercased() else { return false }
        return names.contains(Self.name(authority))
    }

    /// Whether a form comes from a page of ours.
    ///
    /// - Parameters:
    ///   - origin: as the Origin header says it. Another port of the same host is another origin.
    ///   - authority: the host that the request is for.
    func isOwn(origin: String, authority: String?) -> Bool {
        let origin = origin.lowercased()
        if let url { return origin == url }
        return authority.map { origin == "http://\($0.lowercased())" } ?? false
    }

    private static func name(_ authority: String) -> String {
        guard let colon = authority.lastIndex(of: ":"), authority[authority.index(after: colon)...].allSatisfy(\.isNumber)
        else { return authority }
        return String(authority[..<colon])
    }
}
